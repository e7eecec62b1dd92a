#include "kube/watch_frame.h"

#include <fmt/format.h>

#include "kube/status_error.h"

namespace slipway::kube {
namespace {

bool TooDeep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepestJson) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

WatchEventType TypeOf(const std::string& type) {
  if (type == "ADDED") return WatchEventType::kAdded;
  if (type == "MODIFIED") return WatchEventType::kModified;
  if (type == "DELETED") return WatchEventType::kDeleted;
  if (type == "BOOKMARK") return WatchEventType::kBookmark;
  if (type == "ERROR") return WatchEventType::kError;
  return WatchEventType::kUnknown;
}

Result<WatchFrame> Decode(std::string_view line) {
  auto event = ParseDocument(line);
  if (!event) return std::unexpected(event.error());
  const auto type = event->find("type");
  const auto object = event->find("object");
  if (type == event->end() || !type->is_string() || object == event->end()) {
    return Fail(ErrorKind::kInvalid, "a watch event has no type or no object");
  }
  return WatchFrame{TypeOf(type->get<std::string>()), std::move(*object)};
}

}  // namespace

Result<Json> ParseDocument(std::string_view text, bool keep_managed_fields) {
  if (TooDeep(text)) {
    return Fail(ErrorKind::kInvalid, fmt::format("JSON is nested deeper than {} levels", kDeepestJson));
  }
  // Dropped while parsing: managedFields are often the larger half of an object.
  // Only those of a metadata: a ConfigMap may have a key of that name.
  int metadata = -1;  // the depth of the key "metadata" that we are inside of
  const auto drop = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    if (event != Json::parse_event_t::key) return true;
    if (metadata >= 0 && depth > metadata) {
      return keep_managed_fields || depth != metadata + 1 || parsed != "managedFields";
    }
    metadata = parsed == "metadata" ? depth : -1;
    return true;
  };
  Json document = Json::parse(text, drop, false);
  if (!document.is_object()) {
    return Fail(ErrorKind::kInvalid, fmt::format("not a JSON object: {}", Printable(text, 80)));
  }
  return document;
}

void WatchDecoder::Feed(std::string_view bytes) {
  if (start_ > 0) {
    buffer_.erase(0, start_);
    scanned_ -= start_;
    start_ = 0;
  }
  buffer_ += bytes;
}

Result<std::optional<WatchFrame>> WatchDecoder::Next() {
  for (;;) {
    const auto newline = buffer_.find('\n', scanned_);
    const std::size_t end = newline == std::string::npos ? buffer_.size() : newline;
    if (end - start_ > max_frame_bytes_) {
      return Fail(ErrorKind::kInvalid,
                  fmt::format("a watch event is larger than {} bytes", max_frame_bytes_));
    }
    if (newline == std::string::npos) {
      scanned_ = buffer_.size();
      return std::nullopt;
    }
    const std::string_view line = std::string_view(buffer_).substr(start_, newline - start_);
    start_ = scanned_ = newline + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto frame = Decode(line);
    if (!frame) return std::unexpected(frame.error());
    return std::optional<WatchFrame>(std::move(*frame));
  }
}

}  // namespace slipway::kube
