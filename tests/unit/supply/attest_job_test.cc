// The Job that attests and signs: who sees the key, what each container is told, and in which order.
#include "supply/attest_job.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

namespace slipway::supply {
namespace {

using kube::Json;
using resources::Predicate;
using resources::Signer;
using Strings = std::vector<std::string>;

const std::string kImage = "registry.test:5000/team/app@sha256:" + std::string(64, 'a');

Signer KeySigner() {
  return {.name = "release", .kind = Signer::Kind::kKey, .secret = "release-key", .public_key = "PEM"};
}

struct World {
  World() {
    policy.insecure_registries = {"registry.test:5000"};
    policy.registry_secret = "registry";
    request.name = "app-attest-1";
    request.owner = {"ImageBuild", {"team-a", "app"}, {"uid-1"}};
    request.image = kImage;
    request.signer = KeySigner();
    request.sboms = {Predicate::kSpdx, Predicate::kCycloneDx};
    request.statements = {{Predicate::kTests, {{"result", "PASSED"}}, {}},
                          {Predicate::kProvenance, {{"a", "$(HOME)"}}, {{"a", "$(HOME)"}}}};
  }
  Json Job() const {
    return RenderAttestJob(request, {{"cosign@x", "trivy@x", "registry.test:5000/java:1"}, policy, "keys"});
  }
  resources::Policy policy;
  AttestRequest request;
};

Json Pod(const Json& job) { return job.at("spec").at("template").at("spec"); }

std::vector<Json> Steps(const Json& job) {
  std::vector<Json> steps;
  for (const Json& each : Pod(job).value("initContainers", Json::array())) steps.push_back(each);
  for (const Json& each : Pod(job).at("containers")) steps.push_back(each);
  return steps;
}

Json Step(const Json& job, const std::string& name) {
  for (const Json& step : Steps(job)) {
    if (step.at("name") == name) return step;
  }
  ADD_FAILURE() << "no container " << name;
  return Json::object();
}

Strings NamesOf(const Json& job) {
  Strings names;
  for (const Json& step : Steps(job)) names.push_back(step.at("name"));
  return names;
}

std::set<std::string> Mounts(const Json& step) {
  std::set<std::string> mounts;
  for (const Json& mount : step.value("volumeMounts", Json::array())) mounts.insert(mount.at("name"));
  return mounts;
}

Json Volume(const Json& job, const std::string& name) {
  for (const Json& volume : Pod(job).at("volumes")) {
    if (volume.at("name") == name) return volume;
  }
  ADD_FAILURE() << "no volume " << name;
  return Json::object();
}

bool IsLook(const Json& step) { return step.at("name").get<std::string>().starts_with("verify-"); }

bool IsTrivy(const Json& step) { return step.at("image") == "trivy@x"; }

TEST(AttestJob, SignsLastOneAfterTheOtherAndThenLooks) {
  const Json job = World().Job();
  EXPECT_EQ(NamesOf(job), (Strings{"sbom-spdx", "sbom-cyclonedx", "attest-tests", "attest-provenance",
                                   "attest-spdx", "attest-cyclonedx", "sign", "verify-signature",
                                   "verify-tests", "verify-provenance", "verify-spdx", "verify-cyclonedx"}));
  EXPECT_EQ(Pod(job).at("initContainers").back().at("name"), "sign");
  for (const Json& step : Pod(job).at("containers")) {
    EXPECT_TRUE(IsLook(step)) << step.at("name") << ": two that write at once would lose one";
  }
}

TEST(AttestJob, LooksByThePublicKeyForWhatItHasAttested) {
  const Json job = World().Job();
  const Strings key{"--key=/input/cosign.pub", "--insecure-ignore-tlog=true", "--timeout=2m"};
  const Strings image{"--allow-http-registry", "--allow-insecure-registry", "--", kImage};
  const auto args = [&](const std::string& command, const Strings& asked) {
    Strings all{command};
    for (const Strings& part : {key, asked, image}) all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  const auto said = [&](const char* name) { return Step(job, name).at("args").get<Strings>(); };
  EXPECT_EQ(said("verify-signature"), args("verify", {}));
  EXPECT_EQ(said("verify-spdx"), args("verify-attestation", {"--type=spdxjson"}));
  EXPECT_EQ(said("verify-tests"),
            args("verify-attestation", {"--type=https://slipway.dev/attestations/tests/v1"}))
      << "nothing tells it from others of its type";
  EXPECT_EQ(said("verify-provenance"),
            args("verify-attestation", {"--type=slsaprovenance1", "--policy=/input/provenance.cue"}));
  const Json& annotations = job.at("spec").at("template").at("metadata").at("annotations");
  EXPECT_EQ(annotations.at("slipway.dev/input.cosign.pub"), "PEM");
  EXPECT_EQ(annotations.at("slipway.dev/input.provenance.cue"),
            R"x({"predicateType"!: "https://slsa.dev/provenance/v1", "predicate"!: {"a"!: "$(HOME)"}})x"
            "\n");
  for (const Json& step : Steps(job)) {
    if (!IsLook(step)) continue;
    EXPECT_EQ(Mounts(step), (std::set<std::string>{"tmp", "docker-config", "input"})) << step.at("name");
    EXPECT_FALSE(step.dump().contains("COSIGN_PASSWORD")) << step.at("name");
  }
}

TEST(AttestJob, AMarkIsAllOfItsMembersEachOfWhichMustBeThere) {
  World world;
  world.request.statements[1].mark = {{"a", {{"b", 1}, {"c", {1, "x"}}}}, {"d\"", "\\(e)"}};
  const Json job = world.Job();
  const Json& annotations = job.at("spec").at("template").at("metadata").at("annotations");
  EXPECT_EQ(annotations.at("slipway.dev/input.provenance.cue"),
            R"x({"predicateType"!: "https://slsa.dev/provenance/v1", "predicate"!: )x"
            R"x({"a"!: {"b"!: 1, "c"!: [1,"x"]}, "d\""!: "\\(e)"}})x"
            "\n");
}

