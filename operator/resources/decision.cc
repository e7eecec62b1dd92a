#include "resources/decision.h"

#include <nlohmann/json.hpp>

#include "resources/describe.h"

namespace slipway::resources {

namespace {
constexpr std::array<std::string_view, 8> kVerbs{"Approve", "Reject",   "Promote", "Abort",
                                                 "Retry",   "Rollback", "Pause",   "Resume"};
}  // namespace

static std::span<const std::string_view> Names(Verb) { return kVerbs; }
std::string_view ToString(Verb verb) { return kVerbs[static_cast<std::size_t>(verb)]; }

static void Describe(Visitor& v, DecisionTarget& s) {
  v.Visit({.name = "kind",
           .doc = "ImageBuild, Release or CanaryPromotion.",
           .required = true,
           .min_length = 1,
           .max_length = 63,
           .rule = &kTargetKind},
          s.kind);
  v.Visit({.name = "name",
           .doc = "Its name, in this namespace.",
           .required = true,
           .min_length = 1,
           .max_length = 253,
           .rule = &kObjectName},
          s.name);
  v.Visit({.name = "uid",
           .doc = "Its UID: an object of the same name that is made later is another.",
           .required = true,
           .min_length = 1,
           .max_length = 64,
           .rule = &kUid},
          s.uid);
}

void Describe(Visitor& v, DecisionSpec& s) {
  v.Visit({.name = "verb", .doc = "What is decided."}, s.verb);
  v.Visit({.name = "target", .doc = "What it is about.", .required = true}, s.target);
  v.Visit({.name = "subject",
           .doc = "The one commit (40 digits) or digest (sha256:...) that it is about.",
           .required = true,
           .min_length = 40,
           .max_length = 71,
           .rule = &kSubject},
          s.subject);
  v.Visit({.name = "actor",
           .doc = "Who decides: the user name of whoever makes this object, as the API server knows it "
                  "(kubectl auth whoami). Admission refuses any other.",
           .required = true,
           .min_length = 1,
           .max_length = 512,
           .rule = &kPlainText},
          s.actor);
  v.Visit({.name = "reason", .doc = "Why, in words.", .max_length = 1024, .rule = &kPlainText}, s.reason);
  v.Visit({.name = "expires", .doc = "When it stops to count. Absent: never."}, s.expires);
}

void Describe(Visitor& v, DecisionRecord& s) {
  v.Visit({.name = "name", .doc = "Of the Decision.", .max_length = 253}, s.name);
  v.Visit({.name = "uid", .doc = "Its metadata.uid.", .max_length = 64}, s.uid);
  v.Visit({.name = "verb", .doc = "What was decided."}, s.verb);
  v.Visit({.name = "actor", .doc = "Who decided.", .max_length = 512}, s.actor);
  v.Visit({.name = "reason", .doc = "Why, in words.", .max_length = 1024}, s.reason);
  v.Visit({.name = "time", .doc = "When it was made."}, s.time);
  v.Visit({.name = "refused", .doc = "Why it was not followed. Absent: it was.", .max_length = 512},
          s.refused);
}

DecisionRecord RecordOf(const Decision& decision) {
  const auto& spec = decision.spec;
  return {decision.meta.key.name,
          decision.meta.uid,
          spec.verb,
          spec.actor,
          spec.reason,
          decision.meta.created,
          {}};
}

Result<Decision> Decision::Decode(const kube::Json& object) {
  Decision out;
  auto meta = kube::DecodeMeta(object);
  if (!meta) return std::unexpected(std::move(meta).error());
  out.meta = *std::move(meta);
  auto read = Read(object, {.name = "spec", .required = true}, MembersOf(out.spec));
  if (!read) return std::unexpected(std::move(read).error());
  return out;
}

bool Applies(const Decision& decision, const kube::ApiResource& resource, const kube::ObjectMeta& target,
             std::string_view subject, TimePoint now) {
  const auto& spec = decision.spec;
  return decision.meta.key.ns == target.key.ns && spec.target.kind == resource.kind &&
         spec.target.name == target.key.name && spec.target.uid == target.uid && spec.subject == subject &&
         (!spec.expires || now < *spec.expires);
}

}  // namespace slipway::resources
