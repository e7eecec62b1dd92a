// What a delivery or a lookup makes of one ImageBuild.
#include "trigger/patch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "resources/observed.h"
#include "trigger/repository.h"

namespace slipway::trigger {
namespace {

using resources::ForkPolicy;
using resources::ImageBuild;
using std::chrono::seconds;

const std::string kA(40, 'a');
const std::string kB(40, 'b');
const TimePoint kNow{seconds(1'800'000'000)};

ImageBuild Build(const std::string& revision, const std::string& semver = "") {
  ImageBuild build;
  build.meta.key = {"team", "app"};
  build.spec.source.url = "https://git.example.com/team/app";
  build.spec.source.revision = revision;
  build.spec.source.semver = semver;
  build.spec.trigger.webhook.emplace();
  return build;
}

void Annotate(ImageBuild& build, const Patch& patch) {
  build.meta.annotations[patch.annotation] = patch.value.value();
}

Push PushTo(const std::string& ref) {
  return {{"https://git.example.com/team/app.git", "git@git.example.com:team/app.git"}, "main", ref, kA};
}

TEST(RepositoryOf, Forms) {
  const std::string same = "git.example.com/team/app";
  for (const std::string url :
       {"https://git.example.com/team/app", "https://git.example.com/team/app.git",
        "http://git.example.com:80/team/app/", "https://GIT.Example.com:443/team/app.git",
        "ssh://git@git.example.com/team/app.git", "ssh://git@git.example.com:22/team/app",
        "git@git.example.com:team/app.git", "git@git.example.com:/team/app",
        "HTTPS://user:pw@git.example.com/team/app"}) {
    EXPECT_EQ(RepositoryOf(url), same) << url;
  }
  for (const std::string url :
       {"https://git.example.com/Team/app", "https://git.example.com/team/app2",
        "https://git.example.com:8443/team/app", "https://git.example.org/team/app",
        "ssh://git@git.example.com:443/team/app", "ftp://git.example.com/team/app", "https://git.example.com",
        "https://git.example.com/", "git@git.example.com", "/team/app", "", "://", ":", "https:///team/app",
        "https://evil.com/git.example.com/team/app"}) {
    EXPECT_NE(RepositoryOf(url), same) << url;
  }
}

TEST(Names, Table) {
  struct Row {
    std::string revision, ref;
    bool named;
  };
  const std::vector<Row> table{{"main", "refs/heads/main", true},
                               {"main", "refs/heads/main2", false},
                               {"main", "refs/heads/x/main", false},
                               {"v1", "refs/tags/v1", true},
                               {"feature/x", "refs/heads/feature/x", true},
                               {"refs/heads/main", "refs/heads/main", true},
                               {"refs/tags/main", "refs/heads/main", false},
                               {"HEAD", "refs/heads/main", true},
                               {"HEAD", "refs/heads/other", false},
                               {"HEAD", "refs/tags/main", false},
                               {kA, "refs/heads/" + kA, false},
                               {"", "refs/heads/", false}};
  for (const auto& row : table) {
    EXPECT_EQ(Names(row.revision, row.ref, "main"), row.named) << row.revision << " " << row.ref;
  }
}

TEST(PatchOfPush, SaysWhatItAnswers) {
  const ImageBuild build = Build("main");
  const auto patch = PatchOf(build, Event(PushTo("refs/heads/main")), kNow);
  ASSERT_TRUE(patch);
  ImageBuild written = build;
  Annotate(written, *patch);
  const auto observed = resources::CommitOf(written.meta);
  ASSERT_TRUE(observed);
  EXPECT_EQ(*observed, (resources::ObservedCommit{"", "refs/heads/main", "main",
                                                  "https://git.example.com/team/app", "Webhook", kNow}));
}

// A delivery that is sent again would take the branch back; a tag may be named like it.
TEST(PatchOfPush, IsBelievedOnlyWhenItFollowsUponWhatIsKnown) {
  const auto told = [](const ImageBuild& build, const Push& push) {
    ImageBuild written = build;
    Annotate(written, *PatchOf(build, Event(push), kNow));
    return resources::CommitOf(written.meta)->commit;
  };
  ImageBuild build = Build("main");
  Push push = PushTo("refs/heads/main");
  push.before = kB;
  EXPECT_EQ(told(build, push), "") << "nothing is known yet";
  auto& run = build.status.runs.emplace_back();
  run.ref = "refs/heads/main";
  run.commit.emplace().sha = kB;
  EXPECT_EQ(told(build, push), kA);
  push.before = kA;
  EXPECT_EQ(told(build, push), "") << "an old one";
  push.before.clear();
  EXPECT_EQ(told(build, push), "");
  push.before = kB;
  push.ref = "refs/tags/main";
  EXPECT_EQ(told(build, push), "") << "a tag like the branch";
}

TEST(PatchOfPush, OnlyWhatTheBuildAsksFor) {
  EXPECT_FALSE(PatchOf(Build("main"), Event(PushTo("refs/heads/other")), kNow));
  EXPECT_FALSE(PatchOf(Build(kB), Event(PushTo("refs/heads/main")), kNow));
  Push elsewhere = PushTo("refs/heads/main");
  elsewhere.urls = {"https://git.example.com/other/app.git"};
  EXPECT_FALSE(PatchOf(Build("main"), Event(elsewhere), kNow));
  ImageBuild no_hook = Build("main");
  no_hook.spec.trigger.webhook.reset();
  EXPECT_FALSE(PatchOf(no_hook, Event(PushTo("refs/heads/main")), kNow));
  ImageBuild going = Build("main");
  going.meta.deleted = kNow;
  EXPECT_FALSE(PatchOf(going, Event(PushTo("refs/heads/main")), kNow));
  EXPECT_FALSE(PatchOf(Build("main"), Event(Nothing{}), kNow));
}

TEST(PatchOfPush, ARangeTakesTagsInItThatAreNotLower) {
  ImageBuild build = Build("", ">=1.2.0 <2");
  EXPECT_TRUE(PatchOf(build, Event(PushTo("refs/tags/v1.2.0")), kNow));
  EXPECT_FALSE(PatchOf(build, Event(PushTo("refs/tags/v2.0.0")), kNow));
  EXPECT_FALSE(PatchOf(build, Event(PushTo("refs/heads/v1.2.0")), kNow));
  EXPECT_FALSE(PatchOf(build, Event(PushTo("refs/tags/latest")), kNow));
  const auto patch = PatchOf(build, Event(PushTo("refs/tags/v1.4.0")), kNow);
  ASSERT_TRUE(patch);
  Annotate(build, *patch);
  EXPECT_FALSE(PatchOf(build, Event(PushTo("refs/tags/v1.3.9")), kNow));
  EXPECT_TRUE(PatchOf(build, Event(PushTo("refs/tags/1.10.0")), kNow));
  build.spec.source.semver = ">=1";  // what was found answers another range
  EXPECT_TRUE(PatchOf(build, Event(PushTo("refs/tags/v1.3.9")), kNow));
}

TEST(PatchOfPull, ByPolicy) {
  PullChange change{{"git@git.example.com:team/app.git"}, 7, false, kA, "refs/pull/7/head", true, "A change"};
  ImageBuild build = Build("main");
  EXPECT_FALSE(PatchOf(build, Event(change), kNow));  // it does not follow pull requests
  build.spec.trigger.pull_requests.emplace();
  const auto patch = PatchOf(build, Event(change), kNow);
  ASSERT_TRUE(patch);
  EXPECT_EQ(patch->annotation, "slipway.dev/pull.7");
  Annotate(build, *patch);
  const auto pulls = resources::PullsOf(build.meta);
  ASSERT_EQ(pulls.size(), 1U);
  EXPECT_TRUE(pulls[0].fork);
  EXPECT_EQ(pulls[0].title, "A change");
  build.spec.trigger.pull_requests->forks = ForkPolicy::kRefuse;
  EXPECT_FALSE(PatchOf(build, Event(change), kNow));
  change.fork = false;
  EXPECT_TRUE(PatchOf(build, Event(change), kNow));
}

TEST(PatchOfPull, AClosedOneIsRemovedThoughItsOpeningIsNotSeenYet) {
  ImageBuild build = Build("main");
  build.spec.trigger.pull_requests.emplace().forks = ForkPolicy::kRefuse;
  const PullChange change{.urls = {"https://git.example.com/team/app"}, .number = 7, .closed = true};
  const auto patch = PatchOf(build, Event(change), kNow);
  ASSERT_TRUE(patch);
  EXPECT_EQ(patch->value, std::nullopt);
  const auto body = kube::Json::parse(ToRequest(*patch).body);
  EXPECT_TRUE(body.at("/metadata/annotations/slipway.dev~1pull.7"_json_pointer).is_null());
}

TEST(PatchOfPull, AtMostFiftyAreOpen) {
  ImageBuild build = Build("main");
  build.spec.trigger.pull_requests.emplace();
  PullChange change{{"https://git.example.com/team/app"}, 1, false, kA, "refs/pull/1/head", false, "x"};
  for (; change.number <= 50; ++change.number) Annotate(build, PatchOf(build, Event(change), kNow).value());
  EXPECT_FALSE(PatchOf(build, Event(change), kNow));
  change.number = 50;  // one that is open may go on
  EXPECT_TRUE(PatchOf(build, Event(change), kNow));
}

TEST(PatchOfFoundCommit, AnIdlePollWritesNothing) {
  ImageBuild build = Build("main");
  const FoundCommit found{kA, "refs/heads/main", kNow};
  const auto patch = PatchOf(build, found, kNow);
  ASSERT_TRUE(patch);
  Annotate(build, *patch);
  EXPECT_EQ(resources::CommitOf(build.meta)->by, "Poll");
  EXPECT_FALSE(PatchOf(build, found, kNow + seconds(60)));
  EXPECT_TRUE(PatchOf(build, FoundCommit{kB, "refs/heads/main", kNow}, kNow));
  build.spec.source.revision = "refs/heads/main";  // the same commit answers another question
  EXPECT_TRUE(PatchOf(build, found, kNow));
}

TEST(PatchOfFoundCommit, WhatTheControllerCantReadIsNotWritten) {
  for (const std::string ref : {"", "HEAD", "refs/heads/a b", "refs/heads/\xc3\xbc", "refs/heads/../x"}) {
    EXPECT_FALSE(PatchOf(Build("main"), FoundCommit{kA, ref, kNow}, kNow)) << ref;
  }
  EXPECT_FALSE(PatchOf(Build("main"), FoundCommit{"abc", "refs/heads/main", kNow}, kNow));
}

TEST(PatchOfFoundCommit, AWebhookSinceItWasAskedKnowsMore) {
  ImageBuild build = Build("main");
  Annotate(build, PatchOf(build, Event(PushTo("refs/heads/main")), kNow).value());
  const FoundCommit older{kB, "refs/heads/main", kNow - seconds(2)};
  EXPECT_FALSE(PatchOf(build, older, kNow + seconds(1)));
  const FoundCommit newer{kB, "refs/heads/main", kNow + seconds(2)};
  EXPECT_TRUE(PatchOf(build, newer, kNow + seconds(3)));
}

TEST(PatchOfFoundBase, FromTheNewestRunThatSucceeded) {
  ImageBuild build = Build("main");
  build.spec.trigger.base_images.emplace();
  const std::string one = "sha256:" + std::string(64, '1');
  const std::string two = "sha256:" + std::string(64, '2');
  resources::BuildRun failed;
  failed.finished = kNow;
  failed.failure.emplace();
  failed.bases = {{"docker.io/library/other:1", one}};
  resources::BuildRun good;
  good.finished = kNow;
  good.bases = {{"docker.io/library/alpine:3", one},
                {"docker.io/library/busybox:1", one},
                {"docker.io/library/pinned@" + one, one}};
  build.status.runs = {failed, good};
  EXPECT_EQ(BasesToWatch(build).size(), 2U);
  EXPECT_FALSE(PatchOf(build, FoundBase{"docker.io/library/alpine:3", one}, kNow));  // as it was built
  EXPECT_FALSE(PatchOf(build, FoundBase{"docker.io/library/other:1", two}, kNow));
  const auto patch = PatchOf(build, FoundBase{"docker.io/library/alpine:3", two}, kNow);
  ASSERT_TRUE(patch);
  Annotate(build, *patch);
  EXPECT_EQ(resources::BasesOf(build.meta)->bases,
            (std::map<std::string, std::string>{{"docker.io/library/alpine:3", two}}));
  EXPECT_FALSE(PatchOf(build, FoundBase{"docker.io/library/alpine:3", two}, kNow));
  const auto both = PatchOf(build, FoundBase{"docker.io/library/busybox:1", two}, kNow);
  ASSERT_TRUE(both);
  Annotate(build, *both);
  EXPECT_EQ(resources::BasesOf(build.meta)->bases.size(), 2U);
  build.spec.trigger.base_images.reset();
  EXPECT_FALSE(PatchOf(build, FoundBase{"docker.io/library/alpine:3", one}, kNow));
}

}  // namespace
}  // namespace slipway::trigger
