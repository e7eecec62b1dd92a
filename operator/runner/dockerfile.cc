#include "runner/dockerfile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace slipway::runner {
namespace {

template <class T = void>
using Parsed = std::expected<T, DockerfileError>;

constexpr std::string_view kNothing = "scratch";

std::unexpected<DockerfileError> Invalid(std::size_t line, std::string message) {
  return std::unexpected(DockerfileError{line, std::move(message)});
}

// Another stage, an image, or neither of them (scratch).
struct Source {
  std::size_t line = 0;
  std::optional<std::size_t> stage;
  std::optional<ImageReference> image;
};

struct Stage {
  std::string name;  // in small letters; empty when it has none
  Source base;
  std::vector<Source> copies;
};

// Without a pair of quotes around it.
std::string_view Bare(std::string_view text) {
  if (text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\'')) {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

std::optional<std::size_t> Number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The value of "NAME=value" when the word starts so, whatever the case.
std::optional<std::string_view> ValueOf(std::string_view word, std::string_view name) {
  if (word.size() <= name.size() || word[name.size()] != '=') return std::nullopt;
  if (!SameWord(word.substr(0, name.size()), name)) return std::nullopt;
  return word.substr(name.size() + 1);
}

// The `from` of type=bind,from=image,target=/x.
std::optional<std::string_view> MountedFrom(std::string_view mount) {
  mount = Bare(mount);
  while (!mount.empty()) {
    const std::size_t comma = std::min(mount.find(','), mount.size());
    const std::string_view field = Bare(mount.substr(0, comma));
    mount.remove_prefix(std::min(comma + 1, mount.size()));
    if (const auto from = ValueOf(field, "from")) return Bare(*from);
  }
  return std::nullopt;
}

class Reading {
 public:
  Reading(const Variables& build_args, char escape)
      : build_args_(build_args), variables_(build_args), escape_(escape) {}

  Parsed<> Take(const Instruction& instruction) {
    if (instruction.name == "FROM") return From(instruction);
    if (stages.empty()) {
      if (instruction.name == "ARG") return Arg(instruction);
      return Invalid(instruction.line, fmt::format("'{}' stands before the first FROM", instruction.name));
    }
    if (instruction.name == "COPY") return Flags(instruction, "--from", false);
    if (instruction.name == "RUN") return Flags(instruction, "--mount", true);
    return {};
  }

  std::vector<Stage> stages;

 private:
  Parsed<> Arg(const Instruction& instruction) {
    for (const std::string& word : RawWords(instruction.rest, escape_)) {
      const std::size_t equals = word.find('=');
      const std::string name = word.substr(0, equals);
      if (equals == std::string::npos || build_args_.contains(name)) continue;
      const auto value = Expand(word.substr(equals + 1), variables_, escape_);
      if (!value) return Invalid(instruction.line, fmt::format("ARG {}: {}", name, value.error()));
      variables_[name] = value->text;
    }
    return {};
  }

  std::optional<std::size_t> Named(std::string_view name) const {
    const auto found = std::ranges::find_if(
        stages, [&](const Stage& stage) { return !stage.name.empty() && SameWord(stage.name, name); });
    if (found == stages.end()) return std::nullopt;
    return static_cast<std::size_t>(found - stages.begin());
  }

  Parsed<> From(const Instruction& instruction) {
    std::vector<std::string> words = RawWords(instruction.rest, escape_);
    std::erase_if(words, [](const std::string& word) { return word.starts_with("--"); });
    const bool named = words.size() == 3 && SameWord(words[1], "AS");
    if (words.size() != 1 && !named) {
      return Invalid(instruction.line, "FROM must be: FROM [--platform=…] IMAGE [AS NAME]");
    }
    auto base = Base(instruction.line, words.front());
    if (!base) return std::unexpected(base.error());
    stages.push_back({named ? LowerCase(words[2]) : std::string(), *std::move(base), {}});
    return {};
  }

  Parsed<Source> Base(std::size_t line, std::string_view word) const {
    const auto expanded = Expand(word, variables_, escape_);
    if (!expanded) return Invalid(line, fmt::format("FROM {}: {}", word, expanded.error()));
    Source out{line, Named(expanded->text), std::nullopt};
    if (out.stage || expanded->text == kNothing) return out;
    out.image = ParseImage(expanded->text);
    if (out.image) return out;
    if (!expanded->unset.empty()) {
      return Invalid(line, fmt::format("FROM {} names no image, because {} has no value: give the ARG before "
                                       "the first FROM a default, or set spec.build.args",
                                       word, fmt::join(expanded->unset, ", ")));
    }
    return Invalid(line, fmt::format("FROM '{}' is not the name of an image", expanded->text));
  }

  Parsed<> Flags(const Instruction& instruction, std::string_view flag, bool mount) {
    for (const std::string& word : RawWords(instruction.rest, escape_)) {
      if (!word.starts_with("--")) break;
      const auto value = ValueOf(word, flag);
      if (!value) continue;
      const auto from = mount ? MountedFrom(*value) : std::optional(Bare(*value));
      if (!from || from->empty() || from->find('$') != std::string_view::npos) continue;
      auto source = Copied(instruction.line, *from);
      if (!source) return std::unexpected(source.error());
      stages.back().copies.push_back(*std::move(source));
    }
    return {};
  }

  // Only earlier stages have a name here: a later one's, and its own, are an image's.
  Parsed<Source> Copied(std::size_t line, std::string_view from) const {
    Source out{line, Number(from), std::nullopt};
    const std::size_t own = stages.size() - 1;
    if (out.stage && *out.stage >= own)
      return Invalid(line, fmt::format("there is no stage {} before this", from));
    if (out.stage) return out;
    if (const auto named = Named(from); named && *named < own) {
      out.stage = named;
      return out;
    }
    if (from == kNothing) return out;
    out.image = ParseImage(from);
    if (!out.image) return Invalid(line, fmt::format("'{}' is neither a stage nor an image", from));
    return out;
  }

  const Variables& build_args_;
  Variables variables_;
  char escape_;
};

Parsed<std::size_t> Target(const std::vector<Stage>& stages, std::string_view target) {
  if (target.empty()) return stages.size() - 1;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (!stages[i].name.empty() && SameWord(stages[i].name, target)) return i;
  }
  if (const auto number = Number(target); number && *number < stages.size()) return *number;
  return Invalid(0, fmt::format("it has no stage '{}', which is the build's target", target));
}

// A stage refers to earlier ones only, so one walk backwards meets all.
std::vector<bool> Needed(const std::vector<Stage>& stages, std::size_t target, bool all) {
  std::vector<bool> needed(stages.size(), all);
  needed[target] = true;
  for (std::size_t i = stages.size(); i-- > 0;) {
    if (!needed[i]) continue;
    if (stages[i].base.stage) needed[*stages[i].base.stage] = true;
    for (const Source& copy : stages[i].copies) {
      if (copy.stage) needed[*copy.stage] = true;
    }
  }
  return needed;
}

void Add(const Source& source, std::vector<DockerfileImage>& images) {
  if (!source.image) return;
  const auto same = [&](const DockerfileImage& known) { return known.image == *source.image; };
  if (std::ranges::none_of(images, same)) images.push_back({*source.image, source.line});
}

std::optional<std::size_t> BaseOf(const std::vector<Stage>& stages, std::size_t target,
                                  const std::vector<DockerfileImage>& images) {
  while (stages[target].base.stage) target = *stages[target].base.stage;
  const auto& image = stages[target].base.image;
  if (!image) return std::nullopt;
  const auto found = std::ranges::find(images, *image, &DockerfileImage::image);
  return static_cast<std::size_t>(found - images.begin());
}

}  // namespace

std::expected<DockerfileBases, DockerfileError> ReadBases(std::string_view text, const Variables& build_args,
                                                          std::string_view target) {
  const auto instructions = SplitInstructions(text);
  if (!instructions) return std::unexpected(instructions.error());
  Reading reading(build_args, instructions->escape);
  for (const Instruction& instruction : instructions->list) {
    if (auto taken = reading.Take(instruction); !taken) return std::unexpected(taken.error());
  }
  const std::vector<Stage>& stages = reading.stages;
  if (stages.empty()) return Invalid(0, "it has no FROM");
  const auto built = Target(stages, target);
  if (!built) return std::unexpected(built.error());
  const std::vector<bool> needed = Needed(stages, *built, target.empty());
  DockerfileBases out;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (!needed[i]) continue;
    Add(stages[i].base, out.images);
    for (const Source& copy : stages[i].copies) Add(copy, out.images);
  }
  out.base = BaseOf(stages, *built, out.images);
  return out;
}

}  // namespace slipway::runner
