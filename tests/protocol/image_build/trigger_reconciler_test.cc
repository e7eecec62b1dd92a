// The poller and the receiver of a namespace: there while they are asked for, as they were asked for.
#include "image_build/trigger_reconciler.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "protocol/runtime/scripted_api.h"

namespace slipway::image_build {
namespace {

using kube::Json;
using kube::Verb;

const std::string kPollerName(kPoller);
const std::string kReceiverName(kReceiver);

class TriggerReconcilerTest : public ::testing::Test {
 protected:
  TriggerReconcilerTest() {
    resources::PolicyMap policies;
    policies.meta.key = {"slipway-system", "policy"};
    policies.policy = resources::Policy{};
    auto& team = policies.policy->namespaces["team"];
    team.repositories = {"registry.example.com/team/"};
    team.secrets = {{"git", resources::SecretUse::kSource}, {"hook", resources::SecretUse::kWebhook}};
    policies_.Put(policies);
    api_.on_call = [this](const kube::Request& request) { return Answer(request); };
  }

  resources::ImageBuild Polled(const std::string& name, const std::string& secret) const {
    resources::ImageBuild build;
    build.meta.key = {"team", name};
    build.meta.uid = {"uid-" + name};
    build.spec.source.url = "https://git.example.com/team/app.git";
    build.spec.source.revision = "main";
    build.spec.source.credentials_secret_ref = resources::NameRef{secret};
    build.spec.output.repository = "registry.example.com/team/app";
    build.spec.trigger.poll.emplace();
    return build;
  }
  resources::ImageBuild Hooked(const std::string& name, const std::string& secret) const {
    auto build = Polled(name, "git");
    build.spec.trigger.poll.reset();
    build.spec.trigger.webhook = resources::WebhookTrigger{{secret}};
    return build;
  }

  // What is applied is in the cache: a Deployment's generation stays when the same is applied again.
  Result<Json> Answer(const kube::Request& request) {
    const std::string path = request.target.substr(0, request.target.find('?'));
    const std::string name = path.substr(path.rfind('/') + 1);
    const bool service = path.contains("/services/");
    if (request.verb == Verb::kDelete) {
      if (service) services_.Erase({"team", name});
      if (!service) deployments_.Erase({"team", name});
      return Json::object();
    }
    EXPECT_EQ(request.verb, Verb::kPatch) << path;
    Json body = runtime::BodyOf(request);
    auto& kept = server_[path];
    if (kept.body != body) ++kept.generation;
    kept.body = body;
    Cache(path, service ? 0 : kept.generation, kept.generation);
    return body;
  }
  void Cache(const std::string& path, int generation, int version) {
    Json body = server_.at(path).body;
    auto& meta = body["metadata"];
    meta["uid"] = "the-uid";
    meta["resourceVersion"] = std::to_string(version);
    if (generation > 0) meta["generation"] = generation;
    if (path.contains("/services/")) return services_.Put(*resources::Service::Decode(body));
    deployments_.Put(*resources::Deployment::Decode(body));
  }
  // Somebody else changes it; the server's version is another, and a Deployment's generation too.
  void Meddle(const std::string& name, bool service) {
    for (auto& [path, kept] : server_) {
      if (!path.ends_with("/" + name) || path.contains("/services/") != service) continue;
      ++kept.generation;
      Cache(path, service ? 0 : kept.generation, kept.generation);
      kept.body["changed"] = true;
    }
  }

  bool Reconcile() { return loop_.Get(reconciler_.Reconcile({"team", ""})).has_value(); }
  // Until nothing more would be done, and what was counted before is forgotten.
  void Settle() {
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(Reconcile());
    api_.requests.clear();
  }
  std::size_t Sent(Verb verb, const std::string& part) const {
    return static_cast<std::size_t>(std::ranges::count_if(api_.requests, [&](const kube::Request& request) {
      return request.verb == verb && request.target.contains(part);
    }));
  }
  bool Polls() const { return deployments_.Get({"team", kPollerName}) != nullptr; }

