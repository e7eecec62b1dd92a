#include "jobs/find.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "resources/tolerant.h"

namespace slipway::jobs {

using kube::asio::awaitable;
using resources::Job;
using resources::Pod;

awaitable<Result<JobPtr>> Finder::Find(kube::ObjectKey key, kube::Uid uid) const {
  JobPtr cached = jobs_.Get(key);
  if (cached && cached->meta.uid == uid) co_return cached;
  // To take it for gone would end what it is for, or run it again.
  auto request = kube::Get(kube::kJobs, key);
  const auto live = co_await api_.Call(std::move(request));
  if (!live && live.error().kind == ErrorKind::kNotFound) co_return nullptr;
  if (!live) co_return std::unexpected(live.error());
  auto decoded = Job::Decode(*live);
  if (!decoded) co_return std::unexpected(decoded.error());
  if (decoded->meta.uid != uid) co_return nullptr;
  co_return std::make_shared<const Job>(std::move(*decoded));
}

awaitable<Result<std::vector<PodPtr>>> Finder::PodsOf(kube::ObjectMeta job, bool ended) const {
  auto cached = pods_.OwnedBy(job.uid);
  const PodPtr newest = NewestPod(job, cached);
  if (!ended || (newest && HasEnded(*newest))) co_return cached;
  kube::ListParams params;
  params.label_selector = fmt::format("{}={}", resources::kJobLabel, job.key.name);
  params.limit = 20;
  auto request = kube::List(kube::kPods, job.key.ns, params);
  const auto list = co_await api_.Call(std::move(request));
  if (!list) co_return std::unexpected(list.error());
  std::vector<PodPtr> pods;
  for (const auto& item : resources::ListAt(*list, "items")) {
    auto decoded = Pod::Decode(item);
    if (decoded) pods.push_back(std::make_shared<const Pod>(std::move(*decoded)));
  }
  co_return pods;
}

}  // namespace slipway::jobs
