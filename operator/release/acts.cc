#include "release/acts.h"

#include <fmt/format.h>

#include <algorithm>

#include "release/delivery.h"
#include "release/ledger.h"
#include "release/rollback.h"

namespace slipway::release {
namespace {

using resources::CanaryPhase;
using resources::DecisionRecord;
using resources::Delivery;
using resources::Verb;

// How long the caches of builds and Releases may be behind what a person saw.
constexpr Duration kSourceLag = std::chrono::seconds(30);

bool IsFact(Verb verb) { return verb == Verb::kApprove || verb == Verb::kReject; }

bool IsAbout(const Draft& draft, const resources::Decision& decision) {
  const auto& target = decision.spec.target;
  const auto& meta = draft.release().meta;
  return decision.meta.key.ns == meta.key.ns && target.kind == kube::kReleases.kind &&
         target.name == meta.key.name && target.uid == meta.uid;
}

const DecisionRecord* FindIn(const std::vector<DecisionRecord>& records, const kube::Uid& uid) {
  const auto found = std::ranges::find(records, uid, &DecisionRecord::uid);
  return found == records.end() ? nullptr : &*found;
}

bool TakenUp(const Draft& draft, const resources::Decision& decision) {
  if (FindIn(draft.status().decisions, decision.meta.uid) != nullptr) return true;
  const auto& before = draft.status().decisions_before;
  return before && decision.meta.created <= *before;
}

// The promotion took it up: its record outlives the promotion's and the delivery's.
bool TakenUpByPromotion(Draft& draft, const resources::Decision& decision) {
  const auto& uid = decision.meta.uid;
  const DecisionRecord* record = nullptr;
  for (const auto& delivery : draft.status().history) {
    if (record == nullptr) record = FindIn(delivery.decisions, uid);
  }
  for (const auto& promotion : draft.seen.promotions) {
    if (record == nullptr) record = FindIn(promotion->status.decisions, uid);
  }
  if (record == nullptr) return false;
  draft.Record(*record);
  return true;
}

std::optional<std::string> Expired(const Draft& draft, const resources::Decision& decision) {
  const auto& expires = decision.spec.expires;
  if (!expires || draft.now < *expires) return std::nullopt;
  return fmt::format("it expired at {}", FormatTime(*expires));
}

std::string Elsewhere(const resources::Decision& decision, std::string_view image) {
  return fmt::format("it is about {}, and this delivers {}", decision.spec.subject, DigestOf(image));
}

// Statuses and objects have times of whole seconds.
bool MadeBefore(const resources::Decision& decision, TimePoint t) {
  return decision.meta.created < std::chrono::floor<std::chrono::seconds>(t);
}

// ---- Promote, Abort, Pause, Resume ----

void SteerMigration(Draft& draft, const resources::Decision& decision) {
  Delivery& delivery = draft.status().history.front();
  if (const auto expired = Expired(draft, decision)) return draft.Refuse(decision, *expired);
  if (DigestOf(delivery.image) != decision.spec.subject) {
    return draft.Refuse(decision, Elsewhere(decision, delivery.image));
  }
  if (decision.spec.verb != Verb::kAbort) {
    const bool migrates = delivery.migration && delivery.migration->outcome.empty();
    return draft.Refuse(decision, fmt::format("delivery {} has no CanaryPromotion yet{}: decide again when "
                                              "it has one",
                                              delivery.number, migrates ? ", for its migration runs" : ""));
  }
  draft.Follow(decision);
  Note(delivery, resources::RecordOf(decision));
}

void Steer(Draft& draft, const resources::Decision& decision) {
  const Delivery* open = draft.OpenDelivery();
  if (open != nullptr && !open->promotion_uid) return SteerMigration(draft, decision);
  if (open != nullptr) {
    const auto* promotion = draft.Find(open->promotion_uid);
    // What it does not take up before it ends is refused when nothing is under way.
    if (promotion == nullptr || decision.meta.created >= promotion->meta.created) return;
    return draft.Refuse(decision, fmt::format("it was made before CanaryPromotion {} was: decide again",
                                              promotion->meta.key.name));
  }
  // One that we died before we wrote it down: first that.
  if (draft.LostStart() || draft.Stray() != nullptr) return;
  draft.Refuse(decision, "nothing is under way");
}

// ---- Rollback ----

// Against what it is decided: what the spec asks for, or did when that was last known.
std::string InsteadOf(const Draft& draft) {
  if (draft.asked) return std::string(PlainKey(draft.asked->key));
  if (draft.status().rollback) return draft.status().rollback->instead_of;
  for (const auto& delivery : draft.status().history) {
    const bool by_the_spec = delivery.cause != resources::DeliveryCause::kRollback;
    if (by_the_spec && !delivery.key.empty()) return std::string(PlainKey(delivery.key));
  }
  return {};
}

void RollBack(Draft& draft, const resources::Decision& decision) {
  if (const auto expired = Expired(draft, decision)) return draft.Refuse(decision, *expired);
  if (auto why = WhyNoRollback(draft.seen, draft.status(), decision, draft.now)) {
    return draft.Refuse(decision, std::move(*why));
  }
  std::string instead_of = InsteadOf(draft);
  std::string image = KeptDelivery(draft.status(), decision.spec.subject)->image;
  draft.status().rollback = {std::move(image), std::move(instead_of), resources::RecordOf(decision)};
  draft.Follow(decision);
}

// ---- Approve, Reject ----

// Whether an image of this digest is, was or may soon be this Release's business.
bool Known(const Draft& draft, std::string_view digest) {
  const auto is = [digest](std::string_view image) { return DigestOf(image) == digest; };
  const auto delivers = [&is](const auto& made) { return is(made.image); };
  const auto& status = draft.status();
  if (draft.wanted && is(draft.wanted->image)) return true;
  if (draft.asked && is(draft.asked->image)) return true;
  if (is(status.image) || std::ranges::any_of(status.history, delivers)) return true;
  if (const auto* build = draft.seen.build; build != nullptr) {
    if (std::ranges::any_of(build->status.runs, delivers)) return true;
  }
  const auto* source = draft.seen.source;
  return source != nullptr &&
         (is(source->status.image) || std::ranges::any_of(source->status.history, delivers));
}

// A fact counts as long as its digest is wanted, and is in no record before it did. A person who named
// another digest is told, but not at once; and what an earlier delivery pruned is no mistake.
void JudgeFact(Draft& draft, const resources::Decision& decision) {
  const TimePoint made = decision.meta.created;
  if (!draft.wanted || Expired(draft, decision) || Known(draft, decision.spec.subject)) return;
  const Delivery* last = draft.Last();
  if (last != nullptr && made < last->started.value_or(made)) return;
  if (draft.now - made < kSourceLag) return draft.RecheckAt(made + kSourceLag);
  draft.Refuse(decision, fmt::format("it is about {}, and what is wanted is {}", decision.spec.subject,
                                     DigestOf(draft.wanted->image)));
}

// ---- Retry ----

// A promotion that preflight refused stays open, and is made anew for whoever insists.
bool RefusedAtStart(const Draft& draft, const Delivery& open) {
  const auto* promotion = draft.Find(open.promotion_uid);
  return promotion != nullptr && promotion->status.phase == CanaryPhase::kRefused && !Ended(*promotion);
}

std::optional<std::string> WhyNoRetry(const Draft& draft, const resources::Decision& decision) {
  if (auto expired = Expired(draft, decision)) return expired;
  if (draft.release().spec.suspend) return "spec.suspend is true: set it to false first";
  if (!draft.wanted) return fmt::format("nothing is held: {}", draft.wanted.error().message);
  if (DigestOf(draft.wanted->image) != decision.spec.subject) {
    return fmt::format("it is about {}, and what is wanted is {}", decision.spec.subject,
                       DigestOf(draft.wanted->image));
  }
  const Delivery* last = draft.Last();
  if (last != nullptr && last->finished && MadeBefore(decision, *last->finished)) {
    return fmt::format("it was made before delivery {} ended: decide again", last->number);
  }
  const bool back = draft.status().rollback.has_value();
  const bool left_behind = !back && Predates(draft.release(), draft.status(), draft.wanted->image);
  if (!HeldBack(draft) && !Drifted(draft) && !left_behind) return "it is not held";
  return std::nullopt;
}

void TryAgain(Draft& draft, const std::shared_ptr<const resources::Decision>& decision) {
  if (const Delivery* open = draft.OpenDelivery(); open != nullptr) {
    // Else it is looked at when the delivery has ended: only then is it known what is held.
    const bool same = DigestOf(open->image) == decision->spec.subject && !Expired(draft, *decision) &&
                      !MadeBefore(*decision, open->started.value_or(draft.now));
    if (same && RefusedAtStart(draft, *open)) draft.retry = decision;
    return;
  }
  const auto why = WhyNoRetry(draft, *decision);
  if (!why) {
    draft.retry = decision;
  } else if (!draft.LostStart() && draft.Stray() == nullptr) {  // else what is held is known only after that
    draft.Refuse(*decision, *why);
  }
}

// It was delivered to another Deployment, as far as can be told.
bool Moved(const Draft& draft, const Delivery& last) {
  const auto* promotion = draft.Find(last.promotion_uid);
  if (promotion == nullptr) return PlainKey(last.key) != PlainKey(draft.wanted->key);
  const auto& before = promotion->spec.target;
  const auto& target = draft.release().spec.target;
  return before.deployment != target.deployment || before.container != target.container;
}

}  // namespace

void TakeUp(Draft& draft) {
  draft.Want();
  std::vector<std::shared_ptr<const resources::Decision>> retries, facts;
  for (const auto& decision : draft.seen.decisions) {
    const Verb verb = decision->spec.verb;
    if (!IsAbout(draft, *decision) || TakenUp(draft, *decision)) continue;
    if (!IsFact(verb) && TakenUpByPromotion(draft, *decision)) continue;
    if (IsFact(verb)) {
      facts.push_back(decision);
    } else if (verb == Verb::kRetry) {
      retries.push_back(decision);
    } else if (verb == Verb::kRollback) {
      RollBack(draft, *decision);
    } else {
      Steer(draft, *decision);
    }
  }
  draft.Want();
  for (const auto& decision : retries) TryAgain(draft, decision);
  for (const auto& decision : facts) JudgeFact(draft, *decision);
}

bool HeldBack(const Draft& draft) {
  const Delivery* last = draft.Last();
  return last != nullptr && !Open(*last) && !Delivered(*last) && draft.wanted &&
         last->key == draft.wanted->key;
}

bool Drifted(const Draft& draft) {
  const Delivery* last = draft.Last();
  const auto* deployment = draft.seen.deployment;
  if (last == nullptr || !Delivered(*last) || !draft.wanted || deployment == nullptr) return false;
  if (last->image != draft.wanted->image || draft.RunsWanted() || Moved(draft, *last)) return false;
  // Else only what is in the ConfigMaps changed, and that is to be delivered.
  return last->config_maps == draft.wanted->config_maps ||
         !SameImage(ImageOf(draft.release(), *deployment), last->image);
}

bool AbortAsked(const Delivery& delivery) {
  return std::ranges::any_of(delivery.decisions, [](const DecisionRecord& record) {
    return record.verb == Verb::kAbort && record.refused.empty();
  });
}

}  // namespace slipway::release
