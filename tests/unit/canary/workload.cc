#include "unit/canary/workload.h"

#include <algorithm>

#include "unit/canary/world.h"

namespace slipway::canary {

namespace {
constexpr int kSurge = 2;  // the Deployments' maxSurge
}

// splitmix64 (Steele, Lea and Flood, 2014).
std::uint64_t Dice::Next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

Workload::Workload(const std::string& name, int replicas, const std::string& image, int max_unavailable,
                   bool there)
    : object_(World::Deployed(name, replicas, image)), max_unavailable_(max_unavailable) {
  object_.max_unavailable = std::to_string(max_unavailable);
  Hash();
  groups_.push_back({image, object_.template_hash, there ? replicas : 0, 0});
  Report();
}

int Workload::ready() const {
  int count = 0;
  for (const auto& group : groups_) count += group.ready;
  return count;
}

int Workload::All() const {
  int count = 0;
  for (const auto& group : groups_) count += group.ready + group.waiting;
  return count;
}

void Workload::Set(int replicas, const std::string& image, std::vector<std::string> configs) {
  if (object_.replicas == replicas && this->image() == image && object_.config_refs == configs) return;
  ++version_;
  ++object_.meta.generation;
  object_.replicas = replicas;
  object_.containers[0].image = image;
  object_.config_refs = std::move(configs);
  Hash();
  Tidy();
}

void Workload::Hash() {
  object_.template_hash = image().substr(image().size() - 1);
  for (const auto& config : object_.config_refs) object_.template_hash += "," + config;
}

void Workload::Configure(std::vector<std::string> configs) {
  object_.config_refs = std::move(configs);
  Hash();
  groups_.front().hash = object_.template_hash;
  Report();
}

void Workload::Claim(const std::string& uid) {
  ++version_;
  object_.meta.annotations.clear();
  if (!uid.empty()) object_.meta.annotations.emplace(resources::kClaimAnnotation, uid);
}

Workload::Group& Workload::Newest() {
  for (auto& group : groups_) {
    if (group.hash == object_.template_hash) return group;
  }
  groups_.push_back({image(), object_.template_hash});
  return groups_.back();
}

void Workload::Tick(Dice& dice) {
  switch (dice.Below(6)) {
    case 0:
      Create();
      break;
    case 1:
    case 2:
      Start(dice);
      break;
    case 3:
      RemoveOld();
      break;
    case 4:
      RemoveSpare();
      break;
    default:
      Report();
  }
  Tidy();
}

void Workload::Create() {
  auto& newest = Newest();
  const bool room = All() < object_.replicas + kSurge;
  if (room && newest.ready + newest.waiting < object_.replicas) ++newest.waiting;
}

void Workload::Start(Dice& dice) {
  auto& group = groups_[static_cast<std::size_t>(dice.Below(static_cast<int>(groups_.size())))];
  if (group.waiting == 0 || group.image == unfit_) return;
  --group.waiting;
  ++group.ready;
}

// Old pods that don't serve go first; others as maxUnavailable lets them.
void Workload::RemoveOld() {
  for (auto& group : groups_) {
    if (group.hash == object_.template_hash) continue;
    if (group.waiting > 0) {
      --group.waiting;
      return;
    }
    if (group.ready > 0 && ready() > object_.replicas - max_unavailable_) {
      --group.ready;
      return;
    }
  }
}

void Workload::RemoveSpare() {
  auto& newest = Newest();
  if (newest.ready + newest.waiting <= object_.replicas) return;
  if (newest.waiting > 0) {
    --newest.waiting;
  } else if (ready() > object_.replicas) {
    --newest.ready;
  }
}

void Workload::Lose(Dice& dice, bool gone) {
  auto& group = groups_[static_cast<std::size_t>(dice.Below(static_cast<int>(groups_.size())))];
  if (group.ready == 0) return;
  --group.ready;
  ++lost_;
  if (!gone) ++group.waiting;
}

void Workload::Tidy() { lost_ = std::min(lost_, std::max(0, object_.replicas - ready())); }

void Workload::Report() {
  ++version_;
  const auto& newest = Newest();
  object_.observed_generation = object_.meta.generation;
  object_.status_replicas = All();
  object_.updated_replicas = newest.ready + newest.waiting;
  object_.ready_replicas = object_.available_replicas = ready();
  std::erase_if(groups_, [&](const Group& group) {
    return group.hash != object_.template_hash && group.ready + group.waiting == 0;
  });
}

}  // namespace slipway::canary
