#include "cluster/crds/fixture.h"

#include "base/names.h"

namespace slipway::testing {

void Crds::SetUpTestSuite() {
  const auto applied = Kubectl({"apply", "--server-side", "--force-conflicts", "-k", SourcePath("crds")});
  ASSERT_TRUE(applied.ok()) << applied.text;
  const auto established =
      Kubectl({"wait", "--for=condition=Established", "--timeout=30s", "crd/imagebuilds.slipway.dev",
               "crd/releases.slipway.dev", "crd/canarypromotions.slipway.dev", "crd/decisions.slipway.dev"});
  ASSERT_TRUE(established.ok()) << established.text;
}

void Crds::SetUp() {
  const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
  ns_ = "test-" + ShortHash(std::string(info->test_suite_name()) + info->name());
  Kubectl({"delete", "namespace", ns_, "--ignore-not-found", "--timeout=60s"});
  const auto created = Kubectl({"create", "namespace", ns_});
  ASSERT_TRUE(created.ok()) << created.text;
}

void Crds::TearDown() { Kubectl({"delete", "namespace", ns_, "--wait=false"}); }

nlohmann::json Crds::Clean(nlohmann::json object, const std::string& name) {
  object["metadata"] = {{"name", name}};
  return object;
}

Output Crds::In(std::vector<std::string> args, const std::string& input) {
  args.insert(args.begin(), {"-n", ns_});
  return Kubectl(args, input);
}

nlohmann::json Crds::Create(const nlohmann::json& object) {
  const auto created = In({"create", "-f", "-", "-o", "json"}, object.dump());
  EXPECT_TRUE(created.ok()) << created.text << "\n" << object.dump();
  return nlohmann::json::parse(created.text, nullptr, false);
}

Output Crds::Try(const nlohmann::json& object) {
  return In({"create", "--dry-run=server", "--validate=ignore", "-f", "-"}, object.dump());
}

Output Crds::WriteStatus(const std::string& kind, const std::string& name, const nlohmann::json& status) {
  return In({"patch", kind, name, "--subresource=status", "--type=merge",
             "--as=system:serviceaccount:slipway-system:slipway-operator", "--as-group=system:masters", "-p",
             nlohmann::json{{"status", status}}.dump()});
}

}  // namespace slipway::testing
