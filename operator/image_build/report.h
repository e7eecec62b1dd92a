// Reads the termination messages of a run's containers. The containers are told apart by what they may be
// believed: the one that runs the Dockerfile is never asked.
#pragma once

#include "image_build/outcome.h"

namespace slipway::image_build {

// `text` may be cut short, and what a repository or an image put into it is made printable.
std::optional<GitReport> ParseGitReport(std::string_view text);
// A line {"counts": {"HIGH": 1, …}}, then a JSON string a line for the worst. Without a whole first line:
// nullopt.
std::optional<resources::Findings> ParseFindings(std::string_view text);
// What `crane push --image-refs` writes: "repository@sha256:…", one line.
std::optional<resources::ImageRef> ParsePushed(std::string_view text);

// Of `pod`'s containers that ended.
Reports ReadReports(const resources::Pod& pod);

// The template that Trivy prints its report with, in the form that ParseFindings reads.
std::string_view FindingsTemplate();

}  // namespace slipway::image_build
