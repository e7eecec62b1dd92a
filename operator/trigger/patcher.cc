#include "trigger/patcher.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "base/log.h"
#include "runtime/coroutine.h"

namespace slipway::trigger {
namespace {

bool IsSame(const Patch& a, const Patch& b) { return a.key == b.key && a.annotation == b.annotation; }

// Whether the same again may have another end.
bool MayPass(ErrorKind kind) {
  return kind == ErrorKind::kTransient || kind == ErrorKind::kThrottled || kind == ErrorKind::kConflict ||
         kind == ErrorKind::kUnauthorized;
}

}  // namespace

Patcher::Patcher(asio::any_io_executor executor, kube::Api& api, const Clock& clock, PatcherOptions options)
    : api_(api), clock_(clock), options_(options), wake_(executor), random_(std::random_device{}()) {}

bool Patcher::Take(Patch patch) {
  const auto same = std::ranges::find_if(waiting_, [&](const Item& i) { return IsSame(i.patch, patch); });
  if (same != waiting_.end()) {
    // It keeps its wait: a server that is overloaded is not asked more often for it.
    same->patch = std::move(patch);
    same->tries = 0;
    return true;
  }
  if (waiting_.size() >= options_.most_waiting) return false;
  waiting_.push_back({std::move(patch)});
  wake_.Notify();
  return true;
}

std::optional<Patcher::Item> Patcher::TakeReady(BootTime now, std::optional<Duration>& wait) {
  wait.reset();
  for (auto item = waiting_.begin(); item != waiting_.end(); ++item) {
    if (item->not_before <= now) {
      Item ready = std::move(*item);
      waiting_.erase(item);
      return ready;
    }
    const Duration left = item->not_before - now;
    wait = std::min(wait.value_or(left), left);
  }
  return std::nullopt;
}

void Patcher::Judge(Item item, const Error& error) {
  const std::string name = log::Quoted(kube::ToString(item.patch.key));
  if (!MayPass(error.kind) || ++item.tries >= options_.most_tries) {
    log::error("{} of {} is not written: {}", item.patch.annotation, name, log::Quoted(error.message));
    return;
  }
  const bool replaced =
      std::ranges::any_of(waiting_, [&](const Item& i) { return IsSame(i.patch, item.patch); });
  if (replaced) return;
  Duration wait = BackoffDelay(options_.backoff, item.tries - 1, runtime::UnitRandom(random_));
  if (error.retry_after) wait = std::max<Duration>(wait, *error.retry_after);
  log::warn("{} of {} is tried again: {}", item.patch.annotation, name, log::Quoted(error.message));
  item.not_before = clock_.Boot() + wait;
  waiting_.push_back(std::move(item));
}

asio::awaitable<void> Patcher::Run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (runtime::Asked(state)) break;
    std::optional<Duration> wait;
    auto item = TakeReady(clock_.Boot(), wait);
    if (!item) {
      co_await wake_.Wait(wait);
      continue;
    }
    kube::Request request = ToRequest(item->patch);
    const auto answer = co_await api_.Call(std::move(request));
    if (!answer) {
      Judge(std::move(*item), answer.error());
      continue;
    }
    log::info("{} of {} is {}", item->patch.annotation, log::Quoted(kube::ToString(item->patch.key)),
              item->patch.value ? "written" : "removed");
  }
  if (!waiting_.empty()) log::warn("stopping: {} patches are not written", waiting_.size());
}

}  // namespace slipway::trigger
