// What becomes of a delivery is attested on its digest, as of an environment: asked by hand with the public
// key alone, and demanded by a Release of another namespace.
#include <functional>

#include "e2e/supply/fixture.h"

namespace slipway::testing {
namespace {

constexpr const char* kProduction = "e2e-production";

std::string TypeOf(const std::string& what) {
  return "https://slipway.dev/attestations/" + what + "/v1/staging";
}

class Staged : public Supply {
 protected:
  void SetUp() override {
    In(kProduction, [&] {
      Promotions::SetUp();
      production_ = stable_;
    });
    ASSERT_NO_FATAL_FAILURE(Promotions::SetUp());
    for (const char* good : {"one", "two", "three", "four"}) {
      if (good != stable_ && good != production_) delivered_ = good;
    }
  }

  void TearDown() override {
    In(kProduction, [&] { Kubectl({"-n", ns_, "delete", "release", "web", "--ignore-not-found"}); });
    Supply::TearDown();
  }

  void In(const std::string& ns, const std::function<void()>& what) {
    const std::string own = ns_;
    const std::string stable = stable_;
    ns_ = ns;
    if (ns == kProduction && !production_.empty()) stable_ = production_;
    what();
    ns_ = own;
    if (!stable.empty()) stable_ = stable;
  }

  // A signed copy of the sample in a repository that both namespaces deliver from.
  static std::string Shared(const std::string& name, const std::string& kind) {
    std::string repository = Repository(name);
    const std::string own = "/e2e-supply/";
    repository.replace(repository.find(own), own.size(), "/slipway/");
    const Sample& sample = SampleOf(kind);
    const auto copied = Execute({"crane", "copy", "--insecure", sample.image, repository + ":1"});
    EXPECT_TRUE(copied.ok()) << copied.text;
    std::string image = repository + "@" + sample.Digest();
    Sign(image, "release");
    return image;
  }

  // By one step of a half, attested as `staging`.
  static Json Staging(const std::string& kind, const std::string& image) {
    Json spec = Deliver(kind, image, Json());
    spec["strategy"] = Json::object();
    spec["strategy"]["canary"] = {{"steps", Steps({50}, "1s")}, {"progressDeadline", "60s"}};
    spec["attest"] = {{"signer", "release"}, {"environment", "staging"}};
    return spec;
  }

  static Json Demanding(const std::vector<std::string>& what, const std::string& environment) {
    Json gates = Gates("release", what);
    gates["attestedIn"] = Json::array({environment});
    return gates;
  }

  // Waits until the newest delivery's attestation is made; the record.
  Json AttestedAs(const std::string& environment) {
    Json record;
    EXPECT_TRUE(Eventually(Seconds(90), "the delivery is attested", [&](std::string& seen) {
      record = ReleaseStatus().value("attestation", Json::object());
      seen = record.dump();
      return record.value("state", "") == "Attested";
    }));
    EXPECT_EQ(record.value("environment", ""), environment) << record;
    const Json condition = Condition(GetJson(ns_, "release", "web"), "Attested");
    EXPECT_EQ(condition.value("status", ""), "True") << condition;
    return record;
  }

  // The predicate that the key has signed.
  static Json Said(const std::string& image, const std::string& what) {
    const Output verified = VerifyAttestation(image, "release", TypeOf(what));
    EXPECT_TRUE(verified.ok()) << what << ": " << verified.text;
    const auto begin = verified.text.find("{\"payloadType\"");
    if (begin == std::string::npos) return Json::object();
    const auto end = verified.text.find('\n', begin);
    const Json envelope = Json::parse(verified.text.substr(begin, end - begin), nullptr, false);
    return StatementOf(envelope).value("predicate", Json::object());
  }

