// A Release, its promotions and everybody who touches them, in random order: users who change their minds,
// caches that lag, crashes between any two writes, conflicts. What must hold at every moment is asserted at
// every moment.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "unit/release/world.h"

namespace slipway::release {
namespace {

// What the API server has, and how far each cache is behind it.
template <class T>
struct Versions {
  std::deque<T> all;  // front: what the cache has; back: the truth
  void Write(T value) { all.push_back(std::move(value)); }
  const T& truth() const { return all.back(); }
  const T& cached() const { return all.front(); }
  void CatchUp(std::size_t steps) {
    while (steps-- > 0 && all.size() > 1) all.pop_front();
  }
};

class Model {
 public:
  explicit Model(unsigned seed) : random_(seed) {
    world_.Ask('a');
    release_.Write(world_.release);
    deployment_.Write('0');
    promotions_.Write({});
  }

  // One thing happens.
  void Step(bool users) {
    world_.now += std::chrono::seconds(Roll(20));
    const int who = Roll(users ? 20 : 14);
    if (who < 5) return Reconcile(users && Roll(4) == 0);
    if (who < 8) return CanaryWorks();
    if (who < 10) return release_.CatchUp(1 + Roll(3));
    if (who < 12) return promotions_.CatchUp(1 + Roll(3));
    if (who < 14) return deployment_.CatchUp(1 + Roll(3));
    UserActs();
  }

  // Users stop, and everybody else goes on until nothing is left to do.
  void Settle() {
    late_mode_ = false;
    Release release = release_.truth();
    release.spec.suspend = false;
    WriteRelease(std::move(release));
    for (int i = 0; i < 400; ++i) Step(false);
    for (int i = 0; i < 60; ++i) {
      world_.now += std::chrono::minutes(1);
      CanaryWorks();
      CatchUp();
      Reconcile(false);
    }
    CatchUp();
    const auto last = DecideFromCaches().plan;
    EXPECT_EQ(last.status, release_.truth().status) << "it never comes to rest";
    EXPECT_FALSE(last.start);
    EXPECT_TRUE(last.removals.empty());
  }

  void ExpectEnded() const {
    const auto& status = release_.truth().status;
    ASSERT_FALSE(status.history.empty());
    EXPECT_TRUE(status.history[0].finished) << "a delivery never ended";
    EXPECT_EQ(Live(), 0);
    const bool delivered = status.phase == resources::ReleasePhase::kDelivered;
    const bool held = status.phase == resources::ReleasePhase::kRolledBack ||
                      status.phase == resources::ReleasePhase::kBlocked;
    EXPECT_TRUE(delivered || held) << resources::ToString(status.phase);
    if (delivered) {
      EXPECT_EQ(Image(deployment_.truth()), release_.truth().spec.image);
      EXPECT_EQ(status.image, release_.truth().spec.image);
    }
    EXPECT_LE(promotions_.truth().size(), static_cast<std::size_t>(release_.truth().spec.history_limit) + 1);
  }

  // A leader that was stopped between its decision and its writes, and goes on much later.
  void LateLeaderDecides() { late_ = DecideFromCaches(); }
  void LateLeaderWrites() {
    if (!late_) return;
    late_mode_ = true;  // from here on there may be a promotion too many, until Settle
    Carry(*late_, false);
    late_.reset();
  }

 private:
  using Promotions = std::vector<CanaryPromotion>;
  struct Decided {
    Plan plan;
    std::string resource_version;
  };

  int Roll(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random_); }

  void CatchUp() {
    release_.CatchUp(1000);
    promotions_.CatchUp(1000);
    deployment_.CatchUp(1000);
  }

  int Live() const {
    return static_cast<int>(std::ranges::count_if(
        promotions_.truth(), [](const auto& p) { return p.status.completion == Completion::kNone; }));
  }

  // ---- the Release's shell, as reconciler.cc does it ----

