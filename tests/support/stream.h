// A program that goes on in the background while a test acts: its lines are kept as they come.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace slipway::testing {

class Stream {
 public:
  explicit Stream(const std::vector<std::string>& argv);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  // Sends SIGTERM, waits for the end and gives all that was printed.
  std::vector<std::string> Stop();
  std::vector<std::string> Lines() const;

 private:
  void Read(int fd);

  pid_t pid_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::thread reader_;
};

}  // namespace slipway::testing
