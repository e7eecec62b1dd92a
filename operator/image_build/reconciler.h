// The shell of the ImageBuild controller: reads the caches, asks Decide, renders and applies its effects,
// writes the status last. Between calls it holds only what it asked of events a moment ago.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "image_build/decide.h"
#include "image_build/queue.h"
#include "image_build/tools.h"
#include "jobs/find.h"
#include "resources/decision.h"
#include "resources/image_build.h"
#include "resources/policy.h"
#include "resources/workloads.h"
#include "runtime/shell.h"
#include "runtime/store.h"

namespace slipway::image_build {

// How many runs there may be at once.
struct Concurrency {
  int per_namespace = 10;  // where the policy names no other number
  int overall = 50;
};

struct Caches {
  const runtime::Store<resources::ImageBuild>& builds;
  const runtime::Store<resources::Job>& jobs;
  const runtime::Store<resources::Pod>& pods;
  const runtime::Store<resources::Decision>& decisions;
  const runtime::Store<resources::PolicyMap>& policies;
  kube::ObjectKey policy_key;
  std::string supply_namespace;  // its Jobs and pods are in the same stores; empty: nothing is attested
};

class Reconciler {
 public:
  // `enqueue`: has an object looked at again, because its turn has come.
  Reconciler(runtime::Shell shell, Caches caches, Tools tools, Concurrency concurrency,
             std::function<void(kube::ObjectKey)> enqueue);
  kube::asio::awaitable<Result<runtime::Outcome>> Reconcile(kube::ObjectKey key);
  // Of every change of an ImageBuild, led or not: who runs and who waits is read from the statuses.
  void Observe(const resources::ImageBuild& build);

 private:
  using BuildPtr = runtime::Store<resources::ImageBuild>::Ptr;

  struct JobView {
    jobs::JobPtr job;
    jobs::PodPtr pod;
    std::string trouble;
    SeenJob AsSeen() const;
  };
  // All that one decision is made from, kept alive while it is carried out.
  struct View {
    BuildPtr build;
    runtime::Store<resources::PolicyMap>::Ptr policies;
    std::map<std::string, JobView> jobs;
    std::vector<OwnedJob> owned;
    std::vector<std::shared_ptr<const resources::Decision>> decisions;
    bool admitted = false;
    std::string supply_namespace;
    const resources::Policy* Policy() const;
    Seen AsSeen() const;
  };
  using ViewPtr = std::shared_ptr<const View>;

  kube::asio::awaitable<Result<ViewPtr>> Look(BuildPtr build);
  kube::asio::awaitable<Result<JobView>> LookAt(std::string ns, resources::RunJob job);
  std::vector<OwnedJob> OwnedBy(const resources::ImageBuild& build) const;
  std::vector<OwnedJob> JobsApart(const kube::ObjectKey& build) const;
  // `reasons` is one of the constants of events.h.
  kube::asio::awaitable<std::string> TroubleOf(kube::ObjectKey about, kube::Uid uid,
                                               std::span<const std::string_view> reasons);
  kube::asio::awaitable<Result<Plan>> Carry(ViewPtr view, Plan plan);
  kube::asio::awaitable<Result<>> Remove(std::string ns, std::vector<OwnedJob> jobs);
  kube::asio::awaitable<Result<Plan>> StartJobs(ViewPtr view, Plan plan);
  kube::asio::awaitable<Result<kube::Uid>> CreateJob(resources::JobRole role, kube::Json body);
  kube::asio::awaitable<Result<Plan>> GiveWay(ViewPtr view, Plan plan, StartJob start,
                                              std::string difference);
  kube::asio::awaitable<Result<>> KeepPullBuilds(BuildPtr build);
  void Place(const resources::ImageBuild& build, const resources::ImageBuildStatus& status);
  void Count(const resources::ImageBuildStatus& before, const resources::ImageBuildStatus& after);
  kube::asio::awaitable<void> ReportRefusal(BuildPtr build, Error error);
  kube::asio::awaitable<Result<>> WriteStatus(BuildPtr build, resources::ImageBuildStatus status);

  // The newest note about a Job or a Pod, by its UID, and when it was asked for.
  struct Asked {
    BootTime at{};
    std::string note;
  };
  static constexpr Duration kEventsPatience = std::chrono::seconds(5);

  runtime::Shell shell_;
  Caches caches_;
  jobs::Finder jobs_;
  Tools tools_;
  Queue queue_;
  std::function<void(kube::ObjectKey)> enqueue_;
  std::map<std::string, Asked> asked_;
};

}  // namespace slipway::image_build
