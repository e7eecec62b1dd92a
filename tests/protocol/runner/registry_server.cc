#include "protocol/runner/registry_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "runner/process.h"
#include "support/kubectl.h"

namespace slipway::testing {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(name) + "=" + value;
}

std::string Do(std::vector<std::string> argv, std::vector<std::string> environment) {
  runner::Command command{std::move(argv), std::move(environment), std::chrono::seconds(60), 1UL << 20U};
  const auto finished = runner::Run(command);
  if (!finished || finished->exit_code != 0) {
    throw std::runtime_error(command.argv[0] + ": " +
                             (finished ? finished->errors : finished.error().message));
  }
  std::string out = finished->output;
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

// bcrypt of "secret-pw".
constexpr std::string_view kUsers = "ada:$2y$05$abcdefghijklmnopqrstuutaz/SHXsrvqy/ChnunBIcMuq4PCR.gG\n";

}  // namespace

void FindCrane() {
  static const std::string found = [] {
    try {
      std::vector<std::string> environment{Variable("PATH"), Variable("HOME")};
      for (const char* name : {"SLIPWAY_CACHE", "XDG_CACHE_HOME"}) {
        if (const std::string set = Variable(name); !set.empty()) environment.push_back(set);
      }
      return Do({SourcePath("hack/cluster"), "tool", "crane"}, environment);
    } catch (const std::exception& error) {
      throw std::runtime_error(std::string("these tests need crane: run `hack/cluster tool crane`; ") +
                               error.what());
    }
  }();
  const std::string folder = std::filesystem::path(found).parent_path().string();
  const std::string path = std::getenv("PATH");
  if (!path.starts_with(folder + ":")) ::setenv("PATH", (folder + ":" + path).c_str(), 1);
}

RegistryServer::RegistryServer(Users users, const KeyPair* tls) : tls_(tls != nullptr) {
  FindCrane();
  std::string config = "version: 0.1\nlog: {level: info, accesslog: {disabled: true}}\n";
  config += fmt::format("storage: {{filesystem: {{rootdirectory: {}}}}}\n", scratch_ / "files");
  if (users == Users::kAda) {
    Put(scratch_ / "users", std::string(kUsers));
    config += fmt::format("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", scratch_ / "users");
  }
  config += "http:\n  addr: 127.0.0.1:0\n";
  if (tls_) {
    Put(scratch_ / "tls.crt", tls->certificate_pem);
    Put(scratch_ / "tls.key", tls->key_pem);
    config +=
        fmt::format("  tls: {{certificate: {}, key: {}}}\n", scratch_ / "tls.crt", scratch_ / "tls.key");
  }
  Start(config);
  environment_ = "DOCKER_CONFIG=" + Credentials("own", host_);
}

RegistryServer::~RegistryServer() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void RegistryServer::Start(const std::string& config) {
  const std::string file = scratch_ / "config.yaml";
  const std::string log = scratch_ / "log";
  Put(file, config);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  std::array<std::string, 3> words{"docker-registry", "serve", file};
  std::array<char*, 4> argv{words[0].data(), words[1].data(), words[2].data(), nullptr};
  const int failure = ::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) throw std::runtime_error("these tests need the Debian package docker-registry");
  constexpr std::string_view kListens = "listening on ";
  for (int i = 0; i < 1000; ++i) {
    const std::string said = Contents(log);
    const std::size_t at = said.find(kListens);
    const std::size_t end = said.find_first_of("\",", at + kListens.size());
    if (at != std::string::npos && end != std::string::npos) {
      host_ = said.substr(at + kListens.size(), end - at - kListens.size());
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  throw std::runtime_error("docker-registry does not listen: " + Contents(log));
}

std::string RegistryServer::Crane(std::vector<std::string> arguments) const {
  std::vector<std::string> argv{"crane"};
  if (tls_) argv.emplace_back("--insecure");
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return Do(argv, {Variable("PATH"), "HOME=/nonexistent", environment_});
}

bool RegistryServer::Has(const std::string& image) const {
  try {
    return !Crane({"digest", image}).empty();
  } catch (const std::runtime_error&) {
    return false;
  }
}

std::string RegistryServer::Make(const std::string& image, const std::string& content,
                                 const std::string& platform) const {
  Put(scratch_ / "layer/file", content);
  Do({"tar", "-C", scratch_ / "layer", "-cf", scratch_ / "layer.tar", "file"}, {Variable("PATH")});
  Crane({"append", "--new_layer=" + (scratch_ / "layer.tar"), "--new_tag=" + image});
  Crane({"mutate", image, "--set-platform=" + platform, "--tag=" + image});
  return Crane({"digest", image});
}

std::string RegistryServer::Pull(const std::string& image, const std::string& name) const {
  Crane({"pull", image, scratch_ / name});
  return scratch_ / name;
}

std::string RegistryServer::Credentials(const std::string& name, const std::string& key,
                                        const std::string& password) const {
  Put(scratch_ / (name + "/config.json"),
      fmt::format(R"({{"auths":{{"{}":{{"username":"ada","password":"{}"}}}}}})", key, password));
  return scratch_ / name;
}

}  // namespace slipway::testing
