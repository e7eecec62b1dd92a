#include "image_build/names.h"

#include <gtest/gtest.h>

#include <set>

#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using Strings = std::vector<std::string>;

BuildRun At(const std::string& ref) {
  BuildRun run;
  run.number = 7;
  run.ref = ref;
  run.commit.emplace().sha = kSha;
  run.commit->author_time = TimePoint(std::chrono::sys_days{std::chrono::year{2026} / 1 / 2} +
                                      std::chrono::hours(3) + std::chrono::minutes(4));
  return run;
}

TEST(Tags, AreFilledFromTheRun) {
  const struct {
    std::string pattern;
    std::string ref;
    std::string tag;  // empty: refused
  } cases[] = {
      {"{{commit}}", "", kSha},
      {"{{shortCommit}}", "", "aaaaaaaaaaaa"},
      {"{{branch}}", "refs/heads/main", "main"},
      {"{{branch}}", "refs/heads/feature/a+b c", "feature-a-b-c"},
      {"{{branch}}-{{run}}", "refs/heads/main", "main-7"},
      {"{{branch}}", "refs/heads/" + std::string(60, 'x'), std::string(50, 'x')},
      {"x{{branch}}", "refs/heads/{{run}}", "x--run--"},
      {"{{branch}}", "refs/tags/v1", ""},
      {"{{branch}}", "", ""},
      {"{{branch}}", "refs/heads/-x", ""},
      {"{{branch}}", "refs/heads/.x", ""},
      {"{{branch}}", "refs/heads/latest", ""},
      {"l{{branch}}", "refs/heads/atest", ""},
      {"{{branch}}-latest", "refs/heads/x", "x-latest"},
      {"{{semver}}", "refs/tags/v1.2.3", "1.2.3"},
      {"{{semver}}", "refs/tags/1.2.3-rc.1", "1.2.3-rc.1"},
      {"v{{semver}}", "refs/tags/v1.2.3+build.5", "v1.2.3_build.5"},
      {"{{semver}}", "refs/tags/release", ""},
      {"{{semver}}", "refs/heads/v1.2.3", ""},
      {"{{timestamp}}", "", "20260102T030400Z"},
      {"{{run}}", "", "7"},
      {"a-{{commit}}-{{commit}}-{{commit}}", "", "a-" + kSha + "-" + kSha + "-" + kSha},
      {"abcdef-{{commit}}-{{commit}}-{{commit}}", "", ""},
      {"plain_1.0", "", "plain_1.0"},
  };
  for (const auto& c : cases) {
    const auto tags = RenderTags({c.pattern}, At(c.ref));
    EXPECT_EQ(tags ? tags->front() : "", c.tag) << c.pattern << " of " << c.ref;
    if (!tags) EXPECT_TRUE(tags.error().message.starts_with(c.pattern + ": ")) << tags.error().message;
  }
}

TEST(Tags, WithoutATimeHaveNoTimestamp) {
  auto run = At("");
  run.commit->author_time.reset();
  EXPECT_FALSE(RenderTags({"{{timestamp}}"}, run));
}

TEST(Tags, AreRenderedOnceEach) {
  EXPECT_EQ(*RenderTags({"{{commit}}", "v1-{{shortCommit}}", "v1-aaaaaaaaaaaa"}, At("")),
            (Strings{kSha, "v1-aaaaaaaaaaaa"}));
  EXPECT_EQ(*RenderTags({}, At("")), Strings{kSha});
  EXPECT_FALSE(RenderTags({"ok", "{{semver}}"}, At(""))) << "all or none";
}

TEST(StagingTag, IsApartForEachRunAndPlatform) {
  EXPECT_EQ(StagingTag(At(""), "linux/arm/v7"), "slipway-aaaaaaaaaaaa-7-linux-arm-v7");
  EXPECT_NE(StagingTag(At(""), "linux/arm64"), StagingTag(At(""), "linux/amd64"));
}

TEST(CacheRepository, IsApartForEachNamespaceAndForCodeThatIsNotMerged) {
  World world;
  EXPECT_EQ(CacheRepository(world.build), "");
  world.build.spec.build.cache = resources::CacheSpec{"registry.example.com/cache", {}, {}};
  EXPECT_EQ(CacheRepository(world.build), "registry.example.com/cache/team/trusted");
  world.build.spec.output.push = false;
  EXPECT_EQ(CacheRepository(world.build), "registry.example.com/cache/team/pull-requests");
  world.build.meta.key.ns = "other";
  EXPECT_EQ(CacheRepository(world.build), "registry.example.com/cache/other/pull-requests");
}

TEST(JobNames, DifferByObjectRunRoleAndLeg) {
  const World world;
  auto other = world.build.meta;
  other.uid = {"another"};
  auto renamed = world.build.meta;
  renamed.key.name = std::string(200, 'n');
  const std::set<std::string> names{JobName(world.build.meta, 1, JobRole::kResolve),
                                    JobName(world.build.meta, 2, JobRole::kResolve),
                                    JobName(world.build.meta, 1, JobRole::kBuild),
                                    JobName(world.build.meta, 1, JobRole::kBuild, "linux/amd64"),
                                    JobName(world.build.meta, 1, JobRole::kTest, "unit A=1"),
                                    JobName(world.build.meta, 1, JobRole::kTest, "unit A=2"),
                                    JobName(other, 1, JobRole::kResolve),
                                    JobName(renamed, 1, JobRole::kResolve)};
  EXPECT_EQ(names.size(), 8U);
  for (const auto& name : names) EXPECT_LE(name.size(), 63U) << name;
  EXPECT_EQ(JobName(world.build.meta, 1, JobRole::kBuild), JobName(world.build.meta, 1, JobRole::kBuild));
}

TEST(Commit, IsFortyHexadecimalDigits) {
  EXPECT_TRUE(IsCommit(kSha));
  EXPECT_TRUE(IsCommit(std::string(40, 'F')));
  EXPECT_FALSE(IsCommit(std::string(39, 'a')));
  EXPECT_FALSE(IsCommit(std::string(40, 'g')));
  EXPECT_EQ(LowerHex("AbC"), "abc");
}

}  // namespace
}  // namespace slipway::image_build
