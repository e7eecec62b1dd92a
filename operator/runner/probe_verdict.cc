#include "runner/probe_verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

namespace slipway::runner {
namespace {

constexpr std::size_t kVersionBytes = 128;
constexpr std::size_t kMessageBytes = 512;
constexpr std::size_t kReportBytes = 3072;
constexpr std::size_t kVersions = 8;
constexpr std::size_t kPods = 10;
constexpr int kOk = 200;
constexpr double kMissedByChance = 1e-6;

std::string Printable(std::string_view text, std::size_t most) {
  std::string out(text.substr(0, most));
  std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

const std::string& PathOf(const ProbeOptions& options, const Observation& answer) {
  return answer.version ? options.version_path : options.health_path;
}

std::string Said(const ProbeOptions& options, const Observation& answer) {
  if (answer.status == 0) return fmt::format("GET {}: {}", PathOf(options, answer), answer.text);
  return fmt::format("GET {} answered {}", PathOf(options, answer), answer.status);
}

class Judgement {
 public:
  Judgement(const ProbeOptions& options, const Findings& findings) : options_(options), findings_(findings) {}

  ProbeReport Make() {
    if (!findings_.unreachable.empty()) {
      Find("ServiceUnreachable",
           fmt::format("{} can't be looked up: {}", options_.url, findings_.unreachable));
      return Done();
    }
    Count();
    CheckService();
    CheckPods();
    CheckVersionSeen();
    CheckLatency();
    CheckComplete();
    return Done();
  }

 private:
  // The first finding is the reason; the order of the checks is the order of what a person wants to know.
  void Find(std::string reason, std::string message) {
    if (!report_.reason.empty()) return;
    report_.reason = std::move(reason);
    report_.message = Printable(message, kMessageBytes);
  }

  ProbeReport Done() {
    report_.passed = report_.reason.empty();
    if (report_.passed) {
      report_.reason = "Passed";
      report_.message =
          fmt::format("{} requests through the Service and {} canary pods answered as they should",
                      report_.requests, options_.pods.size());
    }
    return std::move(report_);
  }

  void Count() {
    report_.pods.resize(options_.pods.size());
    for (std::size_t i = 0; i < options_.pods.size(); ++i) report_.pods[i].name = options_.pods[i].name;
    std::vector<std::chrono::microseconds> times;
    for (const auto& answer : findings_.answers) {
      if (answer.pod != kThroughService) {
        CountAtPod(answer);
        continue;
      }
      times.push_back(answer.took);
      ++report_.requests;
      if (answer.status != kOk) CountFailure(answer);
      if (answer.status == kOk && answer.version) ++versions_[answer.text];
    }
    std::ranges::sort(times);
    report_.p50_ms = PercentileMs(times, 50);
    report_.p95_ms = PercentileMs(times, 95);
    report_.p99_ms = PercentileMs(times, 99);
    KeepFrequentVersions();
  }

  // A person who looks for the cause is helped most by what the health path answered: it goes before the
  // version path, whichever of the two failed first.
  void CountFailure(const Observation& answer) {
    ++report_.failures;
    if (!first_failure_.empty() && (answer.version || !failed_version_)) return;
    first_failure_ = Said(options_, answer);
    failed_version_ = answer.version;
  }

  void CountAtPod(const Observation& answer) {
    PodReport& pod = report_.pods.at(static_cast<std::size_t>(answer.pod));
    const bool answered = answer.status == kOk;
    if (answered && answer.version) pod.version = answer.text;
    const bool wrong = answered && answer.version && !options_.expect_version.empty() &&
                       answer.text != options_.expect_version;
    if (answered && !wrong) return;
    ++pod.failures;
    if (!pod_finding_.empty()) return;
    pod_reason_ = wrong ? "WrongVersion" : "PodFailed";
    const std::string said = wrong ? fmt::format("GET {} answered version \"{}\" instead of \"{}\"",
                                                 options_.version_path, answer.text, options_.expect_version)
                                   : Said(options_, answer);
    pod_finding_ = fmt::format("canary pod {}: {}", pod.name, said);
  }

  void KeepFrequentVersions() {
    std::vector<std::pair<std::string, int>> all(versions_.begin(), versions_.end());
    std::ranges::sort(all, [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    if (all.size() > kVersions) all.resize(kVersions);
    report_.versions = {all.begin(), all.end()};
  }

  void CheckService() {
    if (report_.failures == 0) return;
    const std::string_view url = options_.url;
    const std::string_view base = url.ends_with('/') ? url.substr(0, url.size() - 1) : url;
    Find("RequestsFailed",
         fmt::format("{} of {} requests to {}{} failed; the first: {}", report_.failures, report_.requests,
                     base, failed_version_ ? options_.version_path : options_.health_path, first_failure_));
  }

  void CheckPods() {
    if (!pod_finding_.empty()) Find(pod_reason_, pod_finding_);
  }

  void CheckVersionSeen() {
    if (options_.version_path.empty() || options_.expect_version.empty()) return;
    if (!MustMeetCanary(options_.canary_share, options_.requests)) return;
    if (versions_.contains(options_.expect_version)) return;
    Find("VersionNotSeen",
         fmt::format("none of {} answers of {}{} was version \"{}\": the Service does not reach the canary",
                     options_.requests, options_.url, options_.version_path, options_.expect_version));
  }

  void CheckLatency() {
    if (report_.p95_ms <= options_.p95_limit.count()) return;
    Find("TooSlow", fmt::format("95 of 100 requests to {} took up to {} ms; the limit is {} ms", options_.url,
                                report_.p95_ms, options_.p95_limit.count()));
  }

  void CheckComplete() {
    const auto missing = findings_.planned - static_cast<int>(findings_.answers.size());
    if (missing <= 0) return;
    Find("TimedOut", fmt::format("{} of {} requests were not made within {} ms", missing, findings_.planned,
                                 options_.timeout.count()));
  }

  const ProbeOptions& options_;
  const Findings& findings_;
  ProbeReport report_;
  std::map<std::string, int> versions_;
  std::string first_failure_;
  bool failed_version_ = false;  // first_failure_ is about the version path
  std::string pod_reason_;
  std::string pod_finding_;
};

nlohmann::json Rendered(const ProbeReport& report) {
  nlohmann::json pods = nlohmann::json::array();
  for (const auto& pod : report.pods) {
    pods.push_back({{"name", Printable(pod.name, 63)}, {"failures", pod.failures}, {"version", pod.version}});
  }
  return {{"verdict", report.passed ? "pass" : "fail"},
          {"reason", report.reason},
          {"message", report.message},
          {"requests", report.requests},
          {"failures", report.failures},
          {"p50Ms", report.p50_ms},
          {"p95Ms", report.p95_ms},
          {"p99Ms", report.p99_ms},
          {"versions", report.versions},
          {"pods", std::move(pods)}};
}

}  // namespace

ProbeReport Judge(const ProbeOptions& options, const Findings& findings) {
  return Judgement(options, findings).Make();
}

std::string ToJson(ProbeReport report) {
  std::ranges::sort(report.pods, [](const PodReport& a, const PodReport& b) {
    return a.failures != b.failures ? a.failures > b.failures : a.name < b.name;
  });
  if (report.pods.size() > kPods) report.pods.resize(kPods);
  std::string text = Rendered(report).dump();
  while (text.size() > kReportBytes && !report.pods.empty()) {
    report.pods.pop_back();
    text = Rendered(report).dump();
  }
  // Quotes and backslashes double in JSON: eight versions made of them are too much by themselves.
  while (text.size() > kReportBytes && !report.versions.empty()) {
    report.versions.erase(std::prev(report.versions.end()));
    text = Rendered(report).dump();
  }
  return text;
}

std::string VersionOf(std::string_view body) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = body.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return Printable(body.substr(first, body.find_last_not_of(kSpace) - first + 1), kVersionBytes);
}

int PercentileMs(const std::vector<std::chrono::microseconds>& sorted, int percent) {
  if (sorted.empty()) return 0;
  const std::size_t rank = (sorted.size() * static_cast<std::size_t>(percent) + 99) / 100;
  const auto sample = sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(sample).count());
}

bool MustMeetCanary(double share, int requests) {
  if (!(share > 0)) return false;
  return share >= 1 || std::pow(1 - share, requests) < kMissedByChance;
}

}  // namespace slipway::runner
