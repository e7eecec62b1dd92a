// The descriptions that more than one object uses. Those of one object alone are in its own source.
#pragma once

#include "resources/canary_promotion.h"
#include "resources/codec.h"
#include "resources/decision.h"
#include "resources/findings.h"
#include "resources/image_build.h"
#include "resources/release.h"
#include "resources/rules.h"
#include "resources/schema.h"

namespace slipway::resources {

std::span<const std::string_view> Names(ConditionStatus);
std::span<const std::string_view> Names(Capacity);
std::span<const std::string_view> Names(Strategy);
std::span<const std::string_view> Names(Severity);

void Describe(Visitor& v, Condition& condition);
void Describe(Visitor& v, NameRef& ref);
void Describe(Visitor& v, CanaryTarget& target);
void Describe(Visitor& v, CanaryStep& step);
void Describe(Visitor& v, SmokeTest& test);
void Describe(Visitor& v, ConfigVersion& version);
void Describe(Visitor& v, Analysis& analysis);
void Describe(Visitor& v, CheckResult& result);
void Describe(Visitor& v, CheckRun& run);
void Describe(Visitor& v, DecisionRecord& record);
void Describe(Visitor& v, ScanException& exception);
void Describe(Visitor& v, Findings& findings);
void Describe(Visitor& v, ScanRecord& record);
void Describe(Visitor& v, Gates& gates);
void Describe(Visitor& v, DeliveryAttest& attest);
void Describe(Visitor& v, AttestationRecord& record);

void Describe(Visitor& v, ImageBuildSpec& spec);
void Describe(Visitor& v, ImageBuildStatus& status);
void Describe(Visitor& v, DecisionSpec& spec);
void Describe(Visitor& v, ReleaseSpec& spec);
void Describe(Visitor& v, ReleaseStatus& status);
void Describe(Visitor& v, CanaryPromotionSpec& spec);
void Describe(Visitor& v, CanaryPromotionStatus& status);

// What every status begins with.
void DescribeConditions(Visitor& v, std::int64_t& observed_generation, Conditions& conditions);

template <class T>
Members MembersOf(T& value) {
  return [&value](Visitor& v) { Describe(v, value); };
}

// The whole of one of our objects.
template <class T>
Result<T> DecodeObject(const kube::Json& object) {
  T out;
  auto meta = kube::DecodeMeta(object);
  if (!meta) return std::unexpected(std::move(meta).error());
  out.meta = *std::move(meta);
  if (auto read = Read(object, {.name = "spec", .required = true}, MembersOf(out.spec)); !read) {
    return std::unexpected(std::move(read).error());
  }
  if (auto read = Read(object, {.name = "status"}, MembersOf(out.status)); !read) {
    return std::unexpected(std::move(read).error());
  }
  return out;
}

// Twelve characters of a commit or a digest: enough to tell one from another in a column.
std::string ShortCommit(std::string_view commit);
std::string ShortDigest(std::string_view image);

inline constexpr std::int64_t kAnyGeneration = std::numeric_limits<std::int64_t>::max();

// Fields that look the same wherever they are.
inline constexpr Field kReason{
    .name = "reason", .doc = "Why, in one CamelCase word that scripts may match on.", .max_length = 128};
inline constexpr Field kMessage{
    .name = "message", .doc = "What happened, where, and what to do next.", .max_length = 2048};
inline constexpr Field kStarted{.name = "started", .doc = "When it began."};
inline constexpr Field kFinished{.name = "finished", .doc = "When it ended."};

inline constexpr Field kSteps{.name = "steps",
                              .doc = "The weights to go through, in order, before all pods change.",
                              .max_items = 20,
                              .default_items = 1};
inline constexpr Field kCapacity{
    .name = "capacity",
    .doc =
        "Split: the number of pods stays, the canary takes its share from stable. Surge: the canary's "
        "pods are added."};
inline constexpr Field kMaxSurge{.name = "maxSurge",
                                 .doc =
                                     "Pods that may be there above the baseline: a number, or percent of it. "
                                     "With Split the canary comes up "
                                     "in batches of so many; with Surge it has no more.",
                                 .min_length = 1,
                                 .max_length = 8,
                                 .rule = &kNumberOrPercent};
inline constexpr Field kAcceptAutoscalerOverlap{
    .name = "acceptAutoscalerOverlap",
    .doc = "With a HorizontalPodAutoscaler on the target: accept that it counts the canary's pods too."};
inline constexpr Field kAnalysis{.name = "analysis", .doc = "What is measured at the end of each step."};
inline constexpr Field kVerification{.name = "verification",
                                     .doc = "Smoke tests of the target once it has rolled out.",
                                     .max_items = 5,
                                     .list_key = "name"};
inline constexpr Field kDecisions{
    .name = "decisions", .doc = "Decisions that were followed or refused, oldest first.", .max_items = 50};
inline constexpr Field kSmokeTests{.name = "smokeTests",
                                   .doc = "What is asked at the end of each step.",
                                   .max_items = 10,
                                   .default_items = 1,
                                   .list_key = "name"};
inline constexpr Field kProgressDeadline{
    .name = "progressDeadline",
    .doc = "The longest that each wait for pods may take before it is aborted.",
    .shortest = std::chrono::seconds(10),
    .longest = std::chrono::hours(24)};

}  // namespace slipway::resources
