// Values that no rule may let through, each put into an object that is good otherwise.
#include "support/hostile.h"

#include <gtest/gtest.h>

#include "resources/describe.h"
#include "resources/policy.h"

namespace slipway::resources {
namespace {

using testing::Good;
using testing::Hostile;
using testing::HostileValues;
using testing::Planted;

std::string Field(const std::optional<Violation>& violation) {
  if (!violation) return "";
  EXPECT_EQ(violation->reason, "InvalidSpec");
  EXPECT_TRUE(violation->message.starts_with(violation->field + ": ")) << violation->message;
  return violation->field;
}

template <class T>
std::string FieldOf(const kube::Json& object) {
  const auto decoded = T::Decode(object);
  return decoded ? Field(Validate(decoded->spec)) : decoded.error().message;
}

// "" or the field that is refused.
std::string Refused(const std::string& kind, const kube::Json& object) {
  if (kind == "ImageBuild") return FieldOf<ImageBuild>(object);
  if (kind == "Release") return FieldOf<Release>(object);
  if (kind == "CanaryPromotion") return FieldOf<CanaryPromotion>(object);
  auto decision = Decision::Decode(object);
  return decision ? Field(Inspect("spec", MembersOf(decision->spec))) : decision.error().message;
}

TEST(HostileTest, TheObjectsThatTheyArePutIntoAreGood) {
  for (const std::string kind : {"ImageBuild", "Release", "CanaryPromotion", "Decision"}) {
    EXPECT_EQ(Refused(kind, Good(kind)), "") << kind;
  }
  EXPECT_EQ(Refused("ImageBuild", testing::GoodImageBuild()), "");
}

TEST(HostileTest, EachIsRefusedAndItsFieldIsNamed) {
  const auto values = HostileValues();
  EXPECT_GT(values.size(), 400U);
  for (const Hostile& hostile : values) {
    const std::string field = Refused(hostile.kind, Planted(hostile));
    EXPECT_TRUE(field.starts_with(hostile.field)) << hostile.kind << " " << hostile.pointer << " = "
                                                  << hostile.value << " was refused at \"" << field << '"';
  }
}

TEST(HostileTest, ARefusalNeverRepeatsTheValue) {
  for (const char* url : {"https://user:hunter2@git.example.com/x", "ssh://user:hunter2@git.example.com/x",
                          "user:hunter2@git.example.com:x"}) {
    auto object = Good("ImageBuild");
    object["spec"]["source"]["git"]["url"] = url;
    const auto violation = Validate(ImageBuild::Decode(object)->spec);
    ASSERT_TRUE(violation) << url;
    EXPECT_EQ(violation->message.find("hunter2"), std::string::npos);
  }
}

TEST(HostileTest, WhatIsAcceptedPassesAndIsReadAsItWasWritten) {
  const auto values = testing::AcceptedValues();
  EXPECT_GT(values.size(), 150U);
  for (const auto& accepted : values) {
    const auto object = Planted(accepted);
    EXPECT_EQ(Refused("ImageBuild", object), "") << accepted.pointer << " = " << accepted.value;
    const auto build = ImageBuild::Decode(object);
    ASSERT_TRUE(build) << build.error().message;
    const auto written = EncodeSpec(build->spec);
    const auto at = kube::Json::json_pointer(accepted.pointer.substr(std::string("/spec").size()));
    // An empty text is left out.
    const bool there = written.contains(at);
    EXPECT_EQ(there, accepted.value != "" || there) << accepted.pointer;
    if (there && !accepted.value.is_object()) EXPECT_EQ(written.at(at), accepted.value) << accepted.pointer;
  }
}

TEST(HostileTest, OrdinaryTimeoutsPass) {
  for (const char* timeout : {"10s", "24h", "1h30m", "90000ms", "1.5m"}) {
    EXPECT_EQ(Refused("ImageBuild", testing::Planted("ImageBuild", "/spec/build/timeout", timeout)), "");
  }
}

TEST(HostileTest, AnEmptyOptionalTextIsAbsent) {
  ImageBuild build = *ImageBuild::Decode(Good("ImageBuild"));
  build.spec.build.target = "";
  EXPECT_FALSE(Validate(build.spec));
}

}  // namespace
}  // namespace slipway::resources
