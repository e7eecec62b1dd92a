# The programs of the test bed, each a Go module below tools/ pinned by its go.mod and go.sum.
# shellcheck shell=bash

# A tool is built once per content of its module and of the neighbours that it replaces a module by, this
# file's flags and the Go version.
tool_key() {
  local name=$1 folders
  mapfile -t folders < <(grep -oP '=> \.\./\K[a-z]+' "$TESTBED/tools/$name/go.mod")
  {
    tool_flags "$name"
    tool_tags "$name" | grep . || true
    go env GOVERSION GOARCH
    (cd "$TESTBED/tools" && find "$name" "${folders[@]}" -type f ! -name '*_test.go' | LC_ALL=C sort | xargs sha256sum)
  } | sha256sum | cut -c1-16
}

# The version strings that a release build would set.
tool_flags() {
  local version=k8s.io/component-base/version
  case $1 in
    cosign) echo "-X sigs.k8s.io/release-utils/version.gitVersion=v2.6.2" ;;
    gitea) echo "-X main.Version=1.24.6" ;;
    hyperkube) echo "-X $version.gitVersion=v1.34.4 -X $version.gitMajor=1 -X $version.gitMinor=34" ;;
    trivy) echo "-X github.com/aquasecurity/trivy/pkg/version/app.ver=0.65.0" ;;
    *) echo ;;
  esac
}

# The forge keeps its data in SQLite, which is C.
tool_tags() {
  case $1 in
    gitea) echo sqlite,sqlite_unlock_notify ;;
    *) echo ;;
  esac
}

# Where the tool is, or would be.
tool_path() { echo "$CACHE/tools/$1-$(tool_key "$1")/$1"; }

# tool NAME: prints the path of the tool, built now if it was not yet.
tool() {
  [[ -f $TESTBED/tools/$1/go.mod ]] || die "there is no tool named $1"
  need_go
  local path
  path=$(tool_path "$1")
  [[ -x $path ]] || build_tool "$1" "$path"
  echo "$path"
}

need_go() {
  command -v go >/dev/null || unable "it lacks Go, which builds the cluster's programs"
}

# A module without sources of its own names an upstream command in its `tool` line.
build_tool() {
  local name=$1 path=$2 package=tool start=$SECONDS folder
  [[ ! -f $TESTBED/tools/$name/main.go ]] || package=.
  mkdir -p "$CACHE/tools"
  folder=$(mktemp -d "$CACHE/tools/.$name.XXXXXX")
  say "building $name"
  compile "$name" "$package" "$folder" &
  local compiler=$!
  while kill -0 "$compiler" 2>/dev/null; do
    sleep 0.2
    (((SECONDS - start) % 30 != 29)) || { say "building $name: $((SECONDS - start))s" && sleep 1; }
  done
  if ! wait "$compiler"; then
    tail -n 20 "$folder/log" >&2
    rm -rf "$folder"
    die "$name could not be built"
  fi
  rm -f "$folder/log"
  chmod 755 "$folder"
  # Atomic: whoever finds the folder finds it whole. If another build was first, its result stays.
  mv -T "$folder" "$(dirname "$path")" 2>/dev/null || rm -rf "$folder"
  prune "$CACHE/tools" "$name"
  say "built $name in $((SECONDS - start))s"
}

# Static, so that the same binary runs on this machine and in an image of its own; one with tags needs C.
compile() {
  local name=$1 package=$2 folder=$3 tags cgo=0
  tags=$(tool_tags "$name")
  [[ -z $tags ]] || cgo=1
  cd "$TESTBED/tools/$name" || return
  {
    CGO_ENABLED=$cgo GOFLAGS='-mod=readonly -buildvcs=false' nice -n 5 go build -trimpath -tags "$tags" \
      -ldflags "-s -w $(tool_flags "$name")" -o "$folder/$name" "$package" &&
      tool_files "$name" "$folder"
  } >"$folder/log" 2>&1
}

# tool_files NAME FOLDER: what the program reads while it runs, beside it.
tool_files() {
  local module
  case $1 in
    gitea)
      module=$(GOFLAGS=-mod=readonly go list -m -f '{{.Dir}}' code.gitea.io/gitea)
      mkdir "$2/static"
      cp -R "$module/templates" "$module/options" "$module/public" "$2/static"
      chmod -R u+w,a+rX "$2/static"
      ;;
  esac
}
