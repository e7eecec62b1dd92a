package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAnswers(t *testing.T) {
	config := filepath.Join(t.TempDir(), "color")
	write(t, config, "green")
	for _, c := range []struct {
		files, path string
		status      int
		body        string
	}{
		{"index.html=<h1>page</h1>", "/", 200, "<h1>page</h1>"},
		{"", "/", 200, "abc"},
		{"", "/version", 200, "abc"},
		{"", "/healthz", 200, "ok"},
		{"", "/config", 200, "green"},
		{"", "/about", 200, `{"name":"sample","paths":["/version","/config"],"teapot":false,"version":"abc"}`},
		{"broken=", "/healthz", 500, "broken"},
		{"broken=", "/readyz", 200, "ready"},
		{"version=def", "/version", 200, "def"},
		{"errors=100", "/", 500, "flaky"},
		{"errors=100", "/version", 200, "abc"},
		{"errors=100", "/healthz", 200, "ok"},
		{"latency=20ms", "/", 200, "abc"},
	} {
		recorder := answer(Handler(settings(t, c.files, config)), c.path)
		if recorder.Code != c.status || strings.TrimSpace(recorder.Body.String()) != c.body {
			t.Errorf("%q %s: %d %q, want %d %q", c.files, c.path, recorder.Code, recorder.Body, c.status, c.body)
		}
		if version := recorder.Header().Get("X-Version"); version != "abc" {
			t.Errorf("%q %s: X-Version is %q", c.files, c.path, version)
		}
	}
}

func TestThereIsNoConfigWithoutItsFile(t *testing.T) {
	if got := answer(Handler(settings(t, "", "")), "/config").Code; got != http.StatusNotFound {
		t.Errorf("/config: %d", got)
	}
}

func TestLatencyIsOfAnswersAndNotOfChecks(t *testing.T) {
	handler := Handler(settings(t, "latency=50ms", ""))
	for path, slow := range map[string]bool{"/": true, "/version": true, "/healthz": false, "/readyz": false} {
		begin := time.Now()
		answer(handler, path)
		if took := time.Since(begin); (took >= 50*time.Millisecond) != slow {
			t.Errorf("%s took %s", path, took)
		}
	}
}

func TestErrorsAreAShareOfThePagesAndAreCounted(t *testing.T) {
	handler := Handler(settings(t, "errors=20", ""))
	failed := 0
	for range 50 {
		if answer(handler, "/").Code == http.StatusInternalServerError {
			failed++
		}
	}
	answer(handler, "/healthz")
	if failed != 10 {
		t.Errorf("%d of 50 failed", failed)
	}
	metrics := answer(handler, "/metrics").Body.String()
	for _, line := range []string{"# TYPE http_requests_total counter\n", "http_requests_total{code=\"200\"} 40\n",
		"http_requests_total{code=\"500\"} 10\n"} {
		if !strings.Contains(metrics, line) {
			t.Errorf("%q is not in %q", line, metrics)
		}
	}
}

func TestACrashIsSaidFirstWhereTheImageSaysSo(t *testing.T) {
	settings := settings(t, "crash=1ms 200ms", "")
	app := newApp(settings)
	gone := make(chan error, 1)
	go func() { gone <- app.crash() }()
	for answer(app.handler(), "/readyz").Code == http.StatusOK {
		time.Sleep(time.Millisecond)
	}
	if got := answer(app.handler(), "/").Code; got != http.StatusOK {
		t.Errorf("/ answers %d before the crash", got)
	}
	if err := <-gone; !errors.Is(err, ErrCrash) {
		t.Errorf("it ended by %v", err)
	}
	settings.Address = "127.0.0.1:0"
	if err := Run(context.Background(), settings); !errors.Is(err, ErrCrash) {
		t.Errorf("the server ended by %v", err)
	}
}

func TestAFileThatSaysNothingIsRefused(t *testing.T) {
	for _, file := range []string{"latency=fast", "errors=many", "crash=1s soon", "version="} {
		site := t.TempDir()
		name, content, _ := strings.Cut(file, "=")
		write(t, filepath.Join(site, name), content)
		if _, err := ReadFaults(site); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v", file, err)
		}
	}
}

func TestMigration(t *testing.T) {
	for _, c := range []struct {
		file   string
		args   []string
		status int
	}{
		{"", []string{"migrate"}, 0},
		{"", []string{"migrate", "1ms"}, 0},
		{"migration-fails=", []string{"migrate"}, 3},
		{"", []string{"migrate", "soon"}, 2},
		{"", []string{"other"}, 2},
	} {
		if got := migrate(settings(t, c.file, ""), c.args); got != c.status {
			t.Errorf("%q %v: exit status %d", c.file, c.args, got)
		}
	}
}

// settings are of a site with one file, said as NAME=CONTENT.
func settings(t *testing.T, file, config string) Settings {
	t.Helper()
	site := t.TempDir()
	if name, content, some := strings.Cut(file, "="); some {
		write(t, filepath.Join(site, name), content)
	}
	faults, err := ReadFaults(site)
	if err != nil {
		t.Fatal(fmt.Errorf("%q: %w", file, err))
	}
	return Settings{Version: "abc", Site: site, Config: config, Faults: faults}
}

func answer(handler http.Handler, path string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest("GET", path, nil))
	return recorder
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