  std::string production_;  // the kind that serves there
  std::string delivered_;   // one that serves in neither
};

TEST_F(Staged, WhatBecameOfADeliveryIsAttestedAndDemandedElsewhere) {
  const std::string image = Shared("delivered", delivered_);
  Json spec = Staging(delivered_, image);
  spec["gates"] = {{"approvals", 1}};
  Release(spec);
  Held("AwaitingApproval");
  const Output approved = Decide("goes", "Approve", "Release", "web", DigestOf(image), "anna");
  ASSERT_TRUE(approved.ok()) << approved.text;
  const Json entry = Delivered();
  const Json record = AttestedAs("staging");
  EXPECT_EQ(record.value("digest", ""), DigestOf(image));
  EXPECT_EQ(record.value("delivery", 0), entry.value("number", -1));
  EXPECT_EQ(record.value("predicates", Json::array()), Json::array({"SmokeTests", "Canary", "Approvals"}));
  EXPECT_EQ(record.value("runs", 0), 1) << record;

  const Json canary = Said(image, "canary");
  EXPECT_EQ(canary.value("verdict", ""), "Promoted") << canary;
  EXPECT_EQ(Text(canary, "/delivery/environment"), "staging") << canary;
  EXPECT_EQ(Text(canary, "/delivery/namespace"), ns_) << canary;
  EXPECT_EQ(Text(canary, "/delivery/target/deployment"), "web") << canary;
  const Json cluster = Json::parse(Kubectl({"get", "namespace", "kube-system", "-o", "json"}).text);
  EXPECT_EQ(Text(canary, "/delivery/cluster"), Text(cluster, "/metadata/uid")) << canary;
  EXPECT_EQ(canary.value("/steps/0/weightWanted"_json_pointer, 0), 50) << canary;
  const Json smoke = Said(image, "smoke-tests");
  EXPECT_EQ(smoke.value("result", ""), "PASSED") << smoke;
  EXPECT_EQ(Text(smoke, "/tests/0/name"), "answers") << smoke;
  const Json approvals = Said(image, "approvals");
  EXPECT_EQ(Text(approvals, "/approvals/0/actor"), "anna") << approvals;
  EXPECT_EQ(Text(approvals, "/approvals/0/decision"), "goes") << approvals;
  EXPECT_FALSE(VerifyAttestation(image, "other", TypeOf("canary")).ok()) << "by another key";

  const std::vector<std::string> all{"SmokeTests", "Canary", "Approvals"};
  In(kProduction, [&] {
    Refused(Deliver(delivered_, image, Demanding(all, "nowhere")), "AttestationMissing",
            {"SmokeTests in nowhere", "Canary in nowhere", "Approvals in nowhere"});
    Release(Deliver(delivered_, image, Demanding(all, "staging")));
    const Json here = Delivered();
    EXPECT_EQ(here.value("/verifiedBy/attested"_json_pointer, Json::array()),
              Json::array({"SmokeTests in staging", "Canary in staging", "Approvals in staging"}));
  });
}

// The record is true: it says that it failed, and nobody takes that for a good one.
TEST_F(Staged, WhatWasTakenBackIsAttestedAsFailed) {
  const std::string image = Shared("taken-back", "bad");
  Release(Staging("bad", image));
  EXPECT_TRUE(Eventually(Seconds(120), "it is taken back", [&](std::string& seen) {
    const Json status = ReleaseStatus();
    seen = status.dump();
    return Text(status, "/history/0/outcome") == "Aborted";
  }));
  AttestedAs("staging");
  const Json canary = Said(image, "canary");
  EXPECT_EQ(canary.value("verdict", ""), "Failed") << canary;
  EXPECT_FALSE(VerifyAttestation(image, "release", TypeOf("approvals")).ok());
  In(kProduction, [&] {
    Refused(Deliver("bad", image, Demanding({"Canary"}, "staging")), "AttestationRejected",
            {"Canary in staging", "Failed"});
  });
}

// As what a namespace delivers, the platform's policy says.
TEST_F(Staged, NobodyElseSaysItIsStaging) {
  In(kProduction, [&] {
    Json spec = Deliver(delivered_, SampleOf(delivered_).image, Json());
    spec["attest"] = {{"signer", "release"}, {"environment", "staging"}};
    Refused(spec, "EnvironmentNotAllowed", {"spec.attest.environment", "staging"});
  });
}

}  // namespace
}  // namespace slipway::testing
