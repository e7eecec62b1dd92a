// What the poller and the receiver tell: read if it is what they write, and as good as absent otherwise.
#include "resources/observed.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace slipway::resources {
namespace {

using kube::Json;

const std::string kSha(40, 'a');
constexpr TimePoint kTime{std::chrono::seconds(1'700'000'000)};

kube::ObjectMeta With(std::string_view annotation, const std::string& text) {
  kube::ObjectMeta meta;
  meta.annotations[std::string(annotation)] = text;
  return meta;
}

const ObservedCommit kCommit{kSha, "refs/heads/main", "main", "https://h/x", "Webhook", kTime};
const ObservedPull kPull{7, kSha, "refs/pull/7/head", false, "A title", kTime};

struct Row {
  const char* what;
  const char* member;
  Json value;
  bool read;
};

TEST(ObservedTest, WhatIsWrittenIsRead) {
  EXPECT_EQ(CommitOf(With(kObservedCommitAnnotation, Encode(kCommit))), kCommit);
  const ObservedBases bases{{{"docker.io/library/golang:1.24", "sha256:" + std::string(64, 'b')}}, kTime};
  EXPECT_EQ(BasesOf(With(kObservedBasesAnnotation, Encode(bases))), bases);
  EXPECT_EQ(PullsOf(With("slipway.dev/pull.7", Encode(kPull))), std::vector{kPull});
}

TEST(ObservedTest, WhatIsNotThereIsNotRead) {
  EXPECT_FALSE(CommitOf({}));
  EXPECT_FALSE(BasesOf({}));
  EXPECT_TRUE(PullsOf({}).empty());
}

TEST(ObservedTest, WhatIsNoObjectIsAsGoodAsAbsent) {
  const std::string deep(3000, '[');
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("null"), std::string("[]"), std::string("7"),
        std::string("\"x\""), std::string("{}"), deep, std::string("\xff"), Encode(kCommit) + "x"}) {
    EXPECT_FALSE(CommitOf(With(kObservedCommitAnnotation, text))) << text.substr(0, 80);
    EXPECT_FALSE(BasesOf(With(kObservedBasesAnnotation, text))) << text.substr(0, 80);
    EXPECT_TRUE(PullsOf(With("slipway.dev/pull.7", text)).empty()) << text.substr(0, 80);
  }
}

const std::vector<Row>& CommitsAndRefs() {
  static const std::vector<Row> rows{{"as it is", "commit", kSha, true},
                                     {"no commit", "commit", nullptr, false},
                                     {"a short one", "commit", "abc", false},
                                     {"39 digits", "commit", std::string(39, 'a'), false},
                                     {"41 digits", "commit", std::string(41, 'a'), false},
                                     {"in upper case", "commit", std::string(40, 'A'), false},
                                     {"not hexadecimal", "commit", std::string(40, 'g'), false},
                                     {"an option", "commit", "--upload-pack=" + std::string(26, 'a'), false},
                                     {"a commit and a line", "commit", kSha + "\n", false},
                                     {"a number", "commit", 7, false},
                                     {"a list", "commit", {kSha}, false},
                                     {"a tag", "ref", "refs/tags/v1.2.3", true},
                                     {"a branch with marks", "ref", "refs/heads/fix-#12_a+b@c=d", true},
                                     {"no ref", "ref", nullptr, false},
                                     {"a short ref", "ref", "main", false},
                                     {"an option", "ref", "--upload-pack=x", false},
                                     {"a range", "ref", "refs/heads/a..b", false},
                                     {"a path upwards", "ref", "refs/../x", false},
                                     {"a blank", "ref", "refs/heads/a b", false},
                                     {"a line", "ref", "refs/heads/a\nb", false},
                                     {"a NUL", "ref", std::string("refs/heads/a\0b", 14), false},
                                     {"a shell's", "ref", "refs/heads/$(id)", false},
                                     {"a quote", "ref", "refs/heads/a'b", false},
                                     {"a direction", "ref", "refs/heads/\xe2\x80\xae", false},
                                     {"a long one", "ref", "refs/heads/" + std::string(240, 'a'), false},
                                     {"an object", "ref", Json::object(), false},
                                     {"no time", "time", nullptr, false},
                                     {"another time", "time", "yesterday", false},
                                     {"a number for a time", "time", 1'700'000'000, false},
                                     {"more than is known", "more", {{"a", 1}}, true}};
  return rows;
}

std::string Changed(const std::string& text, const Row& row) {
  Json json = Json::parse(text);
  json[row.member] = row.value;
  if (row.value.is_null()) json.erase(row.member);
  return json.dump();
}

TEST(ObservedTest, OnlyACommitUnderARefIsRead) {
  auto rows = CommitsAndRefs();
  rows.insert(rows.end(), {{"polled", "by", "Poll", true},
                           {"by somebody", "by", "Somebody", false},
                           {"by nobody", "by", nullptr, false},
                           {"another revision", "revision", "other", true},
                           {"no revision", "revision", nullptr, true},
                           {"a revision that is no text", "revision", 7, true}});
  for (const Row& row : rows) {
    const std::string text = Changed(Encode(kCommit), row);
    EXPECT_EQ(CommitOf(With(kObservedCommitAnnotation, text)).has_value(), row.read) << row.what;
  }
}

TEST(ObservedTest, OnlyAPullRequestWithACommitUnderARefIsRead) {
  for (const Row& row : CommitsAndRefs()) {
    const std::string text = Changed(Encode(kPull), row);
    EXPECT_EQ(PullsOf(With("slipway.dev/pull.7", text)).size(), row.read ? 1U : 0U) << row.what;
  }
}

TEST(ObservedTest, WhatIsHugeIsNotRead) {
  ObservedCommit commit = kCommit;
  commit.revision = std::string(9000, 'a');
  EXPECT_FALSE(CommitOf(With(kObservedCommitAnnotation, Encode(commit))));
  ObservedPull pull = kPull;
  pull.title = std::string(9000, 'a');
  EXPECT_TRUE(PullsOf(With("slipway.dev/pull.7", Encode(pull))).empty());
  ObservedBases bases{.time = kTime};
  for (int i = 0; i < 8; ++i) bases.bases["h/x:" + std::to_string(i)] = "sha256:a";
  EXPECT_TRUE(BasesOf(With(kObservedBasesAnnotation, Encode(bases))));
  bases.bases["h/x:9"] = "sha256:a";
  EXPECT_FALSE(BasesOf(With(kObservedBasesAnnotation, Encode(bases))));
}

TEST(ObservedTest, ABaseThatIsNoTextIsLeftOut) {
  const auto bases = BasesOf(With(kObservedBasesAnnotation,
                                  R"({"bases": {"a": 1, "b": "sha256:b"}, "time": "2023-11-14T22:13:20Z"})"));
  ASSERT_TRUE(bases);
  EXPECT_EQ(bases->bases, (std::map<std::string, std::string>{{"b", "sha256:b"}}));
}

TEST(ObservedTest, APullRequestThatIsNotSaidToBeOursIsAForks) {
  const std::vector<std::pair<Json, bool>> rows{
      {false, false}, {true, true}, {nullptr, true}, {"false", true}, {0, true}};
  for (const auto& [value, fork] : rows) {
    const auto pulls = PullsOf(With("slipway.dev/pull.7", Changed(Encode(kPull), {"", "fork", value, true})));
    ASSERT_EQ(pulls.size(), 1U) << value;
    EXPECT_EQ(pulls[0].fork, fork) << value;
  }
}

TEST(ObservedTest, ATitleIsCut) {
  ObservedPull pull = kPull;
  pull.title = std::string(300, 'a');
  EXPECT_EQ(PullsOf(With("slipway.dev/pull.7", Encode(pull)))[0].title.size(), 200U);
}

TEST(ObservedTest, ThePullRequestsNumberIsInTheKeyAlone) {
  for (const std::string number :
       {"", "0", "-1", "+7", " 7", "7 ", "7x", "x", "7.8", "99999999999999999999"}) {
    EXPECT_TRUE(PullsOf(With("slipway.dev/pull." + number, Encode(kPull))).empty()) << number;
  }
  EXPECT_TRUE(PullsOf(With("slipway.dev/pulls", Encode(kPull))).empty());
  EXPECT_TRUE(PullsOf(With("slipway.dev/pull", Encode(kPull))).empty());
}

TEST(ObservedTest, PullRequestsComeByNumberAndTheOldestAreKept) {
  kube::ObjectMeta meta;
  for (int number = 120; number > 0; --number) {
    meta.annotations["slipway.dev/pull." + std::to_string(number)] = Encode(kPull);
  }
  meta.annotations["slipway.dev/pull.3"] = "broken";
  meta.annotations["slipway.dev/rebuild"] = Encode(kPull);
  const auto pulls = PullsOf(meta);
  ASSERT_EQ(pulls.size(), kMostPulls);
  std::vector<int> numbers;
  for (const auto& pull : pulls) numbers.push_back(pull.number);
  EXPECT_TRUE(std::ranges::is_sorted(numbers));
  EXPECT_EQ(numbers[0], 1);
  EXPECT_EQ(numbers[2], 4);
  EXPECT_EQ(numbers.back(), 51);
}

// What a forge says is not always UTF-8, and an annotation must be.
TEST(ObservedTest, ATextThatIsNoUtf8IsWrittenNevertheless) {
  ObservedPull pull = kPull;
  pull.title = "a\xff";
  EXPECT_EQ(PullsOf(With("slipway.dev/pull.7", Encode(pull)))[0].title, "a\xef\xbf\xbd");
  // A cut in the midst of a character leaves nothing that can't be written.
  pull.title = std::string(199, 'a') + "\xc3\xa9";
  const auto cut = PullsOf(With("slipway.dev/pull.7", Encode(pull)))[0].title;
  EXPECT_EQ(Json::parse(Json(cut).dump()), cut);
}

}  // namespace
}  // namespace slipway::resources
