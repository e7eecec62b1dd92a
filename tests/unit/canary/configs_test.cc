#include "canary/configs.h"

#include <gtest/gtest.h>

#include "unit/canary/world.h"

namespace slipway::canary {
namespace {

using resources::CanaryPhase;
using resources::Completion;
using resources::Verb;

TEST(Configs, AreWrittenWithTheImageAndBroughtBackWithIt) {
  World world;
  world.promotion.spec.config_maps = {{"settings", "settings-slipway-22222222"},
                                      {"unused", "unused-slipway-33333333"}};
  world.stable->config_refs = {"other", "settings-slipway-11111111"};
  world.Enter(CanaryPhase::kPromoting);
  world.stable->config_refs = {"other", "settings-slipway-11111111"};
  Plan plan = world.Step();
  ASSERT_NE(Find<WriteStable>(plan), nullptr);
  EXPECT_EQ(Find<WriteStable>(plan)->config_maps, (Configs{{"settings", "settings-slipway-22222222"}}));
  EXPECT_EQ(plan.status.baseline->config_maps, (Configs{{"settings", "settings-slipway-11111111"}}));

  world.Rolls();
  world.stable->config_refs = {"other", "settings-slipway-22222222"};
  world.Decided(Verb::kAbort);
  world.Step();
  plan = world.Step();
  ASSERT_NE(Find<WriteStable>(plan), nullptr);
  EXPECT_EQ(Find<WriteStable>(plan)->config_maps, (Configs{{"settings", "settings-slipway-11111111"}}));
}

TEST(Configs, NamedLikeACopyOfAnotherAreThemselves) {
  World world;
  const std::string odd = "settings-slipway-00000001";
  world.promotion.spec.config_maps = {{"settings", "settings-slipway-22222222"},
                                      {odd, odd + "-slipway-33333333"}};
  world.stable->config_refs = {"settings", odd};
  const auto& spec = world.promotion.spec;
  EXPECT_EQ(NamedConfigs(spec, *world.stable), (Configs{{"settings", "settings"}, {odd, odd}}));
  const Configs wanted = WantedConfigs(spec, *world.stable);
  EXPECT_FALSE(Names(*world.stable, wanted));
  world.stable->config_refs = {"settings-slipway-22222222", odd + "-slipway-33333333"};
  EXPECT_TRUE(Names(*world.stable, wanted));
}

TEST(Configs, ThatDifferAreADeliveryThoughTheImageRunsAlready) {
  World world;
  world.promotion.spec.image = Image('a');
  world.promotion.spec.config_maps = {{"settings", "settings-slipway-22222222"}};
  world.stable->config_refs = {"settings"};
  EXPECT_EQ(world.Decide().status.phase, CanaryPhase::kStarting);
  world.stable->config_refs = {"settings-slipway-22222222"};
  EXPECT_EQ(world.Decide().status.completion, Completion::kPromoted);
}

}  // namespace
}  // namespace slipway::canary
