#pragma once

#include <string>

#include "resources/policy.h"

namespace slipway::supply {

// The programs that sign, verify and scan, each named by digest, set by the operator's flags.
struct Tools {
  std::string cosign_image;
  std::string trivy_image;               // for lists of what an image holds, and what of it is vulnerable
  std::string trivy_java_db_repository;  // as builds have it; empty: none
  std::string trivy_db_repository;       // as builds have it, with its tag
  std::string runner_image;              // slipway-runner: judges what was found
};

struct Setting {
  Tools tools;
  const resources::Policy& policy;
  std::string ns = "slipway-supply-chain";  // the platform's: keys are there, and tenants are not
};

}  // namespace slipway::supply
