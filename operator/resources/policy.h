// The platform team's policy: what a namespace's objects may use. It lives in a ConfigMap (key policy.yaml)
// in the operator's own namespace, out of tenants' reach, and it fails closed: a namespace that it does not
// name, and a policy that is missing or does not parse, allow nothing.
#pragma once

#include "resources/canary_promotion.h"
#include "resources/image_build.h"
#include "resources/release.h"
#include "resources/supply_chain.h"

namespace slipway::resources {

// What a Secret may be mounted for. One Secret in two uses is refused: the containers that hold them do not
// trust each other.
enum class SecretUse : std::uint8_t { kSource, kBase, kCache, kOutput, kWebhook, kReport, kMigration };
std::string_view ToString(SecretUse use);

struct SecretGrant {
  std::string name;
  SecretUse use = SecretUse::kOutput;
};

// Who signs, by a name that specs use. The private half is the platform's: a Secret or a service account of
// the supply chain's namespace, never of a tenant's.
struct Signer {
  enum class Kind : std::uint8_t { kKey, kKms, kKeyless };
  std::string name;
  Kind kind = Kind::kKey;
  std::string secret;         // key: with cosign.key and cosign.password
  std::string kms_uri;        // kms: "hashivault://release", "awskms:///alias/release", …
  std::string environment;    // kms: a Secret with variables for cosign, such as VAULT_TOKEN; may be empty
  std::string public_key;     // key and kms: PEM
  std::string fulcio, rekor;  // keyless: URLs
  // keyless: PEM of Fulcio's certificates and of the public keys of Rekor and of the certificates' log; all
  // empty: those of the public Sigstore
  std::string fulcio_root, rekor_key, ct_log_key;
  std::string oidc_issuer;      // keyless
  std::string identity;         // keyless: what the certificate must say
  std::string service_account;  // kms and keyless: whom the signing pod runs as
  std::string audience;         // keyless: of the token that it shows to Fulcio
};

// Scans that Releases make before they deliver, whether they say so or not.
struct DeliveryScan {
  Severity fail_on = Severity::kHigh;         // this and worse must close the gate
  Duration max_age = std::chrono::hours(24);  // of the scan that counts, at most
};

// What no spec of a namespace may loosen, and what holds there without being asked for.
struct Minimum {
  std::optional<Severity> fail_on;  // this and worse must close the gate
  bool count_unfixed = false;
  Duration longest_exception = Duration(0);  // of scan exceptions, from now; 0: any, and VEX
  std::vector<Predicate> attest;             // builds that push must attest these
  std::string delivery_signer;               // whose signature Releases verify, whether they say so or not
  std::vector<Predicate> delivery_attestations;
  std::vector<std::string> delivery_attested_in;  // whose SmokeTests, Canary and Approvals they must be
  bool delivery_attest = false;                   // Releases must attest their deliveries
  std::optional<DeliveryScan> delivery_scan;
};

struct NamespacePolicy {
  std::string origin;  // where it is written, for messages: "ConfigMap slipway-system/slipway-policy,
                       // namespaces.team-a"
  std::vector<std::string> repositories;  // prefixes of image repositories to push to and to deliver from
  std::vector<std::string> git_urls;      // prefixes of source URLs; empty: any
  std::vector<SecretGrant> secrets;
  std::string service_account = "default";  // of spawned pods; its token is never mounted
  std::vector<std::string> deployments;     // that Releases may target; "*": any of the namespace
  int max_concurrent_runs = 0;              // of ImageBuilds; 0: the operator's default
  bool promotions_by_release_only = false;  // a CanaryPromotion without a Release of ours is refused
  std::vector<std::string> signers;         // that its builds and Releases may sign with
  std::vector<std::string> environments;    // as what its deliveries may be attested, beside its own name
  Minimum minimum;                          // of "*" where the namespace's own is not written
  std::string minimum_origin;               // where that is written, as `origin`
};

struct Policy {
  std::map<std::string, NamespacePolicy> namespaces;  // "*" is the rest
  std::vector<std::string> insecure_registries;       // hosts spoken to by plain HTTP
  Duration max_database_age = Duration(0);            // of vulnerabilities, where an image is judged; 0: any
  std::map<std::string, Signer> signers;              // by name
  std::string builder_id = "https://slipway.dev/operator";  // whom provenance names
  Duration rescan_interval = Duration(0);  // of what Releases have delivered; 0: it is not scanned again
  std::string registry_secret;  // dockerconfigjson of the supply chain's namespace; empty: none is needed
  std::string ca_bundle;  // ConfigMap there, with ca.crt: registries' authorities; empty: the usual ones

  // nullptr: there is none of this name.
  const Signer* FindSigner(const std::string& name) const;
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

// Whether what became of its deliveries is attested by whom, and as what, the policy says; a part of the
// check of its spec.
std::optional<Violation> CheckAttest(const ReleaseSpec& spec, const NamespacePolicy* policy,
                                     std::string_view ns);

// What only the time tells: whether an exception of the spec is borne longer than the policy lets it be.
std::optional<Violation> CheckTerms(const ImageBuildSpec& spec, const NamespacePolicy* policy, TimePoint now);

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
