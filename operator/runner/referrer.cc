#include "runner/referrer.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "runner/oci_folder.h"

namespace slipway::runner {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kEmptyType = "application/vnd.oci.empty.v1+json";
constexpr const char* kEmpty = "{}";

std::string BlobPath(std::string_view digest) {
  return fmt::format("blobs/sha256/{}", digest.substr(digest.find(':') + 1));
}

Json Descriptor(std::string_view type, std::string_view digest, std::size_t size) {
  return {{"mediaType", type}, {"digest", digest}, {"size", size}};
}

}  // namespace

RegistryResult<Subject> FindSubject(const Registry& registry, const std::string& repository,
                                    const std::string& digest, bool insecure) {
  const std::string image = fmt::format("{}@{}", repository, digest);
  const auto manifest = registry.Do({"manifest", image}, image, insecure, kRegistryLookupTime);
  if (!manifest) return std::unexpected(manifest.error());
  const Json json = Json::parse(*manifest, nullptr, false);
  if (!json.is_object() || Sha256(*manifest) != digest) {
    return std::unexpected(registry.Failed(fmt::format("the registry gave another manifest for {}", image)));
  }
  return Subject{json.value("mediaType", kManifestType), digest, manifest->size(), *manifest};
}

std::expected<Attachment, std::string> ParseAttachment(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos || equals + 1 == text.size()) {
    return std::unexpected(fmt::format("'{}' is not TYPE=FILE", text));
  }
  return Attachment{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

Referrer ComposeReferrer(const Subject& subject, std::string_view type, std::string_view title,
                         const std::string& content) {
  const std::string empty = Sha256(kEmpty);
  const std::string layer = Sha256(content);
  Json blob = Descriptor(type, layer, content.size());
  blob["annotations"]["org.opencontainers.image.title"] = title;
  Json manifest = {{"schemaVersion", 2}, {"mediaType", kManifestType}, {"artifactType", type}};
  manifest["config"] = Descriptor(kEmptyType, empty, std::string_view(kEmpty).size());
  manifest["layers"] = Json::array({std::move(blob)});
  manifest["subject"] = Descriptor(subject.type, subject.digest, subject.size);
  const std::string bytes = manifest.dump();
  const std::string digest = Sha256(bytes);
  Json index = {{"schemaVersion", 2}, {"mediaType", "application/vnd.oci.image.index.v1+json"}};
  index["manifests"] = Json::array({Descriptor(kManifestType, digest, bytes.size())});
  return {digest,
          {{"oci-layout", R"({"imageLayoutVersion":"1.0.0"})"},
           {"index.json", index.dump()},
           {BlobPath(empty), kEmpty},
           {BlobPath(layer), content},
           {BlobPath(digest), bytes}}};
}

RegistryResult<> Attach(const Registry& registry, const std::string& repository, const Subject& subject,
                        const Attachment& attachment, bool insecure) {
  std::ifstream file(attachment.file, std::ios::binary);
  std::ostringstream content;
  if (file) content << file.rdbuf();
  if (!file) return std::unexpected(registry.Failed(fmt::format("{} can't be read", attachment.file)));
  const std::string title = std::filesystem::path(attachment.file).filename().string();
  const Referrer referrer = ComposeReferrer(subject, attachment.type, title, std::move(content).str());
  const TemporaryFolder folder;
  for (const auto& [path, bytes] : referrer.files) {
    if (!folder.Write(path, bytes)) {
      return std::unexpected(registry.Failed(fmt::format("{} can't be written to a file", title)));
    }
  }
  const std::string place = fmt::format("{}@{}", repository, referrer.digest);
  const auto pushed =
      registry.Do({"push", folder.path().string(), place}, place, insecure, kRegistryPushTime);
  if (!pushed) return std::unexpected(pushed.error());
  return {};
}

}  // namespace slipway::runner
