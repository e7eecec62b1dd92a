// What the containers of our own Jobs are made of. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "kube/object.h"

namespace slipway::runtime {

// Of all our pods: no user of the image's, and not root.
inline constexpr int kUser = 65532;
// Where a container leaves its last words, which end up in its pod's status.
inline constexpr std::string_view kReportPath = "/dev/termination-log";

// Kubernetes replaces $(NAME) in arguments and in values of variables; "$$" is a plain dollar.
std::string Literal(std::string_view text);
// One element of an argument vector: "--name=value", literally.
std::string Option(std::string_view name, std::string_view value);

kube::Json Mount(std::string_view volume, std::string_view path, bool read_only);
kube::Json Variable(std::string_view name, std::string_view value);
kube::Json Requests(std::string_view cpu, std::string_view memory);
// A container's, by Pod Security `restricted`; and it can't write to its image.
kube::Json Restricted();
// A pod's, by the same.
kube::Json RestrictedPod();

}  // namespace slipway::runtime
