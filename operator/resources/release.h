// Release (rel): "this digest, delivered to this workload". It names an image, or follows an ImageBuild; each
// new digest is delivered once, by a CanaryPromotion that it makes and owns. A digest that failed is held: it
// is not tried again until the image or the spec changes.
#pragma once

#include "resources/canary_promotion.h"

namespace slipway::resources {

struct ImageFrom {
  std::string image_build;
  bool operator==(const ImageFrom&) const = default;
};

struct CanaryStrategy {
  std::vector<CanaryStep> steps;
  Capacity capacity = Capacity::kSplit;
  Duration progress_deadline = std::chrono::minutes(10);
  bool operator==(const CanaryStrategy&) const = default;
};

struct ReleaseSpec {
  std::string image;    // exactly one of image and image_from
  std::string version;  // with `image`: what /version must answer; empty: not asked
  std::optional<ImageFrom> image_from;
  CanaryTarget target;
  CanaryStrategy canary;
  std::vector<SmokeTest> smoke_tests;
  int history_limit = 10;
  bool suspend = false;
  bool operator==(const ReleaseSpec&) const = default;
};

enum class ReleasePhase : std::uint8_t {
  kPending,
  kProgressing,
  kDelivered,
  kRolledBack,
  kBlocked,
  kSuspended
};

// One delivery: the causal record. Later gates add their fields here.
struct Delivery {
  int number = 0;
  std::int64_t generation = 0;
  std::string image;
  std::string commit;  // or the version, where no build is known
  std::string image_build;
  int build_run = 0;
  std::optional<TimePoint> built;
  std::string promotion;  // the CanaryPromotion's name
  std::optional<kube::Uid> promotion_uid;
  std::string previous_image;
  std::string outcome;  // "", Promoted, Aborted, Superseded, AlreadyRunning
  std::string reason;   // of an outcome that is not a delivery: the promotion's, CamelCase
  std::string message;
  std::string key;  // hash of all that it was made from: a held digest is tried again when it changes
  std::vector<SmokeResult> smoke;
  int weight_wanted = 0;
  int weight_got = 0;
  std::optional<TimePoint> started;
  std::optional<TimePoint> finished;
  bool operator==(const Delivery&) const = default;
};

struct ReleaseStatus {
  std::int64_t observed_generation = -1;
  Conditions conditions;
  ReleasePhase phase = ReleasePhase::kPending;
  std::string image;  // what is delivered now
  std::string commit;
  std::vector<Delivery> history;  // newest first
  bool operator==(const ReleaseStatus&) const = default;
};

struct Release {
  kube::ObjectMeta meta;
  ReleaseSpec spec;
  ReleaseStatus status;
  static Result<Release> Decode(const kube::Json& object);
};

kube::Json EncodeStatus(const ReleaseStatus& status);

std::string_view ToString(ReleasePhase phase);

}  // namespace slipway::resources
