#include "support/stream.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

extern char** environ;

namespace slipway::testing {

Stream::Stream(const std::vector<std::string>& argv) {
  int out[2];
  if (::pipe2(out, O_CLOEXEC) != 0) return;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  if (::posix_spawnp(&pid_, words[0], &actions, nullptr, words.data(), environ) != 0) pid_ = 0;
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  reader_ = std::thread([this, fd = out[0]] { Read(fd); });
}

Stream::~Stream() { Stop(); }

void Stream::Read(int fd) {
  std::FILE* file = ::fdopen(fd, "r");
  char* line = nullptr;
  std::size_t size = 0;
  for (ssize_t n = 0; (n = ::getline(&line, &size, file)) > 0;) {
    if (line[n - 1] == '\n') --n;
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(line, static_cast<std::size_t>(n));
  }
  ::free(line);
  std::fclose(file);
}

std::vector<std::string> Stream::Stop() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  if (reader_.joinable()) reader_.join();
  return Lines();
}

std::vector<std::string> Stream::Lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

}  // namespace slipway::testing
