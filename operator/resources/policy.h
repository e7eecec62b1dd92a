// The platform team's policy: what a namespace's objects may use. It lives in a ConfigMap (key policy.yaml)
// in the operator's own namespace, out of tenants' reach, and it fails closed: a namespace that it does not
// name, and a policy that is missing or does not parse, allow nothing.
#pragma once

#include "resources/canary_promotion.h"
#include "resources/image_build.h"
#include "resources/release.h"

namespace slipway::resources {

// What a Secret may be mounted for. One Secret in two uses is refused: the containers that hold them do not
// trust each other.
enum class SecretUse : std::uint8_t { kSource, kBase, kCache, kOutput, kWebhook, kReport };
std::string_view ToString(SecretUse use);

struct SecretGrant {
  std::string name;
  SecretUse use = SecretUse::kOutput;
};

struct NamespacePolicy {
  std::vector<std::string> repositories;  // prefixes of image repositories to push to and to deliver from
  std::vector<std::string> git_urls;      // prefixes of source URLs; empty: any
  std::vector<SecretGrant> secrets;
  std::string service_account = "default";  // of spawned pods; its token is never mounted
  std::vector<std::string> deployments;     // that Releases may target; "*": any of the namespace
  int max_concurrent_runs = 0;              // of ImageBuilds; 0: the operator's default
  bool promotions_by_release_only = false;  // a CanaryPromotion without a Release of ours is refused
};

struct Policy {
  std::map<std::string, NamespacePolicy> namespaces;  // "*" is the rest
  std::vector<std::string> insecure_registries;       // hosts spoken to by plain HTTP

  // nullptr: nothing is allowed there.
  const NamespacePolicy* For(const std::string& ns) const;
  bool Insecure(std::string_view repository) const;
};

// Reads policy.yaml. kInvalid names the line or the field, and the mend.
Result<Policy> ParsePolicy(const std::string& yaml);

// A refusal: the field of the object that is refused, and what to do.
struct Violation {
  std::string field;    // "spec.output.repository"
  std::string reason;   // CamelCase: RegistryNotAllowed, SecretNotAllowed, …
  std::string message;  // begins with the field, and says the mend
};

// Whether the spec keeps the bounds and rules that the CRD states, checked here again: an object may have
// been stored before a rule existed, or under an altered CRD. The reason is InvalidSpec.
std::optional<Violation> Validate(const ImageBuildSpec& spec);
std::optional<Violation> Validate(const ReleaseSpec& spec);
std::optional<Violation> Validate(const CanaryPromotionSpec& spec);

// Validates, then holds the spec against the policy. `policy` may be nullptr (none). The first violation, or
// nullopt when all is allowed. `ns` is for the message.
std::optional<Violation> Check(const ImageBuildSpec& spec, const NamespacePolicy* policy,
                               std::string_view ns);
std::optional<Violation> Check(const ReleaseSpec& spec, const std::string& image,
                               const NamespacePolicy* policy, std::string_view ns);
std::optional<Violation> Check(const CanaryPromotionSpec& spec, const NamespacePolicy* policy,
                               std::string_view ns);

// As for its spec; and, where only Releases may make promotions, that one did. Ownership by a Release can't
// be forged: an admission policy keeps ownerReferences to our kinds for the operator.
std::optional<Violation> Check(const CanaryPromotion& promotion, const NamespacePolicy* policy);

// The ConfigMap as the informer keeps it.
struct PolicyMap {
  kube::ObjectMeta meta;
  Result<Policy> policy = Fail(ErrorKind::kNotFound, "no policy");
  static Result<PolicyMap> Decode(const kube::Json& object);
};

// nullptr where nothing is allowed: there is no policy, it does not parse, or it does not name the namespace.
const NamespacePolicy* PolicyFor(const PolicyMap* map, const std::string& ns);

}  // namespace slipway::resources
