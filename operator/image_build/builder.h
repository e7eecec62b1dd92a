// What turns a checked-out source into an image's tar: Kaniko now; BuildKit or buildah could stand beside it.
// A builder is one container of the build Job. It finds the source, the merged registry credentials, the
// entrypoint and its further arguments where the containers before it left them, and leaves image.tar.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "image_build/manifests.h"

namespace slipway::image_build {

// Volumes of the build Job.
inline constexpr std::string_view kSourceVolume = "workspace";
inline constexpr std::string_view kImageVolume = "image";           // image.tar
inline constexpr std::string_view kToolsVolume = "tools";           // entrypoint, arguments
inline constexpr std::string_view kDockerVolume = "docker-config";  // config.json

struct BuildInput {
  const resources::ImageBuild& build;
  const resources::BuildRun& run;
  std::string_view platform;  // empty: the node's
  const Setting& setting;
};

class Builder {
 public:
  Builder() = default;
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;
  virtual ~Builder() = default;

  // Named "build". Its exit code and its tar are all that is believed of it.
  virtual kube::Json Container(const BuildInput& input) const = 0;
};

const Builder& Kaniko();

}  // namespace slipway::image_build
