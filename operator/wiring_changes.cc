// Whose turn it is when something changes.
#include "supply/names.h"
#include "wiring_impl.h"

namespace slipway {

using kube::ObjectKey;
using resources::CanaryPromotion;
using resources::Decision;
using resources::ImageBuild;
using resources::Job;
using resources::Pod;
using resources::Release;
using resources::Service;

void Operator::Impl::BuildChanged(const ImageBuild& build) {
  build_reconciler_.Observe(build);
  builds_.Enqueue(build.meta.key);
  triggers_.Enqueue({build.meta.key.ns, ""});
  // Of a pull request: its parent makes it again, should it go too early.
  const auto* owner = build.meta.Controller();
  const bool child = owner != nullptr && owner->kind == kube::kImageBuilds.kind;
  if (child) builds_.Enqueue({build.meta.key.ns, owner->name});
  for (const auto& release : stores_.releases.All()) {
    const bool follows = release->spec.image_from &&
                         release->spec.image_from->image_build == build.meta.key.name &&
                         release->meta.key.ns == build.meta.key.ns;
    if (follows) releases_.Enqueue(release->meta.key);
  }
}

// What a Release has delivered and verified is what others wait for, in its namespace or another.
void Operator::Impl::ReleaseChanged(const Release& release) {
  releases_.Enqueue(release.meta.key);
  TargetChanged(release.meta.key.ns, release.spec.target.deployment);
  for (const auto& other : stores_.releases.All()) {
    if (!other->spec.image_from || !other->spec.image_from->release) continue;
    const auto& source = *other->spec.image_from->release;
    const std::string& ns = source.ns.empty() ? other->meta.key.ns : source.ns;
    if (release.meta.key == ObjectKey{ns, source.name}) releases_.Enqueue(other->meta.key);
  }
}

// One about a Release may be meant for the promotion that it has under way.
void Operator::Impl::DecisionChanged(const Decision& decision) {
  const auto& target = decision.spec.target;
  const ObjectKey key{decision.meta.key.ns, target.name};
  if (target.kind == kube::kImageBuilds.kind) builds_.Enqueue(key);
  if (target.kind == kube::kCanaryPromotions.kind) promotions_.Enqueue(key);
  if (target.kind != kube::kReleases.kind) return;
  releases_.Enqueue(key);
  for (const auto& promotion : stores_.promotions.OwnedBy(target.uid)) {
    promotions_.Enqueue(promotion->meta.key);
  }
}

void Operator::Impl::JobChanged(const Job& job) {
  if (supply_ != nullptr && job.meta.key.ns == supply_->ns) {
    const auto owner = supply::OwnerOf(job.meta);
    if (owner && owner->kind == kube::kImageBuilds.kind) builds_.Enqueue(owner->key);
    if (owner && owner->kind == kube::kReleases.kind) releases_.Enqueue(owner->key);
    return;
  }
  const auto* owner = job.meta.Controller();
  if (owner == nullptr) return;
  const ObjectKey key{job.meta.key.ns, owner->name};
  if (owner->kind == kube::kImageBuilds.kind) builds_.Enqueue(key);
  if (owner->kind == kube::kCanaryPromotions.kind) promotions_.Enqueue(key);
  if (owner->kind == kube::kReleases.kind) releases_.Enqueue(key);
}

void Operator::Impl::PodChanged(const Pod& pod) {
  const auto* owner = pod.meta.Controller();
  if (owner == nullptr || owner->kind != kube::kJobs.kind) return;
  if (const auto job = stores_.jobs.Get({pod.meta.key.ns, owner->name})) JobChanged(*job);
}

// A Deployment changed: as a target, or as the canary beside one.
void Operator::Impl::TargetChanged(const std::string& ns, const std::string& deployment) {
  for (const auto& promotion : stores_.promotions.All()) {
    if (promotion->meta.key.ns != ns) continue;
    const bool concerned =
        promotion->spec.target.deployment == deployment || promotion->status.canary_deployment == deployment;
    if (concerned) promotions_.Enqueue(promotion->meta.key);
  }
  for (const auto& release : stores_.releases.All()) {
    if (release->meta.key.ns == ns && release->spec.target.deployment == deployment) {
      releases_.Enqueue(release->meta.key);
    }
  }
}

void Operator::Impl::ServiceChanged(const Service& service) {
  for (const auto& promotion : stores_.promotions.All()) {
    const bool concerned = promotion->meta.key.ns == service.meta.key.ns &&
                           promotion->spec.target.service == service.meta.key.name;
    if (concerned) promotions_.Enqueue(promotion->meta.key);
  }
}

void Operator::Impl::PromotionChanged(const CanaryPromotion& promotion) {
  promotions_.Enqueue(promotion.meta.key);
  // Its end frees the target for whoever waits for it, and is what its Release waits for.
  TargetChanged(promotion.meta.key.ns, promotion.spec.target.deployment);
}

}  // namespace slipway
