// The reflector's coroutine, and an informer on top of it, against scripted lists and watches.
#include "runtime/reflector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/runtime/scripted_api.h"
#include "runtime/informer.h"
#include "unit/runtime/reflector_fixture.h"

namespace slipway::runtime {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Items = std::vector<ScriptedStream::Item>;

ReflectorOptions Fast() {
  ReflectorOptions options = ConfigMapsOf();
  options.backoff = {milliseconds(2), milliseconds(10), 2.0};
  options.idle = milliseconds(20);
  options.initial_idle = milliseconds(20);
  return options;
}

// Streams in turn; after the last, empty ones that stay silent.
class Script {
 public:
  explicit Script(std::vector<Result<Items>> streams) : streams_(streams.begin(), streams.end()) {}
  Result<Items> operator()(const kube::Request&) {
    if (streams_.empty()) return Items{};
    auto items = std::move(streams_.front());
    streams_.pop_front();
    return items;
  }

 private:
  std::deque<Result<Items>> streams_;
};

class ReflectorTest : public ::testing::Test {
 protected:
  void Start(ReflectorOptions options = Fast()) {
    reflector_ = std::make_unique<Reflector>(api_, std::move(options), sink_);
    loop_.tasks().Spawn("reflector", reflector_->Run([this] { ++synced_; }));
  }
  void TearDown() override { EXPECT_TRUE(loop_.Stop()); }
  bool RunUntilRequests(std::size_t count) {
    return loop_.RunUntil([&] { return api_.requests.size() >= count; });
  }

  Loop loop_;
  ScriptedApi api_;
  RecordingSink sink_;
  std::unique_ptr<Reflector> reflector_;
  int synced_ = 0;
};

TEST_F(ReflectorTest, StreamsAListThenWatchesOnAndTellsOnceThatItIsSynced) {
  api_.on_watch = Script({Items{Added("a", "1"), Bookmark("5", true), Added("b", "6")}});
  Start();
  ASSERT_TRUE(loop_.RunUntil([&] { return sink_.objects.size() == 2; }));
  EXPECT_TRUE(reflector_->synced());
  EXPECT_EQ(synced_, 1);
  EXPECT_EQ(api_.requests.size(), 1U);
}

// F9: silence is a broken watch.
TEST_F(ReflectorTest, ASilentWatchIsGivenUpAndResumed) {
  api_.on_watch = Script({Items{Bookmark("5", true), Bookmark("7")}});
  Start();
  ASSERT_TRUE(RunUntilRequests(2));
  EXPECT_THAT(api_.requests[1].target, HasSubstr("resourceVersion=7"));
  ASSERT_TRUE(RunUntilRequests(3)) << "and again: each silence has its end";
}

TEST_F(ReflectorTest, ASilentStreamingListEndsInAList) {
  api_.on_call = [](const kube::Request&) -> Result<kube::Json> { return Page({Object("a", "1")}, "9"); };
  Start();
  ASSERT_TRUE(loop_.RunUntil([&] { return synced_ == 1; }));
  EXPECT_EQ(sink_.objects.size(), 1U);
}

TEST_F(ReflectorTest, FallsBackToPagesWhereStreamingIsRefused) {
  api_.on_watch = Script({std::unexpected(Of(ErrorKind::kInvalid))});
  api_.Replay({Page({Object("a", "1"), Object("b", "2")}, "9", "more"), Page({Object("c", "3")}, "9")});
  Start();
  ASSERT_TRUE(loop_.RunUntil([&] { return synced_ == 1; }));
  ASSERT_TRUE(RunUntilRequests(4));
  EXPECT_EQ(sink_.objects.size(), 3U);
  EXPECT_THAT(api_.requests[1].target, HasSubstr("limit=2"));
  EXPECT_THAT(api_.requests[2].target, HasSubstr("continue=more"));
  EXPECT_THAT(api_.requests[3].target, HasSubstr("resourceVersion=9"));
}

TEST_F(ReflectorTest, AnExpiredWatchIsFollowedByANewListAndSyncedIsToldOnce) {
  api_.on_watch =
      Script({Items{Added("a", "1"), Bookmark("5", true), ErrorFrame(410, "Expired"), Added("x", "9")},
              Items{Added("b", "8"), Bookmark("10", true)}});
  Start();
  ASSERT_TRUE(loop_.RunUntil([&] { return sink_.objects.contains({"team", "b"}) && sink_.retains == 2; }));
  EXPECT_EQ(sink_.objects.size(), 1U) << "nothing behind the error event is believed";
  EXPECT_EQ(synced_, 1);
}

TEST_F(ReflectorTest, AMissingRightIsVisibleAndGoesWhenItIsGranted) {
  const Error forbidden{ErrorKind::kForbidden, "configmaps is forbidden: cannot watch", std::nullopt};
  api_.on_watch =
      Script({std::unexpected(forbidden), std::unexpected(forbidden), Items{Bookmark("5", true)}});
  Start();
  ASSERT_TRUE(loop_.RunUntil([&] { return reflector_->last_error().has_value(); }));
  EXPECT_THAT(reflector_->last_error()->message, HasSubstr("cannot watch"));
  EXPECT_FALSE(reflector_->synced());
  ASSERT_TRUE(loop_.RunUntil([&] { return synced_ == 1; }));
  EXPECT_FALSE(reflector_->last_error());
}

TEST_F(ReflectorTest, StopsAtOnceWhereverItIs) {
  ReflectorOptions options = Fast();
  options.idle = std::chrono::seconds(60);
  options.initial_idle = std::chrono::seconds(60);
  Start(std::move(options));
  loop_.RunFor(milliseconds(3));
  const auto asked = std::chrono::steady_clock::now();
  EXPECT_TRUE(loop_.Stop());
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(5));
  const auto requests = api_.requests.size();
  loop_.RunFor(milliseconds(50));
  EXPECT_EQ(api_.requests.size(), requests);
}

