#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/names.h"
#include "image_build/decide.h"
#include "resources/observed.h"

namespace slipway::image_build {

// The JSON of the parts that matter, which is written in one order and leaves out what is absent: a field
// that is added to the spec later changes no key of those who don't use it.
std::string KeyOf(const resources::ImageBuild& build) {
  resources::ImageBuildSpec spec = build.spec;
  spec.trigger = {};
  spec.report.reset();
  spec.require_approval = false;
  spec.history = {};
  spec.suspend = false;
  spec.build.retries = resources::BuildSpec{}.retries;
  const auto rebuild = build.meta.annotations.find(resources::kRebuildAnnotation);
  const bool asked = rebuild != build.meta.annotations.end();
  return ShortHash(fmt::format("{}\n{}", resources::EncodeSpec(spec).dump(), asked ? rebuild->second : ""),
                   16);
}

Duration TimeLeft(const resources::ImageBuild& build, const resources::BuildRun& run) {
  constexpr Duration kLeast = std::chrono::seconds(10);
  const Duration whole = build.spec.build.timeout;
  const auto test = std::ranges::find(run.stages, "test", &resources::StageStatus::name);
  if (test == run.stages.end() || !test->finished || !run.started) return whole;
  return std::max(kLeast, whole - std::max(Duration(0), *test->finished - *run.started));
}

}  // namespace slipway::image_build
