// What a build says of its image, asked by hand with the public key alone; and who may say it.
#include <set>

#include "base/time.h"
#include "e2e/supply/fixture.h"

namespace slipway::testing {
namespace {

// cosign's exit codes; of verify-attestation everything that is not good is 1.
constexpr int kNoMatch = 12;

// One build, which every story looks at.
class Attested : public SharedSupply {
 protected:
  void Share() override {
    Json spec = TestedSpec("built", "main");
    spec["attest"] = {{"signer", "release"}, {"sbom", {"SPDX", "CycloneDX"}}};
    Build(ns_, "built", spec);
    const Json build = WaitReady(ns_, "imagebuild", "built", "True", Seconds(180));
    run_ = build.value("/status/runs/0"_json_pointer, Json::object());
    image_ = build.value("/status/latest/image"_json_pointer, "");
    ASSERT_TRUE(image_.starts_with(Repository("built") + "@sha256:")) << build;
  }

  // The statement that the key has signed.
  static Json Signed(const std::string& type) {
    const Output verified = VerifyAttestation(image_, "release", type);
    EXPECT_TRUE(verified.ok()) << type << ": " << verified.text;
    const auto begin = verified.text.find("{\"payloadType\"");
    if (begin == std::string::npos) return Json::object();
    const auto end = verified.text.find('\n', begin);
    return StatementOf(Json::parse(verified.text.substr(begin, end - begin), nullptr, false));
  }