// --- the informer ---

struct Number {
  kube::ObjectMeta meta;
  int value = 0;
  static Result<Number> Decode(const kube::Json& object) {
    auto meta = kube::DecodeMeta(object);
    if (!meta) return std::unexpected(meta.error());
    const auto data = object.find("data");
    if (data == object.end() || !(*data)["n"].is_number_integer())
      return Fail(ErrorKind::kInvalid, "data.n is no number");
    return Number{std::move(*meta), (*data)["n"].get<int>()};
  }
};

kube::Json NumberObject(const std::string& name, const std::string& version, const kube::Json& value,
                        const std::string& uid = "u", const std::string& ns = "team") {
  kube::Json object = Object(name, version, ns);
  object["metadata"]["uid"] = uid;
  object["metadata"]["creationTimestamp"] = "2026-11-21T06:00:00Z";
  object["data"] = {{"n", value}};
  return object;
}

kube::WatchFrame Told(kube::WatchEventType type, kube::Json object) { return {type, std::move(object)}; }

class InformerTest : public ::testing::Test {
 protected:
  InformerTest() {
    informer_.OnChange([this](const Number& number) {
      changes_.push_back(number.meta.key.name + "=" + std::to_string(number.value) + "/" +
                         number.meta.uid.value);
    });
    informer_.OnUndecodable([this](const kube::ObjectKey& key, const Error& why) {
      refused_.push_back(key.name + ": " + why.message);
    });
  }
  void TearDown() override { EXPECT_TRUE(loop_.Stop()); }
  void Play(std::vector<Result<Items>> streams, std::size_t requests) {
    api_.on_watch = Script(std::move(streams));
    loop_.tasks().Spawn("informer", informer_.Run([] {}));
    ASSERT_TRUE(loop_.RunUntil([&] { return api_.requests.size() >= requests; }));
  }

  static constexpr auto kAdded = kube::WatchEventType::kAdded;
  static constexpr auto kModified = kube::WatchEventType::kModified;
  static constexpr auto kDeleted = kube::WatchEventType::kDeleted;

