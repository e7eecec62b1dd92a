#include "canary/manifests.h"

#include <gtest/gtest.h>

#include "canary/names.h"
#include "canary/smoke_report.h"
#include "unit/canary/world.h"

namespace slipway::canary {
namespace {

using kube::Json;

Json Stable() {
  return Json::parse(R"({
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "team", "uid": "web-uid", "resourceVersion": "7",
      "labels": {"app": "web", "argocd.argoproj.io/instance": "web"},
      "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "meta.helm.sh/release-name": "web"}},
    "spec": {
      "replicas": 10, "paused": false, "minReadySeconds": 3, "progressDeadlineSeconds": 600,
      "selector": {"matchLabels": {"app": "web"}},
      "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 0}},
      "template": {
        "metadata": {"labels": {"app": "web"},
          "annotations": {"prometheus.io/scrape": "true", "argocd.argoproj.io/tracking-id": "x"}},
        "spec": {"containers": [{"name": "web", "image": "old", "env": [{"name": "A", "value": "b"}]},
                                {"name": "sidecar", "image": "kept"}],
                 "terminationGracePeriodSeconds": 30}}}})");
}

TEST(RenderCanary, CopiesStableButForItsNameItsMarksAndItsImage) {
  const World world;
  const Json canary = RenderCanary(world.promotion, Stable(), "web", 2);
  EXPECT_EQ(canary["metadata"]["name"], CanaryName(world.promotion));
  EXPECT_EQ(canary["spec"]["replicas"], 2);
  const Json& pod = canary["spec"]["template"];
  EXPECT_EQ(pod["spec"]["containers"][0]["image"], Image('b'));
  EXPECT_EQ(pod["spec"]["containers"][0]["env"],
            Stable()["spec"]["template"]["spec"]["containers"][0]["env"]);
  EXPECT_EQ(pod["spec"]["containers"][1]["image"], "kept");
  EXPECT_EQ(pod["spec"]["terminationGracePeriodSeconds"], 30);
  EXPECT_EQ(canary["spec"]["minReadySeconds"], 3);
  EXPECT_EQ(canary["spec"]["strategy"], Stable()["spec"]["strategy"]);
}

TEST(RenderCanary, TakesNoMarkByWhichOthersWouldOwnIt) {
  const World world;
  const Json canary = RenderCanary(world.promotion, Stable(), "web", 1);
  EXPECT_FALSE(canary["metadata"].contains("annotations"));
  EXPECT_EQ(canary["metadata"]["labels"].size(), 4U) << canary["metadata"]["labels"];
  const Json& annotations = canary["spec"]["template"]["metadata"]["annotations"];
  EXPECT_EQ(annotations, Json({{"prometheus.io/scrape", "true"}}));
}

TEST(RenderCanary, ItsSelectorTakesItsOwnPodsOnly) {
  const World world;
  const Json canary = RenderCanary(world.promotion, Stable(), "web", 1);
  const Json& selector = canary["spec"]["selector"]["matchLabels"];
  const Json& labels = canary["spec"]["template"]["metadata"]["labels"];
  EXPECT_EQ(selector["app"], "web");
  EXPECT_EQ(selector["slipway.dev/track"], "canary");
  EXPECT_EQ(selector["slipway.dev/promotion"], "promotion-uid");
  for (const auto& [key, value] : selector.items()) EXPECT_EQ(labels[key], value);
}

TEST(RenderCanary, IsOwnedByStableSoThatItIsNotCollectedBeforeIt) {
  const World world;
  const Json owner = RenderCanary(world.promotion, Stable(), "web", 1)["metadata"]["ownerReferences"][0];
  EXPECT_EQ(owner["kind"], "Deployment");
  EXPECT_EQ(owner["uid"], "web-uid");
  EXPECT_FALSE(owner.contains("controller"));
}

class SmokeJob : public ::testing::Test {
 protected:
  SmokeJob() {
    world_.canary = World::Deployed("web-canary", 1, Image('b'));
    auto ready = std::make_shared<resources::Pod>();
    ready->meta.key = {"team", "web-canary-1"};
    ready->ready = true;
    ready->ip = "10.0.0.7";
    auto starting = std::make_shared<resources::Pod>(*ready);
    starting->meta.key.name = "web-canary-2";
    starting->ready = false;
    pods_ = {ready, starting};
    test_.p95_limit = std::chrono::milliseconds(1500);
  }
  Json Render() {
    return RenderSmokeJob(world_.promotion, {0, test_},
                          {*world_.service, *world_.canary, pods_, 0.1, "builder", "runner@sha256:1"});
  }
  std::vector<std::string> Arguments() {
    return Render()["spec"]["template"]["spec"]["containers"][0]["args"].get<std::vector<std::string>>();
  }

