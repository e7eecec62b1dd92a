#include "protocol/runner/git_server.h"

#include <cstdlib>
#include <utility>

namespace slipway::testing {
namespace {

std::vector<std::string> Environment() {
  return {std::string("PATH=") + std::getenv("PATH"),
          "HOME=/nonexistent",
          "GIT_CONFIG_NOSYSTEM=1",
          "GIT_CONFIG_GLOBAL=/dev/null",
          "GIT_AUTHOR_NAME=Ada \"the first\" Lovelace",
          "GIT_AUTHOR_EMAIL=ada@slipway.test",
          "GIT_AUTHOR_DATE=2026-01-02T03:04:05+01:00",
          "GIT_COMMITTER_NAME=Test",
          "GIT_COMMITTER_EMAIL=test@slipway.test"};
}

// What a CGI program printed.
Response FromCgi(const std::string& printed) {
  Response response = Answer(200, "");
  std::size_t at = 0;
  while (true) {
    const std::size_t end = printed.find("\r\n", at);
    if (end == std::string::npos) return Answer(500, "the backend printed no header");
    const std::string line = printed.substr(at, end - at);
    at = end + 2;
    if (line.empty()) break;
    const std::size_t colon = line.find(": ");
    if (line.starts_with("Status: ")) {
      response.result(static_cast<unsigned>(std::stoi(line.substr(8))));
    } else {
      response.set(line.substr(0, colon), line.substr(colon + 2));
    }
  }
  response.body() = printed.substr(at);
  return response;
}

}  // namespace

std::string GitServer::Git(std::vector<std::string> arguments, const std::string& repository) {
  runner::Command command;
  command.argv = {"git", "-C", scratch_ / repository};
  std::filesystem::create_directories(command.argv.back());
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = Environment();
  const auto finished = runner::Run(command);
  if (!finished || finished->exit_code != 0) {
    throw std::runtime_error(finished ? finished->errors : finished.error().message);
  }
  return finished->output.substr(0, finished->output.find('\n'));
}

std::string GitServer::Commit(const std::string& subject, const std::string& repository) {
  Init(repository);
  Git({"add", "--all"}, repository);
  Git({"commit", "--quiet", "--allow-empty", "--message=" + subject}, repository);
  return Git({"rev-parse", "HEAD"}, repository);
}

void GitServer::Init(const std::string& repository) {
  if (std::filesystem::exists(File(".git", repository))) return;
  Git({"init", "--quiet", "--initial-branch=main"}, repository);
}

void GitServer::AddSubmodule(const std::string& path, const std::string& url, const std::string& commit,
                             const std::string& repository) {
  Init(repository);
  std::filesystem::create_directories(File(path, repository));  // else `add --all` takes the entry away
  const std::string file = File(".gitmodules", repository);
  Put(file, Contents(file) + "[submodule \"" + path + "\"]\n\tpath = " + path + "\n\turl = " + url + "\n");
  Git({"update-index", "--add", "--cacheinfo", "160000," + commit + "," + path}, repository);
}

Response GitServer::Serve(const Request& request) {
  const std::string authorization(request[http::field::authorization]);
  asked.push_back(std::string(request.method_string()) + " " + std::string(request.target()) + " " +
                  authorization);
  if (broken != 0) return Answer(broken, "");
  if (!redirect.empty()) {
    Response response = Answer(302, "");
    response.set(http::field::location, redirect + std::string(request.target()));
    return response;
  }
  if (authorization == password) return Backend(request);
  Response response = Answer(401, "");
  response.set(http::field::www_authenticate, "Basic realm=\"git\"");
  return response;
}

Response GitServer::Backend(const Request& request) {
  const std::string target(request.target());
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::string body = scratch_ / "body";
  Put(body, request.body());
  runner::Command command;
  command.argv = {"sh", "-c", "exec git http-backend <\"$0\"", body};
  command.environment = Environment();
  const auto add = [&](std::string name, std::string_view value) {
    command.environment.push_back(std::move(name) + "=" + std::string(value));
  };
  add("GIT_PROJECT_ROOT", scratch_ / "");
  add("GIT_HTTP_EXPORT_ALL", "1");
  add("PATH_INFO", target.substr(0, question));
  add("QUERY_STRING", question < target.size() ? target.substr(question + 1) : "");
  add("REQUEST_METHOD", std::string(request.method_string()));
  add("CONTENT_TYPE", std::string(request[http::field::content_type]));
  add("CONTENT_LENGTH", std::to_string(request.body().size()));
  add("HTTP_CONTENT_ENCODING", std::string(request[http::field::content_encoding]));
  if (!old_protocol) add("GIT_PROTOCOL", std::string(request["Git-Protocol"]));
  const auto finished = runner::Run(command);
  if (!finished) return Answer(500, finished.error().message);
  return FromCgi(finished->output);
}

}  // namespace slipway::testing
