// Reads the events about a Job or a Pod: they tell what leaves no exit code and no condition.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "kube/object.h"

namespace slipway::image_build {

// The reasons for which no pod is made, and for which a pod starts no container.
inline constexpr std::array<std::string_view, 1> kJobTroubles{"FailedCreate"};
inline constexpr std::array<std::string_view, 4> kPodTroubles{"FailedMount", "FailedCreatePodSandBox",
                                                              "FailedScheduling", "Failed"};

// The note of the Event of one of `reasons` that was seen last; empty when there is none. The kubelet's
// summary of all volumes comes only where no volume has a word of its own.
std::string NewestNote(const kube::Json& list, std::span<const std::string_view> reasons);

}  // namespace slipway::image_build
