# The images of the test bed. Each is made from a folder, kept as an OCI layout in the cache under a key of
# what went into it, and pushed from there into the registry of each new cluster.
# shellcheck shell=bash

# Those that `up` pushes when they are cached already; the rest are made when first asked for.
IMAGES=(pause busybox git-base crane kaniko trivy cosign traffic sample-base sample-base-vulnerable)

# For each image: recipe_NAME fills the folder $1, and options_NAME prints what `image build` is told.
recipe_pause() { install -D "$(tool pause)" "$1/pause"; }
options_pause() { echo --entrypoint=/pause --user=65535:65535; }

recipe_busybox() {
  install -D /bin/busybox "$1/bin/busybox"
  local applet
  for applet in $(/bin/busybox --list); do
    [[ $applet == busybox ]] || ln -s busybox "$1/bin/$applet"
  done
  user_files "$1"
}
options_busybox() { echo --env=PATH=/bin; }

recipe_sample-base() { install -D "$(tool sample)" "$1/app/sample"; }
options_sample-base() { echo --entrypoint=/app/sample --workdir=/; }

# The same server, with a library of known vulnerabilities linked in, for the scan that must fail.
recipe_sample-base-vulnerable() { install -D "$(tool vulnerable)" "$1/app/sample"; }
options_sample-base-vulnerable() { options_sample-base; }

recipe_traffic() { static_tool traffic "$1"; }
options_traffic() { echo --entrypoint=/traffic --user=65532:65532; }

recipe_crane() { static_tool crane "$1"; }
options_crane() { echo --entrypoint=/crane --user=65532:65532 --env=HOME=/tmp; }

recipe_trivy() { static_tool trivy "$1"; }
options_trivy() { echo --entrypoint=/trivy --user=65532:65532 --env=HOME=/tmp; }

# With every key management service that cosign can ask: their clients are linked in.
recipe_cosign() { static_tool cosign "$1"; }
options_cosign() { echo --entrypoint=/cosign --user=65532:65532 --env=HOME=/tmp; }

# Kaniko builds in its own root file system: it keeps what is below /kaniko and replaces the rest.
recipe_kaniko() {
  install -D "$(tool kaniko)" "$1/kaniko/executor"
  install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$1/kaniko/ssl/certs/ca-certificates.crt"
  mkdir -p "$1/kaniko/.docker" "$1/workspace"
  chmod 777 "$1/kaniko"
  user_files "$1"
}
options_kaniko() {
  echo --entrypoint=/kaniko/executor --workdir=/workspace --user=0:0 --env=HOME=/root --env=USER=root \
    --env=PATH=/usr/local/bin:/kaniko --env=SSL_CERT_DIR=/kaniko/ssl/certs --env=DOCKER_CONFIG=/kaniko/.docker/
}

# Git and an SSH client as Debian ships them, with the shared libraries that they name, and crane. Libraries lie
# where the loader looks for them, in real folders: an image on top may add to /lib and /usr/lib freely. Git's
# submodules are a shell script, which is why there is a shell.
recipe_git-base() {
  local program
  for program in /usr/bin/git /usr/bin/ssh /usr/lib/git-core/git-remote-http; do
    with_libraries "$program" "$1"
  done
  ln -s git-remote-http "$1/usr/lib/git-core/git-remote-https"
  ln -s ../../bin/git "$1/usr/lib/git-core/git"
  cp -R --parents /usr/share/git-core/templates "$1"
  cp --parents /usr/lib/git-core/{git-submodule,git-sh-setup,git-sh-i18n} "$1"
  install -D /bin/busybox "$1/bin/busybox"
  for program in sh sed basename uname; do
    ln -s busybox "$1/bin/$program"
  done
  install -D "$(tool crane)" "$1/usr/local/bin/crane"
  user_files "$1"
}
options_git-base() {
  echo --entrypoint=/usr/bin/git --user=65532:65532 --env=HOME=/tmp --env=PATH=/usr/local/bin:/usr/bin:/bin \
    --env=GIT_TERMINAL_PROMPT=0
}

# base_of NAME: the image that it stands on.
base_of() {
  case $1 in
    sample-base*) echo busybox ;;
  esac
}

static_tool() {
  install -D "$(tool "$1")" "$2/$1"
  user_files "$2"
}

# with_libraries PROGRAM FOLDER
with_libraries() {
  local file
  { echo "$1" && ldd "$1" | grep -o '/[^ )]*'; } | while read -r file; do
    install -D -m "$(stat -L -c %a "$file")" "$file" "$2$file"
  done
}

# What every image has: users, a place for temporary files, authorities to trust, names by DNS.
user_files() {
  mkdir -p "$1/etc/ssl/certs" "$1/tmp" "$1/root"
  chmod 1777 "$1/tmp"
  printf '%s\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534:nobody:/:/bin/false \
    nonroot:x:65532:65532:nonroot:/tmp:/bin/false >"$1/etc/passwd"
  printf '%s\n' root:x:0: nogroup:x:65534: nonroot:x:65532: >"$1/etc/group"
  echo 'hosts: files dns' >"$1/etc/nsswitch.conf"
  install -m 644 /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/ca-certificates.crt"
}

