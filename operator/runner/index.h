// `slipway-runner index`: one image out of those of several platforms, which are in the repository already.
//
// `crane index append` tells the index's digest only after it has set the tag. So the index is written here,
// from the manifests and configs that the registry gives, into a folder of OCI's layout; its digest is known
// before anything is sent, every tag is held against it, and `crane push` sends just the index, because it
// finds its manifests in place. The same manifests in the same order always give the same digest.
//
// As flags: index --repository --manifest=REPOSITORY@sha256:…… --tag… [--move-tags] [--insecure]
//           [--credentials] [--ca] --report.
// Exit codes and failure reports: registry_failure.h; TagTaken when a tag names another digest.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "runner/registry_tags.h"

namespace slipway::runner {

struct IndexOptions {
  std::vector<std::string> manifests;  // repository@sha256:… each, of the repository below
  TagPlace place;
  std::string credentials_folder;  // holds config.json; empty: none
  std::string ca_file;
  std::string report_path = "/dev/termination-log";
};

// Reports {"image":"repo@sha256:…","tags":[…]}.
int RunIndex(const IndexOptions& options);

// One platform's image, as the registry gave it.
struct IndexPart {
  std::string digest;
  std::string manifest;  // the bytes
  std::string config;
};

// The index's bytes. The error is one sentence: a part that is no image, or two of one platform.
std::expected<std::string, std::string> ComposeIndex(const std::vector<IndexPart>& parts);

}  // namespace slipway::runner
