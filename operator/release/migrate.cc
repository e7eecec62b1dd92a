#include "release/migrate.h"

#include <fmt/format.h>

#include "base/text.h"
#include "release/acts.h"
#include "release/delivery.h"
#include "release/gates.h"
#include "release/ledger.h"
#include "release/rollback.h"
#include "release/under_way.h"

namespace slipway::release {
namespace {

using resources::Delivery;
using resources::MigrationRecord;
using resources::Readiness;
using resources::ReleasePhase;
using State = MigrationOutcome::State;

constexpr int kMostRuns = 3;  // of a migration that is cut short each time

bool HasEnded(const MigrationRecord& record) { return !record.outcome.empty(); }

// Never judged: should it be wanted again, it is tried again.
void GiveUp(Draft& draft, Delivery& delivery, std::string message) {
  draft.Close(delivery, "Superseded", "", std::move(message));
  delivery.key.clear();
}

void GiveUpForPerson(Draft& draft, Delivery& delivery) {
  draft.Close(delivery, "Aborted", "AbortedByDecision",
              "a Decision ended it before any pod of the image was there");
}

// A person rejected its digest: nothing of it is there yet.
bool Rejected(Draft& draft, Delivery& delivery) {
  const auto* rejection = RejectionOf(draft.seen, delivery.image, draft.now);
  if (rejection == nullptr) return false;
  TakeBack(draft, delivery, *rejection);
  delivery.finished = draft.now;
  return true;
}

void MakeJob(Draft& draft, Delivery& delivery) {
  auto& record = *delivery.migration;
  record.job_uid.reset();
  if (AbortAsked(delivery)) return GiveUpForPerson(draft, delivery);
  if (Rejected(draft, delivery)) return;
  if (!draft.release().spec.migration) {
    return GiveUp(draft, delivery, "spec.migration was taken away before its Job was made");
  }
  if (const auto obstacle = draft.Obstacle(delivery.image)) return draft.Report(*obstacle);
  record.compatibility = draft.release().spec.migration->compatibility;  // of what is run now
  ++record.runs;
  draft.plan.migration = StartMigration{record.job, record.image};
  SayMigrating(draft, delivery);
}

void End(Draft& draft, Delivery& delivery, bool succeeded, std::string message) {
  auto& record = *delivery.migration;
  record.outcome = succeeded ? "Succeeded" : "Failed";
  record.message = Clip(std::move(message), kDeliveryMessage);
  record.finished = draft.now;
  Enter(draft.status(), record);
  if (succeeded) {
    SayMigrating(draft, delivery);
    return draft.RecheckAfter(kSoon);
  }
  draft.Close(delivery, "Aborted", "MigrationFailed",
              fmt::format("the migration failed, and nothing was changed: {}", record.message));
}

// It is idempotent, and so run again; but what is cut short each time never ends.
void RunAgain(Draft& draft, Delivery& delivery) {
  auto& record = *delivery.migration;
  record.message = Clip(draft.seen.migration->message, kDeliveryMessage);
  if (record.runs >= kMostRuns) {
    return End(draft, delivery, false,
               fmt::format("Job {} was cut short {} times, the last time: {}", record.job, record.runs,
                           record.message));
  }
  MakeJob(draft, delivery);
  if (!draft.plan.migration) return;
  draft.plan.notices.push_back(
      {true, "MigrationCutShort", fmt::format("Job {} is run again: {}", record.job, record.message)});
}

void Migrate(Draft& draft, Delivery& delivery) {
  if (!delivery.migration->job_uid) return MakeJob(draft, delivery);
  const auto& seen = draft.seen.migration;
  const State state = seen ? seen->state : State::kRunning;
  if (state == State::kGone) return RunAgain(draft, delivery);
  if (state != State::kRunning) return End(draft, delivery, state == State::kSucceeded, seen->message);
  SayMigrating(draft, delivery);
}

// Under the name of this delivery's promotion, and in no record: we died before we wrote it down.
const resources::CanaryPromotion* Unrecorded(const Draft& draft, const Delivery& delivery) {
  for (const auto& promotion : draft.seen.promotions) {
    if (promotion->meta.key.name == delivery.promotion) return promotion.get();
  }
  return nullptr;
}

// As it was recorded, whatever is wanted by now.
void Promote(Draft& draft, Delivery& delivery) {
  Wanted wanted = WantedOf(delivery);
  wanted.on_failure = OnFailureOf(draft.release(), draft.status());
  const auto* unrecorded = Unrecorded(draft, delivery);
  if (unrecorded != nullptr &&
      (unrecorded->meta.deleted || unrecorded->spec != PromotionSpec(draft.release(), wanted))) {
    return GiveUp(draft, delivery, "its CanaryPromotion was made from an earlier spec");
  }
  const auto* stray = draft.Stray();
  if (stray != nullptr && stray != unrecorded) {
    return GiveUp(draft, delivery, fmt::format("CanaryPromotion {} has the target", stray->meta.key.name));
  }
  draft.plan.start = Start{delivery.promotion, std::move(wanted)};
  draft.plan.copies = delivery.config_maps;
  draft.Report(ReleasePhase::kProgressing, Readiness::kProgressing, "Delivering",
               fmt::format("delivery {} of {} begins: CanaryPromotion {}", delivery.number, Named(delivery),
                           delivery.promotion));
}

}  // namespace

std::optional<MigrationRecord> NextMigration(const Draft& draft, int number) {
  if (!draft.NeedsMigration()) return std::nullopt;
  return MigrationRecord{.image = draft.wanted->image,
                         .compatibility = draft.release().spec.migration->compatibility,
                         .job = MigrationName(draft.release(), draft.wanted->image, number),
                         .job_uid = {},
                         .runs = 0,
                         .outcome = {},
                         .message = {},
                         .started = draft.now,
                         .finished = {}};
}

void SayMigrating(Draft& draft, const Delivery& delivery) {
  const auto& seen = draft.seen.migration;
  const bool waits = seen && seen->state == State::kRunning && !seen->message.empty();
  const std::string& job = delivery.migration->job;
  draft.Report(ReleasePhase::kProgressing, Readiness::kProgressing, "Migrating",
               fmt::format("delivery {} of {}: Job {} migrates before any pod of it serves; {}",
                           delivery.number, Named(delivery), job,
                           waits ? seen->message : fmt::format("`kubectl logs job/{}` says more", job)));
}

void Prepare(Draft& draft, Delivery& delivery) {
  draft.RecheckAfter(kOpenRecheck);
  if (delivery.migration && !HasEnded(*delivery.migration)) return Migrate(draft, delivery);
  if (AbortAsked(delivery)) return GiveUpForPerson(draft, delivery);
  if (Rejected(draft, delivery)) return;
  // What can't be told now may still be what is wanted.
  if (!draft.wanted) return draft.Report(draft.wanted.error());
  // Its data is there: for what can't begin yet it is not given up.
  if (draft.wanted->key != delivery.key && CouldBegin(draft, false)) {
    return GiveUp(draft, delivery, fmt::format("called off for {}", draft.wanted->image));
  }
  if (const auto obstacle = draft.Obstacle(delivery.image)) return draft.Report(*obstacle);
  Promote(draft, delivery);
}

}  // namespace slipway::release
