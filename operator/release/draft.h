// A decision in the making: what was seen, the plan as far as it has come, and what the parts of the decision
// ask of both. The parts are acts (Decisions of people), under_way (a delivery that is open), at_rest (none
// is), and migrate (a delivery before its promotion).
#pragma once

#include "release/decide.h"

namespace slipway::release {

class Draft {
 public:
  Draft(const Seen& seen, TimePoint now);

  const Seen& seen;
  TimePoint now;
  Plan plan;
  std::expected<Wanted, Hold> asked;                 // by the spec
  std::expected<Wanted, Hold> wanted;                // in its place what a rollback in force goes back to
  std::shared_ptr<const resources::Decision> retry;  // a person insists on what is wanted and held

  const resources::Release& release() const { return seen.release; }
  resources::ReleaseStatus& status() { return plan.status; }
  const resources::ReleaseStatus& status() const { return plan.status; }

  const resources::Delivery* Last() const;  // nullptr: there is no history
  const resources::Delivery* OpenDelivery() const;
  int NextNumber() const { return Last() == nullptr ? 1 : Last()->number + 1; }
  std::string NextName() const { return PromotionName(release(), NextNumber()); }

  const resources::CanaryPromotion* Find(const std::optional<kube::Uid>& uid) const;
  // The next delivery's promotion is there already and is what we would make: we died before we wrote it
  // down.
  bool LostStart() const;
  // One that is ours by its owner and is in no record, or has the next one's name: made from an earlier spec
  // just before we died, or by a former leader that did not know it was one.
  const resources::CanaryPromotion* Stray() const;
  bool NeedsMigration() const;  // of what is wanted
  // The target has what is wanted. One that names it by a tag has it when the last delivery's promotion found
  // that its pods run the digest, and so left it as it was.
  bool RunsWanted() const;

  // Sets `wanted` from `asked` and from the rollback in force; ends a rollback when the spec asks for
  // something else than it was decided against.
  void Want();

  // What stands in the way of any delivery of `image`.
  std::optional<Hold> Obstacle(const std::string& image) const;

  void Report(resources::ReleasePhase phase, resources::Readiness readiness, std::string reason,
              std::string message);
  void Report(const Hold& hold) { Report(hold.phase, hold.readiness, hold.reason, hold.message); }
  void RecheckAfter(Duration d);
  void RecheckAt(TimePoint t);

  // Each Decision is taken up once.
  // The oldest records go where the list is full, and none as old as they is ever taken up again.
  void Record(const resources::DecisionRecord& record);
  void Follow(const resources::Decision& decision);
  void Refuse(const resources::Decision& decision, std::string why);

  // `delivery` ended without a promotion's verdict.
  void Close(resources::Delivery& delivery, std::string outcome, std::string reason, std::string message);

 private:
  bool Recorded(const resources::CanaryPromotion& promotion) const;
  resources::DeliveryCause CauseOf(const Wanted& what) const;
};

inline constexpr std::size_t kDeliveryMessage = 600;  // bytes; a condition holds 1,024
inline constexpr Duration kOpenRecheck = std::chrono::seconds(30);
inline constexpr Duration kSoon = std::chrono::seconds(2);

}  // namespace slipway::release
