// What the end of a Job that verifies means, in the words of the real cosign.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "supply/verify_job.h"

namespace slipway::supply {
namespace {

using resources::ContainerState;
using resources::Job;
using resources::Pod;
using testing::HasSubstr;
using testing::IsEmpty;
using State = VerifyOutcome::State;

Job AJob(const std::string& reason = "BackoffLimitExceeded") {
  Job job;
  job.meta.key = {"slipway-supply-chain", "shop-verify-1"};
  job.meta.uid = {"job-uid"};
  job.failed = !reason.empty();
  job.failed_reason = reason;
  job.failed_message = "Job has failed";
  return job;
}

ContainerState Ended(const std::string& name, int code, const std::string& message = "") {
  return {.name = name,
          .terminated = true,
          .exit_code = code,
          .reason = code == 0 ? "Completed" : "Error",
          .message = message};
}

// As cosign 2.6.2 says it: twice.
ContainerState Said(const std::string& name, int code, const std::string& why) {
  return Ended(name, code,
               "WARNING: Skipping tlog verification is an insecure practice\nError: " + why +
                   "\nerror during command execution: " + why + "\n");
}

Pod APod(std::vector<ContainerState> containers) {
  Pod pod;
  pod.meta.key = {"slipway-supply-chain", "shop-verify-1-abcde"};
  pod.phase = "Failed";
  pod.scheduled = true;
  pod.containers = std::move(containers);
  return pod;
}

constexpr const char* kWrongKey = "invalid signature when validating ASN.1 encoded signature";
constexpr const char* kNoneAccepted = "accepted signatures do not match threshold, Found: 0, Expected 1";

struct Case {
  const char* what;
  std::vector<ContainerState> containers;
  State state;
  const char* reason;
  std::vector<std::string> missing;
  std::vector<const char*> words;
};

class VerifyOutcomeOf : public testing::TestWithParam<Case> {};

TEST_P(VerifyOutcomeOf, AFailedJobIsAsTheTableSays) {
  const auto& row = GetParam();
  const Job job = AJob();
  const Pod pod = APod(row.containers);
  const auto outcome = OutcomeOfVerify(&job, &pod);
  EXPECT_EQ(outcome.state, row.state) << outcome.message;
  EXPECT_EQ(outcome.reason, row.reason) << outcome.message;
  EXPECT_EQ(outcome.missing, row.missing) << outcome.message;
  for (const char* word : row.words) EXPECT_THAT(outcome.message, HasSubstr(word));
  EXPECT_LE(outcome.message.size(), 1000U);
  EXPECT_EQ(outcome.message.find('\n'), std::string::npos);
}

const std::vector<Case> kCases{
    {"unsigned",
     {Said("signature", 10, "no signatures found"), Said("provenance", 1, "no matching attestations: ")},
     State::kRefused,
     "SignatureMissing",
     {"Signature", "Provenance"},
     {"it has no signature; Provenance: this signer attested none"}},
    {"by another key",
     {Said("signature", 12, "no matching signatures: " + std::string(kWrongKey)),
      Said("provenance", 1, "no matching attestations: " + std::string(kNoneAccepted))},
     State::kRefused,
     "SignatureByAnotherKey",
     {"Signature", "Provenance"},
     {"none of its signatures is this signer's (no matching signatures: invalid signature",
      "Provenance: what is there is not this signer's"}},
    {"keyless without a certificate",
     {Said("signature", 13, "no certificate found on signature")},
     State::kRefused,
     "SignatureByAnotherKey",
     {"Signature"},
     {"no certificate found"}},
    {"an attestation of another key alone",
     {Ended("signature", 0), Said("scan", 1, "no matching attestations: " + std::string(kNoneAccepted))},
     State::kRefused,
     "AttestationInvalid",
     {"Scan"},
     {"Scan: what is there is not this signer's"}},
    {"no attestation of the type",
     {Ended("signature", 0), Ended("provenance", 0),
      Said("smoke-tests", 1,
           "none of the attestations matched the predicate type: vuln, found: "
           "https://slsa.dev/provenance/v1")},
     State::kRefused,
     "AttestationMissing",
     {"SmokeTests"},
     {"SmokeTests: this signer attested none"}},
    {"from another source",
     {Ended("signature", 0),
      Ended("provenance", 1,
            "will be validating against CUE policies: [/input/provenance.cue]\nThere are 1 number of errors "
            "occurred during the validation:\n\n- predicate.runDetails.builder.id: conflicting values \"a\" "
            "and "
            "\"b\"\nError: 1 validation errors occurred\nerror during command execution: 1 "
            "validation errors occurred\n"),
      Said("tests", 1, "no matching attestations: ")},
     State::kRefused,
     "AttestationRejected",
     {"Provenance", "Tests"},
     {"Provenance: it does not say what is asked (predicate.runDetails.builder.id: conflicting values \"a\" "
      "and "
      "\"b\")",
      "Tests: this signer attested none"}},
    {"words of which the kubelet kept no more than the first",
     {Ended("signature", 0),
      Ended("scan", 1,
            "There are 1 number of errors occurred during the validation:\n\n- predicate.scanner.res")},
     State::kRefused,
     "AttestationRejected",
     {"Scan"},
     {"Scan: it does not say what is asked (predicate.scanner.res)"}},
    {"a scan of a looser namespace",
     {Ended("signature", 0),
      Ended("scan", 1,
            "There are 1 number of errors occurred during the validation:\n\n- "
            "predicate.scanner.result.failOn: "
            "invalid value \"Critical\" (out of bound =~\"^(Low|Medium|High)$\")\nError: 1 validation errors "
            "occurred\nerror during command execution: 1 validation errors occurred\n"),
      Said("tests", 1, "no matching attestations: ")},
     State::kRefused,
     "AttestationRejected",
     {"Scan", "Tests"},
     {"Scan: it does not say what is asked (predicate.scanner.result.failOn: invalid value \"Critical\" (out "
      "of "
      "bound =~\"^(Low|Medium|High)$\"))"}},
    {"one that is rejected, and one of another key",
     {Ended("signature", 0),
      Ended("scan", 1,
            "There are 1 number of errors occurred during the validation:\n\n- "
            "predicate.scanner.result.closing: "
            "conflicting values 0 and 3\nError: 1 validation errors occurred\n"),
      Said("tests", 1, "no matching attestations: " + std::string(kNoneAccepted))},
     State::kRefused,
     "AttestationInvalid",
     {"Scan", "Tests"},
     {"closing: conflicting values 0 and 3"}},
    {"from a source that is not said",
     {Ended("signature", 0),
      Ended(
          "provenance", 1,
          "There are 1 number of errors occurred during the validation:\n\n- "
          "predicate.buildDefinition.externalParameters.source: field is required but not present\nError: 1 "
          "validation errors occurred\nerror during command execution: 1 validation errors occurred\n")},
     State::kRefused,
     "AttestationRejected",
     {"Provenance"},
     {"(predicate.buildDefinition.externalParameters.source: field is required but not present)"}},
    {"of another image",
     {Said("signature", 12, "no matching signatures: invalid or missing digest in claim: sha256:0000"),
      Said("tests", 1, "no matching attestations: no matching subject digest found")},
     State::kRefused,
     "SignatureByAnotherKey",
     {"Signature", "Tests"},
     {"missing digest in claim", "no matching subject digest found"}},
    {"no credentials",
     {Said("signature", 1, "GET https://r/token: UNAUTHORIZED: authentication required"),
      Said("tests", 1, "GET https://r/token: UNAUTHORIZED: authentication required")},
     State::kFailed,
     "",
     {},
     {"Signature: it can't be told (GET https://r/token: UNAUTHORIZED"}},
    {"the image is not there",
     {Said("signature", 11, "image tag not found: GET https://r/: MANIFEST_UNKNOWN")},
     State::kFailed,
     "",
     {},
     {"MANIFEST_UNKNOWN"}},
    // A layer that could not be read looks like one that does not match.
    {"the registry went in the middle",
     {Said("signature", 12,
           "no matching signatures: Get \"http://r/v2/\": dial tcp 10.0.0.1:5000: i/o timeout"),
      Said("scan", 1, "no matching attestations: Get \"http://r/v2/\": connection refused")},
     State::kFailed,
     "",
     {},
     {"Signature: it can't be told (no matching signatures: Get", "Scan: it can't be told"}},
    {"what is known counts, whatever else failed",
     {Said("signature", 1, "dial tcp: lookup r: no such host"),
      Said("tests", 1, "no matching attestations: ")},
     State::kRefused,
     "AttestationMissing",
     {"Tests"},
     {"Signature: it can't be told", "Tests: this signer attested none"}},
    {"a word that we do not know",
     {Said("signature", 1, "loading public key: no PEM block")},
     State::kFailed,
     "",
     {},
     {"loading public key: no PEM block"}},
    {"no word", {Ended("signature", 137)}, State::kFailed, "", {}, {"exit code 137 (Error)"}},
    {"somebody's sidecar",
     {Ended("signature", 0), Ended("mesh", 1, "x")},
     State::kFailed,
     "",
     {},
     {"Job shop-verify-1 failed: BackoffLimitExceeded: Job has failed"}},
};

INSTANTIATE_TEST_SUITE_P(Rows, VerifyOutcomeOf, testing::ValuesIn(kCases),
                         [](const auto& row) { return std::to_string(row.index); });

TEST(VerifyOutcomeTest, FollowsTheJob) {
  Job job = AJob("");
  EXPECT_EQ(OutcomeOfVerify(nullptr, nullptr).state, State::kFailed);
  EXPECT_THAT(OutcomeOfVerify(nullptr, nullptr).message, HasSubstr("was deleted"));
  EXPECT_EQ(OutcomeOfVerify(&job, nullptr).state, State::kRunning);
  EXPECT_EQ(OutcomeOfVerify(&job, nullptr).message, "");
  // One container's end is not yet the Job's.
  const Pod half = APod({Said("signature", 10, "no signatures found")});
  EXPECT_EQ(OutcomeOfVerify(&job, &half).state, State::kRunning);
  job.complete = true;
  EXPECT_EQ(OutcomeOfVerify(&job, nullptr).state, State::kPassed);
  EXPECT_THAT(OutcomeOfVerify(&job, nullptr).missing, IsEmpty());
}

TEST(VerifyOutcomeTest, WithoutItsPodNothingIsKnown) {
  const Job job = AJob();
  const auto outcome = OutcomeOfVerify(&job, nullptr);
  EXPECT_EQ(outcome.state, State::kFailed);
  EXPECT_THAT(outcome.message, HasSubstr("its pod is gone"));
}

TEST(VerifyOutcomeTest, SaysWhatALateOneWaitedFor) {
  const Job job = AJob("DeadlineExceeded");
  Pod pod = APod({{.name = "signature", .reason = "ImagePullBackOff", .message = "not\nfound"}});
  auto outcome = OutcomeOfVerify(&job, &pod);
  EXPECT_EQ(outcome.state, State::kFailed);
  EXPECT_THAT(outcome.message, HasSubstr("was not done in time: pod shop-verify-1-abcde can't start: "
                                         "ImagePullBackOff: not found"));
  pod.scheduled = false;
  pod.containers = {{.name = "signature"}};
  pod.unschedulable = "0/3 nodes are available";
  EXPECT_THAT(OutcomeOfVerify(&job, &pod).message, HasSubstr("has no node: 0/3 nodes are available"));
  Job running = AJob("");
  EXPECT_THAT(OutcomeOfVerify(&running, &pod).message, HasSubstr("has no node"));
}

}  // namespace
}  // namespace slipway::supply
