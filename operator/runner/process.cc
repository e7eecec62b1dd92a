#include "runner/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace slipway::runner {
namespace {

using Clock = std::chrono::steady_clock;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { Close(); }
  void Close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Fail(ErrorKind::kTransient, fmt::format("no pipe: {}", std::strerror(errno)));
  }
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  // exec's signature is older than const; neither it nor we write through these.
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

// In a process group of its own, so that git's helpers (git-remote-https, index-pack) end with it.
Result<pid_t> Spawn(const Command& command, int out, int errors) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  // Not where we are: a folder with a .git in it would bring a configuration that nobody chose.
  posix_spawn_file_actions_addchdir_np(&actions, "/");
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);

  const std::vector<char*> argv = Pointers(command.argv);
  const std::vector<char*> environment = Pointers(command.environment);
  pid_t pid = 0;
  const int failure = ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failure != 0) {
    return Fail(ErrorKind::kInvalid,
                fmt::format("'{}' can't be started: {}", command.argv[0], std::strerror(failure)));
  }
  return pid;
}

// Reads what is there now. False at the end of the stream.
bool Drain(int fd, std::string& into) {
  std::array<char, 16384> buffer{};
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  if (got > 0) into.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && errno == EINTR);
}

void KeepFirst(Finished& finished, std::size_t most) {
  if (finished.output.size() <= most) return;
  finished.output.resize(most);
  finished.output_cut = true;
}

void KeepLast(std::string& text, std::size_t most) {
  if (text.size() > most) text.erase(0, text.size() - most);
}

// Reads both streams until they end, or the deadline.
void Collect(Pipe& out, Pipe& errors, const Command& command, Clock::time_point deadline,
             Finished& finished) {
  while (out.read.get() >= 0 || errors.read.get() >= 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      finished.timed_out = true;
      return;
    }
    // poll passes over negative descriptors.
    std::array<pollfd, 2> fds{pollfd{out.read.get(), POLLIN, 0}, pollfd{errors.read.get(), POLLIN, 0}};
    if (::poll(fds.data(), fds.size(), static_cast<int>(left.count())) < 0 && errno != EINTR) return;
    if (fds[0].revents != 0 && !Drain(fds[0].fd, finished.output)) out.read.Close();
    if (fds[1].revents != 0 && !Drain(fds[1].fd, finished.errors)) errors.read.Close();
    KeepFirst(finished, command.most_output);
    KeepLast(finished.errors, command.most_output);
  }
}

// A child may close its streams and go on: its end has the same deadline as its output.
int Await(pid_t pid, Clock::time_point deadline, Finished& finished) {
  int status = 0;
  while (!finished.timed_out) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) return status;
    if (ended < 0 && errno != EINTR) return status;
    if (Clock::now() >= deadline) finished.timed_out = true;
    ::poll(nullptr, 0, 2);
  }
  ::kill(-pid, SIGKILL);
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Result<Finished> Run(const Command& command) {
  Result<Pipe> out = MakePipe();
  if (!out) return std::unexpected(out.error());
  Result<Pipe> errors = MakePipe();
  if (!errors) return std::unexpected(errors.error());
  const Result<pid_t> pid = Spawn(command, out->write.get(), errors->write.get());
  if (!pid) return std::unexpected(pid.error());
  out->write.Close();
  errors->write.Close();

  Finished finished;
  const auto deadline = Clock::now() + command.timeout;
  Collect(*out, *errors, command, deadline, finished);
  const int status = Await(*pid, deadline, finished);
  finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

}  // namespace slipway::runner
