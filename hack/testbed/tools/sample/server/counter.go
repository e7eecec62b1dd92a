package server

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
)

// counter counts answers by their status. It is safe for use by many requests at once.
type counter struct {
	mutex sync.Mutex
	codes map[int]int
}

func (c *counter) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writer := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(writer, r)
		c.mutex.Lock()
		defer c.mutex.Unlock()
		if c.codes == nil {
			c.codes = map[int]int{}
		}
		c.codes[writer.status]++
	})
}

func (c *counter) metrics(w http.ResponseWriter, _ *http.Request) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	fmt.Fprintln(w, "# HELP http_requests_total Requests that were answered, by status.")
	fmt.Fprintln(w, "# TYPE http_requests_total counter")
	for _, code := range slices.Sorted(maps.Keys(c.codes)) {
		fmt.Fprintf(w, "http_requests_total{code=\"%d\"} %d\n", code, c.codes[code])
	}
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
