// What an image must have before anything is changed for it, as the spec and the platform's policy say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "release/verification.h"
#include "unit/release/world.h"

namespace slipway::release {
namespace {

using resources::Predicate;
using testing::HasSubstr;

struct Ask {
  const char* what;
  std::function<void(World&)> arrange;
  const char* signer;  // "": nothing is demanded
  std::vector<Predicate> predicates;
  const char* held = "";  // the reason
  const char* says = "";
};

class Demands : public testing::TestWithParam<Ask> {};

TEST_P(Demands, AreTheSpecsAndThePolicys) {
  World world;
  const auto& row = GetParam();
  row.arrange(world);
  const auto demands = DemandsOf(world.Sees());
  const bool held = std::string_view(row.held) != "";
  ASSERT_EQ(demands.has_value(), !held);
  if (held) {
    EXPECT_EQ(demands.error().reason, row.held);
    EXPECT_THAT(demands.error().message, HasSubstr(row.says));
    const Plan plan = world.Decide();
    EXPECT_EQ(Ready(plan).reason, row.held);
    EXPECT_FALSE(plan.start);
    EXPECT_FALSE(plan.verification);
    return;
  }
  ASSERT_EQ(demands->has_value(), std::string_view(row.signer) != "");
  if (!*demands) return;
  EXPECT_EQ((*demands)->signer.name, row.signer);
  EXPECT_EQ((*demands)->signer.public_key, std::string("PEM of ") + row.signer);
  EXPECT_EQ((*demands)->predicates, row.predicates);
  EXPECT_EQ((*demands)->builder, "https://slipway.dev/operator");
}

const std::vector<Ask> kAsks{
    {"nothing", [](World&) {}, "", {}},
    {"a signature", [](World& w) { w.Demand("cloud"); }, "cloud", {}},
    {"attestations, in one order and each once",
     [](World& w) {
       w.Demand("release", {Predicate::kScan, Predicate::kProvenance});
       w.policy->minimum.delivery_attestations = {Predicate::kSpdx, Predicate::kScan};
     },
     "release",
     {Predicate::kProvenance, Predicate::kSpdx, Predicate::kScan}},
    {"by the policy alone",
     [](World& w) {
       w.policy->minimum.delivery_signer = "release";
       w.policy->minimum.delivery_attestations = {Predicate::kTests};
     },
     "release",
     {Predicate::kTests}},
    {"by both, and both the same",
     [](World& w) {
       w.Demand("release");
       w.policy->minimum.delivery_signer = "release";
     },
     "release",
     {}},
    {"a source, which only the provenance says",
     [](World& w) {
       w.Demand("release");
       w.release.spec.gates.source = resources::SourceGate{"https://git.example/web"};
     },
     "release",
     {Predicate::kProvenance}},
    {"another signer than the policy's",
     [](World& w) {
       w.Demand("cloud");
       w.policy->minimum.delivery_signer = "release";
     },
     "",
     {},
     "GateLoosened",
     "spec.gates.signature.signer is \"cloud\", and the platform's policy has images of this namespace "
     "signed by "
     "\"release\" (ConfigMap slipway-system/slipway-policy, namespaces.team.minimum.delivery)"},
    {"attestations of nobody",
     [](World& w) { w.policy->minimum.delivery_attestations = {Predicate::kScan}; },
     "",
     {},
     "GateLoosened",
     "spec.gates.signature.signer is not set"},
    {"an unknown signer",
     [](World& w) { w.Demand("nobody"); },
     "",
     {},
     "SignerNotFound",
     "no signer \"nobody\""},
};
INSTANTIATE_TEST_SUITE_P(Rows, Demands, testing::ValuesIn(kAsks),
                         [](const auto& row) { return std::to_string(row.index); });

TEST(Demanding, NameTheSource) {
  World world;
  world.Demand("release");
  world.release.spec.gates.source = resources::SourceGate{"https://git.example/web"};
  EXPECT_EQ((*DemandsOf(world.Sees()))->source, "https://git.example/web");
}

TEST(Demanding, WithoutASignerIsAnInvalidSpec) {
  World world;
  world.release.spec.gates.attestations = {Predicate::kScan};
  EXPECT_EQ(Ready(world.Decide()).reason, "InvalidSpec");
  world.release.spec.gates.attestations.clear();
  world.release.spec.gates.source = resources::SourceGate{"https://git.example/web"};
  EXPECT_EQ(Ready(world.Decide()).reason, "InvalidSpec");
}

// What is delivered is told of it at once, not at the next image.
TEST(Demanding, LessThanThePolicyIsSaidOfWhatIsDeliveredToo) {
  World world;
  world.Run('a');
  world.Ended("Promoted");
  world.release.status.image = Image('a');
  world.Demand("cloud");
  EXPECT_EQ(Ready(world.Decide()).reason, "Delivered");
  world.policy->minimum.delivery_signer = "release";
  EXPECT_EQ(Ready(world.Decide()).reason, "GateLoosened");
}

}  // namespace
}  // namespace slipway::release
