#include "release/decide.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/names.h"
#include "base/text.h"
#include "release/delivery.h"

namespace slipway::release {
namespace {

using resources::CanaryPhase;
using resources::CanaryPromotion;
using resources::Completion;
using resources::Delivery;
using resources::Readiness;
using resources::ReleasePhase;

constexpr std::size_t kMessageBytes = 600;  // a condition holds 1,024
constexpr Duration kOpenRecheck = std::chrono::seconds(30);
constexpr Duration kSupersedeRecheck = std::chrono::seconds(2);

class Decision {
 public:
  Decision(const Seen& seen, TimePoint now)
      : seen_(seen), now_(now), wanted_(Resolve(seen.release, seen.build)), old_(seen.release.status) {
    plan_.status = old_;
    plan_.status.observed_generation = seen.release.meta.generation;
  }

  Plan Make() && {
    if (Last() != nullptr && Open(*Last())) {
      Follow(plan_.status.history.front());
    } else if (LostStart()) {
      Begin(*wanted_);
    } else if (const auto* stray = Stray(); stray != nullptr) {
      TakeIn(*stray);
    } else {
      Rest();
    }
    Prune();
    Notify();
    return std::move(plan_);
  }

 private:
  const Delivery* Last() const {
    return plan_.status.history.empty() ? nullptr : &plan_.status.history.front();
  }
  int NextNumber() const { return Last() == nullptr ? 1 : Last()->number + 1; }
  std::string NextName() const { return PromotionName(seen_.release, NextNumber()); }

  const CanaryPromotion* Find(const std::optional<kube::Uid>& uid) const {
    if (!uid) return nullptr;
    for (const auto& promotion : seen_.promotions) {
      if (promotion->meta.uid == *uid) return promotion.get();
    }
    return nullptr;
  }
  bool Recorded(const CanaryPromotion& promotion) const {
    return std::ranges::any_of(plan_.status.history,
                               [&](const Delivery& d) { return d.promotion_uid == promotion.meta.uid; });
  }

  // The next delivery's promotion is there already and is what we would make: we died before we wrote it
  // down.
  bool LostStart() const {
    if (!wanted_) return false;
    const auto spec = PromotionSpec(seen_.release, *wanted_);
    return std::ranges::any_of(seen_.promotions, [&](const auto& promotion) {
      return promotion->meta.key.name == NextName() && !promotion->meta.deleted && promotion->spec == spec;
    });
  }

  // One that is ours by its owner and is in no record, or has the next one's name: made from an earlier spec
  // just before we died, or by a former leader that did not know it was one.
  const CanaryPromotion* Stray() const {
    for (const auto& promotion : seen_.promotions) {
      if (Recorded(*promotion)) continue;
      if (!Ended(*promotion) || promotion->meta.key.name == NextName()) return promotion.get();
    }
    return nullptr;
  }

  void Report(ReleasePhase phase, Readiness readiness, std::string reason, std::string message) {
    plan_.status.phase = phase;
    resources::SetReadiness(plan_.status.conditions, readiness, std::move(reason),
                            Clip(std::move(message), 1000), seen_.release.meta.generation, now_);
  }
  void Report(const Hold& hold) { Report(hold.phase, hold.readiness, hold.reason, hold.message); }
  void RecheckAfter(Duration d) {
    plan_.recheck_after = plan_.recheck_after ? std::min(*plan_.recheck_after, d) : d;
  }

  // ---- a delivery under way ----

  void Follow(Delivery& delivery) {
    const auto* promotion = Find(delivery.promotion_uid);
    if (promotion == nullptr) return Gone(delivery);
    // An entry without a key is a stray's: nothing that it did counts.
    const bool counts = !delivery.key.empty();
    if (counts) Copy(*promotion, delivery);
    if (counts && Ended(*promotion)) return Conclude(*promotion, delivery);
    if (delivery.outcome == "Superseded") return Remove(*promotion, delivery);
    if (MustGiveWay(*promotion, delivery)) return Supersede(delivery);
    Progress(*promotion, delivery);
    RecheckAfter(kOpenRecheck);
  }

