// What is written: one annotation of one ImageBuild, by a merge patch. And what each finding makes of it:
// pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "kube/request.h"
#include "resources/image_build.h"
#include "trigger/delivery.h"

namespace slipway::trigger {

struct Patch {
  kube::ObjectKey key;
  std::string annotation;
  std::optional<std::string> value;  // none: it is removed
  bool operator==(const Patch&) const = default;
};

kube::Request ToRequest(const Patch& patch);

// What a delivery of a webhook means to one build. `now` becomes the annotation's time. It is written even
// when the build seems to say so already: what was written a moment ago may not have been seen yet.
std::optional<Patch> PatchOf(const resources::ImageBuild& build, const Event& event, TimePoint now);

// What the poller found, when it is not what the build says already. `asked` is when the lookup began: a
// webhook that came since then knows more.
struct FoundCommit {
  std::string commit;
  std::string ref;
  TimePoint asked{};
};
std::optional<Patch> PatchOf(const resources::ImageBuild& build, const FoundCommit& found, TimePoint now);

struct FoundBase {
  std::string image;
  std::string digest;
};
std::optional<Patch> PatchOf(const resources::ImageBuild& build, const FoundBase& found, TimePoint now);

// The base images of the newest run that succeeded; those by digest never move and are left out.
std::vector<resources::BaseImage> BasesToWatch(const resources::ImageBuild& build);

}  // namespace slipway::trigger
