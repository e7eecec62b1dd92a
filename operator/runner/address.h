// Addresses that the checks are given: URLs, pods, paths; and percent-encoding (RFC 3986). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slipway::runner {

struct HttpUrl {
  bool tls = false;
  std::string host;  // an IPv6 address without brackets
  std::string port;
  std::string path;  // without the last slash
  bool operator==(const HttpUrl&) const = default;
};

// http(s)://host[:port][/path], with no user, query or fragment; nullopt for anything else.
std::optional<HttpUrl> ParseHttpUrl(std::string_view url);

// As the Host header has it: an IPv6 address in brackets; the port unless it is the scheme's own.
std::string HostHeader(const HttpUrl& url);

struct PodAddress {
  std::string name;
  std::string address;  // "10.0.0.7:8080" or "[fd00::7]:8080"
};

struct IpPort {
  std::string ip;
  std::string port;
};

// nullopt when the host is no IP address. A name would have to be looked up, and could lead elsewhere.
std::optional<IpPort> ParseIpPort(std::string_view text);

// Printable ASCII that begins with '/'; no fragment.
bool IsHttpPath(std::string_view path);

// Letters, digits, '-', '.', '_' and '~'.
bool IsUnreserved(char c);
// What is not unreserved becomes %XX.
std::string PercentEncoded(std::string_view text);

}  // namespace slipway::runner
