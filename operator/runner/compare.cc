#include "runner/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <deque>
#include <optional>

#include "base/async.h"
#include "base/log.h"
#include "runner/compare_verdict.h"
#include "runner/http_ask.h"

namespace slipway::runner {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kInFlight = 64;
constexpr int kRefusal = 400;
constexpr int kServerError = 500;
constexpr int kGoneAfter = 3;  // questions running without an answer

bool IsPercent(int value) { return value > 0 && value < 100; }

std::string WhyWrong(const CompareOptions& options) {
  if (!IsHttpPath(options.path)) return "--path is not a path";
  if (options.max_pairs < 1) return "--max-pairs is less than 1";
  if (options.rate < 1) return "--rate is less than 1";
  if (!IsPercent(options.error_margin)) return "--error-margin is not between 1 and 99";
  if (!IsPercent(options.slow_margin)) return "--slow-margin is not between 1 and 99";
  if (!IsPercent(options.confidence)) return "--confidence is not between 1 and 99";
  if (options.slower_by < 1) return "--slower-by is less than 1";
  if (options.timeout.count() < 1) return "--timeout is not positive";
  if (options.host.empty()) return "--host is missing";
  if (options.canary_pods.empty()) return "--canary-pod is missing";
  for (const auto* pods : {&options.canary_pods, &options.stable_pods}) {
    for (const auto& pod : *pods) {
      if (!ParseIpPort(pod.address))
        return fmt::format("pod {} has no address of the form IP:PORT", pod.name);
    }
  }
  return {};
}

struct Side {
  struct Pod {
    Endpoints at;
    PodReport report;
    int unanswered = 0;  // running
  };
  std::vector<Pod> pods;
  std::vector<std::size_t> turns;  // who of them is asked
};

Side ToSide(const std::vector<PodAddress>& pods) {
  Side side;
  for (const auto& pod : pods) {
    const auto address = ParseIpPort(pod.address);
    side.turns.push_back(side.pods.size());
    side.pods.push_back({EndpointsOf(address->ip, address->port), {.name = pod.name}});
  }
  return side;
}

// One comparison. Lives on the io_context of RunCompare. Answers come as they come; the tally gets them in
// the order of asking: were quick pairs counted first, slow answers would be missing from every look.
class Comparing {
 public:
  Comparing(const asio::any_io_executor& executor, const CompareOptions& options)
      : options_(options),
        canary_(ToSide(options.canary_pods)),
        stable_(ToSide(options.stable_pods)),
        tally_(options),
        began_(Steady::now()),
        deadline_(began_ + options.timeout),
        moved_(executor),
        asking_(executor) {}

  asio::awaitable<void> Run() {
    if (stable_.pods.empty()) tally_.GiveUp();
    const std::int64_t most = static_cast<std::int64_t>(options_.max_pairs) + kWarmUpPairs;
    for (std::int64_t pair = 0; pair < most; ++pair) {
      co_await AwaitTurn(pair);
      if (Ended()) break;
      waiting_.emplace_back();
      // Whoever is asked first has a hair's advantage: they take turns.
      const bool canary_first = pair % 2 == 0;
      asking_.Spawn("first", AskOne(pair, canary_first));
      asking_.Spawn("second", AskOne(pair, !canary_first));
    }
    while (!Ended() && !waiting_.empty()) co_await moved_.Wait(Left());
    asking_.Cancel();
    co_await asking_.Join();
  }

  CheckReport Report() const {
    CheckReport report = JudgeComparison(options_, tally_, first_error_);
    for (const auto* side : {&canary_, &stable_}) {
      for (const auto& pod : side->pods) report.pods.push_back(pod.report);
    }
    return report;
  }

 private:
  struct Taken {
    SideAnswer answer;
    std::size_t pod = 0;
    std::string failed;  // what of it is an error, if it is one
  };
  struct Pair {
    std::optional<Taken> canary;
    std::optional<Taken> stable;
  };

  bool Ended() const { return tally_.over() || Steady::now() >= deadline_; }
  Duration Left() const {
    return std::max(Duration(1), std::chrono::ceil<Duration>(deadline_ - Steady::now()));
  }