  void Gone(Delivery& delivery) {
    delivery.finished = now_;
    if (delivery.outcome == "Superseded") {
      delivery.key.clear();  // it was never judged: should it be wanted again, it is tried again
    } else {
      delivery.outcome = "Aborted";
      delivery.reason = "PromotionDeleted";
      delivery.message = fmt::format("CanaryPromotion {} was deleted before it ended, not by this Release",
                                     delivery.promotion);
    }
    Rest();
  }

  void Conclude(const CanaryPromotion& promotion, Delivery& delivery) {
    const auto& status = promotion.status;
    delivery.outcome = std::string(resources::ToString(status.completion));
    delivery.reason = status.failure_reason;
    delivery.message = Clip(status.failure_message, kMessageBytes);
    delivery.finished = status.finished.value_or(now_);
    if (status.completion == Completion::kPromoted) {
      plan_.status.image = delivery.image;
      plan_.status.commit = delivery.commit;
    }
    Rest();
  }

  bool MustGiveWay(const CanaryPromotion& promotion, const Delivery& delivery) const {
    if (!wanted_ || wanted_->key == delivery.key || seen_.release.spec.suspend) return false;
    return CanBeSuperseded(promotion.status.phase) && !promotion.meta.deleted && !Obstacle();
  }

  // Written down first; deleted by the next decision, which is then at least as new as this one.
  void Supersede(Delivery& delivery) {
    delivery.outcome = "Superseded";
    delivery.message = fmt::format("called off for {}", wanted_->image);
    SayGivingWay(delivery);
  }

  void Remove(const CanaryPromotion& promotion, const Delivery& delivery) {
    if (!promotion.meta.deleted) plan_.removals.push_back({promotion.meta.key.name, promotion.meta.uid});
    SayGivingWay(delivery);
  }

  void SayGivingWay(const Delivery& delivery) {
    Report(
        ReleasePhase::kProgressing, Readiness::kProgressing, "Superseding",
        fmt::format(
            "delivery {} of {} is called off; CanaryPromotion {} takes its canary back before the next one "
            "begins",
            delivery.number, Named(delivery), delivery.promotion));
    RecheckAfter(kSupersedeRecheck);
  }

  void Progress(const CanaryPromotion& promotion, const Delivery& delivery) {
    const auto& status = promotion.status;
    const auto* ready = resources::Find(status.conditions, "Ready");
    const std::string told = ready == nullptr ? std::string() : ready->message;
    if (status.phase == CanaryPhase::kRefused) {
      const std::string reason = !status.failure_reason.empty() ? status.failure_reason : "PromotionRefused";
      const std::string& message = status.failure_message.empty() ? told : status.failure_message;
      return Report(
          ReleasePhase::kBlocked, Readiness::kFailed, reason,
          fmt::format("delivery {} of {} was refused: {}", delivery.number, Named(delivery), message));
    }
    const bool held_up = ready != nullptr && ready->status == resources::ConditionStatus::kFalse;
    if (held_up && status.phase == CanaryPhase::kPending) {
      return Report(ReleasePhase::kProgressing, Readiness::kWaiting, ready->reason,
                    fmt::format("delivery {} of {} waits: {}", delivery.number, Named(delivery), told));
    }
    Report(ReleasePhase::kProgressing, Readiness::kProgressing, "Delivering",
           fmt::format("delivery {} of {}: CanaryPromotion {} is {}", delivery.number, Named(delivery),
                       delivery.promotion, resources::ToString(status.phase)));
  }

  // ---- no delivery under way ----

  // What stands in the way of any delivery of what is wanted.
  std::optional<Hold> Obstacle() const {
    const auto violation =
        resources::Check(seen_.release.spec, wanted_->image, seen_.policy, seen_.release.meta.key.ns);
    if (violation) {
      return Hold{Readiness::kFailed, ReleasePhase::kBlocked, violation->reason, violation->message};
    }
    if (!seen_.busy_with.empty()) {
      return Hold{
          Readiness::kWaiting, ReleasePhase::kBlocked, "TargetBusy",
          fmt::format(
              "Release {} is older and has the same spec.target.deployment \"{}\": only one Release may "
              "deliver to a Deployment; change the target, or delete one of the two",
              seen_.busy_with, seen_.release.spec.target.deployment)};
    }
    return CheckTarget(seen_.release, seen_.deployment);
  }

