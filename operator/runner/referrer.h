// What is said of an image, beside it in its repository: an OCI 1.1 artifact manifest whose `subject` is the
// image (https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md). `crane push` sends it; a
// registry without the referrers API gets the tag sha256-<hex> that the distribution spec has for that, from
// crane too.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>

#include "runner/registry.h"

namespace slipway::runner {

struct Attachment {
  std::string type;  // of the artifact and of its one layer: application/sarif+json
  std::string file;
};

// "TYPE=FILE".
std::expected<Attachment, std::string> ParseAttachment(std::string_view text);

struct Subject {
  std::string type;  // of the image's manifest
  std::string digest;
  std::size_t size = 0;
  std::string manifest;  // its bytes
};

// What `repository` has under `digest`, held against it.
RegistryResult<Subject> FindSubject(const Registry& registry, const std::string& repository,
                                    const std::string& digest, bool insecure);

// A folder of OCI's layout, by path.
struct Referrer {
  std::string digest;  // of its manifest
  std::map<std::string, std::string> files;
};

// Pure. The same content of the same image always gives the same digest: to attach it again changes nothing.
Referrer ComposeReferrer(const Subject& subject, std::string_view type, std::string_view title,
                         const std::string& content);

// Attaches the file to the subject, which `repository` has.
RegistryResult<> Attach(const Registry& registry, const std::string& repository, const Subject& subject,
                        const Attachment& attachment, bool insecure);

}  // namespace slipway::runner
