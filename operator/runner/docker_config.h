// Docker configs out of Secrets, made into the one that a build gets. Pure. Nothing that an error says is out
// of a config: not even the place where its JSON breaks.
//
// go-containerregistry (crane, Kaniko) looks an image's credentials up under its whole repository
// ("host:5000/team/app") first, then under its host; for a host without an entry it takes any entry of that
// host. So the cache's credentials stand under the cache's repository alone, and beside them stands an empty
// entry of the host when the base images have none: a Dockerfile must not pull with the cache's rights.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::runner {

struct DockerConfigs {
  std::optional<std::string> base;   // of the base images: all its entries stay
  std::optional<std::string> cache;  // of the cache: the entry that fits best
  std::string cache_repository;      // empty: no cache
};

// {"auths":{…}}: of each entry what a registry is answered with (auth, username, password, identitytoken,
// registrytoken). Helpers and everything else are dropped. The error is one sentence.
std::expected<std::string, std::string> MergeDockerConfigs(const DockerConfigs& configs);

}  // namespace slipway::runner
