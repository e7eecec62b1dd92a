// A child process: an argument vector, never a shell; an environment that holds what was put there and
// nothing else; output kept up to a bound; ended with SIGKILL, its children with it, when its time is over.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace slipway::runner {

struct Command {
  std::vector<std::string> argv;         // argv[0] is looked up in PATH
  std::vector<std::string> environment;  // "NAME=value"
  std::chrono::milliseconds timeout = std::chrono::seconds(120);
  std::size_t most_output = 256UL * 1024;  // of each stream; what comes after is read and thrown away
};

struct Finished {
  int exit_code = 0;  // 128 + the signal's number when a signal ended it
  bool timed_out = false;
  bool output_cut = false;
  std::string output;  // standard output
  std::string errors;  // standard error: the last `most_output` bytes, because the cause stands at the end
};

// Runs it to its end, in "/", with nothing to read on standard input. An Error only when it couldn't be
// started.
Result<Finished> Run(const Command& command);

}  // namespace slipway::runner
