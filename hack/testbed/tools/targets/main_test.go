package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOnlyRunningPodsThatAskForIt(t *testing.T) {
	pod := func(name, note, phase, ip string) string {
		return `{"metadata":{"namespace":"team","name":"` + name + `","annotations":{` + note + `}},"status":{"phase":"` + phase +
			`","podIP":"` + ip + `"}}`
	}
	const asks = `"prometheus.io/scrape":"true","prometheus.io/port":"8080"`
	list := `{"items":[` + strings.Join([]string{
		pod("one", asks, "Running", "10.0.0.1"),
		pod("not-asking", `"prometheus.io/scrape":"false","prometheus.io/port":"8080"`, "Running", "10.0.0.2"),
		pod("no-port", `"prometheus.io/scrape":"true"`, "Running", "10.0.0.3"),
		pod("over", asks, "Succeeded", "10.0.0.4"),
		pod("no-address", asks, "Running", ""),
		`{"metadata":{"namespace":"team","name":"bare"},"status":{"phase":"Running","podIP":"10.0.0.5"}}`,
	}, ",") + `]}`
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(list))
	}))
	defer server.Close()
	ask := func() *httptest.ResponseRecorder {
		recorder := httptest.NewRecorder()
		handler(server.Client(), server.URL).ServeHTTP(recorder, httptest.NewRequest("GET", "/", nil))
		return recorder
	}

	got := ask()
	want := `[{"targets":["10.0.0.1:8080"],"labels":{"namespace":"team","pod":"one"}}]`
	if got.Code != http.StatusOK || strings.TrimSpace(got.Body.String()) != want {
		t.Errorf("%d %s, want %s", got.Code, got.Body, want)
	}
	list = `{"items":[]}`
	if got := ask(); strings.TrimSpace(got.Body.String()) != "[]" {
		t.Errorf("of no pods: %s", got.Body)
	}
	list = `not a list`
	if got := ask(); got.Code != http.StatusBadGateway {
		t.Errorf("of what is not a list: %d", got.Code)
	}
	status = http.StatusForbidden
	if got := ask(); got.Code != http.StatusBadGateway || !strings.Contains(got.Body.String(), "403") {
		t.Errorf("of a refusal: %d %s", got.Code, got.Body)
	}
}
