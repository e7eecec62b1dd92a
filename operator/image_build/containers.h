// The containers of builds, and what they are made of. Private to this folder.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "image_build/manifests.h"
#include "image_build/names.h"

namespace slipway::image_build {

inline constexpr int kUser = 65532;
inline constexpr std::string_view kReportPath = "/dev/termination-log";
inline constexpr std::string_view kWorkspace = "/workspace";

// One element of an argument vector, "--name=value". Kubernetes replaces $(NAME) in arguments; "$$" is a
// plain dollar.
std::string Option(std::string_view name, std::string_view value);
std::string Literal(std::string_view text);

kube::Json Mount(std::string_view volume, std::string_view path, bool read_only);
kube::Json Variable(std::string_view name, std::string_view value);
kube::Json Requests(std::string_view cpu, std::string_view memory);
// As the API server completes it: a limit without a request is a request too.
kube::Json Bounds(const resources::ResourceList& asked);
// Pod Security `restricted`.
kube::Json Restricted();

// `below` is a path of the spec: "." and "./a/" are nothing and "a".
std::string Below(const std::string& folder, std::string_view below);

// slipway-runner with these arguments, under `restricted`, with /tmp to write to and the bundle of
// authorities if the spec names one.
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
kube::Json ScanContainer(const resources::ImageBuild& build, const Setting& setting);
kube::Json PushContainer(const resources::ImageBuild& build, const resources::BuildRun& run,
                         std::string_view platform, const Setting& setting);
kube::Json IndexContainer(const resources::ImageBuild& build, const resources::BuildRun& run,
                          const Setting& setting);
kube::Json ReportContainer(const resources::ImageBuild& build, const resources::BuildRun& run,
                           const std::string& state, const Setting& setting);

}  // namespace slipway::image_build
