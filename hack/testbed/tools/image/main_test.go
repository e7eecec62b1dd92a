package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The digest says what is in an image, not when or in which folder it was made.
func TestSameContentSameDigest(t *testing.T) {
	first, second := buildOnce(t, "content"), buildOnce(t, "content")
	if first != second {
		t.Errorf("%s and %s", first, second)
	}
	if other := buildOnce(t, "other"); other == first {
		t.Errorf("another content has the same digest")
	}
}

func buildOnce(t *testing.T, content string) string {
	t.Helper()
	root, out := t.TempDir(), filepath.Join(t.TempDir(), "layout")
	file := filepath.Join(root, "bin", "tool")
	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(t, os.WriteFile(file, []byte(content), 0o755))
	must(t, os.Symlink("tool", filepath.Join(root, "bin", "alias")))
	must(t, os.Chtimes(file, time.Now(), time.Now().Add(-time.Duration(len(out))*time.Hour)))
	must(t, run([]string{"build", "--root", root, "--out", out, "--entrypoint", "/bin/tool", "--user", "1"}))
	image, err := open(out)
	must(t, err)
	digest, err := image.Digest()
	must(t, err)
	return digest.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
