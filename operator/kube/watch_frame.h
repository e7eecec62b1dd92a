// Cuts a watch's byte stream into frames: one JSON document a line (API concepts, "Efficient detection of
// changes"). Pure: bytes in at any split, frames out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "kube/api.h"

namespace slipway::kube {

// Documents nested deeper than this are refused before they are parsed.
inline constexpr int kDeepestJson = 200;

class WatchDecoder {
 public:
  explicit WatchDecoder(std::size_t max_frame_bytes) : max_frame_bytes_(max_frame_bytes) {}

  void Feed(std::string_view bytes);
  // The next whole frame; nullopt until more bytes came. kInvalid when a line does not parse, is no watch
  // event, or is larger than the cap: the stream is then of no further use.
  Result<std::optional<WatchFrame>> Next();
  // Whether bytes of an unfinished frame are held.
  bool Partial() const { return buffer_.size() > start_; }

 private:
  std::size_t max_frame_bytes_;
  std::string buffer_;
  std::size_t start_ = 0;    // of the first frame that was not given yet
  std::size_t scanned_ = 0;  // no newline lies before this
};

// One JSON document, by default without managedFields. kInvalid when it does not parse or is nested too deep.
Result<Json> ParseDocument(std::string_view text, bool keep_managed_fields = false);

}  // namespace slipway::kube
