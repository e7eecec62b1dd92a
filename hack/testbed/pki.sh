# Keys, certificates and kubeconfigs of the cluster: one authority, made anew for each cluster.
# shellcheck shell=bash

PKI=$STATE/pki

make_pki() {
  [[ ! -f $PKI/done ]] || return 0
  mkdir -p "$PKI"
  chmod 700 "$PKI"
  openssl ecparam -genkey -name prime256v1 -noout -out "$PKI/ca.key"
  openssl req -x509 -new -key "$PKI/ca.key" -out "$PKI/ca.crt" -subj /CN=slipway-testbed -days 365
  openssl genrsa -out "$PKI/sa.key" 2048 2>/dev/null
  openssl rsa -in "$PKI/sa.key" -pubout -out "$PKI/sa.pub" 2>/dev/null

  certificate apiserver /CN=kube-apiserver "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,\
DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:127.0.0.1,IP:$NODE_IP,IP:$SERVICE_IP"
  certificate kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client
  certificate admin /O=system:masters/CN=admin
  certificate controllers /CN=system:kube-controller-manager
  certificate scheduler /CN=system:kube-scheduler
  certificate proxy /CN=system:kube-proxy
  certificate kubelet "/O=system:nodes/CN=system:node:$NODE" "DNS:$NODE,IP:$NODE_IP"

  certificate git /CN=git.slipway.test DNS:git.slipway.test
  certificate private "/CN=${PRIVATE_REGISTRY%:*}" "DNS:${PRIVATE_REGISTRY%:*},IP:$NODE_IP"

  local user
  for user in controllers scheduler proxy kubelet; do
    kubeconfig "$user" >"$PKI/$user.kubeconfig"
  done
  kubeconfig admin >"$KUBECONFIG_ADMIN"
  chmod 600 "$KUBECONFIG_ADMIN"
  touch "$PKI/done"
}

# certificate NAME SUBJECT [SUBJECT-ALTERNATIVE-NAMES]
certificate() {
  local name=$1 subject=$2 names=${3:-DNS:$1}
  openssl ecparam -genkey -name prime256v1 -noout -out "$PKI/$name.key"
  openssl req -new -key "$PKI/$name.key" -subj "$subject" -out "$PKI/$name.csr"
  openssl x509 -req -in "$PKI/$name.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial -days 365 \
    -out "$PKI/$name.crt" 2>/dev/null -extfile <(printf '%s\n' "subjectAltName=$names" \
      extendedKeyUsage=serverAuth,clientAuth keyUsage=digitalSignature,keyEncipherment)
  rm "$PKI/$name.csr"
}

# Certificates are embedded: a kubeconfig can then be copied to another place or into a pod.
kubeconfig() {
  cat <<END
apiVersion: v1
kind: Config
clusters:
- name: slipway
  cluster: {server: "https://$NODE_IP:6443", certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")}
users:
- name: $1
  user: {client-certificate-data: $(base64 -w0 "$PKI/$1.crt"), client-key-data: $(base64 -w0 "$PKI/$1.key")}
contexts:
- name: slipway
  context: {cluster: slipway, user: $1}
current-context: slipway
END
}
