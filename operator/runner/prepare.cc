#include "runner/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"
#include "runner/docker_config.h"
#include "runner/facts.h"
#include "runner/registry.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostReported = 8;
constexpr std::size_t kMostReportBytes = 1536;
constexpr std::size_t kMostImages = 64;
constexpr std::uintmax_t kMostBytes = 1024UL * 1024;

std::unexpected<RegistryFailure> Failed(std::string_view message) {
  return std::unexpected(MakeRegistryFailure(kRegistryFailed, "PrepareFailed", message));
}

std::unexpected<RegistryFailure> Invalid(const DockerfileError& error) {
  const std::string place = error.line == 0 ? "the Dockerfile" : fmt::format("Dockerfile:{}", error.line);
  return std::unexpected(MakeRegistryFailure(kDockerfileInvalid, "DockerfileInvalid",
                                             fmt::format("{}: {}", place, error.message)));
}

// None when it is no file, or larger than anything of the kind is.
std::optional<std::string> Bytes(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error) || fs::file_size(path, error) > kMostBytes || error) {
    return std::nullopt;
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

// Below the source, symbolic links followed: a repository must not make us read what is not its own.
RegistryResult<std::string> Dockerfile(const PrepareOptions& options) {
  std::error_code error;
  const fs::path root = fs::canonical(options.source, error);
  if (error) return Failed(fmt::format("there is no folder '{}'", options.source));
  const fs::path found = fs::canonical(root / options.context_dir / options.dockerfile, error);
  const bool inside = !error && std::ranges::mismatch(root, found).in1 == root.end();
  if (inside) {
    if (auto text = Bytes(found)) return *std::move(text);
  }
  return Invalid({0, fmt::format("there is no file '{}' of at most 1 MiB in the folder '{}'",
                                 options.dockerfile, options.context_dir)});
}

RegistryResult<std::optional<std::string>> Config(const std::string& folder, std::string_view whose) {
  if (folder.empty()) return std::nullopt;
  auto text = Bytes(fs::path(folder) / "config.json");
  if (!text) return Failed(fmt::format("the credentials of {} have no readable config.json", whose));
  return text;
}

// Whole or not at all, also when an earlier try left one: the old one may not be writable.
RegistryResult<> Write(const fs::path& path, std::string_view bytes, fs::perms permissions) {
  const fs::path draft = path.string() + ".new";
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  fs::remove(draft, error);
  std::ofstream file(draft, std::ios::binary | std::ios::trunc);
  fs::permissions(draft, permissions, error);
  file << bytes;
  file.close();
  if (file) fs::rename(draft, path, error);
  if (!file || error) return Failed(fmt::format("the file '{}' can't be written", path.string()));
  return {};
}

RegistryResult<> WriteConfig(const PrepareOptions& options) {
  auto base = Config(options.base_credentials, "the base images");
  if (!base) return std::unexpected(base.error());
  auto cache = Config(options.cache_credentials, "the cache");
  if (!cache) return std::unexpected(cache.error());
  const auto merged = MergeDockerConfigs({*std::move(base), *std::move(cache), options.cache_repository});
  if (!merged) return Failed(merged.error());
  return Write(fs::path(options.docker_config) / "config.json", *merged, fs::perms::owner_read);
}

RegistryResult<> WriteTools(const PrepareOptions& options, const std::optional<BaseImage>& base) {
  std::error_code error;
  fs::path program = options.entrypoint;
  if (program.empty())
    program = fs::read_symlink("/proc/self/exe", error).parent_path() / "slipway-entrypoint";
  std::ifstream file(program, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file || bytes.empty()) return Failed(fmt::format("there is no program '{}'", program.string()));
  const fs::perms readable = fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read;
  const fs::perms executable =
      readable | fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
  const fs::path tools = options.tools;
  if (auto written = Write(tools / "entrypoint", bytes, executable); !written) return written;
  return Write(tools / "arguments", KanikoArguments(options, base, AuthorTimeIn(options.facts)), readable);
}

// The same failure, told of a base image.
RegistryFailure OfBase(RegistryFailure failure, const DockerfileImage& image) {
  if (failure.exit_code == kImageNotFound) failure.reason = "BaseImageNotFound";
  if (failure.exit_code == kRegistryDenied) failure.reason = "BaseImageDenied";
  failure.message = fmt::format("Dockerfile:{}: {}", image.line, failure.message);
  return MakeRegistryFailure(failure.exit_code, failure.reason, failure.message);
}

RegistryResult<std::vector<BaseImage>> Lookup(const PrepareOptions& options,
                                              const std::vector<DockerfileImage>& images) {
  const Registry registry({options.base_credentials, options.ca_file, "PrepareFailed"});
  std::vector<BaseImage> bases;
  for (const DockerfileImage& image : images) {
    // A digest needs no lookup: it says what it is.
    if (!image.image.digest.empty()) {
      bases.push_back({image.image, image.image.digest});
      continue;
    }
    const auto& hosts = options.insecure_registries;
    const bool insecure = std::ranges::find(hosts, HostOf(image.image.repository)) != hosts.end();
    auto digest = registry.Digest(ToString(image.image), insecure);
    if (!digest) return std::unexpected(OfBase(digest.error(), image));
    bases.push_back({image.image, *std::move(digest)});
  }
  return bases;
}

std::string Report(const std::vector<BaseImage>& bases) {
  nlohmann::json list = nlohmann::json::array();
  std::size_t bytes = std::string_view(R"({"bases":[]})").size();
  for (const BaseImage& base : bases) {
    nlohmann::json entry = {{"image", ToString(base.image)}, {"digest", base.digest}};
    bytes += entry.dump().size() + 1;
    if (list.size() == kMostReported || bytes > kMostReportBytes) break;
    list.push_back(std::move(entry));
  }
  return nlohmann::json{{"bases", std::move(list)}}.dump();
}

RegistryResult<std::string> Prepare(const PrepareOptions& options) {
  const auto text = Dockerfile(options);
  if (!text) return std::unexpected(text.error());
  const auto read = ReadBases(*text, options.build_args, options.target);
  if (!read) return Invalid(read.error());
  if (read->images.size() > kMostImages) {
    return Invalid({0, fmt::format("it names more than {} images", kMostImages)});
  }
  const auto bases = Lookup(options, read->images);
  if (!bases) return std::unexpected(bases.error());
  const auto base = read->base ? std::optional((*bases)[*read->base]) : std::nullopt;
  if (auto written = WriteConfig(options); !written) return std::unexpected(written.error());
  if (auto written = WriteTools(options, base); !written) return std::unexpected(written.error());
  return Report(*bases);
}

}  // namespace

std::string KanikoArguments(const PrepareOptions& options, const std::optional<BaseImage>& base,
                            const std::optional<TimePoint>& written) {
  constexpr std::string_view kPrefix = "org.opencontainers.image.";
  std::vector<std::string> labels = options.labels;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) labels.push_back(fmt::format("{}{}={}", kPrefix, name, value));
  };
  add("revision", options.commit);
  // Not when it was built, which would make every build another image.
  if (written) add("created", FormatTime(*written));
  if (base) {
    // The name is what a newer base would be looked for under: it has no digest.
    ImageReference name = base->image;
    if (!name.tag.empty()) name.digest.clear();
    add("base.name", ToString(name));
    add("base.digest", base->digest);
  }
  std::string out;
  for (const std::string& label : labels) {
    out += "--label=" + label;
    out += '\0';
  }
  return out;
}

int RunPrepare(const PrepareOptions& options) {
  return ReportRegistry("prepare", Prepare(options), options.report_path);
}

}  // namespace slipway::runner