  struct Kept {
    Json body;
    int generation = 0;
  };
  std::map<std::string, Kept> server_;
  runtime::Loop loop_;
  runtime::HandWoundClock clock_;
  runtime::ScriptedApi api_;
  runtime::Applier applier_{api_};
  runtime::EventRecorder recorder_{loop_.executor(), api_, clock_, "pod_1"};
  telemetry::Metrics metrics_;
  runtime::Store<resources::ImageBuild> builds_;
  runtime::Store<resources::Deployment> deployments_;
  runtime::Store<resources::Service> services_;
  runtime::Store<resources::PolicyMap> policies_;
  TriggerReconciler reconciler_{
      runtime::Shell{api_, applier_, recorder_, clock_, metrics_},
      TriggerCaches{builds_, deployments_, services_, policies_, {"slipway-system", "policy"}}, Tools{}};
};

TEST_F(TriggerReconcilerTest, MakesNothingThatNobodyAsksFor) {
  auto build = Polled("app", "git");
  build.spec.trigger.poll.reset();
  builds_.Put(build);
  ASSERT_TRUE(Reconcile());
  EXPECT_TRUE(api_.requests.empty());
}

TEST_F(TriggerReconcilerTest, AppliesThePollerThatIsAskedForAndNoReceiver) {
  builds_.Put(Polled("app", "git"));
  ASSERT_TRUE(Reconcile());
  ASSERT_EQ(api_.requests.size(), 1U);
  EXPECT_EQ(Sent(Verb::kPatch, "/deployments/" + kPollerName), 1U);
  const Json pod = runtime::BodyOf(api_.requests.at(0))["spec"]["template"]["spec"];
  EXPECT_EQ(pod["serviceAccountName"], "slipway-trigger");
  EXPECT_EQ(pod["volumes"][1]["secret"]["secretName"], "git");
}

TEST_F(TriggerReconcilerTest, AppliesTheReceiverWithItsService) {
  builds_.Put(Hooked("app", "hook"));
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Sent(Verb::kPatch, "/deployments/" + kReceiverName), 1U);
  EXPECT_EQ(Sent(Verb::kPatch, "/services/" + kReceiverName), 1U);
  EXPECT_FALSE(Polls());
}

TEST_F(TriggerReconcilerTest, AppliesNothingAgainWhileNothingChanges) {
  builds_.Put(Polled("app", "git"));
  builds_.Put(Hooked("hooked", "hook"));
  Settle();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Reconcile());
  EXPECT_TRUE(api_.requests.empty());
}

TEST_F(TriggerReconcilerTest, AppliesAgainWhatSomebodyElseChanged) {
  builds_.Put(Polled("app", "git"));
  builds_.Put(Hooked("hooked", "hook"));
  Settle();
  Meddle(kPollerName, false);
  Settle();
  EXPECT_FALSE(server_.begin()->second.body.contains("changed"));
  Meddle(kReceiverName, true);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Sent(Verb::kPatch, "/services/" + kReceiverName), 1U);
  EXPECT_EQ(Sent(Verb::kPatch, "/deployments/"), 0U);
  Settle();
  ASSERT_TRUE(Reconcile());
  EXPECT_TRUE(api_.requests.empty());
}

TEST_F(TriggerReconcilerTest, AppliesAgainWhatWasDeleted) {
  builds_.Put(Polled("app", "git"));
  Settle();
  deployments_.Erase({"team", kPollerName});
  ASSERT_TRUE(Reconcile());
  EXPECT_TRUE(Polls());
}

TEST_F(TriggerReconcilerTest, AppliesAgainWhenAnotherSecretIsNeeded) {
  builds_.Put(Polled("app", "git"));
  Settle();
  auto open = Polled("app", "git");
  open.spec.source.credentials_secret_ref.reset();
  builds_.Put(open);
  ASSERT_TRUE(Reconcile());
  ASSERT_EQ(Sent(Verb::kPatch, "/deployments/" + kPollerName), 1U);
  EXPECT_EQ(runtime::BodyOf(api_.requests.at(0))["spec"]["template"]["spec"]["volumes"].size(), 1U);
}

TEST_F(TriggerReconcilerTest, RemovesWhatNobodyAsksForAnyMore) {
  builds_.Put(Polled("app", "git"));
  builds_.Put(Hooked("hooked", "hook"));
  Settle();
  builds_.Erase({"team", "app"});
  ASSERT_TRUE(Reconcile());
  EXPECT_FALSE(Polls());
  ASSERT_EQ(api_.requests.size(), 1U);
  EXPECT_EQ(runtime::BodyOf(api_.requests.at(0))["preconditions"]["uid"], "the-uid");
  builds_.Erase({"team", "hooked"});
  Settle();
  EXPECT_EQ(deployments_.size() + services_.size(), 0U);
}

TEST_F(TriggerReconcilerTest, LeavesADeploymentWithoutOurLabelAlone) {
  resources::Deployment theirs;
  theirs.meta.key = {"team", kPollerName};
  theirs.meta.uid = {"theirs"};
  deployments_.Put(theirs);
  ASSERT_TRUE(Reconcile());
  EXPECT_TRUE(api_.requests.empty());
  EXPECT_TRUE(Polls());
}

TEST_F(TriggerReconcilerTest, MountsNoSecretThatThePolicyDoesNotAllow) {
  builds_.Put(Polled("app", "git"));
  builds_.Put(Polled("thief", "hook"));         // granted, and for another use
  builds_.Put(Hooked("other", "not-granted"));  // no receiver for it
  ASSERT_TRUE(Reconcile());
  ASSERT_EQ(api_.requests.size(), 1U);
  const Json volumes = runtime::BodyOf(api_.requests.at(0))["spec"]["template"]["spec"]["volumes"];
  ASSERT_EQ(volumes.size(), 2U);
  EXPECT_EQ(volumes[1]["secret"]["secretName"], "git");
}

TEST_F(TriggerReconcilerTest, RemovesAllWhereThePolicyIsGone) {
  builds_.Put(Polled("app", "git"));
  Settle();
  policies_.Erase({"slipway-system", "policy"});
  ASSERT_TRUE(Reconcile());
  EXPECT_FALSE(Polls());
}

}  // namespace
}  // namespace slipway::image_build
