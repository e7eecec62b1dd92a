// Text for people: bounded without breaking a character.
#pragma once

#include <cstddef>
#include <string>

namespace slipway {

// At most `most` bytes of valid UTF-8 text, cut between characters; what was cut ends in "…", which is
// counted.
std::string Clip(std::string text, std::size_t most);

}  // namespace slipway
