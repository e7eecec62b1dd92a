// Certificates for tests, made in the process: nothing that expires lies in the repository.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace slipway::testing {

struct KeyPair {
  std::string certificate_pem;
  std::string key_pem;
};

enum class Validity { kNow, kExpired };

class Authority {
 public:
  explicit Authority(std::string_view name);
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;
  ~Authority();

  const std::string& pem() const { return pem_; }
  // `alternatives` in OpenSSL's words: "IP:127.0.0.1,DNS:localhost".
  KeyPair Issue(std::string_view common_name, std::string_view alternatives,
                Validity validity = Validity::kNow) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::string pem_;
};

}  // namespace slipway::testing
