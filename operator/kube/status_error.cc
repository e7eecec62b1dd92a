#include "kube/status_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace slipway::kube {
namespace {

std::int64_t Number(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_number_integer() ? it->get<std::int64_t>() : 0;
}

std::string Text(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// By code first, then by apimachinery's StatusReason, which tells the two kinds of 409 apart.
ErrorKind KindOf(std::int64_t code, const std::string& reason) {
  if (reason == "AlreadyExists") return ErrorKind::kAlreadyExists;
  if (reason == "Expired" || reason == "Gone") return ErrorKind::kGone;
  switch (code) {
    case 400:
    case 405:
    case 406:
    case 413:
    case 415:
    case 422:
      return ErrorKind::kInvalid;
    case 401:
      return ErrorKind::kUnauthorized;
    case 403:
      return ErrorKind::kForbidden;
    case 404:
      return ErrorKind::kNotFound;
    case 409:
      return ErrorKind::kConflict;
    case 410:
      return ErrorKind::kGone;
    case 429:
      return ErrorKind::kThrottled;
    default:
      return ErrorKind::kTransient;
  }
}

// What a broken server may ask for must fit any clock that it is added to.
constexpr std::int64_t kLongestWait = 24L * 60 * 60;

// RFC 9110 allows a date as well; the API server never sends one.
std::optional<std::chrono::seconds> Seconds(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, kLongestWait));
}

Error FromStatus(const Json& status, std::int64_t http_code) {
  const std::int64_t code = Number(status, "code") != 0 ? Number(status, "code") : http_code;
  const std::string reason = Text(status, "reason");
  Error error{KindOf(code, reason), Printable(Text(status, "message")), std::nullopt};
  if (error.message.empty())
    error.message = fmt::format("the API server answered {} {}", code, Printable(reason));
  const auto details = status.find("details");
  if (details != status.end() && details->is_object()) {
    const std::int64_t seconds = Number(*details, "retryAfterSeconds");
    if (seconds > 0) error.retry_after = std::chrono::seconds(std::min(seconds, kLongestWait));
  }
  return error;
}

// How many bytes the UTF-8 sequence at the start of `text` has; 0 when it is none.
std::size_t SequenceLength(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length == 0 || lead > 0xf4 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  }
  if (length < 3) return length;
  // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte (RFC 3629, section 4).
  const auto second = static_cast<unsigned char>(text[1]);
  const bool wrong = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                     (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
  return wrong ? 0 : length;
}

// C0 and C1 controls, and the marks that turn the direction of a line (Unicode TR 36).
bool Hidden(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  const auto second = static_cast<unsigned char>(sequence[1]);
  if (sequence.size() == 2) return (first == 0xc2 && second < 0xa0) || (first == 0xd8 && second == 0x9c);
  if (sequence.size() != 3 || first != 0xe2) return false;
  const auto third = static_cast<unsigned char>(sequence[2]);
  return (second == 0x80 && (third == 0x8e || third == 0x8f || (third >= 0xa8 && third <= 0xae))) ||
         (second == 0x81 && third >= 0xa6 && third <= 0xa9);
}

}  // namespace

std::string Printable(std::string_view text, std::size_t longest) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t length = SequenceLength(text);
    const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
    const std::string_view piece = length == 0 ? "?" : Hidden(sequence) ? " " : sequence;
    if (shown.size() + piece.size() > longest) break;
    shown += piece;
    text.remove_prefix(sequence.size());
  }
  return shown;
}

Error ErrorFromAnswer(int http_code, std::string_view retry_after, std::string_view body) {
  const Json status = Json::parse(body, nullptr, false);
  Error error = status.is_object() && Text(status, "kind") == "Status"
                    ? FromStatus(status, http_code)
                    : Error{KindOf(http_code, ""),
                            fmt::format("the API server answered {}: {}", http_code, Printable(body, 200)),
                            std::nullopt};
  if (const auto seconds = Seconds(retry_after)) error.retry_after = seconds;
  if (http_code == 503 && error.retry_after) error.kind = ErrorKind::kThrottled;
  return error;
}

Error ErrorFromStatus(const Json& status) {
  if (status.is_object()) return FromStatus(status, 0);
  return {ErrorKind::kTransient, "the watch was ended by an error event that is no Status", std::nullopt};
}

}  // namespace slipway::kube
