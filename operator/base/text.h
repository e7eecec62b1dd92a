// Text for people: bounded without breaking a character.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway {

// At most `most` bytes of valid UTF-8 text, cut between characters; what was cut ends in "…", which is
// counted.
std::string Clip(std::string text, std::size_t most);

// The last line that is not blank: where programs say why they ended.
std::string LastLine(std::string_view text);

}  // namespace slipway
