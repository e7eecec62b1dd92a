// The Job that verifies an image: all of it as it is sent, and what makes two demands different.
#include "supply/verify_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

namespace slipway::supply {
namespace {

using kube::Json;
using resources::Predicate;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kImage = "registry.test:5000/team/shop@sha256:" + std::string(64, 'a');
constexpr const char* kPem = "-----BEGIN PUBLIC KEY-----\nMFkw$(HOME)\n-----END PUBLIC KEY-----\n";

VerifyRequest Request() {
  VerifyRequest request;
  request.name = "shop-verify-1";
  request.owner = {"Release", {"team", "shop"}, {"release-uid"}};
  request.image = kImage;
  request.demands.signer.name = "release";
  request.demands.signer.secret = "release-key";
  request.demands.signer.public_key = kPem;
  request.demands.predicates = {Predicate::kProvenance, Predicate::kTests};
  request.demands.builder = "https://platform.example/slipway";
  request.demands.source = "https://git.example/team/shop.git";
  return request;
}

Json Rendered(const VerifyRequest& request, bool insecure = true, const std::string& secret = "registry") {
  resources::Policy policy;
  if (insecure) policy.insecure_registries = {"registry.test:5000"};
  policy.registry_secret = secret;
  const Setting setting{{"tools.example/cosign@sha256:c", "tools.example/trivy@sha256:t", ""}, policy};
  return RenderVerifyJob(request, setting);
}

Json PodOf(const Json& job) { return job["spec"]["template"]["spec"]; }

TEST(VerifyJob, IsSentLikeThis) {
  auto expected = Json::parse(R"json({
    "apiVersion": "batch/v1", "kind": "Job",
    "metadata": {
      "name": "shop-verify-1", "namespace": "slipway-supply-chain",
      "labels": {"slipway.dev/kind": "Release", "slipway.dev/name": "shop", "slipway.dev/namespace": "team",
                 "slipway.dev/uid": "release-uid", "slipway.dev/role": "verify"},
      "annotations": {"slipway.dev/name": "shop"}},
    "spec": {
      "backoffLimit": 0, "activeDeadlineSeconds": 260, "ttlSecondsAfterFinished": 600,
      "podFailurePolicy": {"rules": [
        {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]},
      "template": {
        "metadata": {
          "labels": {"slipway.dev/kind": "Release", "slipway.dev/name": "shop",
                     "slipway.dev/namespace": "team", "slipway.dev/uid": "release-uid",
                     "slipway.dev/role": "verify", "slipway.dev/job": "shop-verify-1"},
          "annotations": {"slipway.dev/name": "shop"}},
        "spec": {
          "restartPolicy": "Never", "automountServiceAccountToken": false, "enableServiceLinks": false,
          "serviceAccountName": "default", "activeDeadlineSeconds": 240,
          "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
                              "fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
          "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "input", "downwardAPI": {"items": [
              {"path": "cosign.pub",
               "fieldRef": {"fieldPath": "metadata.annotations['slipway.dev/input.cosign.pub']"}},
              {"path": "provenance.cue",
               "fieldRef": {"fieldPath": "metadata.annotations['slipway.dev/input.provenance.cue']"}},
              {"path": "tests.cue",
               "fieldRef": {"fieldPath": "metadata.annotations['slipway.dev/input.tests.cue']"}}]}},
            {"name": "docker-config", "secret": {"secretName": "registry", "defaultMode": 288,
              "items": [{"key": ".dockerconfigjson", "path": "config.json"}]}}],
          "containers": [
            {"name": "signature",
             "args": ["verify", "--key=/input/cosign.pub", "--insecure-ignore-tlog=true", "--timeout=2m",
                      "--allow-http-registry", "--allow-insecure-registry", "--"]},
            {"name": "provenance",
             "args": ["verify-attestation", "--key=/input/cosign.pub", "--insecure-ignore-tlog=true",
                      "--timeout=2m", "--type=slsaprovenance1", "--policy=/input/provenance.cue",
                      "--allow-http-registry", "--allow-insecure-registry", "--"]},
            {"name": "tests",
             "args": ["verify-attestation", "--key=/input/cosign.pub", "--insecure-ignore-tlog=true",
                      "--timeout=2m", "--type=https://slipway.dev/attestations/tests/v1",
                      "--policy=/input/tests.cue", "--allow-http-registry", "--allow-insecure-registry", "--"]}]}}}})json");
  const auto common = Json::parse(R"json({
    "image": "tools.example/cosign@sha256:c", "workingDir": "/tmp",
    "env": [{"name": "HOME", "value": "/tmp"}, {"name": "DOCKER_CONFIG", "value": "/docker-config"},
            {"name": "SIGSTORE_ROOT_FILE", "value": "/input/cosign.pub"}],
    "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
    "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "allowPrivilegeEscalation": false,
                        "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
    "terminationMessagePolicy": "FallbackToLogsOnError",
    "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"},
                     {"name": "docker-config", "mountPath": "/docker-config", "readOnly": true},
                     {"name": "input", "mountPath": "/input", "readOnly": true}]})json");
  for (Json& container : expected["spec"]["template"]["spec"]["containers"]) {
    container["args"].push_back(kImage);
    container.update(common);
  }
  auto& annotations = expected["spec"]["template"]["metadata"]["annotations"];
  annotations["slipway.dev/input.cosign.pub"] = kPem;
  annotations["slipway.dev/input.provenance.cue"] =
      R"({"predicateType"!: "https://slsa.dev/provenance/v1", "predicate"!: {"runDetails"!: {"builder"!: )"
      R"({"id"!: "https://platform.example/slipway"}}, "buildDefinition"!: {"externalParameters"!: )"
      R"({"source"!: {"url"!: "https://git.example/team/shop.git"}}}}})"
      "\n";
  annotations["slipway.dev/input.tests.cue"] =
      R"({"predicateType"!: "https://slipway.dev/attestations/tests/v1", "predicate"!: {"result"!: "PASSED"}})"
      "\n";
  EXPECT_EQ(Rendered(Request()), expected) << Rendered(Request()).dump(1);
}

