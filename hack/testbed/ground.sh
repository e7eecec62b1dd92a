# What the cluster stands on: a network namespace, a mount namespace and a cgroup of its own. What lives
# in them can be told from everything else on the machine, and ends with them.
# shellcheck shell=bash

# Folders that the kubelet, containerd and the network plugins use whatever they are told. Inside the
# mount namespace they lie in the state folder.
FIXED_FOLDERS=(/var/lib/kubelet /var/log/containers /var/lib/cni /run/containerd /run/sshd)

# The user that git over SSH and the forge run as. It is known inside the mount namespace only.
GIT_UID=30100

# inside COMMAND...: runs a command in the cluster's namespaces. (`ip netns exec` would mount a new /sys,
# and the kubelet would no longer see the cgroups.) What hack/cluster exec runs, as the tests, is there already.
inside() {
  if [[ -n $EXTERNAL || -n ${SLIPWAY_INSIDE:-} ]]; then
    "$@"
  else
    "${WITHOUT_PROXY[@]}" nsenter --net="$NETNS" --mount="$MOUNTNS" -- "$@"
  fi
}

# Tries what the cluster needs, because neither a version nor a capability list tells it.
check_abilities() {
  unshare --mount --net true 2>/dev/null || unable 'it may not make namespaces (CAP_SYS_ADMIN)'
  unshare --net sh -c 'ip link add name br0 type bridge && ip link add name veth0 type veth peer name veth1' 2>/dev/null ||
    unable 'its kernel has no bridge or veth devices, or they may not be made (CAP_NET_ADMIN)'
  unshare --net iptables -t nat -L >/dev/null 2>&1 || unable 'its kernel has no netfilter NAT'
  local folder
  folder=$(mktemp -d "$STATE/try.XXXXXX")
  mkdir "$folder/lower" "$folder/upper" "$folder/work" "$folder/merged"
  unshare --mount mount -t overlay none "$folder/merged" \
    -o "lowerdir=$folder/lower,upperdir=$folder/upper,workdir=$folder/work" 2>/dev/null || {
    rm -rf "$folder"
    unable "overlayfs does not work below $STATE"
  }
  rm -rf "$folder"
  make_cgroups 2>/dev/null || unable 'cgroups may not be made below /sys/fs/cgroup'
}

