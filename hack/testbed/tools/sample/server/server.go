// Package server is the sample application's web server.
//
//	/         the page /site/index.html, or the version where there is none
//	/version  the version: the commit that the image was built from
//	/about    name and version, as JSON
//	/config   what the file CONFIG_FILE holds, read anew each time
//	/healthz  whether this version works
//	/readyz   whether it serves at all
//	/metrics  http_requests_total by code, of all but the two checks and itself, as Prometheus reads it
//
// Every answer names its version in the header X-Version, so that a load generator can tell the share of each.
// What a version does wrong, files of its image say: see Faults.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// How long requests in flight may take after the signal to end.
const drainTime = 20 * time.Second

// Settings are what the image and the pod say.
type Settings struct {
	Address string
	Version string
	Site    string
	Config  string
	Faults  Faults
}

// FromEnvironment reads APP_VERSION, SITE, LISTEN, CONFIG_FILE and LATENCY, which goes before the file of that name.
func FromEnvironment() (Settings, error) {
	settings := Settings{
		Address: or(os.Getenv("LISTEN"), ":8080"),
		Version: or(os.Getenv("APP_VERSION"), "unknown"),
		Site:    or(os.Getenv("SITE"), "/site"),
		Config:  os.Getenv("CONFIG_FILE"),
	}
	var err error
	if settings.Faults, err = ReadFaults(settings.Site); err != nil {
		return settings, err
	}
	if latency := os.Getenv("LATENCY"); latency != "" {
		settings.Faults.Latency, err = time.ParseDuration(latency)
	}
	return settings, err
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

// ErrCrash is the end of a version that crashes: nothing in flight is answered.
var ErrCrash = errors.New("it crashes, as its image says")

// Run serves until ctx ends, then finishes the requests that have begun.
func Run(ctx context.Context, settings Settings) error {
	listener, err := net.Listen("tcp", settings.Address)
	if err != nil {
		return err
	}
	app := newApp(settings)
	server := &http.Server{Handler: app.handler(), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(listener) }()
	if settings.Faults.CrashAfter > 0 {
		go func() { ended <- app.crash() }()
	}
	fmt.Printf("version %s serves on %s\n", settings.Version, listener.Addr())

	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if err := server.Shutdown(drain); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	fmt.Println("every request is answered")
	return nil
}

// Handler answers the paths above.
func Handler(settings Settings) http.Handler { return newApp(settings).handler() }

type app struct {
	settings Settings
	leaving  atomic.Bool // it is about to crash, and says so
	pages    atomic.Int64
	counts   counter
}

func newApp(settings Settings) *app { return &app{settings: settings} }

// crash returns when the version is to be gone.
func (a *app) crash() error {
	time.Sleep(a.settings.Faults.CrashAfter)
	a.leaving.Store(true)
	time.Sleep(a.settings.Faults.CrashNotice)
	return ErrCrash
}

func (a *app) handler() http.Handler {
	faults := a.settings.Faults
	counted := http.NewServeMux()
	counted.HandleFunc("GET /version", text(http.StatusOK, or(faults.Claims, a.settings.Version)))
	counted.HandleFunc("GET /about", a.about)
	counted.HandleFunc("GET /config", a.config)
	counted.HandleFunc("GET /", a.flaky(a.page()))

	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", a.ready)
	if faults.Broken {
		mux.HandleFunc("GET /healthz", text(http.StatusInternalServerError, "broken"))
	} else {
		mux.HandleFunc("GET /healthz", text(http.StatusOK, "ok"))
	}
	mux.HandleFunc("GET /metrics", a.counts.metrics)
	mux.Handle("/", a.counts.count(slow(faults.Latency, counted)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Version", a.settings.Version)
		mux.ServeHTTP(w, r)
	})
}

func (a *app) ready(w http.ResponseWriter, r *http.Request) {
	if a.leaving.Load() {
		text(http.StatusServiceUnavailable, "leaving")(w, r)
		return
	}
	text(http.StatusOK, "ready")(w, r)
}

func (a *app) page() http.HandlerFunc {
	content, err := os.ReadFile(filepath.Join(a.settings.Site, "index.html"))
	if err != nil {
		return text(http.StatusOK, a.settings.Version)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(content)
	}
}

// flaky fails its share of the pages, evenly spread: 20 of 100 are every fifth.
func (a *app) flaky(next http.HandlerFunc) http.HandlerFunc {
	share := int64(a.settings.Faults.ErrorPercent)
	return func(w http.ResponseWriter, r *http.Request) {
		if n := a.pages.Add(1); n*share/100 > (n-1)*share/100 {
			text(http.StatusInternalServerError, "flaky")(w, r)
			return
		}
		next(w, r)
	}
}

func (a *app) about(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"name": "sample", "version": a.settings.Version, "paths": []string{"/version", "/config"}, "teapot": false,
	})
}

func (a *app) config(w http.ResponseWriter, r *http.Request) {
	content, err := os.ReadFile(a.settings.Config)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(content)
}

func text(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintln(w, body)
	}
}

func slow(latency time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(latency)
		next.ServeHTTP(w, r)
	})
}
