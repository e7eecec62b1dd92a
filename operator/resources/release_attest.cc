// How a Release attests what became of its deliveries, and what became of that.
#include <nlohmann/json.hpp>

#include "resources/describe.h"

namespace slipway::resources {

std::string EnvironmentOf(const ReleaseSpec& spec, std::string_view ns) {
  const bool named = spec.attest && !spec.attest->environment.empty();
  return named ? spec.attest->environment : std::string(ns);
}

void Describe(Visitor& v, DeliveryAttest& s) {
  v.Visit({.name = "signer",
           .doc = "A signer of the platform's policy that this namespace may sign with.",
           .required = true,
           .min_length = 1,
           .max_length = 63,
           .rule = &kLabelName},
          s.signer);
  v.Visit({.name = "environment",
           .doc = "As what the image was delivered here; absent: the namespace's name. The policy must allow "
                  "any other.",
           .max_length = kLongestEnvironment,
           .rule = &kLabelName},
          s.environment);
}

void Describe(Visitor& v, AttestationRecord& s) {
  v.Visit({.name = "delivery", .doc = "The number of the delivery that it is about."}, s.delivery);
  v.Visit({.name = "digest", .doc = "Of the image: sha256:...", .max_length = 128}, s.digest);
  v.Visit({.name = "environment", .doc = "As what it was delivered.", .max_length = 63}, s.environment);
  v.Visit({.name = "signer", .doc = "Who signs it.", .max_length = 63}, s.signer);
  v.Visit({.name = "predicates", .doc = "What is attested.", .max_items = kAllPredicates.size()},
          s.predicates);
  v.Visit({.name = "state", .doc = "Running, Attested or Failed.", .max_length = 32}, s.state);
  v.Visit({.name = "job", .doc = "The Job of the supply chain's namespace that attests.", .max_length = 253},
          s.job);
  v.Visit({.name = "jobUID", .doc = "The UID that it was created with: no other counts.", .max_length = 64},
          s.job_uid);
  v.Visit({.name = "runs", .doc = "How many Jobs were made for it."}, s.runs);
  v.Visit(kReason, s.reason);
  v.Visit(kMessage, s.message);
  v.Visit(kStarted, s.started);
  v.Visit(kFinished, s.finished);
}

}  // namespace slipway::resources
