// A Dockerfile as instructions: what BuildKit's parser does before it looks at any one of them. Pure.
// Comments, continuations, the directive `escape`, and the here-documents of RUN, COPY and ADD are taken
// away.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::runner {

struct DockerfileError {
  std::size_t line = 0;  // the first is 1; 0: of the whole file
  std::string message;   // without the line's number
  bool operator==(const DockerfileError&) const = default;
};

struct Instruction {
  std::size_t line = 0;  // where it begins
  std::string name;      // in capitals
  std::string rest;      // what follows the name, without blanks at its ends
  bool operator==(const Instruction&) const = default;
};

struct Instructions {
  char escape = '\\';
  std::vector<Instruction> list;
};

std::expected<Instructions, DockerfileError> SplitInstructions(std::string_view text);

// The words of a shell's line, quotes and escapes left as they stand.
std::vector<std::string> RawWords(std::string_view text, char escape);

std::string LowerCase(std::string_view text);
bool SameWord(std::string_view one, std::string_view other);  // whatever the case

}  // namespace slipway::runner
