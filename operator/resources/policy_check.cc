#include <fmt/format.h>

#include <algorithm>

#include "resources/policy.h"
#include "resources/rules.h"

namespace slipway::resources {
namespace {

using Refusal = std::optional<Violation>;

// What is under a prefix: the prefix itself, or what goes on after a '/'. "reg/team" has "reg/team/app" and
// not "reg/teamx"; "reg/team/" has only what is below it.
bool Under(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  return text.size() == prefix.size() || prefix.ends_with('/') || prefix.ends_with(':') ||
         text[prefix.size()] == '/';
}

bool UnderAny(std::string_view text, const std::vector<std::string>& prefixes) {
  return std::ranges::any_of(prefixes, [text](const std::string& prefix) { return Under(text, prefix); });
}

std::string Listed(const std::vector<std::string>& allowed) {
  return allowed.empty() ? "nothing" : fmt::format("{}", fmt::join(allowed, ", "));
}

Refusal Refuse(std::string field, std::string reason, std::string_view what) {
  std::string message = fmt::format("{}: {}", field, what);
  return Violation{std::move(field), std::move(reason), std::move(message)};
}

Refusal Missing(std::string_view ns) {
  return Refuse(
      "metadata.namespace", "PolicyMissing",
      fmt::format("the platform's policy does not name namespace {}, or can't be read, so nothing is allowed "
                  "in it: ask the platform team to mend policy.yaml",
                  ns));
}

Refusal CheckRepository(std::string field, const std::string& repository, const NamespacePolicy& policy,
                        std::string_view ns) {
  if (UnderAny(repository, policy.repositories)) return std::nullopt;
  return Refuse(
      std::move(field), "RegistryNotAllowed",
      fmt::format("{} is not allowed in namespace {}, whose policy allows {}: use one of those, or ask "
                  "the platform team to allow it",
                  repository, ns, Listed(policy.repositories)));
}

struct SecretField {
  std::string field;
  SecretUse use;
  std::optional<NameRef> ref;
};

std::vector<SecretField> SecretsOf(const ImageBuildSpec& spec) {
  return {{"spec.source.git.credentialsSecretRef", SecretUse::kSource, spec.source.credentials_secret_ref},
          {"spec.build.baseCredentialsSecretRef", SecretUse::kBase, spec.build.base_credentials_secret_ref},
          {"spec.build.cache.credentialsSecretRef", SecretUse::kCache,
           spec.build.cache ? spec.build.cache->credentials_secret_ref : std::nullopt},
          {"spec.output.credentialsSecretRef", SecretUse::kOutput, spec.output.credentials_secret_ref},
          {"spec.trigger.webhook.secretRef", SecretUse::kWebhook,
           spec.trigger.webhook ? std::optional(spec.trigger.webhook->secret_ref) : std::nullopt},
          {"spec.report.credentialsSecretRef", SecretUse::kReport,
           spec.report ? std::optional(spec.report->credentials_secret_ref) : std::nullopt}};
}

// Environment of one container: there is but one use, and so nothing to tell apart.
std::vector<SecretField> SecretsOf(const ReleaseSpec& spec) {
  std::vector<SecretField> secrets;
  if (!spec.migration) return secrets;
  for (const std::string& name : spec.migration->env_from_secrets) {
    secrets.push_back({fmt::format("spec.migration.envFromSecrets[{}]", secrets.size()),
                       SecretUse::kMigration, NameRef{name}});
  }
  return secrets;
}

// One Secret in two places would hand it from one container to another that must not have it.
Refusal CheckSecretsDiffer(const std::vector<SecretField>& secrets) {
  for (auto a = secrets.begin(); a != secrets.end(); ++a) {
    for (auto b = secrets.begin(); b != a; ++b) {
      if (!a->ref || !b->ref || a->ref->name != b->ref->name) continue;
      return Refuse(
          a->field, "SecretInTwoUses",
          fmt::format("Secret {} is named by {} too: make a Secret for each, with only what it needs",
                      a->ref->name, b->field));
    }
  }
  return std::nullopt;
}

Refusal CheckSecretsGranted(const std::vector<SecretField>& secrets, const NamespacePolicy& policy,
                            std::string_view ns) {
  for (const SecretField& secret : secrets) {
    if (!secret.ref) continue;
    const bool granted = std::ranges::any_of(policy.secrets, [&](const SecretGrant& grant) {
      return grant.name == secret.ref->name && grant.use == secret.use;
    });
    if (granted) continue;
    return Refuse(
        secret.field, "SecretNotAllowed",
        fmt::format("Secret {} is not allowed for use {} in namespace {}: ask the platform team to add "
                    "{{name: {}, use: {}}} to its secrets",
                    secret.ref->name, ToString(secret.use), ns, secret.ref->name, ToString(secret.use)));
  }
  return std::nullopt;
}

Refusal CheckTarget(const CanaryTarget& target, const NamespacePolicy& policy, std::string_view ns) {
  const bool allowed = std::ranges::any_of(policy.deployments, [&target](const std::string& name) {
    return name == "*" || name == target.deployment;
  });
  if (allowed) return std::nullopt;
  return Refuse(
      "spec.target.deployment", "DeploymentNotAllowed",
      fmt::format("Deployment {} may not be delivered to in namespace {}, whose policy allows {}: ask "
                  "the platform team to add it to deployments",
                  target.deployment, ns, Listed(policy.deployments)));
}

bool HasComponent(std::string_view repository, std::string_view component) {
  const std::size_t slash = repository.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string path = std::string(repository.substr(slash)) + "/";
  return path.contains(fmt::format("/{}/", component));
}

// What may be delivered: an image by digest, from a repository that is allowed, and that is not for layers.
Refusal CheckImage(std::string field, const std::string& image, const NamespacePolicy& policy,
                   std::string_view ns) {
  const auto ref = ParseImageRef(image);
  if (!ref) return Refuse(std::move(field), "ImageNotByDigest", ref.error().message);
  if (HasComponent(ref->repository, "cache")) {
    return Refuse(
        std::move(field), "CacheNotDeliverable",
        fmt::format("{} is a path for build caches: nothing is delivered from there", ref->repository));
  }
  return CheckRepository(std::move(field), ref->repository, policy, ns);
}

// ---- what a spec may not loosen ----

Refusal Loosened(std::string field, const NamespacePolicy& policy, std::string_view term,
                 std::string_view what) {
  return Refuse(std::move(field), "GateLoosened",
                fmt::format("{} ({}.minimum.{}): keep to it, or ask the platform team to change it", what,
                            policy.minimum_origin, term));
}

Refusal CheckScan(const ScanSpec& scan, const NamespacePolicy& policy) {
  const Minimum& minimum = policy.minimum;
  if (minimum.fail_on && scan.fail_on > *minimum.fail_on) {
    return Loosened("spec.scan.failOn", policy, "scan.failOn",
                    fmt::format("is {}, and the platform's policy has images refused from {} on",
                                ToString(scan.fail_on), ToString(*minimum.fail_on)));
  }
  if (minimum.count_unfixed && scan.ignore_unfixed) {
    return Loosened("spec.scan.ignoreUnfixed", policy, "scan.countUnfixed",
                    "is true, and the platform's policy counts vulnerabilities that nobody has fixed yet");
  }
  // It has no day on which it is over, and it is the tenant's own word.
  if (minimum.longest_exception.count() > 0 && !scan.vex.empty()) {
    return Loosened(
        "spec.scan.vex", policy, "scan.longestException",
        "suppresses vulnerabilities for good, and the platform's policy bounds for how long one is "
        "borne: write exceptions instead");
  }
  return std::nullopt;
}

bool Attests(const ImageBuildSpec& spec, Predicate predicate) {
  if (!spec.attest) return false;
  const auto& sbom = spec.attest->sbom;
  if (predicate == Predicate::kProvenance) return spec.attest->provenance;
  if (predicate == Predicate::kTests) return !spec.tests.empty();
  if (predicate == Predicate::kSpdx) return std::ranges::find(sbom, SbomFormat::kSpdx) != sbom.end();
  if (predicate == Predicate::kCycloneDx)
    return std::ranges::find(sbom, SbomFormat::kCycloneDx) != sbom.end();
  return predicate == Predicate::kScan;
}

std::string FieldOf(const ImageBuildSpec& spec, Predicate predicate) {
  if (!spec.attest) return "spec.attest";
  if (predicate == Predicate::kProvenance) return "spec.attest.provenance";
  return predicate == Predicate::kTests ? "spec.tests" : "spec.attest.sbom";
}

// Of what is pushed: a pull request's build makes nothing that is ever delivered.
Refusal CheckSigner(const std::string& signer, const NamespacePolicy& policy, std::string_view ns) {
  if (std::ranges::find(policy.signers, signer) != policy.signers.end()) return std::nullopt;
  return Refuse(
      "spec.attest.signer", "SignerNotAllowed",
      fmt::format("{} may not sign for namespace {}, whose policy allows {}: use one of those, or ask the "
                  "platform team to add it to {}.signers",
                  signer, ns, Listed(policy.signers), policy.origin));
}

Refusal CheckAttest(const ImageBuildSpec& spec, const NamespacePolicy& policy, std::string_view ns) {
  if (!spec.output.push) return std::nullopt;
  for (const Predicate predicate : policy.minimum.attest) {
    if (Attests(spec, predicate)) continue;
    return Loosened(
        FieldOf(spec, predicate), policy, "build.attest",
        fmt::format("the platform's policy has every pushed image attested with {}, and this one would "
                    "not be",
                    ToString(predicate)));
  }
  return spec.attest ? CheckSigner(spec.attest->signer, policy, ns) : std::nullopt;
}

std::string ImageField(const ReleaseSpec& spec) {
  if (!spec.image_from) return "spec.image";
  return spec.image_from->release ? "spec.imageFrom.release" : "spec.imageFrom.imageBuild";
}

}  // namespace

std::optional<Violation> Check(const ImageBuildSpec& spec, const NamespacePolicy* policy,
                               std::string_view ns) {
  if (auto violation = Validate(spec)) return violation;
  if (policy == nullptr) return Missing(ns);
  if (!policy->git_urls.empty() && !UnderAny(spec.source.url, policy->git_urls)) {
    return Refuse(
        "spec.source.git.url", "GitUrlNotAllowed",
        fmt::format("{} is not allowed in namespace {}, whose policy allows {}: use one of those, or ask "
                    "the platform team to allow it",
                    spec.source.url, ns, Listed(policy->git_urls)));
  }
  if (auto violation = CheckRepository("spec.output.repository", spec.output.repository, *policy, ns)) {
    return violation;
  }
  if (spec.build.cache) {
    auto violation =
        CheckRepository("spec.build.cache.repository", spec.build.cache->repository, *policy, ns);
    if (violation) return violation;
    if (!HasComponent(spec.build.cache->repository, "cache")) {
      return Refuse(
          "spec.build.cache.repository", "CacheNotApart",
          fmt::format("{} could be delivered from: name one with the path component \"cache\", such as "
                      "registry.example.com/cache/team",
                      spec.build.cache->repository));
    }
  }
  if (auto violation = CheckScan(spec.scan, *policy)) return violation;
  if (auto violation = CheckAttest(spec, *policy, ns)) return violation;
  const auto secrets = SecretsOf(spec);
  if (auto violation = CheckSecretsDiffer(secrets)) return violation;
  return CheckSecretsGranted(secrets, *policy, ns);
}

std::optional<Violation> CheckTerms(const ImageBuildSpec& spec, const NamespacePolicy* policy,
                                    TimePoint now) {
  if (policy == nullptr || policy->minimum.longest_exception.count() == 0) return std::nullopt;
  for (std::size_t i = 0; i < spec.scan.exceptions.size(); ++i) {
    const auto& exception = spec.scan.exceptions[i];
    const auto over = ParseTime(exception.expires + "T00:00:00Z");
    if (over && *over <= now + policy->minimum.longest_exception) continue;
    return Loosened(fmt::format("spec.scan.exceptions[{}].expires", i), *policy, "scan.longestException",
                    fmt::format("is {}, and the platform's policy bears {} for {} at most", exception.expires,
                                exception.id, FormatDuration(policy->minimum.longest_exception)));
  }
  return std::nullopt;
}

std::optional<Violation> CheckAttest(const ReleaseSpec& spec, const NamespacePolicy* policy,
                                     std::string_view ns) {
  if (policy == nullptr) return Missing(ns);
  if (!spec.attest && policy->minimum.delivery_attest) {
    return Loosened("spec.attest", *policy, "delivery.attest",
                    "is not set, and the platform's policy has what becomes of every delivery attested");
  }
  if (!spec.attest) return std::nullopt;
  if (auto violation = CheckSigner(spec.attest->signer, *policy, ns)) return violation;
  const std::string environment = EnvironmentOf(spec, ns);
  if (environment.size() > kLongestEnvironment) {
    return Refuse("spec.attest.environment", "EnvironmentNotAllowed",
                  fmt::format("the namespace's name is longer than an environment's may be ({} characters): "
                              "name one that the platform's policy allows",
                              kLongestEnvironment));
  }
  const auto& allowed = policy->environments;
  if (environment == ns || std::ranges::find(allowed, environment) != allowed.end()) return std::nullopt;
  return Refuse(
      "spec.attest.environment", "EnvironmentNotAllowed",
      fmt::format("deliveries in namespace {} may not be attested as {}: leave it out, or ask the platform "
                  "team to add it to {}.environments",
                  ns, environment, policy->origin));
}

std::optional<Violation> Check(const ReleaseSpec& spec, const std::string& image,
                               const NamespacePolicy* policy, std::string_view ns) {
  if (auto violation = Validate(spec)) return violation;
  if (policy == nullptr) return Missing(ns);
  if (auto violation = CheckTarget(spec.target, *policy, ns)) return violation;
  if (auto violation = CheckSecretsGranted(SecretsOf(spec), *policy, ns)) return violation;
  if (auto violation = CheckAttest(spec, policy, ns)) return violation;
  if (image.empty()) return std::nullopt;  // not known yet: there is none where it comes from
  return CheckImage(ImageField(spec), image, *policy, ns);
}

std::optional<Violation> Check(const CanaryPromotionSpec& spec, const NamespacePolicy* policy,
                               std::string_view ns) {
  if (auto violation = Validate(spec)) return violation;
  if (policy == nullptr) return Missing(ns);
  if (auto violation = CheckTarget(spec.target, *policy, ns)) return violation;
  return CheckImage("spec.image", spec.image, *policy, ns);
}

std::optional<Violation> Check(const CanaryPromotion& promotion, const NamespacePolicy* policy) {
  const std::string& ns = promotion.meta.key.ns;
  if (auto violation = Check(promotion.spec, policy, ns)) return violation;
  // What is to be verified or scanned before it is delivered, or attested after that, goes by a Release.
  const auto& minimum = policy->minimum;
  const bool demanded = !minimum.delivery_signer.empty() || minimum.delivery_attest || minimum.delivery_scan;
  if (!policy->promotions_by_release_only && !demanded) return std::nullopt;
  const kube::OwnerReference* owner = promotion.meta.Controller();
  const bool by_release = owner != nullptr && owner->kind == kube::kReleases.kind &&
                          owner->api_version == kube::ApiVersion(kube::kReleases);
  if (by_release) return std::nullopt;
  return Refuse("metadata.ownerReferences", "PromotionNotAllowed",
                fmt::format("in namespace {} only a Release may make a CanaryPromotion: make a Release for "
                            "Deployment {}",
                            ns, promotion.spec.target.deployment));
}

}  // namespace slipway::resources
