// Command githttp serves the bare repositories below a folder over git's smart HTTP protocol, to
// clone and to push. Repositories below /private/ ask for basic authentication. With a certificate it
// serves the same over TLS, on an address of its own.
//
// It wraps `git http-backend`, so what it speaks is git's own. Every repository allows a fetch of any
// reachable commit by its SHA, because builds name commits and not branches.
package main

import (
	"bytes"
	"crypto/subtle"
	"flag"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const privatePrefix = "/private/"

// The settings that every repository gets, so that none needs a configuration of its own.
var repositorySettings = []string{
	"http.receivepack=true",
	"uploadpack.allowAnySHA1InWant=true",
	"uploadpack.allowReachableSHA1InWant=true",
	"uploadpack.allowFilter=true",
	"safe.directory=*",
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address to serve on")
	root := flag.String("root", ".", "folder of the bare repositories")
	user := flag.String("user", "", "user name for "+privatePrefix)
	password := flag.String("password", "", "password for "+privatePrefix)
	listenTLS := flag.String("listen-tls", "", "address to serve on over TLS")
	certificate := flag.String("certificate", "", "file of the certificate")
	key := flag.String("key", "", "file of the certificate's key")
	flag.Parse()

	git, err := exec.LookPath("git")
	if err != nil {
		log.Fatal(err)
	}
	folder, err := filepath.Abs(*root)
	if err != nil {
		log.Fatal(err)
	}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: environment(folder)}

	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.Handle(privatePrefix, authenticated(*user, *password, wholeBody(backend)))
	mux.Handle("/", wholeBody(backend))
	ended := make(chan error, 2)
	if *listenTLS != "" {
		go func() { ended <- server(*listenTLS, mux).ListenAndServeTLS(*certificate, *key) }()
	}
	go func() { ended <- server(*listen, mux).ListenAndServe() }()
	log.Fatal(<-ended)
}

func server(address string, handler http.Handler) *http.Server {
	return &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
}

func environment(root string) []string {
	env := []string{
		"GIT_PROJECT_ROOT=" + root,
		"GIT_HTTP_EXPORT_ALL=1",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_COUNT=" + strconv.Itoa(len(repositorySettings)),
	}
	for i, setting := range repositorySettings {
		key, value, _ := strings.Cut(setting, "=")
		n := strconv.Itoa(i)
		env = append(env, "GIT_CONFIG_KEY_"+n+"="+key, "GIT_CONFIG_VALUE_"+n+"="+value)
	}
	return env
}

// authenticated passes on only requests that carry the user's name and password.
func authenticated(user, password string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, secret, ok := r.BasicAuth()
		right := ok && user != "" &&
			subtle.ConstantTimeCompare([]byte(name), []byte(user)) == 1 &&
			subtle.ConstantTimeCompare([]byte(secret), []byte(password)) == 1
		if !right {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "authentication required", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// wholeBody reads a chunked body to its end first: git sends a large push in chunks, and CGI needs a
// length.
func wholeBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength < 0 {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 256<<20))
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			r.ContentLength = int64(len(body))
			r.TransferEncoding = nil
		}
		next.ServeHTTP(w, r)
	})
}
