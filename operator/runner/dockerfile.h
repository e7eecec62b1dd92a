// The images that a Dockerfile builds upon: those of FROM, of COPY --from= and of RUN --mount=from=. Pure.
//
// Of everything else in the file nothing is judged: the build does that. What is refused here is what leaves
// no image to look up: a FROM that can't be read, or that is no image's name when its variables have their
// values. A variable without a value stands for nothing, as it does in the build. Variables in COPY --from=
// and in mounts are not expanded by any builder; such an image is left out.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runner/dockerfile_lines.h"
#include "runner/dockerfile_words.h"
#include "runner/registry_reference.h"

namespace slipway::runner {

struct DockerfileImage {
  ImageReference image;  // whole
  std::size_t line = 0;  // where it is named first
  bool operator==(const DockerfileImage&) const = default;
};

struct DockerfileBases {
  std::vector<DockerfileImage> images;  // each once, in the order of the file
  // The one that the built stage stands on, through earlier stages; none when that is scratch.
  std::optional<std::size_t> base;
};

// `build_args` go before the defaults of ARG. `target` is a stage's name or number: then only what that stage
// needs counts; empty: the last stage, and all stages count, for all are built.
std::expected<DockerfileBases, DockerfileError> ReadBases(std::string_view text, const Variables& build_args,
                                                          std::string_view target);

}  // namespace slipway::runner
