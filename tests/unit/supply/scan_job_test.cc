// The Job that scans an image: all of it as it is sent, and what makes two scans different.
#include "supply/scan_job.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

namespace slipway::supply {
namespace {

using kube::Json;
using resources::Severity;

const std::string kImage = "registry.test:5000/team/shop@sha256:" + std::string(64, 'a');

ScanRequest Request() {
  ScanRequest request;
  request.name = "shop-scan-1";
  request.owner = {"Release", {"team", "shop"}, {"release-uid"}};
  request.image = kImage;
  request.rules.exceptions = {{"CVE-2024-1", "zlib", "2026-12-24", "it is never $(asked)"}};
  return request;
}

Setting With(const resources::Policy& policy) {
  return {{.cosign_image = "tools.example/cosign@sha256:c",
           .trivy_image = "tools.example/trivy@sha256:t",
           .trivy_java_db_repository = "",
           .trivy_db_repository = "mirror.example/trivy-db:2",
           .runner_image = "tools.example/runner@sha256:r"},
          policy};
}

resources::Policy APolicy() {
  resources::Policy policy;
  policy.insecure_registries = {"registry.test:5000"};
  policy.registry_secret = "registry";
  policy.max_database_age = std::chrono::hours(48);
  return policy;
}

Json Rendered(const ScanRequest& request, const resources::Policy& policy = APolicy()) {
  return RenderScanJob(request, With(policy));
}

Json ArgsOf(const Json& job, const char* kind) { return job["spec"]["template"]["spec"][kind][0]["args"]; }

bool Has(const Json& args, const std::string& word) {
  return std::ranges::any_of(args, [&word](const Json& arg) { return arg.get<std::string>() == word; });
}

TEST(ScanJob, IsSentLikeThis) {
  auto expected = Json::parse(R"json({
    "apiVersion": "batch/v1", "kind": "Job",
    "metadata": {
      "name": "shop-scan-1", "namespace": "slipway-supply-chain",
      "labels": {"slipway.dev/kind": "Release", "slipway.dev/name": "shop", "slipway.dev/namespace": "team",
                 "slipway.dev/uid": "release-uid", "slipway.dev/role": "scan"},
      "annotations": {"slipway.dev/name": "shop"}},
    "spec": {
      "backoffLimit": 0, "activeDeadlineSeconds": 920, "ttlSecondsAfterFinished": 600,
      "podFailurePolicy": {"rules": [
        {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]},
      "template": {
        "metadata": {
          "labels": {"slipway.dev/kind": "Release", "slipway.dev/name": "shop",
                     "slipway.dev/namespace": "team", "slipway.dev/uid": "release-uid",
                     "slipway.dev/role": "scan", "slipway.dev/job": "shop-scan-1"},
          "annotations": {"slipway.dev/name": "shop"}},
        "spec": {
          "restartPolicy": "Never", "automountServiceAccountToken": false, "enableServiceLinks": false,
          "serviceAccountName": "default", "activeDeadlineSeconds": 900,
          "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
                              "fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
          "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "docker-config", "secret": {"secretName": "registry", "defaultMode": 288,
              "items": [{"key": ".dockerconfigjson", "path": "config.json"}]}},
            {"name": "scan", "emptyDir": {"sizeLimit": "4Gi"}},
            {"name": "trivy-tmp", "emptyDir": {"sizeLimit": "4Gi"}}],
          "initContainers": [
            {"name": "scan", "image": "tools.example/trivy@sha256:t",
             "args": ["image", "--image-src=remote", "--scanners=vuln", "--format=json",
                      "--output=/scan/trivy.json", "--list-all-pkgs", "--show-suppressed", "--exit-code=0",
                      "--db-repository=mirror.example/trivy-db:2", "--skip-version-check",
                      "--disable-telemetry", "--offline-scan", "--cache-dir=/scan/cache", "--quiet",
                      "--no-progress", "--ignorefile=/dev/null", "--timeout=12m", "--skip-java-db-update",
                      "--insecure", "--"],
             "env": [{"name": "HOME", "value": "/tmp"}, {"name": "DOCKER_CONFIG", "value": "/docker-config"}],
             "resources": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "2Gi"}},
             "volumeMounts": [{"name": "trivy-tmp", "mountPath": "/tmp"},
                              {"name": "docker-config", "mountPath": "/docker-config", "readOnly": true},
                              {"name": "scan", "mountPath": "/scan"}]}],
          "containers": [
            {"name": "gate", "image": "tools.example/runner@sha256:r",
             "args": ["gate", "--trivy=/scan/trivy.json", "--database=/scan/cache/db/metadata.json",
                      "--fail-on=High", "--ignore-unfixed", "--max-database-age=48h"],
             "env": [{"name": "HOME", "value": "/tmp"}],
             "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
             "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"},
                              {"name": "scan", "mountPath": "/scan", "readOnly": true}]}]}}}})json");
  const auto common = Json::parse(R"json({
    "workingDir": "/tmp",
    "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "allowPrivilegeEscalation": false,
                        "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
    "terminationMessagePolicy": "FallbackToLogsOnError"})json");
  auto& pod = expected["spec"]["template"]["spec"];
  pod["initContainers"][0]["args"].push_back(kImage);
  auto& gate = pod["containers"][0]["args"];
  gate.push_back(
      R"x(--exception={"expires":"2026-12-24","id":"CVE-2024-1","package":"zlib","reason":"it is never $$(asked)"})x");
  gate.push_back("--report=/dev/termination-log");
  pod["initContainers"][0].update(common);
  pod["containers"][0].update(common);
  const Json rendered = Rendered(Request());
  EXPECT_EQ(rendered, expected) << Json::diff(expected, rendered).dump(1);
}

