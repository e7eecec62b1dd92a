// What is written is read back the same, and what is written is never refused by the schema, whatever went
// in.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

#include "resources/crd.h"
#include "resources/describe.h"
#include "support/hostile.h"
#include "unit/resources/filler.h"
#include "unit/resources/schema_check.h"

namespace slipway::resources {
namespace {

kube::Json SchemaOf(const std::string& plural) {
  for (const auto& definition : Definitions()) {
    if (definition.name != "slipway.dev_" + plural) continue;
    return definition.crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
  }
  return {};
}

template <class T>
kube::Json Around(const std::string& member, kube::Json value) {
  kube::Json object = std::is_same_v<T, ImageBuild> ? testing::GoodImageBuild()
                      : std::is_same_v<T, Release>  ? testing::GoodRelease()
                      : std::is_same_v<T, Decision> ? testing::GoodDecision()
                                                    : testing::GoodCanaryPromotion();
  object[member] = std::move(value);
  // As it goes over the wire: an encoding that is no UTF-8 throws here.
  return kube::Json::parse(object.dump());
}

template <class T>
using StatusOf = decltype(T::status);
template <class T>
using SpecOf = decltype(T::spec);

template <class T>
void StatusRoundTrip() {
  const auto status = Filled<StatusOf<T>>(*rc::gen::arbitrary<std::uint64_t>());
  const auto decoded = T::Decode(Around<T>("status", EncodeStatus(status)));
  if (!decoded) RC_FAIL(decoded.error().message);
  RC_ASSERT(decoded->status == status);
}
RC_GTEST_PROP(RoundTripTest, ImageBuildStatus, ()) { StatusRoundTrip<ImageBuild>(); }
RC_GTEST_PROP(RoundTripTest, ReleaseStatus, ()) { StatusRoundTrip<Release>(); }
RC_GTEST_PROP(RoundTripTest, CanaryPromotionStatus, ()) { StatusRoundTrip<CanaryPromotion>(); }

template <class T>
void SpecRoundTrip() {
  auto spec = Filled<SpecOf<T>>(*rc::gen::arbitrary<std::uint64_t>());
  const auto decoded = T::Decode(Around<T>("spec", Write(MembersOf(spec))));
  if (!decoded) RC_FAIL(decoded.error().message);
  RC_ASSERT(decoded->spec == spec);
}
RC_GTEST_PROP(RoundTripTest, ImageBuildSpec, ()) { SpecRoundTrip<ImageBuild>(); }
RC_GTEST_PROP(RoundTripTest, ReleaseSpec, ()) { SpecRoundTrip<Release>(); }
RC_GTEST_PROP(RoundTripTest, CanaryPromotionSpec, ()) { SpecRoundTrip<CanaryPromotion>(); }
RC_GTEST_PROP(RoundTripTest, DecisionSpec, ()) { SpecRoundTrip<Decision>(); }

template <class T>
void WildStatus(const char* plural) {
  static const kube::Json schema = SchemaOf(plural)["status"];
  const auto status = Filled<StatusOf<T>>(*rc::gen::arbitrary<std::uint64_t>(), true);
  const kube::Json encoded = EncodeStatus(status);
  const std::string complaint = Complaint(schema, encoded, "status");
  if (!complaint.empty()) RC_FAIL(complaint);
  const auto decoded = T::Decode(Around<T>("status", encoded));
  if (!decoded) RC_FAIL(decoded.error().message);
  // Cut once, it is not cut again.
  const kube::Json again = EncodeStatus(decoded->status);
  RC_ASSERT(again.value("conditions", kube::Json()) == encoded.value("conditions", kube::Json()));
}
RC_GTEST_PROP(RoundTripTest, NoImageBuildStatusIsRefused, ()) { WildStatus<ImageBuild>("imagebuilds"); }
RC_GTEST_PROP(RoundTripTest, NoReleaseStatusIsRefused, ()) { WildStatus<Release>("releases"); }
RC_GTEST_PROP(RoundTripTest, NoCanaryPromotionStatusIsRefused, ()) {
  WildStatus<CanaryPromotion>("canarypromotions");
}

TEST(EncodeTest, LeavesOutWhatIsEmpty) {
  const kube::Json encoded = EncodeStatus(ImageBuildStatus{});
  EXPECT_EQ(encoded, kube::Json::parse(R"({"observedGeneration": -1, "phase": "Pending"})"));
}

TEST(EncodeTest, WritesTimesAndShortFormsForPeople) {
  ImageBuildStatus status;
  status.latest =
      LatestBuild{std::string(40, 'c'), testing::kGoodImage, {"v1"}, TimePoint(std::chrono::seconds(0))};
  status.runs.push_back({.number = 2, .commit = CommitFacts{.sha = std::string(40, 'd')}});
  const kube::Json encoded = EncodeStatus(status);
  EXPECT_EQ(encoded["latest"]["built"], "1970-01-01T00:00:00Z");
  EXPECT_EQ(encoded["latest"]["shortCommit"], std::string(12, 'c'));
  EXPECT_EQ(encoded["latest"]["shortDigest"], std::string(12, 'a'));
  EXPECT_EQ(encoded["shortCommit"], std::string(12, 'd'));
  EXPECT_EQ(encoded["runs"][0]["number"], 2);
}

TEST(EncodeTest, TheStepOfAPromotionCountsFromOneForPeople) {
  CanaryPromotionStatus status;
  EXPECT_FALSE(EncodeStatus(status).contains("step"));
  status.steps.resize(2);
  status.current_step = 1;
  EXPECT_EQ(EncodeStatus(status)["step"], "2");
  EXPECT_EQ(EncodeStatus(status)["currentStep"], 1);
  EXPECT_FALSE(EncodeStatus(status).contains("completion"));
}

TEST(EncodeTest, APromotionsSpecIsWhatItsSchemaTakes) {
  CanaryPromotionSpec spec;
  spec.target = {"web", "", "web"};
  spec.image = testing::kGoodImage;
  spec.steps = {{25, std::chrono::minutes(5)}};
  const kube::Json encoded = EncodeSpec(spec);
  EXPECT_EQ(Complaint(SchemaOf("canarypromotions")["spec"], encoded, "spec"), "");
  EXPECT_EQ(encoded["steps"][0]["weight"], 25);
  EXPECT_FALSE(encoded["target"].contains("container"));
  EXPECT_FALSE(encoded.contains("smokeTests"));
}

TEST(EncodeTest, AnImageBuildsSpecIsWhatItsSchemaTakes) {
  for (const auto& object : {testing::GoodImageBuild(), testing::FullImageBuild()}) {
    const auto build = ImageBuild::Decode(object);
    ASSERT_TRUE(build) << build.error().message;
    const kube::Json encoded = EncodeSpec(build->spec);
    EXPECT_EQ(Complaint(SchemaOf("imagebuilds")["spec"], encoded, "spec"), "");
    EXPECT_EQ(ImageBuild::Decode(Around<ImageBuild>("spec", encoded))->spec, build->spec);
    EXPECT_FALSE(encoded["source"]["git"].contains("semver"));
  }
}

}  // namespace
}  // namespace slipway::resources