TEST(VerifyJob, OfASignatureAloneAsksNoMoreThanThat) {
  auto request = Request();
  request.demands.predicates.clear();
  const Json job = Rendered(request, false, "");
  const Json pod = PodOf(job);
  ASSERT_EQ(pod["containers"].size(), 1U);
  EXPECT_EQ(pod["containers"][0]["args"],
            Json::array({"verify", "--key=/input/cosign.pub", "--insecure-ignore-tlog=true", "--timeout=2m",
                         "--", kImage}));
  EXPECT_EQ(pod["volumes"].size(), 2U);
  EXPECT_FALSE(
      job["spec"]["template"]["metadata"]["annotations"].contains("slipway.dev/input.provenance.cue"));
}

TEST(VerifyJob, OfAnyRepositoryNamesNoSource) {
  auto request = Request();
  request.demands.source.clear();
  const auto annotations = Rendered(request)["spec"]["template"]["metadata"]["annotations"];
  const auto policy = annotations["slipway.dev/input.provenance.cue"].get<std::string>();
  EXPECT_THAT(policy, HasSubstr(R"("id"!: "https://platform.example/slipway")"));
  EXPECT_THAT(policy, Not(HasSubstr("externalParameters")));
}

// CUE fills in \(…); a text has none of it.
TEST(VerifyJob, ATextOfAPolicyStaysAText) {
  auto request = Request();
  request.demands.source = "a\\(predicate)\"\n\xff$(HOME)";
  const auto annotations = Rendered(request)["spec"]["template"]["metadata"]["annotations"];
  const auto policy = annotations["slipway.dev/input.provenance.cue"].get<std::string>();
  EXPECT_THAT(policy, HasSubstr(R"x("url"!: "a\\(predicate)\"\n\ufffd$(HOME)"})x"));
}

TEST(VerifyJob, KeylessAsksTheLogAndNoKey) {
  auto request = Request();
  request.demands.predicates.clear();
  auto& signer = request.demands.signer;
  signer.kind = resources::Signer::Kind::kKeyless;
  signer.identity = "https://ci.example/$(X)";
  signer.oidc_issuer = "https://issuer.example";
  signer.rekor = "https://rekor.example";
  signer.public_key.clear();
  const Json container = PodOf(Rendered(request, false, ""))["containers"][0];
  EXPECT_EQ(container["args"],
            Json::array({"verify", "--certificate-identity=https://ci.example/$$(X)",
                         "--certificate-oidc-issuer=https://issuer.example",
                         "--rekor-url=https://rekor.example", "--timeout=2m", "--", kImage}));
  EXPECT_EQ(container["env"].dump(), R"([{"name":"HOME","value":"/tmp"}])");
  EXPECT_EQ(container["volumeMounts"].size(), 1U);
}

TEST(VerifyJob, KeylessByPrivateAuthoritiesIsToldTheirRoots) {
  auto request = Request();
  auto& signer = request.demands.signer;
  signer.kind = resources::Signer::Kind::kKeyless;
  signer.public_key.clear();
  signer.fulcio_root = "FULCIO";
  signer.rekor_key = "REKOR";
  signer.ct_log_key = "CTFE";
  const Json job = Rendered(request);
  const auto& annotations = job["spec"]["template"]["metadata"]["annotations"];
  EXPECT_EQ(annotations["slipway.dev/input.fulcio.pem"], "FULCIO");
  EXPECT_EQ(annotations["slipway.dev/input.rekor.pub"], "REKOR");
  EXPECT_EQ(annotations["slipway.dev/input.ctfe.pub"], "CTFE");
  for (const Json& container : PodOf(job)["containers"]) {
    const auto env = container["env"].get<std::vector<Json>>();
    for (const auto& [name, file] :
         std::map<std::string, std::string>{{"SIGSTORE_ROOT_FILE", "/input/fulcio.pem"},
                                            {"SIGSTORE_REKOR_PUBLIC_KEY", "/input/rekor.pub"},
                                            {"SIGSTORE_CT_LOG_PUBLIC_KEY_FILE", "/input/ctfe.pub"}}) {
      const Json variable = {{"name", name}, {"value", file}};
      EXPECT_NE(std::ranges::find(env, variable), env.end()) << name << container;
    }
    EXPECT_EQ(container["volumeMounts"].back()["name"], "input");
  }
  const std::string key = KeyOf(request.demands);
  signer.rekor_key = "ANOTHER";
  EXPECT_NE(KeyOf(request.demands), key) << "other roots are another question";
}

// Beside the authorities of its image: Go reads each folder of SSL_CERT_DIR, and its usual file.
TEST(VerifyJob, TrustsTheRegistrysAuthorityWhereThePolicyNamesOne) {
  resources::Policy policy;
  policy.ca_bundle = "registry-authorities";
  const Setting setting{{"cosign@sha256:c", "trivy@sha256:t", ""}, policy};
  const Json pod = PodOf(RenderVerifyJob(Request(), setting));
  const auto volumes = pod["volumes"].get<std::vector<Json>>();
  const auto volume = Json::parse(R"json({"name": "registry-ca", "configMap": {
      "name": "registry-authorities", "items": [{"key": "ca.crt", "path": "ca.crt"}]}})json");
  EXPECT_NE(std::ranges::find(volumes, volume), volumes.end()) << pod["volumes"];
  ASSERT_EQ(pod["containers"].size(), 3U);
  for (const Json& container : pod["containers"]) {
    const auto env = container["env"].get<std::vector<Json>>();
    const Json folder = {{"name", "SSL_CERT_DIR"}, {"value", "/etc/ssl/certs:/ca"}};
    EXPECT_NE(std::ranges::find(env, folder), env.end()) << container;
    const auto mounts = container["volumeMounts"].get<std::vector<Json>>();
    const Json mount = {{"name", "registry-ca"}, {"mountPath", "/ca"}, {"readOnly", true}};
    EXPECT_NE(std::ranges::find(mounts, mount), mounts.end()) << container;
  }
  EXPECT_FALSE(Rendered(Request()).dump().contains("registry-ca"));
}

