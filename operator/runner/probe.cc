#include "runner/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>

#include "base/async.h"
#include "base/log.h"
#include "runner/http_ask.h"
#include "runner/probe_verdict.h"

namespace slipway::runner {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kInFlight = 8;
constexpr auto kPerRequest = std::chrono::seconds(10);
constexpr auto kBetweenMeetings = std::chrono::milliseconds(20);
constexpr int kLookups = 3;
constexpr auto kBetweenLookups = std::chrono::milliseconds(500);
constexpr auto kBetweenTries = std::chrono::milliseconds(500);

std::string WhyWrong(const ProbeOptions& options) {
  const auto url = ParseHttpUrl(options.url);
  if (!url || url->tls || !url->path.empty()) return "--url is not http://host:port";
  if (!IsHttpPath(options.health_path)) return "--health-path is not a path";
  if (!options.version_path.empty() && !IsHttpPath(options.version_path)) {
    return "--version-path is not a path";
  }
  if (options.requests < 1) return "--requests is less than 1";
  if (options.timeout.count() < 1) return "--timeout is not positive";
  for (const auto* pods : {&options.pods, &options.stable_pods}) {
    for (const auto& pod : *pods) {
      if (!ParseIpPort(pod.address))
        return fmt::format("pod {} has no address of the form IP:PORT", pod.name);
    }
  }
  return {};
}

Endpoints EndpointsOf(const PodAddress& pod) {
  const auto address = ParseIpPort(pod.address);
  return runner::EndpointsOf(address->ip, address->port);
}

// One run. Lives on the io_context of RunProbe; its workers take questions from one list.
class Probe {
 public:
  Probe(const asio::any_io_executor& executor, const ProbeOptions& options)
      : options_(options),
        url_(*ParseHttpUrl(options.url)),
        host_header_(HostHeader(url_)),
        deadline_(Steady::now() + options.timeout),
        tasks_(executor) {
    for (const auto& pod : options.pods) pods_.push_back(EndpointsOf(pod));
    for (const auto& pod : options.stable_pods) stable_pods_.push_back(EndpointsOf(pod));
    Plan();
  }

  asio::awaitable<void> Run() {
    const auto found = co_await FindService();
    if (!found) {
      findings_.unreachable = found.error().message;
      co_return;
    }
    service_ = *found;
    co_await MeetCanary();
    for (int i = 0; i < kInFlight; ++i) tasks_.Spawn("asker", AskInTurn());
    co_await tasks_.Join();
    co_await MakeHttpChecks();
  }

  const Findings& findings() const { return findings_; }

 private:
  struct Question {
    int pod = kThroughService;
    bool version = false;
    bool stable = false;
  };

  void Plan() {
    const bool versions = !options_.version_path.empty();
    const auto add = [&](int pod, int times) {
      for (int i = 0; i < times; ++i) {
        questions_.push_back({pod, false});
        if (versions) questions_.push_back({pod, true});
      }
    };
    for (std::size_t i = 0; i < pods_.size(); ++i) add(static_cast<int>(i), kRequestsPerPod);
    const bool tells = versions && !options_.expect_version.empty();
    for (std::size_t i = 0; tells && i < stable_pods_.size(); ++i) {
      for (int n = 0; n < kRequestsPerStablePod; ++n) questions_.push_back({static_cast<int>(i), true, true});
    }
    add(kThroughService, options_.requests);
    findings_.planned = static_cast<int>(questions_.size() + options_.http.size() * (1 + pods_.size()));
  }

  // One address, so that each request is a choice of kube-proxy's and not of ours.
  asio::awaitable<Result<Endpoints>> FindService() {
    Result<Endpoints> found = Fail(ErrorKind::kTransient, "it has no address");
    for (int attempt = 0; attempt < kLookups; ++attempt) {
      if (attempt > 0) co_await Sleep(kBetweenLookups);
      found = co_await LookUp(url_.host, url_.port);
      if (found) co_return Endpoints::create(found->begin()->endpoint(), url_.host, url_.port);
    }
    co_return found;
  }

