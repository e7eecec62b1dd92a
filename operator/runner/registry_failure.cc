#include "runner/registry_failure.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runner/registry_cause.h"
#include "runner/text.h"

namespace slipway::runner {
namespace {

constexpr std::size_t kMessageBytes = 800;
// A proxy's answer may be a whole page.
constexpr std::size_t kSaidBytes = 400;

// crane's last word: from the last line that starts with "Error: " to the end. What stands before it are
// lines of progress and of earlier tries.
std::string_view LastWord(std::string_view errors) {
  constexpr std::string_view kLabel = "Error: ";
  const std::size_t line = errors.rfind("\nError: ");
  if (line != std::string_view::npos) return Trimmed(errors.substr(line + 1 + kLabel.size()));
  if (errors.starts_with(kLabel)) return Trimmed(errors.substr(kLabel.size()));
  errors = Trimmed(errors);
  const std::size_t end = errors.rfind('\n');
  return end == std::string_view::npos ? errors : errors.substr(end + 1);
}

RegistryFailure Told(RegistryCause cause, std::string_view other, std::string_view what,
                     std::string_view said) {
  switch (cause) {
    case RegistryCause::kDenied:
      return MakeRegistryFailure(kRegistryDenied, "RegistryDenied",
                                 fmt::format("the registry denies access to {}: {}", what, said));
    case RegistryCause::kUnreachable:
      return MakeRegistryFailure(kRegistryUnreachable, "RegistryUnreachable",
                                 fmt::format("the registry of {} can't be reached: {}", what, said));
    case RegistryCause::kUntrusted:
      return MakeRegistryFailure(kRegistryUntrusted, "CertificateUntrusted",
                                 fmt::format("the registry of {} is not trusted: {}", what, said));
    case RegistryCause::kUnavailable:
      return MakeRegistryFailure(kRegistryUnavailable, "RegistryUnavailable",
                                 fmt::format("the registry of {} can't answer now: {}", what, said));
    case RegistryCause::kNotFound:
      return MakeRegistryFailure(kImageNotFound, "ImageNotFound",
                                 fmt::format("the registry has no {}: {}", what, said));
    case RegistryCause::kNone:
      break;
  }
  return MakeRegistryFailure(kRegistryFailed, other, fmt::format("{}: {}", what, said));
}

}  // namespace

RegistryFailure MakeRegistryFailure(int exit_code, std::string_view reason, std::string_view message) {
  return {exit_code, std::string(reason), OneLine(WithoutUserinfo(message), kMessageBytes)};
}

RegistryFailure ClassifyRegistry(std::string_view errors, std::string_view other, std::string_view what) {
  const std::string_view word = LastWord(errors);
  const std::string said = OneLine(WithoutUserinfo(word), kSaidBytes);
  return Told(CauseOf(word), other, what, said.empty() ? "crane said nothing" : said);
}

std::string ToJson(const RegistryFailure& failure) {
  return nlohmann::json{{"reason", failure.reason}, {"message", failure.message}}.dump();
}

}  // namespace slipway::runner