  Decided DecideFromCaches() {
    world_.release = release_.cached();
    world_.Run(deployment_.cached());
    world_.promotions = promotions_.cached();
    const auto& history = world_.release.status.history;
    if (!history.empty() && !history[0].finished && history[0].promotion_uid) {
      const auto is_open = [&](const auto& p) { return p.meta.uid == *history[0].promotion_uid; };
      if (std::ranges::none_of(world_.promotions, is_open)) {
        for (const auto& promotion : promotions_.truth()) {
          if (is_open(promotion)) world_.promotions.push_back(promotion);
        }
      }
    }
    return {world_.Decide(), world_.release.meta.resource_version.value};
  }

  void Reconcile(bool crash) { Carry(DecideFromCaches(), crash); }

  void Carry(Decided decided, bool crash) {
    for (const auto& removal : decided.plan.removals) Delete(removal.uid);
    if (crash && Roll(2) == 0) return;
    if (decided.plan.start) {
      // The shell reads the Release again before it creates; a late leader stopped just after that.
      const bool changed = release_.truth().meta.resource_version.value != decided.resource_version;
      if (changed && !late_mode_) return;
      const auto uid = Post(*decided.plan.start);
      if (!uid) return;  // a conflict: decided again
      decided.plan.status.history[0].promotion_uid = *uid;
    }
    if (crash) return;
    Release release = release_.truth();
    if (release.meta.resource_version.value != decided.resource_version) return;
    if (release.status == decided.plan.status) return;
    release.status = decided.plan.status;
    WriteRelease(std::move(release));
    ExpectHistoryInOrder();
  }

  std::optional<kube::Uid> Post(const Start& start) {
    Promotions promotions = promotions_.truth();
    const auto spec = PromotionSpec(world_.release, start.wanted);
    for (const auto& promotion : promotions) {
      if (promotion.meta.key.name != start.name) continue;
      const bool ours = promotion.spec == spec && !promotion.meta.deleted;
      return ours ? std::optional(promotion.meta.uid) : std::nullopt;
    }
    if (!late_mode_) {
      EXPECT_EQ(Live(), 0) << "two promotions of one Release";
      const auto& history = release_.truth().status.history;
      EXPECT_TRUE(history.empty() || history[0].key != start.wanted.key)
          << "delivery " << history[0].number << " was of the very same, and ended " << history[0].outcome;
    }
    CanaryPromotion promotion;
    promotion.meta.key = {"team", start.name};
    promotion.meta.uid = {"uid-" + std::to_string(++uids_)};
    promotion.meta.owners = {{"slipway.dev/v1alpha1", "Release", "web", kReleaseUid, true}};
    promotion.meta.created = world_.now;
    promotion.spec = spec;
    promotions.push_back(promotion);
    promotions_.Write(std::move(promotions));
    return promotion.meta.uid;
  }

  void Delete(const kube::Uid& uid) {
    Promotions promotions = promotions_.truth();
    for (auto& promotion : promotions) {
      if (promotion.meta.uid == uid && !promotion.meta.deleted) promotion.meta.deleted = world_.now;
    }
    promotions_.Write(std::move(promotions));
  }

  void WriteRelease(Release release) {
    release.meta.resource_version = {std::to_string(++versions_)};
    release_.Write(std::move(release));
  }

  void ExpectHistoryInOrder() const {
    const auto& history = release_.truth().status.history;
    for (std::size_t i = 0; i < history.size(); ++i) {
      if (i > 0) EXPECT_LT(history[i].number, history[i - 1].number);
      if (i > 0) EXPECT_TRUE(history[i].finished) << "an open delivery under another one";
      if (!history[i].finished)
        EXPECT_TRUE(history[i].promotion_uid) << "a result would count before its UID";
    }
  }

  // ---- the other controllers and people ----

  // One promotion at a time has the target. Image 'b' never passes.
  void CanaryWorks() {
    Promotions promotions = promotions_.truth();
    const auto gone =
        std::ranges::find_if(promotions, [](const auto& p) { return p.meta.deleted.has_value(); });
    if (gone != promotions.end()) {
      if (Roll(3) == 0) return;  // it takes its time to restore stable
      promotions.erase(gone);
      return promotions_.Write(std::move(promotions));
    }
    for (auto& promotion : promotions) {
      if (promotion.status.completion != Completion::kNone) continue;
      Advance(promotion);
      break;
    }
    promotions_.Write(std::move(promotions));
  }

