#include "kube/watch_frame.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace slipway::kube {
namespace {

constexpr std::size_t kCap = 4096;

// What a decoder gives for these pieces: frames as text, and then "error" if one came.
std::vector<std::string> FramesOf(const std::vector<std::string>& pieces, bool* partial = nullptr) {
  WatchDecoder decoder(kCap);
  std::vector<std::string> frames;
  for (const auto& piece : pieces) {
    decoder.Feed(piece);
    for (;;) {
      const auto frame = decoder.Next();
      if (!frame) {
        frames.emplace_back("error");
        return frames;
      }
      if (!frame->has_value()) break;
      frames.push_back(std::to_string(static_cast<int>((*frame)->type)) + (*frame)->object.dump());
    }
  }
  if (partial != nullptr) *partial = decoder.Partial();
  return frames;
}

const std::string kThree =
    "{\"type\":\"ADDED\",\"object\":{\"a\":\"one\\n\\\"two\\\"\"}}\n"
    "{\"type\":\"MODIFIED\",\"object\":{\"b\":\"\xc3\xa4\"}}\r\n"
    "\n"
    "{\"type\":\"DELETED\",\"object\":{}}\n";

const std::vector<std::string> kThreeFrames{
    "0{\"a\":\"one\\n\\\"two\\\"\"}",
    "1{\"b\":\"\xc3\xa4\"}",
    "2{}",
};

TEST(WatchDecoder, GivesEveryFrameOfOneChunk) {
  bool partial = true;
  EXPECT_EQ(FramesOf({kThree}, &partial), kThreeFrames);
  EXPECT_FALSE(partial);
}

TEST(WatchDecoder, GivesTheSameFramesForASplitAtEveryByte) {
  for (std::size_t at = 0; at <= kThree.size(); ++at) {
    EXPECT_EQ(FramesOf({kThree.substr(0, at), kThree.substr(at)}), kThreeFrames) << "split at " << at;
  }
}

TEST(WatchDecoder, GivesTheSameFramesByteByByte) {
  std::vector<std::string> bytes;
  for (const char c : kThree) bytes.emplace_back(1, c);
  EXPECT_EQ(FramesOf(bytes), kThreeFrames);
}

TEST(WatchDecoder, KnowsThatAFrameIsUnfinished) {
  bool partial = false;
  const std::string cut = kThree.substr(0, kThree.size() - 1);
  EXPECT_EQ(FramesOf({cut}, &partial).size(), 2U);
  EXPECT_TRUE(partial);
}

TEST(WatchDecoder, ReadsEveryTypeAndKeepsOneThatItDoesNotKnow) {
  const std::pair<std::string_view, WatchEventType> rows[] = {
      {"ADDED", WatchEventType::kAdded},      {"MODIFIED", WatchEventType::kModified},
      {"DELETED", WatchEventType::kDeleted},  {"BOOKMARK", WatchEventType::kBookmark},
      {"ERROR", WatchEventType::kError},      {"added", WatchEventType::kUnknown},
      {"REPLACED", WatchEventType::kUnknown}, {"", WatchEventType::kUnknown}};
  for (const auto& [type, expected] : rows) {
    WatchDecoder decoder(kCap);
    decoder.Feed(Json{{"type", type}, {"object", Json::object()}}.dump() + "\n");
    const auto frame = decoder.Next();
    ASSERT_TRUE(frame && frame->has_value()) << type;
    EXPECT_EQ((*frame)->type, expected) << type;
  }
}

TEST(WatchDecoder, RefusesLinesThatAreNoEvent) {
  for (const std::string line :
       {"{", "null", "[]", "7", "{}", R"({"type":"ADDED"})", R"({"object":{}})", R"({"type":7,"object":{}})",
        R"({"type":"ADDED","object":{}} trailing)", R"({"type":"ADDED","object":{},})", "\xff",
        "{\"type\":\"ADDED\",\"object\":{\"a\":\"\xff\"}}"}) {
    WatchDecoder decoder(kCap);
    decoder.Feed(line + "\n");
    const auto frame = decoder.Next();
    ASSERT_FALSE(frame) << line;
    EXPECT_EQ(frame.error().kind, ErrorKind::kInvalid) << line;
  }
}

std::string FrameOfSize(std::size_t size) {
  const std::string empty = R"({"type":"ADDED","object":{"a":""}})";
  std::string frame = empty;
  frame.insert(frame.size() - 3, size - empty.size(), 'x');
  return frame;
}

TEST(WatchDecoder, TakesAFrameOfTheCapAndRefusesOneByteMore) {
  EXPECT_EQ(FramesOf({FrameOfSize(kCap) + "\n"}).size(), 1U);
  EXPECT_NE(FramesOf({FrameOfSize(kCap) + "\n"})[0], "error");
  EXPECT_EQ(FramesOf({FrameOfSize(kCap + 1) + "\n"}), std::vector<std::string>{"error"});
}

TEST(WatchDecoder, RefusesAnOversizeFrameBeforeItsEndHasCome) {
  WatchDecoder decoder(kCap);
  decoder.Feed(std::string(kCap, ' '));
  const auto held = decoder.Next();
  ASSERT_TRUE(held && !held->has_value());
  decoder.Feed(" ");
  const auto refused = decoder.Next();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(refused.error().message.find("4096"), std::string::npos) << refused.error().message;
}

TEST(WatchDecoder, MeasuresEachFrameAlone) {
  std::string many;
  for (int i = 0; i < 50; ++i) many += FrameOfSize(kCap - 10) + "\n";
  EXPECT_EQ(FramesOf({many}).size(), 50U);
}

TEST(WatchDecoder, DropsManagedFields) {
  const std::string frame =
      R"({"type":"ADDED","object":{"metadata":{"managedFields":[{"manager":"x"}],"name":"a"}}})";
  EXPECT_EQ(FramesOf({frame + "\n"}), std::vector<std::string>{R"(0{"metadata":{"name":"a"}})"});
}

TEST(ParseDocument, KeepsManagedFieldsOnlyWhenAsked) {
  const std::string text = R"({"metadata":{"managedFields":[{"a":{"b":1}}],"name":"a"},"x":[1,{"y":null}]})";
  Json whole = Json::parse(text);
  EXPECT_EQ(ParseDocument(text, true), whole);
  whole["metadata"].erase("managedFields");
  EXPECT_EQ(ParseDocument(text), whole);
}

TEST(ParseDocument, DropsManagedFieldsOfEveryMetadataAndNothingElseOfThatName) {
  const auto document = ParseDocument(R"({
    "metadata": {"labels": {"managedFields": "l", "metadata": "m"}, "managedFields": [{}], "name": "list"},
    "data": {"managedFields": "d", "metadata": "m"},
    "items": [{"metadata": {"managedFields": [{}], "name": "a"}, "managedFields": 1},
              {"spec": {"template": {"metadata": {"managedFields": [{}]}}}}],
    "managedFields": "top"})");
  const Json expected = Json::parse(R"({
    "metadata": {"labels": {"managedFields": "l", "metadata": "m"}, "name": "list"},
    "data": {"managedFields": "d", "metadata": "m"},
    "items": [{"metadata": {"name": "a"}, "managedFields": 1}, {"spec": {"template": {"metadata": {}}}}],
    "managedFields": "top"})");
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_EQ(*document, expected);
}

