// Command targets tells a Prometheus which pods to read: Debian's is built without its own discovery of a
// cluster. GET / answers, in the form of http_sd_configs, every running pod that has the annotation
// prometheus.io/scrape: "true", at the port that prometheus.io/port says, with the labels namespace and pod.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9091", "address to serve on")
	server := flag.String("server", "", "address of the API server: https://HOST:PORT")
	authority := flag.String("authority", "", "file of the certificate that it is trusted by")
	certificate := flag.String("certificate", "", "file of the client's certificate")
	key := flag.String("key", "", "file of the certificate's key")
	flag.Parse()

	client, err := newClient(*authority, *certificate, *key)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(*listen, handler(client, *server+"/api/v1/pods")))
}

func newClient(authority, certificate, key string) (*http.Client, error) {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New(authority + " holds no certificate")
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}}
	return &http.Client{Transport: transport, Timeout: 5 * time.Second}, nil
}

// handler asks for the pods at each request. What goes wrong is the answer's status, so that Prometheus keeps
// the targets that it has.
func handler(client *http.Client, pods string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		groups, err := ask(client, pods)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(groups)
	})
}

type group struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

type podList struct {
	Items []struct {
		Metadata struct {
			Namespace, Name string
			Annotations     map[string]string
		}
		Status struct {
			Phase string
			PodIP string `json:"podIP"`
		}
	}
}

func ask(client *http.Client, pods string) ([]group, error) {
	response, err := client.Get(pods)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", pods, response.Status)
	}
	return groups(response.Body)
}

func groups(body io.Reader) ([]group, error) {
	var list podList
	if err := json.NewDecoder(body).Decode(&list); err != nil {
		return nil, err
	}
	found := []group{}
	for _, pod := range list.Items {
		notes, port := pod.Metadata.Annotations, pod.Metadata.Annotations["prometheus.io/port"]
		if notes["prometheus.io/scrape"] != "true" || port == "" || pod.Status.Phase != "Running" || pod.Status.PodIP == "" {
			continue
		}
		found = append(found, group{Targets: []string{net.JoinHostPort(pod.Status.PodIP, port)},
			Labels: map[string]string{"namespace": pod.Metadata.Namespace, "pod": pod.Metadata.Name}})
	}
	return found, nil
}
