# What every part of the test bed shares: names, places, messages, waiting. Sourced, never run.
# shellcheck shell=bash disable=SC2034  # the names are used by the other files

TESTBED=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# The cache holds what is costly to make (tools, images) and outlives a cluster; the state is one
# cluster, removed by `down`. Neither lies in the checkout.
CACHE=${SLIPWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway}
STATE=${SLIPWAY_STATE:-/var/lib/slipway-testbed}
LOCK=/run/lock/slipway-testbed.lock

# The network namespace, the cgroup and the private mounts all carry this name.
NAME=slipway
NETNS=/run/netns/$NAME
MOUNTNS=$STATE/ns/mnt

NODE=node0
NODE_IP=10.231.0.1
POD_CIDR=10.244.0.0/24
SERVICE_CIDR=10.96.0.0/16
SERVICE_IP=10.96.0.1
KUBECONFIG_ADMIN=$STATE/admin.kubeconfig

# An existing cluster in place of the test bed's, with a registry and a git server that it reaches: set by
# `hack/demo --kubeconfig`. Everything else is the same.
EXTERNAL=${SLIPWAY_KUBECONFIG:-}
REGISTRY=${SLIPWAY_REGISTRY:-registry.slipway.test:5000}
GIT_URL=${SLIPWAY_GIT:-http://git.slipway.test:8090}

# Repositories below /private/ ask for these.
GIT_USER=slipway
GIT_PASSWORD=testbed

# The same repositories over TLS by the cluster's own authority, and over SSH.
GIT_TLS_URL=https://git.slipway.test:8443
GIT_SSH_URL=ssh://git@git.slipway.test:2222

# A second registry, over TLS by the same authority, which asks for a name and a password.
PRIVATE_REGISTRY=private.slipway.test:5001
PRIVATE_USER=builder
PRIVATE_PASSWORD=private-testbed

# The forge, its administrator, and somebody who may only propose changes.
FORGE_URL=http://forge.slipway.test:3000
FORGE_OWNER=slipway
FORGE_GUEST=contributor
FORGE_PASSWORD=testbed-forge

# The Prometheus, which reads the pods that have the annotations prometheus.io/scrape and prometheus.io/port.
PROMETHEUS_URL=http://prometheus.slipway.test:9090

# A proxy of the machine leads nowhere from inside the cluster's namespace.
WITHOUT_PROXY=(env -u http_proxy -u https_proxy -u all_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY)

# Everything a person reads goes to stderr: stdout is for the one value a command was asked for.
say() { printf '[%4ds] %s\n' "$SECONDS" "$*" >&2; }

die() {
  printf 'cluster: %s\n' "$*" >&2
  exit 1
}

# The machine can't run the test bed: one sentence, and a status that callers can tell from a failure.
unable() {
  printf 'cluster: this machine cannot run the test cluster: %s; an existing cluster can be used with ./hack/demo --kubeconfig FILE\n' "$*" >&2
  rmdir "$STATE" 2>/dev/null || true
  exit 2
}

# wait_for SECONDS WHAT COMMAND...: polls until COMMAND succeeds.
wait_for() {
  local limit=$1 what=$2 start=$SECONDS
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS - start >= limit)); then
      say "$what: not within ${limit}s"
      return 1
    fi
    sleep 0.3
  done
  say "$what"
}

# with_lock COMMAND...: one change of the cluster, or one build of a tool or image, at a time.
# Commands started below must not inherit the descriptor, or the lock would live as long as they do.
with_lock() {
  if [[ ${SLIPWAY_LOCKED:-} == 1 ]]; then
    "$@"
    return
  fi
  mkdir -p "$(dirname "$LOCK")"
  exec 9>"$LOCK"
  flock -n 9 || { say "waiting for another hack/cluster to finish" && flock 9; }
  SLIPWAY_LOCKED=1
  "$@"
  SLIPWAY_LOCKED=
  exec 9>&-
}

# prune FOLDER NAME: of the cached NAME-KEY there, only the newest three are kept.
prune() {
  local old
  # shellcheck disable=SC2012  # the names are our own, and only ls sorts by time.
  ls -dt "$1/$2"-???????????????? 2>/dev/null | tail -n +4 | while read -r old; do
    rm -rf "$old"
  done
}
