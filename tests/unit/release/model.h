// A Release, its promotions, its migration Jobs and everybody who touches them, in random order: users who
// change their minds and ConfigMaps, and make Decisions; an earlier environment that goes on; caches that
// lag, crashes between any two writes, conflicts. What must hold at every moment is asserted at every moment.
#pragma once

#include <deque>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "unit/release/world.h"

namespace slipway::release {

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
  explicit Model(unsigned seed);

  // One thing happens.
  void Step(bool users);
  // Users stop, and everybody else goes on until nothing is left to do.
  void Settle();
  void ExpectEnded() const;

  // A leader that was stopped between its decision and its writes, and goes on much later.
  void LateLeaderDecides() { late_ = DecideFromCaches(); }
  void LateLeaderWrites();

 private:
  using Promotions = std::vector<CanaryPromotion>;
  struct Job {
    std::string name, image;
    kube::Uid uid;
    bool running = true;
    bool succeeded = false;
  };
  struct LookJob {
    StartVerification asked;
    kube::Uid uid;
    supply::VerifyOutcome outcome;
  };
  struct AttestJob {
    StartAttestation asked;
    kube::Uid uid;
    supply::AttestOutcome outcome;
  };
  struct Decided {
    Plan plan;
    std::string resource_version;
  };

  int Roll(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random_); }
  void CatchUp();
  int Live() const;

  // The Release's shell, as reconciler.cc does it.
  Decided DecideFromCaches();
  void SeeDeployment(char image);
  void Reconcile(bool crash) { Carry(DecideFromCaches(), crash); }
  std::optional<MigrationOutcome> OutcomeIn(const Release& release) const;
  std::optional<kube::Uid> PostJob(const StartMigration& start);
  std::optional<supply::VerifyOutcome> LookIn(const Release& release) const;
  kube::Uid PostLook(const StartVerification& start);
  void SeeAttestations();
  kube::Uid PostAttestation(const StartAttestation& start);
  void Carry(Decided decided, bool crash);
  std::optional<kube::Uid> Post(const Start& start);
  void Delete(const kube::Uid& uid);
  void WriteRelease(Release release);

  // What must hold at every moment.
  void ExpectTrue(const resources::ReleaseStatus& before, const resources::ReleaseStatus& after) const;
  bool MayBeDeliveredAgain(const Delivery& last) const;
  void ExpectAllowed(const Start& start) const;
  void ExpectVerified(const std::string& image) const;
  void ExpectHistoryInOrder() const;

  // The other controllers, and people.
  void CanaryWorks();
  void JobWorks();
  void LookWorks();
  void AttestWorks();
  void Advance(CanaryPromotion& promotion);
  void Finish(CanaryPromotion& promotion, bool bad, bool image_set);
  void Decides();
  static void Change(Release& release, int which, int value);
  void EnvironmentGoesOn(Release& release);
  void UserActs();
  void DeleteByHand();
  void SetImageByHand();

  std::mt19937 random_;
  World world_;  // scratch: what a decision sees
  Versions<Release> release_;
  Versions<char> deployment_;
  Versions<Promotions> promotions_;
  std::vector<Job> jobs_;
  std::vector<LookJob> looks_;
  std::vector<AttestJob> attests_;
  std::set<std::pair<std::string, std::string>> passed_;  // digests, and what was demanded of them
  bool settles_ = false;
  std::vector<resources::Decision> decisions_;
  std::optional<Decided> late_;
  bool late_mode_ = false;
  std::string config_ref_ = "web-config";  // what the target's pods read
  int uids_ = 0;
  int versions_ = 0;
};

}  // namespace slipway::release
