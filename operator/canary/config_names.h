// Where a pod template names ConfigMaps, and what it is to name instead: volumes, projected volumes,
// variables and whole environments, of all containers and init containers. Pure.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "kube/object.h"

namespace slipway::canary {

// By the name that the ConfigMap's author gave it: what is to be named wherever it, or a copy of it, is.
using ConfigNames = std::map<std::string, std::string>;

void NameConfigs(kube::Json& pod_spec, const ConfigNames& names);

// Of `pod_spec` no more than what an apply must hold to own those names, and nothing of its neighbours. That
// follows from how the API merges each place (k8s.io/api, core/v1/types.go):
//   volumes                  listType=map, by name: the name in configMap alone
//   projected.sources        listType=atomic: all sources of that volume
//   env                      listType=map, by name; ConfigMapKeySelector is structType=atomic: the reference
//                            with its key and `optional`
//   envFrom                  listType=atomic: the whole list of that container
//   containers, initContainers  listType=map, by name
kube::Json ConfigFields(const kube::Json& pod_spec, const ConfigNames& names);

// Puts the fields of `from` over those of `into`. Lists that the API merges by name are merged so.
void Overlay(kube::Json& into, const kube::Json& from);

}  // namespace slipway::canary
