#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <optional>

#include "trigger/delivery.h"

namespace slipway::trigger {
namespace {

using Digest = std::array<unsigned char, 32>;

constexpr std::string_view kSha256Prefix = "sha256=";

std::string_view At(const Headers& headers, std::string_view name) {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

Digest Sha256(std::string_view text) {
  Digest digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return digest;
}

std::optional<Digest> HmacSha256(std::string_view key, std::string_view body) {
  Digest digest{};
  unsigned int size = 0;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(body.data());
  const auto* const made =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, body.size(), digest.data(), &size);
  if (made == nullptr || size != digest.size()) return std::nullopt;
  return digest;
}

int HexOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<Digest> ParseDigest(std::string_view text) {
  Digest digest{};
  if (text.size() != digest.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = HexOf(text[2 * i]);
    const int low = HexOf(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return digest;
}

bool Same(const Digest& a, const Digest& b) { return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

// What it was signed with, as the header says; none when it says no such thing.
std::optional<Digest> SignatureOf(Sender sender, const Headers& headers) {
  if (sender == Sender::kGitea) return ParseDigest(At(headers, "x-gitea-signature"));
  const std::string_view text = At(headers, "x-hub-signature-256");
  if (!text.starts_with(kSha256Prefix)) return std::nullopt;
  return ParseDigest(text.substr(kSha256Prefix.size()));
}

std::string_view KindOf(Sender sender, const Headers& headers) {
  switch (sender) {
    case Sender::kGitHub:
      return At(headers, "x-github-event");
    case Sender::kGitLab:
      return At(headers, "x-gitlab-event");
    case Sender::kGitea:
      return At(headers, "x-gitea-event");
    case Sender::kNone:
      break;
  }
  return {};
}

// application/x-www-form-urlencoded: GitHub's other way to send, where the JSON is the field `payload`.
std::string PayloadField(std::string_view body) {
  constexpr std::string_view kField = "payload=";
  if (!body.starts_with(kField)) return {};
  body = body.substr(kField.size(), body.find('&') - kField.size());
  std::string text;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const bool escaped = body[i] == '%' && i + 2 < body.size();
    const int high = escaped ? HexOf(body[i + 1]) : -1;
    const int low = escaped ? HexOf(body[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      text += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      text += body[i] == '+' ? ' ' : body[i];
    }
  }
  return text;
}

}  // namespace

std::string_view ToString(Sender sender) {
  constexpr std::array<std::string_view, 4> kNames{"unknown", "GitHub", "GitLab", "Gitea"};
  return kNames[static_cast<std::size_t>(sender)];
}

// Gitea says that it is GitHub too, for the sake of receivers that know only that: it is asked for first.
Sender SenderOf(const Headers& headers) {
  if (headers.contains("x-gitea-event")) return Sender::kGitea;
  if (headers.contains("x-gitlab-event")) return Sender::kGitLab;
  if (headers.contains("x-github-event")) return Sender::kGitHub;
  return Sender::kNone;
}

// The same work whatever is wrong, so that the time of an answer tells nothing: an HMAC over the body and a
// comparison of two digests, also without a key.
bool IsAuthentic(Sender sender, const Headers& headers, std::string_view body, std::string_view key) {
  const auto wanted = HmacSha256(key.empty() ? "no key" : key, body);
  const bool token_fits = Same(Sha256(At(headers, "x-gitlab-token")), Sha256(key));
  const auto given = SignatureOf(sender, headers);
  const bool signature_fits = Same(given.value_or(Digest{}), wanted.value_or(Digest{}));
  const bool fits = sender == Sender::kGitLab ? token_fits : given && wanted && signature_fits;
  return fits && sender != Sender::kNone && !key.empty();
}

Delivery Read(const Headers& headers, std::string_view body, std::string_view key) {
  Delivery delivery{.sender = SenderOf(headers)};
  delivery.authentic = IsAuthentic(delivery.sender, headers, body, key);
  if (!delivery.authentic) {
    delivery.event = Nothing{.why = "not authentic"};
    return delivery;
  }
  const bool form = At(headers, "content-type").starts_with("application/x-www-form-urlencoded");
  const std::string_view kind = KindOf(delivery.sender, headers);
  delivery.event = form ? ReadPayload(delivery.sender, kind, PayloadField(body))
                        : ReadPayload(delivery.sender, kind, body);
  return delivery;
}

}  // namespace slipway::trigger
