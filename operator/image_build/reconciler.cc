#include "image_build/reconciler.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "base/log.h"
#include "base/text.h"
#include "image_build/attest.h"
#include "image_build/events.h"
#include "image_build/manifests.h"
#include "image_build/names.h"
#include "image_build/report.h"
#include "image_build/stages.h"
#include "image_build/startup.h"
#include "runtime/refusal.h"

namespace slipway::image_build {

using kube::asio::awaitable;
using resources::ImageBuild;
using runtime::Outcome;

namespace {

// Where the newest run stands in the queue.
Queue::State PlaceOf(const resources::ImageBuildStatus& status) {
  if (status.runs.empty() || status.runs.front().finished) return Queue::State::kNone;
  if (status.runs.front().started) return Queue::State::kRunning;
  return status.phase == resources::BuildPhase::kQueued ? Queue::State::kWaiting : Queue::State::kNone;
}

}  // namespace

Reconciler::Reconciler(runtime::Shell shell, Caches caches, Tools tools, Concurrency concurrency,
                       std::function<void(kube::ObjectKey)> enqueue)
    : shell_(shell),
      caches_(std::move(caches)),
      jobs_(shell_.api, caches_.jobs, caches_.pods),
      tools_(std::move(tools)),
      queue_({.of_namespace =
                  [this, concurrency](const std::string& ns) {
                    const auto policies = caches_.policies.Get(caches_.policy_key);
                    const auto* policy = resources::PolicyFor(policies.get(), ns);
                    const int limit = policy == nullptr ? 0 : policy->max_concurrent_runs;
                    return limit > 0 ? limit : concurrency.per_namespace;
                  },
              .overall = concurrency.overall}),
      enqueue_(std::move(enqueue)) {}

SeenJob Reconciler::JobView::AsSeen() const {
  SeenJob seen{.job = job.get(), .pod = pod.get(), .reports = {}, .trouble = trouble};
  if (pod) seen.reports = ReadReports(*pod);
  return seen;
}

const resources::Policy* Reconciler::View::Policy() const {
  return policies == nullptr || !policies->policy ? nullptr : &*policies->policy;
}

Seen Reconciler::View::AsSeen() const {
  Seen seen{.build = *build,
            .policy = Policy() == nullptr ? nullptr : Policy()->For(build->meta.key.ns),
            .jobs = {},
            .owned = owned,
            .decisions = decisions,
            .admitted = admitted,
            .supply_namespace = supply_namespace};
  for (const auto& [name, job] : jobs) seen.jobs.emplace(name, job.AsSeen());
  return seen;
}

awaitable<Result<Outcome>> Reconciler::Reconcile(kube::ObjectKey key) {
  const BuildPtr build = caches_.builds.Get(key);
  if (build == nullptr || build->meta.deleted) {
    queue_.Update(key, Queue::State::kNone, {});
    for (auto& next : queue_.TakeLetIn()) enqueue_(std::move(next));
    const auto ended = co_await Remove({}, JobsApart(key));
    if (!ended) co_return std::unexpected(ended.error());
    co_return Outcome{};
  }
  Place(*build, build->status);
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
  const resources::ImageBuildStatus status = plan->status;
  const auto written = co_await WriteStatus(build, status);
  if (!written) co_return std::unexpected(written.error());
  Place(*build, status);
  Count(build->status, status);
  shell_.events.Tell({kube::kImageBuilds, build->meta.key, build->meta.uid}, "Build", plan->notices);
  const auto kept = co_await KeepPullBuilds(build);
  if (!kept) co_return std::unexpected(kept.error());
  co_return Outcome{plan->recheck_after};
}

void Reconciler::Observe(const ImageBuild& build) {
  const bool gone = caches_.builds.Get(build.meta.key) == nullptr || build.meta.deleted;
  if (gone) return queue_.Update(build.meta.key, Queue::State::kNone, {});
  Place(build, build.status);
}

void Reconciler::Place(const ImageBuild& build, const resources::ImageBuildStatus& status) {
  const TimePoint since =
      status.runs.empty() ? TimePoint{} : status.runs.front().queued.value_or(TimePoint{});
  queue_.Update(build.meta.key, PlaceOf(status), since);
  for (auto& next : queue_.TakeLetIn()) enqueue_(std::move(next));
}

void Reconciler::Count(const resources::ImageBuildStatus& before, const resources::ImageBuildStatus& after) {
  for (const auto& stage : EndedBetween(before, after)) {
    const Duration took = stage.started && stage.finished ? *stage.finished - *stage.started : Duration(0);
    shell_.metrics.StageEnded(stage.name, resources::ToString(stage.state), took);
  }
  shell_.metrics.Runs(queue_.running(), queue_.waiting());
  if (after.runs.empty() || !after.runs.front().finished) return;
  const auto& run = after.runs.front();
  if (!before.runs.empty() && before.runs.front().number > run.number) return;  // a run was dropped
  const bool known =
      !before.runs.empty() && before.runs.front().number == run.number && before.runs.front().finished;
  if (known) return;
  shell_.metrics.RunEnded(run.reason, run.failure ? run.failure->reason : "Succeeded");
  if (run.cache) shell_.metrics.CacheUsed(run.cache->hits, run.cache->misses);
}

// ---- what is there ----

awaitable<Result<Reconciler::ViewPtr>> Reconciler::Look(BuildPtr build) {
  auto view = std::make_shared<View>();
  view->build = build;
  view->policies = caches_.policies.Get(caches_.policy_key);
  view->owned = OwnedBy(*build);
  view->supply_namespace = tools_.cosign_image.empty() ? "" : caches_.supply_namespace;
  view->decisions = caches_.decisions.Where([&build](const resources::Decision& decision) {
    return decision.meta.key.ns == build->meta.key.ns && decision.spec.target.uid == build->meta.uid;
  });
  view->admitted = queue_.Admitted(build->meta.key);
  if (build->status.runs.empty()) co_return view;
  for (const auto& job : build->status.runs.front().jobs) {
    if (job.state != resources::StageState::kRunning) continue;
    const bool apart = job.role == resources::JobRole::kAttest;
    if (apart && caches_.supply_namespace.empty()) {
      view->jobs.emplace(job.name, JobView{});  // an operator that signs no more can't ask: gone
      continue;
    }
    auto seen = co_await LookAt(apart ? caches_.supply_namespace : build->meta.key.ns, job);
    if (!seen) co_return std::unexpected(seen.error());
    view->jobs.emplace(job.name, std::move(*seen));
  }
  co_return view;
}

// A stray whose ImageBuild asks for attestations no more ends by itself.
std::vector<OwnedJob> Reconciler::OwnedBy(const ImageBuild& build) const {
  std::vector<OwnedJob> owned;
  for (const auto& job : caches_.jobs.OwnedBy(build.meta.uid)) {
    if (!job->meta.deleted) owned.push_back({job->meta.key.name, job->meta.uid});
  }
  if (build.spec.attest) std::ranges::copy(JobsApart(build.meta.key), std::back_inserter(owned));
  return owned;
}

// No owner reference crosses a namespace: there, what a Job says of itself has to do. Those of an ImageBuild
// of that name that is gone are among them, and end: what nobody has asked for any more is not signed.
std::vector<OwnedJob> Reconciler::JobsApart(const kube::ObjectKey& build) const {
  std::vector<OwnedJob> owned;
  if (caches_.supply_namespace.empty()) return owned;
  const auto apart = caches_.jobs.Where([&](const resources::Job& job) {
    const auto owner = supply::OwnerOf(job.meta);
    return job.meta.key.ns == caches_.supply_namespace && !job.meta.deleted && owner &&
           owner->kind == kube::kImageBuilds.kind && owner->key == build;
  });
  for (const auto& job : apart) owned.push_back({job->meta.key.name, job->meta.uid, true});
  return owned;
}

awaitable<Result<Reconciler::JobView>> Reconciler::LookAt(std::string ns, resources::RunJob ref) {
  JobView view;
  const kube::ObjectKey key{ns, ref.name};
  auto job = co_await jobs_.Find(key, ref.uid);
  if (!job) co_return std::unexpected(job.error());
  view.job = std::move(*job);
  if (!view.job) co_return view;
  const bool ended = view.job->complete || view.job->failed;
  const auto pods = co_await jobs_.PodsOf(view.job->meta, ended);
  if (!pods) co_return std::unexpected(pods.error());
  view.pod = jobs::NewestPod(view.job->meta, *pods);
  if (ended) co_return view;
  const TimePoint now = shell_.clock.Now();
  if (view.pod && Stalled(*view.pod, now)) {
    view.trouble = co_await TroubleOf(view.pod->meta.key, view.pod->meta.uid, kPodTroubles);
  } else if (!view.pod && now - view.job->meta.created >= kPodPatience) {
    view.trouble = co_await TroubleOf(key, ref.uid, kJobTroubles);
  }
  co_return view;
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

// Neither a create nor the removal of a stray has a precondition on this object, and the cache may be older
// than our own last write: a Job made from it could be one that has come and gone already.
awaitable<Result<Plan>> Reconciler::Carry(ViewPtr view, Plan plan) {
  if (plan.starts.empty() && plan.removals.empty()) co_return plan;
  const auto current = co_await shell_.applier.StillAsSeen(kube::kImageBuilds, view->build->meta);
  if (!current) co_return std::unexpected(current.error());
  const auto removed = co_await Remove(view->build->meta.key.ns, plan.removals);
  if (!removed) co_return std::unexpected(removed.error());
  if (plan.starts.empty()) co_return plan;
  auto started = co_await StartJobs(view, std::move(plan));
  co_return started;
}

awaitable<Result<>> Reconciler::Remove(std::string ns, std::vector<OwnedJob> jobs) {
  for (const auto& job : jobs) {
    const std::string& where = job.apart ? caches_.supply_namespace : ns;
    if (where.empty()) continue;  // Kubernetes takes it away, an hour after its end
    runtime::Delete effect{kube::kJobs, {where, job.name}, {job.uid, {}}};
    const auto done = co_await shell_.applier.Run(std::move(effect));
    if (!done) co_return std::unexpected(done.error());
  }
  co_return Result<>{};
}

// The UIDs go into the status before anything of the Jobs counts.
awaitable<Result<Plan>> Reconciler::StartJobs(ViewPtr view, Plan plan) {
  const Seen seen = view->AsSeen();
  const auto* policy = view->Policy();
  if (policy == nullptr || seen.policy == nullptr) {
    co_return slipway::Fail(ErrorKind::kConflict, "the policy is gone: to be decided again");
  }
  const Setting setting{tools_, *policy, *seen.policy, caches_.supply_namespace};
  for (const StartJob& start : plan.starts) {
    kube::Json body = RenderJob(*view->build, plan.status.runs.front(), start, setting);
    if (body.is_null()) {
      co_return slipway::Fail(ErrorKind::kConflict, "the policy has lost its signer: to be decided again");
    }
    const auto created = co_await CreateJob(start.role, std::move(body));
    if (!created && created.error().kind == ErrorKind::kAlreadyExists) {
      auto failed = co_await GiveWay(view, plan, start, created.error().message);
      co_return failed;
    }
    if (!created && start.role == resources::JobRole::kReport && !runtime::PassesByItself(created.error())) {
      // It gates nothing: the run goes on, and its end is written down.
      plan.status.runs.front().told = start.leg;
      plan.notices.push_back({true, "ReportFailed", "spec.report: " + Clip(created.error().message, 500)});
      continue;
    }
    if (!created) co_return std::unexpected(created.error());
    resources::RunJob job{.name = start.name, .uid = *created, .role = start.role, .leg = start.leg};
    plan.status.runs.front().jobs.push_back(std::move(job));
  }
  co_return plan;
}

// Between its creation and its record the policy may have changed, and with it how the Job is rendered: then
// an attest Job is known again by what it was asked for.
awaitable<Result<kube::Uid>> Reconciler::CreateJob(resources::JobRole role, kube::Json body) {
  runtime::Create effect{kube::kJobs, body};
  const auto created = co_await shell_.applier.Run(std::move(effect));
  if (created) co_return created->uid;
  const bool taken = created.error().kind == ErrorKind::kAlreadyExists;
  if (!taken || role != resources::JobRole::kAttest) co_return std::unexpected(created.error());
  auto request =
      kube::Get(kube::kJobs, {caches_.supply_namespace, body.at("metadata").at("name").get<std::string>()});
  const auto live = co_await shell_.api.Call(std::move(request));
  if (!live || !AskedForTheSame(body, *live)) co_return std::unexpected(created.error());
  auto meta = kube::DecodeMeta(*live);
  if (!meta) co_return std::unexpected(meta.error());
  if (meta->deleted) {
    co_return slipway::Fail(ErrorKind::kConflict, "its Job is still being deleted: to be decided again");
  }
  co_return meta->uid;
}

// Those that were made before it stay on record, so that they are removed with the run.
awaitable<Result<Plan>> Reconciler::GiveWay(ViewPtr view, Plan plan, StartJob start, std::string difference) {
  Plan failed = NameTaken(view->AsSeen(), plan, start, difference, shell_.clock.Now());
  const auto removed = co_await Remove(view->build->meta.key.ns, failed.removals);
  if (!removed) co_return std::unexpected(removed.error());
  co_return failed;
}

// ---- pull requests ----

awaitable<Result<>> Reconciler::KeepPullBuilds(BuildPtr build) {
  const auto wanted = WantedPulls(*build);
  std::set<std::string> names;
  for (const auto& pull : wanted) {
    const kube::ObjectKey key{build->meta.key.ns, PullBuildName(build->meta, pull.number)};
    names.insert(key.name);
    const auto there = caches_.builds.Get(key);
    const auto* owner = there == nullptr ? nullptr : there->meta.Controller();
    if (there != nullptr && (owner == nullptr || owner->uid != build->meta.uid)) continue;
    if (there != nullptr && IsPullBuild(*there, *build, pull)) continue;
    runtime::Apply effect{kube::kImageBuilds, key, RenderPullBuild(*build, pull)};
    const auto applied = co_await shell_.applier.Run(std::move(effect));
    if (!applied) co_return std::unexpected(applied.error());
  }
  for (const auto& child : caches_.builds.OwnedBy(build->meta.uid)) {
    if (child->meta.deleted || names.contains(child->meta.key.name)) continue;
    runtime::Delete effect{kube::kImageBuilds, child->meta.key, {child->meta.uid, {}}};
    const auto removed = co_await shell_.applier.Run(std::move(effect));
    if (!removed) co_return std::unexpected(removed.error());
  }
  co_return Result<>{};
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
