// Whom a check asks: the cache of pods may be behind the Deployments, which are read live.
#include "canary/observer.h"

#include <fmt/format.h>

#include "canary/names.h"
#include "protocol/runtime/scripted_api.h"

namespace slipway::canary {
namespace {

using kube::Json;

class ReadingPods : public ::testing::Test {
 protected:
  ReadingPods() {
    resources::CanaryPromotion promotion;
    promotion.meta.key = {"team", "web-1"};
    promotion.meta.uid = {"promotion-uid"};
    world_->promotion = std::make_shared<const resources::CanaryPromotion>(promotion);
    resources::Deployment stable;
    stable.meta.key = {"team", "web"};
    stable.selector = {{"app", "web"}};
    world_->stable = std::make_shared<const resources::Deployment>(stable);
    world_->canary = world_->stable;
    api_.on_call = [this](const kube::Request& request) -> Result<Json> {
      if (failure_) return std::unexpected(*failure_);
      const bool canary = request.target.contains("promotion-uid");
      return Json{{"items", canary ? canary_ : stable_}};
    };
  }

  // Of a ReplicaSet of this Deployment.
  static Json PodOf(const std::string& deployment, const std::string& name) {
    Json owner = {{"apiVersion", "apps/v1"}, {"kind", "ReplicaSet"}, {"name", deployment + "-5d5"}};
    owner["uid"] = "set-uid";
    owner["controller"] = true;
    Json pod;
    pod["metadata"] = {{"name", name}, {"namespace", "team"}, {"uid", name}, {"resourceVersion", "7"}};
    pod["metadata"]["labels"] = {{"app", "web"}, {"pod-template-hash", "5d5"}};
    pod["metadata"]["ownerReferences"] = Json::array({owner});
    return pod;
  }
  static std::vector<std::string> Names(const std::vector<PodPtr>& pods) {
    std::vector<std::string> names;
    for (const auto& pod : pods) names.push_back(pod->meta.key.name);
    return names;
  }
  Result<> Read() { return loop_.Get(observer_.ReadPods(world_)); }

  runtime::Loop loop_;
  runtime::HandWoundClock clock_;
  runtime::ScriptedApi api_;
  runtime::Store<resources::CanaryPromotion> promotions_;
  runtime::Store<resources::Deployment> deployments_;
  runtime::Store<resources::Service> services_;
  runtime::Store<resources::Job> jobs_;
  runtime::Store<resources::Pod> pods_;
  runtime::Store<resources::Decision> decisions_;
  runtime::Store<resources::Autoscaler> autoscalers_;
  runtime::Store<resources::PolicyMap> policies_;
  Observer observer_{
      api_,
      {promotions_, deployments_, services_, jobs_, pods_, decisions_, autoscalers_, policies_, {}},
      clock_};
  WorldPtr world_ = std::make_shared<World>();
  Json stable_ = Json::array();
  Json canary_ = Json::array();
  std::optional<Error> failure_;
};

TEST_F(ReadingPods, TakesThePlaceOfWhatTheCacheHad) {
  auto gone = resources::Pod::Decode(PodOf("web", "web-gone"));
  ASSERT_TRUE(gone);
  const auto cached = std::make_shared<const resources::Pod>(*gone);
  world_->stable_pods = world_->canary_pods = {cached};
  stable_ = Json::array({PodOf("web", "web-a"), PodOf("other", "other-a")});
  canary_ = Json::array({PodOf("web-canary", "web-canary-a")});
  ASSERT_TRUE(Read());
  EXPECT_EQ(Names(world_->stable_pods), std::vector<std::string>{"web-a"}) << "of its own ReplicaSets only";
  EXPECT_EQ(Names(world_->canary_pods), std::vector<std::string>{"web-canary-a"});
  ASSERT_EQ(api_.requests.size(), 2U);
  EXPECT_TRUE(api_.requests[0].target.contains("app")) << api_.requests[0].target;
}

TEST_F(ReadingPods, WhereThereIsNoCanaryNoneIsAskedFor) {
  world_->canary.reset();
  ASSERT_TRUE(Read());
  EXPECT_EQ(api_.requests.size(), 1U);
}

TEST_F(ReadingPods, ThatFailsIsAFailureAndNotNobody) {
  failure_ = Error{ErrorKind::kTransient, "the server is away"};
  EXPECT_EQ(Read().error().kind, ErrorKind::kTransient);
}

}  // namespace
}  // namespace slipway::canary
