# The configuration files of the cluster's programs, written into the state folder.
# shellcheck shell=bash

CONFIG=$STATE/config
SSH=$STATE/ssh
CONTAINERD_SOCKET=/run/containerd/containerd.sock

write_config() {
  mkdir -p "$CONFIG/cni" "$CONFIG/certs.d/$REGISTRY" "$CONFIG/certs.d/$PRIVATE_REGISTRY" "$STATE/git/private" \
    "$STATE/registry" "$STATE/private-registry"
  audit_policy >"$CONFIG/audit-policy.yaml"
  containerd_config >"$CONFIG/containerd.toml"
  registry_hosts >"$CONFIG/certs.d/$REGISTRY/hosts.toml"
  private_registry_hosts >"$CONFIG/certs.d/$PRIVATE_REGISTRY/hosts.toml"
  registry_config "$STATE/registry" "$NODE_IP:5000" >"$CONFIG/registry.yaml"
  private_registry_config >"$CONFIG/private-registry.yaml"
  private_registry_users >"$CONFIG/private-registry.users"
  ssh_config
  pod_network >"$CONFIG/cni/10-slipway.conflist"
  kubelet_config >"$CONFIG/kubelet.yaml"
  dns_config >"$CONFIG/Corefile"
}

# Pods are kept whole, as they were made: a test asks of all of them, those that are gone too.
audit_policy() {
  cat <<'END'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: RequestResponse
  omitManagedFields: true
  verbs: [create]
  resources: [{group: "", resources: [pods]}]
- level: RequestResponse
  omitManagedFields: true
  verbs: [update, patch]
  resources: [{group: "", resources: [pods/ephemeralcontainers]}]
- level: Metadata
END
}

# restrict_oom_score_adj: without CAP_SYS_RESOURCE a sandbox could not lower its own score, and would not
# start. The pods' network namespaces lie in the state folder, so that they end with the cluster.
containerd_config() {
  cat <<END
version = 2
root = "$STATE/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "$CONTAINERD_SOCKET"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$REGISTRY/slipway/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$CONFIG/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$CONFIG/certs.d"
END
}

registry_hosts() {
  cat <<END
server = "http://$NODE_IP:5000"
[host."http://$NODE_IP:5000"]
  capabilities = ["pull", "resolve"]
END
}

# The kubelet trusts the authority; the password is the pods' to bring.
private_registry_hosts() {
  cat <<END
server = "https://$PRIVATE_REGISTRY"
[host."https://$PRIVATE_REGISTRY"]
  capabilities = ["pull", "resolve"]
  ca = "$PKI/ca.crt"
END
}

# registry_config FOLDER ADDRESS
registry_config() {
  cat <<END
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $1}
  delete: {enabled: true}
http:
  addr: "$2"
END
}

private_registry_config() {
  registry_config "$STATE/private-registry" "$NODE_IP:${PRIVATE_REGISTRY#*:}"
  cat <<END
  tls: {certificate: $PKI/private.crt, key: $PKI/private.key}
auth:
  htpasswd: {realm: $PRIVATE_REGISTRY, path: $CONFIG/private-registry.users}
END
}

# The registry takes bcrypt only. The salt is fixed: what it guards is in lib.sh.
private_registry_users() {
  # shellcheck disable=SC2016  # the variables are Perl's.
  echo "$PRIVATE_USER:$(perl -e 'print crypt($ARGV[0], q($2y$05$slipwayslipwayslipwayu))' "$PRIVATE_PASSWORD")"
}

# Keys and the server's configuration. Whoever holds the client's key reads every repository below the git
# server's folder, under the addresses that it has over HTTP; nobody writes. Port 22 is for the short form
# of an address, git@git.slipway.test:sample.git, which can't name a port.
ssh_config() {
  mkdir -p "$SSH"
  local key
  for key in host client; do
    [[ -f $SSH/$key ]] || ssh-keygen -q -t ed25519 -N '' -C "$key@slipway.test" -f "$SSH/$key"
  done
  cp "$SSH/client.pub" "$SSH/authorized_keys"
  echo "[git.slipway.test]:${GIT_SSH_URL##*:},git.slipway.test $(cut -d' ' -f1,2 "$SSH/host.pub")" >"$SSH/known_hosts"
  ssh_command >"$SSH/command"
  chmod 755 "$SSH/command"
  cat >"$SSH/sshd_config" <<END
ListenAddress $NODE_IP:${GIT_SSH_URL##*:}
ListenAddress $NODE_IP:22
HostKey $SSH/host
PidFile none
LogLevel VERBOSE
UsePAM no
AllowUsers git
AuthenticationMethods publickey
AuthorizedKeysFile $SSH/authorized_keys
DisableForwarding yes
PermitTTY no
PermitUserRC no
PrintMotd no
UseDNS no
MaxStartups 100
ForceCommand $SSH/command
SetEnv GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=* GIT_CONFIG_KEY_1=uploadpack.allowAnySHA1InWant GIT_CONFIG_VALUE_1=true
END
}

# It starts in the folder of the repositories, which the addresses name as if it were the root.
ssh_command() {
  cat <<'END'
#!/bin/sh
exec git-shell -c "$(printf %s "$SSH_ORIGINAL_COMMAND" | sed "s|'/*|'|")"
END
}

pod_network() {
  cat <<END
{"cniVersion": "0.4.0", "name": "$NAME", "plugins": [
  {"type": "bridge", "bridge": "pods", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "/var/lib/cni/addresses",
            "ranges": [[{"subnet": "$POD_CIDR"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
END
}

# Nothing is evicted and no image is collected: the machine's disk is not the cluster's to judge.
kubelet_config() {
  cat <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_IP
authentication:
  x509: {clientCAFile: $PKI/ca.crt}
  webhook: {enabled: true}
  anonymous: {enabled: false}
authorization: {mode: Webhook}
tlsCertFile: $PKI/kubelet.crt
tlsPrivateKeyFile: $PKI/kubelet.key
clusterDNS: ["$NODE_IP"]
clusterDomain: cluster.local
resolvConf: $STATE/pod-resolv.conf
containerRuntimeEndpoint: unix://$CONTAINERD_SOCKET
cgroupDriver: cgroupfs
cgroupRoot: /$NAME
failCgroupV1: false
failSwapOn: false
evictionHard: {}
imageGCHighThresholdPercent: 100
serializeImagePulls: false
registryPullQPS: 0
eventRecordQPS: 0
maxPods: 200
podLogsDir: $STATE/pod-logs
volumePluginDir: $STATE/volume-plugins
END
}

dns_config() {
  cat <<END
.:53 {
  bind $NODE_IP
  errors
  ready $NODE_IP:8181
  hosts {
    $NODE_IP ${REGISTRY%:*} ${PRIVATE_REGISTRY%:*} git.slipway.test forge.slipway.test prometheus.slipway.test $NODE
    fallthrough
  }
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $KUBECONFIG_ADMIN slipway
    pods insecure
    ttl 2
  }
}
END
}
