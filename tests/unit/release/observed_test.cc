// Whether the target is decided from as a cache has it.
#include <gtest/gtest.h>

#include "unit/release/world.h"

namespace slipway::release {
namespace {

using std::chrono::hours;

struct Row {
  const char* name;
  void (*set)(World&);
  bool serves;
};

const Row kRows[] = {
    {"BeforeTheFirstDelivery", [](World&) {}, false},
    {"ItShowsWhatWasDeliveredLast",
     [](World& w) {
       w.Ended("Promoted");
       w.Run('a');
     },
     true},
    {"ItShowsWhatWasFoundLast",
     [](World& w) {
       w.Ended("AlreadyRunning");
       w.Run('a');
     },
     true},
    {"ItShowsWhatWasThereBefore", [](World& w) { w.Ended("Promoted"); }, false},
    {"AfterAFailureNothingSaysWhatItIsToShow", [](World& w) { w.Ended("Aborted"); }, false},
    {"ItShowsAnotherVersionOfItsConfigMap",
     [](World& w) {
       w.Ended("Promoted").config_maps = {{"web-config", "web-config-slipway-00000002"}};
       w.Run('a');
       w.deployment->config_refs = {"web-config-slipway-00000001"};
     },
     false},
    {"WhileItsPromotionGoesOnItIsNotAsked", [](World& w) { w.UnderWay(); }, true},
    {"ItsPromotionHasEnded", [](World& w) { End(w.UnderWay(), Completion::kPromoted); }, false},
    {"ItsPromotionIsNotSeen",
     [](World& w) {
       w.UnderWay();
       w.promotions.clear();
     },
     false},
    {"ItHasNone",
     [](World& w) {
       w.Ended("Promoted");
       w.deployment.reset();
     },
     false},
};

TEST(Cache, OfTheTargetServesWhereItCanNotMislead) {
  for (const auto& row : kRows) {
    World world;
    world.Ask('a');
    row.set(world);
    EXPECT_EQ(world.CacheServes(), row.serves) << row.name;
  }
}

}  // namespace
}  // namespace slipway::release
