#include "runner/image_tar.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

namespace slipway::runner {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kBlock = 512;
constexpr std::size_t kMostFiles = 2048;
constexpr std::uint64_t kMostManifest = 1024UL * 1024;
constexpr std::uint64_t kMostSize = 1ULL << 50U;
constexpr std::string_view kManifestName = "manifest.json";
constexpr std::string_view kForged =
    "it is not as the build writes it: a step of the Dockerfile wrote over it. Nothing was pushed: take that "
    "step out";

using Block = std::array<char, kBlock>;

TarFault Invalid(std::string_view what) {
  return {"ImageTarInvalid", fmt::format("the image's tar: {}; {}", what, kForged)};
}

std::string_view Field(const Block& block, std::size_t from, std::size_t size) {
  return {block.data() + from, size};
}

std::optional<std::uint64_t> Digits(std::string_view text, unsigned base) {
  std::uint64_t value = 0;
  if (text.empty()) return std::nullopt;
  for (const char c : text) {
    const auto digit = static_cast<unsigned>(c - '0');
    if (c < '0' || digit >= base) return std::nullopt;
    value = value * base + digit;
    if (value > kMostSize) return std::nullopt;
  }
  return value;
}

bool SumHolds(const Block& block) {
  constexpr std::size_t kAt = 148;
  constexpr std::size_t kSize = 8;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kAt && i < kAt + kSize;
    sum += own ? static_cast<unsigned char>(' ') : static_cast<unsigned char>(block[i]);
  }
  const auto told = Digits(Field(block, kAt, 6), 8);
  return told == sum;
}

// A header that every reader reads alike: USTAR's, without a prefix, with a name of which no path can be
// made.
struct Header {
  std::string name;
  char type = 0;
  std::uint64_t size = 0;
};

std::optional<Header> ReadHeader(const Block& block) {
  constexpr std::string_view kMagic(
      "ustar\0"
      "00",
      8);
  const std::string_view rest = Field(block, 345, kBlock - 345);
  if (!SumHolds(block) || Field(block, 257, 8) != kMagic) return std::nullopt;
  if (rest.find_first_not_of('\0') != std::string_view::npos) return std::nullopt;
  const std::string_view name = Field(block, 0, 100);
  const std::size_t end = name.find('\0');
  if (end == std::string_view::npos || name.find_first_not_of('\0', end) != std::string_view::npos) {
    return std::nullopt;
  }
  const auto size = Digits(Field(block, 124, 11), 8);
  if (!size || block[135] != '\0') return std::nullopt;
  return Header{std::string(name.substr(0, end)), block[156], *size};
}

bool IsName(std::string_view name) {
  return !name.empty() && name.front() != '.' && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
           c == '.' || c == '-' || c == '_';
  });
}

// What USTAR's field can't hold: "21 size=123456789012\n", and nothing else.
std::optional<std::uint64_t> SizeRecord(std::string_view text) {
  const std::size_t blank = text.find(' ');
  constexpr std::string_view kKey = "size=";
  if (blank == std::string_view::npos || Digits(text.substr(0, blank), 10) != text.size()) {
    return std::nullopt;
  }
  text.remove_prefix(blank + 1);
  if (!text.starts_with(kKey) || !text.ends_with('\n')) return std::nullopt;
  return Digits(text.substr(kKey.size(), text.size() - kKey.size() - 1), 10);
}