  // A pod that is ready is not behind the Service yet: kube-proxy hears of it up to some seconds later, and
  // nothing says when. What is measured before that is measured without the canary.
  asio::awaitable<void> MeetCanary() {
    const bool known = !options_.version_path.empty() && !options_.expect_version.empty();
    if (!known || !(options_.canary_share > 0)) co_return;
    const auto until = std::min(deadline_, Steady::now() + options_.propagation);
    while (Steady::now() < until) {
      const HttpAnswer answer = co_await Ask(service_, options_.version_path);
      if (answer.status == 200 && VersionOf(answer.body) == options_.expect_version) co_return;
      co_await Sleep(kBetweenMeetings);
    }
  }

  const Endpoints& Target(int pod, bool stable) const {
    if (pod == kThroughService) return service_;
    return (stable ? stable_pods_ : pods_).at(static_cast<std::size_t>(pod));
  }

  asio::awaitable<void> AskInTurn() {
    while (next_ < questions_.size() && Steady::now() < deadline_) {
      const Question question = questions_[next_++];
      const std::string& path = question.version ? options_.version_path : options_.health_path;
      const HttpAnswer answer = co_await Ask(Target(question.pod, question.stable), path);
      findings_.answers.push_back({question.pod, question.version, answer.status,
                                   answer.status == 0 ? answer.failed : VersionOf(answer.body), answer.took,
                                   question.stable});
    }
  }

  asio::awaitable<HttpAnswer> Ask(Endpoints to, std::string path) {
    HttpQuestion question{.to = std::move(to), .target = std::move(path)};
    // The name that clients use, at the pods too: an application may choose by it.
    question.headers = {{"Host", host_header_}};
    question.deadline = std::min(deadline_, Steady::now() + kPerRequest);
    return AskHttp(std::move(question));
  }

  asio::awaitable<void> MakeHttpChecks() {
    const int pods = static_cast<int>(pods_.size());
    for (const HttpCheck& check : options_.http) {
      for (int pod = kThroughService; pod < pods; ++pod) {
        if (Steady::now() >= deadline_) co_return;
        HttpOutcome outcome = co_await MakeHttpCheck(check, pod);
        findings_.http.push_back(std::move(outcome));
      }
    }
  }

  // options_ outlives this.
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters)
  asio::awaitable<HttpOutcome> MakeHttpCheck(const HttpCheck& check, int pod) {
    HttpOutcome outcome{.pod = pod};
    for (outcome.tries = 1;; ++outcome.tries) {
      HttpQuestion question{.to = Target(pod, false), .method = check.method, .target = check.path};
      question.headers.emplace_back("Host", host_header_);
      question.headers.insert(question.headers.end(), check.headers.begin(), check.headers.end());
      question.body = check.body;
      // An answer that is late is told by how late it is: so it is waited for beyond the limit.
      const auto wait = check.latency_limit + kPerRequest;
      question.deadline = std::min(deadline_, Steady::now() + wait);
      const HttpAnswer answer = co_await AskHttp(std::move(question));
      outcome.finding = JudgeHttp(check, answer);
      const bool again = outcome.tries <= check.retries && Steady::now() < deadline_;
      if (outcome.finding.reason.empty() || !again) co_return outcome;
      co_await Sleep(kBetweenTries);
    }
  }

  const ProbeOptions& options_;
  HttpUrl url_;
  std::string host_header_;
  Steady::time_point deadline_;
  std::vector<Endpoints> pods_;
  std::vector<Endpoints> stable_pods_;
  Endpoints service_;
  std::vector<Question> questions_;
  std::size_t next_ = 0;
  Findings findings_;
  TaskGroup tasks_;
};

CheckReport Measure(const ProbeOptions& options) {
  asio::io_context io(1);
  Probe probe(io.get_executor(), options);
  TaskGroup tasks(io.get_executor());
  tasks.Spawn("probe", probe.Run());
  io.run();
  return Judge(options, probe.findings());
}

}  // namespace

int RunProbe(const ProbeOptions& options) {
  if (const std::string wrong = WhyWrong(options); !wrong.empty()) {
    log::error("probe: {}", wrong);
    return kCheckBroken;
  }
  return Conclude("probe", Measure(options), options.report_path);
}

}  // namespace slipway::runner
