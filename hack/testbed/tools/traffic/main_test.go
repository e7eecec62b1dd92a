package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// Of the answers a quarter fails: every request is counted once, on the right side.
func TestCountsEveryRequest(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Version", "one")
		if asked.Add(1)%4 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()

	g := newGenerator(server.URL, time.Second, 50)
	g.run(ctx, 200)

	total := g.counts.total
	if int64(total.OK+total.Failed) != asked.Load() || int64(total.Failed) != asked.Load()/4 {
		t.Errorf("%d ok and %d failed of %d", total.OK, total.Failed, asked.Load())
	}
	if total.OK != total.Versions["one"] || total.FirstError != `status 503 of version "one"` {
		t.Errorf("versions %v, first error %q", total.Versions, total.FirstError)
	}
	if asked.Load() < 80 || asked.Load() > 101 {
		t.Errorf("%d requests in half a second at 200 a second", asked.Load())
	}
}

// A server that does not answer fails requests; it does not hold the rate back.
func TestSlowAnswersDoNotHoldTheRate(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()

	g := newGenerator(server.URL, 200*time.Millisecond, 0)
	g.run(ctx, 100)

	if total := g.counts.total; total.OK != 0 || total.Failed < 25 {
		t.Errorf("%d ok and %d failed", total.OK, total.Failed)
	}
}