  void Rest() {
    if (seen_.release.spec.suspend) {
      return Report(ReleasePhase::kSuspended, Readiness::kSuspended, "Suspended",
                    "spec.suspend is true: nothing is delivered until it is false");
    }
    if (!wanted_) return Report(wanted_.error());
    if (const auto obstacle = Obstacle()) return Report(*obstacle);
    const auto* last = Last();
    const bool same_image = last != nullptr && last->image == wanted_->image;
    const bool running = SameImage(ImageOf(seen_.release, *seen_.deployment), wanted_->image);
    // In these seconds what the Deployment's cache says may be older than what the promotion did.
    const bool lagging = same_image && last->finished && now_ - *last->finished < kCacheLag;
    if (same_image && Delivered(*last) && (running || lagging)) return RestDelivered(*last, running);
    if (HeldBack(last) && (!running || lagging)) return RestHeld(*last, running);
    if (running) return RestRunning();
    if (same_image && Delivered(*last) && last->key == wanted_->key) return RestDrifted(*last);
    Begin(*wanted_);
  }

  // It was tried in this very form and did not pass.
  bool HeldBack(const Delivery* last) const {
    return last != nullptr && !Delivered(*last) && last->key == wanted_->key;
  }

  void RestDelivered(const Delivery& last, bool running) {
    if (!running) RecheckAfter(kCacheLag);
    const bool found = last.outcome == "AlreadyRunning";
    Report(ReleasePhase::kDelivered, Readiness::kReady, found ? "AlreadyRunning" : "Delivered",
           fmt::format("Deployment {} runs {}{}", seen_.release.spec.target.deployment, Named(last),
                       found ? "; it did so before any delivery" : ""));
  }

  void RestHeld(const Delivery& last, bool running) {
    if (running) RecheckAfter(kCacheLag);
    const bool aborted = last.outcome == "Aborted";
    const std::string reason = !last.reason.empty() ? last.reason : (aborted ? "RolledBack" : "Superseded");
    Report(aborted ? ReleasePhase::kRolledBack : ReleasePhase::kBlocked, Readiness::kFailed, reason,
           fmt::format(
               "delivery {} of {} ended {}: {}. It is held until the image or the spec changes; to try the "
               "same again, set annotation {} to a new value",
               last.number, Named(last), last.outcome, last.message, kRetryAnnotation));
  }

  // Somebody else brought it there: a first apply, a GitOps sync, or a hand.
  void RestRunning() {
    const auto& deployment = *seen_.deployment;
    if (!deployment.RolledOut()) {
      const bool stuck = deployment.progress_deadline_exceeded;
      return Report(
          ReleasePhase::kProgressing, stuck ? Readiness::kWaiting : Readiness::kProgressing,
          stuck ? "TargetUnhealthy" : "TargetRollingOut",
          fmt::format("Deployment {} has the wanted image and is not rolled out yet{}: `kubectl rollout "
                      "status deployment/{}` says more",
                      deployment.meta.key.name, stuck ? "; it exceeded its progress deadline" : "",
                      deployment.meta.key.name));
    }
    Delivery& found = Push(*wanted_);
    found.outcome = "AlreadyRunning";
    found.finished = now_;
    plan_.status.image = found.image;
    plan_.status.commit = found.commit;
    RestDelivered(found, true);
  }

  void RestDrifted(const Delivery& last) {
    Report(ReleasePhase::kBlocked, Readiness::kFailed, "TargetDrifted",
           fmt::format(
               "Deployment {} runs {}, which is not what delivery {} of this Release left there: {}. To keep "
               "it, write it in spec.image; to deliver again, set annotation {} to a new value",
               seen_.release.spec.target.deployment, Clip(ImageOf(seen_.release, *seen_.deployment), 300),
               last.number, Named(last), kRetryAnnotation));
  }

