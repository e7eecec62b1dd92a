package server

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnswers(t *testing.T) {
	good, bad, empty := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, filepath.Join(good, "index.html"), "<h1>page</h1>")
	write(t, filepath.Join(bad, "broken"), "")
	for _, c := range []struct {
		site, path string
		status     int
		body       string
	}{
		{good, "/", 200, "<h1>page</h1>"},
		{good, "/version", 200, "abc"},
		{good, "/healthz", 200, "ok"},
		{bad, "/healthz", 500, "broken"},
		{bad, "/readyz", 200, "ready"},
		{empty, "/", 200, "abc"},
	} {
		recorder := httptest.NewRecorder()
		Handler(Settings{Version: "abc", Site: c.site}).ServeHTTP(recorder, httptest.NewRequest("GET", c.path, nil))
		if recorder.Code != c.status || strings.TrimSpace(recorder.Body.String()) != c.body {
			t.Errorf("%s: %d %q, want %d %q", c.path, recorder.Code, recorder.Body, c.status, c.body)
		}
		if version := recorder.Header().Get("X-Version"); version != "abc" {
			t.Errorf("%s: X-Version is %q", c.path, version)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
