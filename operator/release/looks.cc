// The shell's part of a look at what an image has, or at what is vulnerable in it: the Job is made in the
// supply chain's namespace.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "release/reconciler.h"
#include "release/verification.h"
#include "runtime/refusal.h"

namespace slipway::release {

using kube::Json;
using kube::asio::awaitable;
using resources::ScanRecord;
using resources::VerificationRecord;

namespace {

// It says so as a look that failed, for what else the Release does must go on: it is tried again like one.
VerificationRecord CannotLook(VerificationRecord record, std::string why, TimePoint now) {
  record.outcome = "Failed";
  record.reason = "VerificationFailed";
  record.missing.clear();
  record.message = Clip(std::move(why), 600);
  record.finished = now;
  return record;
}

ScanRecord CannotScan(ScanRecord record, std::string why, TimePoint now) {
  record.outcome = "Failed";
  record.reason = "ScanFailed";
  record.message = Clip(std::move(why), 600);
  record.finished = std::chrono::floor<std::chrono::seconds>(now);
  ++record.failures;
  return record;
}

std::string CannotMake(const std::string& job, const std::string& ns, const Error& why) {
  return fmt::format("Job {} can't be made in namespace {}: {}", job, ns, why.message);
}

}  // namespace

awaitable<Result<Plan>> Reconciler::MakeLooks(WorldPtr world, Plan plan) {
  if (plan.verification && plan.status.verification) {
    auto record = co_await Verify(world, *plan.verification, *plan.status.verification);
    if (!record) co_return std::unexpected(record.error());
    plan.status.verification = std::move(*record);
  }
  if (plan.scan && plan.status.scan) {
    auto record = co_await Scan(world, *plan.scan, *plan.status.scan);
    if (!record) co_return std::unexpected(record.error());
    plan.status.scan = std::move(*record);
  }
  if (plan.rescan && plan.status.rescan) {
    auto record = co_await Scan(world, *plan.rescan, *plan.status.rescan);
    if (!record) co_return std::unexpected(record.error());
    plan.status.rescan = std::move(*record);
  }
  if (plan.attestation && plan.status.attestation) {
    auto record = co_await Attest(world, *plan.attestation, *plan.status.attestation);
    if (!record) co_return std::unexpected(record.error());
    plan.status.attestation = std::move(*record);
  }
  co_return plan;
}

awaitable<Result<VerificationRecord>> Reconciler::Verify(WorldPtr world, StartVerification start,
                                                         VerificationRecord record) {
  const TimePoint now = shell_.clock.Now();
  const auto* policy = world->Platform();
  if (policy == nullptr) {
    co_return Fail(ErrorKind::kConflict,
                   "the policy went while the Release was being looked at: to be decided again");
  }
  if (supply_.tools.cosign_image.empty()) {
    co_return CannotLook(std::move(record), "the operator was started without --cosign-image", now);
  }
  const supply::Setting setting{supply_.tools, *policy, supply_.ns};
  const supply::VerifyRequest request{start.name, OwnerOf(*world->release), start.image, start.demands, now};
  runtime::Create effect{kube::kJobs, supply::RenderVerifyJob(request, setting)};
  auto created = co_await shell_.applier.Run(std::move(effect));
  if (!created && runtime::PassesByItself(created.error())) co_return std::unexpected(created.error());
  if (!created)
    co_return CannotLook(std::move(record), CannotMake(start.name, supply_.ns, created.error()), now);
  record.job_uid = created->uid;
  co_return record;
}

awaitable<Result<ScanRecord>> Reconciler::Scan(WorldPtr world, StartScan start, ScanRecord record) {
  const TimePoint now = shell_.clock.Now();
  const auto* policy = world->Platform();
  if (policy == nullptr) {
    co_return Fail(ErrorKind::kConflict,
                   "the policy went while the Release was being looked at: to be decided again");
  }
  const auto& tools = supply_.tools;
  if (supply_.ns.empty() || tools.trivy_image.empty() || tools.runner_image.empty()) {
    co_return CannotScan(std::move(record),
                         "the operator was started without --cosign-image, and so without a namespace where "
                         "images are looked at",
                         now);
  }
  const supply::Setting setting{tools, *policy, supply_.ns};
  const supply::ScanRequest request{start.name, OwnerOf(*world->release), start.image, start.rules};
  runtime::Create effect{kube::kJobs, supply::RenderScanJob(request, setting)};
  auto created = co_await shell_.applier.Run(std::move(effect));
  if (!created && runtime::PassesByItself(created.error())) co_return std::unexpected(created.error());
  if (!created)
    co_return CannotScan(std::move(record), CannotMake(start.name, supply_.ns, created.error()), now);
  record.job_uid = created->uid;
  co_return record;
}

}  // namespace slipway::release
