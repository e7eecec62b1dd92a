// One table for every layer: objects of each kind that every rule accepts; values that no rule may let
// through (arguments in disguise, schemes that run programs, paths that leave the repository, credentials in
// URLs, characters that hide); and values that look as bad and are allowed, each of which must stay one
// argument. Put to our own checks (tests/unit/resources), to what is rendered of them
// (tests/unit/image_build), and to a real API server (tests/cluster/crds).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace slipway::testing {

inline const std::string kGoodImage = "registry.example.com/team/app@sha256:" + std::string(64, 'a');

nlohmann::json GoodImageBuild();
// The same, with everything that an ImageBuild may ask for.
nlohmann::json FullImageBuild();
nlohmann::json GoodRelease();
nlohmann::json GoodCanaryPromotion();
nlohmann::json GoodDecision();
nlohmann::json Good(const std::string& kind);  // of an ImageBuild, the full one

struct Hostile {
  std::string kind;
  std::string pointer;  // where in the good object the value goes (RFC 6901)
  nlohmann::json value;
  std::string field;  // how the refusal begins to name the place: "spec.source.git.url"
};

// An argument that holds the value: its container, and what stands before the value in it.
struct Place {
  std::string container;
  std::string flag;  // "--url="
  bool operator==(const Place&) const = default;
};

struct Accepted {
  std::string pointer;  // in the full ImageBuild
  nlohmann::json value;
  std::vector<Place> places;  // empty: it is in no argument
};

// Builds the object of a row.
nlohmann::json Planted(const std::string& kind, const std::string& pointer, const nlohmann::json& value);
inline nlohmann::json Planted(const Hostile& hostile) {
  return Planted(hostile.kind, hostile.pointer, hostile.value);
}
inline nlohmann::json Planted(const Accepted& accepted) {
  return Planted("ImageBuild", accepted.pointer, accepted.value);
}

std::vector<Hostile> HostileValues();
std::vector<Accepted> AcceptedValues();

}  // namespace slipway::testing
