// When the poller asks what: pure. Lookups that several builds want are one; each has its interval, moved by
// up to a tenth either way so that many don't fall together, and doubled for each failure in a row up to an
// hour. A build whose spec changed wants another lookup, which is due at once.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "resources/image_build.h"

namespace slipway::trigger {

struct Lookup {
  enum class Kind : std::uint8_t { kCommit, kBase };
  Kind kind = Kind::kCommit;
  std::string target;    // the repository's URL, or the image
  std::string revision;  // of a commit: exactly one of revision and semver
  std::string semver;
  std::string credentials;  // the Secret's name; empty: none
  std::string ca_bundle;    // the ConfigMap's name; empty: none
  auto operator<=>(const Lookup&) const = default;
};
std::string ToString(const Lookup& lookup);  // for people: "refs of URL", without credentials

struct Want {
  Lookup lookup;
  Duration interval{};
  bool operator==(const Want&) const = default;
};

// What one build wants: nothing while it goes, of a full SHA, or without a trigger that polls.
std::vector<Want> WantsOf(const resources::ImageBuild& build);

class PollCore {
 public:
  explicit PollCore(std::uint64_t seed) : seed_(seed) {}

  struct Plan {
    std::vector<Lookup> start;     // those that were due longest come first
    std::optional<BootTime> wake;  // when the next is due; none: nothing before something changes
  };
  // `wants` of all builds, `free` how many lookups may be started. What it names counts as under way until
  // Done.
  Plan Next(const std::vector<Want>& wants, std::size_t free, BootTime now);
  void Done(const Lookup& lookup, bool found, BootTime now);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Duration interval{};
    std::optional<BootTime> last;  // none: never looked up, so due
    int failures = 0;              // in a row
    std::uint64_t round = 0;
    bool running = false;
    bool wanted = false;
  };
  void Adopt(const std::vector<Want>& wants);
  BootTime DueAt(const Lookup& lookup, const Entry& entry) const;

  std::uint64_t seed_;
  std::map<Lookup, Entry> entries_;
};

// The wait before the next lookup; `unit` in [0, 1) is the jitter.
Duration PollDelay(Duration interval, int failures, double unit);

}  // namespace slipway::trigger
