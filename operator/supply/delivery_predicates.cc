#include "supply/delivery_predicates.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "resources/digest.h"

namespace slipway::supply {
namespace {

using kube::Json;
using resources::CheckKind;
using resources::CheckResult;
using resources::DecisionRecord;
using resources::Delivery;
using resources::Predicate;
using resources::Verb;
using resources::Verdict;

constexpr std::string_view kPassed = "PASSED";
constexpr std::string_view kFailed = "FAILED";

bool IsPromoted(const Delivery& delivery) { return delivery.outcome == "Promoted"; }
bool IsSmokeTest(const CheckResult& check) { return check.kind == CheckKind::kSmoke; }
bool Approves(const DecisionRecord& record) {
  return record.verb == Verb::kApprove && record.refused.empty();
}

bool AllPassed(const Delivery& delivery) {
  return std::ranges::all_of(delivery.checks, [](const CheckResult& check) {
    return !IsSmokeTest(check) || check.verdict == Verdict::kPassed;
  });
}

void AddTime(std::string_view name, const std::optional<TimePoint>& time, Json& object) {
  if (time) object[std::string(name)] = FormatTime(*time);
}

void AddText(std::string_view name, const std::string& text, Json& object) {
  if (!text.empty()) object[std::string(name)] = text;
}

// ---- whose it is ----

// As it was then: that of the spec may be another by now.
Json TargetOf(const Delivery& delivery) {
  Json json = {{"deployment", delivery.deployment}};
  AddText("container", delivery.container, json);
  return json;
}

Json Origin(const DeliveryFacts& facts) {
  const auto& meta = facts.release.meta;
  const Delivery& delivery = facts.delivery;
  Json origin = {{"environment", facts.environment},
                 {"cluster", facts.cluster},
                 {"namespace", meta.key.ns},
                 {"release", meta.key.name},
                 {"releaseUID", meta.uid.value},
                 {"number", delivery.number},
                 {"cause", resources::ToString(delivery.cause)},
                 {"image", delivery.image}};
  if (!delivery.deployment.empty()) origin["target"] = TargetOf(delivery);
  AddText("commit", delivery.commit, origin);
  AddText("promotion", delivery.promotion, origin);
  AddText("previousImage", delivery.previous_image, origin);
  AddTime("startedOn", delivery.started, origin);
  AddTime("finishedOn", delivery.finished, origin);
  return origin;
}

// ---- what was asked ----

Json NumbersOf(const resources::ComparisonResult& found) {
  return {{"pairs", found.pairs},
          {"canaryErrors", found.canary_errors},
          {"stableErrors", found.stable_errors},
          {"canarySlow", found.canary_slow},
          {"stableSlow", found.stable_slow},
          {"canaryP95Ms", found.canary_p95_ms},
          {"stableP95Ms", found.stable_p95_ms},
          {"confidence", found.confidence}};
}

Json CheckOf(const CheckResult& check) {
  Json json = {{"name", check.name}, {"verdict", resources::ToString(check.verdict)}};
  AddText("reason", check.reason, json);
  if (IsSmokeTest(check)) {
    json["requests"] = check.requests;
    json["failures"] = check.failures;
    json["p95Ms"] = check.p95_ms;
  } else {
    json["kind"] = resources::ToString(check.kind);
  }
  if (check.comparison) json["comparison"] = NumbersOf(*check.comparison);
  AddText("value", check.value, json);
  AddTime("finishedOn", check.finished, json);
  return json;
}

Json ChecksOf(const Delivery& delivery, bool smoke) {
  Json checks = Json::array();
  for (const CheckResult& check : delivery.checks) {
    if (IsSmokeTest(check) == smoke) checks.push_back(CheckOf(check));
  }
  return checks;
}

Json StepOf(const resources::StepRecord& step) {
  Json json = {{"weightWanted", step.weight_wanted},
               {"weightGot", step.weight_got},
               {"canaryReplicas", step.canary_replicas},
               {"stableReplicas", step.stable_replicas},
               {"verdict", step.verdict}};
  AddTime("startedOn", step.started, json);
  AddTime("finishedOn", step.finished, json);
  return json;
}

// ---- who decided ----

Json DecisionOf(const DecisionRecord& record) {
  Json json = {{"decision", record.name},
               {"uid", record.uid.value},
               {"actor", record.actor},
               {"madeOn", FormatTime(record.time)}};
  AddText("reason", record.reason, json);
  return json;
}

Json DecisionsOf(const Delivery& delivery, bool approvals) {
  Json decisions = Json::array();
  for (const DecisionRecord& record : delivery.decisions) {
    if (!record.refused.empty() || Approves(record) != approvals) continue;
    Json decision = DecisionOf(record);
    if (!approvals) decision["verb"] = resources::ToString(record.verb);
    decisions.push_back(std::move(decision));
  }
  return decisions;
}

// ---- the predicates ----

Json SmokeTests(const DeliveryFacts& facts) {
  return {{"result", AllPassed(facts.delivery) ? kPassed : kFailed},
          {"delivery", Origin(facts)},
          {"tests", ChecksOf(facts.delivery, true)}};
}

// The steps say whether it was one: a first delivery, and one that is `rolling`, has none.
Json Canary(const DeliveryFacts& facts) {
  const Delivery& delivery = facts.delivery;
  Json steps = Json::array();
  for (const auto& step : delivery.steps) steps.push_back(StepOf(step));
  Json canary = {{"verdict", IsPromoted(delivery) ? "Promoted" : "Failed"},
                 {"completion", delivery.outcome},
                 {"delivery", Origin(facts)},
                 {"strategy", resources::ToString(delivery.strategy)},
                 {"weightGot", delivery.weight_got},
                 {"steps", std::move(steps)},
                 {"analysis", ChecksOf(delivery, false)},
                 {"decisions", DecisionsOf(delivery, false)}};
  AddText("reason", delivery.reason, canary);
  return canary;
}

Json Approvals(const DeliveryFacts& facts) {
  return {{"result", kPassed}, {"delivery", Origin(facts)}, {"approvals", DecisionsOf(facts.delivery, true)}};
}

Json ContentOf(Predicate predicate, const DeliveryFacts& facts) {
  if (predicate == Predicate::kSmokeTests) return SmokeTests(facts);
  return predicate == Predicate::kCanary ? Canary(facts) : Approvals(facts);
}

}  // namespace

bool IsJudged(const Delivery& delivery) {
  const bool ended =
      IsPromoted(delivery) || delivery.outcome == "Aborted" || delivery.outcome == "RolledBack";
  return ended && delivery.finished && delivery.promotion_uid;
}

std::vector<Predicate> PredicatesOf(const Delivery& delivery) {
  const bool promoted = IsPromoted(delivery);
  const bool tested = std::ranges::any_of(delivery.checks, IsSmokeTest);
  std::vector<Predicate> predicates;
  if (tested && (promoted || !AllPassed(delivery))) predicates.push_back(Predicate::kSmokeTests);
  predicates.push_back(Predicate::kCanary);
  if (promoted && std::ranges::any_of(delivery.decisions, Approves)) {
    predicates.push_back(Predicate::kApprovals);
  }
  return predicates;
}

std::vector<Statement> StatementsOf(const DeliveryFacts& facts) {
  std::vector<Statement> statements;
  const Json mark = {
      {"delivery", {{"releaseUID", facts.release.meta.uid.value}, {"number", facts.delivery.number}}}};
  for (const Predicate predicate : PredicatesOf(facts.delivery)) {
    statements.push_back(
        {predicate, ContentOf(predicate, facts), mark, resources::TypeIn(predicate, facts.environment)});
  }
  return statements;
}

}  // namespace slipway::supply
