// Random schedules: a server whose objects come and go, connections that break anywhere, history that is
// compacted, frames that come twice. Whatever happens, the sink equals the server's state at the version that
// the reflector believes in, and in the end the server's last one.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>

#include "unit/runtime/reflector_fixture.h"

namespace slipway::runtime {
namespace {

using kube::WatchFrame;
using State = std::map<kube::ObjectKey, std::string>;

// What the reflector talks to: a history of states, one a version, of which the oldest may be forgotten.
class ModelServer {
 public:
  enum class Streaming : std::uint8_t { kSupported, kRefused, kIgnored };
  explicit ModelServer(Streaming streaming) : streaming_(streaming) {}

  Streaming streaming() const { return streaming_; }
  int version() const { return static_cast<int>(states_.size()) - 1; }
  const State& At(int version) const { return states_.at(static_cast<std::size_t>(version)); }
  bool Forgotten(int version) const { return version < oldest_; }
  void Compact() { oldest_ = version(); }

  void Put(const std::string& name) {
    State next = states_.back();
    const std::string number = std::to_string(version() + 1);
    const bool there = next.contains({"team", name});
    next[{"team", name}] = number;
    events_.push_back(there ? Modified(name, number) : Added(name, number));
    states_.push_back(std::move(next));
  }
  void Remove(const std::string& name) {
    State next = states_.back();
    if (next.erase({"team", name}) == 0) return;
    events_.push_back(Deleted(name, std::to_string(version() + 1)));
    states_.push_back(std::move(next));
  }
  // The event that leads to `version`.
  const WatchFrame& EventTo(int version) const { return events_.at(static_cast<std::size_t>(version - 1)); }

 private:
  Streaming streaming_;
  std::vector<State> states_{State{}};
  std::vector<WatchFrame> events_;
  int oldest_ = 0;
};

std::string Parameter(const std::string& target, const std::string& name) {
  for (const char* before : {"?", "&"}) {
    const auto at = target.find(before + name + "=");
    if (at == std::string::npos) continue;
    const auto start = at + name.size() + 2;
    return target.substr(start, target.find('&', start) - start);
  }
  return {};
}

// Carries out the core's steps against the server, one event at a time, so that a schedule can put a fault
// between any two.
class Harness {
 public:
  explicit Harness(ModelServer& server) : server_(server) {}

  void Step(double unit_random) {
    if (watching_) return Deliver();
    auto step = core_.Next(unit_random);
    if (auto* page = std::get_if<ReflectorCore::ListPage>(&step)) return AnswerPage(page->request.target);
    if (auto* watch = std::get_if<ReflectorCore::StartWatch>(&step)) Open(watch->request.target);
  }
  void Break(ErrorKind kind) {
    if (!watching_) return;
    watching_ = false;
    core_.OnError(Of(kind));
  }
  void End() {
    if (!watching_) return;
    watching_ = false;
    core_.OnWatchEnd();
  }
  void Repeat() {
    if (watching_ && last_ && sent_to_ >= 0) Feed(*last_);
  }
  void Bookmarked() {
    if (watching_ && initial_.empty() && !waiting_end_ &&
        server_.streaming() != ModelServer::Streaming::kIgnored) {
      Feed(Bookmark(std::to_string(sent_to_)));
    }
  }
  void Unknown() {
    if (watching_) Feed({kube::WatchEventType::kUnknown, Object("odd", "1")});
  }
  bool Caught() const {
    return watching_ && initial_.empty() && !waiting_end_ && sent_to_ == server_.version() &&
           core_.synced() && !core_.listing();
  }
  const State& held() const { return sink_.objects; }
  bool synced() const { return core_.synced(); }

 private:
  void Open(const std::string& target) {
    const bool streaming = !Parameter(target, "sendInitialEvents").empty();
    if (streaming && server_.streaming() == ModelServer::Streaming::kRefused) {
      return core_.OnError(Of(ErrorKind::kInvalid));
    }
    watching_ = true;
    last_.reset();
    initial_.clear();
    waiting_end_ = streaming && server_.streaming() == ModelServer::Streaming::kSupported;
    if (!streaming) {
      sent_to_ = std::stoi(Parameter(target, "resourceVersion"));
      return;
    }
    sent_to_ = server_.version();
    for (const auto& [key, version] : server_.At(sent_to_)) initial_.push_back(Added(key.name, version));
  }

