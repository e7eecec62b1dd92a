#include "runner/prometheus.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "base/async.h"
#include "base/log.h"
#include "kube/tls.h"
#include "runner/address.h"
#include "runner/http_ask.h"
#include "runner/prometheus_verdict.h"
#include "runner/report.h"

namespace slipway::runner {
namespace {

using Steady = std::chrono::steady_clock;

Result<> CheckOptions(const PrometheusOptions& options) {
  const auto wrong = [](const char* what) { return Fail(ErrorKind::kInvalid, what); };
  if (!ParseHttpUrl(options.url)) return wrong("--url is not http(s)://host[:port][/path]");
  if (options.query.empty()) return wrong("--query is empty");
  if (options.count < 1) return wrong("--count is less than 1");
  if (options.interval.count() < 1) return wrong("--interval is not positive");
  const bool limits =
      options.failure_limit >= 0 && options.inconclusive_limit >= 0 && options.error_limit >= 0;
  return limits ? Result<>() : wrong("a limit is negative");
}

// One check. Lives on the io_context of RunPrometheus.
class Querying {
 public:
  Querying(const PrometheusOptions& options, const Bounds& bounds, std::shared_ptr<asio::ssl::context> trust)
      : options_(options),
        bounds_(bounds),
        url_(*ParseHttpUrl(options.url)),
        trust_(std::move(trust)),
        tally_(options) {}

  asio::awaitable<void> Run() {
    while (true) {
      const auto began = Steady::now();
      const HttpAnswer answer = co_await Ask();
      tally_.Add(Measure(bounds_, answer));
      if (tally_.over()) co_return;
      const auto next = began + options_.interval;
      if (next > Steady::now()) co_await Sleep(std::chrono::ceil<Duration>(next - Steady::now()));
    }
  }

  const QueryTally& tally() const { return tally_; }

 private:
  asio::awaitable<HttpAnswer> Ask() {
    auto found = co_await LookUp(url_.host, url_.port);
    HttpQuestion question;
    if (!found) {
      HttpAnswer answer;
      answer.failed = fmt::format("{} can't be looked up: {}", url_.host, found.error().message);
      co_return answer;
    }
    question.to = *found;
    question.target = fmt::format("{}/api/v1/query?query={}", url_.path, PercentEncoded(options_.query));
    question.headers = {{"Host", HostHeader(url_)}, {"Accept", "application/json"}};
    question.deadline = Steady::now() + options_.request_timeout;
    question.most = kMostPrometheusAnswer;
    question.trust = trust_;
    question.server = url_.host;
    co_return co_await AskHttp(std::move(question));
  }

  const PrometheusOptions& options_;
  Bounds bounds_;
  HttpUrl url_;
  std::shared_ptr<asio::ssl::context> trust_;
  QueryTally tally_;
};

Result<std::shared_ptr<asio::ssl::context>> MakeTrust(const PrometheusOptions& options) {
  if (!ParseHttpUrl(options.url)->tls) return nullptr;
  return kube::MakeTlsContext("", {});
}

int Broken(std::string_view why) {
  log::error("prometheus: {}", log::Quoted(why));
  return kCheckBroken;
}

// A check that broke has no verdict; what is known of the cause is left all the same.
int ConcludeBroken(const CheckReport& report, const std::string& report_path) {
  WriteReport(report_path, nlohmann::json{{"reason", report.reason}, {"message", report.message}}.dump());
  return Broken(fmt::format("{}: {}", report.reason, report.message));
}

}  // namespace

int RunPrometheus(const PrometheusOptions& options) {
  if (const auto checked = CheckOptions(options); !checked) return Broken(checked.error().message);
  const auto bounds = ParseBounds(options.min, options.max);
  if (!bounds) return Broken(bounds.error().message);
  const auto trust = MakeTrust(options);
  if (!trust) return Broken(trust.error().message);
  asio::io_context io(1);
  Querying querying(options, *bounds, *trust);
  TaskGroup tasks(io.get_executor());
  tasks.Spawn("prometheus", querying.Run());
  io.run();
  const CheckReport report = querying.tally().Report();
  if (querying.tally().broken()) return ConcludeBroken(report, options.report_path);
  return Conclude("prometheus", report, options.report_path);
}

}  // namespace slipway::runner
