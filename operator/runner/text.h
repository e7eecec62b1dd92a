// Text that somebody else wrote (git's, a repository's, a server's), made fit for a report that ends in an
// object's status: valid UTF-8, one line, bounded, without a user's name or password in a URL.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::runner {

// Bytes that are not UTF-8 become U+FFFD, control characters a blank, each run of blanks one blank; no blanks
// at the ends. At most `most` bytes, cut between characters; what was cut ends in "…".
std::string OneLine(std::string_view text, std::size_t most);

// "https://name:password@host/x" becomes "https://host/x", wherever in the text it stands.
std::string WithoutUserinfo(std::string_view text);

// Without white space and line ends at either end.
std::string_view Trimmed(std::string_view text);

std::string Base64(std::string_view bytes);

}  // namespace slipway::runner
