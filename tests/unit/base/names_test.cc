#include "base/names.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <regex>
#include <set>
#include <string>
#include <tuple>

namespace slipway {
namespace {

bool IsLabel(const std::string& name) {
  static const std::regex kLabel("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
  return std::regex_match(name, kLabel);
}

// A NUL parts the three in the hash, and the API server lets it into none of them.
rc::Gen<std::string> AnyText() { return rc::gen::container<std::string>(rc::gen::nonZero<char>()); }

rc::Gen<std::string> AnyRole() {
  return rc::gen::suchThat(rc::gen::container<std::string>(rc::gen::elementOf(std::string("abcxyz0189-"))),
                           [](const std::string& role) { return role.size() <= 20; });
}

TEST(ShortHash, IsTheStartOfSha256) {
  // The digest of "abc" in FIPS 180-2.
  EXPECT_EQ(ShortHash("abc"), "ba7816bf");
  EXPECT_EQ(ShortHash("abc", 6), "ba7816bf8f01");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ShortHash("abc", 100), Sha256Hex("abc"));
}

TEST(ChildName, IsTheSameForeverBecauseACreateMayBeRepeated) {
  EXPECT_EQ(ChildName("shop", "build", "uid-1"), ChildName("shop", "build", "uid-1"));
  EXPECT_TRUE(ChildName("shop", "build", "uid-1").starts_with("shop-build-"));
}

TEST(ChildName, KeepsTheRoleAndTheHashOfALongParent) {
  const std::string name = ChildName(std::string(253, 'p'), "build", "uid");
  EXPECT_EQ(name.size(), 63U);
  EXPECT_NE(name.find("p-build-"), std::string::npos);
}

TEST(ChildName, IsALabelForHostileParents) {
  for (const std::string parent :
       {"", "-", "---", ".", "a.b.c", "UPPER", "\xff\xfe", "x\ny", "ab-", "-ab", "a/b", "\xc3\xa4\xc3\xb6"}) {
    EXPECT_TRUE(IsLabel(ChildName(parent, "run", "uid"))) << ChildName(parent, "run", "uid");
  }
}

TEST(ChildName, TellsApartWhatLooksAlikeOnceItIsCut) {
  const std::string stem(100, 'a');
  const std::set<std::string> names{ChildName(stem + "1", "run", "uid"), ChildName(stem + "2", "run", "uid"),
                                    ChildName("a.b", "run", "uid"),      ChildName("a-b", "run", "uid"),
                                    ChildName("a", "b-c", "uid"),        ChildName("a-b", "c", "uid"),
                                    ChildName("a", "b", "c-uid")};
  EXPECT_EQ(names.size(), 7U);
}

TEST(ChildNameProperty, AnyTripleGivesALabelOfAtMost63Characters) {
  const bool holds = rc::check([] {
    const std::string name = ChildName(*AnyText(), *AnyRole(), *AnyText());
    RC_ASSERT(name.size() <= 63U);
    RC_ASSERT(IsLabel(name));
  });
  EXPECT_TRUE(holds);
}

TEST(ChildNameProperty, DistinctTriplesGiveDistinctNames) {
  const bool holds = rc::check([] {
    const auto one = std::tuple(*AnyText(), *AnyRole(), *AnyText());
    const auto two = std::tuple(*AnyText(), *AnyRole(), *AnyText());
    RC_PRE(one != two);
    RC_ASSERT(std::apply(ChildName, one) != std::apply(ChildName, two));
  });
  EXPECT_TRUE(holds);
}

TEST(Spread, IsTheSameForTheSameTextAndElseAnywhere) {
  EXPECT_EQ(Spread("a"), Spread("a"));
  EXPECT_NE(Spread("a"), Spread("b"));
  double sum = 0;
  for (int i = 0; i < 1000; ++i) {
    const double part = Spread(std::to_string(i));
    EXPECT_GE(part, 0.0);
    EXPECT_LT(part, 1.0);
    sum += part;
  }
  EXPECT_NEAR(sum / 1000, 0.5, 0.05);
}

TEST(LabelValue, IsCutToWhatALabelMayHold) {
  EXPECT_EQ(LabelValue("web"), "web");
  EXPECT_EQ(LabelValue(std::string(80, 'a')), std::string(63, 'a'));
  EXPECT_EQ(LabelValue(std::string(61, 'a') + "--b"), std::string(61, 'a'));
  EXPECT_EQ(LabelValue(""), "");
}

}  // namespace
}  // namespace slipway
