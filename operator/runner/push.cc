#include "runner/push.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/result.h"
#include "runner/facts.h"
#include "runner/registry_reference.h"
#include "runner/text.h"

namespace slipway::runner {
namespace {

// The place with the commit's time in its tags.
Result<TagPlace> Filled(const PushOptions& options) {
  TagPlace place = options.place;
  const bool timed = std::ranges::any_of(
      place.tags, [](const std::string& tag) { return tag.contains(kTimestampTemplate); });
  if (!timed) return place;
  const auto time = AuthorTimeIn(options.facts);
  if (!time) return Fail(ErrorKind::kInvalid, "a tag has {{timestamp}}, and the commit's time is not known");
  for (std::string& tag : place.tags) tag = WithTimestamp(std::move(tag), *time);
  return place;
}

RegistryResult<std::string> Push(const PushOptions& options) {
  const Registry registry({options.credentials_folder, options.ca_file, "PushFailed"});
  const auto filled = Filled(options);
  if (!filled) return std::unexpected(registry.Failed(filled.error().message));
  const TagPlace& place = *filled;
  if (const auto fault = Fault(place)) return std::unexpected(registry.Failed(*fault));
  const std::string tarball = std::filesystem::absolute(options.image).string();
  const auto printed = registry.Do({"digest", "--tarball=" + tarball}, tarball, false, kRegistryPushTime);
  if (!printed) return printed;
  const std::string digest(Trimmed(*printed));
  if (!IsDigest(digest)) return std::unexpected(registry.Failed("crane gave no digest of " + tarball));
  if (auto free = CheckTags(registry, place, digest); !free) return std::unexpected(free.error());

  const std::string first = fmt::format("{}:{}", place.repository, place.tags.front());
  const auto pushed = registry.Do({"push", tarball, first}, first, place.insecure, kRegistryPushTime);
  if (!pushed) return pushed;
  if (auto tagged = TagOthers(registry, place, *pushed, digest); !tagged) {
    return std::unexpected(tagged.error());
  }
  return TagReport(place, digest);
}

}  // namespace

int RunPush(const PushOptions& options) { return ReportRegistry("push", Push(options), options.report_path); }

}  // namespace slipway::runner
