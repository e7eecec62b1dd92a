// slipway-entrypoint: runs Kaniko and tells how it went. Static, because it runs in Kaniko's image, which has
// neither a shell nor libraries, from a mounted folder; as process 1 of its container it reaps whatever is
// left to it.
//
//   slipway-entrypoint --report=FILE [--arguments=FILE] -- PROGRAM ARGS…
//
// PROGRAM gets ARGS and then those of the arguments file, which are separated by NUL. Its standard output and
// error come through here in the order in which they were written, on standard output. The report:
// kaniko_log.h. Signals that ask for an end go on to PROGRAM. Ends with PROGRAM's exit code, 128 and the
// signal's number when a signal ended it, 127 when it can't be started, 2 for flags that can't be read.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "runner/kaniko_log.h"

namespace {

using slipway::runner::KanikoLog;

constexpr int kBadFlags = 2;
constexpr int kNotStarted = 127;
constexpr int kSignalled = 128;
constexpr int kLastReads = 64;
constexpr std::size_t kMostArguments = 1024UL * 1024;

struct Options {
  std::string report;
  std::string arguments;
  std::vector<std::string> command;
};

void WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    // Nobody reads: the program must not stop for that.
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Complain(const std::string& words) { WriteAll(STDERR_FILENO, "slipway-entrypoint: " + words + "\n"); }

bool ReadFlags(int argc, char** argv, Options& options) {
  constexpr std::string_view kReport = "--report=";
  constexpr std::string_view kArguments = "--arguments=";
  int at = 1;
  for (; at < argc; ++at) {
    const std::string_view flag = argv[at];
    if (flag == "--") break;
    if (flag.starts_with(kReport)) {
      options.report = flag.substr(kReport.size());
    } else if (flag.starts_with(kArguments)) {
      options.arguments = flag.substr(kArguments.size());
    } else {
      return false;
    }
  }
  for (++at; at < argc; ++at) options.command.emplace_back(argv[at]);
  return !options.report.empty() && !options.command.empty();
}

// Adds what the file holds to the command.
bool ReadArguments(const std::string& path, std::vector<std::string>& command) {
  if (path.empty()) return true;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  std::string text;
  std::array<char, 4096> buffer{};
  ssize_t got = 0;
  while ((got = ::read(fd, buffer.data(), buffer.size())) != 0 && text.size() <= kMostArguments) {
    if (got < 0 && errno != EINTR) break;
    if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  if (got != 0) return false;
  for (std::size_t from = 0; from < text.size();) {
    std::size_t end = text.find('\0', from);
    if (end == std::string::npos) end = text.size();
    command.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return true;
}

sigset_t Handled() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD}) {
    sigaddset(&set, signal);
  }
  return set;
}

[[noreturn]] void Become(const std::vector<std::string>& command, int output) {
  ::signal(SIGPIPE, SIG_DFL);
  const sigset_t handled = Handled();
  ::sigprocmask(SIG_UNBLOCK, &handled, nullptr);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  std::vector<char*> argv;
  // exec's signature is older than const; neither it nor we write through these.
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  Complain("'" + command[0] + "' can't be started: " + std::strerror(errno));
  ::_exit(kNotStarted);
}

class Supervisor {
 public:
  Supervisor(pid_t child, int output, int signals) : child_(child), output_(output), signals_(signals) {}

  // The exit code.
  int Run() {
    while (code_ < 0) {
      std::array<pollfd, 2> fds{pollfd{output_, POLLIN, 0}, pollfd{signals_, POLLIN, 0}};
      if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) break;
      if (fds[0].revents != 0) Copy();
      if (fds[1].revents != 0) TakeSignals();
    }
    // What the program wrote before it ended, which is no more than a pipe holds. One that it left behind may
    // go on to write: its words are nobody's.
    for (int i = 0; i < kLastReads && Copy(); ++i) {
    }
    log_.Finish();
    return code_;
  }

  const KanikoLog& log() const { return log_; }

 private:
  // False when there is nothing now.
  bool Copy() {
    if (output_ < 0) return false;
    const ssize_t got = ::read(output_, buffer_.data(), buffer_.size());
    if (got > 0) {
      const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
      WriteAll(STDOUT_FILENO, bytes);
      log_.Feed(bytes);
      return true;
    }
    if (got < 0 && errno == EINTR) return true;
    // Its streams are closed, and it goes on: poll() passes over it from here.
    if (got == 0) output_ = -1;
    return false;
  }

  void TakeSignals() {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      const int signal = static_cast<int>(info.ssi_signo);
      if (signal != SIGCHLD) ::kill(child_, signal);
    }
    // One SIGCHLD may stand for several ends.
    int status = 0;
    for (pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (ended == child_) code_ = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
    }
  }

  pid_t child_;
  int output_;
  int signals_;
  int code_ = -1;
  KanikoLog log_;
  std::array<char, 64UL * 1024> buffer_{};
};

void Report(const std::string& path, const KanikoLog& log, int code) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return Complain("the report can't be written to " + path + ": " + std::strerror(errno));
  WriteAll(fd, slipway::runner::KanikoReport(log, code));
  ::close(fd);
}

int Run(const Options& options) {
  const sigset_t handled = Handled();
  ::sigprocmask(SIG_BLOCK, &handled, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  // Orphans come to us even where we are not process 1.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const int signals = ::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
  std::array<int, 2> pipe{};
  if (signals < 0 || ::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    Complain(std::string("no pipe: ") + std::strerror(errno));
    return kNotStarted;
  }
  const pid_t child = ::fork();
  if (child < 0) {
    Complain(std::string("no process: ") + std::strerror(errno));
    return kNotStarted;
  }
  if (child == 0) Become(options.command, pipe[1]);
  ::close(pipe[1]);
  // The end that we read from only: the program's must block when it is full.
  ::fcntl(pipe[0], F_SETFL, O_NONBLOCK);
  static Supervisor supervisor(child, pipe[0], signals);
  const int code = supervisor.Run();
  Report(options.report, supervisor.log(), code);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!ReadFlags(argc, argv, options)) {
    Complain("usage: --report=FILE [--arguments=FILE] -- PROGRAM ARGS…");
    return kBadFlags;
  }
  if (!ReadArguments(options.arguments, options.command)) {
    Complain("the arguments can't be read from " + options.arguments);
    return kBadFlags;
  }
  return Run(options);
}
