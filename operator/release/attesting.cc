// The shell's part of attesting a delivery: the Job is made in the supply chain's namespace.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "release/reconciler.h"
#include "release/verification.h"
#include "runtime/refusal.h"
#include "supply/delivery_predicates.h"

namespace slipway::release {

using kube::Json;
using kube::asio::awaitable;
using resources::AttestationRecord;

namespace {

// Its UID is what people know a cluster by.
constexpr std::string_view kClusterNamespace = "kube-system";

// It says so as an attempt that failed, for what else the Release does must go on.
AttestationRecord CannotAttest(AttestationRecord record, std::string why, TimePoint now) {
  record.state = "Failed";
  record.reason = "AttestFailed";
  record.message = Clip(std::move(why), 600);
  record.finished = now;
  return record;
}

std::string UidOf(const std::optional<Json>& object) {
  const auto meta = object ? kube::DecodeMeta(*object) : Fail(ErrorKind::kNotFound, "no such namespace");
  return meta ? meta->uid.value : std::string();
}

}  // namespace

awaitable<Result<AttestationRecord>> Reconciler::Attest(WorldPtr world, StartAttestation start,
                                                        AttestationRecord record) {
  const TimePoint now = shell_.clock.Now();
  const auto* policy = world->Platform();
  const auto* signer = policy == nullptr ? nullptr : policy->FindSigner(start.signer);
  if (signer == nullptr) {
    co_return Fail(ErrorKind::kConflict,
                   "the policy went while the Release was being looked at: to be decided again");
  }
  if (supply_.ns.empty() || supply_.tools.cosign_image.empty()) {
    co_return CannotAttest(std::move(record), "the operator was started without --cosign-image", now);
  }
  const auto cluster = co_await observer_.Read(kube::kNamespaces, {"", std::string(kClusterNamespace)});
  if (!cluster && runtime::PassesByItself(cluster.error())) co_return std::unexpected(cluster.error());
  if (!cluster) {
    co_return CannotAttest(
        std::move(record),
        fmt::format("namespace {} can't be read: {}", kClusterNamespace, cluster.error().message), now);
  }
  const supply::DeliveryFacts facts{*world->release, start.delivery, start.environment, UidOf(*cluster)};
  const supply::AttestRequest request{.name = start.name,
                                      .owner = OwnerOf(*world->release),
                                      .image = start.delivery.image,
                                      .signer = *signer,
                                      .sboms = {},
                                      .statements = supply::StatementsOf(facts),
                                      .sign = false};
  const supply::Setting setting{supply_.tools, *policy, supply_.ns};
  runtime::Create effect{kube::kJobs, supply::RenderAttestJob(request, setting)};
  auto created = co_await shell_.applier.Run(std::move(effect));
  if (!created && runtime::PassesByItself(created.error())) co_return std::unexpected(created.error());
  if (!created) {
    co_return CannotAttest(std::move(record),
                           fmt::format("Job {} can't be made in namespace {}: {}", start.name, supply_.ns,
                                       created.error().message),
                           now);
  }
  record.job_uid = created->uid;
  co_return record;
}

}  // namespace slipway::release
