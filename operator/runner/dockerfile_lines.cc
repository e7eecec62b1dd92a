#include "runner/dockerfile_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "runner/text.h"

namespace slipway::runner {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r'; }
bool IsLetter(char c) { return Lower(c) >= 'a' && Lower(c) <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Gives the lines of a text one by one, without their ends.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }
  std::optional<std::string_view> Next() {
    if (rest_.empty()) return std::nullopt;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number_;
    return line;
  }
  std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

// "# name=value" at the very top.
std::optional<std::pair<std::string, std::string>> Directive(std::string_view line) {
  line = Trimmed(line);
  if (!line.starts_with('#')) return std::nullopt;
  line = Trimmed(line.substr(1));
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string_view name = Trimmed(line.substr(0, equals));
  const std::string_view value = Trimmed(line.substr(equals + 1));
  if (name.empty() || value.empty() || !IsLetter(name.front())) return std::nullopt;
  if (!std::ranges::all_of(name, [](char c) { return IsLetter(c) || IsDigit(c); })) return std::nullopt;
  return std::pair(LowerCase(name), std::string(value));
}

// Whether the line goes on in the next one; takes the escape away when it does. Two escapes at the end are an
// escaped escape.
bool Continues(std::string& line, char escape) {
  const std::size_t last = line.find_last_not_of(" \t");
  if (last == std::string::npos || line[last] != escape) return false;
  if (last > 0 && line[last - 1] == escape) return false;
  line.resize(last);
  return true;
}

struct Heredoc {
  std::string name;
  bool chomp = false;
};

std::string Unquoted(std::string_view word) {
  std::string out;
  char quote = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == quote && quote != 0) {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < word.size()) {
      out += word[++i];
    } else {
      out += c;
    }
  }
  return out;
}

// A word like 3<<-"NAME".
std::optional<Heredoc> HeredocOf(std::string_view word) {
  while (!word.empty() && IsDigit(word.front())) word.remove_prefix(1);
  if (!word.starts_with("<<")) return std::nullopt;
  word.remove_prefix(2);
  Heredoc out;
  out.chomp = word.starts_with('-');
  if (out.chomp) word.remove_prefix(1);
  if (word.empty() || word.find('<') != std::string_view::npos) return std::nullopt;
  out.name = Unquoted(word);
  return out;
}

Instruction Named(std::size_t number, std::string_view text) {
  text = Trimmed(text);
  const auto* const end = std::ranges::find_if(text, IsBlank);
  const auto length = static_cast<std::size_t>(end - text.begin());
  Instruction out{number, std::string(text.substr(0, length)), std::string(Trimmed(text.substr(length)))};
  std::ranges::transform(out.name, out.name.begin(), Upper);
  return out;
}

bool MayHoldHeredocs(const Instruction& instruction) {
  // Not in the form of a JSON array.
  return (instruction.name == "RUN" || instruction.name == "COPY" || instruction.name == "ADD") &&
         !instruction.rest.starts_with('[');
}

bool TakesHeredocs(const Instruction& instruction) {
  if (instruction.name != "ONBUILD") return MayHoldHeredocs(instruction);
  return MayHoldHeredocs(Named(instruction.line, instruction.rest));
}

bool SkipTo(Reader& reader, const Heredoc& heredoc) {
  while (const auto next = reader.Next()) {
    std::string_view line = *next;
    if (heredoc.chomp) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
    if (line == heredoc.name) return true;
  }
  return false;
}

bool SkipHeredocs(Reader& reader, const Instruction& instruction) {
  if (!TakesHeredocs(instruction) || instruction.rest.find("<<") == std::string::npos) return true;
  // Here-documents know one escape only, whatever the directive says.
  return std::ranges::all_of(RawWords(instruction.rest, '\\'), [&](const std::string& word) {
    const auto heredoc = HeredocOf(word);
    return !heredoc || SkipTo(reader, *heredoc);
  });
}

// The rest of a line that goes on: comments and empty lines between its parts are nothing.
void Join(Reader& reader, std::string& line, char escape) {
  while (const auto next = reader.Next()) {
    const std::string_view seen = Trimmed(*next);
    if (seen.empty() || seen.starts_with('#')) continue;
    std::string part(*next);
    const bool more = Continues(part, escape);
    line += part;
    if (!more) return;
  }
}

}  // namespace

std::string LowerCase(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), Lower);
  return out;
}

bool SameWord(std::string_view one, std::string_view other) { return LowerCase(one) == LowerCase(other); }

std::vector<std::string> RawWords(std::string_view text, char escape) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && (IsBlank(c) || c == '\n')) {
      if (open) words.push_back(std::exchange(word, {}));
      open = false;
      continue;
    }
    open = true;
    word += c;
    if (c == escape && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    }
  }
  if (open) words.push_back(word);
  return words;
}

std::expected<Instructions, DockerfileError> SplitInstructions(std::string_view text) {
  Instructions out;
  Reader reader(text);
  bool top = true;
  while (const auto next = reader.Next()) {
    const std::size_t number = reader.number();
    const auto directive = top ? Directive(*next) : std::nullopt;
    top = directive.has_value();
    if (directive && directive->first == "escape") {
      if (directive->second != "\\" && directive->second != "`") {
        return std::unexpected(DockerfileError{number, "the directive escape must be \\ or `"});
      }
      out.escape = directive->second.front();
    }
    const std::string_view seen = Trimmed(*next);
    if (seen.empty() || seen.starts_with('#')) continue;
    std::string line(*next);
    if (Continues(line, out.escape)) Join(reader, line, out.escape);
    if (Trimmed(line).empty()) continue;
    Instruction instruction = Named(number, line);
    if (!SkipHeredocs(reader, instruction)) {
      return std::unexpected(DockerfileError{number, "its here-document has no end"});
    }
    out.list.push_back(std::move(instruction));
  }
  return out;
}

}  // namespace slipway::runner
