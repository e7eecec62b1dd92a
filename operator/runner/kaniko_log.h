// Kaniko's output, read line by line as it passes: how often its cache helped, and what its last error says.
// Pure, and without any library but the language's own: the static entrypoint is built from it.
//
// Lines are those of v1.25, in the formats text and color. A command of a Dockerfile writes to the same
// stream and may print what looks like them: then the counts are wrong, which hurts nobody but its author;
// Kaniko's own error is always the last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::runner {

class KanikoLog {
 public:
  // Longer lines are read up to here.
  static constexpr std::size_t kLineBytes = 64UL * 1024;

  void Feed(std::string_view bytes);
  // The last line may lack its end.
  void Finish();

  std::uint64_t hits() const { return hits_; }
  std::uint64_t misses() const { return misses_; }
  // The last line in which Kaniko itself gives up; empty when there is none.
  const std::string& error() const { return error_; }

 private:
  void Take(std::string_view line);

  std::string line_;
  std::string error_;
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
};

// "BaseImageNotFound", "RegistryDenied", "RegistryUnavailable", "DiskFull"; empty for anything else, and
// above all for a RUN that failed.
std::string_view KanikoFailure(std::string_view error);

// {"hits":n,"misses":m,"failure":"…"}; failure is empty when `exit_code` is 0.
std::string KanikoReport(const KanikoLog& log, int exit_code);

}  // namespace slipway::runner
