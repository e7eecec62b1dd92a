#include "canary/budgets.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "canary/arithmetic.h"
#include "canary/names.h"

namespace slipway::canary {
namespace {

using resources::DisruptionBudget;
using resources::Labels;

const Labels& StableLabels(const Seen& seen) { return seen.stable->template_labels; }

Labels CanaryLabels(const Seen& seen) {
  Labels labels = CanaryMarks(seen.promotion);
  labels.insert(StableLabels(seen).begin(), StableLabels(seen).end());
  return labels;
}

// How many evictions it allows where `pods` of those that it selects are wanted and ready; below 0: how many
// are missing.
int Allows(const DisruptionBudget& budget, int pods) {
  const std::string& away = budget.max_unavailable;
  return away.empty() ? pods - RoundedUp(budget.min_available, pods) : std::min(pods, RoundedUp(away, pods));
}

// The step that leaves the fewest pods to stable: what every budget allows shrinks with them.
struct Least {
  std::size_t step = 0;
  int weight = 0;
  int stable = 0;
};
std::optional<Least> LeastOf(const Seen& seen) {
  const auto& spec = seen.promotion.spec;
  std::optional<Least> least;
  if (spec.capacity != resources::Capacity::kSplit) return least;
  for (std::size_t i = 0; i < spec.steps.size(); ++i) {
    const int weight = spec.steps[i].weight;
    const auto split = SplitFor(seen.stable->replicas, weight, spec.capacity, 1);
    if (split && (!least || split->stable < least->stable)) least = Least{i, weight, split->stable};
  }
  return least;
}

// One that is out of evictions without a canary is no worse off with one, as long as it gets what it demands.
std::optional<Objection> LeavesEvictions(const Seen& seen, const DisruptionBudget& budget,
                                         const Least& least) {
  const int replicas = seen.stable->replicas;
  // It may select pods of other workloads too: they stay.
  const int others = std::max(0, budget.healthy - replicas);
  const int pods = least.stable + others;
  const int left = Allows(budget, pods);
  const bool used_up = left < 0 || (left == 0 && Allows(budget, replicas + others) > 0);
  if (!used_up) return std::nullopt;
  return Objection{
      true, "DisruptionBudgetUsedUp",
      fmt::format(
          "PodDisruptionBudget {} selects the pods of Deployment {} but not the canary's: of its {} pods "
          "spec.steps[{}].weight {}% leaves {}, and it demands {} (minAvailable {}), so no node with "
          "one of them could be drained while that step lasts; let it select {}=canary too, lower "
          "minAvailable, or use spec.capacity Surge",
          budget.meta.key.name, seen.stable->meta.key.name, replicas + others, least.step, least.weight, pods,
          pods - left, budget.min_available, resources::kTrackLabel)};
}

std::optional<Objection> SelectedOnce(const Seen& seen, const Labels& canary) {
  std::vector<std::string> names;
  int of_stable = 0;
  for (const auto& budget : seen.budgets) {
    if (budget.Matches(canary)) names.push_back(budget.meta.key.name);
    if (budget.Matches(StableLabels(seen))) ++of_stable;
  }
  // Where stable's own pods can't be evicted either, that is somebody's wish.
  if (names.size() < 2 || of_stable > 1) return std::nullopt;
  std::ranges::sort(names);
  const std::size_t more = names.size() - 2;
  return Objection{
      true, "DisruptionBudgetsOverlap",
      fmt::format(
          "PodDisruptionBudgets {} and {}{} would all select the canary's pods, and a pod of more than "
          "one can't be evicted: no node with a canary of Deployment {} could be drained; let one "
          "of them alone select pods with {}=canary",
          names[0], names[1], more == 0 ? "" : fmt::format(" and {} more", more), seen.stable->meta.key.name,
          resources::kTrackLabel)};
}

}  // namespace

std::optional<Objection> BudgetsAllow(const Seen& seen) {
  const Labels canary = CanaryLabels(seen);
  if (auto objection = SelectedOnce(seen, canary)) return objection;
  const auto least = LeastOf(seen);
  if (!least) return std::nullopt;
  for (const auto& budget : seen.budgets) {
    if (!budget.Matches(StableLabels(seen)) || budget.Matches(canary)) continue;
    if (auto objection = LeavesEvictions(seen, budget, *least)) return objection;
  }
  return std::nullopt;
}

}  // namespace slipway::canary