  World world_;
  resources::SmokeTest test_;
  std::vector<std::shared_ptr<const resources::Pod>> pods_;
};

TEST_F(SmokeJob, AsksThroughTheServiceAndAtEachReadyPod) {
  world_.service->target_port = "http";
  EXPECT_EQ(Arguments(),
            (std::vector<std::string>{
                "probe", "--url=http://web.team.svc:80", "--health-path=/healthz", "--requests=200",
                "--p95-limit=1.5s", "--timeout=1m", "--canary-share=0.1000", "--report=/dev/termination-log",
                "--version-path=/version", "--expect-version=2222", "--pod=web-canary-1=10.0.0.7:8080"}));
}

TEST_F(SmokeJob, AsksForNoVersionThatNobodyNamed) {
  world_.promotion.spec.version.clear();
  for (const auto& argument : Arguments()) EXPECT_FALSE(argument.contains("version")) << argument;
}

TEST_F(SmokeJob, RunsWithoutRightsAndEnds) {
  const Json job = Render();
  const Json& pod = job["spec"]["template"]["spec"];
  EXPECT_EQ(job["spec"]["backoffLimit"], 0);
  EXPECT_EQ(job["spec"]["activeDeadlineSeconds"], 180);
  EXPECT_EQ(pod["automountServiceAccountToken"], false);
  EXPECT_EQ(pod["serviceAccountName"], "builder");
  EXPECT_EQ(pod["securityContext"]["runAsNonRoot"], true);
  EXPECT_EQ(pod["containers"][0]["securityContext"]["capabilities"]["drop"][0], "ALL");
  EXPECT_FALSE(job["spec"]["template"]["metadata"]["labels"].contains("app"))
      << "the Service would select it";
}

TEST_F(SmokeJob, HasAnotherNameForEachAttemptStepAndTest) {
  const auto& promotion = world_.promotion;
  const std::string first = SmokeJobName(promotion, 0, "default");
  EXPECT_EQ(first, SmokeJobName(promotion, 0, "default"));
  EXPECT_NE(first, SmokeJobName(promotion, 1, "default"));
  EXPECT_NE(first, SmokeJobName(promotion, 0, "other"));
  world_.promotion.status.started = kNow;
  EXPECT_NE(first, SmokeJobName(promotion, 0, "default"));
}

TEST(RenderStable, AlwaysSendsReplicasAndImageTogether) {
  const World world;
  const Json body = RenderStable(world.stable->meta, "web", {9, Image('a')}, true);
  EXPECT_EQ(body["spec"]["replicas"], 9);
  EXPECT_EQ(body["spec"]["template"]["spec"]["containers"],
            Json::array({{{"name", "web"}, {"image", Image('a')}}}));
  EXPECT_EQ(body["metadata"]["uid"], "web-uid");
  EXPECT_TRUE(body["metadata"].contains("resourceVersion"));
  EXPECT_FALSE(RenderStable(world.stable->meta, "web", {9, Image('a')}, false)["spec"].contains("replicas"));
}

TEST(OwnsReplicas, OnlyByAnApplyOfOurs) {
  const auto managed = [](const char* manager, const char* operation, const char* fields) {
    return Json{{"metadata",
                 {{"managedFields", Json::array({{{"manager", manager},
                                                  {"operation", operation},
                                                  {"fieldsV1", Json::parse(fields)}}})}}}};
  };
  const char* replicas = R"({"f:spec": {"f:replicas": {}}})";
  EXPECT_TRUE(OwnsReplicas(managed("slipway", "Apply", replicas)));
  EXPECT_FALSE(OwnsReplicas(managed("slipway", "Update", replicas)));
  EXPECT_FALSE(OwnsReplicas(managed("kubectl", "Apply", replicas)));
  EXPECT_FALSE(OwnsReplicas(managed("slipway", "Apply", R"({"f:spec": {"f:template": {}}})")));
  EXPECT_FALSE(OwnsReplicas(Json::object()));
}

// ---- the probe's report ----

constexpr const char* kPass =
    R"({"verdict":"pass","reason":"Passed","message":"well","requests":200,"failures":0,"p50Ms":1,"p95Ms":3,"p99Ms":9,
        "versions":{"2222":21,"1111":179}})";
constexpr const char* kFail =
    R"({"verdict":"fail","reason":"RequestsFailed","message":"20 of 200","requests":200,"failures":20,"p50Ms":1,
        "p95Ms":3,"p99Ms":9})";

resources::Job Job() {
  resources::Job job;
  job.meta.key = {"team", "smoke"};
  job.meta.uid = {"job-uid"};
  return job;
}

