// Why a pod starts no container, by the words of the events about it: what is missing is told at once, and
// what may pass is waited for. Pure; the events were read before (events.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "resources/image_build.h"
#include "resources/workloads.h"

namespace slipway::image_build {

// A pod that is to stay, none of whose containers ever started, and that is old enough to ask why.
bool Stalled(const resources::Pod& pod, TimePoint now);

// SecretNotFound or SecretKeyMissing, when that is what keeps `pod` from starting; nullopt for any other
// note, and when there is none.
std::optional<resources::Failure> SecretFailure(const resources::ImageBuild& build,
                                                const resources::BuildRun& run, const resources::Pod& pod,
                                                const std::string& note);

// What `pod` waits for before its next container runs, in words for people; empty while one is running and
// when all have ended.
std::string Waiting(const resources::Pod& pod, const std::string& note);

}  // namespace slipway::image_build
