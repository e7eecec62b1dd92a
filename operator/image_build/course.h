// Which Jobs a run needs, one after the other: resolve, the legs of its tests, the platforms of its build,
// the index of these, the attestations of what was pushed. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "image_build/decide.h"

namespace slipway::image_build {

struct Course {
  std::vector<StartJob> starts;  // the Jobs that are to be made now
  bool done = false;             // there are none, and none will be needed
};
Course CourseOf(const resources::ImageBuild& build, const resources::BuildRun& run);

// nullptr: none. `leg` "*": whichever.
const resources::RunJob* FindJob(const resources::BuildRun& run, resources::JobRole role,
                                 std::string_view leg = "*");

// What was pushed, by digest: an index, with platforms. Empty: nothing yet.
std::string PushedImage(const resources::ImageBuildSpec& spec, const resources::BuildRun& run);

// Whether a Job is under way that the run waits for: those that tell the forge are none.
bool AnyRunning(const resources::BuildRun& run);

// Whether what failed ends the run at once, and not only when the other legs of its tests have ended.
bool EndsAtOnce(const resources::ImageBuildSpec& spec, const resources::BuildRun& run);

// What a Decision says of the run's commit, if one does: a rejection goes before an approval.
const resources::Decision* RulingOn(const Seen& seen, const resources::BuildRun& run, TimePoint now);

}  // namespace slipway::image_build
