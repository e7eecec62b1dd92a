#include "resources/image_build.h"

#include <nlohmann/json.hpp>

#include "resources/describe.h"

namespace slipway::resources {

Result<ImageBuild> ImageBuild::Decode(const kube::Json& object) { return DecodeObject<ImageBuild>(object); }

}  // namespace slipway::resources
