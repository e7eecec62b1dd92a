#include "kube/credentials.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/async.h"
#include "base/log.h"
#include "kube/object.h"

extern char** environ;

namespace slipway::kube {
namespace {

constexpr Duration kTokenAge = std::chrono::minutes(1);
constexpr Duration kPluginTime = std::chrono::seconds(30);
constexpr std::size_t kPluginOutput = 1U << 20;
constexpr std::string_view kExecInfo = "KUBERNETES_EXEC_INFO";

std::string Base64(const std::string& text) {
  std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return encoded;
}

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const auto& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Environment(const ExecPlugin& plugin) {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    // Of two variables of one name getenv() finds the first: what is set for the plugin replaces ours.
    const std::string_view text = *variable;
    const std::string name(text.substr(0, text.find('=')));
    if (name != kExecInfo && !plugin.env.contains(name)) all.emplace_back(text);
  }
  for (const auto& [name, value] : plugin.env) all.push_back(name + "=" + value);
  all.push_back(
      fmt::format(R"({}={{"apiVersion":"{}","kind":"ExecCredential","spec":{{"interactive":false}}}})",
                  kExecInfo, plugin.api_version));
  return all;
}

// Reads until the other end closes; false at the deadline or beyond the cap.
bool ReadUntilClosed(int fd, BootTime deadline, std::string& text) {
  char buffer[4096];
  for (;;) {
    const auto left = deadline - BootClock::now();
    pollfd ready{fd, POLLIN, 0};
    if (left <= Duration(0) || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
    const ssize_t n = ::read(fd, buffer, sizeof(buffer));
    if (n <= 0) return n == 0;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kPluginOutput) return false;
  }
}

// Runs the plugin to its end, in at most kPluginTime. Blocks; gives its standard output.
Result<std::string> RunBlocking(const ExecPlugin& plugin) {
  int out[2];
  if (::pipe2(out, O_CLOEXEC) != 0)
    return Fail(ErrorKind::kUnauthorized, "no pipe for the credential plugin");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  std::vector<std::string> argv{plugin.command};
  argv.insert(argv.end(), plugin.args.begin(), plugin.args.end());
  const auto environment = Environment(plugin);
  pid_t pid = 0;
  const int failed = ::posix_spawnp(&pid, plugin.command.c_str(), &actions, nullptr, Pointers(argv).data(),
                                    Pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  std::string text;
  const bool whole = failed == 0 && ReadUntilClosed(out[0], BootClock::now() + kPluginTime, text);
  ::close(out[0]);
  if (failed != 0) {
    return Fail(ErrorKind::kUnauthorized,
                fmt::format("the credential plugin {} can't be started", plugin.command));
  }
  if (!whole) ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (!whole || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Fail(ErrorKind::kUnauthorized,
                fmt::format("the credential plugin {} failed, or took longer than 30 s", plugin.command));
  }
  return text;
}

std::string Text(const Json& object, const Json::json_pointer& path) {
  return object.contains(path) && object[path].is_string() ? object[path].get<std::string>() : std::string();
}

}  // namespace

Credentials::Credentials(const ClientConfig& config) : token_file_(config.token_file), plugin_(config.exec) {
  if (!config.token.empty()) {
    identity_.authorization = "Bearer " + config.token;
  } else if (!config.username.empty()) {
    identity_.authorization = "Basic " + Base64(config.username + ":" + config.password);
  }
  identity_.client_cert_pem = config.client_cert_pem;
  identity_.client_key_pem = config.client_key_pem;
}

void Credentials::ReadTokenFile(BootTime now) {
  // The kubelet swaps a symbolic link: one read sees the old file or the new one whole.
  std::ifstream file(token_file_);
  std::string token;
  std::getline(file, token);
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (token.empty()) {
    log::warn("the token file {} is empty or can't be read: the last token stays", token_file_);
  } else {
    identity_.authorization = "Bearer " + token;
  }
  read_at_ = now;
}

asio::awaitable<Result<void>> Credentials::RunPlugin() {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer done(executor, asio::steady_timer::time_point::max());
  Result<std::string> output = Fail(ErrorKind::kCancelled, "");
  // The loop goes on while the plugin runs on a thread of its own; its end is waited for even when cancelled,
  // and a cancellation that came meanwhile stays to be read by the caller.
  co_await asio::this_coro::throw_if_cancelled(false);
  bool over = false;
  std::thread worker([&] {
    output = RunBlocking(*plugin_);
    asio::post(executor, [&] {
      over = true;
      done.cancel();
    });
  });
  boost::system::error_code ignored;
  while (!over) co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  worker.join();
  if (!output) co_return std::unexpected(output.error());

  const Json credential = Json::parse(*output, nullptr, false);
  const std::string token = Text(credential, Json::json_pointer("/status/token"));
  const std::string certificate = Text(credential, Json::json_pointer("/status/clientCertificateData"));
  const std::string key = Text(credential, Json::json_pointer("/status/clientKeyData"));
  if (token.empty() && (certificate.empty() || key.empty())) {
    co_return Fail(
        ErrorKind::kUnauthorized,
        fmt::format("the credential plugin {} printed no ExecCredential with a token or a certificate",
                    plugin_->command));
  }
  if (!token.empty()) identity_.authorization = "Bearer " + token;
  if (!certificate.empty()) {
    identity_.client_cert_pem = certificate;
    identity_.client_key_pem = key;
  }
  expires_ = ParseTime(Text(credential, Json::json_pointer("/status/expirationTimestamp")));
  co_return Result<void>();
}

asio::awaitable<Result<Identity>> Credentials::Get() {
  const SystemClock clock;
  if (plugin_ && (stale_ || (expires_ && *expires_ <= clock.Now()))) {
    const auto ran = co_await RunPlugin();
    if (!ran) co_return std::unexpected(ran.error());
  }
  if (!token_file_.empty() && (stale_ || clock.Boot() - read_at_ >= kTokenAge)) ReadTokenFile(clock.Boot());
  stale_ = false;
  co_return identity_;
}

}  // namespace slipway::kube
