// Names of things that we create: deterministic, so that a repeated create meets the first one; at most 63
// characters, so that they may also stand in a label (RFC 1123 label); and free of collisions, because a hash
// of the whole untruncated identity ends each of them.
#pragma once

#include <string>
#include <string_view>

namespace slipway {

// The first 2*bytes hexadecimal digits of SHA-256 of `text`.
std::string ShortHash(std::string_view text, std::size_t bytes = 4);
// The whole SHA-256, 64 hexadecimal digits.
std::string Sha256Hex(std::string_view text);

// From [0, 1), the same for the same text: for what many do, and must not do all at once.
double Spread(std::string_view text);

// "<parent, cut to fit>-<role>-<8 hex of identity>". `identity` is whatever makes the child distinct (the
// owner's UID, a run number, a digest), joined by the caller; it is hashed together with parent and role.
// `role` is at most 20 characters of [a-z0-9-].
std::string ChildName(std::string_view parent, std::string_view role, std::string_view identity);

// An object's name as the value of a label: at most 63 characters, the last a letter or a digit. It may be
// cut, so it is for people.
std::string LabelValue(std::string name);

}  // namespace slipway
