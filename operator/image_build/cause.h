// Why another run would be made, if any would. Pure.
#pragma once

#include <optional>
#include <string>

#include "image_build/decide.h"

namespace slipway::image_build {

struct Cause {
  std::string reason;  // NewSpec, NewCommit, BaseImageMoved, Rebuild, Retry
  std::string text;    // the same for people
  std::string commit;  // empty: to be resolved
  std::string ref;
  int attempt = 1;
};

// Where the revision is now, as the poller or a webhook saw it since `run` was made (nullptr: ever), of this
// URL and revision. A person who writes the annotation by hand is believed too: they may set the revision
// itself.
std::optional<resources::ObservedCommit> Observed(const resources::ImageBuild& build,
                                                  const resources::BuildRun* run);

// Whether the run was made for something else than what the spec asks for now.
bool Outdated(const resources::ImageBuild& build, const resources::BuildRun& run);

// A newer commit than the one that `run` is of. nullopt: none is known.
std::optional<resources::ObservedCommit> Overtaken(const resources::ImageBuild& build,
                                                   const resources::BuildRun& run);

// nullopt: nothing is to be done. The newest run, if there is one, has ended.
std::optional<Cause> NextCause(const resources::ImageBuild& build);

// When the newest run's failure may be tried again; nullopt when it is not one that may pass, or was tried
// often enough.
std::optional<TimePoint> RetryAt(const resources::ImageBuild& build);

}  // namespace slipway::image_build
