#include "runner/push.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/result.h"
#include "runner/facts.h"
#include "runner/image_tar.h"
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

std::unexpected<RegistryFailure> Refused(const TarFault& fault) {
  return std::unexpected(MakeRegistryFailure(kImageRefused, fault.reason, fault.message));
}

// The digest that a push of it would have. It is one image, and each layer is what its config says: the same
// that was scanned.
RegistryResult<std::string> Judge(const Registry& registry, const std::string& tarball) {
  if (const auto fault = FaultOfTar(tarball)) return Refused(*fault);
  const auto valid = registry.Do({"validate", "--tarball=" + tarball}, tarball, false, kRegistryPushTime);
  if (!valid && valid.error().exit_code == kRegistryFailed)
    return Refused(InconsistentTar(valid.error().message));
  if (!valid) return valid;
  auto printed = registry.Do({"digest", "--tarball=" + tarball}, tarball, false, kRegistryPushTime);
  if (!printed) return printed;
  std::string digest(Trimmed(*printed));
  if (!IsDigest(digest)) return std::unexpected(registry.Failed("crane gave no digest of " + tarball));
  return digest;
}

// What is said of the image, by digest: no tag names it before.
RegistryResult<> AttachAll(const Registry& registry, const PushOptions& options, const std::string& digest) {
  const auto& [repository, tags, move, insecure] = options.place;
  const auto subject = FindSubject(registry, repository, digest, insecure);
  if (!subject) return std::unexpected(subject.error());
  if (const auto fault = ForeignLayers(subject->manifest)) return Refused(*fault);
  for (const auto& attachment : options.attachments) {
    auto attached = Attach(registry, repository, *subject, attachment, insecure);
    if (!attached) return attached;
  }
  return {};
}

RegistryResult<std::string> Push(const PushOptions& options) {
  const Registry registry({options.credentials_folder, options.ca_file, "PushFailed"});
  const auto filled = Filled(options);
  if (!filled) return std::unexpected(registry.Failed(filled.error().message));
  const TagPlace& place = *filled;
  if (const auto fault = Fault(place)) return std::unexpected(registry.Failed(*fault));
  const std::string tarball = std::filesystem::absolute(options.image).string();
  const auto digest = Judge(registry, tarball);
  if (!digest) return digest;
  if (auto free = CheckTags(registry, place, *digest); !free) return std::unexpected(free.error());

  const std::string there = ByDigest(place, *digest);
  const auto pushed = registry.Do({"push", tarball, there}, there, place.insecure, kRegistryPushTime);
  if (!pushed) return pushed;
  if (auto attached = AttachAll(registry, options, *digest); !attached) {
    return std::unexpected(attached.error());
  }
  if (auto tagged = SetTags(registry, place, *pushed, *digest); !tagged) {
    return std::unexpected(tagged.error());
  }
  return TagReport(place, *digest);
}

}  // namespace

int RunPush(const PushOptions& options) { return ReportRegistry("push", Push(options), options.report_path); }

}  // namespace slipway::runner