TEST(AttestJob, SaysWhatItWasAskedForAndNotHow) {
  const auto asked = [](const World& world) {
    return world.Job().at("metadata").at("annotations").at("slipway.dev/asked").get<std::string>();
  };
  const std::string first = asked(World());
  EXPECT_EQ(first.size(), 32U);
  World how;
  how.policy.registry_secret = "another";
  how.policy.ca_bundle = "another";
  how.request.name = "another";
  how.request.signer.secret = "moved";
  EXPECT_EQ(asked(how), first);
  const std::vector<std::function<void(AttestRequest&)>> changes{
      [](AttestRequest& r) { r.owner.uid = {"uid-2"}; },
      [](AttestRequest& r) { r.image.back() = 'b'; },
      [](AttestRequest& r) { r.signer.name = "other"; },
      [](AttestRequest& r) { r.signer.public_key = "OTHER"; },
      [](AttestRequest& r) { r.sboms.pop_back(); },
      [](AttestRequest& r) { r.statements.pop_back(); },
      [](AttestRequest& r) { r.statements[0].content["result"] = "FAILED"; },
      [](AttestRequest& r) { r.sign = false; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    World world;
    changes[i](world.request);
    EXPECT_NE(asked(world), first) << i;
  }
}

TEST(AttestJob, TellsEachContainerThis) {
  const Json job = World().Job();
  const Strings signer{"--key=/keys/cosign.key",
                       "--tlog-upload=false",
                       "--yes",
                       "--allow-http-registry",
                       "--allow-insecure-registry",
                       "--",
                       kImage};
  const auto with = [&](Strings first) {
    first.insert(first.end(), signer.begin(), signer.end());
    return first;
  };
  EXPECT_EQ(Step(job, "attest-provenance").at("args").get<Strings>(),
            with({"attest", "--replace", "--type=slsaprovenance1", "--predicate=/input/provenance.json"}));
  EXPECT_EQ(Step(job, "attest-tests").at("args").get<Strings>(),
            with({"attest", "--replace", "--type=https://slipway.dev/attestations/tests/v1",
                  "--predicate=/input/tests.json"}));
  EXPECT_EQ(Step(job, "attest-spdx").at("args").get<Strings>(),
            with({"attest", "--replace", "--type=spdxjson", "--predicate=/sboms/spdx.json"}));
  EXPECT_EQ(Step(job, "sign").at("args").get<Strings>(), with({"sign"}));
  EXPECT_EQ(Step(job, "sbom-cyclonedx").at("args").get<Strings>(),
            (Strings{"image", "--format=cyclonedx", "--output=/sboms/cyclonedx.json", "--image-src=remote",
                     "--offline-scan", "--skip-version-check", "--disable-telemetry",
                     "--cache-dir=/tmp/cache", "--quiet", "--no-progress",
                     "--java-db-repository=registry.test:5000/java:1", "--insecure", "--", kImage}));
  for (const Json& step : Steps(job))
    EXPECT_FALSE(step.contains("command")) << "no shell: " << step.at("name");
}

TEST(AttestJob, OnlyANamedRegistryIsSpokenToByPlainHttp) {
  World world;
  world.request.image = "registry.example.com/team/app@sha256:" + std::string(64, 'b');
  world.policy.insecure_registries.clear();
  for (const Json& step : Steps(world.Job())) {
    for (const std::string& arg : step.at("args").get<Strings>()) {
      EXPECT_FALSE(arg == "--insecure" || arg.contains("-registry")) << step.at("name") << " " << arg;
    }
  }
}

TEST(AttestJob, ShowsTheKeyToCosignAlone) {
  const Json job = World().Job();
  const Json key = Volume(job, "signing-key").at("secret");
  EXPECT_EQ(key.at("secretName"), "release-key");
  EXPECT_EQ(key.at("items"), Json::array({{{"key", "cosign.key"}, {"path", "cosign.key"}}}));
  for (const Json& step : Steps(job)) {
    const bool cosign = !IsTrivy(step);
    const bool signs = cosign && !IsLook(step);
    EXPECT_EQ(Mounts(step).contains("signing-key"), signs) << step.at("name");
    EXPECT_EQ(step.dump().contains("release-key"), signs) << step.at("name");
    EXPECT_EQ(Mounts(step).contains("tmp"), cosign) << "what Trivy unpacks is not where cosign looks";
    EXPECT_FALSE(IsTrivy(step) && Mounts(step).contains("input")) << step.at("name");
  }
  const Json sign = Step(job, "sign");
  const Json password = {
      {"name", "COSIGN_PASSWORD"},
      {"valueFrom", {{"secretKeyRef", {{"name", "release-key"}, {"key", "cosign.password"}}}}}};
  const auto env = sign.at("env").get<std::vector<Json>>();
  EXPECT_NE(std::ranges::find(env, password), env.end());
}

TEST(AttestJob, WhatItSaysIsInAnnotationsThatNobodyElseWrites) {
  const Json job = World().Job();
  const Json& meta = job.at("spec").at("template").at("metadata");
  EXPECT_EQ(meta.at("annotations").at("slipway.dev/input.provenance.json"), R"x({"a":"$(HOME)"})x");
  EXPECT_EQ(meta.at("annotations").at("slipway.dev/input.tests.json"), R"({"result":"PASSED"})");
  const Json items = Volume(job, "input").at("downwardAPI").at("items");
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ(items[1].at("path"), "provenance.json");
  EXPECT_EQ(items[1].at("fieldRef").at("fieldPath"),
            "metadata.annotations['slipway.dev/input.provenance.json']");
  EXPECT_TRUE(Mounts(Step(job, "attest-tests")).contains("input"));
  EXPECT_FALSE(Mounts(Step(job, "sign")).contains("input"));
}

TEST(AttestJob, IsUnderPodSecurityRestrictedAndEnds) {
  const Json job = World().Job();
  const Json& spec = job.at("spec");
  EXPECT_EQ(spec.at("backoffLimit"), 0);
  EXPECT_EQ(spec.at("ttlSecondsAfterFinished"), 3600);
  EXPECT_EQ(spec.at("activeDeadlineSeconds"), 620);
  const Json pod = Pod(job);
  EXPECT_EQ(pod.at("activeDeadlineSeconds"), 600);
  EXPECT_EQ(pod.at("automountServiceAccountToken"), false);
  EXPECT_EQ(pod.at("restartPolicy"), "Never");
  EXPECT_EQ(pod.at("serviceAccountName"), "default");
  EXPECT_EQ(pod.at("securityContext").at("runAsNonRoot"), true);
  EXPECT_EQ(pod.at("securityContext").at("seccompProfile").at("type"), "RuntimeDefault");
  for (const Json& step : Steps(job)) {
    const Json& context = step.at("securityContext");
    EXPECT_EQ(context.at("allowPrivilegeEscalation"), false) << step.at("name");
    EXPECT_EQ(context.at("readOnlyRootFilesystem"), true) << step.at("name");
    EXPECT_EQ(context.at("runAsNonRoot"), true) << step.at("name");
    EXPECT_EQ(context.at("capabilities").at("drop"), Json::array({"ALL"})) << step.at("name");
    EXPECT_EQ(step.at("terminationMessagePolicy"), "FallbackToLogsOnError") << step.at("name");
    EXPECT_TRUE(step.at("resources").contains("requests") && step.at("resources").contains("limits"));
  }
}

TEST(AttestJob, ReadsTheRegistryWithThePlatformsSecretOrNone) {
  World world;
  const Json with = world.Job();
  EXPECT_EQ(Volume(with, "docker-config").at("secret").at("secretName"), "registry");
  for (const Json& step : Steps(with)) EXPECT_TRUE(Mounts(step).contains("docker-config")) << step.at("name");
  world.policy.registry_secret.clear();
  EXPECT_FALSE(world.Job().dump().contains("docker-config"));
  EXPECT_FALSE(world.Job().dump().contains("DOCKER_CONFIG"));
}

TEST(AttestJob, AKeyOfAKmsIsNamedAndNotMounted) {
  World world;
  world.request.signer = {.name = "cloud",
                          .kind = Signer::Kind::kKms,
                          .kms_uri = "hashivault://release",
                          .environment = "vault",
                          .public_key = "PEM",
                          .service_account = "signer"};
  const Json job = world.Job();
  EXPECT_EQ(Pod(job).at("serviceAccountName"), "signer");
  EXPECT_FALSE(job.dump().contains("signing-key"));
  EXPECT_FALSE(job.dump().contains("COSIGN_PASSWORD"));
  EXPECT_EQ(Step(job, "sign").at("args").at(1), "--key=hashivault://release");
  const Json from = Json::array({{{"secretRef", {{"name", "vault"}}}}});
  for (const Json& step : Steps(job)) {
    const bool signs = !IsTrivy(step) && !IsLook(step);
    EXPECT_EQ(step.value("envFrom", Json()), signs ? from : Json()) << step.at("name");
  }
  world.request.signer.environment.clear();
  EXPECT_FALSE(world.Job().dump().contains("envFrom"));
}

TEST(AttestJob, TrustsTheRegistrysAuthorityInEachContainer) {
  World world;
  EXPECT_FALSE(world.Job().dump().contains("SSL_CERT_DIR"));
  world.policy.ca_bundle = "registry-authorities";
  const Json job = world.Job();
  EXPECT_EQ(Volume(job, "registry-ca").at("configMap").at("name"), "registry-authorities");
  const Json folder = {{"name", "SSL_CERT_DIR"}, {"value", "/etc/ssl/certs:/ca"}};
  for (const Json& step : Steps(job)) {
    const auto env = step.at("env").get<std::vector<Json>>();
    EXPECT_NE(std::ranges::find(env, folder), env.end()) << step.at("name");
    EXPECT_TRUE(Mounts(step).contains("registry-ca")) << step.at("name");
  }
}

TEST(AttestJob, WithoutAKeyItShowsFulcioATokenForItAlone) {
  World world;
  world.request.signer = {.name = "public",
                          .kind = Signer::Kind::kKeyless,
                          .fulcio = "https://fulcio.example",
                          .rekor = "https://rekor.example",
                          .oidc_issuer = "https://oidc.example",
                          .identity = "https://platform.example/signer",
                          .service_account = "signer",
                          .audience = "sigstore"};
  const Json job = world.Job();
  const Json token =
      Volume(job, "identity-token").at("projected").at("sources").at(0).at("serviceAccountToken");
  EXPECT_EQ(token.at("audience"), "sigstore");
  EXPECT_EQ(Pod(job).at("automountServiceAccountToken"), false);
  const auto args = Step(job, "sign").at("args").get<Strings>();
  for (const char* arg : {"--fulcio-url=https://fulcio.example", "--rekor-url=https://rekor.example",
                          "--oidc-issuer=https://oidc.example", "--identity-token=/identity/token"}) {
    EXPECT_NE(std::ranges::find(args, arg), args.end()) << arg;
  }
  EXPECT_FALSE(job.dump().contains("tlog-upload"));
  for (const Json& step : Steps(job)) {
    EXPECT_EQ(Mounts(step).contains("identity-token"), !IsTrivy(step) && !IsLook(step)) << step.at("name");
  }
  EXPECT_FALSE(job.dump().contains("SIGSTORE_")) << "the public Sigstore's are cosign's own";
  world.request.signer.fulcio_root = "FULCIO";
  world.request.signer.rekor_key = "REKOR";
  world.request.signer.ct_log_key = "CTFE";
  const Json at_home = world.Job();
  const Json root = {{"name", "SIGSTORE_ROOT_FILE"}, {"value", "/input/fulcio.pem"}};
  for (const Json& step : Steps(at_home)) {
    if (IsTrivy(step)) continue;
    const auto env = step.at("env").get<std::vector<Json>>();
    EXPECT_NE(std::ranges::find(env, root), env.end()) << step.at("name");
    EXPECT_TRUE(Mounts(step).contains("input")) << step.at("name");
  }
}

TEST(AttestJob, WhatIsSignedAlreadyIsOnlyAttested) {
  World world;
  world.request.sboms.clear();
  world.request.sign = false;
  const Json job = world.Job();
  EXPECT_EQ(NamesOf(job),
            (Strings{"attest-tests", "attest-provenance", "verify-tests", "verify-provenance"}));
  EXPECT_FALSE(job.dump().contains("trivy"));
}

TEST(AttestJob, NoTextIsMoreThanOneArgument) {
  World world;
  world.request.signer.kind = Signer::Kind::kKms;
  world.request.signer.kms_uri = "hashivault://$(COSIGN_PASSWORD) --x";
  world.request.image = "$(HOME)/app@sha256:0";
  const auto args = Step(world.Job(), "sign").at("args").get<Strings>();
  EXPECT_EQ(args.at(1), "--key=hashivault://$$(COSIGN_PASSWORD) --x");
  EXPECT_EQ(args.back(), "$$(HOME)/app@sha256:0");
  EXPECT_EQ(args.at(args.size() - 2), "--");
}

}  // namespace
}  // namespace slipway::supply
