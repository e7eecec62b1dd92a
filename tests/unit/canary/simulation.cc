#include "unit/canary/simulation.h"

#include <fmt/format.h>

#include <algorithm>

#include "canary/arithmetic.h"
#include "canary/names.h"

namespace slipway::canary {

using resources::CanaryPhase;
using resources::Capacity;
using resources::Verb;
using resources::Verdict;

namespace {

constexpr int kLongest = 60'000;  // things that happen in one schedule
constexpr int kDisturbed = 500;   // in so many of them somebody interferes
constexpr std::string_view kRival = "rival-uid";
const std::vector<std::string> kConfigs{"settings"};

struct Shape {
  int fewest;  // replicas that it can be done with in Split
  std::vector<resources::CanaryStep> steps;
};
const std::vector<Shape>& Shapes() {
  using std::chrono::seconds;
  static const std::vector<Shape> shapes{
      {2, {{.weight = 50, .hold = seconds(5), .smoke_tests = {}, .analysis = true}}},
      {2, {{.weight = 1, .hold = {}, .smoke_tests = {"two"}, .analysis = false}}},
      {5,
       {{.weight = 10, .hold = seconds(5), .smoke_tests = {}, .analysis = false},
        {.weight = 50},
        {.weight = 30}}},
      {5,
       {{.weight = 25, .hold = {}, .smoke_tests = {"one"}, .analysis = true},
        {.weight = 75, .hold = seconds(20)}}},
  };
  return shapes;
}

}  // namespace

Simulation::Simulation(const Scenario& scenario, std::uint64_t seed)
    : scenario_(scenario), seed_(seed), dice_(seed * 0x2545f4914f6cdd1dULL + 1) {
  static const World world;
  stored_.promotion = world.promotion;
  stored_.promotion.meta.created = now_;
  service_ = *world.service;
  Shape();
  promised_ = scenario.serves ? replicas_ : 0;
  if (scenario.strategy == resources::Strategy::kRolling) promised_ -= std::min(promised_, max_unavailable_);
  event_at_ = 1 + dice_.Below(kDisturbed);
  Respec();
}

void Simulation::Shape() {
  const auto& shapes = Shapes();
  const auto& shape = shapes[static_cast<std::size_t>(dice_.Below(static_cast<int>(shapes.size())))];
  replicas_ = scenario_.replicas >= 0 ? scenario_.replicas : shape.fewest + dice_.Below(9);
  max_unavailable_ = dice_.Below(2);
  auto& spec = Spec();
  spec.steps = shape.steps;
  spec.strategy = scenario_.strategy;
  spec.capacity = scenario_.capacity;
  spec.max_surge = scenario_.max_surge;
  spec.on_failure = scenario_.on_failure;
  spec.smoke_tests = {{.name = "one"}, {.name = "two"}};
  spec.analysis.on_inconclusive = scenario_.on_inconclusive;
  if (dice_.OneIn(2)) spec.analysis.compare.emplace();
  if (dice_.OneIn(2)) spec.analysis.prometheus = {{.name = "errors"}};
  if (scenario_.verification) spec.verification = {{.name = "after"}};
  if (scenario_.configs) spec.config_maps = {{"settings", "settings-slipway-01234567"}};
  if (scenario_.same_image) spec.image = Image('a');
  const bool hangs = !scenario_.canary_starts || !scenario_.stable_rolls;
  spec.progress_deadline = hangs ? std::chrono::minutes(8) : std::chrono::hours(10);
  bad_check_ = scenario_.any_step ? dice_.Below(static_cast<int>(spec.steps.size())) : scenario_.bad_check;
  stable_.emplace("web", replicas_, Image('a'), max_unavailable_, scenario_.serves);
  if (scenario_.configs) stable_->Configure(kConfigs);
  if (!scenario_.serves) stable_->Spoil(Image('a'));
  if (scenario_.scaled && scenario_.capacity == Capacity::kSurge) {
    spec.accept_autoscaler_overlap = true;
    autoscaler_.emplace();
    autoscaler_->meta.key = {"team", "web"};
  }
  if (scenario_.rival && dice_.OneIn(2)) {
    busy_with_ = "web-1";
    stable_->Claim(std::string(kRival));
  }
}

void Simulation::Respec() { spec_hash_ = SpecHash(Spec()); }

bool Simulation::Over() const {
  return Ended(Status().phase) && stored_.promotion.meta.finalizers.empty() &&
         Status().spec_hash == spec_hash_;
}

void Simulation::Run() {
  for (tick_ = 0; tick_ < kLongest && !gone_ && violation_.empty(); ++tick_) {
    if (Over() && (interfered_ || tick_ > event_at_)) break;
    now_ += std::chrono::milliseconds(dice_.Below(2000));
    ++events_;
    Interfere();
    if (gone_) break;
    if (dice_.OneIn(3)) {
      Reconcile();
    } else {
      Nature();
    }
    CheckPromise();
    CheckRoom();
  }
  if (violation_.empty()) CheckEnd();
}

// ---- what others do ----

// At a random moment; with every third seed, as soon as stable's image is set.
void Simulation::Interfere() {
  if (seed_ % 3 == 0 && !interfered_ && Status().image_set) event_at_ = tick_;
  if (tick_ >= event_at_ && !interfered_) {
    interfered_ = true;
    InterfereOnce();
  }
  if (tick_ < kDisturbed) Disturb();
  Compete();
  if (Status().paused && dice_.OneIn(20)) {
    const bool asked = !decisions_made_.empty() && decisions_made_.back()->spec.verb == Verb::kResume &&
                       decisions_made_.back()->meta.created >= Status().paused->since;
    if (!asked) AddDecision(Verb::kResume);
  }
}

void Simulation::InterfereOnce() {
  if (scenario_.deleted) {
    auto& meta = stored_.promotion.meta;
    meta.deleted = now_;
    ++stored_.version;
    gone_ = meta.finalizers.empty();
  }
  if (scenario_.spec_changes) {
    Spec().image = Image('c');
    Spec().steps = {{.weight = 20}};
    ++stored_.promotion.meta.generation;
    ++stored_.version;
    Respec();
  }
  if (scenario_.capacity_changes) {
    const bool splits = Spec().capacity == Capacity::kSplit;
    Spec().capacity = splits ? Capacity::kSurge : Capacity::kSplit;
    ++stored_.promotion.meta.generation;
    ++stored_.version;
    Respec();
  }
  if (scenario_.template_changes) {
    foreign_image_ = true;
    promised_ -= std::min(promised_, max_unavailable_);
    stable_->Set(stable_->object().replicas, Image('d'), stable_->object().config_refs);
  }
  if (scenario_.claim_lost && ClaimIsOurs()) stable_->Claim("");
  if (scenario_.node_lost) LoseNode();
  if (scenario_.decided) AddDecision(*scenario_.decided);
}

void Simulation::Disturb() {
  // Never all of them: a promotion that begins when nothing serves is another story.
  if (scenario_.pods_go && stable_->ready() > (replicas_ + 1) / 2 && dice_.OneIn(15))
    stable_->Lose(dice_, true);
  if (scenario_.canary_crashes && canary_ && dice_.OneIn(15)) canary_->Lose(dice_, false);
  if (scenario_.scaled && dice_.OneIn(40)) {
    const int replicas = std::max(1, (replicas_ / 2) + dice_.Below(replicas_ * 2));
    stable_->Scale(replicas);
    promised_ = std::min(promised_, replicas);
  }
  if (scenario_.decided && dice_.OneIn(100) && decisions_made_.size() < 20) {
    AddDecision(Verb::kAbort);  // of another image: never followed
    auto other = std::make_shared<resources::Decision>(*decisions_made_.back());
    other->spec.subject = "sha256:" + std::string(64, 'e');
    decisions_made_.back() = std::move(other);
  }
}

void Simulation::LoseNode() {
  for (int i = 0; i < replicas_ / 2; ++i) {
    stable_->Lose(dice_, true);
    if (canary_) canary_->Lose(dice_, true);
  }
}

// Another promotion of the same target: it claims where nobody has, and lets go.
void Simulation::Compete() {
  if (!scenario_.rival || !dice_.OneIn(30)) return;
  const auto& claims = stable_->object().meta.annotations;
  if (!busy_with_.empty()) {
    busy_with_.clear();
    stable_->Claim("");
  } else if (claims.empty() && tick_ < kDisturbed && !canary_ && stable_->image() == Image('a')) {
    busy_with_ = "web-1";
    stable_->Claim(std::string(kRival));
  }
}

void Simulation::AddDecision(Verb verb) {
  auto decision = std::make_shared<resources::Decision>();
  const std::string name = fmt::format("decision-{}", decisions_made_.size());
  const auto& promotion = stored_.promotion;
  decision->meta.key = {"team", name};
  decision->meta.uid = {name};
  decision->meta.created = now_;
  decision->spec.verb = verb;
  decision->spec.target = {"CanaryPromotion", promotion.meta.key.name, promotion.meta.uid};
  decision->spec.subject = promotion.spec.image.substr(promotion.spec.image.find('@') + 1);
  decision->spec.actor = "alice";
  decisions_made_.push_back(std::move(decision));
}

void Simulation::Nature() {
  if (!scenario_.canary_starts && canary_) canary_->Spoil(Image('b'));
  if (!scenario_.stable_rolls) stable_->Spoil(Image('b'));
  for (int i = dice_.Below(3); i >= 0; --i) {
    stable_->Tick(dice_);
    if (canary_) canary_->Tick(dice_);
  }
  for (auto& [name, job] : jobs_) {
    if (dice_.OneIn(4)) job.ended = true;
  }
}

// ---- what we do ----

// What was seen of the promotion may be old; its Deployments are read live, but are not what they were when
// the effects arrive. The operator may die after any effect.
void Simulation::Reconcile() {
  const bool old = scenario_.stale && !older_.empty() && dice_.OneIn(6);
  const Stored& view =
      old ? older_[static_cast<std::size_t>(dice_.Below(static_cast<int>(older_.size())))] : stored_;
  Seen sight = Look(view);
  if (scenario_.stale && dice_.OneIn(8)) sight.cannot_ask = "no pod of the new image is seen as ready yet";
  Plan plan = Decide(sight, now_);
  ++decisions_;
  Versions seen{view.version, stable_->version(), canary_ ? canary_->version() : 0,
                canary_ && canary_->object().available_replicas == 0};
  if (seen.promotion != stored_.version && !plan.effects.empty()) return;
  if (seen.promotion == stored_.version) CheckPlan(view, plan);
  for (const auto& effect : plan.effects) {
    if (scenario_.dies && dice_.OneIn(10)) return;
    if (dice_.OneIn(5)) Nature();
    if (scenario_.conflicts && dice_.OneIn(2)) Meddle();
    if (!Carry(effect, plan.status, seen)) return;
    CheckPromise();
    CheckRoom();
  }
  if (gone_ || (scenario_.dies && dice_.OneIn(10))) return;
  WriteStatus(std::move(plan.status), seen);
}

void Simulation::Meddle() {
  stable_->Touch();
  if (canary_) canary_->Touch();
  if (dice_.OneIn(2)) ++stored_.version;
}

void Simulation::WriteStatus(resources::CanaryPromotionStatus status, const Versions& seen) {
  if (seen.promotion != stored_.version || status == stored_.promotion.status) return;
  if (scenario_.stale) {
    constexpr std::size_t kKept = 3;
    if (older_.size() >= kKept) older_.erase(older_.begin());
    older_.push_back(stored_);
  }
  stored_.promotion.status = std::move(status);
  ++stored_.version;
}

Seen Simulation::Look(const Stored& view) const {
  const auto& status = view.promotion.status;
  Seen seen{.promotion = view.promotion};
  seen.stable = &stable_->object();
  seen.service = &service_;
  const bool under_way = status.baseline && !Ended(status.phase);
  if (canary_ && under_way) seen.canary = &canary_->object();
  seen.autoscaler = autoscaler_;
  seen.decisions = decisions_made_;
  const bool rivalled = !status.baseline || stable_->object().meta.annotations.empty() || !ClaimIsOurs();
  if (rivalled) seen.busy_with = busy_with_;
  LookAtCheck(seen);
  return seen;
}

void Simulation::LookAtCheck(Seen& seen) const {
  const auto& status = seen.promotion.status;
  const bool after = status.phase == CanaryPhase::kVerifying;
  if (!after && status.steps.empty()) return;
  const auto& run = after ? status.verification : status.steps.back().checks;
  const auto job = run.job_uid ? jobs_.find(run.job_uid->value) : jobs_.end();
  if (job == jobs_.end()) return;
  seen.check = CheckOutcome{.running = !job->second.ended};
  if (!job->second.ended) return;
  seen.check->result.verdict = job->second.verdict;
  seen.check->result.reason = "RequestsFailed";
}

bool Simulate(const Scenario& scenario, std::uint64_t seed, Tally& tally) {
  Simulation simulation(scenario, seed);
  simulation.Run();
  ++tally.schedules;
  tally.decisions += simulation.decisions();
  tally.events += simulation.events();
  if (simulation.violation().empty()) return true;
  if (tally.violations++ == 0) tally.first = simulation.violation();
  return false;
}

}  // namespace slipway::canary
