// The promise under any order of events: Decide drives a model of a cluster whose pods come and go in random
// order, whose caches are stale, whose operator dies between any two effects, and in which people,
// autoscalers and nodes interfere. Each schedule is one seed of one scenario, and can be replayed.
//
// After every small thing that happens:
//   ready(stable) + ready(canary) >= the baseline, and ready(stable) >= what the step leaves to stable, each
//   less the pods that nature or a person took away;
//   canary and stable are wanted to be no more than the baseline and spec.maxSurge, and the canary no more
//   than the nearest whole pod to what the step asks; nothing of a target is written without its claim; a
//   check has one Job; while paused nothing begins;
// and whatever happens, it ends, with stable whole and nothing left behind.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unit/canary/scenario.h"
#include "unit/canary/workload.h"
#include "unit/canary/world.h"

namespace slipway::canary {

struct Tally {
  std::int64_t schedules = 0;
  std::int64_t decisions = 0;
  std::int64_t events = 0;
  std::int64_t violations = 0;
  std::string first;  // violation, with its seed
};
// Adds the schedule of one seed; true: nothing was violated.
bool Simulate(const Scenario& scenario, std::uint64_t seed, Tally& tally);

class Simulation {
 public:
  Simulation(const Scenario& scenario, std::uint64_t seed);
  void Run();

  const std::string& violation() const { return violation_; }
  std::int64_t decisions() const { return decisions_; }
  std::int64_t events() const { return events_; }

 private:
  struct Stored {  // the promotion as the API server has it
    resources::CanaryPromotion promotion;
    int version = 1;
  };
  struct Job {
    bool ended = false;
    resources::Verdict verdict = resources::Verdict::kPassed;
  };
  struct Versions {
    int promotion = 0, stable = 0, canary = 0;
    bool canary_down = false;  // no pod of it was available
  };

  void Shape();
  bool Over() const;
  void Interfere();
  void InterfereOnce();
  void Disturb();
  void Nature();
  void LoseNode();
  void Compete();
  void DecideWhatPeopleWant();
  void AddDecision(resources::Verb verb);

  void Reconcile();
  Seen Look(const Stored& view) const;
  void LookAtCheck(Seen& seen) const;
  void Meddle();
  void WriteStatus(resources::CanaryPromotionStatus status, const Versions& seen);
  bool Carry(const Effect& effect, resources::CanaryPromotionStatus& status, Versions& seen);
  bool Do(const AddFinalizer&, resources::CanaryPromotionStatus&, Versions&);
  bool Do(const RemoveFinalizer&, resources::CanaryPromotionStatus&, Versions&);
  bool Do(const Claim&, resources::CanaryPromotionStatus&, Versions&);
  bool Do(const Unclaim&, resources::CanaryPromotionStatus&, Versions&);
  bool Do(const CreateCanary&, resources::CanaryPromotionStatus&, Versions&);
  bool Do(const ScaleCanary&, resources::CanaryPromotionStatus&, Versions&);
  bool Do(const WriteStable&, resources::CanaryPromotionStatus&, Versions&);
  bool Do(const DeleteCanary&, resources::CanaryPromotionStatus&, Versions&);
  bool Do(const CreateCheckJob&, resources::CanaryPromotionStatus&, Versions&);

  void Violate(const std::string& what);
  void Expect(bool holds, const char* what) {
    if (!holds) Violate(what);
  }
  void CheckPromise();
  void CheckRoom();
  void CheckPlan(const Stored& view, const Plan& plan);
  void CheckPaused(const resources::CanaryPromotionStatus& before, const Plan& plan);
  void CheckWeight(const resources::CanaryPromotionStatus& status);
  void CheckEnd();
  void CheckStable();
  void CheckJobs();
  int StepLeaves() const;
  // As the attempt under way began.
  resources::Capacity ItsCapacity() const;
  bool Superseded() const { return scenario_.spec_changes || scenario_.capacity_changes; }
  bool ClaimIsOurs() const;
  const resources::CanaryPromotionStatus& Status() const { return stored_.promotion.status; }
  resources::CanaryPromotionSpec& Spec() { return stored_.promotion.spec; }
  const resources::CanaryPromotionSpec& Spec() const { return stored_.promotion.spec; }
  void Respec();

  const Scenario& scenario_;
  std::uint64_t seed_;
  Dice dice_;
  TimePoint now_ = kNow;
  Stored stored_;
  std::vector<Stored> older_;
  resources::Service service_;
  std::optional<Workload> stable_;
  std::optional<Workload> canary_;
  std::map<std::string, Job> jobs_;
  std::vector<std::shared_ptr<const resources::Decision>> decisions_made_;
  std::optional<resources::Autoscaler> autoscaler_;
  std::string busy_with_;
  std::string spec_hash_;
  int bad_check_ = -2;
  int replicas_ = 10;
  int max_unavailable_ = 0;
  int promised_ = 0;  // the baseline, less what a person took away
  int owed_ = 0;      // pods that nature took of a canary that is gone since
  int tick_ = 0;
  int event_at_ = 0;
  bool interfered_ = false;
  bool foreign_image_ = false;
  bool gone_ = false;
  std::int64_t decisions_ = 0;
  std::int64_t events_ = 0;
  std::string violation_;
};

}  // namespace slipway::canary
