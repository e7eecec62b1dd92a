#include "runner/registry.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/log.h"
#include "base/time.h"
#include "runner/process.h"
#include "runner/registry_reference.h"
#include "runner/report.h"
#include "runner/text.h"

namespace slipway::runner {
namespace {

// No registry takes a larger manifest.
constexpr std::size_t kMostOutput = 8UL * 1024 * 1024;

}  // namespace

Registry::Registry(RegistryAccess access) : access_(std::move(access)) {
  const char* path = std::getenv("PATH");
  environment_ = {
      std::string("PATH=") + (path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin"), "HOME=/nonexistent",
      "DOCKER_CONFIG=" + (access_.credentials_folder.empty() ? "/nonexistent" : access_.credentials_folder)};
  if (access_.ca_file.empty()) return;
  // Go reads the system's bundle as well: this names folders only.
  environment_.push_back("SSL_CERT_DIR=/etc/ssl/certs:" +
                         std::filesystem::path(access_.ca_file).parent_path().string());
}

RegistryFailure Registry::Failed(std::string_view message) const {
  return MakeRegistryFailure(kRegistryFailed, access_.failed, message);
}

RegistryResult<std::string> Registry::Do(std::vector<std::string> arguments, std::string_view what,
                                         bool insecure, std::chrono::milliseconds timeout) const {
  Command command;
  command.argv = {"crane"};
  if (insecure) command.argv.emplace_back("--insecure");
  for (std::string& argument : arguments) command.argv.push_back(std::move(argument));
  command.environment = environment_;
  command.timeout = timeout;
  command.most_output = kMostOutput;
  auto finished = Run(command);
  if (!finished) return std::unexpected(Failed(finished.error().message));
  if (finished->timed_out) {
    return std::unexpected(MakeRegistryFailure(
        kRegistryUnreachable, "RegistryUnreachable",
        fmt::format("the registry of {} did not answer within {}", what, FormatDuration(timeout))));
  }
  if (finished->exit_code != 0)
    return std::unexpected(ClassifyRegistry(finished->errors, access_.failed, what));
  return std::move(finished->output);
}

RegistryResult<std::string> Registry::Digest(const std::string& image, bool insecure) const {
  auto printed = Do({"digest", image}, image, insecure, kRegistryLookupTime);
  if (!printed) return printed;
  std::string digest(Trimmed(*printed));
  if (IsDigest(digest)) return digest;
  return std::unexpected(Failed(fmt::format("crane gave no digest of {}", image)));
}

int ReportRegistry(std::string_view step, const RegistryResult<std::string>& result,
                   const std::string& report_path) {
  if (result) {
    log::info("{}: {}", step, *result);  // JSON: one line already
    return WriteReport(report_path, *result) ? 0 : kRegistryFailed;
  }
  log::error("{}: {}: {}", step, result.error().reason, log::Quoted(result.error().message));
  WriteReport(report_path, ToJson(result.error()));
  return result.error().exit_code;
}

}  // namespace slipway::runner
