#include "protocol/runner/git_ssh_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <stdexcept>

#include "runner/process.h"

namespace slipway::testing {
namespace {

namespace asio = boost::asio;

constexpr const char* kSshd = "/usr/sbin/sshd";

std::string UserName() {
  const passwd* const user = ::getpwuid(::geteuid());
  if (user == nullptr) throw std::runtime_error("the test's user has no name, and sshd lets in names only");
  return user->pw_name;
}

std::string PublicKey(const std::string& file) {
  const std::string text = Contents(file);
  return text.substr(0, text.rfind(' '));  // without the comment
}

}  // namespace

SshServer::SshServer() : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {
  if (::access(kSshd, X_OK) != 0) {
    throw std::runtime_error(std::string(kSshd) + " is missing: install openssh-server");
  }
  if (::geteuid() == 0) std::filesystem::create_directories("/run/sshd");
  for (const char* key : {"host", "strange", "client", "other"}) MakeKey(key);
  Put(scratch_ / "authorized_keys", Contents(scratch_ / "client.pub"));
  Put(scratch_ / "config",
      fmt::format("HostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\nStrictModes no\n"
                  "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
                  "AcceptEnv GIT_PROTOCOL\nLogLevel QUIET\nUseDNS no\n",
                  scratch_ / "host", scratch_ / "authorized_keys"));
  thread_ = std::thread([this] { Accept(); });
}

SshServer::~SshServer() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  // A blocked accept is woken by a connection, not by closing its socket under it.
  boost::system::error_code unused;
  asio::ip::tcp::socket(io_).connect(acceptor_.local_endpoint(), unused);
  thread_.join();
  // What is left of them has lost its client, or never had one.
  for (const pid_t child : children_) {
    ::kill(child, SIGTERM);
    ::waitpid(child, nullptr, 0);
  }
}

std::string SshServer::Url(const std::string& folder) const {
  return fmt::format("ssh://{}@127.0.0.1:{}{}", UserName(), acceptor_.local_endpoint().port(), folder);
}

std::string SshServer::KnownHosts(bool own) const {
  return fmt::format("[127.0.0.1]:{} {}\n", acceptor_.local_endpoint().port(),
                     PublicKey(scratch_ / (own ? "host.pub" : "strange.pub")));
}

void SshServer::MakeKey(const std::string& name) const {
  runner::Command command;
  command.argv = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", scratch_ / name};
  command.environment = {std::string("PATH=") + std::getenv("PATH")};
  const auto finished = runner::Run(command);
  if (!finished || finished->exit_code != 0) {
    throw std::runtime_error(finished ? finished->errors : finished.error().message);
  }
}

void SshServer::Accept() {
  while (true) {
    boost::system::error_code error;
    asio::ip::tcp::socket socket(io_);
    acceptor_.accept(socket, error);
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    if (!error) Spawn(socket.native_handle());
  }
}

void SshServer::Spawn(int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, socket, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::string program = kSshd;
  std::string config = scratch_ / "config";
  std::string inetd = "-i";
  std::string file = "-f";
  std::string path = std::string("PATH=") + std::getenv("PATH");
  std::array<char*, 5> argv{program.data(), inetd.data(), file.data(), config.data(), nullptr};
  std::array<char*, 2> environment{path.data(), nullptr};
  pid_t pid = 0;
  if (::posix_spawn(&pid, kSshd, &actions, nullptr, argv.data(), environment.data()) == 0) {
    children_.push_back(pid);
  }
  posix_spawn_file_actions_destroy(&actions);
}

}  // namespace slipway::testing