VerifyRequest OfAScan(ScanTerms terms, const char* now = "2026-01-02T12:00:00Z") {
  auto request = Request();
  request.demands.predicates = {Predicate::kScan};
  request.demands.scan = terms;
  request.now = *ParseTime(now);
  return request;
}

std::string ScanPolicyOf(const VerifyRequest& request) {
  return Rendered(request)["spec"]["template"]["metadata"]["annotations"]["slipway.dev/input.scan.cue"];
}

std::string AroundResult(const std::string& fields) {
  return R"({"predicateType"!: "https://cosign.sigstore.dev/attestation/vuln/v1", "predicate"!: )"
         R"({"scanner"!: {"result"!: {)" +
         fields + "}}}}\n";
}

// What each text makes of good and bad attestations was seen with cosign 2.6.2.
TEST(VerifyJob, AScanMustHaveBeenAsStrictAsTheNamespaceItIsDeliveredInto) {
  using resources::Severity;
  const std::string day = R"([...{"expires"!: <="2026-01-04T00:00:00Z"}])";
  struct Row {
    ScanTerms terms;
    std::string result;
  };
  const std::vector<Row> rows{
      {{}, R"("closing"!: 0)"},
      {{.fail_on = Severity::kHigh}, R"("closing"!: 0, "failOn"!: =~"^(Low|Medium|High)$")"},
      {{.fail_on = Severity::kLow}, R"("closing"!: 0, "failOn"!: =~"^(Low)$")"},
      {{.fail_on = Severity::kCritical}, R"("closing"!: 0, "failOn"!: =~"^(Low|Medium|High|Critical)$")"},
      {{.count_unfixed = true}, R"("closing"!: 0, "ignoreUnfixed"!: false)"},
      {{.longest_exception = std::chrono::hours(48)},
       R"("closing"!: 0, "exceptions"!: )" + day + R"(, "accepted"!: )" + day + R"(, "suppressed"!: 0)"},
  };
  for (const Row& row : rows) EXPECT_EQ(ScanPolicyOf(OfAScan(row.terms)), AroundResult(row.result));
  const Json container = PodOf(Rendered(OfAScan({})))["containers"][1];
  const auto args = container["args"].get<std::vector<std::string>>();
  EXPECT_NE(std::ranges::find(args, "--policy=/input/scan.cue"), args.end()) << container;
}

