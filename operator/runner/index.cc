#include "runner/index.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "runner/oci_folder.h"
#include "runner/registry_reference.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
// Keeps the order in which names are put in.
using Json = nlohmann::ordered_json;
using Failure = std::unexpected<std::string>;

std::string Text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::expected<Json, std::string> Platform(const IndexPart& part) {
  const Json config = Json::parse(part.config, nullptr, false);
  if (!config.is_object()) return Failure(fmt::format("the config of {} can't be read", part.digest));
  Json platform = {{"architecture", Text(config, "architecture")}, {"os", Text(config, "os")}};
  if (Text(platform, "architecture").empty() || Text(platform, "os").empty()) {
    return Failure(fmt::format("the image {} doesn't say its platform", part.digest));
  }
  if (const std::string variant = Text(config, "variant"); !variant.empty()) platform["variant"] = variant;
  return platform;
}

RegistryResult<std::vector<IndexPart>> Read(const Registry& registry, const IndexOptions& options) {
  std::vector<IndexPart> parts;
  for (const std::string& image : options.manifests) {
    const std::string digest = image.substr(std::min(image.find('@') + 1, image.size()));
    if (image != options.place.repository + "@" + digest || !IsDigest(digest)) {
      return std::unexpected(registry.Failed(fmt::format(
          "'{}' is not an image by digest of the repository {}", image, options.place.repository)));
    }
    auto manifest = registry.Do({"manifest", image}, image, options.place.insecure, kRegistryLookupTime);
    if (!manifest) return std::unexpected(manifest.error());
    auto config = registry.Do({"config", image}, image, options.place.insecure, kRegistryLookupTime);
    if (!config) return std::unexpected(config.error());
    parts.push_back({digest, *std::move(manifest), *std::move(config)});
  }
  return parts;
}

bool WriteLayout(const TemporaryFolder& folder, const std::vector<IndexPart>& parts, std::string_view index) {
  bool written =
      folder.Write("oci-layout", R"({"imageLayoutVersion":"1.0.0"})") && folder.Write("index.json", index);
  for (const IndexPart& part : parts) {
    const std::string digits = part.digest.substr(part.digest.find(':') + 1);
    written = written && folder.Write(fs::path("blobs") / "sha256" / digits, part.manifest);
  }
  return written;
}

RegistryResult<std::string> Index(const IndexOptions& options) {
  const Registry registry({options.credentials_folder, options.ca_file, "PushFailed"});
  const TagPlace& place = options.place;
  if (const auto fault = Fault(place)) return std::unexpected(registry.Failed(*fault));
  if (options.manifests.empty()) return std::unexpected(registry.Failed("there is no image to index"));
  const auto parts = Read(registry, options);
  if (!parts) return std::unexpected(parts.error());
  const auto index = ComposeIndex(*parts);
  if (!index) return std::unexpected(registry.Failed(index.error()));
  const std::string digest = Sha256(*index);
  if (auto free = CheckTags(registry, place, digest); !free) return std::unexpected(free.error());

  const TemporaryFolder folder;
  if (!WriteLayout(folder, *parts, *index)) {
    return std::unexpected(registry.Failed("the index can't be written to a file"));
  }
  const std::string there = ByDigest(place, digest);
  const auto pushed = registry.Do({"push", "--index", folder.path().string(), there}, there, place.insecure,
                                  kRegistryPushTime);
  if (!pushed) return pushed;
  if (auto tagged = SetTags(registry, place, *pushed, digest); !tagged) {
    return std::unexpected(tagged.error());
  }
  return TagReport(place, digest);
}

}  // namespace

int RunIndex(const IndexOptions& options) {
  return ReportRegistry("index", Index(options), options.report_path);
}

std::expected<std::string, std::string> ComposeIndex(const std::vector<IndexPart>& parts) {
  Json manifests = Json::array();
  std::set<std::string> platforms;
  for (const IndexPart& part : parts) {
    if (Sha256(part.manifest) != part.digest) {
      return Failure(fmt::format("the registry gave another manifest for {}", part.digest));
    }
    const Json manifest = Json::parse(part.manifest, nullptr, false);
    if (!manifest.is_object() || !manifest.contains("config")) {
      return Failure(fmt::format("{} is not an image of one platform", part.digest));
    }
    auto platform = Platform(part);
    if (!platform) return Failure(platform.error());
    if (!platforms.insert(platform->dump()).second) {
      return Failure(fmt::format("two images are of the platform {}/{}", Text(*platform, "os"),
                                 Text(*platform, "architecture")));
    }
    // OCI lets an image leave its own type out.
    std::string type = Text(manifest, "mediaType");
    if (type.empty()) type = "application/vnd.oci.image.manifest.v1+json";
    manifests.push_back({{"mediaType", type},
                         {"size", part.manifest.size()},
                         {"digest", part.digest},
                         {"platform", *std::move(platform)}});
  }
  return Json{{"schemaVersion", 2},
              {"mediaType", "application/vnd.oci.image.index.v1+json"},
              {"manifests", std::move(manifests)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace slipway::runner
