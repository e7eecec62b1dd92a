// Package server is the sample application's web server.
//
//	/         the page /site/index.html, or the version where there is none
//	/version  the version: the commit that the image was built from
//	/healthz  whether this version works: 500 where the image has a file /site/broken
//	/readyz   whether it serves at all
//
// Every answer names its version in the header X-Version, so that a load generator can tell the share of
// each. LATENCY, a duration, delays every answer but those of the two checks.
package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// How long requests in flight may take after the signal to end.
const drainTime = 20 * time.Second

// Settings are what the image and the pod say.
type Settings struct {
	Address string
	Version string
	Site    string
	Latency time.Duration
}

// FromEnvironment reads APP_VERSION, SITE, LISTEN and LATENCY.
func FromEnvironment() Settings {
	latency, _ := time.ParseDuration(os.Getenv("LATENCY"))
	return Settings{
		Address: or(os.Getenv("LISTEN"), ":8080"),
		Version: or(os.Getenv("APP_VERSION"), "unknown"),
		Site:    or(os.Getenv("SITE"), "/site"),
		Latency: latency,
	}
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

// Run serves until ctx ends, then finishes the requests that have begun.
func Run(ctx context.Context, settings Settings) error {
	server := &http.Server{Addr: settings.Address, Handler: Handler(settings), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	fmt.Printf("version %s serves on %s\n", settings.Version, settings.Address)

	select {
	case err := <-failed:
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
func Handler(settings Settings) http.Handler {
	broken := exists(filepath.Join(settings.Site, "broken"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", text(http.StatusOK, "ready"))
	if broken {
		mux.HandleFunc("GET /healthz", text(http.StatusInternalServerError, "broken"))
	} else {
		mux.HandleFunc("GET /healthz", text(http.StatusOK, "ok"))
	}
	mux.HandleFunc("GET /version", slow(settings.Latency, text(http.StatusOK, settings.Version)))
	mux.HandleFunc("GET /", slow(settings.Latency, page(settings)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Version", settings.Version)
		mux.ServeHTTP(w, r)
	})
}

func page(settings Settings) http.HandlerFunc {
	content, err := os.ReadFile(filepath.Join(settings.Site, "index.html"))
	if err != nil {
		return text(http.StatusOK, settings.Version)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(content)
	}
}

func text(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintln(w, body)
	}
}

func slow(latency time.Duration, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(latency)
		next(w, r)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
