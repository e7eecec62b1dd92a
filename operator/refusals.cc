#include "refusals.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace slipway {

Refusals::Refusals(const asio::any_io_executor& executor, kube::Api& api, const Clock& clock)
    : api_(api), clock_(clock), wake_(executor) {}

void Refusals::Put(Refusal refusal) {
  waiting_.push_back(std::move(refusal));
  wake_.Notify();
}

// The conditions alone: what else the status records (a baseline, runs) stays.
kube::Request Refusals::PatchOf(const Refusal& refusal) const {
  kube::Json conditions = kube::Json::array();
  for (const auto& [type, status] :
       {std::pair{"Ready", "False"}, std::pair{refusal.stalled ? "Stalled" : "Reconciling", "True"}}) {
    conditions.push_back({{"type", type},
                          {"status", status},
                          {"reason", refusal.reason},
                          {"message", Clip(refusal.message, 1000)},
                          {"lastTransitionTime", FormatTime(clock_.Now())}});
  }
  kube::Json patch;
  patch["status"]["conditions"] = std::move(conditions);
  return kube::MergePatchStatus(refusal.resource, refusal.key, patch);
}

// One bad object stops nothing but itself: it gets a condition that says what to change.
asio::awaitable<void> Refusals::Run() {
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
    if (waiting_.empty()) {
      co_await wake_.Wait();
      continue;
    }
    const Refusal refusal = std::move(waiting_.front());
    waiting_.pop_front();
    auto written = co_await api_.Call(PatchOf(refusal));
    if (!written) log::warn("a condition was not written: {}", written.error().message);
  }
}

}  // namespace slipway
