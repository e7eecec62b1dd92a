#include "runner/docker_config.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runner/registry_reference.h"

namespace slipway::runner {
namespace {

using Json = nlohmann::json;
using Failure = std::unexpected<std::string>;

constexpr std::string_view kHub = "docker.io";
constexpr std::string_view kHubKey = "index.docker.io";

std::expected<Json, std::string> Entries(const std::string& text, std::string_view whose) {
  const Json config = Json::parse(text, nullptr, false);
  if (!config.is_object() || (config.contains("auths") && !config["auths"].is_object())) {
    return Failure(fmt::format("the Secret with the credentials of {} holds no Docker config", whose));
  }
  Json out = Json::object();
  if (!config.contains("auths")) return out;
  for (const auto& [host, entry] : config["auths"].items()) {
    if (!entry.is_object()) continue;
    Json kept = Json::object();
    for (const char* name : {"auth", "username", "password", "identitytoken", "registrytoken"}) {
      if (entry.contains(name) && entry[name].is_string()) kept[name] = entry[name];
    }
    if (!kept.empty()) out[host] = std::move(kept);
  }
  return out;
}

// "https://index.docker.io/v1/" is docker.io: an entry is keyed by a host, a path below it, or a URL.
std::string Plain(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  }
  while (key.ends_with('/')) key.remove_suffix(1);
  for (const std::string_view version : {"/v1", "/v2"}) {
    if (key.ends_with(version)) key.remove_suffix(version.size());
  }
  if (HostOf(key) == kHubKey) return std::string(kHub) + std::string(key.substr(kHubKey.size()));
  return std::string(key);
}

// The entry of the repository, of the folder nearest above it, or of its host.
const Json* BestEntry(const Json& entries, std::string_view repository) {
  for (std::string_view prefix = repository; !prefix.empty();) {
    for (const auto& [key, entry] : entries.items()) {
      if (Plain(key) == prefix) return &entry;
    }
    const std::size_t slash = prefix.rfind('/');
    prefix = slash == std::string_view::npos ? std::string_view() : prefix.substr(0, slash);
  }
  return nullptr;
}

bool Knows(const Json& entries, std::string_view host) {
  for (const auto& [key, unused] : entries.items()) {
    if (Plain(key) == host) return true;
  }
  return false;
}

// The key that go-containerregistry asks for.
std::string KeyOf(std::string_view repository) {
  if (HostOf(repository) != kHub) return std::string(repository);
  return std::string(kHubKey) + std::string(repository.substr(kHub.size()));
}

}  // namespace

std::expected<std::string, std::string> MergeDockerConfigs(const DockerConfigs& configs) {
  Json merged = Json::object();
  if (configs.base) {
    auto entries = Entries(*configs.base, "the base images");
    if (!entries) return Failure(entries.error());
    merged = *std::move(entries);
  }
  if (configs.cache && !configs.cache_repository.empty()) {
    const auto repository = ParseImage(configs.cache_repository);
    if (!repository) return Failure("the cache's repository is not the name of a repository");
    const auto entries = Entries(*configs.cache, "the cache");
    if (!entries) return Failure(entries.error());
    const Json* const entry = BestEntry(*entries, repository->repository);
    if (entry == nullptr) {
      return Failure(fmt::format("the Secret with the cache's credentials has no entry for {} or its host",
                                 repository->repository));
    }
    const std::string host(HostOf(repository->repository));
    if (!Knows(merged, host) && host != kHub) merged[host] = Json::object();
    merged[KeyOf(repository->repository)] = *entry;
  }
  return Json{{"auths", merged}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace slipway::runner
