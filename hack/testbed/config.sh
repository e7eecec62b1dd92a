# The configuration files of the cluster's programs, written into the state folder.
# shellcheck shell=bash

CONFIG=$STATE/config
CONTAINERD_SOCKET=/run/containerd/containerd.sock

write_config() {
  mkdir -p "$CONFIG/cni" "$CONFIG/certs.d/$REGISTRY" "$STATE/git/private" "$STATE/registry"
  audit_policy >"$CONFIG/audit-policy.yaml"
  containerd_config >"$CONFIG/containerd.toml"
  registry_hosts >"$CONFIG/certs.d/$REGISTRY/hosts.toml"
  registry_config >"$CONFIG/registry.yaml"
  pod_network >"$CONFIG/cni/10-slipway.conflist"
  kubelet_config >"$CONFIG/kubelet.yaml"
  dns_config >"$CONFIG/Corefile"
}

audit_policy() {
  cat <<'END'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
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

registry_config() {
  cat <<END
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $STATE/registry}
  delete: {enabled: true}
http: {addr: "$NODE_IP:5000"}
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
    $NODE_IP ${REGISTRY%:*} git.slipway.test $NODE
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
