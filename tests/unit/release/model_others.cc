// The other controllers and people.
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/release/model.h"

namespace slipway::release {

// One promotion at a time has the target. Image 'b' never passes.
void Model::CanaryWorks() {
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

// The migration of image 'c' fails, now and then; one in ten Jobs is lost.
void Model::JobWorks() {
  for (auto& job : jobs_) {
    if (!job.running) continue;
    if (Roll(10) == 0) {
      std::erase_if(jobs_, [&](const Job& other) { return other.uid == job.uid; });
      return;
    }
    job.running = false;
    job.succeeded = job.image != Image('c') || Roll(2) == 0;
    return;
  }
}

// Image 'd' has no signature at first, and whoever made it signs it in the end; one in ten Jobs is lost, and
// one finds no registry.
void Model::LookWorks() {
  using State = supply::VerifyOutcome::State;
  for (auto& look : looks_) {
    if (look.outcome.state != State::kRunning) continue;
    const bool is_d = look.asked.image == Image('d');
    const int roll = settles_ ? 9 : Roll(10);
    if (roll == 0) {
      looks_.erase(looks_.begin() + (&look - looks_.data()));
      return;
    }
    look.outcome.state = State::kPassed;
    if (roll == 1) look.outcome = {State::kFailed, {}, {}, "no registry"};
    if (roll < 6 && is_d) look.outcome = {State::kRefused, "SignatureMissing", {"Signature"}, "no signature"};
    if (look.outcome.state != State::kPassed) return;
    passed_.emplace(DigestOf(look.asked.image), supply::KeyOf(look.asked.demands));
    return;
  }
}

// One in four is lost, or finds no registry.
void Model::AttestWorks() {
  using State = supply::AttestOutcome::State;
  for (auto& attest : attests_) {
    if (attest.outcome.state != State::kRunning) continue;
    const int roll = settles_ ? 9 : Roll(8);
    if (roll == 0) {
      attests_.erase(attests_.begin() + (&attest - attests_.data()));
      return;
    }
    attest.outcome = {State::kAttested, {}, {}};
    if (roll == 1) attest.outcome = {State::kFailed, "RegistryUnavailable", "no registry"};
    return;
  }
}

void Model::Advance(CanaryPromotion& promotion) {
  auto& phase = promotion.status.phase;
  const bool bad = promotion.spec.image == Image('b');
  const bool late = promotion.spec.strategy == resources::Strategy::kRolling;  // found bad when it is there
  switch (phase) {
    case CanaryPhase::kPending:
      phase = CanaryPhase::kHolding;
      break;
    case CanaryPhase::kHolding:
      phase = CanaryPhase::kTesting;
      break;
    case CanaryPhase::kTesting:
      phase = bad && !late ? CanaryPhase::kAborting : CanaryPhase::kPromoting;
      break;
    case CanaryPhase::kPromoting:
      promotion.status.baseline.emplace().image = Image(deployment_.truth());
      promotion.status.baseline->config_maps["web-config"] = config_ref_;
      deployment_.Write(promotion.spec.image.back());
      if (!promotion.spec.config_maps.empty()) config_ref_ = promotion.spec.config_maps[0].copy;
      phase = CanaryPhase::kVerifying;
      break;
    default:
      Finish(promotion, bad, phase == CanaryPhase::kVerifying);
  }
}

void Model::Finish(CanaryPromotion& promotion, bool bad, bool image_set) {
  const bool stays = image_set && promotion.spec.on_failure == resources::OnFailure::kStay;
  const bool back = bad && image_set && !stays;
  if (back) {
    deployment_.Write(promotion.status.baseline->image.back());
    config_ref_ = promotion.status.baseline->config_maps.at("web-config");
  }
  const auto aborted = back ? Completion::kRolledBack : Completion::kAborted;
  End(promotion, bad ? aborted : Completion::kPromoted);
  promotion.status.image_set = image_set;
  promotion.status.finished = world_.now;
}

void Model::Decides() {
  using resources::Verb;
  constexpr Verb kVerbs[] = {Verb::kApprove,  Verb::kApprove, Verb::kRetry, Verb::kRollback,
                             Verb::kRollback, Verb::kAbort,   Verb::kPause};
  const Verb verb = kVerbs[Roll(7)];
  const char subject = static_cast<char>('a' + Roll(4));
  auto decision = world_.Decided(verb, subject, Roll(2) == 0 ? "ann" : "bob");
  decisions_.push_back(decision);
}

// Which gates and migrations there are.
void Model::Change(Release& release, int which, int value) {
  if (which == 0) release.spec.gates.approvals = value;
  if (which == 1) release.spec.migration.reset();
  if (which == 2) {
    release.spec.migration.emplace();
    const bool breaking = value == 2 && release.spec.rolling;
    release.spec.migration->compatibility =
        breaking ? resources::Compatibility::kBreaking : resources::Compatibility::kBackward;
  }
  if (which == 5) {
    release.spec.gates.signature.reset();
    if (value > 0) release.spec.gates.signature.emplace().signer = value == 1 ? "release" : "cloud";
  }
  if (which == 3) release.spec.rollback.on_failure = value != 0;
  if (which == 4 && release.spec.rolling) {
    release.spec.rolling.reset();
    if (release.spec.migration) {
      release.spec.migration->compatibility = resources::Compatibility::kBackward;
    }
  } else if (which == 4) {
    release.spec.rolling.emplace();
  }
}

// The earlier environment verified another image, or has none now.
void Model::EnvironmentGoesOn(Release& release) {
  const char image = static_cast<char>('a' + Roll(4));
  world_.Follow(image, std::chrono::hours(1));
  if (Roll(4) == 0) world_.source->status.verified.reset();
  release.spec.image.clear();
  release.spec.image_from = resources::ImageFrom{"", resources::ReleaseRef{"web", "staging"}};
}

void Model::UserActs() {
  Release release = release_.truth();
  switch (Roll(14)) {
    case 8:
    case 9:
      return Decides();
    case 10:
    case 11:
      Change(release, Roll(6), Roll(3));
      break;
    case 12:
      EnvironmentGoesOn(release);
      break;
    case 13:
      world_.config_maps[0].copy = "web-config-slipway-0000000" + std::to_string(Roll(3));
      release.spec.config_maps = {"web-config"};
      break;
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
      release.spec.image_from.reset();
      release.spec.image = Image(static_cast<char>('a' + Roll(4)));
  }
  ++release.meta.generation;
  WriteRelease(std::move(release));
}

void Model::DeleteByHand() {
  if (promotions_.truth().empty()) return;
  Delete(promotions_.truth()[static_cast<std::size_t>(Roll(static_cast<int>(promotions_.truth().size())))]
             .meta.uid);
}

// A changed template supersedes what is under way.
void Model::SetImageByHand() {
  deployment_.Write(static_cast<char>('a' + Roll(4)));
  Promotions promotions = promotions_.truth();
  for (auto& promotion : promotions) {
    if (promotion.status.completion == Completion::kNone) End(promotion, Completion::kSuperseded);
  }
  promotions_.Write(std::move(promotions));
}

}  // namespace slipway::release
