#include "image_build/trigger_pods.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "resources/observed.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using kube::Json;
using resources::NameRef;
using resources::SecretUse;
using Strings = std::vector<std::string>;

const Tools kTools{.runner_image = "runner@x"};

// A namespace whose policy grants whatever Secret a test makes it grant.
struct Space {
  Space() { policy.repositories = {"registry.example.com/"}; }
  ImageBuild& Add(const std::string& name) {
    World world;
    world.build.meta.key.name = name;
    builds.push_back(std::make_shared<ImageBuild>(world.build));
    return *builds.back();
  }
  // Polls its git repository with this Secret.
  ImageBuild& Polled(const std::string& name, const std::string& secret) {
    auto& build = Add(name);
    build.spec.trigger.poll.emplace();
    build.spec.source.credentials_secret_ref = NameRef{secret};
    policy.secrets.push_back({secret, SecretUse::kSource});
    return build;
  }
  ImageBuild& Based(const std::string& name, const std::string& secret) {
    auto& build = Add(name);
    build.spec.trigger.base_images = resources::PollTrigger{std::chrono::hours(1)};
    build.spec.output.move_tags = true;
    build.spec.build.base_credentials_secret_ref = NameRef{secret};
    policy.secrets.push_back({secret, SecretUse::kBase});
    return build;
  }
  ImageBuild& Hooked(const std::string& name, const std::string& secret) {
    auto& build = Add(name);
    build.spec.trigger.webhook = resources::WebhookTrigger{{secret}};
    policy.secrets.push_back({secret, SecretUse::kWebhook});
    return build;
  }
  TriggerNeeds Needs() const { return NeedsOf({builds.begin(), builds.end()}, &policy); }
  Json Poller() const { return RenderPoller("team", Needs(), {kTools, whole, policy}); }
  Json Receiver() const { return RenderReceiver("team", Needs(), {kTools, whole, policy}); }

  std::vector<std::shared_ptr<ImageBuild>> builds;
  resources::NamespacePolicy policy;
  resources::Policy whole;
};

const Json& PodOf(const Json& deployment) { return deployment["spec"]["template"]["spec"]; }

Strings Paths(const Json& deployment) {
  Strings paths;
  for (const auto& mount : PodOf(deployment)["containers"][0]["volumeMounts"])
    paths.push_back(mount["mountPath"]);
  return paths;
}

TEST(TriggerNeeds, OfSeveralBuildsAreMergedAndSorted) {
  Space space;
  space.Polled("c", "z-git").spec.ca_bundle_ref = NameRef{"z-ca"};
  space.Polled("a", "a-git").spec.ca_bundle_ref = NameRef{"a-ca"};
  space.Polled("b", "z-git").spec.ca_bundle_ref = NameRef{"z-ca"};
  space.Based("e", "z-base");
  space.Based("d", "a-base");
  space.Hooked("y", "key");
  space.Hooked("x", "key");
  TriggerNeeds expected{.git_secrets = {"a-git", "z-git"},
                        .registry_secrets = {"a-base", "z-base"},
                        .ca_bundles = {"a-ca", "z-ca"},
                        .hook_keys = {{"x", "key"}, {"y", "key"}},
                        .poll = true,
                        .receive = true};
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    for (const auto& build : space.builds) {
      if (build->meta.key.name == name) expected.polled.push_back(resources::PollMark(*build));
    }
  }
  std::ranges::sort(expected.polled);
  EXPECT_EQ(space.Needs(), expected);
  const Json poller = space.Poller();
  std::ranges::reverse(space.builds);  // the cache has no order: it must not look like a change
  EXPECT_EQ(space.Needs(), expected);
  EXPECT_EQ(space.Poller(), poller);
}

TEST(TriggerNeeds, AreOnlyOfWhatTheTriggerUses) {
  Space space;
  auto& build = space.Polled("a", "git");
  build.spec.trigger.poll.reset();
  build.spec.ca_bundle_ref = NameRef{"ca"};
  EXPECT_EQ(space.Needs(), TriggerNeeds{});
  // Registries are polled, and its git host is not.
  build.spec.trigger.base_images = resources::PollTrigger{std::chrono::hours(1)};
  build.spec.output.move_tags = true;
  EXPECT_EQ(space.Needs(),
            (TriggerNeeds{.ca_bundles = {"ca"}, .polled = {resources::PollMark(build)}, .poll = true}));
}

