// What is said of a delivery, word by word, and what is left unsaid; and what the Job's end means.
#include "supply/delivery_predicates.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

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
using std::chrono::seconds;

const TimePoint kStart = TimePoint(std::chrono::hours(24 * 365 * 50));

CheckResult Check(const std::string& name, CheckKind kind, Verdict verdict) {
  CheckResult check;
  check.name = name;
  check.kind = kind;
  check.verdict = verdict;
  check.requests = 200;
  check.failures = verdict == Verdict::kPassed ? 0 : 7;
  check.p95_ms = 12;
  check.finished = kStart + seconds(30);
  return check;
}

DecisionRecord Decided(Verb verb, const std::string& actor) {
  return {"by-" + actor, {"uid-" + actor}, verb, actor, "because", kStart, ""};
}

struct World {
  World() {
    release.meta.key = {"team", "shop"};
    release.meta.uid = {"release-uid"};
    delivery.number = 3;
    delivery.cause = resources::DeliveryCause::kBuild;
    delivery.image = "registry.test/team/shop@sha256:" + std::string(64, 'a');
    delivery.commit = std::string(40, '1');
    delivery.deployment = "web";
    delivery.promotion = "shop-cp-1";
    delivery.promotion_uid = kube::Uid{"promotion-uid"};
    delivery.outcome = "Promoted";
    delivery.started = kStart;
    delivery.finished = kStart + seconds(60);
    delivery.weight_got = 10;
    delivery.steps = {{.weight_wanted = 10,
                       .weight_got = 10,
                       .canary_replicas = 1,
                       .stable_replicas = 9,
                       .started = kStart,
                       .finished = kStart + seconds(40),
                       .verdict = "Passed"}};
    delivery.checks = {Check("default", CheckKind::kSmoke, Verdict::kPassed),
                       Check("compare", CheckKind::kCompare, Verdict::kPassed)};
    delivery.checks[1].comparison = resources::ComparisonResult{.pairs = 300, .canary_errors = 1};
    delivery.decisions = {Decided(Verb::kApprove, "anna"), Decided(Verb::kPromote, "ben")};
  }
  std::map<std::string, Json> Said() const {
    std::map<std::string, Json> said;
    for (const Statement& each : StatementsOf({release, delivery, "staging", "cluster"})) {
      EXPECT_EQ(each.type, resources::TypeIn(each.predicate, "staging"));
      said[std::string(resources::ToString(each.predicate))] = each.content;
    }
    return said;
  }
  resources::Release release;
  Delivery delivery;
};

const Json kOrigin = Json::parse(R"({
  "environment": "staging", "cluster": "cluster", "namespace": "team", "release": "shop",
  "releaseUID": "release-uid", "number": 3, "cause": "Build", "promotion": "shop-cp-1",
  "target": {"deployment": "web"},
  "startedOn": "2019-12-20T00:00:00Z", "finishedOn": "2019-12-20T00:01:00Z"})");

Json Origin(const World& world) {
  Json origin = kOrigin;
  origin["image"] = world.delivery.image;
  origin["commit"] = world.delivery.commit;
  return origin;
}

TEST(DeliveryPredicates, SmokeTestsSayEachWithItsCounts) {
  const World world;
  Json expected = Json::parse(R"({"result": "PASSED", "tests": [
    {"name": "default", "verdict": "Passed", "requests": 200, "failures": 0, "p95Ms": 12,
     "finishedOn": "2019-12-20T00:00:30Z"}]})");
  expected["delivery"] = Origin(world);
  EXPECT_EQ(world.Said()["SmokeTests"], expected);
}

TEST(DeliveryPredicates, ACanarySaysItsStepsAndWhatWasMeasured) {
  const World world;
  Json expected = Json::parse(R"({
    "verdict": "Promoted", "completion": "Promoted", "strategy": "Canary", "weightGot": 10,
    "steps": [{"weightWanted": 10, "weightGot": 10, "canaryReplicas": 1, "stableReplicas": 9,
               "verdict": "Passed", "startedOn": "2019-12-20T00:00:00Z",
               "finishedOn": "2019-12-20T00:00:40Z"}],
    "analysis": [{"name": "compare", "kind": "Compare", "verdict": "Passed",
                  "finishedOn": "2019-12-20T00:00:30Z",
                  "comparison": {"pairs": 300, "canaryErrors": 1, "stableErrors": 0, "canarySlow": 0,
                                 "stableSlow": 0, "canaryP95Ms": 0, "stableP95Ms": 0, "confidence": 0}}],
    "decisions": [{"verb": "Promote", "decision": "by-ben", "uid": "uid-ben", "actor": "ben",
                   "reason": "because", "madeOn": "2019-12-20T00:00:00Z"}]})");
  expected["delivery"] = Origin(world);
  EXPECT_EQ(world.Said()["Canary"], expected);
}

