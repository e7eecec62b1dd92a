// A registry of the test's own on the loopback (docker-registry, with files in a scratch folder), and crane
// to look into it. Its end is the object's.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "protocol/runner/scratch.h"
#include "support/certificates.h"

namespace slipway::testing {

// Puts the test bed's crane into PATH. Throws, with words of what to do, when it can't be had.
void FindCrane();

class RegistryServer {
 public:
  enum class Users { kAnyone, kAda };

  explicit RegistryServer(Users users = Users::kAnyone, const KeyPair* tls = nullptr);
  RegistryServer(const RegistryServer&) = delete;
  RegistryServer& operator=(const RegistryServer&) = delete;
  ~RegistryServer();

  const std::string& host() const { return host_; }  // 127.0.0.1:PORT
  std::string operator/(const std::string& below) const { return host_ + "/" + below; }

  // What crane prints, with Ada's rights; throws when it fails.
  std::string Crane(std::vector<std::string> arguments) const;
  bool Has(const std::string& image) const;

  // Puts an image of one layer with one file there, and gives its digest.
  std::string Make(const std::string& image, const std::string& content,
                   const std::string& platform = "linux/amd64") const;
  // The image's tarball, in a scratch file.
  std::string Pull(const std::string& image, const std::string& name) const;

  // A folder with a Docker config that gives Ada's password (or this one) to a host or repository.
  std::string Credentials(const std::string& name, const std::string& key,
                          const std::string& password = kPassword) const;

  static constexpr const char* kPassword = "secret-pw";

 private:
  void Start(const std::string& config);

  Scratch scratch_;
  std::string host_;
  std::string environment_;
  bool tls_ = false;
  pid_t pid_ = -1;
};

}  // namespace slipway::testing
