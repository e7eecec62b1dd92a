#include "cluster/api/fixture.h"

#include <cstdlib>

#include "base/names.h"

namespace slipway::testing {

void RealApi::SetUp() {
  const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
  ns_ = "test-" + ShortHash(std::string(info->test_suite_name()) + info->name());
  Kubectl({"delete", "namespace", ns_, "--ignore-not-found", "--timeout=60s"});
  const auto created = Kubectl({"create", "namespace", ns_});
  ASSERT_TRUE(created.ok()) << created.text;

  const char* path = std::getenv("KUBECONFIG");
  ASSERT_NE(path, nullptr) << "run this through ./hack/test cluster";
  auto config = kube::LoadKubeconfig(path);
  ASSERT_TRUE(config) << config.error().message;
  auto client = kube::Client::Make(io_.get_executor(), std::move(*config), {});
  ASSERT_TRUE(client) << client.error().message;
  api_ = std::move(*client);
}

void RealApi::TearDown() { Kubectl({"delete", "namespace", ns_, "--wait=false"}); }

bool RealApi::RunUntil(std::chrono::seconds limit, const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + limit;
  io_.restart();
  while (!holds() && std::chrono::steady_clock::now() < end) io_.run_for(std::chrono::milliseconds(20));
  return holds();
}

kube::Json RealApi::ConfigMap(const std::string& name, const std::string& value) const {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}, {"namespace", ns_}}},
          {"data", {{"value", value}}}};
}

}  // namespace slipway::testing