  Delivery& Push(const Wanted& wanted) {
    Delivery next;
    next.number = NextNumber();
    next.generation = seen_.release.meta.generation;
    next.image = wanted.image;
    next.commit = wanted.commit;
    next.image_build = wanted.image_build;
    next.build_run = wanted.build_run;
    next.built = wanted.built;
    next.key = wanted.key;
    next.started = now_;
    if (seen_.deployment != nullptr) next.previous_image = ImageOf(seen_.release, *seen_.deployment);
    return *plan_.status.history.insert(plan_.status.history.begin(), std::move(next));
  }

  void Begin(const Wanted& wanted) {
    // The last delivery may have ended in this very decision, and the next one's name be taken.
    if (const auto* stray = Stray(); stray != nullptr && !LostStart()) return TakeIn(*stray);
    Delivery& next = Push(wanted);
    next.promotion = PromotionName(seen_.release, next.number);
    plan_.start = Start{next.promotion, wanted};
    Report(ReleasePhase::kProgressing, Readiness::kProgressing, "Delivering",
           fmt::format("delivery {} of {} begins: CanaryPromotion {}", next.number, Named(next),
                       next.promotion));
    RecheckAfter(kOpenRecheck);
  }

  void TakeIn(const CanaryPromotion& stray) {
    Delivery entry;
    entry.number = NextNumber();
    entry.generation = seen_.release.meta.generation;
    entry.image = stray.spec.image;
    entry.commit = stray.spec.version;
    entry.promotion = stray.meta.key.name;
    entry.promotion_uid = stray.meta.uid;
    entry.outcome = "Superseded";
    entry.message = "made from an earlier state of this Release and never written down: it does not count";
    entry.started = stray.meta.created;
    plan_.status.history.insert(plan_.status.history.begin(), entry);
    SayGivingWay(entry);
  }

  // ---- after every decision ----

  void Prune() {
    auto& history = plan_.status.history;
    const auto limit = static_cast<std::size_t>(std::max(seen_.release.spec.history_limit, 1));
    while (history.size() > limit && !Open(history.back())) {
      if (const auto* old = Find(history.back().promotion_uid); old != nullptr && !old->meta.deleted) {
        plan_.removals.push_back({old->meta.key.name, old->meta.uid});
      }
      history.pop_back();
    }
  }

  void Notify() {
    const auto* before = resources::Find(old_.conditions, "Ready");
    const auto* after = resources::Find(plan_.status.conditions, "Ready");
    if (after == nullptr) return;
    const bool changed =
        before == nullptr || before->reason != after->reason || old_.phase != plan_.status.phase;
    if (!changed) return;
    const bool warning = after->status == resources::ConditionStatus::kFalse;
    plan_.notices.push_back({warning, after->reason, after->message});
  }

  const Seen& seen_;
  TimePoint now_;
  std::expected<Wanted, Hold> wanted_;
  const resources::ReleaseStatus& old_;
  Plan plan_;
};

}  // namespace

Plan Decide(const Seen& seen, TimePoint now) {
  // Its promotions go with it: they are owned, and restore stable before they go.
  if (seen.release.meta.deleted) {
    Plan nothing;
    nothing.status = seen.release.status;
    return nothing;
  }
  return Decision(seen, now).Make();
}

std::string PromotionName(const resources::Release& release, int number) {
  return ChildName(release.meta.key.name, "cp", fmt::format("{}/{}", release.meta.uid.value, number));
}

std::string BusyWith(const resources::Release& release,
                     const std::vector<std::shared_ptr<const resources::Release>>& all) {
  const auto age = [](const resources::Release& r) { return std::pair(r.meta.created, r.meta.uid.value); };
  const resources::Release* oldest = &release;
  for (const auto& other : all) {
    const bool rival = other->meta.key.ns == release.meta.key.ns && other->meta.uid != release.meta.uid &&
                       other->spec.target.deployment == release.spec.target.deployment;
    if (rival && age(*other) < age(*oldest)) oldest = other.get();
  }
  return oldest == &release ? std::string() : oldest->meta.key.name;
}

}  // namespace slipway::release