  static inline Json run_;
  static inline std::string image_;
};

TEST_F(Attested, TheRunEndsWithItAndSaysWhatIsThere) {
  EXPECT_EQ(Text(run_, "/attestation/signer"), "release") << run_;
  const Json predicates = run_.value("/attestation/predicates"_json_pointer, Json::array());
  EXPECT_EQ(std::set<std::string>(predicates.begin(), predicates.end()),
            (std::set<std::string>{"Provenance", "SPDX", "CycloneDX", "Scan", "Tests"}));
  const Json stages = run_.value("stages", Json::array());
  ASSERT_FALSE(stages.empty());
  EXPECT_EQ(stages.back().value("name", ""), "attest") << stages;
  EXPECT_EQ(stages.back().value("state", ""), "Succeeded") << stages;
}

TEST_F(Attested, CosignVerifiesItByThePublicKeyAndByNoOther) {
  const Output good = Verify(image_, "release");
  EXPECT_TRUE(good.ok()) << good.text;
  const Output other = Verify(image_, "other");
  EXPECT_EQ(other.status, kNoMatch) << other.text;
  HasWords(other.text, {"no matching signatures"});
  for (const char* type :
       {kProvenance, "spdxjson", "cyclonedx", "vuln", "https://slipway.dev/attestations/tests/v1"}) {
    EXPECT_EQ(Text(Signed(type), "/subject/0/digest/sha256"), DigestOf(image_).substr(7)) << type;
    EXPECT_FALSE(VerifyAttestation(image_, "other", type).ok()) << type << " is verified by another key";
  }
}

TEST_F(Attested, TheProvenanceSaysByWhomFromWhatAndHow) {
  const Json statement = Signed(kProvenance);
  EXPECT_EQ(statement.value("predicateType", ""), "https://slsa.dev/provenance/v1") << statement;
  EXPECT_EQ(Text(statement, "/predicate/runDetails/builder/id"), kBuilder);
  EXPECT_EQ(Text(statement, "/predicate/buildDefinition/externalParameters/source/url"), kSourceUrl);
  EXPECT_EQ(Text(statement, "/predicate/buildDefinition/externalParameters/source/revision"), "main");
  const Json materials =
      statement.value("/predicate/buildDefinition/resolvedDependencies"_json_pointer, Json::array());
  ASSERT_EQ(materials.size(), 2U) << "the commit, and the one base image: " << materials;
  EXPECT_EQ(Text(materials[0], "/digest/gitCommit"), Text(run_, "/commit/sha"));
  EXPECT_EQ("sha256:" + Text(materials[1], "/digest/sha256"), Text(run_, "/bases/0/digest"));
  const auto started = ParseTime(Text(statement, "/predicate/runDetails/metadata/startedOn"));
  const auto finished = ParseTime(Text(statement, "/predicate/runDetails/metadata/finishedOn"));
  ASSERT_TRUE(started && finished) << statement;
  EXPECT_LE(*started, *finished);
}

TEST_F(Attested, TheListsNameTheProgramAndTheResultsAreTheRuns) {
  EXPECT_NE(Signed("spdxjson").dump().find("stdlib"), std::string::npos) << "the Go program's library";
  EXPECT_NE(Signed("cyclonedx").dump().find("stdlib"), std::string::npos);
  const Json tests = Signed("https://slipway.dev/attestations/tests/v1");
  EXPECT_EQ(Text(tests, "/predicate/result"), "PASSED");
  EXPECT_EQ(Text(tests, "/predicate/tests/0/name"), "unit");
  EXPECT_EQ(Text(tests, "/predicate/commit/sha"), Text(run_, "/commit/sha"));
  EXPECT_EQ(Text(Signed("vuln"), "/predicate/scanner/result/failOn"), "High");
}

TEST_F(Attested, AReleaseThatDemandsAllOfItFollowsTheBuild) {
  ASSERT_NO_FATAL_FAILURE(Serve(SampleOf("one").image, replicas_));
  Json gates = Gates("release", {"Provenance", "SPDX", "CycloneDX", "Scan", "Tests"});
  gates["source"]["url"] = kSourceUrl;
  Json spec = Deliver("one", "", gates);
  spec.erase("image");
  spec.erase("version");
  spec["imageFrom"]["imageBuild"] = "built";
  Release(spec);
  const Json entry = Delivered();
  EXPECT_EQ(entry.value("image", ""), image_);
  EXPECT_EQ(entry.value("commit", ""), Text(run_, "/commit/sha"));
  EXPECT_EQ(Text(entry, "/verifiedBy/signer"), "release") << entry;
  EXPECT_EQ(entry.value("/verifiedBy/predicates"_json_pointer, Json::array()), gates["attestations"]);
}

class Signers : public SharedSupply {
 protected:
  static std::string Refusal(const std::string& ns, const std::string& name, const Json& spec,
                             const std::string& reason) {
    Build(ns, name, spec);
    const Json ready = Condition(WaitReady(ns, "imagebuild", name, "False", Seconds(60)), "Ready");
    EXPECT_EQ(ready.is_object() ? ready.value("reason", "") : "", reason) << ready;
    Kubectl({"-n", ns, "delete", "imagebuild", name, "--wait=true"});
    const std::string message = ready.is_object() ? ready.value("message", "") : "";
    Show(reason + ": " + message);
    return message;
  }
};

TEST_F(Signers, ANamespaceSignsWithThoseThatThePolicyLetsItHave) {
  Json spec = BuildSpec("unknown", "main");
  spec["attest"]["signer"] = "nobody";
  HasWords(Refusal(ns_, "unknown", spec, "SignerNotAllowed"), {"spec.attest.signer", "nobody", "release"});
  Json strict = BuildSpec("another", "main");
  strict["output"]["repository"] = "registry.slipway.test:5000/e2e-strict/another";
  strict["scan"] = {{"failOn", "High"}, {"ignoreUnfixed", false}};
  strict["attest"] = {{"signer", "other"}, {"sbom", {"SPDX"}}};
  HasWords(Refusal(kStrict, "another", strict, "SignerNotAllowed"),
           {"spec.attest.signer", "other", "release"});
}

TEST_F(Signers, WhatASpecLoosensIsRefusedWithThePolicysName) {
  const std::string policy = "slipway-system/slipway-policy";
  Json good = BuildSpec("loose", "main");
  good["output"]["repository"] = "registry.slipway.test:5000/e2e-strict/loose";
  good["scan"] = {{"failOn", "High"}, {"ignoreUnfixed", false}};
  good["attest"] = {{"signer", "release"}, {"sbom", {"SPDX"}}};
  Json spec = good;
  spec["scan"]["failOn"] = "Critical";
  HasWords(Refusal(kStrict, "loose", spec, "GateLoosened"), {"spec.scan.failOn", policy, "scan.failOn"});
  spec = good;
  spec["scan"]["ignoreUnfixed"] = true;
  HasWords(Refusal(kStrict, "loose", spec, "GateLoosened"), {"spec.scan.ignoreUnfixed", policy});
  spec = good;
  spec["attest"].erase("sbom");
  HasWords(Refusal(kStrict, "loose", spec, "GateLoosened"), {"spec.attest", policy, "SPDX"});
  spec = good;
  spec.erase("attest");
  HasWords(Refusal(kStrict, "loose", spec, "GateLoosened"), {"spec.attest", policy, "Provenance"});
}

}  // namespace
}  // namespace slipway::testing
