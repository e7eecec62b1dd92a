#include "image_build/events.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/time.h"

namespace slipway::image_build {
namespace {

using kube::Json;

std::string Text(const Json& object, std::string_view name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// An Event that repeats is one object whose count and time go up; which field holds that time depends on who
// wrote it.
TimePoint LastSeen(const Json& event) {
  TimePoint last{};
  const auto take = [&last](const Json& object, std::string_view name) {
    if (const auto time = ParseTime(Text(object, name))) last = std::max(last, *time);
  };
  take(event, "eventTime");
  take(event, "deprecatedFirstTimestamp");
  take(event, "deprecatedLastTimestamp");
  if (const auto at = event.find("series"); at != event.end() && at->is_object()) {
    take(*at, "lastObservedTime");
  }
  if (const auto at = event.find("metadata"); at != event.end() && at->is_object()) {
    take(*at, "creationTimestamp");
  }
  return last;
}

bool Summary(std::string_view note) { return note.starts_with("Unable to attach or mount volumes"); }

}  // namespace

std::string NewestNote(const Json& list, std::span<const std::string_view> reasons) {
  std::string newest;
  std::tuple<bool, TimePoint> best;
  const auto items = list.find("items");
  if (items == list.end() || !items->is_array()) return newest;
  for (const auto& item : *items) {
    if (!item.is_object() || std::ranges::find(reasons, Text(item, "reason")) == reasons.end()) continue;
    std::string note = Text(item, "note");
    const std::tuple rank{!Summary(note), LastSeen(item)};
    if (note.empty() || (!newest.empty() && rank < best)) continue;
    best = rank;
    newest = std::move(note);
  }
  return newest;
}

}  // namespace slipway::image_build
