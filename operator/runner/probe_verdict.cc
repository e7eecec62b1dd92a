#include "runner/probe_verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "runner/latency.h"

namespace slipway::runner {
namespace {

constexpr std::size_t kVersionBytes = 128;
constexpr std::size_t kVersions = 8;
constexpr int kOk = 200;
constexpr double kMissedByChance = 1e-6;

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

  CheckReport Make() {
    if (!findings_.unreachable.empty()) {
      Find("ServiceUnreachable",
           fmt::format("{} can't be looked up: {}", options_.url, findings_.unreachable));
      return Done();
    }
    Count();
    CheckService();
    CheckPods();
    CheckStable();
    CheckVersionSeen();
    CheckShare();
    CheckHttp();
    CheckLatency();
    CheckComplete();
    return Done();
  }

 private:
  // The order of the checks is the order of what a person wants to know.
  void Find(std::string_view reason, std::string_view message) { runner::Find(report_, reason, message); }

  CheckReport Done() {
    report_.verdict = report_.reason.empty() ? CheckVerdict::kPass : CheckVerdict::kFail;
    Find(kPassedReason,
         fmt::format("{} requests through the Service and {} canary pods answered as they should",
                     report_.requests, options_.pods.size()));
    return std::move(report_);
  }

  void Count() {
    report_.pods.resize(options_.pods.size());
    for (std::size_t i = 0; i < options_.pods.size(); ++i) report_.pods[i].name = options_.pods[i].name;
    LatencyHistogram latencies;
    for (const auto& answer : findings_.answers) {
      if (answer.pod != kThroughService) {
        if (answer.stable) CountAtStable(answer);
        if (!answer.stable) CountAtPod(answer);
        continue;
      }
      latencies.Record(answer.took);
      ++report_.requests;
      if (answer.status != kOk) CountFailure(answer);
      if (answer.status == kOk && answer.version) ++versions_[answer.text];
    }
    report_.latency = PercentilesOf(latencies);
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

  // Whether stable is well is not asked here; only that its answers can be told from the canary's.
  void CountAtStable(const Observation& answer) {
    const bool ambiguous = answer.status == kOk && answer.version && !options_.expect_version.empty() &&
                           answer.text == options_.expect_version;
    if (!ambiguous || !ambiguous_.empty()) return;
    ambiguous_ =
        fmt::format("GET {} of stable's pod {} answered version \"{}\", which only the canary should answer",
                    options_.version_path, options_.stable_pods.at(static_cast<std::size_t>(answer.pod)).name,
                    answer.text);
  }

  void KeepFrequentVersions() {
    std::vector<std::pair<std::string, int>> all(versions_.begin(), versions_.end());
    std::ranges::sort(all, [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    if (all.size() > kVersions) all.resize(kVersions);
    report_.versions = {all.begin(), all.end()};
  }

  std::string_view Base() const {
    const std::string_view url = options_.url;
    return url.ends_with('/') ? url.substr(0, url.size() - 1) : url;
  }

  void CheckService() {
    if (report_.failures == 0) return;
    Find("RequestsFailed",
         fmt::format("{} of {} requests to {}{} failed; the first: {}", report_.failures, report_.requests,
                     Base(), failed_version_ ? options_.version_path : options_.health_path, first_failure_));
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

  void CheckStable() {
    if (!ambiguous_.empty()) Find("VersionAmbiguous", ambiguous_);
  }

  // What was not answered, or not by 200, named no version and is no part of the split.
  void CheckShare() {
    const bool known = !options_.version_path.empty() && !options_.expect_version.empty();
    const double share = options_.canary_share;
    if (!known || !(share > 0 && share < 1) || !ambiguous_.empty()) return;
    int answers = 0;
    for (const auto& [version, count] : versions_) answers += count;
    const auto canary = versions_.find(options_.expect_version);
    const Share measured = MeasureShare(canary == versions_.end() ? 0 : canary->second, answers, share);
    report_.share = measured;
    if (measured.plausible) return;
    Find("SplitNotReal",
         fmt::format(
             "{} of {} answers of {}{} were version \"{}\"; the canary is {:.1f}% of the ready pods: "
             "the Service does not choose among them evenly (session affinity, a mesh, traffic policy?)",
             measured.canary, measured.answers, Base(), options_.version_path, options_.expect_version,
             share * 100));
  }

  void CheckHttp() {
    for (const HttpOutcome& outcome : findings_.http) {
      if (outcome.finding.reason.empty()) continue;
      const std::string where =
          outcome.pod == kThroughService
              ? std::string("through the Service")
              : fmt::format("canary pod {}", options_.pods.at(static_cast<std::size_t>(outcome.pod)).name);
      const std::string tries = outcome.tries > 1 ? fmt::format(" (tried {} times)", outcome.tries) : "";
      Find(outcome.finding.reason, fmt::format("{}: {}{}", where, outcome.finding.message, tries));
    }
  }

  void CheckLatency() {
    if (report_.latency.p95_ms <= options_.p95_limit.count()) return;
    Find("TooSlow", fmt::format("95 of 100 requests to {} took up to {} ms; the limit is {} ms", options_.url,
                                report_.latency.p95_ms, options_.p95_limit.count()));
  }

  void CheckComplete() {
    const auto missing =
        findings_.planned - static_cast<int>(findings_.answers.size() + findings_.http.size());
    if (missing <= 0) return;
    Find("TimedOut", fmt::format("{} of {} requests were not made within {} ms", missing, findings_.planned,
                                 options_.timeout.count()));
  }

  const ProbeOptions& options_;
  const Findings& findings_;
  CheckReport report_;
  std::map<std::string, int> versions_;
  std::string first_failure_;
  bool failed_version_ = false;  // first_failure_ is about the version path
  std::string pod_reason_;
  std::string pod_finding_;
  std::string ambiguous_;
};

}  // namespace

CheckReport Judge(const ProbeOptions& options, const Findings& findings) {
  return Judgement(options, findings).Make();
}

std::string VersionOf(std::string_view body) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = body.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return PrintableAscii(body.substr(first, body.find_last_not_of(kSpace) - first + 1), kVersionBytes);
}

bool MustMeetCanary(double share, int requests) {
  if (!(share > 0)) return false;
  return share >= 1 || std::pow(1 - share, requests) < kMissedByChance;
}

}  // namespace slipway::runner
