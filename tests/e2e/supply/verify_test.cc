// What a Release demands of an image before it changes anything: by hand-made images, each of which lacks one
// thing.
#include <thread>

#include "e2e/supply/fixture.h"

namespace slipway::testing {
namespace {

class Verified : public Supply {
 protected:
  // Signed and attested by `release`, as Slipway itself would.
  std::string Whole(const std::string& name) {
    const std::string image = Image(name, next_);
    Attest(image, "release", kProvenance, ProvenanceOf());
    Sign(image, "release");
    return image;
  }
  Json To(const std::string& image, const Json& gates) { return Deliver(next_, image, gates); }
};

TEST_F(Verified, WhatHasAllIsDeliveredAndTheRecordSaysSo) {
  const std::string image = Whole("whole");
  Json gates = Gates("release", {"Provenance"});
  gates["source"]["url"] = kSourceUrl;
  Release(To(image, gates));
  const Json entry = Delivered();
  EXPECT_EQ(entry.value("image", ""), image);
  EXPECT_EQ(Text(entry, "/verifiedBy/signer"), "release") << entry;
  EXPECT_EQ(entry.value("/verifiedBy/predicates"_json_pointer, Json::array()), Json::array({"Provenance"}));
  EXPECT_EQ(Text(GetJson(ns_, "deployment", "web"), "/spec/template/spec/containers/0/image"), image);
}

TEST_F(Verified, AnImageWithoutASignatureIsHeld) {
  Refused(To(Image("bare", next_), Gates("release")), "SignatureMissing", {"release"});
}

TEST_F(Verified, ASignatureByAnotherKeyIsNone) {
  const std::string image = Image("by-other", next_);
  Sign(image, "other");
  Refused(To(image, Gates("release")), "SignatureByAnotherKey", {"release"});
}

// The signature of other bytes, under the tag that belongs to these.
TEST_F(Verified, ASignatureOfAnotherDigestIsNone) {
  const std::string signed_image = Image("signed", another_);
  Sign(signed_image, "release");
  const std::string image = Image("signed", next_);
  const auto tag = [](const std::string& of) {
    return of.substr(0, of.find('@')) + ":sha256-" + DigestOf(of).substr(7) + ".sig";
  };
  const auto copied = Execute({"crane", "copy", "--insecure", tag(signed_image), tag(image)});
  ASSERT_TRUE(copied.ok()) << copied.text;
  EXPECT_EQ(Verify(image, "release").status, 12);
  Refused(To(image, Gates("release")), "SignatureByAnotherKey", {"release"});
}

TEST_F(Verified, WhatIsNotAttestedIsNamed) {
  const std::string image = Image("signed-only", next_);
  Sign(image, "release");
  Refused(To(image, Gates("release", {"Provenance", "SPDX"})), "AttestationMissing", {"Provenance", "SPDX"});
}

TEST_F(Verified, OneOfTwoAttestationsIsNamed) {
  Refused(To(Whole("half"), Gates("release", {"Provenance", "SPDX"})), "AttestationMissing", {"SPDX"});
  const Json missing = ReleaseStatus().value("/verification/missing"_json_pointer, Json::array());
  EXPECT_EQ(missing, Json::array({"SPDX"})) << "Provenance is there";
}

TEST_F(Verified, AnAttestationThatWasChangedIsRefused) {
  const std::string real = Image("real", next_);
  Attest(real, "release", kProvenance, ProvenanceOf("http://git.slipway.test:8090/other.git"));
  const std::string image = Image("changed", next_);
  Sign(image, "release");
  Attach(image, Altered(Envelope(real), "other.git", "e2e-supply.git"));
  EXPECT_FALSE(VerifyAttestation(image, "release", kProvenance).ok());
  Refused(To(image, Gates("release", {"Provenance"})), "AttestationInvalid", {"Provenance"});
}

TEST_F(Verified, AnAttestationOfAnotherImageIsRefused) {
  const std::string other = Image("attested", another_);
  Attest(other, "release", kProvenance, ProvenanceOf());
  ASSERT_TRUE(VerifyAttestation(other, "release", kProvenance).ok()) << "it is good where it belongs";
  const std::string image = Image("borrowed", next_);
  Sign(image, "release");
  Attach(image, Envelope(other));
  const Output by_hand = VerifyAttestation(image, "release", kProvenance);
  EXPECT_FALSE(by_hand.ok());
  HasWords(by_hand.text, {"no matching subject digest found"});
  Refused(To(image, Gates("release", {"Provenance"})), "AttestationInvalid", {"Provenance"});
}

TEST_F(Verified, ProvenanceByAnotherKeyBuilderOrRepositoryIsRefused) {
  const std::string by_other = Image("prov-other", next_);
  Sign(by_other, "release");
  Attest(by_other, "other", kProvenance, ProvenanceOf());
  Refused(To(by_other, Gates("release", {"Provenance"})), "AttestationInvalid", {"Provenance"});

  const std::string by_whom = Image("prov-builder", next_);
  Sign(by_whom, "release");
  Attest(by_whom, "release", kProvenance, ProvenanceOf(kSourceUrl, "https://laptop.example.com"));
  Refused(To(by_whom, Gates("release", {"Provenance"})), "AttestationRejected", {"Provenance", "laptop"});

  const std::string from_where = Image("prov-source", next_);
  Sign(from_where, "release");
  Attest(from_where, "release", kProvenance, ProvenanceOf("http://git.slipway.test:8090/other.git"));
  Json gates = Gates("release");
  gates["source"]["url"] = kSourceUrl;
  Refused(To(from_where, gates), "AttestationRejected", {"Provenance", "other.git"});
}

// A field that is not there must not pass for one that says what is asked.
TEST_F(Verified, ProvenanceThatLeavesTheRepositoryOutIsRefused) {
  const std::string image = Image("prov-silent", next_);
  Sign(image, "release");
  Json silent = ProvenanceOf();
  silent["buildDefinition"]["externalParameters"] = {{"note", "nothing of a source"}};
  Attest(image, "release", kProvenance, silent);
  Json gates = Gates("release");
  gates["source"]["url"] = kSourceUrl;
  Refused(To(image, gates), "AttestationRejected", {"Provenance"});
}

// The registry asks for a password, and its certificate is of an authority that no image knows: the
// platform's own Jobs have both, so they find out that nothing is there.
TEST_F(Verified, ARegistryOfAPrivateAuthorityIsAsked) {
  const std::string image = "private.slipway.test:5001/e2e-supply/app@" + SampleOf(next_).Digest();
  Refused(To(image, Gates("release", {"Scan"})), "SignatureMissing", {"release"});
}

// Nothing is known of the image then, which is neither good nor bad.
TEST_F(Verified, ARegistryThatDoesNotAnswerIsNotTheImagesFault) {
  const std::string image = "registry.slipway.test:5999/e2e-supply/app@" + SampleOf(next_).Digest();
  Release(To(image, Gates("release")));
  HasWords(Held("VerificationFailed"), {"registry.slipway.test:5999"});
  EXPECT_EQ(ReleaseStatus().value("/verification/missing"_json_pointer, Json::array()), Json::array());
  EXPECT_TRUE(ReleaseStatus().value("history", Json::array()).empty()) << ReleaseStatus();
  ExpectStable(stable_);
}

// What was found is kept for the digest: the Release does not ask again as long as it asks the same.
TEST_F(Verified, OneJobForOneQuestion) {
  const std::string image = Image("asked-once", next_);
  Release(To(image, Gates("release")));
  Held("SignatureMissing");
  const std::string uid = Text(ReleaseStatus(), "/verification/jobUID");
  EXPECT_FALSE(uid.empty()) << ReleaseStatus();
  Kubectl({"-n", ns_, "annotate", "release", "web", "example.com/looked-at=again"});
  std::this_thread::sleep_for(Seconds(5));
  EXPECT_EQ(Text(ReleaseStatus(), "/verification/jobUID"), uid) << "it was asked again";
  Release(To(image, Gates("release", {"SPDX"})));
  EXPECT_TRUE(Eventually(Seconds(60), "another Job", [&](std::string& seen) {
    const Json status = ReleaseStatus();
    seen = status.dump();
    return Text(status, "/verification/jobUID") != uid && Text(status, "/verification/outcome") == "Refused";
  }));
  const Json missing = ReleaseStatus().value("/verification/missing"_json_pointer, Json::array());
  EXPECT_EQ(missing, Json::array({"Signature", "SPDX"}));
}

struct Back {
  std::string& ns;
  std::string own;
  ~Back() { ns = own; }
};

// Its spec asks nothing; the policy asks for it.
TEST_F(Verified, TheMinimumIsVerifiedUnasked) {
  const Back back{ns_, ns_};
  ns_ = kStrict;
  ASSERT_NO_FATAL_FAILURE(Promotions::SetUp());
  const std::string bare = SampleOf(next_).image;
  Refused(To(bare, Json()), "SignatureMissing", {"release"});
  Release(To(bare, Gates("other")));
  HasWords(Held("GateLoosened"), {"spec.gates.signature", "slipway-policy"});
  Kubectl({"-n", ns_, "delete", "release", "web", "--wait=true"});
}

// Built where nobody asks for a strict gate, and signed truly by the signer that both namespaces have: with
// all that is beside it, the image is carried to where the policy asks for more.
TEST_F(Verified, AScanOfALooserNamespaceDoesNotCount) {
  const auto built = [this](const std::string& name, const Json& scan) {
    Json spec = BuildSpec(name, "main");
    spec["scan"] = scan;
    spec["attest"] = {{"signer", "release"}};
    Build(ns_, name, spec);
    const Json build = WaitReady(ns_, "imagebuild", name, "True", Seconds(180));
    const std::string from = build.value("/status/latest/image"_json_pointer, "");
    const std::string to = Repository(name, kStrict);
    const Output copied =
        Cosign({"copy", "--allow-http-registry", "--allow-insecure-registry", from, to + ":1"});
    EXPECT_TRUE(copied.ok()) << copied.text;
    return to + "@" + DigestOf(from);
  };
  const std::string loose = built("loose", {{"failOn", "Critical"}, {"ignoreUnfixed", true}});
  const std::string strict = built("strict", {{"failOn", "High"}, {"ignoreUnfixed", false}});
  const Json gates = Gates("release", {"Scan", "Provenance"});
  const Back back{ns_, ns_};
  ns_ = kStrict;
  ASSERT_NO_FATAL_FAILURE(Promotions::SetUp());
  Refused(To(loose, gates), "AttestationRejected", {"Scan", "predicate.scanner.result"});
  const Json missing = ReleaseStatus().value("/verification/missing"_json_pointer, Json::array());
  EXPECT_EQ(missing, Json::array({"Scan"})) << "the provenance is as it is asked for";
  Json spec = To(strict, gates);
  spec.erase("version");  // it says its commit
  Release(spec);
  EXPECT_EQ(Delivered().value("image", ""), strict);
  Kubectl({"-n", ns_, "delete", "release", "web", "--wait=true"});
}

}  // namespace
}  // namespace slipway::testing
