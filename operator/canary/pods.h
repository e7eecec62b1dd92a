// Which pods a check asks straight at their addresses: by what their containers' imageID says that they run,
// never by what they answer. Pure.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resources/workloads.h"

namespace slipway::canary {

using PodPtr = std::shared_ptr<const resources::Pod>;
inline constexpr std::size_t kMostPods = 10;  // of each kind that one check asks

// Whether the container runs the image, by digest. kUnknown: its runtime names no digest (yet).
enum class Runs : std::uint8_t { kThis, kAnother, kUnknown };
Runs RunsImage(const resources::Pod& pod, const std::string& container, std::string_view image);

// Of `pods` the ready ones, but for those for which RunsImage says `not_these` (nullopt: all); at most
// kMostPods, by name.
struct PodChoice {
  std::string container;
  std::string image;
  std::optional<Runs> not_these = Runs::kAnother;
};
std::vector<PodPtr> Choose(std::vector<PodPtr> pods, const PodChoice& choice);

}  // namespace slipway::canary
