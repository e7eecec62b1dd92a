// Finds a controller's Jobs again, and the pods that say how they went. Jobs and pods are two watches, which
// are not in step: of a Job that has ended, the pod may still be seen as it was before, and right after its
// creation the cache does not have a Job at all. What the caches can't know yet is read from the API server.
#pragma once

#include <vector>

#include "base/async.h"
#include "jobs/pods.h"
#include "kube/api.h"
#include "runtime/store.h"

namespace slipway::jobs {

using JobPtr = runtime::Store<resources::Job>::Ptr;

// It refers to what it was made with. Errors are those of the API server.
class Finder {
 public:
  Finder(kube::Api& api, const runtime::Store<resources::Job>& jobs,
         const runtime::Store<resources::Pod>& pods)
      : api_(api), jobs_(jobs), pods_(pods) {}

  // nullptr: there is none of this UID.
  kube::asio::awaitable<Result<JobPtr>> Find(kube::ObjectKey key, kube::Uid uid) const;
  // `ended`: the Job has ended and its pod has to be read as it ended.
  kube::asio::awaitable<Result<std::vector<PodPtr>>> PodsOf(kube::ObjectMeta job, bool ended) const;

 private:
  kube::Api& api_;
  const runtime::Store<resources::Job>& jobs_;
  const runtime::Store<resources::Pod>& pods_;
};

}  // namespace slipway::jobs
