// The promise under any order of events: Decide drives a model of the cluster whose pods come and go in
// random order, whose operator dies between any two effects, and in which a person interferes. At every
// moment
//   ready(stable) + ready(canary) >= the baseline;
// and whatever happens, it ends, with stable whole and nothing left behind.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "canary/decide.h"
#include "canary/names.h"
#include "unit/canary/world.h"

namespace slipway::canary {
namespace {

using resources::CanaryPhase;
using resources::Capacity;
using resources::Completion;

constexpr int kSurge = 2;

// What the Deployment controller and the kubelet make of one Deployment: maxUnavailable 0, maxSurge 2.
class Workload {
 public:
  Workload(std::string name, int replicas, const std::string& image)
      : object_(World::Deployed(name, replicas, image)),
        pods_(static_cast<std::size_t>(replicas), {image, true}) {}

  resources::Deployment& object() { return object_; }
  const std::string& image() const { return object_.containers[0].image; }
  int ready() const {
    return Count([](const Pod& pod) { return pod.ready; });
  }

  void Set(int replicas, const std::string& image) {
    if (object_.replicas == replicas && this->image() == image) return;
    object_.replicas = replicas;
    object_.containers[0].image = image;
    object_.template_hash = "hash-of-" + image.substr(image.size() - 1);
    ++object_.meta.generation;
    ++version_;
  }
  void Touch() { ++version_; }
  int version() const { return version_; }

  // One small thing happens; `fit` says which images become ready.
  void Tick(std::minstd_rand& random, const std::set<std::string>& unfit) {
    object_.observed_generation = object_.meta.generation;
    const auto is_new = [&](const Pod& pod) { return pod.image == image(); };
    const int all = static_cast<int>(pods_.size());
    switch (random() % 4) {
      case 0:
        if (Count(is_new) < object_.replicas && all < object_.replicas + kSurge)
          pods_.push_back({image(), false});
        break;
      case 1:
        for (auto& pod : pods_) {
          if (pod.ready || unfit.contains(pod.image)) continue;
          pod.ready = true;
          break;
        }
        break;
      case 2:
        Remove([&](const Pod& pod) { return !is_new(pod) && (!pod.ready || ready() > object_.replicas); });
        break;
      default:
        if (all > object_.replicas) {
          const bool spare = ready() > object_.replicas;
          Remove([&](const Pod& pod) { return !pod.ready && (is_new(pod) || !spare); }) ||
              (spare && Count(is_new) > object_.replicas && Remove(is_new));
        }
    }
    Report();
  }

 private:
  struct Pod {
    std::string image;
    bool ready;
  };
  template <class F>
  int Count(F f) const {
    return static_cast<int>(std::ranges::count_if(pods_, f));
  }
  template <class F>
  bool Remove(F f) {
    const auto it = std::ranges::find_if(pods_, f);
    if (it == pods_.end()) return false;
    pods_.erase(it);
    return true;
  }
  void Report() {
    object_.status_replicas = static_cast<int>(pods_.size());
    object_.updated_replicas = Count([&](const Pod& pod) { return pod.image == image(); });
    object_.ready_replicas = object_.available_replicas = ready();
  }

  resources::Deployment object_;
  std::vector<Pod> pods_;
  int version_ = 1;
};

struct Scenario {
  unsigned seed;
  Capacity capacity = Capacity::kSplit;
  bool smoke_passes = true;
  bool canary_starts = true;
  bool stable_takes_image = true;  // the new image becomes ready in stable too
  bool deleted = false;            // the promotion, at some moment
  bool template_changes = false;
  bool spec_changes = false;
};

class Simulation {
 public:
  explicit Simulation(Scenario scenario) : scenario_(scenario), random_(scenario.seed) {
    world_.promotion.spec.capacity = scenario.capacity;
    world_.promotion.spec.steps = {{10, std::chrono::seconds(5)}, {50, {}}, {30, {}}};
    world_.promotion.spec.smoke_tests = {{.name = "one"}, {.name = "two"}};
    if (!scenario.canary_starts) unfit_.insert(Image('b'));
    event_at_ = 20 + static_cast<int>(random_() % 400);
  }

  void Run() {
    for (int tick = 0; tick < 20000 && !gone_; ++tick) {
      if (Over() && tick > event_at_ + 1) break;
      Interfere(tick);
      world_.now += std::chrono::milliseconds(random_() % 400);
      if (random_() % 3 == 0) {
        Reconcile();
      } else {
        Nature();
      }
      CheckPromise();
      if (::testing::Test::HasFatalFailure()) return;
    }
    CheckEnd();
  }

