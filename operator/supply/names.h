// The names of what signs and verifies, and where its containers find things. A Job of the platform's
// namespace can't have an owner in a tenant's: it says by labels whose it is, and counts by the UID that its
// owner recorded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kube/object.h"
#include "resources/supply_chain.h"

namespace slipway::supply {

// The ImageBuild or Release that a Job is for.
struct Owner {
  std::string kind;  // kube::kImageBuilds.kind
  kube::ObjectKey key;
  kube::Uid uid;
  bool operator==(const Owner&) const = default;
};

// Beside kOwnerKindLabel, kOwnerNameLabel and kRoleLabel (resources/common.h).
inline constexpr std::string_view kOwnerNamespaceLabel = "slipway.dev/namespace";
inline constexpr std::string_view kOwnerUidLabel = "slipway.dev/uid";
// The owner's name in full, which a label may not hold.
inline constexpr std::string_view kOwnerNameAnnotation = "slipway.dev/name";

// Of an attest Job: hash of what it attests, of which image and as whose word. How it does that, the tools
// and the registry's credentials, is not in it.
inline constexpr std::string_view kAskedAnnotation = "slipway.dev/asked";
// Of a Job that attests: the image's, of which no two may be attested at once.
inline constexpr std::string_view kDigestAnnotation = "slipway.dev/digest";

inline constexpr std::string_view kAttestRole = "attest";
inline constexpr std::string_view kVerifyRole = "verify";
inline constexpr std::string_view kScanRole = "scan";

// `identity` is what makes the Job distinct among those of its owner.
std::string JobName(const Owner& owner, std::string_view role, std::string_view identity);
kube::Json Labels(const Owner& owner, std::string_view role);
// nullopt: the labels and annotations are of no such Job.
std::optional<Owner> OwnerOf(const kube::ObjectMeta& job);

// What a container or a file of a predicate is called: "provenance", "spdx", "smoke-tests", …
std::string_view ShortName(resources::Predicate predicate);

// Volumes, and where they are in a container.
inline constexpr std::string_view kInputVolume = "input";  // the pod's own annotations, as files
inline constexpr std::string_view kInputFolder = "/input";
inline constexpr std::string_view kDockerVolume = "docker-config";
inline constexpr std::string_view kDockerFolder = "/docker-config";
inline constexpr std::string_view kCaVolume = "registry-ca";  // whom certificates are trusted by
inline constexpr std::string_view kCaFolder = "/ca";

}  // namespace slipway::supply
