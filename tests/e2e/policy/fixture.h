// Two tenants of a namespace that the operator does not watch, so that nothing moves while they are judged:
// `dev` may change workloads and Slipway's objects, `writer` only Slipway's objects, `approver` may decide
// and approve ImageBuild web. All are impersonated; their Roles are made here. The operator's own rights
// there are those of deploy/tenant.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/kubectl.h"

namespace slipway::testing {

inline constexpr const char* kOperator = "system:serviceaccount:slipway-system:slipway-operator";
inline constexpr const char* kAdministrator = "";
inline constexpr const char* kTrigger = "system:serviceaccount:e2e-policy-tenant:slipway-trigger";

class Tenants : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  void SetUp() override { Clear(); }
  void TearDown() override { Clear(); }

  // What one attempt comes to: nothing in `words` means that it is allowed; else it is refused in those
  // words.
  struct Attempt {
    std::string what;
    std::string user;
    std::vector<std::string> args;
    std::string input;
    std::vector<std::string> words;
  };
  static void Judge(const std::vector<Attempt>& attempts);

  // Creates what `yaml` says, without leaving it behind.
  static Attempt Make(std::string what, std::string user, std::string yaml,
                      std::vector<std::string> words = {});
  static Attempt Do(std::string what, std::string user, std::vector<std::string> args,
                    std::vector<std::string> words = {});
  static Attempt Gated(Attempt attempt);

  // Creates it for good, until the test ends.
  static nlohmann::json Keep(const std::string& user, const std::string& yaml,
                             const std::string& ns = kNamespace);
  static Output As(const std::string& user, std::vector<std::string> args, const std::string& input = "");

  static constexpr const char* kNamespace = "e2e-policy-tenant";
  static constexpr const char* kGated = "e2e-policy-gated";

 private:
  static void Clear();
};

// Each in YAML's flow form. METADATA begins behind the name.
std::string Pod(const std::string& name, const std::string& metadata);
std::string Job(const std::string& name, const std::string& metadata, const std::string& pod_labels);
std::string Deployment(const std::string& name, const std::string& metadata, const std::string& pod_label);
std::string Release(const std::string& name, const std::string& deployment);
std::string Promotion(const std::string& name, const std::string& deployment,
                      const std::string& metadata = "");
std::string Build(const std::string& name, const std::string& metadata = "");
std::string Decision(const std::string& name, const std::string& actor, const std::string& verb = "Approve",
                     const std::string& kind = "ImageBuild", const std::string& target = "web");
std::string Owner(const std::string& kind, const std::string& name = "x",
                  const std::string& uid = "7c1b0d8e-0000-4000-8000-000000000001");

}  // namespace slipway::testing
