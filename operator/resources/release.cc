#include "resources/release.h"

#include <nlohmann/json.hpp>

#include "resources/describe.h"

namespace slipway::resources {

namespace {
constexpr std::array<std::string_view, 6> kPhases{"Pending",    "Progressing", "Delivered",
                                                  "RolledBack", "Blocked",     "Suspended"};
constexpr std::int64_t kPercent = 100;
}  // namespace

static std::span<const std::string_view> Names(ReleasePhase) { return kPhases; }
std::string_view ToString(ReleasePhase phase) { return kPhases[static_cast<std::size_t>(phase)]; }

static void Describe(Visitor& v, ImageFrom& s) {
  v.Visit({.name = "imageBuild",
           .doc = "An ImageBuild of this namespace: its last image that passed every gate.",
           .required = true,
           .min_length = 1,
           .max_length = 253,
           .rule = &kObjectName},
          s.image_build);
}

static void Describe(Visitor& v, CanaryStrategy& s) {
  v.Visit(kSteps, s.steps);
  v.Visit(kCapacity, s.capacity);
  v.Visit(kProgressDeadline, s.progress_deadline);
}

void Describe(Visitor& v, ReleaseSpec& s) {
  v.Visit({.name = "image",
           .doc = "The image to deliver, by digest: repository@sha256:...",
           .max_length = 330,
           .rule = &kImage},
          s.image);
  v.Visit({.name = "version",
           .doc = "With image: what the canary must answer at versionPath. Absent: it is not asked.",
           .max_length = 128,
           .rule = &kVersion},
          s.version);
  v.Visit({.name = "imageFrom", .doc = "Where images come from; each new one is delivered."}, s.image_from);
  v.Rule({"has(self.image) != has(self.imageFrom)", "name exactly one of spec.image and spec.imageFrom", ""},
         s.image.empty() == s.image_from.has_value());
  v.Visit({.name = "target", .doc = "What the image is delivered to.", .required = true}, s.target);
  v.Object({.name = "strategy", .doc = "How it is delivered."}, [&s](Visitor& inner) {
    inner.Visit({.name = "canary", .doc = "A few pods first, behind the one Service."}, s.canary);
  });
  v.Visit(kSmokeTests, s.smoke_tests);
  v.Visit({.name = "historyLimit", .doc = "How many deliveries are kept in status.", .min = 1, .max = 50},
          s.history_limit);
  v.Visit(
      {.name = "suspend", .doc = "True: nothing new is delivered. A delivery under way ends as it would."},
      s.suspend);
}

static void DescribeOutcome(Visitor& v, Delivery& s) {
  v.Visit({.name = "outcome",
           .doc = "Promoted, Aborted, Superseded or AlreadyRunning, once it ended.",
           .max_length = 32},
          s.outcome);
  v.Visit(kReason, s.reason);
  v.Visit(kMessage, s.message);
  v.Visit({.name = "key",
           .doc = "Of all that it was made from: a failed one is held until this changes.",
           .max_length = 64},
          s.key);
  v.Visit({.name = "smoke", .doc = "What the last smoke tests measured.", .max_items = 10}, s.smoke);
  v.Visit({.name = "weightWanted", .doc = "Percent, of the last step.", .max = kPercent}, s.weight_wanted);
  v.Visit({.name = "weightGot",
           .doc = "Percent of ready pods that were the canary's, in the last step.",
           .max = kPercent},
          s.weight_got);
  v.Visit(kStarted, s.started);
  v.Visit(kFinished, s.finished);
}

static void Describe(Visitor& v, Delivery& s) {
  v.Visit({.name = "number", .doc = "Counts the deliveries of this object, from 1.", .required = true},
          s.number);
  v.Visit(
      {.name = "generation", .doc = "The metadata.generation that it was made from.", .max = kAnyGeneration},
      s.generation);
  v.Visit({.name = "image", .doc = "The image by digest.", .max_length = 512}, s.image);
  v.Visit({.name = "commit",
           .doc = "The commit that it is made of; or the version, where no build is known.",
           .max_length = 128},
          s.commit);
  v.Visit({.name = "imageBuild", .doc = "The ImageBuild that made it.", .max_length = 253}, s.image_build);
  v.Visit({.name = "buildRun", .doc = "The number of the run that made it."}, s.build_run);
  v.Visit({.name = "built", .doc = "When it was built."}, s.built);
  v.Visit({.name = "promotion", .doc = "The CanaryPromotion that delivers it.", .max_length = 253},
          s.promotion);
  v.Visit(
      {.name = "promotionUID", .doc = "The UID that it was created with: no other counts.", .max_length = 64},
      s.promotion_uid);
  v.Visit({.name = "previousImage", .doc = "What was delivered before.", .max_length = 1024},
          s.previous_image);
  DescribeOutcome(v, s);
}

void Describe(Visitor& v, ReleaseStatus& s) {
  DescribeConditions(v, s.observed_generation, s.conditions);
  v.Visit({.name = "phase", .doc = "Where the newest delivery is."}, s.phase);
  v.Visit({.name = "image", .doc = "What is delivered now, by digest.", .max_length = 512}, s.image);
  v.Visit({.name = "commit", .doc = "The commit of what is delivered now.", .max_length = 128}, s.commit);
  v.Visit({.name = "history",
           .doc = "The record of each delivery, newest first.",
           .max_items = 51,
           .list_key = "number"},
          s.history);
  v.Derived({.name = "shortCommit", .doc = "The commit's first digits, for columns.", .max_length = 64},
            ShortCommit(s.commit));
  v.Derived({.name = "shortDigest", .doc = "The digest's first digits, for columns.", .max_length = 64},
            ShortDigest(s.image));
}

Result<Release> Release::Decode(const kube::Json& object) { return DecodeObject<Release>(object); }

kube::Json EncodeStatus(const ReleaseStatus& status) {
  ReleaseStatus copy = status;
  return Write(MembersOf(copy));
}

std::optional<Violation> Validate(const ReleaseSpec& spec) {
  ReleaseSpec copy = spec;
  return Inspect("spec", MembersOf(copy));
}

}  // namespace slipway::resources
