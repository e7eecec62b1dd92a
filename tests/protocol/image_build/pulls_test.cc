// A pull request is an ImageBuild of its own: there while it is open, at the commit that was seen last.
#include "image_build/names.h"
#include "protocol/image_build/world.h"
#include "resources/observed.h"

namespace slipway::image_build {
namespace {

const std::string kFirst(40, 'b');
const std::string kSecond(40, 'c');

// The parent is suspended, so that it does nothing else.
class PullTest : public ReconcilerTest {
 protected:
  PullTest() {
    parent_ = Made("app");
    parent_.spec.suspend = true;
    parent_.spec.trigger.pull_requests.emplace();
    builds_.Put(parent_);
  }
  void Open(int number, const std::string& commit, bool fork = false) {
    auto build = Build();
    const resources::ObservedPull pull{.number = number,
                                       .commit = commit,
                                       .ref = "refs/pull/7/head",
                                       .fork = fork,
                                       .title = "t",
                                       .time = clock_.now};
    build.meta.annotations[PullAnnotation(number)] = resources::Encode(pull);
    builds_.Put(build);
  }
  void Close(int number) {
    auto build = Build();
    build.meta.annotations.erase(PullAnnotation(number));
    builds_.Put(build);
  }
  static std::string PullAnnotation(int number) {
    return std::string(resources::kPullAnnotationPrefix) + std::to_string(number);
  }
  std::string Child(int number) const { return PullBuildName(parent_.meta, number); }
  bool There(int number) const { return builds_.Get({"team", Child(number)}) != nullptr; }
  std::size_t Applied(int number) const { return Sent(Verb::kPatch, "/imagebuilds/" + Child(number) + "?"); }

  resources::ImageBuild parent_;
};

TEST_F(PullTest, IsAppliedOnceWhileNothingMoves) {
  Open(7, kFirst);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Applied(7), 1U);
  const auto child = Build(Child(7));
  EXPECT_EQ(resources::CommitOf(child.meta)->commit, kFirst);
  EXPECT_EQ(child.meta.Controller()->uid.value, "uid-app");
  EXPECT_FALSE(child.spec.output.push);
  EXPECT_FALSE(child.spec.require_approval);
}

TEST_F(PullTest, IsPatchedWhenItsBranchMoves) {
  Open(7, kFirst);
  ASSERT_TRUE(Reconcile());
  Open(7, kSecond);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Applied(7), 2U);
  EXPECT_EQ(resources::CommitOf(Build(Child(7)).meta)->commit, kSecond);
}

TEST_F(PullTest, IsPatchedWhenSomebodyLetsItPush) {
  Open(7, kFirst);
  ASSERT_TRUE(Reconcile());
  auto child = Build(Child(7));
  child.spec.output.push = true;
  builds_.Put(child);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Applied(7), 2U);
  EXPECT_FALSE(Build(Child(7)).spec.output.push);
}

TEST_F(PullTest, IsRemovedByItsUidWhenItIsClosed) {
  Open(7, kFirst);
  Open(8, kFirst);
  ASSERT_TRUE(Reconcile());
  Close(7);
  ASSERT_TRUE(Reconcile());
  EXPECT_FALSE(There(7));
  EXPECT_TRUE(There(8));
  EXPECT_EQ(LastSent(Verb::kDelete, Child(7))["preconditions"]["uid"], "uid-" + Child(7));
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Sent(Verb::kDelete, "/imagebuilds/"), 1U);
}

TEST_F(PullTest, IsRemovedWhenTheTriggerIs) {
  Open(7, kFirst);
  ASSERT_TRUE(Reconcile());
  auto build = Build();
  build.spec.trigger.pull_requests.reset();
  builds_.Put(build);
  ASSERT_TRUE(Reconcile());
  EXPECT_FALSE(There(7));
}

TEST_F(PullTest, OfAForkIsApprovedFirstOrNotBuilt) {
  Open(7, kFirst, true);
  ASSERT_TRUE(Reconcile());
  EXPECT_TRUE(Build(Child(7)).spec.require_approval);
  auto build = Build();
  build.spec.trigger.pull_requests->forks = resources::ForkPolicy::kRefuse;
  builds_.Put(build);
  ASSERT_TRUE(Reconcile());
  EXPECT_FALSE(There(7));
}

TEST_F(PullTest, AForeignImageBuildOfThatNameIsLeftAlone) {
  auto foreign = Made(Child(7));
  foreign.meta.owners = {{"slipway.dev/v1alpha1", "ImageBuild", "app", {"another"}, true}};
  builds_.Put(foreign);
  builds_.Put(Made(Child(8)));  // nobody's
  Open(7, kFirst);
  Open(8, kFirst);
  ASSERT_TRUE(Reconcile());
  Close(7);
  Close(8);
  ASSERT_TRUE(Reconcile());
  EXPECT_EQ(Applied(7) + Applied(8), 0U);
  EXPECT_TRUE(There(7));
  EXPECT_TRUE(There(8));
}

TEST_F(PullTest, ARefusalIsReturnedToBeTriedAgain) {
  Open(7, kFirst);
  Refuse(Verb::kPatch, "/imagebuilds/" + Child(7));
  const auto outcome = Reconcile();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kForbidden);
}

}  // namespace
}  // namespace slipway::image_build
