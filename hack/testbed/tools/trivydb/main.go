// Command trivydb makes a small vulnerability database by hand and pushes it to a registry, in the form
// in which Trivy pulls its own: a scan then needs no network, and finds the same today and tomorrow.
//
// The advisories are real ones. Go's standard library is left out on purpose: a clean image stays clean
// whichever Go release compiled it. With -later it is in, and no image is clean any more.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"flag"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/aquasecurity/trivy-db/pkg/db"
	"github.com/aquasecurity/trivy-db/pkg/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	registry "github.com/google/go-containerregistry/pkg/v1/types"
	"go.etcd.io/bbolt"
	_ "modernc.org/sqlite"
)

type advisory struct {
	bucket, module, id, title string
	severity                  types.Severity
	severityName              string
	fixed                     []string // none: there is no fix yet
	vulnerable                []string
}

const goSource = "go::Slipway test bed"

var advisories = []advisory{
	{goSource, "golang.org/x/text", "CVE-2022-32149", "golang.org/x/text/language: denial of service by a crafted Accept-Language header",
		types.SeverityHigh, "HIGH", []string{"0.3.8"}, []string{"<0.3.8"}},
	{goSource, "golang.org/x/text", "CVE-2021-38561", "golang.org/x/text/language: out-of-bounds read in tag parsing",
		types.SeverityHigh, "HIGH", []string{"0.3.7"}, []string{"<0.3.7"}},
	{goSource, "golang.org/x/text", "CVE-2020-28852", "golang.org/x/text/language: panic while processing a -u- extension",
		types.SeverityMedium, "MEDIUM", []string{"0.3.5"}, []string{"<0.3.5"}},
	// Made up, and without a fix: for the difference that ignoring unfixed ones makes.
	{goSource, "golang.org/x/text", "CVE-2099-0001", "test bed: an advisory that has no fix",
		types.SeverityHigh, "HIGH", nil, []string{"<=0.3.5"}},
}

// What a later database knows beside those: made up, and of what every Go program holds.
var later = advisory{goSource, "stdlib", "CVE-2099-0002", "test bed: an advisory of a later database",
	types.SeverityHigh, "HIGH", []string{"99.0.0"}, []string{"<99.0.0"}}

func main() {
	host := flag.String("registry", "", "HOST[:PORT][/PATH] of the registry")
	updated := flag.String("updated", "", "time of the database, RFC 3339; now if empty")
	more := flag.Bool("later", false, "with one advisory more, that holds of every Go program")
	flag.Parse()
	if *more {
		advisories = append(advisories, later)
	}
	when := time.Now().UTC()
	if *updated != "" {
		var err error
		if when, err = time.Parse(time.RFC3339, *updated); err != nil {
			log.Fatal(err)
		}
	}
	if err := run(*host, when); err != nil {
		log.Fatal(err)
	}
}

func run(host string, when time.Time) error {
	folder, err := os.MkdirTemp("", "trivydb")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := writeVulnerabilities(folder); err != nil {
		return err
	}
	if err := push(host+"/trivy-db:2", "db", folder, "trivy.db", 2, when); err != nil {
		return err
	}
	if err := writeEmptyJava(folder); err != nil {
		return err
	}
	return push(host+"/trivy-java-db:1", "javadb", folder, "trivy-java.db", 1, when)
}

func writeVulnerabilities(folder string) error {
	if err := db.Init(folder); err != nil {
		return err
	}
	defer db.Close()
	config := db.Config{}
	return config.BatchUpdate(func(tx *bbolt.Tx) error {
		for _, a := range advisories {
			if err := put(config, tx, a); err != nil {
				return err
			}
		}
		return nil
	})
}

func put(config db.Config, tx *bbolt.Tx, a advisory) error {
	// By pointer: the advisory's own encoding has a pointer receiver.
	entry := &types.Advisory{VulnerableVersions: a.vulnerable, PatchedVersions: a.fixed}
	if err := config.PutAdvisory(tx, []string{a.bucket, a.module}, a.id, entry); err != nil {
		return err
	}
	detail := types.Vulnerability{Title: a.title, Severity: a.severityName,
		VendorSeverity: types.VendorSeverity{"nvd": a.severity}}
	if err := config.PutVulnerability(tx, a.id, detail); err != nil {
		return err
	}
	source := types.DataSource{ID: "slipway-testbed", Name: "Slipway test bed", URL: "https://slipway.test/"}
	return config.PutDataSource(tx, a.bucket, source)
}

// Trivy asks for this one only when an image holds Java archives.
func writeEmptyJava(folder string) error {
	base, err := sql.Open("sqlite", filepath.Join(folder, "trivy-java.db"))
	if err != nil {
		return err
	}
	defer base.Close()
	for _, table := range []string{
		"CREATE TABLE artifacts(id INTEGER PRIMARY KEY, group_id TEXT, artifact_id TEXT)",
		"CREATE TABLE indices(artifact_id INTEGER, version TEXT, sha1 BLOB, archive_type TEXT)",
	} {
		if _, err := base.Exec(table); err != nil {
			return err
		}
	}
	return nil
}

// push sends one database as the artifact that Trivy expects: one layer, whose title it looks for.
func push(to, kind, folder, file string, version int, when time.Time) error {
	content, err := pack(filepath.Join(folder, file), file, version, when)
	if err != nil {
		return err
	}
	layer := static.NewLayer(content, registry.MediaType("application/vnd.aquasec.trivy."+kind+".layer.v1.tar+gzip"))
	image, err := mutate.Append(mutate.MediaType(empty.Image, registry.OCIManifestSchema1), mutate.Addendum{
		Layer:       layer,
		MediaType:   registry.MediaType("application/vnd.aquasec.trivy." + kind + ".layer.v1.tar+gzip"),
		Annotations: map[string]string{"org.opencontainers.image.title": kind + ".tar.gz"},
	})
	if err != nil {
		return err
	}
	image = mutate.ConfigMediaType(image, "application/vnd.aquasec.trivy.config.v1+json")
	reference, err := name.ParseReference(to, name.Insecure)
	if err != nil {
		return err
	}
	return remote.Write(reference, image, remote.WithAuthFromKeychain(authn.DefaultKeychain))
}

func pack(path, name string, version int, when time.Time) ([]byte, error) {
	database, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	metadata, err := json.Marshal(map[string]any{
		"Version": version, "UpdatedAt": when, "NextUpdate": when.AddDate(1, 0, 0), "DownloadedAt": when,
	})
	if err != nil {
		return nil, err
	}
	var buffer bytes.Buffer
	compressed := gzip.NewWriter(&buffer)
	archive := tar.NewWriter(compressed)
	for _, entry := range []struct {
		name    string
		content []byte
	}{{name, database}, {"metadata.json", metadata}} {
		if err := archive.WriteHeader(&tar.Header{Name: entry.name, Mode: 0o644, Size: int64(len(entry.content))}); err != nil {
			return nil, err
		}
		if _, err := archive.Write(entry.content); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := compressed.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}
