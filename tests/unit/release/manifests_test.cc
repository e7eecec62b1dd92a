#include "release/manifests.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/release/world.h"

namespace slipway::release {
namespace {

Start StartOf(const World& world) { return {PromotionName(world.release, 1), world.Wants()}; }

// As the API server would hand it back.
CanaryPromotion Live(const World& world) {
  auto body = RenderPromotion(world.release, StartOf(world));
  body["metadata"]["uid"] = "live-uid";
  body["metadata"]["resourceVersion"] = "5";
  body["metadata"]["creationTimestamp"] = "2026-11-21T06:00:00Z";
  body["metadata"]["finalizers"] = {"slipway.dev/restore-stable"};
  auto decoded = CanaryPromotion::Decode(body);
  EXPECT_TRUE(decoded.has_value()) << (decoded ? "" : decoded.error().message);
  return decoded.value_or(CanaryPromotion{});
}

TEST(Promotion, CarriesTheReleasesTargetStepsTestsAndTheBuildsCommit) {
  World world;
  const auto live = Live(world);
  EXPECT_EQ(live.spec.target, world.release.spec.target);
  EXPECT_EQ(live.spec.image, Image('a'));
  EXPECT_EQ(live.spec.version, "1111111111111111111111111111111111111111");
  EXPECT_EQ(live.spec.steps, world.release.spec.canary.steps);
  EXPECT_EQ(live.spec.smoke_tests, world.release.spec.smoke_tests);
}

TEST(Promotion, OfAnImageNamedInTheSpecAsksForItsVersion) {
  World world;
  world.Ask('b');
  world.release.spec.version = "v2.0.0";
  EXPECT_EQ(Live(world).spec.version, "v2.0.0");
  world.release.spec.version.clear();
  EXPECT_EQ(Live(world).spec.version, "");
}

TEST(Promotion, WithoutStepsOrTestsHasOneOfEach) {
  World world;
  world.release.spec.canary.steps.clear();
  world.release.spec.smoke_tests.clear();
  const auto live = Live(world);
  ASSERT_EQ(live.spec.steps.size(), 1U);
  EXPECT_EQ(live.spec.steps[0].weight, 10);
  EXPECT_EQ(live.spec.smoke_tests.size(), 1U);
}

TEST(Promotion, IsOwnedByTheReleaseAndMarked) {
  World world;
  const auto live = Live(world);
  ASSERT_NE(live.meta.Controller(), nullptr);
  EXPECT_EQ(live.meta.Controller()->uid, kReleaseUid);
  EXPECT_EQ(live.meta.Controller()->kind, "Release");
  EXPECT_EQ(live.meta.labels.at("slipway.dev/kind"), "Release");
  EXPECT_EQ(live.meta.labels.at("slipway.dev/name"), "web");
  EXPECT_EQ(live.meta.key.ns, "team");
}

TEST(Promotion, LabelOfALongNameIsAValidLabelValue) {
  World world;
  world.release.meta.key.name = std::string(62, 'x') + ".very-long-name";
  const auto body = RenderPromotion(world.release, StartOf(world));
  EXPECT_EQ(body["metadata"]["labels"]["slipway.dev/name"], std::string(62, 'x'));
}

TEST(OwnPromotion, IsKnownAgainWithItsFinalizerAndAnyStatus) {
  World world;
  auto live = Live(world);
  End(live, Completion::kPromoted);
  live.meta.annotations["somebody"] = "was-here";
  EXPECT_TRUE(IsPromotionOf(world.release, StartOf(world), live));
  live.meta.finalizers.clear();
  EXPECT_TRUE(IsPromotionOf(world.release, StartOf(world), live));
}

TEST(OwnPromotion, IsNotOneWithAnotherSpecOrOwner) {
  World world;
  auto live = Live(world);
  live.spec.steps[0].weight = 100;
  EXPECT_FALSE(IsPromotionOf(world.release, StartOf(world), live));
  live = Live(world);
  live.meta.owners[0].uid = {"another-release"};
  EXPECT_FALSE(IsPromotionOf(world.release, StartOf(world), live));
  live.meta.owners.clear();
  EXPECT_FALSE(IsPromotionOf(world.release, StartOf(world), live));
}

}  // namespace
}  // namespace slipway::release
