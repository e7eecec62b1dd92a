#include "supply/attest_job.h"

#include <fmt/format.h>

#include "base/names.h"
#include "resources/digest.h"
#include "runtime/containers.h"
#include "supply/attestation_policy.h"
#include "supply/look.h"

namespace slipway::supply {
namespace {

using kube::Json;
using resources::Predicate;
using resources::Signer;
using runtime::Literal;
using runtime::Mount;
using runtime::Option;

constexpr std::string_view kKeyVolume = "signing-key";
constexpr std::string_view kKeyFolder = "/keys";
constexpr std::string_view kTokenVolume = "identity-token";
constexpr std::string_view kTokenFolder = "/identity";
constexpr std::string_view kSbomVolume = "sboms";
constexpr std::string_view kSbomFolder = "/sboms";
constexpr std::string_view kTrivyTmp = "trivy-tmp";
constexpr int kSecretMode = 0440;
constexpr int kTokenSeconds = 900;

std::string InFolder(std::string_view folder, std::string_view file) {
  return fmt::format("{}/{}", folder, file);
}

std::string TypeOf(const Statement& statement) {
  return statement.type.empty() ? std::string(resources::TypeOf(statement.predicate)) : statement.type;
}

std::string FileOf(Predicate predicate) { return fmt::format("{}.json", ShortName(predicate)); }

// ---- volumes ----

Json Scratch(std::string_view name) { return {{"name", name}, {"emptyDir", {{"sizeLimit", "1Gi"}}}}; }

Json KeyVolume(const std::string& secret) {
  Json item = {{"key", "cosign.key"}, {"path", "cosign.key"}};
  Json source = {{"secretName", secret}, {"defaultMode", kSecretMode}};
  source["items"] = Json::array({std::move(item)});
  return {{"name", kKeyVolume}, {"secret", std::move(source)}};
}

Json TokenVolume(const std::string& audience) {
  Json token = {{"audience", audience}, {"expirationSeconds", kTokenSeconds}, {"path", "token"}};
  Json source;
  source["serviceAccountToken"] = std::move(token);
  Json projected = {{"defaultMode", kSecretMode}};
  projected["sources"] = Json::array({std::move(source)});
  return {{"name", kTokenVolume}, {"projected", std::move(projected)}};
}

std::vector<Json> Volumes(const AttestRequest& request) {
  std::vector<Json> volumes;
  const Signer& signer = request.signer;
  if (signer.kind == Signer::Kind::kKey) volumes.push_back(KeyVolume(signer.secret));
  if (signer.kind == Signer::Kind::kKeyless) volumes.push_back(TokenVolume(signer.audience));
  if (!request.sboms.empty()) {
    volumes.push_back(Scratch(kSbomVolume));
    volumes.push_back(Scratch(kTrivyTmp));
  }
  return volumes;
}

// ---- what signs ----

// With a key there is no public log: what is signed stays between the platform and its registry.
void AddSigner(const Signer& signer, Json& args) {
  if (signer.kind == Signer::Kind::kKeyless) {
    args.push_back(Option("fulcio-url", signer.fulcio));
    args.push_back(Option("rekor-url", signer.rekor));
    args.push_back(Option("oidc-issuer", signer.oidc_issuer));
    args.push_back(Option("identity-token", InFolder(kTokenFolder, "token")));
    return;
  }
  const bool file = signer.kind == Signer::Kind::kKey;
  args.push_back(Option("key", file ? InFolder(kKeyFolder, "cosign.key") : signer.kms_uri));
  args.push_back("--tlog-upload=false");
}

void GiveSigner(const Signer& signer, Json& container) {
  if (signer.kind == Signer::Kind::kKeyless) {
    container["volumeMounts"].push_back(Mount(kTokenVolume, kTokenFolder, true));
    GiveRoots(signer, container);
  }
  if (signer.kind == Signer::Kind::kKms && !signer.environment.empty()) {
    Json from;
    from["secretRef"] = {{"name", signer.environment}};
    container["envFrom"] = Json::array({std::move(from)});
  }
  if (signer.kind != Signer::Kind::kKey) return;
  Json password = {{"name", "COSIGN_PASSWORD"}};
  password["valueFrom"]["secretKeyRef"] = {{"name", signer.secret}, {"key", "cosign.password"}};
  container["env"].push_back(std::move(password));
  container["volumeMounts"].push_back(Mount(kKeyVolume, kKeyFolder, true));
}

Json SigningContainer(std::string_view name, const AttestRequest& request, const Setting& setting,
                      Json args) {
  AddSigner(request.signer, args);
  args.push_back("--yes");
  AddRegistryFlags(setting, request.image, args);
  args.push_back("--");  // what follows is an image, whatever it begins with
  args.push_back(Literal(request.image));
  Json container = CosignContainer(name, setting, std::move(args));
  GiveSigner(request.signer, container);
  return container;
}

Json AttestContainer(Predicate predicate, std::string_view type, std::string_view folder,
                     const AttestRequest& request, const Setting& setting) {
  Json args = Json::array({"attest", "--replace", Option("type", type),
                           Option("predicate", InFolder(folder, FileOf(predicate)))});
  return SigningContainer(fmt::format("attest-{}", ShortName(predicate)), request, setting, std::move(args));
}

// ---- whether it is there ----

// A type that is not one of cosign's short words is the URI itself.
std::string_view UriOf(const Statement& statement) {
  return statement.type.empty() ? resources::UriOf(statement.predicate) : std::string_view(statement.type);
}

std::string PolicyFile(Predicate predicate) { return fmt::format("{}.cue", ShortName(predicate)); }

std::string LookName(std::string_view what) { return fmt::format("{}{}", kLookPrefix, what); }

// Side by side: they only read.
std::vector<Json> Looks(const AttestRequest& request, const Setting& setting) {
  const LookedAt at{request.image, request.signer};
  std::vector<Json> looks;
  if (request.sign) looks.push_back(SignatureLook(LookName("signature"), at, setting));
  for (const Statement& statement : request.statements) {
    const Predicate predicate = statement.predicate;
    looks.push_back(AttestationLook(LookName(ShortName(predicate)), TypeOf(statement),
                                    statement.mark.empty() ? "" : PolicyFile(predicate), at, setting));
  }
  for (const Predicate sbom : request.sboms) {
    looks.push_back(AttestationLook(LookName(ShortName(sbom)), resources::TypeOf(sbom), "", at, setting));
  }
  return looks;
}

std::vector<Input> Inputs(const AttestRequest& request) {
  std::vector<Input> inputs;
  for (const Statement& statement : request.statements) {
    inputs.push_back({FileOf(statement.predicate),
                      statement.content.dump(-1, ' ', false, Json::error_handler_t::replace)});
    if (statement.mark.empty()) continue;
    inputs.push_back({PolicyFile(statement.predicate), MarkPolicy(UriOf(statement), statement.mark)});
  }
  for (Input& input : TrustOf(request.signer)) inputs.push_back(std::move(input));
  return inputs;
}

// ---- lists of what it holds ----

Json SbomContainer(Predicate predicate, const AttestRequest& request, const Setting& setting) {
  const auto& java = setting.tools.trivy_java_db_repository;
  const std::string_view format = predicate == Predicate::kSpdx ? "spdx-json" : "cyclonedx";
  Json args = Json::array({"image", Option("format", format),
                           Option("output", InFolder(kSbomFolder, FileOf(predicate))), "--image-src=remote",
                           "--offline-scan", "--skip-version-check", "--disable-telemetry",
                           "--cache-dir=/tmp/cache", "--quiet", "--no-progress"});
  args.push_back(java.empty() ? std::string("--skip-java-db-update") : Option("java-db-repository", java));
  if (!request.platform.empty()) args.push_back(Option("platform", request.platform));
  const bool insecure =
      setting.policy.Insecure(request.image) || (!java.empty() && setting.policy.Insecure(java));
  if (insecure) args.push_back("--insecure");
  args.push_back("--");
  args.push_back(Literal(request.image));
  Json container = TrivyContainer(fmt::format("sbom-{}", ShortName(predicate)), setting, std::move(args));
  // Not cosign's /tmp: what it reads an image's files into is no place for a signer's settings.
  container["volumeMounts"][0] = Mount(kTrivyTmp, "/tmp", false);
  container["volumeMounts"].push_back(Mount(kSbomVolume, kSbomFolder, false));
  return container;
}

std::vector<Json> Steps(const AttestRequest& request, const Setting& setting) {
  const bool roots = request.signer.kind == Signer::Kind::kKeyless && !TrustOf(request.signer).empty();
  std::vector<Json> steps;
  for (const Predicate sbom : request.sboms) steps.push_back(SbomContainer(sbom, request, setting));
  for (const Statement& statement : request.statements) {
    Json& step = steps.emplace_back(
        AttestContainer(statement.predicate, TypeOf(statement), kInputFolder, request, setting));
    GiveInputs(step);
  }
  for (const Predicate sbom : request.sboms) {
    const auto type = resources::TypeOf(sbom);
    Json& step = steps.emplace_back(AttestContainer(sbom, type, kSbomFolder, request, setting));
    step["volumeMounts"].push_back(Mount(kSbomVolume, kSbomFolder, true));
    if (roots) GiveInputs(step);
  }
  if (!request.sign) return steps;
  Json& sign = steps.emplace_back(SigningContainer("sign", request, setting, Json::array({"sign"})));
  if (roots) GiveInputs(sign);
  return steps;
}

// 128 bits: a tenant chooses much of what is in it.
std::string Asked(const AttestRequest& request, const std::vector<Input>& inputs) {
  Json all = {{"owner", request.owner.uid.value},
              {"image", request.image},
              {"signer", request.signer.name},
              {"sign", request.sign},
              {"sboms", Json::array()}};
  for (const Predicate sbom : request.sboms) all["sboms"].push_back(ShortName(sbom));
  for (const Input& input : inputs) all["inputs"][input.file] = input.text;
  return ShortHash(all.dump(-1, ' ', false, Json::error_handler_t::replace), 16);
}

}  // namespace

Json RenderAttestJob(const AttestRequest& request, const Setting& setting) {
  JobShape shape;
  shape.name = request.name;
  shape.role = kAttestRole;
  shape.inputs = Inputs(request);
  shape.before = Steps(request, setting);
  shape.containers = Looks(request, setting);
  shape.volumes = Volumes(request);
  if (!request.signer.service_account.empty()) shape.service_account = request.signer.service_account;
  shape.deadline = kAttestDeadline;
  const std::string asked = Asked(request, shape.inputs);
  Json job = RenderJob(request.owner, std::move(shape), setting);
  job["metadata"]["annotations"][std::string(kAskedAnnotation)] = asked;
  job["metadata"]["annotations"][std::string(kDigestAnnotation)] = resources::DigestOf(request.image);
  return job;
}

}  // namespace slipway::supply