# Whether the namespaces are those of this boot, and were finished.
ground_stands() {
  [[ -z ${SLIPWAY_INSIDE:-} ]] || return 0
  [[ -e $NETNS && -e ${MOUNTNS%/*}/finished && -e $MOUNTNS && $(stat -f -c %T "$MOUNTNS") == nsfs ]]
}

make_ground() {
  ground_stands || {
    make_network
    make_mounts
  }
  make_users
  make_cgroups
}

make_network() {
  [[ -e $NETNS ]] || ip netns add "$NAME"
  ip -n "$NAME" link set lo up
  # The node's address is on a bridge: not every kernel has dummy devices. The default route makes
  # addresses of services routable until kube-proxy rewrites them.
  ip -n "$NAME" link add name node type bridge
  ip -n "$NAME" address add "$NODE_IP/24" dev node
  ip -n "$NAME" link set node up
  ip -n "$NAME" route add default via "${NODE_IP%.*}.254" dev node
  nsenter --net="$NETNS" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.route_localnet=1
  # Where bridged packets can pass iptables they must, or a pod can't reach itself through a service.
  nsenter --net="$NETNS" sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null || true
}

# Mounts of the host stay visible inside, mounts made inside stay inside: all of them go with the
# namespace. The namespace is kept by a file, which must lie on a private mount.
make_mounts() {
  mkdir -p "${MOUNTNS%/*}"
  mount --bind "${MOUNTNS%/*}" "${MOUNTNS%/*}"
  mount --make-private "${MOUNTNS%/*}"
  touch "$MOUNTNS"
  unshare --mount="$MOUNTNS" --propagation slave mount --make-rshared /

  echo "nameserver $NODE_IP" >"$STATE/pod-resolv.conf"
  printf 'nameserver %s\nsearch svc.cluster.local cluster.local\noptions ndots:2\n' "$NODE_IP" >"$STATE/resolv.conf"
  inside mount --bind "$STATE/resolv.conf" /etc/resolv.conf
  local folder
  for folder in "${FIXED_FOLDERS[@]}"; do
    [[ -d $folder ]] || { mkdir -p "$folder" && echo "$folder" >>"$STATE/made-folders"; }
    mkdir -p "$STATE/fixed$folder"
    inside mount --bind "$STATE/fixed$folder" "$folder"
  done
  touch "${MOUNTNS%/*}/finished"
}

# No password fits `*`, and unlike `!` it does not lock the user out of SSH. The host's own file, renamed into
# the place of one that is mounted on here, takes the mount away: a package that makes a user does that.
make_users() {
  ! inside grep -q '^git:' /etc/passwd || ! inside grep -q '^git:' /etc/group || return 0
  { grep -v '^git:' /etc/passwd && echo "git:*:$GIT_UID:$GIT_UID:git:$STATE/git:/bin/sh"; } >"$STATE/passwd"
  { grep -v '^git:' /etc/group && echo "git:x:$GIT_UID:"; } >"$STATE/group"
  inside mount --bind "$STATE/passwd" /etc/passwd
  inside mount --bind "$STATE/group" /etc/group
}

# Version 1 of cgroups has a hierarchy for each controller, version 2 has one for all.
cgroup_v2() { [[ -f /sys/fs/cgroup/cgroup.controllers ]]; }

cgroup_roots() {
  local hierarchy
  if cgroup_v2; then
    echo "/sys/fs/cgroup/$NAME"
    return
  fi
  for hierarchy in /sys/fs/cgroup/*/; do
    [[ -L ${hierarchy%/} ]] || echo "$hierarchy$NAME"
  done
}

# The one in which the cluster's own programs are counted, beside the kubelet's tree of pods.
process_cgroup() {
  if cgroup_v2; then
    echo "/sys/fs/cgroup/$NAME/system"
  else
    echo "/sys/fs/cgroup/pids/$NAME/system"
  fi
}

make_cgroups() {
  local root entry
  while read -r root; do
    mkdir -p "$root"
    if cgroup_v2; then
      for entry in $(<"$root/cgroup.controllers"); do
        echo "+$entry" >"$root/cgroup.subtree_control" || true
      done
    elif [[ -f $root/cpuset.cpus && -z $(<"$root/cpuset.cpus") ]]; then
      # A cpuset without CPUs or memory refuses every process.
      for entry in cpuset.cpus cpuset.mems; do
        cat "${root%/*}/$entry" >"$root/$entry"
      done
    fi
  done < <(cgroup_roots)
  mkdir -p "$(process_cgroup)"
}

# Every process in the cluster's cgroups: its programs, containerd's shims, and the containers.
cgroup_processes() {
  local root
  cgroup_roots | while read -r root; do
    [[ ! -d $root ]] || find "$root" -name cgroup.procs -exec cat {} + 2>/dev/null
  done | sort -nu
}

remove_ground() {
  end_cgroup_processes
  umount "$MOUNTNS" 2>/dev/null || true
  umount "${MOUNTNS%/*}" 2>/dev/null || true
  unmount_state
  [[ ! -e $NETNS ]] || ip netns delete "$NAME"
  local root folder
  cgroup_roots | while read -r root; do
    [[ ! -d $root ]] || find "$root" -depth -type d -exec rmdir {} + || true
  done
  # Folders of the host that were made only to be mounted over.
  if [[ -f $STATE/made-folders ]]; then
    while read -r folder; do
      rmdir --ignore-fail-on-non-empty "$folder" 2>/dev/null || true
    done <"$STATE/made-folders"
  fi
}

end_cgroup_processes() {
  local pids start=$SECONDS
  while mapfile -t pids < <(cgroup_processes) && ((${#pids[@]})); do
    ((SECONDS - start < 20)) || die "processes ${pids[*]} do not end"
    kill -KILL "${pids[@]}" 2>/dev/null || true
    sleep 0.1
  done
}

# Nothing is mounted there from the host's view, unless a namespace could not be made half way.
unmount_state() {
  local point
  awk -v state="$STATE/" 'index($5, state) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r point; do
    umount -l "$point"
  done
}
