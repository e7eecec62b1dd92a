// The poller against a scripted API server, with lookups of the test's own and with real children.
#include "trigger/poller.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "fixture.h"

namespace slipway::trigger {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

const std::string kCommit(40, 'a');

class PollerTest : public TriggerTest {
 protected:
  void Start(std::function<LookupResult(const Lookup&)> look_up) {
    poller_ = std::make_unique<Poller>(io_.get_executor(), *client_, clock_,
                                       PollerOptions{.ns = "team", .seed = 1, .look_up = std::move(look_up)});
    tasks_.Spawn("poller", poller_->Run());
    thread_ = std::thread([this] { io_.run(); });
  }
  void TearDown() override {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { tasks_.Cancel(); });
    thread_.join();
  }
  static resources::ImageBuildSpec Polled(const std::string& url) {
    auto spec = SpecOf(url);
    spec.trigger.poll.emplace();
    return spec;
  }
  // More often than a spec may ask for: bounds are the API server's to keep.
  static kube::Json Hasty(kube::Json object) {
    object["spec"]["trigger"]["poll"]["interval"] = "20ms";
    return object;
  }
  std::string Script(const std::string& name, const std::string& text) {
    Write(name, "#!/bin/sh\n" + text);
    std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_all);
    return folder_ / name;
  }

  // Of the lookups. A thread of the poller may be in one when a test's body has ended.
  std::atomic<int> asked_ = 0;
  std::atomic<int> now_ = 0;
  std::atomic<int> most_ = 0;
  std::unique_ptr<Poller> poller_;
  TaskGroup tasks_{io_.get_executor()};
};

TEST_F(PollerTest, ACommitIsWrittenToAllThatWantItAndAskedForOnce) {
  objects_ = {ObjectOf("one", Polled("https://x/y")), ObjectOf("two", Polled("https://x/y"))};
  Start([this](const Lookup&) -> LookupResult {
    ++asked_;
    return Found{kCommit, "refs/heads/main"};
  });
  EXPECT_THAT(Sent("PATCH", 2), SizeIs(2));
  EXPECT_EQ(asked_, 1);
  const auto value = AnnotationsOf(Sent("PATCH", 2)[0]).at("slipway.dev/observed-commit").get<std::string>();
  EXPECT_EQ(kube::Json::parse(value).at("by"), "Poll");
}

TEST_F(PollerTest, AnIdlePollWritesNothing) {
  const kube::Json known{{"commit", kCommit},  {"ref", "refs/heads/main"},
                         {"revision", "main"}, {"url", "https://x/y"},
                         {"by", "Poll"},       {"time", "2026-11-21T06:00:00Z"}};
  objects_ = {Hasty(ObjectOf("one", Polled("https://x/y"), {{"slipway.dev/observed-commit", known.dump()}}))};
  Start([this](const Lookup&) -> LookupResult {
    ++asked_;
    return Found{kCommit, "refs/heads/main"};
  });
  for (int i = 0; i < 500 && asked_ < 5; ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_GE(asked_, 5);
  EXPECT_TRUE(Sent("PATCH", 0).empty());
}

TEST_F(PollerTest, AtMostFourAtOnceAndNoneIsForgotten) {
  for (int i = 0; i < 9; ++i) {
    const std::string name = "b" + std::to_string(i);
    objects_.push_back(ObjectOf(name, Polled("https://x/" + name)));
  }
  Start([this](const Lookup&) -> LookupResult {
    most_ = std::max<int>(most_, ++now_);
    std::this_thread::sleep_for(milliseconds(50));
    --now_;
    return Found{kCommit, "refs/heads/main"};
  });
  EXPECT_THAT(Sent("PATCH", 9), SizeIs(9));
  EXPECT_LE(most_, 4);
  EXPECT_GE(most_, 2);
}

TEST_F(PollerTest, AFailureIsAnEventOnceForEachReason) {
  objects_ = {Hasty(ObjectOf("one", Polled("https://x/y")))};
  Start([this](const Lookup&) -> LookupResult {
    const bool early = ++asked_ <= 3;
    return std::unexpected(LookupFailure{early ? "GitAuthFailed" : "RepositoryNotFound", "in words"});
  });
  for (int i = 0; i < 500 && asked_ < 5; ++i) std::this_thread::sleep_for(milliseconds(10));
  const auto events = Sent("POST", 2);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_THAT(events[0].body, HasSubstr("GitAuthFailed"));
  EXPECT_THAT(events[0].body, HasSubstr("\"PollFailed\""));
  EXPECT_THAT(events[1].body, HasSubstr("RepositoryNotFound"));
}

TEST_F(PollerTest, AChildsReportIsRead) {
  const std::string program = Script("child",
                                     R"sh(for a; do case $a in --report=*) f=${a#--report=};; esac; done
printf '{"sha":")sh" + kCommit + R"sh(","ref":"refs/heads/main"}' >"$f"
)sh");
  const LookupOptions options{.program = program, .temporary_folder = folder_};
  const auto found = LookUp({.target = "https://x/y", .revision = "main"}, options);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, (Found{kCommit, "refs/heads/main"}));
  const auto left = std::ranges::count_if(std::filesystem::directory_iterator(folder_),
                                          [](const auto& entry) { return entry.is_directory(); });
  EXPECT_EQ(left, 0);
}

TEST_F(PollerTest, AChildThatFailsSaysWhy) {
  const std::string refused =
      Script("refused", R"sh(for a; do case $a in --report=*) f=${a#--report=};; esac; done
printf '{"reason":"GitAuthFailed","message":"no"}' >"$f"
exit 21
)sh");
  EXPECT_EQ(LookUp({.target = "u", .revision = "main"}, {.program = refused, .temporary_folder = folder_})
                .error()
                .reason,
            "GitAuthFailed");
  const std::string silent = Script("silent", "exit 1\n");
  EXPECT_EQ(LookUp({.target = "u", .revision = "main"}, {.program = silent, .temporary_folder = folder_})
                .error()
                .reason,
            "PollFailed");
  EXPECT_EQ(
      LookUp({.target = "u"}, {.program = folder_ / "absent", .temporary_folder = folder_}).error().reason,
      "PollFailed");
}

// crane is the test's own here: what it is told, and where it finds the Secret.
TEST_F(PollerTest, ABaseImagesDigestIsAskedOfItsRegistry) {
  const std::string digest = "sha256:" + std::string(64, '1');
  Script("crane", R"sh(test "$1 $2" = "digest docker.io/library/alpine:3" || exit 9
test "$(cat "$DOCKER_CONFIG/config.json")" = '{"auths":{}}' || exit 8
echo )sh" + digest + "\n");
  Write("secrets/reader/.dockerconfigjson", R"({"auths":{}})");
  const std::string before = std::getenv("PATH");
  ::setenv("PATH", (folder_.string() + ":" + before).c_str(), 1);
  const auto found =
      LookUp({.kind = Lookup::Kind::kBase, .target = "docker.io/library/alpine:3", .credentials = "reader"},
             {.credentials_folder = folder_ / "secrets", .temporary_folder = folder_});
  ::setenv("PATH", before.c_str(), 1);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->value, digest);
}

}  // namespace
}  // namespace slipway::trigger
