// A real sshd for the user who runs the test: an inetd-style `sshd -i` for each connection to a loopback
// port. Its keys are made for it, so no machine's configuration and no account is touched. As root it needs
// the empty folder /run/sshd, which the Debian package's service makes, and makes it itself if it is missing.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "protocol/runner/scratch.h"

namespace slipway::testing {

class SshServer {
 public:
  SshServer();
  SshServer(const SshServer&) = delete;
  SshServer& operator=(const SshServer&) = delete;
  ~SshServer();

  // Of a repository's folder on this machine.
  std::string Url(const std::string& folder) const;
  // A line of known_hosts for this server, with its own key or another one.
  std::string KnownHosts(bool own = true) const;
  // A private key; the server lets in whoever has the first.
  std::string ClientKey() const { return Contents(scratch_ / "client"); }
  std::string OtherKey() const { return Contents(scratch_ / "other"); }

 private:
  void Accept();
  void Spawn(int socket);
  void MakeKey(const std::string& name) const;

  Scratch scratch_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::mutex mutex_;
  bool ended_ = false;
  std::vector<pid_t> children_;
  std::thread thread_;
};

}  // namespace slipway::testing