  Completion completion() const { return world_.promotion.status.completion; }
  bool gone() const { return gone_; }

 private:
  bool Over() const {
    return Ended(world_.promotion.status.phase) && world_.promotion.meta.finalizers.empty();
  }

  // At a random moment; with every third seed, as soon as stable's image is set.
  void Interfere(int tick) {
    if (scenario_.seed % 3 == 0 && !interfered_ && stable_.image() == Image('b')) event_at_ = tick;
    if (tick != event_at_ || interfered_) return;
    interfered_ = true;
    if (scenario_.deleted) {
      world_.promotion.meta.deleted = world_.now;
      if (world_.promotion.meta.finalizers.empty()) gone_ = true;
    }
    if (scenario_.template_changes) stable_.Set(stable_.object().replicas, Image('d'));
    if (scenario_.spec_changes) world_.promotion.spec.steps = {{20, {}}};
  }

  void Nature() {
    if (!scenario_.stable_takes_image && Promoting()) unfit_.insert(Image('b'));
    stable_.Tick(random_, unfit_);
    if (canary_) canary_->Tick(random_, unfit_);
    for (auto& [name, done] : jobs_) {
      if (random_() % 5 == 0) done = true;
    }
  }
  bool Promoting() const { return world_.promotion.status.phase == CanaryPhase::kPromoting; }

  void Look() {
    world_.stable = stable_.object();
    world_.canary.reset();
    const auto& recorded = world_.promotion.status.canary_uid;
    const bool known = recorded || world_.promotion.status.phase == CanaryPhase::kAborting;
    if (canary_ && known) world_.canary = canary_->object();
    world_.smoke.reset();
    if (world_.promotion.status.steps.empty()) return;
    const auto& recorded_job = world_.promotion.status.steps.back().smoke_job_uid;
    if (!recorded_job) return;
    const auto job = jobs_.find(recorded_job->value);
    ASSERT_NE(job, jobs_.end());
    world_.smoke = SmokeOutcome{};
    if (!job->second) return;
    world_.smoke->state =
        scenario_.smoke_passes ? SmokeOutcome::State::kPassed : SmokeOutcome::State::kFailed;
    world_.smoke->reason = scenario_.smoke_passes ? "Passed" : "RequestsFailed";
    world_.smoke->result.message = "/healthz";
  }

  // Effects, then the status; the operator may die after any of them.
  void Reconcile() {
    Look();
    Plan plan = world_.Decide();
    const int seen = stable_.version();
    for (const auto& effect : plan.effects) {
      if (random_() % 8 == 0) return;
      if (!std::visit([&](const auto& each) { return Carry(each, plan.status, seen); }, effect)) return;
    }
    if (gone_ || random_() % 8 == 0) return;
    CheckSteps(plan.status);
    world_.promotion.status = plan.status;
  }

  bool Carry(const AddFinalizer&, resources::CanaryPromotionStatus&, int) {
    if (world_.promotion.meta.deleted) return false;
    world_.promotion.meta.finalizers = {std::string(resources::kFinalizer)};
    return true;
  }
  bool Carry(const RemoveFinalizer&, resources::CanaryPromotionStatus&, int) {
    world_.promotion.meta.finalizers.clear();
    gone_ = world_.promotion.meta.deleted.has_value();
    return true;
  }
  bool Carry(const Claim&, resources::CanaryPromotionStatus&, int) {
    stable_.object().meta.annotations[std::string(resources::kClaimAnnotation)] = "promotion-uid";
    return true;
  }
  bool Carry(const Unclaim&, resources::CanaryPromotionStatus&, int) {
    stable_.object().meta.annotations.clear();
    return true;
  }
  bool Carry(const CreateCanary& effect, resources::CanaryPromotionStatus& status, int) {
    if (!canary_) {
      canary_.emplace("web-canary", 0, Image('b'));
      canary_->Set(effect.replicas, Image('b'));
    }
    status.canary_uid = canary_->object().meta.uid;
    return true;
  }
  bool Carry(const ScaleCanary& effect, resources::CanaryPromotionStatus&, int) {
    canary_->Set(effect.replicas, Image('b'));
    return true;
  }
  // The write carries the version that was seen.
  bool Carry(const WriteStable& effect, resources::CanaryPromotionStatus&, int seen) {
    if (seen != stable_.version()) return false;
    stable_.Set(effect.replicas, effect.image);
    return true;
  }
  bool Carry(const DeleteCanary&, resources::CanaryPromotionStatus&, int) {
    canary_.reset();
    return true;
  }
  bool Carry(const CreateSmokeJob& effect, resources::CanaryPromotionStatus& status, int) {
    const std::string name = SmokeJobName(world_.promotion, effect.step, effect.test.name);
    jobs_.emplace(name, false);
    status.steps.back().smoke_job_uid = kube::Uid{name};
    return true;
  }