TEST(DeliveryPredicates, ApprovalsSayWhoWhenAndByWhichDecision) {
  const World world;
  Json expected = Json::parse(R"({"result": "PASSED", "approvals": [
    {"decision": "by-anna", "uid": "uid-anna", "actor": "anna", "reason": "because",
     "madeOn": "2019-12-20T00:00:00Z"}]})");
  expected["delivery"] = Origin(world);
  EXPECT_EQ(world.Said()["Approvals"], expected);
}

TEST(DeliveryPredicates, TheTargetIsTheDeliverysAndNotTheSpecs) {
  World world;
  world.release.spec.target = {"another", "", "another"};
  world.delivery.container = "app";
  const Json target = {{"deployment", "web"}, {"container", "app"}};
  EXPECT_EQ(world.Said()["Canary"].at("delivery").at("target"), target);
  world.delivery.deployment.clear();
  EXPECT_FALSE(world.Said()["Canary"].at("delivery").contains("target")) << "an older entry has none";
}

struct Row {
  const char* what;
  std::function<void(Delivery&)> arrange;
  std::vector<Predicate> said;
  const char* verdict = "Promoted";
  const char* result = "";  // of the smoke tests
};

TEST(DeliveryPredicates, WhatIsSaidAndWhatIsNot) {
  constexpr auto kSmoke = Predicate::kSmokeTests;
  constexpr auto kCanary = Predicate::kCanary;
  constexpr auto kApprovals = Predicate::kApprovals;
  const auto fails = [](Delivery& d) { d.checks[0].verdict = Verdict::kFailed; };
  const std::vector<Row> rows{
      {"all", [](Delivery&) {}, {kSmoke, kCanary, kApprovals}, "Promoted", "PASSED"},
      {"nobody approved",
       [](Delivery& d) { d.decisions.erase(d.decisions.begin()); },
       {kSmoke, kCanary},
       "Promoted",
       "PASSED"},
      {"an approval that was refused",
       [](Delivery& d) { d.decisions[0].refused = "expired"; },
       {kSmoke, kCanary},
       "Promoted",
       "PASSED"},
      {"nothing was asked", [](Delivery& d) { d.checks.clear(); }, {kCanary, kApprovals}},
      {"only measured", [](Delivery& d) { d.checks.erase(d.checks.begin()); }, {kCanary, kApprovals}},
      {"it could not tell",
       [](Delivery& d) { d.checks[0].verdict = Verdict::kInconclusive; },
       {kSmoke, kCanary, kApprovals},
       "Promoted",
       "FAILED"},
      {"another test failed",
       [](Delivery& d) { d.checks.push_back(Check("b", CheckKind::kSmoke, Verdict::kError)); },
       {kSmoke, kCanary, kApprovals},
       "Promoted",
       "FAILED"},
      {"a measurement failed, and a person promoted it",
       [](Delivery& d) { d.checks[1].verdict = Verdict::kFailed; },
       {kSmoke, kCanary, kApprovals},
       "Promoted",
       "PASSED"},
      {"aborted by a test",
       [&](Delivery& d) {
         fails(d);
         d.outcome = "Aborted";
       },
       {kSmoke, kCanary},
       "Failed",
       "FAILED"},
      {"aborted by a measurement", [](Delivery& d) { d.outcome = "Aborted"; }, {kCanary}, "Failed"},
      {"rolled back", [](Delivery& d) { d.outcome = "RolledBack"; }, {kCanary}, "Failed"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    World world;
    row.arrange(world.delivery);
    EXPECT_EQ(PredicatesOf(world.delivery), row.said);
    auto said = world.Said();
    EXPECT_EQ(said.size(), row.said.size());
    EXPECT_EQ(said["Canary"].at("verdict"), row.verdict);
    if (*row.result != '\0') EXPECT_EQ(said["SmokeTests"].at("result"), row.result);
  }
}

TEST(DeliveryPredicates, OnlyWhatAPromotionJudgedIs) {
  World world;
  EXPECT_TRUE(IsJudged(world.delivery));
  for (const char* outcome : {"Aborted", "RolledBack"}) {
    world.delivery.outcome = outcome;
    EXPECT_TRUE(IsJudged(world.delivery)) << outcome;
  }
  for (const char* outcome : {"", "Superseded", "AlreadyRunning"}) {
    world.delivery.outcome = outcome;
    EXPECT_FALSE(IsJudged(world.delivery)) << outcome;
  }
  world.delivery.outcome = "Promoted";
  world.delivery.finished.reset();
  EXPECT_FALSE(IsJudged(world.delivery)) << "not ended";
  world.delivery.finished = kStart;
  world.delivery.promotion_uid.reset();
  EXPECT_FALSE(IsJudged(world.delivery)) << "its migration failed";
}

TEST(DeliveryAttestJob, AttestsEachByItsTypeAndSignsNothing) {
  const World world;
  const resources::Policy policy;
  const AttestRequest request{
      .name = "shop-attest-1",
      .owner = {"Release", {"team", "shop"}, {"release-uid"}},
      .image = world.delivery.image,
      .signer = {.name = "release", .secret = "release-key", .public_key = "PEM"},
      .sboms = {},
      .statements = StatementsOf({world.release, world.delivery, "staging", "cluster"}),
      .sign = false};
  const Json job = RenderAttestJob(request, {{.cosign_image = "cosign@x"}, policy, "chain"});
  EXPECT_EQ(job["metadata"]["annotations"]["slipway.dev/digest"], "sha256:" + std::string(64, 'a'));
  const Json& pod = job["spec"]["template"]["spec"];
  ASSERT_EQ(pod["initContainers"].size(), 3U) << "two at once would lose one of two attestations";
  EXPECT_EQ(pod["initContainers"][0]["args"][2],
            "--type=https://slipway.dev/attestations/smoke-tests/v1/staging");
  EXPECT_EQ(pod["initContainers"][1]["args"][2], "--type=https://slipway.dev/attestations/canary/v1/staging");
  const Json& last = pod["initContainers"][2];
  EXPECT_EQ(last["args"][2], "--type=https://slipway.dev/attestations/approvals/v1/staging");
  EXPECT_EQ(last["args"][3], "--predicate=/input/approvals.json");
  // Then it looks whether all are there, and whether they are of this very delivery.
  ASSERT_EQ(pod["containers"].size(), 3U);
  EXPECT_EQ(pod["containers"][2]["name"], "verify-approvals");
  const std::string look = pod["containers"][2]["args"].dump();
  EXPECT_TRUE(look.contains("--type=https://slipway.dev/attestations/approvals/v1/staging")) << look;
  EXPECT_TRUE(look.contains("--policy=/input/approvals.cue")) << look;
  const std::string asked =
      job["spec"]["template"]["metadata"]["annotations"]["slipway.dev/input.approvals.cue"];
  EXPECT_TRUE(asked.contains("https://slipway.dev/attestations/approvals/v1/staging")) << asked;
  EXPECT_TRUE(asked.contains("releaseUID")) << asked;
}

TEST(AttestOutcome, IsWhatTheFirstThatFailedSays) {
  using State = AttestOutcome::State;
  resources::Job job;
  job.meta.key = {"chain", "shop-attest-1"};
  EXPECT_EQ(OutcomeOfAttest(nullptr, nullptr).state, State::kFailed) << "gone";
  EXPECT_EQ(OutcomeOfAttest(&job, nullptr).state, State::kRunning);
  job.failed = true;
  job.failed_reason = "BackoffLimitExceeded";
  auto outcome = OutcomeOfAttest(&job, nullptr);
  EXPECT_EQ(outcome.state, State::kFailed);
  EXPECT_EQ(outcome.reason, "AttestFailed");
  EXPECT_TRUE(outcome.message.contains("BackoffLimitExceeded")) << outcome.message;
  resources::Pod pod;
  pod.containers.resize(3);
  pod.containers[0] = {.name = "attest-smoke-tests", .terminated = true};
  pod.containers[1] = {.name = "attest-canary", .terminated = true, .exit_code = 1};
  pod.containers[1].message = "Error: dial tcp 10.0.0.1:5000: connect: connection refused\n";
  outcome = OutcomeOfAttest(&job, &pod);
  EXPECT_EQ(outcome.reason, "RegistryUnavailable");
  EXPECT_TRUE(outcome.message.starts_with("attest-canary: ")) << outcome.message;
  job.failed = false;
  job.complete = true;
  EXPECT_EQ(OutcomeOfAttest(&job, &pod).state, State::kAttested);
}

}  // namespace
}  // namespace slipway::supply
