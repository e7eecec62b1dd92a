# The programs that make up the cluster: how each is started, and how it shows that it works.
# shellcheck shell=bash

# In the order of their start; the order of their end is the reverse.
PARTS=(etcd apiserver containerd registry private git ssh dns controllers scheduler kubelet proxy)

# Started only when it is asked for, and kept running from then on.
DEMANDED_PARTS=(forge targets prometheus)

# parts_here: those that belong to this cluster so far.
parts_here() {
  local part
  printf '%s\n' "${PARTS[@]}"
  for part in "${DEMANDED_PARTS[@]}"; do
    [[ ! -e $STATE/$part ]] || echo "$part"
  done
}

# The names that `hyperkube` goes by, and the tools for a person at the shell.
link_programs() {
  mkdir -p "$STATE/bin"
  local hyperkube name
  hyperkube=$(tool hyperkube)
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
    ln -sfn "$hyperkube" "$STATE/bin/$name"
  done
  for name in coredns githttp image crane; do
    ln -sfn "$(tool "$name")" "$STATE/bin/$name"
  done
  # Costly to build and not needed to start: linked when something else has made them.
  for name in trivy trivydb cosign; do
    [[ ! -x $(tool_path "$name") ]] || ln -sfn "$(tool_path "$name")" "$STATE/bin/$name"
  done
}

start_etcd() {
  # Nothing here has to outlive the machine, so no write waits for the disk.
  start_program etcd "$STATE/bin/etcd" --data-dir "$STATE/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380
}

start_apiserver() {
  # The node's name is not in any DNS that the API server asks: logs and exec go to its address.
  start_program apiserver "$STATE/bin/kube-apiserver" --etcd-servers http://127.0.0.1:2379 \
    --bind-address "$NODE_IP" --advertise-address "$NODE_IP" --secure-port 6443 \
    --tls-cert-file "$PKI/apiserver.crt" --tls-private-key-file "$PKI/apiserver.key" --client-ca-file "$PKI/ca.crt" \
    --service-account-issuer https://kubernetes.default.svc \
    --service-account-key-file "$PKI/sa.pub" --service-account-signing-key-file "$PKI/sa.key" \
    --service-cluster-ip-range "$SERVICE_CIDR" --allow-privileged=true \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
    --kubelet-client-certificate "$PKI/kubelet-client.crt" --kubelet-client-key "$PKI/kubelet-client.key" \
    --kubelet-preferred-address-types InternalIP \
    --audit-policy-file "$CONFIG/audit-policy.yaml" --audit-log-path "$LOGS/audit.log" \
    --audit-log-maxsize 200 --audit-log-maxbackup 4
}

start_controllers() {
  start_program controllers "$STATE/bin/kube-controller-manager" --kubeconfig "$PKI/controllers.kubeconfig" \
    --authentication-kubeconfig "$PKI/controllers.kubeconfig" --authorization-kubeconfig "$PKI/controllers.kubeconfig" \
    --service-account-private-key-file "$PKI/sa.key" --root-ca-file "$PKI/ca.crt" \
    --use-service-account-credentials --leader-elect=false \
    --horizontal-pod-autoscaler-sync-period 3s
}

start_scheduler() {
  start_program scheduler "$STATE/bin/kube-scheduler" --kubeconfig "$PKI/scheduler.kubeconfig" \
    --authentication-kubeconfig "$PKI/scheduler.kubeconfig" --authorization-kubeconfig "$PKI/scheduler.kubeconfig" \
    --leader-elect=false
}

start_containerd() { start_program containerd containerd --config "$CONFIG/containerd.toml"; }

start_registry() { start_program registry docker-registry serve "$CONFIG/registry.yaml"; }

start_private() { start_program private docker-registry serve "$CONFIG/private-registry.yaml"; }

start_git() {
  start_program git "$STATE/bin/githttp" --listen "$NODE_IP:8090" --root "$STATE/git" \
    --user "$GIT_USER" --password "$GIT_PASSWORD" \
    --listen-tls "$NODE_IP:${GIT_TLS_URL##*:}" --certificate "$PKI/git.crt" --key "$PKI/git.key"
}

