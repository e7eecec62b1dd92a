# Bringing the cluster up, taking it down, and looking at it.
# shellcheck shell=bash

cluster_up() {
  [[ -e $STATE/run || -z $(cgroup_processes) ]] ||
    die "a cluster with another state folder than $STATE is running: set SLIPWAY_STATE as it was, or take it down"
  mkdir -p "$STATE"
  ensure_packages
  need_go
  if ! ground_stands; then
    # Whatever is left is of an earlier boot, or of a start that broke off: namespaces can't be mended.
    [[ ! -e $STATE/run && ! -e $MOUNTNS && ! -e $NETNS ]] || clear_cluster
    mkdir -p "$STATE"
    check_abilities
  fi
  link_programs
  make_ground
  make_pki
  write_config
  start_all
  push_images
  wait_for 90 'node is Ready' node_ready || {
    log_tail kubelet
    die 'the node is not Ready'
  }
  wait_for 30 'pods are admitted' service_account_made || {
    log_tail controllers
    die 'the default service account is not made'
  }
  wait_for 30 'DNS answers' dns_answers || {
    log_tail dns
    die 'DNS does not answer'
  }
}

# Each start waits only for what it needs.
start_all() {
  local part here
  mapfile -t here < <(parts_here)
  for part in etcd containerd registry private git ssh; do
    ensure_part "$part"
  done
  await_part etcd 30
  ensure_part apiserver
  await_part registry 30
  push_image pause >/dev/null
  await_part apiserver 90
  say 'API server is ready'
  await_part containerd 60
  for part in "${here[@]}"; do
    ensure_part "$part"
  done
  for part in "${here[@]}"; do
    await_part "$part" 60
  done
  say 'every part works'
}

node_ready() {
  [[ $(inside "$STATE/bin/kubectl" --kubeconfig "$KUBECONFIG_ADMIN" get node "$NODE" \
    -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]]
}

# Without it no pod is admitted to the namespace.
service_account_made() {
  inside "$STATE/bin/kubectl" --kubeconfig "$KUBECONFIG_ADMIN" get serviceaccount default
}

# Both kinds of name: one of the cluster's own, and one of a service.
dns_answers() {
  inside getent hosts "${REGISTRY%:*}" && inside getent hosts kubernetes.default.svc.cluster.local
}

cluster_down() {
  if [[ ! -e $STATE && ! -e $NETNS && -z $(cgroup_processes) ]]; then
    say 'there is no cluster'
    return
  fi
  clear_cluster
  say 'the cluster is gone'
}

# Programs end before containerd does, so that nothing starts a container again.
clear_cluster() {
  local i everything here
  mapfile -t everything < <(cgroup_processes)
  mapfile -t here < <(parts_here)
  for ((i = ${#here[@]} - 1; i >= 0; i--)); do
    end_program "${here[i]}" 3
  done
  remove_ground
  await_collected "${everything[@]}"
  # Only a folder that is plainly ours is removed, and never through a mount that is left.
  [[ $STATE == /*/* ]] || die "will not remove $STATE"
  rm -rf --one-file-system "$STATE"
}

# A killed process stays in the list until its parent, by now the first process, has collected it.
await_collected() {
  local pid start=$SECONDS
  for pid in "$@"; do
    while [[ -d /proc/$pid ]] && ((SECONDS - start < 5)); do
      sleep 0.05
    done
  done
}

cluster_status() {
  local part pid health failed=0
  printf '%-12s %-8s %s\n' PART PID HEALTH
  for part in $(parts_here); do
    if ! pid=$(part_pid "$part"); then
      pid=- health='not running'
    elif part_works "$part"; then
      health=works
    else
      health="does not answer (see $LOGS/$part.log)"
    fi
    [[ $health == works ]] || failed=1
    printf '%-12s %-8s %s\n' "$part" "$pid" "$health"
  done
  if node_ready 2>/dev/null; then health=Ready; else health='not Ready' failed=1; fi
  printf '%-12s %-8s %s\n' node - "$health"
  return "$failed"
}

# exec COMMAND...: runs it in the cluster's namespaces, in the same folder, with terminal and signals.
cluster_exec() {
  [[ -z $EXTERNAL ]] || exec_external "$@"
  ground_stands || die 'there is no cluster: start it with hack/cluster up'
  export KUBECONFIG=$KUBECONFIG_ADMIN PATH=$STATE/bin:$PATH SLIPWAY_REGISTRY=$REGISTRY SLIPWAY_GIT=$GIT_URL
  export SLIPWAY_AUDIT_LOG=$LOGS/audit.log
  [[ -z ${SLIPWAY_INSIDE:-} ]] || exec "$@"
  make_users
  export SLIPWAY_INSIDE=1
  # shellcheck disable=SC2016  # expanded by the inner shell: entering the namespace loses the folder.
  exec "${WITHOUT_PROXY[@]}" nsenter --net="$NETNS" --mount="$MOUNTNS" -- sh -c 'cd "$1" && shift && exec "$@"' sh "$PWD" "$@"
}

# The user's own kubectl, or the one of the test bed.
exec_external() {
  export KUBECONFIG=$EXTERNAL SLIPWAY_REGISTRY=$REGISTRY SLIPWAY_GIT=$GIT_URL
  if ! command -v kubectl >/dev/null; then
    mkdir -p "$CACHE/bin"
    ln -sfn "$(tool hyperkube)" "$CACHE/bin/kubectl"
    export PATH=$CACHE/bin:$PATH
  fi
  exec "$@"
}

kill_part() {
  known_part "$1"
  local pid
  pid=$(part_pid "$1") || die "$1 is not running"
  kill -KILL "$pid"
}

stop_part() {
  known_part "$1"
  end_program "$1" 10
}

start_part() {
  known_part "$1"
  ground_stands || die 'there is no cluster: start it with hack/cluster up'
  ensure_part "$1"
  await_part "$1" 60
}

restart_part() {
  stop_part "$1"
  start_part "$1"
}
