// How what is wanted is delivered: the CanaryPromotion's spec, and the key that tells one delivery from
// another.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/names.h"
#include "release/wanted.h"

namespace slipway::release {
namespace {

using resources::SmokeTest;

constexpr std::size_t kLongestName = 63;

std::string Retry(const resources::Release& release) {
  const auto it = release.meta.annotations.find(kRetryAnnotation);
  return it == release.meta.annotations.end() ? std::string() : it->second;
}

// Of two tests that have a name in common, the second gets another one; the very same test is asked once.
void Add(std::vector<SmokeTest>& tests, SmokeTest test) {
  if (std::ranges::find(tests, test) != tests.end()) return;
  const std::string name = test.name;
  const auto taken = [&] { return std::ranges::find(tests, test.name, &SmokeTest::name) != tests.end(); };
  for (int n = 2; taken(); ++n) {
    const std::string end = fmt::format("-{}", n);
    test.name = name.substr(0, kLongestName - end.size()) + end;
  }
  tests.push_back(std::move(test));
}

std::vector<SmokeTest> SmokeTestsOf(const resources::ReleaseSpec& spec) {
  return spec.smoke_tests.empty() ? std::vector<SmokeTest>(1) : spec.smoke_tests;
}

// Without a canary, all is asked of stable.
void MakeRolling(const resources::ReleaseSpec& spec, resources::CanaryPromotionSpec& out) {
  out.strategy = resources::Strategy::kRolling;
  // An absent list means one default element: written out, though of no meaning here.
  out.steps.resize(1);
  out.smoke_tests.resize(1);
  for (const auto& test : SmokeTestsOf(spec)) Add(out.verification, test);
  for (const auto& test : spec.verification) Add(out.verification, test);
  out.progress_deadline = spec.rolling ? spec.rolling->progress_deadline : spec.canary.progress_deadline;
}

void MakeCanary(const resources::ReleaseSpec& spec, resources::CanaryPromotionSpec& out) {
  out.strategy = resources::Strategy::kCanary;
  out.steps = spec.canary.steps;
  if (out.steps.empty()) out.steps.emplace_back();
  out.capacity = spec.canary.capacity;
  out.max_surge = spec.canary.max_surge;
  out.accept_autoscaler_overlap = spec.canary.accept_autoscaler_overlap;
  out.analysis = spec.canary.analysis;
  out.smoke_tests = SmokeTestsOf(spec);
  out.verification = spec.verification;
  out.progress_deadline = spec.canary.progress_deadline;
}

kube::Json Encode(const resources::Migration& migration) {
  kube::Json env = kube::Json::array();
  for (const auto& variable : migration.env) env.push_back({variable.name, variable.value});
  return {{"command", migration.command},
          {"args", migration.args},
          {"env", std::move(env)},
          {"secrets", migration.env_from_secrets},
          {"compatibility", resources::ToString(migration.compatibility)},
          {"timeout", migration.timeout.count()}};
}

}  // namespace

resources::CanaryPromotionSpec PromotionSpec(const resources::Release& release, const Wanted& wanted) {
  resources::CanaryPromotionSpec spec;
  spec.target = release.spec.target;
  spec.image = wanted.image;
  spec.version = wanted.version;
  spec.config_maps = wanted.config_maps;
  spec.on_failure = wanted.on_failure;
  const bool rolling = wanted.strategy == resources::Strategy::kRolling;
  rolling ? MakeRolling(release.spec, spec) : MakeCanary(release.spec, spec);
  return spec;
}

std::string KeyOf(const resources::Release& release, const Wanted& wanted) {
  Wanted plain = wanted;
  plain.version = release.spec.version;
  plain.on_failure =
      release.spec.rollback.on_failure ? resources::OnFailure::kRestore : resources::OnFailure::kStay;
  kube::Json all = {{"promotion", resources::EncodeSpec(PromotionSpec(release, plain))}};
  if (release.spec.migration) all["migration"] = Encode(*release.spec.migration);
  return MarkedKey(release, ShortHash(all.dump(-1, ' ', false, kube::Json::error_handler_t::replace), 8));
}

std::string MarkedKey(const resources::Release& release, std::string key) {
  const std::string mark = Retry(release);
  return mark.empty() ? std::move(key) : fmt::format("{}.{}", key, ShortHash(mark));
}

std::string_view PlainKey(std::string_view key) { return key.substr(0, key.find('.')); }

std::string_view MarkOf(std::string_view key) {
  const auto at = key.find('.');
  return at == std::string_view::npos ? std::string_view() : key.substr(at + 1);
}

}  // namespace slipway::release
