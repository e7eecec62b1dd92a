#include "release/delivery.h"

#include <fmt/format.h>

#include <algorithm>

namespace slipway::release {

using resources::CanaryPhase;
using resources::CanaryPromotion;
using resources::CheckResult;
using resources::Completion;
using resources::DecisionRecord;
using resources::Delivery;

namespace {
// As many as the CRD allows.
constexpr std::size_t kMostChecks = 12;
constexpr std::size_t kMostSteps = 20;
constexpr std::size_t kMostOfADelivery = 10;  // Decisions

template <class T>
void KeepLast(std::vector<T>& list, std::size_t most) {
  if (list.size() > most) list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(most));
}

resources::StepRecord RecordOf(const resources::StepStatus& step) {
  return {.weight_wanted = step.weight_wanted,
          .weight_got = step.weight_got,
          .canary_replicas = step.canary_replicas,
          .stable_replicas = step.stable_replicas,
          .started = step.started,
          .finished = step.finished,
          .verdict = step.verdict};
}
}  // namespace

bool Open(const Delivery& delivery) { return !delivery.finished; }
bool Delivered(const Delivery& d) { return d.outcome == "Promoted" || d.outcome == "AlreadyRunning"; }
bool Failed(const Delivery& d) { return d.outcome == "Aborted" || d.outcome == "RolledBack"; }
bool CalledOff(const Delivery& d) { return Open(d) && !d.outcome.empty(); }
bool Ended(const CanaryPromotion& promotion) { return promotion.status.completion != Completion::kNone; }

bool CanBeSuperseded(CanaryPhase phase) {
  switch (phase) {
    case CanaryPhase::kPromoting:
    case CanaryPhase::kVerifying:
    case CanaryPhase::kFinishing:
    case CanaryPhase::kAborting:
    case CanaryPhase::kPromoted:
    case CanaryPhase::kAborted:
      return false;
    default:
      return true;
  }
}

std::string Named(std::string_view full, std::string_view commit) {
  const auto at = full.find("@sha256:");
  std::string image(at == std::string_view::npos ? full : full.substr(0, at + 20));
  if (commit.empty()) return image;
  return fmt::format("{} (commit {})", image, commit.substr(0, 12));
}
std::string Named(const Delivery& delivery) { return Named(delivery.image, delivery.commit); }

void Note(std::vector<DecisionRecord>& records, const DecisionRecord& record) {
  const auto known = std::ranges::find(records, record.uid, &DecisionRecord::uid);
  if (known != records.end()) {
    *known = record;
    return;
  }
  const auto later = std::ranges::upper_bound(records, record.time, {}, &DecisionRecord::time);
  records.insert(later, record);
}

void Note(Delivery& delivery, const DecisionRecord& record) {
  auto& records = delivery.decisions;
  Note(records, record);
  if (records.size() <= kMostOfADelivery) return;
  auto goes = std::ranges::find_if(records, [](const auto& r) { return !r.refused.empty(); });
  if (goes == records.end()) {
    goes = std::ranges::find_if(records, [](const auto& r) { return r.verb != resources::Verb::kRollback; });
  }
  records.erase(goes == records.end() ? records.begin() : goes);
}

void DropDetails(std::vector<Delivery>& history) {
  for (std::size_t i = kMostDetailed; i < history.size(); ++i) {
    history[i].steps.clear();
    history[i].checks.clear();
  }
}

void Copy(const CanaryPromotion& promotion, Delivery& delivery) {
  const auto& status = promotion.status;
  if (status.baseline) delivery.previous_image = status.baseline->image;
  delivery.weight_wanted = status.steps.empty() ? status.weight_wanted : status.steps.back().weight_wanted;
  delivery.weight_got = status.steps.empty() ? status.weight_got : status.steps.back().weight_got;
  delivery.steps.clear();
  delivery.checks.clear();
  const auto add = [&delivery](const std::vector<CheckResult>& results) {
    delivery.checks.insert(delivery.checks.end(), results.begin(), results.end());
  };
  for (const auto& step : status.steps) {
    delivery.steps.push_back(RecordOf(step));
    add(step.checks.results);
  }
  add(status.verification.results);
  KeepLast(delivery.steps, kMostSteps);
  KeepLast(delivery.checks, kMostChecks);
  for (const auto& decision : status.decisions) Note(delivery, decision);
}

}  // namespace slipway::release
