// What is demanded of a delivery's attestations, and how it is put to cosign.
#include "supply/delivery_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "supply/verify_job.h"

namespace slipway::supply {
namespace {

using kube::Json;
using resources::Predicate;
using Strings = std::vector<std::string>;

TEST(AttestedTest, EachKindOfEachEnvironmentAndNothingOfBuilds) {
  const auto attested =
      AttestedIn({Predicate::kApprovals, Predicate::kScan, Predicate::kCanary}, {"staging", "qa", "staging"});
  EXPECT_EQ(NamesOf(attested),
            (Strings{"Canary in staging", "Canary in qa", "Approvals in staging", "Approvals in qa"}));
  EXPECT_TRUE(AttestedIn({Predicate::kProvenance, Predicate::kTests}, {"staging"}).empty());
  EXPECT_TRUE(AttestedIn({Predicate::kCanary}, {}).empty());
}

TEST(AttestedTest, TwoListsAreOneAndEachIsThereOnce) {
  auto all = AttestedIn({Predicate::kCanary}, {"staging"});
  AddAttested(all, AttestedIn({Predicate::kSmokeTests, Predicate::kCanary}, {"staging"}));
  EXPECT_EQ(NamesOf(all), (Strings{"Canary in staging", "SmokeTests in staging"}));
}

TEST(AttestedTest, AContainersNameSaysWhatItLooksAt) {
  const std::string longest(resources::kLongestEnvironment, 'a');
  for (const Predicate predicate : resources::kAllPredicates) {
    if (!resources::IsOfDelivery(predicate)) continue;
    for (const std::string& environment :
         {std::string("staging"), std::string("canary-approvals"), longest}) {
      const Attested attested{predicate, environment};
      const std::string container = ContainerOf(attested);
      EXPECT_EQ(AttestedOf(container), attested);
      EXPECT_LE(container.size(), 63U);
      // The part of an annotation's name behind the slash.
      EXPECT_LE(("input." + container + ".cue").size(), 63U);
    }
  }
  for (const char* other : {"signature", "provenance", "tests", "canary", "approvals", "istio-proxy"}) {
    EXPECT_FALSE(AttestedOf(other)) << other;
  }
}

TEST(AttestedTest, APolicyMarksEveryFieldAsOneThatMustBeThere) {
  EXPECT_EQ(PolicyOf({Predicate::kCanary, "staging"}),
            R"({"predicateType"!: "https://slipway.dev/attestations/canary/v1/staging", )"
            R"("predicate"!: {"delivery"!: {"environment"!: "staging"}, "verdict"!: "Promoted"}})"
            "\n");
  EXPECT_EQ(PolicyOf({Predicate::kSmokeTests, "qa"}),
            R"({"predicateType"!: "https://slipway.dev/attestations/smoke-tests/v1/qa", )"
            R"("predicate"!: {"delivery"!: {"environment"!: "qa"}, "result"!: "PASSED"}})"
            "\n");
  EXPECT_EQ(PolicyOf({Predicate::kApprovals, "qa"}),
            R"({"predicateType"!: "https://slipway.dev/attestations/approvals/v1/qa", )"
            R"("predicate"!: {"delivery"!: {"environment"!: "qa"}, "result"!: "PASSED"}})"
            "\n");
  for (const Predicate predicate : {Predicate::kCanary, Predicate::kSmokeTests, Predicate::kApprovals}) {
    const std::string policy = PolicyOf({predicate, "staging"});
    EXPECT_FALSE(policy.contains("\": ")) << "a field without its mark: " << policy;
  }
}

VerifyRequest Request() {
  VerifyRequest request;
  request.name = "shop-verify-1";
  request.owner = {"Release", {"team", "shop"}, {"release-uid"}};
  request.image = "registry.test:5000/team/shop@sha256:" + std::string(64, 'a');
  request.demands.signer.name = "release";
  request.demands.signer.public_key = "PEM";
  request.demands.attested = AttestedIn({Predicate::kSmokeTests, Predicate::kCanary}, {"staging"});
  return request;
}

TEST(AttestedTest, TheVerifyingJobHasAContainerForEach) {
  const resources::Policy policy;
  const Json job = RenderVerifyJob(Request(), {{.cosign_image = "cosign@x"}, policy, "chain"});
  const Json& pod = job["spec"]["template"];
  Strings names;
  for (const Json& container : pod["spec"]["containers"]) names.push_back(container["name"]);
  EXPECT_EQ(names, (Strings{"signature", "smoke-tests-staging", "canary-staging"}));
  const auto args = pod["spec"]["containers"][2]["args"].get<Strings>();
  for (const char* arg : {"verify-attestation", "--type=https://slipway.dev/attestations/canary/v1/staging",
                          "--policy=/input/canary-staging.cue", "--key=/input/cosign.pub"}) {
    EXPECT_NE(std::ranges::find(args, arg), args.end()) << arg;
  }
  EXPECT_EQ(pod["metadata"]["annotations"]["slipway.dev/input.canary-staging.cue"],
            PolicyOf({Predicate::kCanary, "staging"}));
  EXPECT_EQ(NamesOf(Request().demands), (Strings{"Signature", "SmokeTests in staging", "Canary in staging"}));
}

TEST(AttestedTest, AnotherEnvironmentIsAnotherQuestion) {
  Demands demands = Request().demands;
  const std::string key = KeyOf(demands);
  demands.attested[1].environment = "qa";
  EXPECT_NE(KeyOf(demands), key);
  demands.attested.pop_back();
  EXPECT_NE(KeyOf(demands), key);
}

// What is missing is named with its environment.
TEST(AttestedTest, WhatIsMissingIsNamed) {
  resources::Job job;
  job.meta.key = {"chain", "shop-verify-1"};
  job.failed = true;
  resources::Pod pod;
  const auto ended = [](const char* name, int code, const std::string& why) {
    resources::ContainerState container;
    container.name = name;
    container.terminated = true;
    container.exit_code = code;
    container.message = code == 0 ? "" : "Error: " + why + "\nerror during command execution: " + why + "\n";
    return container;
  };
  pod.containers = {ended("signature", 0, ""), ended("smoke-tests-staging", 0, ""),
                    ended("canary-staging", 1, "no matching attestations: ")};
  auto outcome = OutcomeOfVerify(&job, &pod);
  EXPECT_EQ(outcome.reason, "AttestationMissing");
  EXPECT_EQ(outcome.missing, Strings{"Canary in staging"});
  pod.containers.back() = ended("canary-staging", 1, "1 validation errors occurred");
  outcome = OutcomeOfVerify(&job, &pod);
  EXPECT_EQ(outcome.reason, "AttestationRejected");
  EXPECT_EQ(outcome.missing, Strings{"Canary in staging"});
}

}  // namespace
}  // namespace slipway::supply
