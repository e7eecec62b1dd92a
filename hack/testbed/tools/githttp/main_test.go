package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPrivateAsksForThePassword(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, c := range []struct {
		user, password string
		status         int
	}{
		{"", "", http.StatusUnauthorized},
		{"slipway", "wrong", http.StatusUnauthorized},
		{"other", "secret", http.StatusUnauthorized},
		{"slipway", "secret", http.StatusNoContent},
	} {
		request := httptest.NewRequest("GET", "/private/a.git/HEAD", nil)
		if c.user != "" {
			request.SetBasicAuth(c.user, c.password)
		}
		recorder := httptest.NewRecorder()
		authenticated("slipway", "secret", next).ServeHTTP(recorder, request)
		if recorder.Code != c.status {
			t.Errorf("%q %q: %d, want %d", c.user, c.password, recorder.Code, c.status)
		}
	}
}

// Without a user of its own the server lets nobody in, an empty name included.
func TestNoUserMeansNobody(t *testing.T) {
	request := httptest.NewRequest("GET", "/private/a.git/HEAD", nil)
	request.SetBasicAuth("", "")
	recorder := httptest.NewRecorder()
	authenticated("", "", http.NotFoundHandler()).ServeHTTP(recorder, request)
	if recorder.Code != http.StatusUnauthorized {
		t.Errorf("status %d", recorder.Code)
	}
}

func TestChunkedBodiesGetALength(t *testing.T) {
	var length int64
	var body string
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		length, body = r.ContentLength, string(content)
	})
	request := httptest.NewRequest("POST", "/a.git/git-receive-pack", strings.NewReader("chunks"))
	request.ContentLength = -1
	wholeBody(next).ServeHTTP(httptest.NewRecorder(), request)
	if length != 6 || body != "chunks" {
		t.Errorf("length %d, body %q", length, body)
	}
}
