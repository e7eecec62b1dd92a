#include "runner/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <optional>

#include "base/async.h"
#include "base/log.h"
#include "base/result.h"
#include "runner/probe_verdict.h"
#include "runner/report.h"

namespace slipway::runner {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Steady = std::chrono::steady_clock;

constexpr int kInFlight = 8;
constexpr std::size_t kBodyBytes = 64 << 10;
constexpr auto kPerRequest = std::chrono::seconds(10);
constexpr auto kBetweenMeetings = std::chrono::milliseconds(20);
constexpr int kLookups = 3;
constexpr auto kBetweenLookups = std::chrono::milliseconds(500);

struct HostPort {
  std::string host;
  std::string port;
};

bool IsPort(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port < 65536;
}

// "host:port"; an IPv6 address stands in brackets.
std::optional<HostPort> ParseAuthority(std::string_view text) {
  const bool brackets = text.starts_with('[');
  const std::size_t colon = brackets ? text.find("]:") + 1 : text.find(':');
  // 0 is also what the sum wraps to when there is no "]:".
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const std::string_view host = brackets ? text.substr(1, colon - 2) : text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.empty() || !IsPort(port) || host.find_first_of("/?#@[] ") != std::string_view::npos) {
    return std::nullopt;
  }
  return HostPort{std::string(host), std::string(port)};
}

std::optional<HostPort> ParseUrl(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return std::nullopt;
  url.remove_prefix(kScheme.size());
  if (url.ends_with('/')) url.remove_suffix(1);
  if (auto whole = ParseAuthority(url)) return whole;
  return ParseAuthority(std::string(url) + ":80");
}

std::string HostHeader(const HostPort& to) {
  const bool ipv6 = to.host.find(':') != std::string::npos;
  return ipv6 ? fmt::format("[{}]:{}", to.host, to.port) : fmt::format("{}:{}", to.host, to.port);
}

std::optional<tcp::endpoint> ParseEndpoint(std::string_view text) {
  const auto parts = ParseAuthority(text);
  if (!parts) return std::nullopt;
  error_code error;
  const auto address = asio::ip::make_address(parts->host, error);
  if (error) return std::nullopt;
  return tcp::endpoint(address, static_cast<std::uint16_t>(std::stoi(parts->port)));
}

bool IsPath(std::string_view path) {
  return path.starts_with('/') &&
         std::ranges::all_of(path, [](char c) { return c > ' ' && c <= '~' && c != '#'; });
}

std::string WhyWrong(const ProbeOptions& options) {
  if (!ParseUrl(options.url)) return "--url is not http://host:port";
  if (!IsPath(options.health_path)) return "--health-path is not a path";
  if (!options.version_path.empty() && !IsPath(options.version_path)) return "--version-path is not a path";
  if (options.requests < 1) return "--requests is less than 1";
  if (options.timeout.count() < 1) return "--timeout is not positive";
  for (const auto& pod : options.pods) {
    if (!ParseEndpoint(pod.address))
      return fmt::format("--pod {} has no address of the form IP:PORT", pod.name);
  }
  return {};
}

// One run. Lives on the io_context of RunProbe; its workers take questions from one list.
class Probe {
 public:
  Probe(asio::any_io_executor executor, const ProbeOptions& options)
      : executor_(executor),
        options_(options),
        url_(*ParseUrl(options.url)),
        host_header_(HostHeader(url_)),
        deadline_(Steady::now() + options.timeout),
        tasks_(executor) {
    for (const auto& pod : options.pods) pods_.push_back(*ParseEndpoint(pod.address));
    Plan();
  }

  asio::awaitable<void> Run() {
    const auto found = co_await Lookup();
    if (!found) {
      findings_.unreachable = found.error().message;
      co_return;
    }
    service_ = *found;
    co_await MeetCanary();
    for (int i = 0; i < kInFlight; ++i) tasks_.Spawn("asker", AskInTurn());
    co_await tasks_.Join();
  }

  const Findings& findings() const { return findings_; }

 private:
  struct Question {
    int pod;
    bool version;
  };

