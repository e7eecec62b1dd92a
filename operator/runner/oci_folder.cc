#include "runner/oci_folder.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cstdlib>
#include <fstream>

namespace slipway::runner {

namespace fs = std::filesystem;

std::string Sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string out = "sha256:";
  for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", digest.at(i));
  return out;
}

TemporaryFolder::TemporaryFolder() {
  std::error_code error;
  std::string name = (fs::temp_directory_path(error) / "slipway-oci-XXXXXX").string();
  if (::mkdtemp(name.data()) != nullptr) path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code unused;
  if (!path_.empty()) fs::remove_all(path_, unused);
}

bool TemporaryFolder::Write(const fs::path& below, std::string_view bytes) const {
  if (path_.empty()) return false;
  std::error_code error;
  fs::create_directories((path_ / below).parent_path(), error);
  std::ofstream file(path_ / below, std::ios::binary);
  file << bytes;
  return static_cast<bool>(file.flush());
}

}  // namespace slipway::runner
