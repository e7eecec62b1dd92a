# A Prometheus that reads the metrics of the cluster's pods each second, for stories of checks that ask one. Its
# package is large, so only `hack/cluster prometheus` installs it. From then on it is a part of the cluster like
# the others.
# shellcheck shell=bash

PROMETHEUS=$STATE/prometheus
TARGETS=127.0.0.1:9091

# Before the lock is taken: an installation need not keep another command of the cluster waiting.
ensure_prometheus() {
  [[ -z $EXTERNAL ]] || die 'the Prometheus is a part of the test cluster only'
  command -v prometheus >/dev/null || {
    say 'installing prometheus'
    with_services_held install_packages prometheus
  }
  tool targets >/dev/null
}

# make_prometheus: starts it, and prints its address.
make_prometheus() {
  ground_stands || die 'there is no cluster: start it with hack/cluster up'
  local part
  mkdir -p "$STATE/targets" "$PROMETHEUS"
  for part in targets prometheus; do
    ensure_part "$part"
    await_part "$part" 60
  done
  echo "$PROMETHEUS_URL"
}

# Which pods there are to read: Debian's Prometheus does not ask a cluster itself.
start_targets() {
  start_program targets "$(tool targets)" --listen "$TARGETS" --server "https://$NODE_IP:6443" \
    --authority "$PKI/ca.crt" --certificate "$PKI/admin.crt" --key "$PKI/admin.key"
}

start_prometheus() {
  prometheus_config >"$PROMETHEUS/prometheus.yml"
  start_program prometheus prometheus --config.file "$PROMETHEUS/prometheus.yml" --log.level warn \
    --web.listen-address "$NODE_IP:${PROMETHEUS_URL##*:}" --storage.tsdb.path "$PROMETHEUS/data" \
    --storage.tsdb.retention.time 2h --storage.tsdb.retention.size 256MB
}

prometheus_config() {
  cat <<END
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: pods
  http_sd_configs: [{url: "http://$TARGETS/", refresh_interval: 1s}]
END
}
