// What becomes of a run whose attestations another Job undid, and when a Job is known again.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "image_build/attest.h"
#include "image_build/stages.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using kube::Json;

World Asking() {
  World world;
  world.build.spec.attest = resources::AttestSpec{"release", {}, true};
  world.policy->signers = {"release"};
  return world;
}

ContainerState LostScan() { return Ended("verify-scan", 1, "Error: no matching attestations: \n"); }

TEST(AttestAgain, WhatAnotherJobUndidIsAttestedAnewAndNotForEver) {
  World world = Asking();
  world.build.spec.build.retries = 0;
  world.Pushed();
  world.Step();
  std::vector<std::string> names;
  for (const char* leg : {"", "2", "3"}) {
    const auto& job = world.Run().jobs.back();
    ASSERT_EQ(job.role, JobRole::kAttest);
    EXPECT_EQ(job.leg, leg);
    names.push_back(job.name);
    world.Finish(JobRole::kAttest, {Ended("attest-scan"), Ended("sign"), LostScan()}, leg);
    world.JobOf(JobRole::kAttest, leg).complete = false;
    world.JobOf(JobRole::kAttest, leg).failed = true;
    const auto plan = world.Step();
    if (std::string_view(leg) == "3") {
      EXPECT_EQ(Reason(plan), "AttestationLost");
      EXPECT_TRUE(Message(plan).contains("Scan was attested, and is not there")) << Message(plan);
      EXPECT_TRUE(plan.status.runs[0].finished);
      break;
    }
    EXPECT_FALSE(plan.status.runs[0].finished) << leg;
    EXPECT_FALSE(plan.status.runs[0].failure) << leg;
    ASSERT_EQ(plan.starts.size(), 1U);
    EXPECT_EQ(FindStage(plan.status.runs[0], "attest")->state, StageState::kPending);
    EXPECT_FALSE(plan.status.latest);
  }
  EXPECT_NE(names[0], names[1]);
  EXPECT_NE(names[1], names[2]);
}

TEST(AttestAgain, TheSecondJobMayEndTheRunWell) {
  World world = Asking();
  world.Pushed();
  world.Step();
  world.Finish(JobRole::kAttest, {Ended("sign"), LostScan()});
  world.JobOf(JobRole::kAttest).complete = false;
  world.JobOf(JobRole::kAttest).failed = true;
  world.Step();
  world.Finish(JobRole::kAttest, {Ended("attest-scan"), Ended("sign"), Ended("verify-scan")}, "2");
  const auto plan = world.Step();
  EXPECT_EQ(Reason(plan), "Succeeded");
  EXPECT_TRUE(plan.status.runs[0].attestation);
  EXPECT_EQ(FindStage(plan.status.runs[0], "attest")->state, StageState::kSucceeded);
}

TEST(AttestAgain, NothingElseThatFailsIsAttestedAnew) {
  const BuildRun run{.jobs = {{.name = "a", .role = JobRole::kAttest}}};
  EXPECT_TRUE(AttestsAgain(run, run.jobs[0], {"attest", "AttestationLost", "", "", ""}));
  EXPECT_FALSE(AttestsAgain(run, run.jobs[0], {"attest", "AttestFailed", "", "", ""}));
  const resources::RunJob build{.name = "b", .role = JobRole::kBuild};
  EXPECT_FALSE(AttestsAgain(run, build, {"build", "AttestationLost", "", "", ""}));
}

TEST(AttestAgain, AJobIsKnownAgainByWhatItWasAskedFor) {
  const Json ours = {{"metadata",
                      {{"labels", {{"slipway.dev/uid", "u"}, {"slipway.dev/role", "attest"}}},
                       {"annotations", {{"slipway.dev/asked", "abc"}}}}},
                     {"spec", 1}};
  Json live = ours;
  live["spec"] = 2;
  EXPECT_TRUE(AskedForTheSame(ours, live));
  for (const char* at : {"/metadata/labels/slipway.dev~1uid", "/metadata/labels/slipway.dev~1role",
                         "/metadata/annotations/slipway.dev~1asked"}) {
    Json other = live;
    other[Json::json_pointer(at)] = "x";
    EXPECT_FALSE(AskedForTheSame(ours, other)) << at;
    other[Json::json_pointer(at)] = nullptr;
    EXPECT_FALSE(AskedForTheSame(ours, other)) << at;
  }
  Json unmarked = ours;
  unmarked["metadata"].erase("annotations");
  EXPECT_FALSE(AskedForTheSame(unmarked, unmarked)) << "that nothing is said is not the same";
}

}  // namespace
}  // namespace slipway::image_build