std::shared_ptr<resources::Pod> PodOfJob() {
  auto pod = std::make_shared<resources::Pod>();
  pod->meta.key = {"team", "smoke-1"};
  pod->meta.owners = {{"batch/v1", "Job", "smoke", {"job-uid"}, true}};
  pod->meta.labels = {{"slipway.dev/job", "smoke"}};
  return pod;
}

SmokeOutcome Read(int exit_code, const std::string& message) {
  auto pod = PodOfJob();
  pod->containers = {{.name = "probe", .terminated = true, .exit_code = exit_code, .message = message}};
  return ReadOutcome(Job(), {pod}, kNow);
}

TEST(ReadOutcome, TakesTheVerdictOfAWholeReportOnly) {
  using State = SmokeOutcome::State;
  EXPECT_EQ(Read(0, kPass).state, State::kPassed);
  EXPECT_EQ(Read(0, kPass).result.versions.at("2222"), 21);
  EXPECT_EQ(Read(10, kFail).state, State::kFailed);
  EXPECT_EQ(Read(10, kFail).reason, "RequestsFailed");
  EXPECT_EQ(Read(10, kFail).result.failures, 20);
  const std::pair<int, std::string> broken[] = {
      {0, kFail},
      {10, kPass},
      {1, kPass},
      {137, kPass},
      {0, ""},
      {0, std::string(kPass).substr(0, 80)},
      {0, "[]"},
      {0, "null"},
      {0, R"({"verdict":"pass"})"},
      {0,
       R"({"verdict":"pass","reason":"Passed","message":"","requests":-1,"failures":0,"p50Ms":1,"p95Ms":1,"p99Ms":1})"}};
  for (const auto& [code, message] : broken) {
    EXPECT_EQ(Read(code, message).state, State::kBroken) << code << " " << message;
    EXPECT_EQ(Read(code, message).reason, "SmokeTestError");
  }
}

TEST(ReadOutcome, APodThatOnlyNamesTheJobAsItsOwnerHasNoSay) {
  const auto forged = [](auto change) {
    auto pod = PodOfJob();
    pod->containers = {{.name = "probe", .terminated = true, .exit_code = 0, .message = kPass}};
    change(*pod);
    return ReadOutcome(Job(), {pod}, kNow).state;
  };
  using State = SmokeOutcome::State;
  EXPECT_EQ(forged([](auto&) {}), State::kPassed);
  EXPECT_EQ(forged([](auto& pod) { pod.meta.labels.clear(); }), State::kRunning);
  EXPECT_EQ(forged([](auto& pod) { pod.meta.labels["slipway.dev/job"] = "other"; }), State::kRunning);
  EXPECT_EQ(forged([](auto& pod) { pod.meta.owners[0].uid = {"other"}; }), State::kRunning);
  EXPECT_EQ(forged([](auto& pod) { pod.meta.owners.clear(); }), State::kRunning);
}

TEST(ReadOutcome, WhatTheReportSaysIsBounded) {
  const auto said = [](const std::string& reason, const std::string& message) {
    return nlohmann::json{{"verdict", "fail"}, {"reason", reason}, {"message", message}, {"requests", 1},
                          {"failures", 1},     {"p50Ms", 1},       {"p95Ms", 1},         {"p99Ms", 1}}
        .dump();
  };
  EXPECT_EQ(Read(10, said("TooSlow", std::string(4000, 'x'))).result.message.size(), 800U);
  for (const char* reason : {"", "two words", "9lives", "x\n"}) {
    EXPECT_EQ(Read(10, said(reason, "m")).reason, "SmokeTestError") << reason;
  }
}

TEST(ReadOutcome, AJobThatEndedWithoutAPodIsBrokenAndOneThatRunsIsNot) {
  using State = SmokeOutcome::State;
  EXPECT_EQ(ReadOutcome(resources::Job{}, {}, kNow).state, State::kRunning);
  resources::Job failed;
  failed.failed = true;
  failed.failed_message = "Job was active longer than specified deadline";
  EXPECT_EQ(ReadOutcome(failed, {}, kNow).state, State::kBroken);
  EXPECT_NE(ReadOutcome(failed, {}, kNow).result.message.find("deadline"), std::string::npos);
  resources::Job complete;
  complete.complete = true;
  complete.finished = kNow - std::chrono::seconds(5);
  EXPECT_EQ(ReadOutcome(complete, {}, kNow).state, State::kRunning) << "its pod may be seen later";
  complete.finished = kNow - std::chrono::minutes(1);
  EXPECT_EQ(ReadOutcome(complete, {}, kNow).state, State::kBroken);
}

}  // namespace
}  // namespace slipway::canary
