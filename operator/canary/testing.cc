#include "canary/testing.h"

#include <fmt/format.h>

#include <cmath>

#include "canary/names.h"

namespace slipway::canary {
namespace {

using resources::CheckKind;
using resources::CheckResult;
using resources::Verdict;

std::string_view KindName(CheckKind kind) {
  if (kind == CheckKind::kCompare) return "analysis";
  return kind == CheckKind::kPrometheus ? "query" : "smoke test";
}

std::string Called(int step, const Check& check) {
  const std::string name = fmt::format("{} {}", KindName(check.kind), check.name);
  return step == kVerification ? name + " after the rollout" : fmt::format("{} of step {}", name, step + 1);
}

}  // namespace

resources::CheckRun& Testing::Run(int step) {
  return step == kVerification ? Status().verification : Step().checks;
}

bool Testing::RunChecks(int step) {
  const auto checks = ChecksOf(Spec(), step);
  auto& run = Run(step);
  if (run.job_uid && run.results.size() < checks.size()) {
    if (!TakeResult(step, checks[run.results.size()])) return false;
  }
  if (Status().paused) return false;
  if (run.results.size() >= checks.size()) return true;
  Ask(step, checks[run.results.size()]);
  return false;
}

void Testing::Ask(int step, const Check& check) {
  if (step != kVerification && Shrinks()) return;
  const std::string why = seen_.cannot_ask.empty() ? std::string() : ": " + seen_.cannot_ask;
  if (!InTime("CheckError", fmt::format("the Job of {} could not be made{}", Called(step, check), why)))
    return;
  if (!why.empty()) {
    Progress(Called(step, check) + " can't be asked yet" + why);
    return RecheckAfter(std::chrono::seconds(1));
  }
  Run(step).job_name = CheckJobName(seen_.promotion, step, check);
  Do(CreateCheckJob{step, check});
  Progress(Called(step, check) + " starts");
}

// A Job that is not there any more has no result.
void Testing::Await(int step, const Check& check) {
  const std::string job = fmt::format("Job {} of {}", Run(step).job_name.value_or(""), Called(step, check));
  if (!seen_.check) return Abort("CheckError", job + " was deleted before its result was read");
  const Duration most = TimeoutOf(check) + Spec().progress_deadline;
  if (now_ >= *Status().phase_since + most)
    return Abort("CheckError", fmt::format("{} gave no result within {}", job, FormatDuration(most)));
  Progress(Called(step, check) + " runs");
  RecheckAfter(kPodsRecheck);
}

bool Testing::TakeResult(int step, const Check& check) {
  if (!seen_.check || seen_.check->running) {
    Await(step, check);
    return false;
  }
  CheckResult result = seen_.check->result;
  result.name = check.name;
  result.kind = check.kind;
  if (result.verdict == Verdict::kNone) result.verdict = Verdict::kError;
  result.finished = result.finished.value_or(now_);
  DoubtSplit(step, result);
  auto& run = Run(step);
  run.results.push_back(result);
  run.job_name.reset();
  run.job_uid.reset();
  Enter(Status().phase);  // each check has a deadline of its own
  return Judge(step, result);
}

// The probe was told the canary's share of ready pods when its Job was made. Where pods have come or gone
// since (an autoscaler, a node), a split that missed that share says nothing about how the Service chooses.
void Testing::DoubtSplit(int step, CheckResult& result) const {
  if (step == kVerification || result.reason != "SplitNotReal" || !result.share) return;
  const int canary = seen_.canary == nullptr ? 0 : seen_.canary->ready_replicas;
  const double all = std::max(1, canary + Stable().ready_replicas);
  constexpr double kPermille = 1000;
  if (std::abs(canary * kPermille / all - result.share->wanted_permille) <= 1) return;
  result.verdict = Verdict::kInconclusive;
  result.reason = "PodsChanged";
  result.message += "; but ready pods came or went meanwhile, so that share was not what was to be met";
}

bool Testing::Judge(int step, const CheckResult& result) {
  if (result.verdict == Verdict::kPassed) return true;
  const std::string where =
      step == kVerification ? "after the rollout" : fmt::format("at {}%", Step().weight_got);
  const std::string said =
      fmt::format("{} {} {}: {}", KindName(result.kind), result.name, where, result.message);
  const bool unsure = result.verdict == Verdict::kInconclusive;
  if (unsure && Spec().analysis.on_inconclusive == resources::OnInconclusive::kPause) {
    Status().paused = resources::Pause{"Inconclusive", Clipped(said), now_};
    return true;
  }
  FailStep(step);
  if (unsure) {
    Abort("Inconclusive", said);
  } else if (result.verdict == Verdict::kError) {
    Abort("CheckError", said);
  } else {
    Abort(result.reason.empty() ? "CheckFailed" : result.reason, said);
  }
  return false;
}

void Testing::FailStep(int step) {
  if (step == kVerification) return;
  Step().verdict = "Failed";
  Step().finished = now_;
}

}  // namespace slipway::canary
