// What a commit says of itself, as `clone` left it in a file for the steps that follow it in the pod.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"

namespace slipway::runner {

// When the commit was written. nullopt: the file is not there, or is none of clone's.
std::optional<TimePoint> AuthorTimeIn(const std::string& facts_path);

// `tag` with each {{timestamp}} replaced by the time, as 20060102T150405Z.
std::string WithTimestamp(std::string tag, TimePoint time);
inline constexpr const char* kTimestampTemplate = "{{timestamp}}";

}  // namespace slipway::runner