  Loop loop_;
  ScriptedApi api_;
  Store<Number> store_;
  Informer<Number> informer_{api_, Fast(), store_};
  std::vector<std::string> changes_;
  std::vector<std::string> refused_;
};

TEST_F(InformerTest, KeepsWhatIsThereAndTellsOfChangesOnly) {
  Play({Items{Told(kAdded, NumberObject("a", "1", 1)), Bookmark("5", true),
              Told(kModified, NumberObject("a", "6", 2)), Told(kModified, NumberObject("a", "6", 2)),
              Told(kDeleted, NumberObject("a", "7", 2))}},
       2);
  EXPECT_THAT(changes_, ElementsAre("a=1/u", "a=2/u", "a=2/u")) << "the last one when it went";
  EXPECT_EQ(store_.size(), 0U);
}

TEST_F(InformerTest, ANewListOfTheSameObjectsTellsNothing) {
  Play({Items{Told(kAdded, NumberObject("a", "1", 1)), Bookmark("5", true), ErrorFrame(410, "Expired")},
        Items{Told(kAdded, NumberObject("a", "1", 1)), Bookmark("9", true)}},
       3);
  EXPECT_THAT(changes_, ElementsAre("a=1/u"));
}

// F4: deleted and created again under one name while nobody looked.
TEST_F(InformerTest, AReplacementUnderTheSameNameTellsOfBoth) {
  Play(
      {Items{Told(kAdded, NumberObject("a", "1", 1, "old")), Bookmark("5", true), ErrorFrame(410, "Expired")},
       Items{Told(kAdded, NumberObject("a", "8", 2, "new")), Bookmark("9", true)}},
      3);
  EXPECT_THAT(changes_, ElementsAre("a=1/old", "a=1/old", "a=2/new"));
}

TEST_F(InformerTest, WhatWentBetweenTwoListsIsRemovedAndTold) {
  Play({Items{Told(kAdded, NumberObject("a", "1", 1)), Told(kAdded, NumberObject("b", "2", 2)),
              Bookmark("5", true), ErrorFrame(410, "Expired")},
        Items{Told(kAdded, NumberObject("b", "2", 2)), Bookmark("9", true)}},
       3);
  EXPECT_EQ(store_.Get({"team", "a"}), nullptr);
  EXPECT_THAT(changes_, ElementsAre("a=1/u", "b=2/u", "a=1/u"));
}

TEST_F(InformerTest, AnotherNamespacesObjectsInASharedStoreAreLeftAlone) {
  auto other = Number::Decode(NumberObject("x", "1", 1, "u", "elsewhere"));
  store_.Put(std::move(*other));
  Play({Items{Bookmark("5", true)}}, 2);
  EXPECT_EQ(store_.size(), 1U);
}

TEST_F(InformerTest, WhatCantBeReadIsReportedOnceAVersionAndStopsNothingElse) {
  const auto odd = [](const std::string& version) { return NumberObject("odd", version, "no"); };
  Play({Items{Told(kAdded, odd("1")), Told(kAdded, NumberObject("a", "2", 1)), Bookmark("5", true),
              ErrorFrame(410, "Expired")},
        Items{Told(kAdded, odd("1")), Told(kAdded, NumberObject("a", "2", 1)), Bookmark("9", true),
              Told(kModified, odd("10"))}},
       3);
  EXPECT_THAT(refused_, ElementsAre("odd: data.n is no number", "odd: data.n is no number"));
  EXPECT_THAT(changes_, ElementsAre("a=1/u"));
  EXPECT_EQ(store_.size(), 1U);
}

TEST_F(InformerTest, WhatBecomesUnreadableLeavesTheStoreAndComesBackWhenMended) {
  Play({Items{Told(kAdded, NumberObject("a", "1", 1)), Bookmark("5", true),
              Told(kModified, NumberObject("a", "6", "x")), Told(kModified, NumberObject("a", "7", 3))}},
       2);
  EXPECT_THAT(changes_, ElementsAre("a=1/u", "a=1/u", "a=3/u"));
  EXPECT_EQ(store_.Get({"team", "a"})->value, 3);
}

}  // namespace
}  // namespace slipway::runtime