  void Plan() {
    const auto add = [&](int pod, int times) {
      for (int i = 0; i < times; ++i) {
        questions_.push_back({pod, false});
        if (!options_.version_path.empty()) questions_.push_back({pod, true});
      }
    };
    for (std::size_t i = 0; i < pods_.size(); ++i) add(static_cast<int>(i), kRequestsPerPod);
    add(kThroughService, options_.requests);
    findings_.planned = static_cast<int>(questions_.size());
  }

  asio::awaitable<Result<tcp::endpoint>> Lookup() {
    error_code error;
    for (int attempt = 0; attempt < kLookups; ++attempt) {
      if (attempt > 0) co_await Sleep(kBetweenLookups);
      tcp::resolver resolver(executor_);
      const auto results =
          co_await resolver.async_resolve(url_.host, url_.port, tcp::resolver::numeric_service,
                                          asio::redirect_error(asio::use_awaitable, error));
      if (!error && !results.empty()) co_return results.begin()->endpoint();
    }
    co_return Fail(ErrorKind::kTransient, error ? error.message() : "it has no address");
  }

  // A pod that is ready is not behind the Service yet: kube-proxy hears of it up to some seconds later, and
  // nothing says when. What is measured before that is measured without the canary.
  asio::awaitable<void> MeetCanary() {
    const bool known = !options_.version_path.empty() && !options_.expect_version.empty();
    if (!known || !(options_.canary_share > 0)) co_return;
    const auto until = std::min(deadline_, Steady::now() + options_.propagation);
    while (Steady::now() < until) {
      const Observation answer = co_await Ask(service_, options_.version_path);
      if (answer.status == 200 && answer.text == options_.expect_version) co_return;
      co_await Sleep(kBetweenMeetings);
    }
  }

  asio::awaitable<void> AskInTurn() {
    while (next_ < questions_.size() && Steady::now() < deadline_) {
      const Question question = questions_[next_++];
      const auto to =
          question.pod == kThroughService ? service_ : pods_[static_cast<std::size_t>(question.pod)];
      const std::string path = question.version ? options_.version_path : options_.health_path;
      const auto began = Steady::now();
      Observation answer = co_await Ask(to, path);
      answer.took = std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - began);
      answer.pod = question.pod;
      answer.version = question.version;
      findings_.answers.push_back(std::move(answer));
    }
  }

  asio::awaitable<Observation> Ask(tcp::endpoint to, std::string path) {
    Observation answer;
    beast::tcp_stream stream(executor_);
    stream.expires_at(std::min(deadline_, Steady::now() + kPerRequest));
    error_code error;
    co_await stream.async_connect(to, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return Unanswered("connect", error);
    http::request<http::empty_body> request(http::verb::get, path, 11);
    // The name that clients use, at the pods too: an application may choose by it.
    request.set(http::field::host, host_header_);
    request.set(http::field::user_agent, "slipway-probe");
    request.set(http::field::connection, "close");
    co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return Unanswered("send", error);
    beast::flat_buffer buffer(kBodyBytes * 2);
    http::response_parser<http::string_body> parser;
    parser.body_limit(kBodyBytes);
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    // A page longer than we read is an answer all the same: only versions must be short.
    if (error && error != http::error::body_limit) co_return Unanswered("receive", error);
    answer.status = static_cast<int>(parser.get().result_int());
    answer.text = VersionOf(parser.get().body());
    co_return answer;
  }

  static Observation Unanswered(std::string_view doing, const error_code& error) {
    Observation answer;
    answer.text =
        fmt::format("{}: {}", doing, error == beast::error::timeout ? "timed out" : error.message());
    return answer;
  }

  asio::any_io_executor executor_;
  const ProbeOptions& options_;
  HostPort url_;
  std::string host_header_;
  Steady::time_point deadline_;
  std::vector<tcp::endpoint> pods_;
  tcp::endpoint service_;
  std::vector<Question> questions_;
  std::size_t next_ = 0;
  Findings findings_;
  TaskGroup tasks_;
};

ProbeReport Measure(const ProbeOptions& options) {
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
    return kProbeBroken;
  }
  const ProbeReport report = Measure(options);
  log::info("probe: {}: {}", report.reason, log::Quoted(report.message));
  if (!WriteReport(options.report_path, ToJson(report))) return kProbeBroken;
  return report.passed ? kProbePassed : kProbeFailed;
}

}  // namespace slipway::runner
