// What to do about one Release: a pure function of what was seen and the time.
//
// A delivery is one CanaryPromotion, and the entry about it in status.history. Its name follows from the
// Release's UID and the delivery's number alone, so that two decisions made from different specs contend for
// one name, and there are never two promotions of a Release at once. An entry is open until its promotion
// ended; the next delivery begins when history[0] is closed. Nothing is deleted but by a UID that an earlier
// status holds: a decision made from a stale cache can't be written, and so deletes nothing.
#pragma once

#include <memory>
#include <vector>

#include "base/notice.h"
#include "release/wanted.h"

namespace slipway::release {

struct Seen {
  const resources::Release& release;
  const resources::ImageBuild* build = nullptr;       // what spec.imageFrom names
  const resources::Deployment* deployment = nullptr;  // the target
  const resources::NamespacePolicy* policy = nullptr;
  // Those whose controller is this Release. If the one that history[0] holds open is not among them, it is
  // gone: the shell asked the API server, not only its cache.
  std::vector<std::shared_ptr<const resources::CanaryPromotion>> promotions;
  std::string busy_with;  // an older Release on the same target; empty: none
};

struct Start {
  std::string name;
  Wanted wanted;
};

struct Removal {
  std::string promotion;
  kube::Uid uid;
};

struct Plan {
  resources::ReleaseStatus status;
  // To be created; its UID belongs into status.history[0].promotion_uid before the status is written.
  std::optional<Start> start;
  std::vector<Removal> removals;
  std::vector<Notice> notices;
  std::optional<Duration> recheck_after;
};

Plan Decide(const Seen& seen, TimePoint now);

// The Deployment's informer may lag behind the promotion's: that long, its image is not held against a
// delivery.
inline constexpr Duration kCacheLag = std::chrono::seconds(30);

std::string PromotionName(const resources::Release& release, int number);

// The Release that this one waits for: the oldest (then by UID) of those on the same target, itself excepted.
// Empty: none.
std::string BusyWith(const resources::Release& release,
                     const std::vector<std::shared_ptr<const resources::Release>>& all);

}  // namespace slipway::release
