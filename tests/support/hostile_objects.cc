#include "support/hostile.h"

namespace slipway::testing {

using nlohmann::json;

json GoodImageBuild() {
  return json::parse(R"({
    "apiVersion": "slipway.dev/v1alpha1", "kind": "ImageBuild",
    "metadata": {"name": "good", "namespace": "demo", "uid": "u-1", "generation": 1},
    "spec": {
      "source": {"git": {"url": "https://git.example.com/team/app.git", "revision": "main"}},
      "build": {"dockerfile": "build/Dockerfile", "target": "final", "args": [{"name": "MODE", "value": "fast"}],
                "cache": {"repository": "registry.example.com/cache/team"},
                "resources": {"requests": {"cpu": 1, "memory": "512Mi"}, "limits": {"cpu": "1500m"}},
                "timeout": "20m"},
      "output": {"repository": "registry.example.com/team/app", "tags": ["{{commit}}", "v1-{{shortCommit}}"],
                 "labels": {"org.opencontainers.image.title": "Größe 1"}}}})");
}

json FullImageBuild() {
  json build = GoodImageBuild();
  build["spec"].merge_patch(json::parse(R"({
    "source": {"git": {"credentialsSecretRef": {"name": "git"}, "submodules": true, "depth": 10}},
    "caBundleRef": {"name": "authorities"},
    "trigger": {"poll": {"interval": "1m"}, "webhook": {"secretRef": {"name": "hook"}},
                "baseImages": {"interval": "1h"}, "pullRequests": {"forks": "Refuse"}, "onNewCommit": "Cancel"},
    "tests": [{"name": "unit", "command": ["make", "test"], "env": [{"name": "LEVEL", "value": "1"}],
               "matrix": [{"name": "GO", "values": ["1.24", "1.25"]}, {"name": "OS", "values": ["a"]}],
               "failFast": false, "resources": {"limits": {"memory": "1Gi"}}, "timeout": "5m"}],
    "build": {"platforms": ["linux/amd64", "linux/arm64"], "retries": 1,
              "cache": {"ttl": "48h", "credentialsSecretRef": {"name": "layers"}},
              "baseCredentialsSecretRef": {"name": "base"}},
    "scan": {"exceptions": [{"id": "CVE-2024-1234", "package": "zlib", "expires": "2026-12-24", "reason": "unused"}],
             "vex": ["our-vex"]},
    "output": {"tags": ["{{commit}}", "v1-{{run}}"], "moveTags": true, "credentialsSecretRef": {"name": "push"}},
    "attest": {"signer": "release", "sbom": ["SPDX", "CycloneDX"], "provenance": false},
    "report": {"provider": "Gitea", "apiUrl": "https://git.example.com/api/v1", "context": "slipway/app",
               "credentialsSecretRef": {"name": "status"}},
    "requireApproval": true})"));
  build["spec"]["tests"][0]["image"] = kGoodImage;
  return build;
}

json GoodRelease() {
  auto release = json::parse(R"({
    "apiVersion": "slipway.dev/v1alpha1", "kind": "Release",
    "metadata": {"name": "good", "namespace": "demo", "uid": "u-2", "generation": 1},
    "spec": {"version": "v1.2.3", "target": {"deployment": "web", "container": "web", "service": "web"},
             "strategy": {"canary": {"steps": [{"weight": 10, "hold": "5s"}]}},
             "smokeTests": [{"name": "answers"}]}})");
  release["spec"]["image"] = kGoodImage;
  return release;
}

json GoodCanaryPromotion() {
  auto promotion = json::parse(R"({
    "apiVersion": "slipway.dev/v1alpha1", "kind": "CanaryPromotion",
    "metadata": {"name": "good", "namespace": "demo", "uid": "u-3", "generation": 1},
    "spec": {"target": {"deployment": "web", "service": "web"}, "steps": [{"weight": 10}, {"weight": 50}]}})");
  promotion["spec"]["image"] = kGoodImage;
  return promotion;
}

json GoodDecision() {
  auto decision = json::parse(R"({
    "apiVersion": "slipway.dev/v1alpha1", "kind": "Decision",
    "metadata": {"name": "good", "namespace": "demo", "uid": "u-4", "generation": 1},
    "spec": {"verb": "Approve", "target": {"kind": "ImageBuild", "name": "good", "uid": "u-1"},
             "actor": "jane@example.com", "reason": "read it", "expires": "2100-01-01T00:00:00Z"}})");
  decision["spec"]["subject"] = std::string(40, 'c');
  return decision;
}

json Good(const std::string& kind) {
  if (kind == "ImageBuild") return FullImageBuild();
  if (kind == "Decision") return GoodDecision();
  return kind == "Release" ? GoodRelease() : GoodCanaryPromotion();
}

json Planted(const std::string& kind, const std::string& pointer, const json& value) {
  json object = Good(kind);
  object[json::json_pointer(pointer)] = value;
  return object;
}

}  // namespace slipway::testing
