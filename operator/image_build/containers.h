// The containers of builds, and what they are made of. Private to this folder.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "image_build/manifests.h"
#include "image_build/names.h"
#include "runtime/containers.h"

namespace slipway::image_build {

using runtime::kReportPath;
using runtime::kUser;
using runtime::Literal;
using runtime::Mount;
using runtime::Option;
using runtime::Requests;
using runtime::Restricted;
using runtime::Variable;

inline constexpr std::string_view kWorkspace = "/workspace";

// As the API server completes it: a limit without a request is a request too.
kube::Json Bounds(const resources::ResourceList& asked);

// `below` is a path of the spec: "." and "./a/" are nothing and "a".
std::string Below(const std::string& folder, std::string_view below);

// slipway-runner with these arguments, under `restricted`, with /tmp to write to. It speaks to nobody.
kube::Json LocalRunnerContainer(std::string_view name, const Setting& setting, kube::Json args);
// The same, with the bundle of authorities if the spec names one: its step must know the flag `--ca`.
kube::Json RunnerContainer(const resources::ImageBuild& build, std::string_view name, const Setting& setting,
                           kube::Json args);
// Mounts the Secret's volume, and says so by `--flag=path`.
void GiveCredentials(kube::Json& container, std::string_view volume, std::string_view flag,
                     std::string_view path);

// `--build-arg` for each of the spec's, for GIT_COMMIT and, with a platform, for those that BuildKit
// predefines.
void AddBuildArguments(const resources::ImageBuild& build, const resources::BuildRun& run,
                       std::string_view platform, kube::Json& args);

// `dockerfile` empty: not looked for.
kube::Json SourceContainer(const resources::ImageBuild& build, const resources::BuildRun& run,
                           const Setting& setting, std::string_view dockerfile);
kube::Json ResolveContainer(const resources::ImageBuild& build, const Setting& setting);
kube::Json PrepareContainer(const resources::ImageBuild& build, const resources::BuildRun& run,
                            std::string_view platform, const Setting& setting);
kube::Json TestContainer(const resources::ImageBuild& build, const resources::BuildRun& run, const Leg& leg);

// ---- scan_containers.cc: the stage `scan` ----

inline constexpr std::string_view kScanVolume = "scan";  // Trivy's report and its database's metadata
// Trivy looks, and judges nothing; its report in SARIF; the gate.
std::vector<kube::Json> ScanContainers(const resources::ImageBuild& build, const Setting& setting);
// What Trivy said, for `push` to attach to the image.
void AddEvidence(kube::Json& push);
std::string VexVolume(std::size_t index);

kube::Json PushContainer(const resources::ImageBuild& build, const resources::BuildRun& run,
                         std::string_view platform, const Setting& setting);
kube::Json IndexContainer(const resources::ImageBuild& build, const resources::BuildRun& run,
                          const Setting& setting);
kube::Json ReportContainer(const resources::ImageBuild& build, const resources::BuildRun& run,
                           const std::string& state, const Setting& setting);

}  // namespace slipway::image_build
