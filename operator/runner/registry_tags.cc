#include "runner/registry_tags.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runner/registry_reference.h"
#include "runner/text.h"

namespace slipway::runner {

std::optional<std::string> Fault(const TagPlace& place) {
  if (!IsRepository(place.repository)) {
    return fmt::format("'{}' is not the name of a repository: HOST/NAME", place.repository);
  }
  if (place.tags.empty()) return "an image is pushed with at least one tag";
  for (const std::string& tag : place.tags) {
    if (!IsTag(tag)) return fmt::format("'{}' is not a tag", tag);
  }
  return std::nullopt;
}

RegistryFailure TagIsTaken(std::string_view repository, std::string_view tag, std::string_view found,
                           std::string_view digest) {
  return MakeRegistryFailure(
      kTagTaken, "TagTaken",
      fmt::format(
          "the tag {}:{} is {}, and this build is {}: nothing was pushed. Set spec.output.moveTags to "
          "move tags, or put {{{{run}}}} into the tag",
          repository, tag, found, digest));
}

std::string TagReport(const TagPlace& place, std::string_view digest) {
  return nlohmann::json{{"image", ByDigest(place, digest)}, {"tags", place.tags}}.dump();
}

RegistryResult<> CheckTags(const Registry& registry, const TagPlace& place, const std::string& digest) {
  if (place.move_tags) return {};
  for (const std::string& tag : place.tags) {
    const auto found = registry.Digest(fmt::format("{}:{}", place.repository, tag), place.insecure);
    if (!found && found.error().exit_code == kImageNotFound) continue;
    if (!found) return std::unexpected(found.error());
    if (*found != digest) return std::unexpected(TagIsTaken(place.repository, tag, *found, digest));
  }
  return {};
}

std::string ByDigest(const TagPlace& place, std::string_view digest) {
  return fmt::format("{}@{}", place.repository, digest);
}

RegistryResult<> SetTags(const Registry& registry, const TagPlace& place, std::string_view printed,
                         const std::string& digest) {
  const std::string pushed = ByDigest(place, digest);
  printed = Trimmed(printed);
  if (!printed.ends_with("@" + digest)) {
    return std::unexpected(registry.Failed(fmt::format("{} was pushed as '{}', and {} was expected",
                                                       place.repository, OneLine(printed, 300), digest)));
  }
  for (const std::string& tag : place.tags) {
    const auto tagged = registry.Do({"tag", pushed, tag}, fmt::format("{}:{}", place.repository, tag),
                                    place.insecure, kRegistryLookupTime);
    if (!tagged) return std::unexpected(tagged.error());
  }
  return {};
}

}  // namespace slipway::runner