TEST(ScanJob, SpeaksPlainHttpOnlyWhereThePolicySaysSo) {
  resources::Policy policy = APolicy();
  for (const char* host : {"registry.test:5000", "mirror.example"}) {
    policy.insecure_registries = {host};
    EXPECT_TRUE(Has(ArgsOf(Rendered(Request(), policy), "initContainers"), "--insecure")) << host;
  }
  policy.insecure_registries.clear();
  EXPECT_FALSE(Has(ArgsOf(Rendered(Request(), policy), "initContainers"), "--insecure"));
}

TEST(ScanJob, JudgesByTheRulesAndThePolicy) {
  resources::Policy policy = APolicy();
  policy.max_database_age = Duration(0);
  policy.registry_secret.clear();
  auto request = Request();
  request.rules = {Severity::kCritical, false, {}};
  const Json job = Rendered(request, policy);
  EXPECT_EQ(ArgsOf(job, "containers"),
            Json::array({"gate", "--trivy=/scan/trivy.json", "--database=/scan/cache/db/metadata.json",
                         "--fail-on=Critical", "--count-unfixed", "--report=/dev/termination-log"}));
  EXPECT_EQ(job.dump().find("docker-config"), std::string::npos);
}

// The image comes last, and is no option whatever it begins with.
TEST(ScanJob, AnImageIsNeverAnOption) {
  auto request = Request();
  request.image = "--output=$(HOME)";
  const Json args = ArgsOf(Rendered(request), "initContainers");
  EXPECT_EQ(args[args.size() - 2], "--");
  EXPECT_EQ(args.back(), "--output=$$(HOME)");
}

TEST(ScanJob, OtherRulesHaveAnotherKey) {
  const std::vector<std::function<void(ScanRules&)>> changes{
      [](ScanRules& r) { r.fail_on = Severity::kLow; },
      [](ScanRules& r) { r.ignore_unfixed = false; },
      [](ScanRules& r) { r.exceptions.clear(); },
      [](ScanRules& r) { r.exceptions[0].expires = "2026-12-25"; },
      [](ScanRules& r) { r.exceptions[0].package = ""; },
      [](ScanRules& r) { r.exceptions[0].id = "CVE-2024-2"; },
  };
  const ScanRules before = Request().rules;
  EXPECT_EQ(KeyOf(before), KeyOf(Request().rules));
  EXPECT_EQ(KeyOf(before).size(), 16U);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    ScanRules rules = before;
    changes[i](rules);
    EXPECT_NE(KeyOf(rules), KeyOf(before)) << i;
  }
}

}  // namespace
}  // namespace slipway::supply