class File {
 public:
  explicit File(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) {
    struct stat found{};
    if (fd_ >= 0 && ::fstat(fd_, &found) == 0 && S_ISREG(found.st_mode)) {
      size_ = static_cast<std::uint64_t>(found.st_size);
      regular_ = true;
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }

  bool regular() const { return regular_; }
  std::uint64_t size() const { return size_; }

  bool Read(std::uint64_t at, char* into, std::size_t size) const {
    while (size > 0) {
      const ssize_t got = ::pread(fd_, into, size, static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      at += static_cast<std::uint64_t>(got);
      into += got;
      size -= static_cast<std::size_t>(got);
    }
    return true;
  }

 private:
  int fd_;
  bool regular_ = false;
  std::uint64_t size_ = 0;
};

class Tar {
 public:
  explicit Tar(const File& file) : file_(file) {}

  std::optional<TarFault> Judge() && {
    while (files_.size() <= kMostFiles) {
      Block block{};
      if (!file_.Read(at_, block.data(), kBlock)) return Invalid("it ends before its end");
      if (Empty(block)) return AtTheEnd();
      if (auto fault = Take(block)) return fault;
    }
    return Invalid(fmt::format("it has more than {} files", kMostFiles));
  }

 private:
  static bool Empty(const Block& block) {
    return Field(block, 0, kBlock).find_first_not_of('\0') == std::string_view::npos;
  }

  std::optional<TarFault> AtTheEnd() {
    Block block{};
    if (!file_.Read(at_ + kBlock, block.data(), kBlock) || !Empty(block)) {
      return Invalid("its end is not one");
    }
    if (!manifest_) return Invalid("there is no manifest.json in it");
    return FaultOfTarManifest(*manifest_, files_);
  }

  std::optional<TarFault> Take(const Block& block) {
    auto header = ReadHeader(block);
    at_ += kBlock;
    if (!header || header->size > file_.size()) return Invalid("a header of it is none of a plain archive");
    if (header->type == 'x') return TakeSize(header->size);
    if (header->type != '0') return Invalid("it has an entry that is no file");
    if (size_) header->size = *size_;
    size_.reset();
    if (!IsName(header->name)) return Invalid("a name in it is none that the build gives");
    if (!files_.insert(header->name).second) return Invalid("it has two files of one name");
    if (header->name == kManifestName && !Content(header->size, manifest_.emplace())) {
      return Invalid("its manifest.json can't be read");
    }
    return Skip(header->size);
  }

  std::optional<TarFault> TakeSize(std::uint64_t size) {
    std::string text;
    if (size_ || !Content(size, text)) return Invalid("an extended header of it can't be read");
    size_ = SizeRecord(text);
    if (!size_) return Invalid("an extended header of it says more than a size");
    return Skip(size);
  }

  bool Content(std::uint64_t size, std::string& into) const {
    if (size > kMostManifest) return false;
    into.resize(size);
    return file_.Read(at_, into.data(), into.size());
  }

  std::optional<TarFault> Skip(std::uint64_t size) {
    if (size > file_.size() - std::min(at_, file_.size())) return Invalid("a file in it is cut short");
    at_ += (size + kBlock - 1) / kBlock * kBlock;
    return std::nullopt;
  }

  const File& file_;
  std::uint64_t at_ = 0;
  std::optional<std::uint64_t> size_;  // of the next file, where its own header can't tell
  std::set<std::string> files_;
  std::optional<std::string> manifest_;
};

// A URL or a media type says that a layer is to be had from elsewhere.
bool Foreign(const Json& layer) {
  if (!layer.is_object() || layer.contains("urls")) return true;
  const auto type = layer.find("mediaType");
  if (type == layer.end() || !type->is_string()) return true;
  const auto& name = type->get_ref<const std::string&>();
  return name.contains("foreign") || name.contains("nondistributable");
}

TarFault HasForeignLayers() {
  return {"ImageTarHasForeignLayers",
          "the image has layers that are to be had from elsewhere (urls, or a media type that may not be "
          "distributed), so that nobody vouches for what they hold: no tag was set. Build from a base image "
          "whose layers are in its registry"};
}

// Names of manifest.json, each once: Go's reader folds upper and lower case, and takes the last of two.
std::optional<Json> ParseOnce(std::string_view text, bool& twice) {
  std::vector<std::set<std::string>> names;
  const auto note = [&](int, Json::parse_event_t event, const Json& parsed) {
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end && !names.empty()) names.pop_back();
    if (event == Json::parse_event_t::key && !names.empty()) {
      twice = !names.back().insert(parsed.get<std::string>()).second || twice;
    }
    return true;
  };
  Json json = Json::parse(text, note, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::optional<TarFault> FaultOfNames(const Json& image) {
  for (const auto& [name, value] : image.items()) {
    if (name == "Config" || name == "RepoTags" || name == "Layers") continue;
    if (Lower(name) != "layersources") {
      return Invalid("its manifest.json says more of the image than where its parts are");
    }
    const bool foreign = value.is_object() && std::ranges::any_of(value, Foreign);
    if (foreign) return HasForeignLayers();
    return TarFault{
        "ImageTarHasLayerSources",
        fmt::format("the image's tar: its manifest.json has LayerSources, which name layers to be "
                    "pushed in place of those that were scanned; {}",
                    kForged)};
  }
  return std::nullopt;
}

bool IsThere(const Json& name, const std::set<std::string>& files) {
  return name.is_string() && files.contains(name.get_ref<const std::string&>());
}

}  // namespace

std::optional<TarFault> FaultOfTar(const std::string& path) {
  const File file(path);
  if (!file.regular()) return Invalid(fmt::format("{} is no file", path));
  return Tar(file).Judge();
}

std::optional<TarFault> FaultOfTarManifest(std::string_view json, const std::set<std::string>& files) {
  bool twice = false;
  const auto manifest = ParseOnce(json, twice);
  if (!manifest || !manifest->is_array() || twice) return Invalid("its manifest.json can't be read");
  const std::size_t images = manifest->size();
  const Json none = Json::object();
  const Json& image = images == 1 && manifest->front().is_object() ? manifest->front() : none;
  const auto tags = image.find("RepoTags");
  const bool tagged_twice = tags != image.end() && tags->is_array() && tags->size() > 1;
  if (images > 1 || tagged_twice) {
    return TarFault{"ImageTarHasMoreImages",
                    fmt::format("the image's tar: its manifest.json names more than one image; {}", kForged)};
  }
  if (auto fault = FaultOfNames(image)) return fault;
  const auto layers = image.find("Layers");
  const bool whole = image.contains("Config") && IsThere(image["Config"], files) && layers != image.end() &&
                     layers->is_array() &&
                     std::ranges::all_of(*layers, [&](const Json& layer) { return IsThere(layer, files); });
  if (!whole) return Invalid("its manifest.json names what is not in it");
  return std::nullopt;
}

std::optional<TarFault> ForeignLayers(std::string_view manifest) {
  const Json json = Json::parse(manifest, nullptr, false);
  const auto layers = json.is_object() ? json.find("layers") : json.end();
  const bool listed = json.is_object() && layers != json.end() && layers->is_array();
  if (listed && std::ranges::none_of(*layers, Foreign)) return std::nullopt;
  return HasForeignLayers();
}

TarFault InconsistentTar(std::string_view said) {
  return {"ImageTarInconsistent",
          fmt::format("the image's tar: its layers are not those that its config names; {}. crane: {}",
                      kForged, said)};
}

}  // namespace slipway::runner
