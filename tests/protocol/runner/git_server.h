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

  // The first line that git printed; throws when it fails. In the folder `repository`, as are those below.
  std::string Git(std::vector<std::string> arguments, const std::string& repository = "repo");
  // Commits every file, gives the SHA.
  std::string Commit(const std::string& subject, const std::string& repository = "repo");
  // An entry for `commit` of the repository at `url`, at `path`; the next Commit takes it.
  void AddSubmodule(const std::string& path, const std::string& url, const std::string& commit,
                    const std::string& repository = "repo");
  std::string File(const std::string& path, const std::string& repository = "repo") const {
    return scratch_ / (repository + "/" + path);
  }
  // What the server answers, for a server of another kind that stands before this one.
  Response Serve(const Request& request);

  std::string url() const { return server_.url() + "/repo/.git"; }
  std::string host() const { return server_.url(); }

  std::string password;            // "Basic …" that is demanded; empty: none
  std::string redirect;            // where every request is sent on to; empty: nowhere
  unsigned broken = 0;             // the status that every request gets; 0: it works
  bool old_protocol = false;       // version 0, which gives no commit that isn't a tip
  std::vector<std::string> asked;  // "METHOD target authorization"

 private:
  void Init(const std::string& repository);
  Response Backend(const Request& request);

  Scratch scratch_;
  HttpServer server_;
};

}  // namespace slipway::testing
