// Why a Job that attests failed: the registry's fault, cosign's, or another Job's that attested the same
// image.
#include "supply/attest_outcome.h"

#include <gtest/gtest.h>

#include <vector>

namespace slipway::supply {
namespace {

TEST(AttestTrouble, IsTheRegistrysOrCosigns) {
  struct Row {
    const char* message;
    const char* reason;
    const char* words;
  };
  const std::vector<Row> rows{
      {"Error: signing [r]: accessing entity: GET https://r/v2/: UNAUTHORIZED: authentication required\n"
       "main.go:74: error during command execution: signing [r]: accessing entity: GET https://r/v2/: "
       "UNAUTHORIZED: "
       "authentication required\n",
       "RegistryDenied",
       "signing [r]: accessing entity: GET https://r/v2/: UNAUTHORIZED: authentication required"},
      {"Error: PUT https://r/v2/x: DENIED: no\n", "RegistryDenied", "Error: PUT https://r/v2/x: DENIED: no"},
      {"HEAD https://r: unexpected status code 403 Forbidden", "RegistryDenied",
       "HEAD https://r: unexpected status code 403 Forbidden"},
      {"Error: dial tcp 10.0.0.1:5000: connect: connection refused\n\n", "RegistryUnavailable",
       "Error: dial tcp 10.0.0.1:5000: connect: connection refused"},
      {"unexpected status code 503 Service Unavailable", "RegistryUnavailable",
       "unexpected status code 503 Service Unavailable"},
      {"Error: reading key: decrypt: encrypted: decryption failed\n\033[31mbye", "AttestFailed", " [31mbye"},
      {"", "AttestFailed", "it ended with exit code 1 and no word"},
  };
  for (const Row& row : rows) {
    resources::ContainerState container;
    container.terminated = true;
    container.exit_code = 1;
    container.message = row.message;
    const Trouble trouble = TroubleOf(container);
    EXPECT_EQ(trouble.reason, row.reason) << row.message;
    EXPECT_EQ(trouble.words, row.words);
  }
}

// cosign rewrites an image's attestations as a whole: what another Job undid is attested again, what no
// second try mends is not.
TEST(AttestTrouble, WhatIsNotThereAfterwardsIsLost) {
  struct Row {
    const char* container;
    int exit_code;
    const char* message;
    const char* reason;
    const char* words;
  };
  const std::vector<Row> rows{
      {"verify-scan", 1, "Error: no matching attestations: \n", "AttestationLost", "Scan was attested"},
      {"verify-scan", 1, "Error: none of the attestations matched the predicate type: vuln, found: x",
       "AttestationLost", "Scan was attested, and is not there"},
      {"verify-provenance", 1,
       "There are 1 number of errors occurred during the validation:\n\n- predicate.buildDefinition."
       "internalParameters.run: conflicting values 1 and 2\nError: 1 validation errors occurred\n",
       "AttestationLost", "run: conflicting values 1 and 2"},
      {"verify-spdx", 1,
       "Error: no matching attestations: accepted signatures do not match threshold, Found: 0, Expected 1",
       "AttestationLost", "SPDX"},
      {"verify-signature", 10, "Error: no signatures found", "AttestationLost", "Signature was attested"},
      {"verify-signature", 12, "Error: no matching signatures: invalid signature", "AttestFailed",
       "the policy's public key does not verify"},
      {"verify-scan", 1, "Error: dial tcp 10.0.0.1:5000: connect: connection refused", "RegistryUnavailable",
       "connection refused"},
      {"verify-scan", 1, "Error: GET https://r: UNAUTHORIZED: authentication required", "RegistryDenied",
       "UNAUTHORIZED"},
      {"attest-scan", 1, "Error: no matching attestations: ", "AttestFailed", "no matching"},
  };
  for (const Row& row : rows) {
    resources::ContainerState container;
    container.name = row.container;
    container.terminated = true;
    container.exit_code = row.exit_code;
    container.message = row.message;
    const Trouble trouble = TroubleOf(container);
    EXPECT_EQ(trouble.reason, row.reason) << row.container << ": " << row.message;
    EXPECT_TRUE(trouble.words.contains(row.words)) << trouble.words;
  }
}

}  // namespace
}  // namespace slipway::supply
