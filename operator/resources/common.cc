#include "resources/common.h"

#include <algorithm>

#include "resources/describe.h"

namespace slipway::resources {

namespace {
constexpr std::array<std::string_view, 3> kStatuses{"True", "False", "Unknown"};

void Remove(Conditions& conditions, std::string_view type) {
  std::erase_if(conditions, [type](const Condition& condition) { return condition.type == type; });
}
}  // namespace

std::span<const std::string_view> Names(ConditionStatus) { return kStatuses; }

const Condition* Find(const Conditions& conditions, std::string_view type) {
  const auto found = std::ranges::find(conditions, type, &Condition::type);
  return found == conditions.end() ? nullptr : &*found;
}

void Set(Conditions& conditions, Condition condition, TimePoint now) {
  // Cut by bytes, then by what is left whole: a code point is never halved.
  constexpr std::size_t kMessageBytes = 1024;
  if (condition.message.size() > kMessageBytes) {
    std::size_t end = kMessageBytes - std::string_view("…").size();
    while (end > 0 && (static_cast<unsigned char>(condition.message[end]) & 0xc0) == 0x80) --end;
    condition.message = condition.message.substr(0, end) + "…";
  }
  const auto found = std::ranges::find(conditions, condition.type, &Condition::type);
  const bool same = found != conditions.end() && found->status == condition.status;
  condition.last_transition = same ? found->last_transition : now;
  if (found == conditions.end()) {
    conditions.push_back(std::move(condition));
  } else {
    *found = std::move(condition);
  }
}

void SetReadiness(Conditions& conditions, Readiness state, std::string reason, std::string message,
                  std::int64_t generation, TimePoint now) {
  const auto set = [&](std::string_view type, ConditionStatus status) {
    Set(conditions, {std::string(type), status, reason, message, {}, generation}, now);
  };
  switch (state) {
    case Readiness::kReady:
      set("Ready", ConditionStatus::kTrue);
      break;
    case Readiness::kFailed:
    case Readiness::kWaiting:
      set("Ready", ConditionStatus::kFalse);
      break;
    case Readiness::kProgressing:
    case Readiness::kSuspended:
      set("Ready", ConditionStatus::kUnknown);
      break;
  }
  if (state == Readiness::kProgressing || state == Readiness::kWaiting) {
    set("Reconciling", ConditionStatus::kTrue);
  } else {
    Remove(conditions, "Reconciling");
  }
  if (state == Readiness::kFailed) {
    set("Stalled", ConditionStatus::kTrue);
  } else {
    Remove(conditions, "Stalled");
  }
}

Result<ImageRef> ParseImageRef(std::string_view text) {
  constexpr std::size_t kLongest = 512;
  if (text.size() > kLongest) return Fail(ErrorKind::kInvalid, "an image's name is at most 512 characters");
  const std::size_t at = text.find('@');
  const std::string_view repository = text.substr(0, at);
  if (at == std::string_view::npos) {
    const bool tagged = repository.find(':', repository.find('/')) != std::string_view::npos;
    return Fail(ErrorKind::kInvalid, std::string(tagged ? "it names a tag: " : "it has no digest: ") +
                                         std::string(kImage.message));
  }
  if (!Keeps(kRepository, repository)) {
    return Fail(ErrorKind::kInvalid, "its repository " + std::string(kRepository.message));
  }
  if (!Keeps(kImage, text)) return Fail(ErrorKind::kInvalid, std::string(kImage.message));
  return ImageRef{std::string(repository), std::string(text.substr(at + 1))};
}

std::string ShortCommit(std::string_view commit) { return std::string(commit.substr(0, 12)); }

std::string ShortDigest(std::string_view image) {
  constexpr std::string_view kMark = "@sha256:";
  const std::size_t at = image.find(kMark);
  return at == std::string_view::npos ? "" : std::string(image.substr(at + kMark.size(), 12));
}

void Describe(Visitor& v, Condition& s) {
  v.Visit({.name = "type", .doc = "Ready, Reconciling or Stalled.", .required = true, .max_length = 316},
          s.type);
  v.Visit({.name = "status", .doc = "True, False or Unknown.", .required = true}, s.status);
  Field reason = kReason;
  reason.required = true;
  v.Visit(reason, s.reason);
  Field message = kMessage;
  message.required = true;
  v.Visit(message, s.message);
  v.Visit({.name = "lastTransitionTime", .doc = "When the status last changed.", .required = true},
          s.last_transition);
  v.Visit({.name = "observedGeneration",
           .doc = "The metadata.generation that this was said of.",
           .max = kAnyGeneration},
          s.observed_generation);
}

void Describe(Visitor& v, NameRef& s) {
  v.Visit({.name = "name",
           .doc = "The name of an object in the same namespace.",
           .required = true,
           .min_length = 1,
           .max_length = 253,
           .rule = &kObjectName},
          s.name);
}

void DescribeConditions(Visitor& v, std::int64_t& observed_generation, Conditions& conditions) {
  v.Visit({.name = "observedGeneration",
           .doc = "The metadata.generation that this status speaks of; -1 before it was first seen.",
           .min = -1,
           .max = kAnyGeneration},
          observed_generation);
  v.Visit({.name = "conditions",
           .doc = "Ready, and Reconciling or Stalled while they are true, as kstatus reads them.",
           .max_items = 16,
           .list_key = "type"},
          conditions);
}

}  // namespace slipway::resources
