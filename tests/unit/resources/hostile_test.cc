// Values that no rule may let through, each put into an object that is good otherwise.
#include "unit/resources/hostile.h"

#include <gtest/gtest.h>

#include "resources/policy.h"

namespace slipway::resources {
namespace {

using testing::Good;
using testing::Hostile;
using testing::HostileValues;
using testing::Planted;

template <class T>
std::string FieldOf(const kube::Json& object) {
  const auto decoded = T::Decode(object);
  if (!decoded) return decoded.error().message;
  const auto violation = Validate(decoded->spec);
  if (!violation) return "";
  EXPECT_EQ(violation->reason, "InvalidSpec");
  EXPECT_TRUE(violation->message.starts_with(violation->field + ": ")) << violation->message;
  return violation->field;
}

std::string Refused(const std::string& kind, const kube::Json& object) {
  if (kind == "ImageBuild") return FieldOf<ImageBuild>(object);
  return kind == "Release" ? FieldOf<Release>(object) : FieldOf<CanaryPromotion>(object);
}

TEST(HostileTest, TheObjectsThatTheyArePutIntoAreGood) {
  for (const std::string kind : {"ImageBuild", "Release", "CanaryPromotion"}) {
    EXPECT_EQ(Refused(kind, Good(kind)), "") << kind;
  }
}

TEST(HostileTest, EachIsRefusedAndItsFieldIsNamed) {
  const auto values = HostileValues();
  EXPECT_GT(values.size(), 200U);
  for (const Hostile& hostile : values) {
    const std::string field = Refused(hostile.kind, Planted(hostile));
    EXPECT_TRUE(field.starts_with(hostile.field)) << hostile.kind << " " << hostile.pointer << " = "
                                                  << hostile.value << " was refused at \"" << field << '"';
  }
}

TEST(HostileTest, ARefusalNeverRepeatsTheValue) {
  auto object = Good("ImageBuild");
  object["spec"]["source"]["git"]["url"] = "https://user:hunter2@git.example.com/x";
  const auto violation = Validate(ImageBuild::Decode(object)->spec);
  ASSERT_TRUE(violation);
  EXPECT_EQ(violation->message.find("hunter2"), std::string::npos);
}

TEST(HostileTest, OrdinaryValuesPass) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> rows{
      {"/spec/source/git/url",
       {"http://git.slipway.test:8090/sample.git", "https://github.com/o/r", "https://h/a/b/c.git/",
        "http://10.0.0.1/x"}},
      {"/spec/source/git/revision",
       {"main", "v1.2.3", "refs/pull/7/head", std::string(40, 'a'), "feature/x_y-1", "user@work", "release+1",
        "fix-#12", "_x"}},
      {"/spec/source/git/contextDir", {".", "a", "a/b-c/d_e.f", ".hidden", "@scope/x"}},
      {"/spec/build/target", {"final", "stage-1", "0", "Build_2"}},
      {"/spec/build/timeout", {"10s", "24h", "1h30m", "90000ms", "1.5m"}},
      {"/spec/build/args/0/value", {"", "a b=c", "--x", "日本", "'\"$(id)`;|&"}},
      {"/spec/output/repository",
       {"localhost/a", "localhost:5000/a", "registry:5000/a/b", "r.io/a-b/c_d/e.f/g__h/i--j",
        "10.0.0.1:5000/x"}},
      {"/spec/output/tags/0",
       {"v1", "{{commit}}", "{{shortCommit}}-x", "a-{{commit}}", "latest-{{commit}}", "_"}},
  };
  for (const auto& [pointer, values] : rows) {
    for (const auto& value : values) {
      EXPECT_EQ(Refused("ImageBuild", Planted({"ImageBuild", pointer, value, ""})), "")
          << pointer << " " << value;
    }
  }
}

TEST(HostileTest, AnEmptyOptionalTextIsAbsent) {
  ImageBuild build = *ImageBuild::Decode(Good("ImageBuild"));
  build.spec.build.target = "";
  EXPECT_FALSE(Validate(build.spec));
}

}  // namespace
}  // namespace slipway::resources
