// The four visitors of a description (schema.h), each behind one function.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "resources/policy.h"
#include "resources/schema.h"

namespace slipway::resources {

// Reads object[name] into the members. Strict on the types of what is described, silent on what is not; an
// absent object leaves the defaults, unless it is required. kInvalid begins with the JSON path
// ("spec.build.args[3].name: …"). Bounds are not read here: an object that was stored before a bound existed
// still decodes, and is then refused by Inspect.
Result<> Read(const kube::Json& object, const Field& field, const Members& members);

// Leaves out empty optionals, texts, lists and maps, unless they are required. What a bound would refuse is
// cut to it (a text, a list, a number), and bytes that are no UTF-8 are replaced: a status must not be lost
// because a message was long.
kube::Json Write(const Members& members);

// The first member that its bounds or rules refuse. An empty text that may be empty, and is not
// required, is absent.
std::optional<Violation> Inspect(std::string_view path, const Members& members);

// OpenAPI v3, structural, of an object with these members, which are of a default-constructed struct.
// `defaults` are for a spec: in a status, what is not there is not known yet.
kube::Json Schema(const Members& members, bool defaults);

// The first `code_points` of a UTF-8 text, with U+FFFD for what is no UTF-8.
std::string CleanText(std::string_view text, std::size_t code_points);

}  // namespace slipway::resources