  void Advance(CanaryPromotion& promotion) {
    auto& phase = promotion.status.phase;
    const bool bad = promotion.spec.image == Image('b');
    switch (phase) {
      case CanaryPhase::kPending:
        phase = CanaryPhase::kHolding;
        break;
      case CanaryPhase::kHolding:
        phase = CanaryPhase::kTesting;
        break;
      case CanaryPhase::kTesting:
        phase = bad ? CanaryPhase::kAborting : CanaryPhase::kPromoting;
        break;
      case CanaryPhase::kPromoting:
        deployment_.Write(promotion.spec.image.back());
        phase = CanaryPhase::kFinishing;
        break;
      default:
        End(promotion, bad ? Completion::kAborted : Completion::kPromoted);
        promotion.status.finished = world_.now;
    }
  }

  void UserActs() {
    Release release = release_.truth();
    switch (Roll(8)) {
      case 0:
        release.spec.suspend = !release.spec.suspend;
        break;
      case 1:
        release.meta.annotations["slipway.dev/retry"] = std::to_string(Roll(3));
        break;
      case 2:
        release.spec.smoke_tests[0].requests = 1 + Roll(3);
        break;
      case 3:
        release.spec.history_limit = 1 + Roll(4);
        break;
      case 4:
        return DeleteByHand();
      case 5:
        return SetImageByHand();
      default:
        release.spec.image = Image(static_cast<char>('a' + Roll(4)));
    }
    ++release.meta.generation;
    WriteRelease(std::move(release));
  }

  void DeleteByHand() {
    if (promotions_.truth().empty()) return;
    Delete(promotions_.truth()[static_cast<std::size_t>(Roll(static_cast<int>(promotions_.truth().size())))]
               .meta.uid);
  }

  // A changed template supersedes what is under way.
  void SetImageByHand() {
    deployment_.Write(static_cast<char>('a' + Roll(4)));
    Promotions promotions = promotions_.truth();
    for (auto& promotion : promotions) {
      if (promotion.status.completion == Completion::kNone) End(promotion, Completion::kSuperseded);
    }
    promotions_.Write(std::move(promotions));
  }

  std::mt19937 random_;
  World world_;  // scratch: what a decision sees
  Versions<Release> release_;
  Versions<char> deployment_;
  Versions<Promotions> promotions_;
  std::optional<Decided> late_;
  bool late_mode_ = false;
  int uids_ = 0;
  int versions_ = 0;
};

class RandomSchedule : public testing::TestWithParam<unsigned> {};

TEST_P(RandomSchedule, NeverHasTwoPromotionsNorDeliversTheSameTwiceAndEnds) {
  for (unsigned i = 0; i < 40; ++i) {
    Model model(GetParam() * 1000 + i);
    for (int step = 0; step < 150 && !HasFailure(); ++step) model.Step(true);
    model.Settle();
    model.ExpectEnded();
    ASSERT_FALSE(HasFailure()) << "seed " << GetParam() * 1000 + i;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomSchedule, testing::Range(0U, 10U));

// Its create has no precondition, so it may make a promotion that nobody asked for any more; it is found and
// goes.
TEST_P(RandomSchedule, ClearsUpAfterALeaderThatCameTooLate) {
  for (unsigned i = 0; i < 20; ++i) {
    Model model(GetParam() * 1000 + i);
    for (int round = 0; round < 6; ++round) {
      for (int step = 0; step < 12; ++step) model.Step(true);
      model.LateLeaderDecides();
      for (int step = 0; step < 25; ++step) model.Step(true);
      model.LateLeaderWrites();
    }
    model.Settle();
    model.ExpectEnded();
    ASSERT_FALSE(HasFailure()) << "seed " << GetParam() * 1000 + i;
  }
}

}  // namespace
}  // namespace slipway::release
