#include "image_build/queue.h"

#include <utility>

namespace slipway::image_build {

using kube::ObjectKey;

void Queue::Update(const ObjectKey& key, State state, TimePoint since) {
  const auto known = entries_.find(key);
  const State before = known == entries_.end() ? State::kNone : known->second.state;
  const bool same_run = known != entries_.end() && known->second.since == since;
  const bool late_news = same_run && before == State::kRunning && state == State::kWaiting;
  if (late_news || (before == state && (same_run || state == State::kNone))) return;
  if (known != entries_.end()) Remove(key, known->second);
  if (state == State::kNone) return;
  entries_[key] = {state, since};
  Space& space = spaces_[key.ns];
  if (state == State::kWaiting) {
    space.waiting.emplace(since, key.name);
  } else {
    ++space.running;
    ++running_;
  }
}

void Queue::Remove(const ObjectKey& key, const Entry& entry) {
  const auto space = spaces_.find(key.ns);
  if (entry.state == State::kWaiting) {
    space->second.waiting.erase({entry.since, key.name});
  } else {
    --space->second.running;
    --running_;
  }
  if (space->second.running == 0 && space->second.waiting.empty()) spaces_.erase(space);
  entries_.erase(key);
}

bool Queue::Admitted(const ObjectKey& key) {
  Fill();
  const auto known = entries_.find(key);
  return known != entries_.end() && known->second.state == State::kRunning;
}

std::vector<ObjectKey> Queue::TakeLetIn() {
  Fill();
  return std::exchange(let_in_, {});
}

std::size_t Queue::waiting() const { return entries_.size() - running_; }

// The namespace that the next place goes to; nullptr when none of those that wait has room.
Queue::Space* Queue::Next(std::string& ns) {
  Space* best = nullptr;
  for (auto& [name, space] : spaces_) {
    if (space.waiting.empty() || space.running >= limits_.of_namespace(name)) continue;
    const bool better =
        best == nullptr || space.running < best->running ||
        (space.running == best->running && space.waiting.begin()->first < best->waiting.begin()->first);
    if (!better) continue;
    best = &space;
    ns = name;
  }
  return best;
}

void Queue::Fill() {
  std::string ns;
  while (running_ < static_cast<std::size_t>(limits_.overall)) {
    Space* space = Next(ns);
    if (space == nullptr) return;
    const auto first = space->waiting.begin();
    ObjectKey key{ns, first->second};
    const TimePoint since = first->first;
    Update(key, State::kRunning, since);
    let_in_.push_back(std::move(key));
  }
}

}  // namespace slipway::image_build