TEST(TriggerNeeds, AreNotOfWhatIsRefusedOrGoing) {
  Space space;
  space.Polled("going", "git").meta.deleted = kNow;
  space.Polled("elsewhere", "git").spec.output.repository = "other.example.com/x";
  space.Polled("thief", "hook");
  space.policy.secrets = {{"git", SecretUse::kSource}, {"hook", SecretUse::kWebhook}};
  EXPECT_EQ(space.Needs(), TriggerNeeds{});
  space.Hooked("hooked", "hook");
  EXPECT_EQ(NeedsOf({space.builds.begin(), space.builds.end()}, nullptr), TriggerNeeds{});
}

// The API server takes no two volumes of one name, none longer than 63, and no two mounts on one path.
TEST(TriggerPods, HaveVolumesThatTheApiServerTakes) {
  Space space;
  const std::string longest = std::string(200, 'a') + ".b";
  for (const std::string& secret : {longest + "1", longest + "2", std::string("short")}) {
    auto& build = space.Polled("polled-" + secret, secret);
    build.spec.ca_bundle_ref = NameRef{secret};
    space.Hooked("hooked-" + secret, "key");
  }
  space.Based("based", longest + "3");
  for (const Json& deployment : {space.Poller(), space.Receiver()}) {
    std::set<std::string> names;
    for (const auto& volume : PodOf(deployment)["volumes"]) {
      const std::string name = volume["name"];
      EXPECT_LE(name.size(), 63U) << name;
      EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string::npos) << name;
      EXPECT_TRUE(names.insert(name).second) << name;
    }
    EXPECT_GE(names.size(), 4U);
    auto paths = Paths(deployment);
    EXPECT_EQ(paths.size(), names.size());
    std::ranges::sort(paths);
    EXPECT_EQ(std::ranges::adjacent_find(paths), paths.end());
  }
}

TEST(TriggerPods, ASecretOfTwoUsesIsMountedOnce) {
  Space space;
  space.Polled("a", "both");
  space.Based("b", "both");
  EXPECT_EQ(Paths(space.Poller()), (Strings{"/tmp", "/credentials/both"}));
}

TEST(TriggerPods, MountWhatIsNeededWhereTheRunnerLooks) {
  Space space;
  space.Polled("a", "git").spec.ca_bundle_ref = NameRef{"ca"};
  space.Based("b", "base");
  space.Hooked("c", "key");
  EXPECT_EQ(Paths(space.Poller()), (Strings{"/tmp", "/credentials/base", "/credentials/git", "/ca/ca"}));
  EXPECT_EQ(Paths(space.Receiver()), (Strings{"/tmp", "/keys/c"}));
  for (const Json& deployment : {space.Poller(), space.Receiver()}) {
    const Json& pod = PodOf(deployment);
    EXPECT_EQ(pod["serviceAccountName"], "slipway-trigger");
    EXPECT_EQ(pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"], true);
    for (const auto& volume : pod["volumes"]) {
      if (volume["name"] == "tmp") continue;
      const Json& source = volume.contains("secret") ? volume["secret"] : volume["configMap"];
      EXPECT_EQ(source["optional"], true);  // one that is missing holds nobody else up
      EXPECT_EQ(source["defaultMode"], 0440);
    }
    const Json& labels = deployment["spec"]["template"]["metadata"]["labels"];
    const Json& selector = deployment["spec"]["selector"]["matchLabels"];
    EXPECT_FALSE(selector.empty());
    for (const auto& [name, value] : selector.items()) EXPECT_EQ(labels[name], value) << name;
  }
}

TEST(TriggerPods, TheServiceIsInFrontOfTheReceiver) {
  const Json service = RenderReceiverService("team");
  const Json receiver = Space().Receiver();
  const auto& labels = receiver["spec"]["template"]["metadata"]["labels"];
  for (const auto& [name, value] : service["spec"]["selector"].items()) EXPECT_EQ(labels[name], value);
  EXPECT_EQ(service["spec"]["ports"][0]["targetPort"], PodOf(receiver)["containers"][0]["ports"][0]["name"]);
}

}  // namespace
}  // namespace slipway::image_build
