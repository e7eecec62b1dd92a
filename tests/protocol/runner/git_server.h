// A real git server: `git http-backend` behind the test's HTTP server, with a repository to serve.
#pragma once

#include <string>
#include <vector>

#include "protocol/runner/http_server.h"
#include "protocol/runner/scratch.h"
#include "runner/process.h"

namespace slipway::testing {

class GitServer {
 public:
  GitServer() : server_([this](const Request& request) { return Serve(request); }) {}

  // What git printed, without the line end; throws when it fails.
  std::string Git(std::vector<std::string> arguments);
  // Writes files, commits everything, gives the SHA.
  std::string Commit(const std::string& subject);
  std::string File(const std::string& path) const { return scratch_ / ("repo/" + path); }

  std::string url() const { return server_.url() + "/repo/.git"; }
  std::string host() const { return server_.url(); }

  std::string password;            // "Basic …" that is demanded; empty: none
  std::string redirect;            // where every request is sent on to; empty: nowhere
  bool old_protocol = false;       // version 0, which gives no commit that isn't a tip
  std::vector<std::string> asked;  // "METHOD target authorization"

 private:
  Response Serve(const Request& request);
  Response Backend(const Request& request);

  Scratch scratch_;
  HttpServer server_;
};

}  // namespace slipway::testing
