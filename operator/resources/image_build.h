// ImageBuild (ib): "this git ref, built into this image repository, through these gates". Built once per spec
// and commit: a run is made for each pair, and a run that ended is not made again until one of them changes.
#pragma once

#include "resources/image_build_spec.h"
#include "resources/image_build_status.h"

namespace slipway::resources {

struct ImageBuild {
  kube::ObjectMeta meta;
  ImageBuildSpec spec;
  ImageBuildStatus status;
  static Result<ImageBuild> Decode(const kube::Json& object);
};

kube::Json EncodeStatus(const ImageBuildStatus& status);
// As the API server takes it, defaults and all.
kube::Json EncodeSpec(const ImageBuildSpec& spec);

}  // namespace slipway::resources
