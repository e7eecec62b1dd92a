#include "runner/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace slipway::runner {
namespace {

constexpr std::string_view kPlain = "http://";
constexpr std::string_view kTls = "https://";

bool IsPort(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port < 65536;
}

std::string_view OwnPort(bool tls) { return tls ? "443" : "80"; }

std::string_view WithoutBrackets(std::string_view host) {
  const bool brackets = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  return brackets ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~").contains(c);
}

std::string PercentEncoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::optional<HttpUrl> ParseHttpUrl(std::string_view url) {
  HttpUrl parsed{.tls = url.starts_with(kTls)};
  if (!parsed.tls && !url.starts_with(kPlain)) return std::nullopt;
  url.remove_prefix(parsed.tls ? kTls.size() : kPlain.size());
  const auto slash = std::min(url.find('/'), url.size());
  std::string_view authority = url.substr(0, slash);
  std::string_view path = url.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  const bool plain =
      std::ranges::all_of(path, [](char c) { return IsUnreserved(c) || c == '/' || c == '+'; });
  const auto colon = authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
  parsed.port = OwnPort(parsed.tls);
  if (colon != std::string_view::npos) {
    parsed.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  parsed.host = WithoutBrackets(authority);
  parsed.path = path;
  const bool named = !parsed.host.empty() &&
                     std::ranges::all_of(parsed.host, [](char c) { return IsUnreserved(c) || c == ':'; });
  return plain && named && IsPort(parsed.port) ? std::optional(parsed) : std::nullopt;
}

std::string HostHeader(const HttpUrl& url) {
  const std::string host = url.host.contains(':') ? "[" + url.host + "]" : url.host;
  return url.port == OwnPort(url.tls) ? host : host + ":" + url.port;
}

std::optional<IpPort> ParseIpPort(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !IsPort(text.substr(colon + 1))) return std::nullopt;
  const std::string_view host = text.substr(0, colon);
  const std::string_view bare = WithoutBrackets(host);
  boost::system::error_code error;
  const auto ip = boost::asio::ip::make_address(std::string(bare), error);
  // An IPv6 address without brackets could end in what is taken for a port here.
  if (error || ip.is_v6() != (bare.size() != host.size())) return std::nullopt;
  return IpPort{std::string(bare), std::string(text.substr(colon + 1))};
}

bool IsHttpPath(std::string_view path) {
  return path.starts_with('/') &&
         std::ranges::all_of(path, [](char c) { return c > ' ' && c <= '~' && c != '#'; });
}

}  // namespace slipway::runner
