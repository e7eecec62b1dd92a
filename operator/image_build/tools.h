#pragma once

#include <string>

namespace slipway::image_build {

// The programs that builds run, each named by digest, set by the operator's flags.
struct Tools {
  std::string runner_image;
  std::string kaniko_image;
  std::string trivy_image;
  std::string trivy_db_repository;  // OCI artifact, with its tag ("host/trivy-db:2")
  std::string trivy_java_db_repository;
  std::string cosign_image;  // empty: nothing is attested
};

}  // namespace slipway::image_build
