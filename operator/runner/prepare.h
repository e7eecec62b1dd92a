// `slipway-runner prepare`: what stands between the source and Kaniko.
//
// It reads which images the Dockerfile builds upon and asks their registries for the digests, so that a
// missing or forbidden base is told by name and line before the build begins; writes the one Docker config
// that Kaniko gets; and lays out the static entrypoint that Kaniko runs below, with arguments that are known
// only now. Images that COPY --from= and mounts name are looked up as well.
//
// As flags: prepare --source --context-dir --dockerfile [--target] [--build-arg=N=V…] [--base-credentials]
//           [--cache-credentials --cache-repository] --docker-config --tools [--insecure-registry=HOST…]
//           [--ca]
//           [--commit] [--facts] [--label=N=V…] --report.
// Exit codes and failure reports: registry_failure.h. BaseImageNotFound, BaseImageDenied and
// DockerfileInvalid name the Dockerfile's line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "runner/dockerfile.h"

namespace slipway::runner {

struct PrepareOptions {
  std::string source;                     // the commit's files
  std::string context_dir = ".";          // below the source
  std::string dockerfile = "Dockerfile";  // below context_dir
  std::string target;                     // a stage; empty: the last
  Variables build_args;
  std::string base_credentials;   // a folder with config.json; empty: none
  std::string cache_credentials;  // the same
  std::string cache_repository;   // empty: no cache
  std::string docker_config;      // the folder that gets config.json, mode 0400
  std::string tools;              // the folder that gets `entrypoint` and `arguments`
  std::string entrypoint;         // the program; empty: slipway-entrypoint beside this one
  std::vector<std::string> insecure_registries;
  std::string ca_file;
  std::string commit;               // label org.opencontainers.image.revision; empty: none
  std::string facts;                // clone's file: label org.opencontainers.image.created; empty: none
  std::vector<std::string> labels;  // NAME=VALUE
  std::string report_path = "/dev/termination-log";
};

// Reports {"bases":[{"image":"docker.io/library/busybox:1","digest":"sha256:…"}]}, at most 8 of them.
int RunPrepare(const PrepareOptions& options);

struct BaseImage {
  ImageReference image;
  std::string digest;
};

// What Kaniko gets besides its own arguments, each ended by NUL. `base` is the one that the built stage
// stands on. Exposed for tests.
// `written`: when the commit was.
std::string KanikoArguments(const PrepareOptions& options, const std::optional<BaseImage>& base,
                            const std::optional<TimePoint>& written);

}  // namespace slipway::runner
