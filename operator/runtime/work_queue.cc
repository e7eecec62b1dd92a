#include "runtime/work_queue.h"

#include <algorithm>

namespace slipway::runtime {

WorkQueue::WorkQueue(BackoffPolicy backoff) : backoff_(backoff) {}

void WorkQueue::Add(const kube::ObjectKey& key) {
  const bool added = dirty_.insert(key).second;
  // Dirty and in work: Done() puts it back, so that no two workers ever have one key.
  if (added && !in_work_.contains(key)) ready_.push_back(key);
}

void WorkQueue::AddAt(const kube::ObjectKey& key, BootTime at) {
  const auto [it, inserted] = waiting_at_.try_emplace(key, at);
  if (!inserted) {
    if (it->second <= at) return;
    waiting_.erase({it->second, key});
    it->second = at;
  }
  waiting_.emplace(at, key);
}

void WorkQueue::AddFailed(const kube::ObjectKey& key, BootTime now, double unit_random, Duration floor) {
  const int attempt = failures_[key]++;
  AddAt(key, now + std::max(BackoffDelay(backoff_, attempt, unit_random), floor));
}

void WorkQueue::Forget(const kube::ObjectKey& key) { failures_.erase(key); }

std::optional<kube::ObjectKey> WorkQueue::Get(BootTime now) {
  Promote(now);
  if (ready_.empty()) return std::nullopt;
  kube::ObjectKey key = std::move(ready_.front());
  ready_.pop_front();
  dirty_.erase(key);
  in_work_.insert(key);
  return key;
}

void WorkQueue::Done(const kube::ObjectKey& key) {
  if (in_work_.erase(key) == 0) return;
  if (dirty_.contains(key)) ready_.push_back(key);
}

std::optional<BootTime> WorkQueue::NextTime() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first;
}

int WorkQueue::failures(const kube::ObjectKey& key) const {
  const auto it = failures_.find(key);
  return it == failures_.end() ? 0 : it->second;
}

void WorkQueue::Promote(BootTime now) {
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    const kube::ObjectKey key = waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    waiting_at_.erase(key);
    Add(key);
  }
}

}  // namespace slipway::runtime