  void Deliver() {
    if (!initial_.empty()) {
      const WatchFrame frame = initial_.front();
      initial_.pop_front();
      return Feed(frame);
    }
    if (waiting_end_) {
      waiting_end_ = false;
      Feed(Bookmark(std::to_string(sent_to_), true));
      return CheckHeld();
    }
    if (server_.Forgotten(sent_to_)) return Feed(ErrorFrame(410, "Expired"));
    if (core_.listing())
      return Feed(Bookmark(std::to_string(sent_to_)));  // the server that knows no end mark
    if (sent_to_ == server_.version()) return;
    Feed(server_.EventTo(++sent_to_));
    CheckHeld();
  }

  void Feed(const WatchFrame& frame) {
    if (frame.type != kube::WatchEventType::kError) last_ = frame;
    if (!core_.OnFrame(frame)) watching_ = false;
  }

  void AnswerPage(const std::string& target) {
    constexpr std::size_t kPage = 2;
    const std::string token = Parameter(target, "continue");
    const auto dash = token.find('-');
    const int version = token.empty() ? server_.version() : std::stoi(token.substr(0, dash));
    const std::size_t skip = token.empty() ? 0 : std::stoul(token.substr(dash + 1));
    if (server_.Forgotten(version)) return core_.OnError(Of(ErrorKind::kGone));
    std::vector<kube::Json> items;
    const State& state = server_.At(version);
    auto it = std::next(state.begin(), static_cast<std::ptrdiff_t>(skip));
    for (; it != state.end() && items.size() < kPage; ++it)
      items.push_back(Object(it->first.name, it->second));
    const std::string next =
        it == state.end() ? "" : std::to_string(version) + "-" + std::to_string(skip + kPage);
    sent_to_ = version;
    core_.OnPage(Page(std::move(items), std::to_string(version), next));
    if (next.empty()) CheckHeld();
  }

  // From a complete list on, what is held is what the server had at that version: nothing that it had
  // deleted.
  void CheckHeld() const {
    if (core_.listing() || !core_.synced()) return;
    RC_ASSERT(sink_.objects == server_.At(sent_to_));
  }

  ModelServer& server_;
  RecordingSink sink_;
  ReflectorCore core_{ConfigMapsOf(), sink_};
  bool watching_ = false;
  bool waiting_end_ = false;
  int sent_to_ = -1;
  std::deque<WatchFrame> initial_;
  std::optional<WatchFrame> last_;
};

std::string AnyName() { return std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, 6))); }

void Fault(Harness& harness, ModelServer& server) {
  switch (*rc::gen::inRange(0, 7)) {
    case 0:
      return harness.Break(ErrorKind::kTransient);
    case 1:
      return harness.Break(ErrorKind::kThrottled);
    case 2:
      return harness.Break(ErrorKind::kGone);
    case 3:
      return server.Compact();
    case 4:
      return harness.End();
    case 5:
      return harness.Bookmarked();
    default:
      return harness.Unknown();
  }
}

RC_GTEST_PROP(ReflectorPropertyTest, TheSinkEndsEqualToTheServerWhateverHappens, ()) {
  ModelServer server(*rc::gen::element(ModelServer::Streaming::kSupported, ModelServer::Streaming::kRefused,
                                       ModelServer::Streaming::kIgnored));
  Harness harness(server);
  const int steps = *rc::gen::inRange(0, 250);
  for (int i = 0; i < steps; ++i) {
    const int choice = *rc::gen::inRange(0, 10);
    if (choice < 2) {
      server.Put(AnyName());
    } else if (choice == 2) {
      server.Remove(AnyName());
    } else if (choice == 3) {
      Fault(harness, server);
    } else if (choice == 4) {
      harness.Repeat();
    } else {
      harness.Step(0.5);
    }
  }
  // The faults end. It must catch up by itself, in a bounded number of steps.
  for (int i = 0; i < 200 && !harness.Caught(); ++i) harness.Step(0.5);
  RC_ASSERT(harness.Caught());
  RC_ASSERT(harness.synced());
  RC_ASSERT(harness.held() == server.At(server.version()));
}

}  // namespace
}  // namespace slipway::runtime