  void CheckSteps(const resources::CanaryPromotionStatus& next) {
    const auto& now = world_.promotion.status;
    if (now.spec_hash != next.spec_hash || !now.baseline || !next.baseline) return;
    ASSERT_GE(next.steps.size(), now.steps.size()) << "a step was lost";
    ASSERT_LE(next.steps.size(), now.steps.size() + 1) << "a step was skipped";
  }

  void CheckPromise() {
    const int ready = stable_.ready() + (canary_ ? canary_->ready() : 0);
    ASSERT_GE(ready, 10) << "seed " << scenario_.seed << " in phase "
                         << resources::ToString(world_.promotion.status.phase);
  }

  void CheckEnd() {
    ASSERT_TRUE(gone_ || Over()) << "seed " << scenario_.seed << " is still "
                                 << resources::ToString(world_.promotion.status.phase);
    EXPECT_FALSE(canary_) << "seed " << scenario_.seed << ": the canary was left behind";
    EXPECT_EQ(stable_.object().replicas, 10) << "seed " << scenario_.seed;
    EXPECT_FALSE(stable_.object().meta.annotations.contains(std::string(resources::kClaimAnnotation)));
    if (completion() == Completion::kPromoted && !scenario_.spec_changes) {
      EXPECT_EQ(jobs_.size(), 6U) << "seed " << scenario_.seed
                                  << ": two tests in each of three steps, once each";
    }
    const bool promoted = completion() == Completion::kPromoted;
    if (promoted && !scenario_.template_changes) EXPECT_EQ(stable_.image(), Image('b'));
    if (!promoted && !scenario_.template_changes)
      EXPECT_EQ(stable_.image(), Image('a')) << "seed " << scenario_.seed;
  }

  Scenario scenario_;
  std::minstd_rand random_;
  World world_;
  Workload stable_{"web", 10, Image('a')};
  std::optional<Workload> canary_;
  std::map<std::string, bool> jobs_;  // by name, which stands for the UID: whether it has ended
  std::set<std::string> unfit_;
  int event_at_ = 0;
  bool interfered_ = false;
  bool gone_ = false;
};

constexpr unsigned kSeeds = 150;

void Always(Scenario scenario, Completion expected) {
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    scenario.seed = seed;
    Simulation simulation(scenario);
    simulation.Run();
    if (::testing::Test::HasFatalFailure()) return;
    ASSERT_EQ(simulation.completion(), expected) << "seed " << seed;
  }
}

void EndsWell(Scenario scenario) {
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    scenario.seed = seed;
    Simulation(scenario).Run();
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST(Simulation, AGoodImageIsPromoted) { Always({}, Completion::kPromoted); }
TEST(Simulation, AGoodImageIsPromotedBySurge) {
  Always({.capacity = Capacity::kSurge}, Completion::kPromoted);
}
TEST(Simulation, AFailedSmokeTestIsTakenBack) { Always({.smoke_passes = false}, Completion::kAborted); }
TEST(Simulation, ACanaryThatNeverStartsIsTakenBack) {
  Always({.canary_starts = false}, Completion::kAborted);
}
TEST(Simulation, ARolloutThatHangsIsTakenBack) {
  Always({.stable_takes_image = false}, Completion::kAborted);
}
TEST(Simulation, ADeletionAtAnyMomentRestoresStable) { EndsWell({.deleted = true}); }
TEST(Simulation, ADeletionWhileNothingStartsRestoresStable) {
  EndsWell({.canary_starts = false, .deleted = true});
}
TEST(Simulation, AChangedSpecAtAnyMomentEnds) { EndsWell({.spec_changes = true}); }
TEST(Simulation, AForeignRolloutAtAnyMomentEnds) { EndsWell({.template_changes = true}); }

}  // namespace
}  // namespace slipway::canary
