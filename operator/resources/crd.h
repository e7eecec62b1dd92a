// The CustomResourceDefinitions of our kinds, made from the same descriptions that decode and encode them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kube/object.h"

namespace slipway::resources {

struct Definition {
  std::string name;  // "slipway.dev_imagebuilds"
  kube::Json crd;
};
std::vector<Definition> Definitions();

// YAML with keys in alphabetical order and every text that could be read as something else in quotes.
std::string ToYaml(const kube::Json& json);

}  // namespace slipway::resources