std::string Nested(int depth) {
  std::string text = R"({"a":)";
  text.append(static_cast<std::size_t>(depth) - 1, '[');
  text.append(static_cast<std::size_t>(depth) - 1, ']');
  return text + "}";
}

TEST(ParseDocument, RefusesWhatIsNestedTooDeep) {
  EXPECT_TRUE(ParseDocument(Nested(kDeepestJson)));
  const auto deeper = ParseDocument(Nested(kDeepestJson + 1));
  ASSERT_FALSE(deeper);
  EXPECT_EQ(deeper.error().kind, ErrorKind::kInvalid);
  EXPECT_FALSE(ParseDocument(std::string(1'000'000, '[')));
}

TEST(ParseDocument, CountsNoBracketsInsideStrings) {
  const std::string brackets(kDeepestJson * 2, '[');
  EXPECT_TRUE(ParseDocument(R"({"a":")" + brackets + R"(","b":"\")" + brackets + R"("})"));
  EXPECT_TRUE(ParseDocument(R"({"a\\":1})"));
}

TEST(ParseDocument, SaysWhatItRefusedWithoutItsControlCharacters) {
  const auto page = ParseDocument("<html>\n\x1b[0m");
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(page.error().message, "not a JSON object: <html>  [0m");
  EXPECT_FALSE(ParseDocument(""));
}

}  // namespace
}  // namespace slipway::kube
