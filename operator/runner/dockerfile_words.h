// Variables in a Dockerfile's words, as BuildKit expands them before the first FROM and in FROM. Pure.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::runner {

using Variables = std::map<std::string, std::string, std::less<>>;

struct Expanded {
  std::string text;
  std::vector<std::string> unset;  // names that have no value and no default; each stands for nothing
};

// Takes quotes and escapes away, and puts values in for $NAME, ${NAME}, ${NAME:-word}, ${NAME-word},
// ${NAME:+word}, ${NAME+word}, ${NAME:?word} and ${NAME?word}. The error is one sentence.
std::expected<Expanded, std::string> Expand(std::string_view word, const Variables& variables, char escape);

}  // namespace slipway::runner
