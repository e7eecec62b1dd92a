#include "runner/main/check_flags.h"

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "runner/compare.h"
#include "runner/probe.h"
#include "runner/prometheus.h"

namespace slipway::runner {
namespace {

using Texts = std::vector<std::string>;

void AddDuration(CLI::App& app, const std::string& flag, std::chrono::milliseconds& into,
                 const std::string& what) {
  const auto read = [&into, flag](const std::string& text) {
    const auto parsed = ParseDuration(text);
    if (!parsed) throw CLI::ValidationError(flag, parsed.error().message);
    into = *parsed;
  };
  app.add_option_function<std::string>(flag, read, what)->default_str(FormatDuration(into));
}

// NAME=IP:PORT, repeated. What the address is worth, the step judges.
void AddPods(CLI::App& app, const std::string& flag, std::vector<PodAddress>& into, const std::string& what) {
  const auto read = [&into, flag](const Texts& texts) {
    for (const std::string& text : texts) {
      const std::size_t equals = text.find('=');
      if (equals == 0 || equals == std::string::npos) {
        throw CLI::ValidationError(flag, "'" + text + "' is not NAME=IP:PORT");
      }
      into.push_back({text.substr(0, equals), text.substr(equals + 1)});
    }
  };
  app.add_option_function<Texts>(flag, read, "NAME=IP:PORT of " + what + "; repeated")
      ->allow_extra_args(false);
}

void AddHttpChecks(CLI::App& app, std::vector<HttpCheck>& into) {
  const auto read = [&into](const Texts& texts) {
    for (const std::string& text : texts) {
      auto check = ParseHttpCheck(text);
      if (!check) throw CLI::ValidationError("--http", check.error().message);
      into.push_back(std::move(*check));
    }
  };
  // CLI11 takes text in square brackets apart; this is an object.
  app.add_option_function<Texts>("--http", read, "A request and what its answer must be, as JSON; repeated")
      ->allow_extra_args(false);
}

void AddProbe(CLI::App& parent, int& code) {
  auto* const app = parent.add_subcommand("probe", "Judge a canary by what it answers");
  const auto options = std::make_shared<ProbeOptions>();
  app->add_option("--url", options->url, "Service, http://host:port")->required();
  app->add_option("--health-path", options->health_path, "Must answer 200")->capture_default_str();
  app->add_option("--version-path", options->version_path, "Answers the version; none when empty");
  app->add_option("--expect-version", options->expect_version, "The version that the canary must answer");
  app->add_option("--requests", options->requests, "Of each kind, through the Service")
      ->capture_default_str();
  AddDuration(*app, "--p95-limit", options->p95_limit, "The slowest 95th percentile that is well");
  AddDuration(*app, "--timeout", options->timeout, "Of the whole probe");
  app->add_option("--canary-share", options->canary_share,
                  "Share of the Service's pods that are the canary's")
      ->check(CLI::Range(0.0, 1.0));
  AddPods(*app, "--pod", options->pods, "a canary pod");
  AddPods(*app, "--stable-pod", options->stable_pods, "a pod of another image");
  AddHttpChecks(*app, options->http);
  app->add_option("--report", options->report_path, "File for the report")->capture_default_str();
  app->final_callback([options, &code] { code = RunProbe(*options); });
}

void AddCompare(CLI::App& parent, int& code) {
  auto* const app = parent.add_subcommand("compare", "Judge a canary by stable's answers beside its own");
  const auto options = std::make_shared<CompareOptions>();
  app->add_option("--path", options->path, "What is asked")->capture_default_str();
  app->add_option("--host", options->host, "The Host header")->required();
  app->add_option("--max-pairs", options->max_pairs, "Then it is inconclusive")->capture_default_str();
  app->add_option("--rate", options->rate, "Pairs a second")->capture_default_str();
  app->add_option("--error-margin", options->error_margin, "Points of errors")->capture_default_str();
  app->add_option("--slow-margin", options->slow_margin, "Points of slow answers")->capture_default_str();
  app->add_option("--slower-by", options->slower_by, "Percent above stable's 95th percentile: slow")
      ->capture_default_str();
  app->add_option("--confidence", options->confidence, "Percent")->capture_default_str();
  AddDuration(*app, "--timeout", options->timeout, "Of the whole comparison");
  AddPods(*app, "--canary-pod", options->canary_pods, "a canary pod");
  AddPods(*app, "--stable-pod", options->stable_pods, "a pod of stable");
  app->add_option("--report", options->report_path, "File for the report")->capture_default_str();
  app->final_callback([options, &code] { code = RunCompare(*options); });
}

void AddPrometheus(CLI::App& parent, int& code) {
  auto* const app = parent.add_subcommand("prometheus", "Judge a canary by a query");
  const auto options = std::make_shared<PrometheusOptions>();
  app->add_option("--url", options->url, "http(s)://host[:port][/path]")->required();
  app->add_option("--query", options->query, "PromQL")->required();
  app->add_option("--min", options->min, "Each sample must be at least this");
  app->add_option("--max", options->max, "Each sample must be at most this");
  app->add_option("--count", options->count, "How often it is asked")->capture_default_str();
  AddDuration(*app, "--interval", options->interval, "Between two");
  app->add_option("--failure-limit", options->failure_limit, "How many may fail")->capture_default_str();
  app->add_option("--inconclusive-limit", options->inconclusive_limit, "How many may have no sample")
      ->capture_default_str();
  app->add_option("--error-limit", options->error_limit, "How many in a row may get no answer")
      ->capture_default_str();
  app->add_option("--report", options->report_path, "File for the report")->capture_default_str();
  app->final_callback([options, &code] { code = RunPrometheus(*options); });
}

}  // namespace

void AddCheckSteps(CLI::App& app, int& code) {
  AddProbe(app, code);
  AddCompare(app, code);
  AddPrometheus(app, code);
}

}  // namespace slipway::runner
