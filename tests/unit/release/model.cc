// The Release and its shell.
#include "unit/release/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "release/attest.h"
#include "release/ledger.h"
#include "release/verification.h"

namespace slipway::release {
namespace {

std::string Reason(const resources::ReleaseStatus& status) {
  const auto* ready = resources::Find(status.conditions, "Ready");
  return ready == nullptr ? std::string() : ready->reason;
}

}  // namespace

Model::Model(unsigned seed) : random_(seed) {
  world_.Ask('a');
  // Every other one attests what becomes of its deliveries.
  world_.policy->signers = {"release"};
  if (seed % 2 == 0) world_.release.spec.attest = resources::DeliveryAttest{"release", ""};
  world_.config_maps = {{"web-config", "web-config-slipway-00000001"}};
  release_.Write(world_.release);
  deployment_.Write('0');
  promotions_.Write({});
}

void Model::Step(bool users) {
  world_.now += std::chrono::seconds(Roll(20));
  const int who = Roll(users ? 20 : 14);
  if (who < 5) return Reconcile(users && Roll(4) == 0);
  if (who == 6) return LookWorks();
  if (who == 7) {
    AttestWorks();
    return JobWorks();
  }
  if (who < 8) return CanaryWorks();
  if (who < 10) return release_.CatchUp(1 + Roll(3));
  if (who < 12) return promotions_.CatchUp(1 + Roll(3));
  if (who < 14) return deployment_.CatchUp(1 + Roll(3));
  UserActs();
}

void Model::Settle() {
  // What a late leader made is found and goes; until then it may be beside a migration.
  for (int i = 0; late_mode_ && i < 100; ++i) Step(false);
  late_mode_ = false;
  settles_ = true;
  if (world_.source) world_.source->status.verified = world_.now;
  Release release = release_.truth();
  release.spec.suspend = false;
  release.spec.gates.approvals = 0;
  WriteRelease(std::move(release));
  for (int i = 0; i < 400; ++i) Step(false);
  for (int i = 0; i < 60; ++i) {
    world_.now += std::chrono::minutes(3);  // what was refused is looked at again after an hour at most
    CanaryWorks();
    JobWorks();
    AttestWorks();
    LookWorks();
    CatchUp();
    Reconcile(false);
  }
  CatchUp();
  const auto last = DecideFromCaches().plan;
  EXPECT_EQ(last.status, release_.truth().status) << "it never comes to rest";
  EXPECT_FALSE(last.start);
  EXPECT_FALSE(last.migration);
  EXPECT_FALSE(last.verification);
  EXPECT_FALSE(last.attestation);
  EXPECT_TRUE(last.removals.empty());
}

void Model::ExpectEnded() const {
  const auto& status = release_.truth().status;
  ASSERT_FALSE(status.history.empty()) << resources::Find(status.conditions, "Ready")->message;
  EXPECT_TRUE(status.history[0].finished) << "a delivery never ended";
  const auto* judged = Judged(release_.truth());
  if (release_.truth().spec.attest && judged != nullptr) {
    ASSERT_TRUE(status.attestation);
    EXPECT_EQ(status.attestation->delivery, judged->number);
    EXPECT_EQ(status.attestation->state, "Attested") << status.attestation->message;
  }
  EXPECT_EQ(Live(), 0);
  const bool delivered = status.phase == resources::ReleasePhase::kDelivered;
  const bool held = status.phase == resources::ReleasePhase::kRolledBack ||
                    status.phase == resources::ReleasePhase::kBlocked;
  EXPECT_TRUE(delivered || held) << Reason(status) << " " << resources::ToString(status.phase);
  if (delivered) {
    const std::string& asked = release_.truth().spec.image;
    const std::string wanted = asked.empty() ? world_.source->status.image : asked;
    EXPECT_EQ(Image(deployment_.truth()), wanted);
    EXPECT_EQ(status.image, wanted);
  }
  EXPECT_TRUE(std::ranges::none_of(jobs_, [](const Job& job) { return job.running; }));
  EXPECT_LE(promotions_.truth().size(), static_cast<std::size_t>(release_.truth().spec.history_limit) + 1);
}

void Model::LateLeaderWrites() {
  if (!late_) return;
  late_mode_ = true;  // from here on there may be a promotion too many, until Settle
  Carry(*late_, false);
  late_.reset();
}

void Model::CatchUp() {
  release_.CatchUp(1000);
  promotions_.CatchUp(1000);
  deployment_.CatchUp(1000);
}

int Model::Live() const {
  return static_cast<int>(std::ranges::count_if(
      promotions_.truth(), [](const auto& p) { return p.status.completion == Completion::kNone; }));
}

Model::Decided Model::DecideFromCaches() {
  world_.release = release_.cached();
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
  SeeDeployment(deployment_.cached());
  if (!world_.CacheServes()) SeeDeployment(deployment_.truth());
  world_.migration = OutcomeIn(world_.release);
  world_.verification = LookIn(world_.release);
  SeeAttestations();
  return {world_.Decide(), world_.release.meta.resource_version.value};
}

void Model::SeeDeployment(char image) {
  world_.Run(image);
  world_.deployment->config_refs = {config_ref_};
}

// The Job that the status records is read live, when the cache does not have it.
std::optional<MigrationOutcome> Model::OutcomeIn(const Release& release) const {
  const auto& history = release.status.history;
  if (history.empty() || history[0].finished) return std::nullopt;
  const auto& record = history[0].migration;
  if (!record || !record->job_uid || !record->outcome.empty()) return std::nullopt;
  using State = MigrationOutcome::State;
  const auto job = std::ranges::find(jobs_, *record->job_uid, &Job::uid);
  if (job == jobs_.end()) return MigrationOutcome{State::kGone, ""};
  if (job->running) return MigrationOutcome{State::kRunning, ""};
  return MigrationOutcome{job->succeeded ? State::kSucceeded : State::kFailed, ""};
}

std::optional<supply::VerifyOutcome> Model::LookIn(const Release& release) const {
  const auto& record = release.status.verification;
  if (!record || !record->job_uid || !record->outcome.empty()) return std::nullopt;
  const auto look = std::ranges::find(looks_, *record->job_uid, &LookJob::uid);
  if (look != looks_.end()) return look->outcome;
  return supply::VerifyOutcome{supply::VerifyOutcome::State::kFailed, {}, {}, "gone"};
}

kube::Uid Model::PostLook(const StartVerification& start) {
  for (const auto& look : looks_) {
    if (look.asked.name != start.name) continue;
    EXPECT_EQ(look.asked.image, start.image) << "one name for two images";
    EXPECT_EQ(supply::KeyOf(look.asked.demands), supply::KeyOf(start.demands)) << "one name for two demands";
    return look.uid;
  }
  looks_.push_back({start, {"look-" + std::to_string(++uids_)}, {}});
  return looks_.back().uid;
}

void Model::SeeAttestations() {
  const auto& record = world_.release.status.attestation;
  const auto* judged = Judged(world_.release);
  world_.attestation.reset();
  world_.other_attestation.clear();
  const bool under_way = record && UnderWay(*record);
  if (under_way) world_.attestation = {supply::AttestOutcome::State::kFailed, "AttestFailed", "gone"};
  for (const auto& attest : attests_) {
    const bool recorded = under_way && *record->job_uid == attest.uid;
    if (recorded) world_.attestation = attest.outcome;
    const bool runs = attest.outcome.state == supply::AttestOutcome::State::kRunning;
    const bool same = judged != nullptr && SameDigest(judged->image, attest.asked.delivery.image);
    if (!recorded && runs && same) world_.other_attestation = attest.asked.name;
  }
}

kube::Uid Model::PostAttestation(const StartAttestation& start) {
  using State = supply::AttestOutcome::State;
  for (const auto& attest : attests_) {
    if (attest.asked.name != start.name) {
      const bool beside = attest.outcome.state == State::kRunning &&
                          SameDigest(attest.asked.delivery.image, start.delivery.image);
      EXPECT_FALSE(beside) << "two at once would lose one of two attestations";
      continue;
    }
    EXPECT_EQ(attest.asked.delivery.number, start.delivery.number) << "one name for two deliveries";
    EXPECT_EQ(attest.asked.delivery.outcome, start.delivery.outcome) << "one name for two verdicts";
    return attest.uid;
  }
  EXPECT_TRUE(start.delivery.finished) << "attested before it ended";
  attests_.push_back({start, {"attest-" + std::to_string(++uids_)}, {}});
  return attests_.back().uid;
}

// nullopt: a conflict, decided again.
std::optional<kube::Uid> Model::PostJob(const StartMigration& start) {
  for (const auto& job : jobs_) {
    if (job.name == start.name) return job.uid;
  }
  // The shell asks for others that are under way.
  if (std::ranges::any_of(jobs_, [](const Job& job) { return job.running; })) return std::nullopt;
  EXPECT_EQ(Migrated(release_.truth().status, start.image), nullptr) << "migrated twice";
  if (!late_mode_) EXPECT_EQ(Live(), 0) << "a migration beside a promotion";
  jobs_.push_back({start.name, start.image, {"job-" + std::to_string(++uids_)}});
  return jobs_.back().uid;
}

void Model::Carry(Decided decided, bool crash) {
  for (const auto& removal : decided.plan.removals) Delete(removal.uid);
  if (crash && Roll(2) == 0) return;
  if (decided.plan.verification) {
    if (release_.truth().meta.resource_version.value != decided.resource_version) return;
    decided.plan.status.verification->job_uid = PostLook(*decided.plan.verification);
  }
  if (decided.plan.attestation) {
    if (release_.truth().meta.resource_version.value != decided.resource_version) return;
    decided.plan.status.attestation->job_uid = PostAttestation(*decided.plan.attestation);
  }
  if (decided.plan.migration) {
    if (release_.truth().meta.resource_version.value != decided.resource_version) return;
    const auto uid = PostJob(*decided.plan.migration);
    if (!uid) return;
    decided.plan.status.history[0].migration->job_uid = *uid;
  }
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
  ExpectTrue(release.status, decided.plan.status);
  release.status = decided.plan.status;
  WriteRelease(std::move(release));
  ExpectHistoryInOrder();
}

// What was found running does run.
void Model::ExpectTrue(const resources::ReleaseStatus& before, const resources::ReleaseStatus& after) const {
  if (late_mode_ || after.history.empty() || after.history[0].outcome != "AlreadyRunning") return;
  if (!before.history.empty() && before.history[0].number == after.history[0].number) return;
  EXPECT_EQ(after.history[0].image, Image(deployment_.truth())) << "found what does not run";
}

std::optional<kube::Uid> Model::Post(const Start& start) {
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
    const bool same = !history.empty() && history[0].key == start.wanted.key;
    EXPECT_TRUE(!same || MayBeDeliveredAgain(history[0]))
        << "delivery " << history[0].number << " was of the very same, and ended " << history[0].outcome;
    ExpectAllowed(start);
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

// It only migrated so far, or a person insisted: on that digest, since it ended, and for the first time.
bool Model::MayBeDeliveredAgain(const Delivery& last) const {
  if (!last.finished) return !last.promotion_uid;
  const auto& taken_up = release_.truth().status.decisions;
  const auto ended = std::chrono::floor<std::chrono::seconds>(*last.finished);
  return std::ranges::any_of(decisions_, [&](const resources::Decision& decision) {
    const auto& uid = decision.meta.uid;
    return decision.spec.verb == resources::Verb::kRetry && decision.spec.subject == DigestOf(last.image) &&
           decision.meta.created >= ended &&
           std::ranges::find(taken_up, uid, &resources::DecisionRecord::uid) == taken_up.end();
  });
}

void Model::ExpectAllowed(const Start& start) const {
  const Release& release = world_.release;
  const auto& status = release.status;
  const std::string& image = start.wanted.image;
  ExpectVerified(image);
  if (start.wanted.cause == resources::DeliveryCause::kRollback) {
    EXPECT_TRUE(WorksNow(release, status, image)) << "back across a breaking migration";
    return;
  }
  if (release.spec.migration) EXPECT_NE(Migrated(status, image), nullptr) << "before its migration";
  std::set<std::string> people;
  for (const auto& decision : decisions_) {
    if (decision.spec.verb != resources::Verb::kApprove) continue;
    if (decision.spec.subject == DigestOf(image)) people.insert(decision.spec.actor);
  }
  // One that is open passed its gates when it began.
  const bool open = !status.history.empty() && !status.history[0].finished;
  if (!open) EXPECT_GE(static_cast<int>(people.size()), release.spec.gates.approvals) << "unapproved";
}

// Nothing begins for an image that lacks what is demanded, whoever asked for it; but what is delivered
// already passed, and so did one that is open when it began.
void Model::ExpectVerified(const std::string& image) const {
  const auto& status = world_.release.status;
  const bool open = !status.history.empty() && !status.history[0].finished;
  const auto demands = DemandsOf(world_.Sees());
  ASSERT_TRUE(demands);
  if (open || !*demands || SameDigest(status.image, image)) return;
  EXPECT_TRUE(passed_.contains({std::string(DigestOf(image)), supply::KeyOf(**demands)}))
      << "unverified " << image;
}

void Model::Delete(const kube::Uid& uid) {
  Promotions promotions = promotions_.truth();
  for (auto& promotion : promotions) {
    if (promotion.meta.uid == uid && !promotion.meta.deleted) promotion.meta.deleted = world_.now;
  }
  promotions_.Write(std::move(promotions));
}

void Model::WriteRelease(Release release) {
  release.meta.resource_version = {std::to_string(++versions_)};
  release_.Write(std::move(release));
}

void Model::ExpectHistoryInOrder() const {
  const auto& history = release_.truth().status.history;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (i > 0) EXPECT_EQ(history[i].number + 1, history[i - 1].number);
    if (i > 0) EXPECT_TRUE(history[i].finished) << "an open delivery under another one";
    if (!history[i].finished) {
      EXPECT_TRUE(history[i].promotion_uid || history[i].migration) << "a result would count before its UID";
    }
  }
  const auto& look = release_.truth().status.verification;
  if (look) EXPECT_TRUE(look->job_uid) << "a look without its Job";
  const auto& attest = release_.truth().status.attestation;
  if (attest) EXPECT_TRUE(attest->job_uid) << "an attestation without its Job";
  std::set<std::string> taken_up;
  for (const auto& record : release_.truth().status.decisions) {
    EXPECT_TRUE(taken_up.insert(record.uid.value).second) << "taken up twice";
  }
}

}  // namespace slipway::release
