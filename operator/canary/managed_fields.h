// What metadata.managedFields of a live Deployment says: which fields are ours, and who wrote others last.
// Pure. (KEP-555; the set's form is sigs.k8s.io/structured-merge-diff, fieldpath: "f:" a member, "k:" an
// element of a list by its keys, "." the thing itself.)
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "canary/decide.h"

namespace slipway::canary {

// The spec as our last apply to `live` had it, with its values of now; {} when we have applied none. An apply
// that leaves out a field that only we own removes it, or has it reset to its default: whatever is applied
// begins with this.
kube::Json OwnedSpec(const kube::Json& live);

// Both with managedFields; null: there is no such Deployment.
Writers WritersOf(const kube::Json& stable, const kube::Json& canary, const std::string& container);

}  // namespace slipway::canary
