# The Debian packages that the test bed runs on, installed only where they are missing.
# shellcheck shell=bash

# What is looked for, and the package that has it.
PACKAGES=(
  containerd:containerd
  runc:runc
  /usr/lib/cni/bridge:containernetworking-plugins
  conntrack:conntrack
  socat:socat
  iptables:iptables
  ip:iproute2
  docker-registry:docker-registry
  /bin/busybox:busybox-static
  git:git
  ssh:openssh-client
  /usr/sbin/sshd:openssh-server
  /etc/ssl/certs/ca-certificates.crt:ca-certificates
  openssl:openssl
  jq:jq
  curl:curl
  nsenter:util-linux
)

missing_packages() {
  local entry
  for entry in "${PACKAGES[@]}"; do
    command -v "${entry%%:*}" >/dev/null || [[ -e ${entry%%:*} ]] || echo "${entry##*:}"
  done
}

ensure_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || unable "it lacks ${missing[*]} and has no apt-get to install them"
  say "installing ${missing[*]}"
  with_services_held install_packages "${missing[@]}"
}

install_packages() {
  local log
  log=$(mktemp)
  {
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
  } </dev/null >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "apt-get could not install $*"
  }
  rm -f "$log"
  ! ground_stands || make_users
}

# Some of the packages bring a service that their installation starts. The cluster runs its own copies,
# so the start is refused for the time of the installation only.
with_services_held() {
  local policy=/usr/sbin/policy-rc.d held='' status=0
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    held=1
  fi
  ("$@") || status=$?
  [[ -z $held ]] || rm -f "$policy"
  return "$status"
}
