#include "supply/verify_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/names.h"
#include "supply/look.h"

namespace slipway::supply {
namespace {

using kube::Json;
using resources::Predicate;
using resources::Signer;

constexpr Duration kDeadline = std::chrono::minutes(4);

// Empty: it is enough that there is one.
std::string PolicyFor(Predicate predicate, const Demands& demands, TimePoint now) {
  if (predicate == Predicate::kProvenance) return ProvenancePolicy(demands.builder, demands.source);
  if (predicate == Predicate::kScan) return ScanPolicy(demands.scan, now);
  return predicate == Predicate::kTests ? TestsPolicy() : "";
}

std::string PolicyFile(Predicate predicate) { return fmt::format("{}.cue", ShortName(predicate)); }

std::string PolicyFile(const Attested& attested) { return ContainerOf(attested) + ".cue"; }

std::vector<Input> Inputs(const Demands& demands, TimePoint now) {
  std::vector<Input> inputs = TrustOf(demands.signer);
  for (const Predicate predicate : demands.predicates) {
    std::string policy = PolicyFor(predicate, demands, now);
    if (!policy.empty()) inputs.push_back({PolicyFile(predicate), std::move(policy)});
  }
  for (const Attested& each : demands.attested) inputs.push_back({PolicyFile(each), PolicyOf(each)});
  return inputs;
}

}  // namespace

std::string KeyOf(const Demands& demands) {
  const Signer& signer = demands.signer;
  const bool keyless = signer.kind == Signer::Kind::kKeyless;
  Json all = {{"signer", signer.name},        {"keyless", keyless},    {"identity", signer.identity},
              {"issuer", signer.oidc_issuer}, {"rekor", signer.rekor}, {"names", NamesOf(demands)}};
  for (const Input& input : Inputs(demands, TimePoint{})) all["inputs"][input.file] = input.text;
  // What its policy says of that day is in whole days.
  const bool scan = std::ranges::find(demands.predicates, Predicate::kScan) != demands.predicates.end();
  if (scan) all["longestException"] = demands.scan.longest_exception.count();
  return ShortHash(all.dump(-1, ' ', false, Json::error_handler_t::replace), 8);
}

std::vector<std::string> NamesOf(const Demands& demands) {
  std::vector<std::string> names{"Signature"};
  for (const Predicate predicate : demands.predicates) names.emplace_back(resources::ToString(predicate));
  for (std::string& name : NamesOf(demands.attested)) names.push_back(std::move(name));
  return names;
}

Json RenderVerifyJob(const VerifyRequest& request, const Setting& setting) {
  const Demands& demands = request.demands;
  const LookedAt at{request.image, demands.signer};
  JobShape shape;
  shape.name = request.name;
  shape.role = kVerifyRole;
  shape.inputs = Inputs(demands, request.now);
  shape.containers.push_back(SignatureLook("signature", at, setting));
  for (const Predicate predicate : demands.predicates) {
    const bool asked = !PolicyFor(predicate, demands, request.now).empty();
    shape.containers.push_back(AttestationLook(ShortName(predicate), resources::TypeOf(predicate),
                                               asked ? PolicyFile(predicate) : "", at, setting));
  }
  for (const Attested& each : demands.attested) {
    shape.containers.push_back(AttestationLook(ContainerOf(each),
                                               resources::TypeIn(each.predicate, each.environment),
                                               PolicyFile(each), at, setting));
  }
  shape.deadline = kDeadline;
  return RenderJob(request.owner, std::move(shape), setting);
}

}  // namespace slipway::supply