TEST(VerifyJob, OneDayAsksForTheSameText) {
  const ScanTerms terms{.longest_exception = std::chrono::hours(720)};
  EXPECT_EQ(ScanPolicyOf(OfAScan(terms, "2026-01-02T00:00:00Z")),
            ScanPolicyOf(OfAScan(terms, "2026-01-02T23:59:59Z")));
  EXPECT_NE(ScanPolicyOf(OfAScan(terms, "2026-01-02T23:59:59Z")),
            ScanPolicyOf(OfAScan(terms, "2026-01-03T00:00:00Z")));
}

// What passed keeps: later days let through no less.
TEST(VerifyKey, IsOfTheTermsOfAScanAndNotOfTheDay) {
  using resources::Severity;
  const ScanTerms terms{Severity::kHigh, true, std::chrono::hours(30)};
  const std::string key = KeyOf(OfAScan(terms).demands);
  EXPECT_EQ(KeyOf(OfAScan(terms, "2026-03-01T00:00:00Z").demands), key);
  const std::vector<ScanTerms> others{{Severity::kMedium, true, std::chrono::hours(30)},
                                      {std::nullopt, true, std::chrono::hours(30)},
                                      {Severity::kHigh, false, std::chrono::hours(30)},
                                      {Severity::kHigh, true, std::chrono::hours(31)},
                                      {Severity::kHigh, true, Duration(0)}};
  for (const ScanTerms& other : others) EXPECT_NE(KeyOf(OfAScan(other).demands), key);
  auto unasked = Request().demands;
  auto same = unasked;
  same.scan = terms;
  EXPECT_EQ(KeyOf(same), KeyOf(unasked)) << "no scan is asked for";
}

TEST(VerifyKey, IsOfAllThatIsAskedAndNothingElse) {
  const Demands demands = Request().demands;
  const std::string key = KeyOf(demands);
  EXPECT_EQ(key.size(), 16U);
  const std::vector<std::function<void(Demands&)>> changes{
      [](Demands& d) { d.signer.name = "cloud"; },
      [](Demands& d) { d.signer.public_key += "x"; },
      [](Demands& d) { d.predicates.pop_back(); },
      [](Demands& d) { d.builder += "x"; },
      [](Demands& d) { d.source.clear(); },
      [](Demands& d) { d.signer.identity = "x"; },
      [](Demands& d) { d.signer.oidc_issuer = "x"; },
      [](Demands& d) { d.signer.rekor = "x"; },
      [](Demands& d) { d.signer.kind = resources::Signer::Kind::kKeyless; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Demands other = demands;
    changes[i](other);
    EXPECT_NE(KeyOf(other), key) << i;
  }
  Demands same = demands;
  same.signer.secret = "moved";  // where the private half is changes nothing of what is verified
  EXPECT_EQ(KeyOf(same), key);
  EXPECT_THAT(NamesOf(demands), ElementsAre("Signature", "Provenance", "Tests"));
}

}  // namespace
}  // namespace slipway::supply
