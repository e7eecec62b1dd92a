// What a forge's webhook delivery says, and whether it comes from who holds the key: pure.
//
// Read (forge.cc) looks at the key first and at the body only when it is authentic. A body is whatever the
// sender chose: one that is no JSON, is nested deeper than 64, or lacks what it should have is a delivery
// that says nothing, with the reason; nothing is thrown.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace slipway::trigger {

// Names in lower case.
using Headers = std::map<std::string, std::string, std::less<>>;

enum class Sender : std::uint8_t { kNone, kGitHub, kGitLab, kGitea };

// A branch or a tag was made or moved.
struct Push {
  std::vector<std::string> urls;  // of the repository: http and ssh
  std::string default_branch;     // "main"; empty when it isn't said
  std::string ref;                // refs/heads/main, refs/tags/v1
  std::string commit;             // 40 hexadecimal digits; of an annotated tag the commit that it names
  std::string before;             // where the ref was; empty when it isn't said
  bool operator==(const Push&) const = default;
};

// A pull request (GitLab: merge request) was opened, got commits, or is over.
struct PullChange {
  std::vector<std::string> urls;  // of the repository that it asks to be merged into
  int number = 0;
  bool closed = false;  // or merged: nothing below is then said
  std::string commit;
  std::string ref;  // refs/pull/7/head, refs/merge-requests/7/head
  bool fork = true;
  std::string title;
  bool operator==(const PullChange&) const = default;
};

struct Nothing {
  bool malformed = false;  // the body is not what such an event has
  std::string why;         // of our words only: fit for a log
  bool operator==(const Nothing&) const = default;
};

using Event = std::variant<Nothing, Push, PullChange>;

struct Delivery {
  bool authentic = false;
  Sender sender = Sender::kNone;
  Event event;
};

// `key` empty: nothing is authentic, and the same work is done.
Delivery Read(const Headers& headers, std::string_view body, std::string_view key);

// The parts, for forge.cc and tests. `kind` is the value of the forge's event header.
Sender SenderOf(const Headers& headers);
bool IsAuthentic(Sender sender, const Headers& headers, std::string_view body, std::string_view key);
Event ReadPayload(Sender sender, std::string_view kind, std::string_view json);

std::string_view ToString(Sender sender);

}  // namespace slipway::trigger