start_ssh() { start_program ssh /usr/sbin/sshd -D -e -f "$SSH/sshd_config"; }

start_dns() { start_program dns "$STATE/bin/coredns" -conf "$CONFIG/Corefile"; }

start_kubelet() {
  start_program kubelet "$STATE/bin/kubelet" --config "$CONFIG/kubelet.yaml" --kubeconfig "$PKI/kubelet.kubeconfig" \
    --hostname-override "$NODE" --node-ip "$NODE_IP" --cert-dir "$PKI"
}

start_proxy() {
  start_program proxy "$STATE/bin/kube-proxy" --kubeconfig "$PKI/proxy.kubeconfig" --proxy-mode iptables \
    --cluster-cidr "$POD_CIDR" --hostname-override "$NODE" --conntrack-max-per-core 0
}

# part_works PART: asks the program itself.
part_works() {
  case $1 in
    etcd) answers http://127.0.0.1:2379/health ;;
    apiserver) answers "https://$NODE_IP:6443/readyz" ;;
    controllers) answers https://127.0.0.1:10257/healthz ;;
    scheduler) answers https://127.0.0.1:10259/healthz ;;
    containerd) runtime_answers ;;
    registry) answers "http://$NODE_IP:5000/v2/" ;;
    private) [[ $(inside curl --silent --cacert "$PKI/ca.crt" --noproxy '*' --max-time 3 --output /dev/null \
      --write-out '%{http_code}' "https://$NODE_IP:${PRIVATE_REGISTRY#*:}/v2/") == 401 ]] ;;
    git) answers "http://$NODE_IP:8090/healthz" && answers "https://$NODE_IP:${GIT_TLS_URL##*:}/healthz" ;;
    ssh) inside ssh-keyscan -T 3 -p "${GIT_SSH_URL##*:}" "$NODE_IP" | grep -q "$(cut -d' ' -f2 "$SSH/host.pub")" ;;
    forge) answers "http://$NODE_IP:${FORGE_URL##*:}/api/healthz" ;;
    targets) answers "http://$TARGETS/" ;;
    prometheus) answers "http://$NODE_IP:${PROMETHEUS_URL##*:}/-/ready" ;;
    dns) answers "http://$NODE_IP:8181/ready" ;;
    kubelet) answers http://127.0.0.1:10248/healthz ;;
    proxy) answers http://127.0.0.1:10256/healthz ;;
  esac >/dev/null 2>&1
}

# The certificates are of the cluster's own authority, and the question is only whether it answers.
answers() { inside curl --silent --fail --insecure --noproxy '*' --max-time 3 --output /dev/null "$1"; }

# containerd listens before its CRI service is initialized, and a kubelet that asks it then ends. So it is asked
# what the kubelet asks first: runtime.v1.RuntimeService/Version, with an empty message in gRPC's framing.
runtime_answers() {
  printf '\0\0\0\0\0' | inside curl --silent --http2-prior-knowledge --noproxy '*' --max-time 3 \
    --unix-socket "$CONTAINERD_SOCKET" --header 'content-type: application/grpc' --header 'te: trailers' \
    --data-binary @- --output /dev/null --dump-header - http://cri/runtime.v1.RuntimeService/Version |
    grep -qi '^grpc-status: 0'
}

known_part() {
  local part here
  mapfile -t here < <(parts_here)
  for part in "${here[@]}"; do
    [[ $part != "$1" ]] || return 0
  done
  die "there is no part named '$1'; there are ${here[*]}"
}

# ensure_part PART: starts it where it does not run.
ensure_part() { part_pid "$1" >/dev/null || "start_$1"; }

# await_part PART SECONDS: works, or its log is shown.
await_part() {
  local start=$SECONDS
  until part_works "$1"; do
    if ! part_pid "$1" >/dev/null || ((SECONDS - start >= $2)); then
      log_tail "$1"
      die "$1 does not come up"
    fi
    sleep 0.2
  done
}