# The key of an image: its recipe, the tools and the packages that the recipe takes from.
image_key() {
  local base name=$1
  base=$(base_of "$name")
  {
    declare -f "recipe_$name" "options_$name" static_tool user_files with_libraries
    tool_path image
    for name in $(declare -f "recipe_$name" | grep -oP '(static_tool|tool) \K[a-z]+'); do
      tool_path "$name"
    done
    dpkg-query -W -f '${Package} ${Version}\n' busybox-static git openssh-client ca-certificates libc6 2>/dev/null
    [[ -z $base ]] || image_key "$base"
  } | sha256sum | cut -c1-16
}

image_layout() { echo "$CACHE/images/$1-$(image_key "$1")"; }

# ensure_image NAME: prints the layout, made now if it was not yet.
ensure_image() {
  declare -F "recipe_$1" >/dev/null || die "there is no image named '$1'; there are ${IMAGES[*]}"
  local layout base options folder
  layout=$(image_layout "$1")
  if [[ ! -d $layout ]]; then
    say "making the image $1"
    base=$(base_of "$1")
    [[ -z $base ]] || base=$(ensure_image "$base")
    folder=$(mktemp -d)
    (umask 022 && "recipe_$1" "$folder")
    read -ra options < <("options_$1")
    build_layout "$folder" "$layout" "$base" "${options[@]}"
    rm -rf "$folder"
  fi
  echo "$layout"
}

# build_layout FOLDER LAYOUT BASE-LAYOUT OPTION...: moved into place only when it is whole.
build_layout() {
  local folder=$1 layout=$2 base=$3 partial
  shift 3
  mkdir -p "$CACHE/images"
  partial=$(mktemp -d "$CACHE/images/.partial.XXXXXX")
  chmod 755 "$folder" "$partial"
  "$(tool image)" build --root "$folder" --out "$partial" ${base:+--base "$base"} "$@" >&2
  mv -T "$partial" "$layout" 2>/dev/null || rm -rf "$partial"
  prune "$CACHE/images" "$(basename "${layout%-*}")"
}

# Where images are pushed to: our own registry by address, because it is needed before DNS is.
registry_address() {
  if [[ -n $EXTERNAL ]]; then echo "$REGISTRY"; else echo "$NODE_IP:5000"; fi
}

# push_layout LAYOUT REPOSITORY:TAG prints the reference by digest.
push_layout() {
  local digest
  digest=$(inside "$(tool image)" push --layout "$1" --to "$(registry_address)/$2")
  echo "$REGISTRY/${2%:*}@$digest"
}

# push_image NAME: the reference by digest; the image also gets the tag 1.
push_image() {
  local layout
  layout=$(ensure_image "$1")
  case $1 in
    sample-base-vulnerable) push_layout "$layout" slipway/sample-base:vulnerable ;;
    *) push_layout "$layout" "slipway/$1:1" ;;
  esac
}

# What `up` does: the base images always, the others where an earlier cluster has made them.
push_images() {
  local name
  push_image busybox >/dev/null
  for name in "${IMAGES[@]}"; do
    [[ ! -d $(image_layout "$name") ]] || push_image "$name" >/dev/null
  done
  # The database is dated by its making: one that is there stays, so that its digest does.
  if [[ -x $(tool_path trivydb) ]] && ! answers "http://$NODE_IP:5000/v2/trivy-db/tags/list"; then
    push_database >/dev/null
  fi
}

# image_reference NAME: the command `image`.
image_reference() {
  registry_runs
  case $1 in
    trivy-db) push_database ;;
    *) push_image "$1" ;;
  esac
}

registry_runs() {
  [[ -z $EXTERNAL ]] || return 0
  if ! ground_stands || ! part_works registry; then
    die 'the registry does not run: start it with hack/cluster up'
  fi
}

# Trivy's databases, as the artifacts that it pulls: prints the reference of the vulnerabilities. They are of now, or
# of $DATABASE_TIME; with any $DATABASE_LATER they know one more, that every Go program has.
push_database() {
  local program
  program=$(tool trivydb)
  inside "$program" --registry "$(registry_address)" --updated "${DATABASE_TIME:-}" ${DATABASE_LATER:+--later} >&2
  echo "$REGISTRY/trivy-db:2"
}

# image_from NAME FOLDER ENTRYPOINT [--user USER] [--base IMAGE] [--env NAME=VALUE]...: an image of a folder.
# The key is the folder's content, so the same content is not packed twice.
image_from() {
  (($# >= 3)) || die 'usage: hack/cluster image-from NAME FOLDER ENTRYPOINT [--user USER] [--base IMAGE] [--env NAME=VALUE]...'
  local name=$1 folder=$2 base='' key layout options=(--entrypoint "$3")
  shift 3
  [[ -d $folder ]] || die "$folder is not a folder"
  while (($#)); do
    case $1 in
      --base) base=$(ensure_image "$2") ;;
      --user | --env | --workdir) options+=("$1" "$2") ;;
      *) die "image-from has no option $1" ;;
    esac
    shift 2
  done
  registry_runs
  key=$({
    printf '%s\n' "$base" "${options[@]}" "$(tool_path image)"
    tar -C "$folder" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - .
  } | sha256sum | cut -c1-16)
  layout=$CACHE/images/$name-$key
  [[ -d $layout ]] || build_layout "$folder" "$layout" "$base" "${options[@]}"
  push_layout "$layout" "slipway/$name:1"
}
