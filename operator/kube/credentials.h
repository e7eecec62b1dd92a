// Who we say we are: a fixed token, a token file that rotates, basic auth, or what a credential plugin
// prints. Nothing of it is ever logged.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "base/time.h"
#include "kube/config.h"

namespace slipway::kube {

namespace asio = boost::asio;

struct Identity {
  std::string authorization;  // the header's value; empty for none
  std::string client_cert_pem;
  std::string client_key_pem;
};

class Credentials {
 public:
  explicit Credentials(const ClientConfig& config);

  // What to present now. A token file is read again every minute, and when Refresh() was called; while it
  // can't be read, or is empty in mid rotation, the last token stays. A plugin is run when its credential
  // expired: kUnauthorized says why it gave none.
  asio::awaitable<Result<Identity>> Get();
  // The server said 401: read again at the next Get, whatever the age.
  void Refresh() { stale_ = true; }

 private:
  void ReadTokenFile(BootTime now);
  asio::awaitable<Result<void>> RunPlugin();

  std::string token_file_;
  std::optional<ExecPlugin> plugin_;
  Identity identity_;
  bool stale_ = true;
  BootTime read_at_{};
  std::optional<TimePoint> expires_;
};

}  // namespace slipway::kube
