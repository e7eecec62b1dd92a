// What `index` and `push` write for crane: a folder of OCI's image layout, and the digests in it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace slipway::runner {

std::string Sha256(std::string_view bytes);  // sha256:…

// Below the system's place for such, gone with this.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  // False: it can't be.
  bool Write(const std::filesystem::path& below, std::string_view bytes) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace slipway::runner