  asio::awaitable<void> AwaitTurn(std::int64_t pair) {
    const auto at = began_ + std::chrono::microseconds(pair * 1'000'000 / options_.rate);
    while (!Ended() && (Steady::now() < at || waiting_.size() >= kInFlight)) {
      const bool full = waiting_.size() >= kInFlight;
      const auto wait = std::chrono::ceil<Duration>(at - Steady::now());
      co_await moved_.Wait(full ? Left() : std::clamp(wait, Duration(1), Left()));
    }
  }

  asio::awaitable<void> AskOne(std::int64_t pair, bool canary) {
    Side& side = canary ? canary_ : stable_;
    const std::size_t number = side.turns[static_cast<std::size_t>(pair) % side.turns.size()];
    HttpQuestion question{.to = side.pods[number].at, .target = options_.path};
    question.headers = {{"Host", options_.host}};
    question.deadline = Steady::now() + options_.request_timeout;
    const HttpAnswer answer = co_await AskHttp(std::move(question));
    // What was cancelled was not answered, and that is no error of the pod.
    if (asking_.cancelled()) co_return;
    const bool error = answer.status == 0 || answer.status >= kServerError;
    const bool refused = !error && answer.status >= kRefusal;
    Taken taken{{error, answer.took, refused}, number, {}};
    if (error || refused) taken.failed = Said(side.pods[number], answer);
    Pair& waiting = waiting_[static_cast<std::size_t>(pair - taken_)];
    (canary ? waiting.canary : waiting.stable) = std::move(taken);
    Advance();
    if (!canary) Miss(number, answer.status == 0);
  }

  static std::string Said(const Side::Pod& pod, const HttpAnswer& answer) {
    return answer.status == 0 ? fmt::format("pod {}: {}", pod.report.name, answer.failed)
                              : fmt::format("pod {} answered {}", pod.report.name, answer.status);
  }

  // A stable pod that went is nothing that a canary may fall behind unseen.
  void Miss(std::size_t number, bool unanswered) {
    int& running = stable_.pods[number].unanswered;
    running = unanswered ? running + 1 : 0;
    if (running < kGoneAfter || std::erase(stable_.turns, number) == 0) return;
    if (!stable_.turns.empty()) return;
    stable_.turns.push_back(number);
    tally_.GiveUp();
    moved_.Notify();
  }

  static void NoteError(Side& side, const Taken& taken) {
    if (taken.answer.error) ++side.pods[taken.pod].report.failures;
  }

  void Advance() {
    while (!waiting_.empty() && waiting_.front().canary && waiting_.front().stable) {
      Taken& canary = *waiting_.front().canary;
      Taken& stable = *waiting_.front().stable;
      JudgePair(canary.answer, stable.answer);
      NoteError(canary_, canary);
      NoteError(stable_, stable);
      if (canary.answer.error && first_error_.empty()) first_error_ = canary.failed;
      tally_.Add(canary.answer, stable.answer);
      waiting_.pop_front();
      ++taken_;
      moved_.Notify();
    }
  }

  const CompareOptions& options_;
  Side canary_;
  Side stable_;
  PairTally tally_;
  Steady::time_point began_;
  Steady::time_point deadline_;
  std::deque<Pair> waiting_;  // asked and not taken; the front is number taken_
  std::int64_t taken_ = 0;
  std::string first_error_;
  Signal moved_;
  TaskGroup asking_;
};

CheckReport Measure(const CompareOptions& options) {
  asio::io_context io(1);
  Comparing comparing(io.get_executor(), options);
  TaskGroup tasks(io.get_executor());
  tasks.Spawn("compare", comparing.Run());
  io.run();
  return comparing.Report();
}

}  // namespace

int RunCompare(const CompareOptions& options) {
  if (const std::string wrong = WhyWrong(options); !wrong.empty()) {
    log::error("compare: {}", wrong);
    return kCheckBroken;
  }
  return Conclude("compare", Measure(options), options.report_path);
}

}  // namespace slipway::runner
