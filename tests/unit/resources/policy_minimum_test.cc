// What a minimum is where the policy does not say all of it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "resources/policy.h"
#include "support/hostile.h"

namespace slipway::resources {
namespace {

// Nothing of it needs a Secret or a signer.
ImageBuildSpec Kept() {
  ImageBuildSpec spec = ImageBuild::Decode(testing::GoodImageBuild())->spec;
  spec.output.credentials_secret_ref.reset();
  spec.source.credentials_secret_ref.reset();
  spec.build.cache.reset();
  spec.attest = AttestSpec{"release", {SbomFormat::kSpdx}, true};
  return spec;
}

// A gate that is demanded, and exceptions for ever, would be no gate.
TEST(MinimumDefaults, ExceptionsEndUnlessThePolicySaysThatTheyNeedNot) {
  const std::vector<std::pair<const char*, Duration>> rows{
      {"{failOn: High}", std::chrono::days(90)},
      {"{failOn: High, longestException: 48h}", std::chrono::hours(48)},
      {"{failOn: High, longestException: any}", Duration(0)},
      {"{longestException: any, failOn: High}", Duration(0)},
      {"{countUnfixed: true}", Duration(0)},
  };
  for (const auto& [scan, longest] : rows) {
    const auto policy = ParsePolicy(std::string("namespaces: {a: {minimum: {scan: ") + scan + "}}}");
    ASSERT_TRUE(policy) << policy.error().message;
    EXPECT_EQ(policy->For("a")->minimum.longest_exception, longest) << scan;
  }
  const auto delivery = ParsePolicy("namespaces: {a: {minimum: {delivery: {scan: {failOn: High}}}}}");
  EXPECT_EQ(delivery->For("a")->minimum.longest_exception, std::chrono::days(90)) << "a Release's, too";
  const auto policy = ParsePolicy("namespaces: {a: {minimum: {scan: {failOn: High}}}}");
  ImageBuildSpec spec = Kept();
  spec.output.repository = "r.example/a";
  NamespacePolicy space = *policy->For("a");
  space.repositories = {"r.example/a"};
  space.signers = {"release"};
  spec.scan.exceptions = {{"CVE-2024-1", "", "2099-12-31", "no fix"}};
  EXPECT_FALSE(Check(spec, &space, "a"));
  EXPECT_TRUE(CheckTerms(spec, &space, *ParseTime("2026-01-01T00:00:00Z")));
  spec.scan.exceptions.clear();
  spec.scan.vex = {"openvex"};
  EXPECT_TRUE(Check(spec, &space, "a")) << "it never ends";
}

TEST(MinimumDefaults, OfAllHoldsWhereANamespaceHasNoneOfItsOwn) {
  constexpr const char* kYaml = R"(
namespaces:
  a: {repositories: [r.example/a]}
  b: {minimum: {build: {attest: [SPDX]}}}
  c: {minimum: {}}
  "*": {repositories: [r.example/all], minimum: {scan: {failOn: High}}}
)";
  const auto map = PolicyMap::Decode(
      {{"metadata", {{"name", "p"}, {"namespace", "s"}}}, {"data", {{"policy.yaml", kYaml}}}});
  ASSERT_TRUE(map && map->policy) << map->policy.error().message;
  const auto& a = *PolicyFor(&*map, "a");
  EXPECT_EQ(a.minimum.fail_on, Severity::kHigh);
  EXPECT_EQ(a.repositories, std::vector<std::string>{"r.example/a"}) << "nothing else is of all";
  EXPECT_EQ(a.origin, "ConfigMap s/p, namespaces.a");
  EXPECT_EQ(a.minimum_origin, "ConfigMap s/p, namespaces.*");
  EXPECT_FALSE(PolicyFor(&*map, "b")->minimum.fail_on);
  EXPECT_EQ(PolicyFor(&*map, "b")->minimum.attest, std::vector{Predicate::kSpdx});
  EXPECT_EQ(PolicyFor(&*map, "b")->minimum_origin, "ConfigMap s/p, namespaces.b");
  EXPECT_FALSE(PolicyFor(&*map, "c")->minimum.fail_on) << "it says that it has none";
  EXPECT_EQ(PolicyFor(&*map, "else")->minimum_origin, "ConfigMap s/p, namespaces.*");
  ImageBuildSpec spec = Kept();
  spec.output.repository = "r.example/a";
  spec.scan.fail_on = Severity::kCritical;
  const auto violation = Check(spec, &a, "a");
  ASSERT_TRUE(violation);
  EXPECT_TRUE(violation->message.contains("ConfigMap s/p, namespaces.*.minimum.scan.failOn"))
      << violation->message;
}

}  // namespace
}  // namespace slipway::resources
