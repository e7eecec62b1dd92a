// Errors as values. An Error's kind is the caller's next move, not where it came from: a lost connection, a
// 503 and a TLS alert are all "try again later", so all are kTransient. Exceptions are for bugs and start-up.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace slipway {

enum class ErrorKind : std::uint8_t {
  kNotFound,       // 404: it is not there; look again only when something changes
  kAlreadyExists,  // 409 AlreadyExists: read what is there and decide whether it is ours
  kConflict,       // 409 Conflict: decide again from fresh state
  kGone,           // 410, or an expired resourceVersion: list again
  kThrottled,      // 429, or a 503 that carries Retry-After: wait at least retry_after
  kTransient,      // the network, TLS, 5xx: back off and try again
  kInvalid,        // 400, 413, 415, 422, or bytes that do not parse: never the same again unchanged
  kForbidden,      // 403: the server's words say what was refused
  kUnauthorized,   // 401: read the credentials again
  kCancelled,      // we were asked to stop
};

std::string_view ToString(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kTransient;
  std::string message;  // one sentence that a person can act on; never holds a credential
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
};

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> Fail(ErrorKind kind, std::string message) {
  return std::unexpected(Error{kind, std::move(message), std::nullopt});
}

}  // namespace slipway
