// The CRDs of crds/ on a real API server, and a namespace of its own for each test. Acts through kubectl, as
// a person does.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/kubectl.h"

namespace slipway::testing {

class Crds : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  void SetUp() override;
  void TearDown() override;

  // The object without what only a server writes.
  static nlohmann::json Clean(nlohmann::json object, const std::string& name);

  // kubectl create; the object as the server answers it. The test fails when it is refused.
  nlohmann::json Create(const nlohmann::json& object);
  // kubectl create, dry: all that the server says.
  Output Try(const nlohmann::json& object);
  // kubectl in the namespace.
  Output In(std::vector<std::string> args, const std::string& input = "");
  // Writes a status as the operator may; the admission policy lets nobody else.
  Output WriteStatus(const std::string& kind, const std::string& name, const nlohmann::json& status);

  std::string ns_;
};

}  // namespace slipway::testing
