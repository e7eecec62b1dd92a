// Command image makes container images from folders, without a builder or a base-image registry.
//
//	image build --root FOLDER --out LAYOUT [--base LAYOUT] [--entrypoint ARG]... [--env K=V]... [--user U] [--workdir D]
//	image push  --layout LAYOUT --to HOST:PORT/NAME:TAG     prints the digest
//
// The same folder and options give the same digest, whenever and wherever it is built: entries are
// sorted, owned by root and dated to the epoch. Images have Docker's media types, because a build on
// top of them then keeps its digest when it passes through a tar file.
package main

import (
	"archive/tar"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("say build or push")
	}
	switch args[0] {
	case "build":
		return build(args[1:])
	case "push":
		return push(args[1:])
	}
	return fmt.Errorf("no command named %q", args[0])
}

func build(args []string) error {
	flags := flag.NewFlagSet("build", flag.ExitOnError)
	root := flags.String("root", "", "folder that becomes the root file system")
	out := flags.String("out", "", "OCI layout to write")
	base := flags.String("base", "", "OCI layout of the image below")
	user := flags.String("user", "", "user the image runs as")
	workdir := flags.String("workdir", "", "working directory")
	var entrypoint, env list
	flags.Var(&entrypoint, "entrypoint", "one word of the entrypoint")
	flags.Var(&env, "env", "one environment variable, NAME=VALUE")
	if err := flags.Parse(args); err != nil {
		return err
	}

	image, err := baseImage(*base)
	if err != nil {
		return err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return archive(*root), nil },
		tarball.WithCompressionLevel(gzip.BestSpeed), tarball.WithCompressedCaching)
	if err != nil {
		return err
	}
	if image, err = mutate.AppendLayers(image, layer); err != nil {
		return err
	}
	if image, err = configure(image, entrypoint, env, *user, *workdir); err != nil {
		return err
	}
	index, err := layout.Write(*out, empty.Index)
	if err != nil {
		return err
	}
	return index.AppendImage(image)
}

func baseImage(path string) (v1.Image, error) {
	if path == "" {
		return empty.Image, nil
	}
	return open(path)
}

// open reads the one image of a layout.
func open(path string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(path)
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) != 1 {
		return nil, fmt.Errorf("%s holds %d images, not one", path, len(manifest.Manifests))
	}
	return index.Image(manifest.Manifests[0].Digest)
}

func configure(image v1.Image, entrypoint, env []string, user, workdir string) (v1.Image, error) {
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.Architecture, file.OS = runtime.GOARCH, "linux"
	file.Created = v1.Time{Time: time.Unix(0, 0).UTC()}
	if len(entrypoint) > 0 {
		file.Config.Entrypoint, file.Config.Cmd = entrypoint, nil
	}
	file.Config.Env = append(file.Config.Env, env...)
	if user != "" {
		file.Config.User = user
	}
	if workdir != "" {
		file.Config.WorkingDir = workdir
	}
	return mutate.ConfigFile(image, file)
}

// archive streams a folder as a tar file. Walking sorts the entries.
func archive(root string) io.ReadCloser {
	reader, writer := io.Pipe()
	go func() {
		out := tar.NewWriter(writer)
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || path == root {
				return err
			}
			return addEntry(out, root, path)
		})
		if err == nil {
			err = out.Close()
		}
		writer.CloseWithError(err)
	}()
	return reader
}

func addEntry(out *tar.Writer, root, path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	target := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err = os.Readlink(path); err != nil {
			return err
		}
	}
	header, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	relative, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	// Only what the folder means is kept: not who made it or when.
	clean := tar.Header{Typeflag: header.Typeflag, Name: filepath.ToSlash(relative), Linkname: target,
		Mode: header.Mode, ModTime: time.Unix(0, 0)}
	if info.IsDir() {
		clean.Name += "/"
	}
	if info.Mode().IsRegular() {
		clean.Size = info.Size()
	}
	if err := out.WriteHeader(&clean); err != nil || !info.Mode().IsRegular() {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(out, file)
	return err
}

func push(args []string) error {
	flags := flag.NewFlagSet("push", flag.ExitOnError)
	from := flags.String("layout", "", "OCI layout to push")
	to := flags.String("to", "", "where to: HOST:PORT/NAME:TAG, over plain HTTP where it has no TLS")
	if err := flags.Parse(args); err != nil {
		return err
	}
	image, err := open(*from)
	if err != nil {
		return err
	}
	reference, err := name.ParseReference(*to, name.Insecure)
	if err != nil {
		return err
	}
	if err := remote.Write(reference, image, remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	fmt.Println(digest)
	return nil
}
