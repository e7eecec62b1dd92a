// Command traffic asks one URL for answers at a constant rate and reports what it got: one line of JSON
// each second, and a last line with the totals. It ends after --duration or on SIGTERM, always with
// status 0: whoever reads the totals judges them.
//
// The rate is kept whatever the server does: a slow answer does not hold back the next request, or
// failures would thin out the very traffic that should show them.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

func main() {
	url := flag.String("url", "", "what to get")
	rate := flag.Int("rate", 100, "requests a second")
	duration := flag.Duration("duration", 0, "how long; 0 is until SIGTERM")
	timeout := flag.Duration("timeout", 5*time.Second, "how long one request may take")
	reuse := flag.Int("keep-alive-percent", 0, "share of the requests that may use a connection again")
	flag.Parse()
	if *url == "" || *rate < 1 || *rate > 10000 || *reuse < 0 || *reuse > 100 {
		flag.Usage()
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if *duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *duration)
		defer cancel()
	}
	generator := newGenerator(*url, *timeout, *reuse)
	generator.run(ctx, *rate)
}

type generator struct {
	url     string
	timeout time.Duration
	reuse   int
	fresh   *http.Client // a new connection for each request
	kept    *http.Client
	counts  *counter
}

func newGenerator(url string, timeout time.Duration, reuse int) *generator {
	client := func(disable bool) *http.Client {
		dialer := &net.Dialer{Timeout: timeout}
		transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: disable, MaxIdleConnsPerHost: 64}
		// A redirect is an answer of its own.
		noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		return &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: noRedirect}
	}
	return &generator{url: url, timeout: timeout, reuse: reuse, fresh: client(true), kept: client(false), counts: newCounter()}
}

// run sends until ctx ends, then waits for the answers that are still to come.
func (g *generator) run(ctx context.Context, rate int) {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	second := time.NewTicker(time.Second)
	defer tick.Stop()
	defer second.Stop()
	var pending sync.WaitGroup
	start, sent := time.Now(), 0
	// A ticker drops ticks on a busy machine; the time that passed says how many are due.
	sendDue := func(passed time.Duration) {
		for due := int(passed.Seconds() * float64(rate)); sent < due; sent++ {
			pending.Add(1)
			go func(n int) { defer pending.Done(); g.get(n) }(sent)
		}
	}
	for {
		select {
		case <-tick.C:
			sendDue(time.Since(start))
		case <-second.C:
			g.counts.printSecond()
		case <-ctx.Done():
			// The seconds are those in which it sent: the last answer may be long in coming.
			passed := time.Since(start)
			sendDue(passed)
			pending.Wait()
			g.counts.printTotal(passed)
			return
		}
	}
}

func (g *generator) get(n int) {
	client := g.fresh
	if n%100 < g.reuse {
		client = g.kept
	}
	begin := time.Now()
	response, err := client.Get(g.url)
	if err != nil {
		g.counts.failed(err.Error())
		return
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		g.counts.failed("body: " + err.Error())
		return
	}
	version := response.Header.Get("X-Version")
	if response.StatusCode >= 400 {
		g.counts.failed(fmt.Sprintf("status %d of version %q", response.StatusCode, version))
		return
	}
	g.counts.succeeded(version, time.Since(begin))
}

// report is one line of output. Versions are those of the answers that count as ok.
type report struct {
	Kind       string         `json:"kind"`
	Time       string         `json:"time"`
	Seconds    float64        `json:"seconds,omitempty"`
	OK         int            `json:"ok"`
	Failed     int            `json:"failed"`
	FirstError string         `json:"firstError,omitempty"`
	Versions   map[string]int `json:"versions"`
	SlowestMS  int64          `json:"slowestMs"`
}

func (r *report) add(version string, took time.Duration) {
	r.OK++
	r.Versions[version]++
	r.SlowestMS = max(r.SlowestMS, took.Milliseconds())
}

func (r *report) fail(text string) {
	r.Failed++
	if r.FirstError == "" {
		r.FirstError = text
	}
}

// counter is safe for use by many requests at once.
type counter struct {
	mutex  sync.Mutex
	second report
	total  report
}

func newCounter() *counter {
	return &counter{second: emptyReport("second"), total: emptyReport("total")}
}

func emptyReport(kind string) report { return report{Kind: kind, Versions: map[string]int{}} }

func (c *counter) succeeded(version string, took time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.second.add(version, took)
	c.total.add(version, took)
}

func (c *counter) failed(text string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.second.fail(text)
	c.total.fail(text)
}

func (c *counter) printSecond() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	printLine(c.second)
	c.second = emptyReport("second")
}

func (c *counter) printTotal(took time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.total.Seconds = took.Seconds()
	printLine(c.total)
}

func printLine(line report) {
	line.Time = time.Now().UTC().Format(time.RFC3339)
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		log.Print(err)
	}
}
