#include "image_build/reconciler.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "image_build/events.h"
#include "image_build/manifests.h"
#include "image_build/report.h"
#include "image_build/startup.h"
#include "runtime/refusal.h"

namespace slipway::image_build {

using kube::asio::awaitable;
using resources::ImageBuild;
using runtime::Outcome;

namespace {

kube::Json Render(const ImageBuild& build, const Plan& plan, const Setting& setting) {
  const auto& run = plan.status.runs.front();
  return plan.start->role == Role::kResolve ? RenderResolveJob(build, run, setting)
                                            : RenderBuildJob(build, run, setting);
}

}  // namespace

Reconciler::Reconciler(runtime::Shell shell, Caches caches, Tools tools)
    : shell_(shell), caches_(std::move(caches)), tools_(std::move(tools)) {}

SeenJob Reconciler::JobView::AsSeen() const {
  SeenJob seen{.job = job.get(), .pod = pod.get(), .reports = {}, .trouble = trouble};
  if (pod) seen.reports = ReadReports(*pod);
  return seen;
}

const resources::Policy* Reconciler::View::Policy() const {
  return policies == nullptr || !policies->policy ? nullptr : &*policies->policy;
}

Seen Reconciler::View::AsSeen() const {
  return {.build = *build,
          .policy = Policy() == nullptr ? nullptr : Policy()->For(build->meta.key.ns),
          .resolve = resolve.AsSeen(),
          .image = image.AsSeen(),
          .owned = owned};
}

awaitable<Result<Outcome>> Reconciler::Reconcile(kube::ObjectKey key) {
  const BuildPtr build = caches_.builds.Get(key);
  if (build == nullptr || build->meta.deleted) co_return Outcome{};
  const auto view = co_await Look(build);
  if (!view) {
    co_await ReportRefusal(build, view.error());
    co_return std::unexpected(view.error());
  }
  Plan decided = Decide((*view)->AsSeen(), shell_.clock.Now());
  auto plan = co_await Carry(*view, std::move(decided));
  if (!plan) {
    co_await ReportRefusal(build, plan.error());
    co_return std::unexpected(plan.error());
  }
  const auto written = co_await WriteStatus(build, std::move(plan->status));
  if (!written) co_return std::unexpected(written.error());
  shell_.events.Tell({kube::kImageBuilds, build->meta.key, build->meta.uid}, "Build", plan->notices);
  co_return Outcome{plan->recheck_after};
}

// ---- what is there ----

awaitable<Result<Reconciler::ViewPtr>> Reconciler::Look(BuildPtr build) {
  auto view = std::make_shared<View>();
  view->build = build;
  view->policies = caches_.policies.Get(caches_.policy_key);
  for (const auto& job : caches_.jobs.OwnedBy(build->meta.uid)) {
    if (!job->meta.deleted) view->owned.push_back({job->meta.key.name, job->meta.uid});
  }
  const auto& runs = build->status.runs;
  if (runs.empty() || runs.front().finished) co_return view;
  auto resolve = co_await LookAt(build->meta.key.ns, runs.front().resolve_job);
  if (!resolve) co_return std::unexpected(resolve.error());
  view->resolve = std::move(*resolve);
  auto image = co_await LookAt(build->meta.key.ns, runs.front().build_job);
  if (!image) co_return std::unexpected(image.error());
  view->image = std::move(*image);
  co_return view;
}

awaitable<Result<Reconciler::JobView>> Reconciler::LookAt(std::string ns,
                                                          std::optional<resources::JobRef> ref) {
  JobView view;
  if (!ref) co_return view;
  const kube::ObjectKey key{ns, ref->name};
  auto job = co_await FindJob(key, ref->uid);
  if (!job) co_return std::unexpected(job.error());
  view.job = std::move(*job);
  if (!view.job) co_return view;
  view.pod = PodOf(view.job->meta);
  if (view.job->complete || view.job->failed) co_return view;
  const TimePoint now = shell_.clock.Now();
  if (view.pod && Stalled(*view.pod, now)) {
    view.trouble = co_await TroubleOf(view.pod->meta.key, view.pod->meta.uid, kPodTroubles);
  } else if (!view.pod && now - view.job->meta.created >= kPodPatience) {
    view.trouble = co_await TroubleOf(key, ref->uid, kJobTroubles);
  }
  co_return view;
}

awaitable<Result<Reconciler::JobPtr>> Reconciler::FindJob(kube::ObjectKey key, kube::Uid uid) {
  JobPtr cached = caches_.jobs.Get(key);
  if (cached && cached->meta.uid == uid) co_return cached;
  // Right after its creation the cache does not have it yet, and to take it for gone would end the run.
  auto request = kube::Get(kube::kJobs, key);
  const auto live = co_await shell_.api.Call(std::move(request));
  if (!live && live.error().kind == ErrorKind::kNotFound) co_return nullptr;
  if (!live) co_return std::unexpected(live.error());
  auto decoded = resources::Job::Decode(*live);
  if (!decoded) co_return std::unexpected(decoded.error());
  if (decoded->meta.uid != uid) co_return nullptr;
  co_return std::make_shared<const resources::Job>(std::move(*decoded));
}

Reconciler::PodPtr Reconciler::PodOf(const kube::ObjectMeta& job) const {
  PodPtr newest;
  for (const auto& pod : caches_.pods.OwnedBy(job.uid)) {
    if (!resources::IsPodOf(*pod, job)) continue;
    if (!newest || pod->meta.created > newest->meta.created) newest = pod;
  }
  return newest;
}

// Only to say why: that nothing is found out is not an error. However often a build is decided, the events of
// what it waits for are read at most once in kEventsPatience.
awaitable<std::string> Reconciler::TroubleOf(kube::ObjectKey about, kube::Uid uid,
                                             std::span<const std::string_view> reasons) {
  const BootTime now = shell_.clock.Boot();
  std::erase_if(asked_, [now](const auto& entry) { return now - entry.second.at >= kEventsPatience; });
  const auto known = asked_.find(uid.value);
  if (known != asked_.end()) co_return known->second.note;
  kube::ListParams params;
  params.field_selector = "regarding.uid=" + uid.value;
  params.limit = 100;
  auto request = kube::List(kube::kEvents, about.ns, params);
  const auto list = co_await shell_.api.Call(std::move(request));
  if (!list) log::warn("image build: events of {}: {}", kube::ToString(about), list.error().message);
  std::string note;
  if (list) note = NewestNote(*list, reasons);
  if (!list && list.error().kind == ErrorKind::kForbidden) {
    note = "its events can't be read: " + list.error().message;
  }
  asked_.insert_or_assign(uid.value, Asked{now, note});
  co_return note;
}

// ---- what is done ----

awaitable<Result<Plan>> Reconciler::Carry(ViewPtr view, Plan plan) {
  if (!plan.start && plan.removals.empty()) co_return plan;
  const auto current = co_await StillAsSeen(view->build);
  if (!current) co_return std::unexpected(current.error());
  const auto removed = co_await Remove(view->build->meta.key.ns, plan.removals);
  if (!removed) co_return std::unexpected(removed.error());
  if (!plan.start) co_return plan;
  auto started = co_await StartJob(view, std::move(plan));
  co_return started;
}

// Neither a create nor the removal of a stray has a precondition on this object, and the cache may be older
// than our own last write: a Job made from it could be one that has come and gone already.
awaitable<Result<>> Reconciler::StillAsSeen(BuildPtr build) {
  auto request = kube::Get(kube::kImageBuilds, build->meta.key);
  const auto live = co_await shell_.api.Call(std::move(request));
  if (!live) co_return std::unexpected(live.error());
  const auto meta = kube::DecodeMeta(*live);
  if (!meta) co_return std::unexpected(meta.error());
  const bool same = meta->uid == build->meta.uid && meta->resource_version == build->meta.resource_version;
  if (same) co_return Result<>{};
  co_return Fail(ErrorKind::kConflict, "the ImageBuild has changed meanwhile: to be decided again");
}

awaitable<Result<>> Reconciler::Remove(std::string ns, std::vector<OwnedJob> jobs) {
  for (const auto& job : jobs) {
    runtime::Delete effect{kube::kJobs, {ns, job.name}, {job.uid, {}}};
    const auto done = co_await shell_.applier.Run(std::move(effect));
    if (!done) co_return std::unexpected(done.error());
  }
  co_return Result<>{};
}

// The UID goes into the status before anything of the Job counts.
awaitable<Result<Plan>> Reconciler::StartJob(ViewPtr view, Plan plan) {
  const Seen seen = view->AsSeen();
  const auto* policy = view->Policy();
  if (policy == nullptr || seen.policy == nullptr) {
    co_return slipway::Fail(ErrorKind::kConflict, "the policy is gone: to be decided again");
  }
  runtime::Create effect{kube::kJobs, Render(*view->build, plan, {tools_, *policy, *seen.policy})};
  const auto created = co_await shell_.applier.Run(std::move(effect));
  if (!created && created.error().kind == ErrorKind::kAlreadyExists) {
    Plan failed = NameTaken(seen, plan, created.error().message, shell_.clock.Now());
    const auto removed = co_await Remove(view->build->meta.key.ns, failed.removals);
    if (!removed) co_return std::unexpected(removed.error());
    co_return failed;
  }
  if (!created) co_return std::unexpected(created.error());
  auto& run = plan.status.runs.front();
  auto& ref = plan.start->role == Role::kResolve ? run.resolve_job : run.build_job;
  ref = resources::JobRef{plan.start->name, created->uid};
  co_return plan;
}

// ---- what is told ----

awaitable<void> Reconciler::ReportRefusal(BuildPtr build, Error error) {
  if (runtime::PassesByItself(error)) co_return;
  resources::ImageBuildStatus status = build->status;
  status.observed_generation = build->meta.generation;
  resources::SetReadiness(status.conditions, resources::Readiness::kWaiting, runtime::ReasonOf(error),
                          "the API server refused what this ImageBuild needs: " + Clip(error.message, 800),
                          build->meta.generation, shell_.clock.Now());
  const auto written = co_await WriteStatus(build, std::move(status));
  if (!written) log::warn("image build {}: {}", kube::ToString(build->meta.key), written.error().message);
}

awaitable<Result<>> Reconciler::WriteStatus(BuildPtr build, resources::ImageBuildStatus status) {
  if (status == build->status) co_return Result<>{};
  auto body = resources::EncodeStatus(status);
  const auto written = co_await shell_.applier.WriteStatus(
      kube::kImageBuilds, build->meta.key, build->meta.uid, build->meta.resource_version, std::move(body));
  if (!written) co_return std::unexpected(written.error());
  co_return Result<>{};
}

}  // namespace slipway::image_build
