#include "trigger/lookup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "resources/tolerant.h"
#include "runner/process.h"
#include "runner/registry.h"
#include "runner/registry_reference.h"
#include "runner/text.h"
#include "trigger/keys.h"
#include "trigger/repository.h"

namespace slipway::trigger {
namespace {

namespace fs = std::filesystem;

constexpr auto kResolveTime = std::chrono::seconds(90);
constexpr std::size_t kReport = 4096;

std::unexpected<LookupFailure> Failed(std::string reason, std::string_view message) {
  return std::unexpected(LookupFailure{std::move(reason), runner::OneLine(message, 800)});
}

// A folder of one lookup, gone with it.
class Scratch {
 public:
  explicit Scratch(const std::string& parent) : path_(parent + "/lookup-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string MountOf(const std::string& folder, const std::string& name) {
  return name.empty() || folder.empty() || !IsObjectName(name) ? std::string() : folder + "/" + name;
}

std::string CaFile(const Lookup& lookup, const LookupOptions& options) {
  const std::string folder = MountOf(options.ca_folder, lookup.ca_bundle);
  return folder.empty() ? folder : folder + "/ca.crt";
}

// PATH, and how to get out: everything else is told by flags.
std::vector<std::string> Environment() {
  std::vector<std::string> environment;
  for (const char* const name :
       {"PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "TMPDIR"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr) environment.push_back(fmt::format("{}={}", name, value));
  }
  return environment;
}

std::string ReadFirst(const std::string& path, std::size_t most) {
  std::ifstream file(path, std::ios::binary);
  std::string text(most, '\0');
  file.read(text.data(), static_cast<std::streamsize>(most));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

LookupResult Resolve(const Lookup& lookup, const LookupOptions& options, const std::string& scratch) {
  const std::string report = scratch + "/report";
  const runner::Command command{.argv = ResolveArguments(lookup, options, report),
                                .environment = Environment(),
                                .timeout = kResolveTime};
  const auto finished = runner::Run(command);
  if (!finished) return Failed("PollFailed", finished.error().message);
  if (finished->timed_out) {
    return Failed("GitHostUnreachable", "no answer in time about " + ToString(lookup));
  }
  auto found = ReadResolveReport(ReadFirst(report, kReport));
  if (finished->exit_code == 0 || !found) return found;
  return Failed("PollFailed", fmt::format("resolve ended with {}", finished->exit_code));
}

// crane reads config.json; a Secret of type kubernetes.io/dockerconfigjson calls it otherwise.
std::string DockerConfig(const std::string& mount, const std::string& scratch) {
  std::error_code error;
  if (mount.empty() || fs::exists(mount + "/config.json", error)) return mount;
  fs::create_symlink(mount + "/.dockerconfigjson", scratch + "/config.json", error);
  return error ? mount : scratch;
}

LookupResult Digest(const Lookup& lookup, const LookupOptions& options, const std::string& scratch) {
  const std::string mount = MountOf(options.credentials_folder, lookup.credentials);
  const runner::Registry registry({.credentials_folder = DockerConfig(mount, scratch),
                                   .ca_file = CaFile(lookup, options),
                                   .failed = "PollFailed"});
  const std::string host = lookup.target.substr(0, lookup.target.find('/'));
  const bool insecure =
      std::ranges::find(options.insecure_registries, host) != options.insecure_registries.end();
  auto digest = registry.Digest(lookup.target, insecure);
  if (digest) return Found{std::move(*digest), {}};
  return std::unexpected(LookupFailure{digest.error().reason, digest.error().message});
}

}  // namespace

std::vector<std::string> ResolveArguments(const Lookup& lookup, const LookupOptions& options,
                                          const std::string& report_path) {
  std::vector<std::string> argv{options.program, "resolve", "--url=" + lookup.target};
  if (lookup.semver.empty()) {
    argv.push_back("--revision=" + lookup.revision);
  } else {
    argv.push_back("--semver=" + lookup.semver);
  }
  argv.push_back("--report=" + report_path);
  const std::string mount = MountOf(options.credentials_folder, lookup.credentials);
  if (!mount.empty()) argv.push_back("--credentials=" + mount);
  const std::string ca = CaFile(lookup, options);
  if (!ca.empty()) argv.push_back("--ca=" + ca);
  return argv;
}

LookupResult ReadResolveReport(std::string_view report) {
  const auto json = kube::Json::parse(report, nullptr, false);
  std::string reason = resources::TextAt(json, "reason");
  if (!reason.empty()) return Failed(std::move(reason), resources::TextAt(json, "message"));
  Found found{resources::TextAt(json, "sha"), resources::TextAt(json, "ref")};
  if (!IsFullSha(found.value)) return Failed("PollFailed", "resolve left no commit in its report");
  return found;
}

LookupResult LookUp(const Lookup& lookup, const LookupOptions& options) {
  const Scratch scratch(options.temporary_folder);
  if (scratch.path().empty()) return Failed("PollFailed", "no temporary folder can be made");
  const bool base = lookup.kind == Lookup::Kind::kBase;
  return base ? Digest(lookup, options, scratch.path()) : Resolve(lookup, options, scratch.path());
}

}  // namespace slipway::trigger
