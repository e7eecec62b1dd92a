// What a Release asks for: spec of resources/release.h. A struct without its own word is a part of the YAML
// of the same name (deploy/examples/release-full.yaml).
#pragma once

#include "resources/canary_promotion.h"
#include "resources/findings.h"
#include "resources/supply_chain.h"

namespace slipway::resources {

// A Release of an earlier environment: what it has delivered and verified.
struct ReleaseRef {
  std::string name;
  std::string ns;  // empty: this namespace; another one must consent, by spec.promotesTo
  bool operator==(const ReleaseRef&) const = default;
};

// Exactly one of the two.
struct ImageFrom {
  std::string image_build;
  std::optional<ReleaseRef> release;
  bool operator==(const ImageFrom&) const = default;
};

struct CanaryStrategy {
  std::vector<CanaryStep> steps;
  Capacity capacity = Capacity::kSplit;
  std::string max_surge = "100%";
  bool accept_autoscaler_overlap = false;
  Analysis analysis;
  Duration progress_deadline = std::chrono::minutes(10);
  bool operator==(const CanaryStrategy&) const = default;
};

struct RollingStrategy {
  Duration progress_deadline = std::chrono::minutes(10);
  bool operator==(const RollingStrategy&) const = default;
};

// kBackward: the image before it still works on what the migration has made. kBreaking: it does not, so that
// there is no way back, and no canary beside it.
enum class Compatibility : std::uint8_t { kBackward, kBreaking };

// A Job of the new image, before any new pod serves; once for each digest, though it may be run again when
// it was cut short: it must be idempotent.
struct Migration {
  std::vector<std::string> command;
  std::vector<std::string> args;
  std::vector<NameValue> env;
  std::vector<std::string> env_from_secrets;  // granted by the policy for use `migration`
  Compatibility compatibility = Compatibility::kBackward;
  Duration timeout = std::chrono::minutes(10);
  bool operator==(const Migration&) const = default;
};

struct SignatureGate {
  std::string signer;  // by its name in the platform's policy
  bool operator==(const SignatureGate&) const = default;
};

struct SourceGate {
  std::string url;
  bool operator==(const SourceGate&) const = default;
};

// What may be found in the image: judged as a build's own scan is (image_build_spec.h).
struct ScanGate {
  Severity fail_on = Severity::kHigh;  // this and worse close the gate
  bool ignore_unfixed = true;
  Duration max_age = std::chrono::hours(24);  // an older scan of the image does not count
  std::vector<ScanException> exceptions;
  bool operator==(const ScanGate&) const = default;
};

struct Gates {
  Duration soak = Duration(0);  // with imageFrom.release: how long it must have run there
  int approvals = 0;            // Decisions to Approve this digest, each of another person
  std::optional<SignatureGate> signature;
  std::vector<Predicate> attestations;  // that the same signer made; the policy may ask for more
  // Whose SmokeTests, Canary and Approvals they must be: of each of these environments.
  std::vector<std::string> attested_in;
  std::optional<SourceGate> source;  // the repository that the provenance must name
  std::optional<ScanGate> scan;      // the policy may ask for it where the spec does not
  bool operator==(const Gates&) const = default;
};

// What became of each delivery is attested on its digest, as of an environment.
struct DeliveryAttest {
  std::string signer;       // by its name in the platform's policy, which must allow it here
  std::string environment;  // empty: the namespace's name
  bool operator==(const DeliveryAttest&) const = default;
};

struct Rollback {
  bool on_failure = true;                        // whether a rollout that fails goes back by itself
  Duration fast_window = std::chrono::hours(1);  // a digest that was good so lately goes back without steps
  bool operator==(const Rollback&) const = default;
};

struct ReleaseSpec {
  std::string image;    // exactly one of image and image_from
  std::string version;  // with `image`: what /version must answer; empty: not asked
  std::optional<ImageFrom> image_from;
  CanaryTarget target;
  CanaryStrategy canary;
  std::optional<RollingStrategy> rolling;  // instead of the canary
  std::vector<SmokeTest> smoke_tests;
  std::vector<SmokeTest> verification;
  std::optional<Migration> migration;
  Gates gates;
  std::optional<DeliveryAttest> attest;
  Rollback rollback;
  std::vector<std::string> config_maps;  // versioned with the image
  std::vector<ReleaseRef> promotes_to;   // who of another namespace may take what this one verified
  int history_limit = 10;
  bool suspend = false;
  bool operator==(const ReleaseSpec&) const = default;
};

// As what its deliveries are attested; the spec must have attest.
std::string EnvironmentOf(const ReleaseSpec& spec, std::string_view ns);

}  // namespace slipway::resources
