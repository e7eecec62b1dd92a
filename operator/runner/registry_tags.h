// Tags that are not to be moved: what `push` and `index` share.
//
// All tags are looked up before anything is written, and one that names another digest refuses the whole.
// Between the look and the write somebody else may set a tag: registries know no conditional write, so this
// guards against mistakes and not against a race.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runner/registry.h"

namespace slipway::runner {

struct TagPlace {
  std::string repository;
  std::vector<std::string> tags;  // at least one
  bool move_tags = false;
  bool insecure = false;
};

// Pure: whether the repository and the tags are such that crane can't take them for anything else. A sentence
// says what is wrong.
std::optional<std::string> Fault(const TagPlace& place);

// Pure: the refusal of a tag that names `found` when `digest` would be pushed.
RegistryFailure TagIsTaken(std::string_view repository, std::string_view tag, std::string_view found,
                           std::string_view digest);

// The report of success: {"image":"repo@sha256:…","tags":[…]}.
std::string TagReport(const TagPlace& place, std::string_view digest);

RegistryResult<> CheckTags(const Registry& registry, const TagPlace& place, const std::string& digest);

// The place of what is pushed before any tag names it.
std::string ByDigest(const TagPlace& place, std::string_view digest);

// Sets every tag on what the repository has under `digest`. `printed` is what crane said of its push
// ("repo@sha256:…"): none is set when it is another than was checked.
RegistryResult<> SetTags(const Registry& registry, const TagPlace& place, std::string_view printed,
                         const std::string& digest);

}  // namespace slipway::runner
