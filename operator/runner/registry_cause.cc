#include "runner/registry_cause.h"

#include <array>
#include <cstddef>

namespace slipway::runner {
namespace {

struct Words {
  std::string_view text;
  RegistryCause cause;
};

constexpr auto kWords = std::to_array<Words>({
    {": UNAUTHORIZED: ", RegistryCause::kDenied},
    {": DENIED: ", RegistryCause::kDenied},
    {": MANIFEST_UNKNOWN: ", RegistryCause::kNotFound},
    {": NAME_UNKNOWN: ", RegistryCause::kNotFound},
    {": TOOMANYREQUESTS: ", RegistryCause::kUnavailable},
    {": UNAVAILABLE: ", RegistryCause::kUnavailable},
    {": INTERNAL_SERVER_ERROR: ", RegistryCause::kUnavailable},
    // distribution's code of every failure of its own, 500.
    {": UNKNOWN: ", RegistryCause::kUnavailable},
    {"unexpected status code 401 ", RegistryCause::kDenied},
    {"unexpected status code 403 ", RegistryCause::kDenied},
    {"unexpected status code 404 ", RegistryCause::kNotFound},
    {"unexpected status code 429 ", RegistryCause::kUnavailable},
    {"unexpected status code 5", RegistryCause::kUnavailable},
    {": dial tcp", RegistryCause::kUnreachable},
    {": no such host", RegistryCause::kUnreachable},
    {": connection refused", RegistryCause::kUnreachable},
    {": connection reset by peer", RegistryCause::kUnreachable},
    {": connection timed out", RegistryCause::kUnreachable},
    {": no route to host", RegistryCause::kUnreachable},
    {": network is unreachable", RegistryCause::kUnreachable},
    {": broken pipe", RegistryCause::kUnreachable},
    {": i/o timeout", RegistryCause::kUnreachable},
    {": context deadline exceeded", RegistryCause::kUnreachable},
    {"Client.Timeout exceeded", RegistryCause::kUnreachable},
    {"TLS handshake timeout", RegistryCause::kUnreachable},
    {": x509: ", RegistryCause::kUntrusted},
    {": tls: failed to verify certificate", RegistryCause::kUntrusted},
    {": tls: ", RegistryCause::kUnreachable},
    {"remote error: tls", RegistryCause::kUnreachable},
    {"server gave HTTP response to HTTPS client", RegistryCause::kUnreachable},
    {": unexpected EOF", RegistryCause::kUnreachable},
    {"\": EOF", RegistryCause::kUnreachable},
});

// A file that is cut short is none of a registry's: only a request's line ("GET https…", "Get \"https…") is.
bool TellsOfARequest(std::string_view line) { return line.find("://") != std::string_view::npos; }

// A private address that doesn't speak TLS is asked again without it, and both answers are told: then the
// second one counts.
constexpr std::string_view kWithoutTls = "; GET http://";

RegistryCause FirstCause(std::string_view line) {
  std::size_t first = std::string_view::npos;
  RegistryCause cause = RegistryCause::kNone;
  for (const Words& words : kWords) {
    const std::size_t at = line.find(words.text);
    if (at < first) {
      first = at;
      cause = words.cause;
    }
  }
  return cause;
}

}  // namespace

RegistryCause CauseOf(std::string_view line) {
  if (!TellsOfARequest(line)) return RegistryCause::kNone;
  const std::size_t again = line.find(kWithoutTls);
  // It does speak TLS when a certificate was refused.
  if (again != std::string_view::npos && line.substr(0, again).find(": x509: ") == std::string_view::npos) {
    return FirstCause(line.substr(again));
  }
  return FirstCause(line);
}

}  // namespace slipway::runner
