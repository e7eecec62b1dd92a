#include "trigger/poll_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <tuple>

#include "trigger/patch.h"
#include "trigger/repository.h"

namespace slipway::trigger {
namespace {

constexpr Duration kLongestBackoff = std::chrono::hours(1);
constexpr int kMostDoublings = 20;

std::string NameOf(const std::optional<resources::NameRef>& reference) {
  return reference ? reference->name : std::string();
}

// Between 0 and 1, the same for the same lookup and round: nothing here reads a clock or a dice.
double Unit(std::uint64_t seed, const Lookup& lookup, std::uint64_t round) {
  const std::uint64_t name = std::hash<std::string>{}(lookup.target + '\n' + lookup.revision + '\n' +
                                                      lookup.semver + '\n' + lookup.credentials);
  std::mt19937_64 dice(seed ^ name ^ (round * 0x9E3779B97F4A7C15ULL));
  return std::uniform_real_distribution<double>(0.0, 1.0)(dice);
}

}  // namespace

std::string ToString(const Lookup& lookup) {
  if (lookup.kind == Lookup::Kind::kBase) return "the digest of " + lookup.target;
  return fmt::format("{} of {}", lookup.semver.empty() ? lookup.revision : lookup.semver, lookup.target);
}

std::vector<Want> WantsOf(const resources::ImageBuild& build) {
  std::vector<Want> wants;
  const auto& spec = build.spec;
  if (build.meta.deleted || spec.suspend) return wants;
  const std::string ca = NameOf(spec.ca_bundle_ref);
  if (spec.trigger.poll && !IsFullSha(spec.source.revision)) {
    wants.push_back({{.kind = Lookup::Kind::kCommit,
                      .target = spec.source.url,
                      .revision = spec.source.revision,
                      .semver = spec.source.semver,
                      .credentials = NameOf(spec.source.credentials_secret_ref),
                      .ca_bundle = ca},
                     spec.trigger.poll->interval});
  }
  if (!spec.trigger.base_images) return wants;
  for (const auto& base : BasesToWatch(build)) {
    wants.push_back({{.kind = Lookup::Kind::kBase,
                      .target = base.image,
                      .credentials = NameOf(spec.build.base_credentials_secret_ref),
                      .ca_bundle = ca},
                     spec.trigger.base_images->interval});
  }
  return wants;
}

Duration PollDelay(Duration interval, int failures, double unit) {
  const double factor = 0.9 + 0.2 * unit;
  Duration wait = interval;
  // An interval that is longer than the longest back-off is not shortened by a failure.
  const Duration most = std::max(interval, kLongestBackoff);
  for (int i = 0; i < std::min(failures, kMostDoublings) && wait < most; ++i) wait = std::min(wait * 2, most);
  return std::chrono::duration_cast<Duration>(wait * factor);
}

BootTime PollCore::DueAt(const Lookup& lookup, const Entry& entry) const {
  if (!entry.last) return BootTime::min();
  return *entry.last + PollDelay(entry.interval, entry.failures, Unit(seed_, lookup, entry.round));
}

// The shortest interval of those who want the same; what nobody wants any more goes, once it isn't under way.
void PollCore::Adopt(const std::vector<Want>& wants) {
  for (auto& [lookup, entry] : entries_) entry.wanted = false;
  for (const Want& want : wants) {
    Entry& entry = entries_[want.lookup];
    entry.interval = entry.wanted ? std::min(entry.interval, want.interval) : want.interval;
    entry.wanted = true;
  }
  std::erase_if(entries_, [](const auto& item) { return !item.second.wanted && !item.second.running; });
}

PollCore::Plan PollCore::Next(const std::vector<Want>& wants, std::size_t free, BootTime now) {
  Adopt(wants);
  Plan plan;
  std::vector<std::pair<BootTime, const Lookup*>> due;
  for (const auto& [lookup, entry] : entries_) {
    if (entry.running || !entry.wanted) continue;
    const BootTime at = DueAt(lookup, entry);
    if (at <= now) {
      due.emplace_back(at, &lookup);
    } else {
      plan.wake = std::min(plan.wake.value_or(at), at);
    }
  }
  std::ranges::sort(due, [](const auto& a, const auto& b) {
    return std::tie(a.first, *a.second) < std::tie(b.first, *b.second);
  });
  // What finds no place now is started when one that runs is done: no time to wake at.
  due.resize(std::min(due.size(), free));
  for (const auto& [at, lookup] : due) {
    entries_[*lookup].running = true;
    plan.start.push_back(*lookup);
  }
  return plan;
}

void PollCore::Done(const Lookup& lookup, bool found, BootTime now) {
  const auto at = entries_.find(lookup);
  if (at == entries_.end()) return;
  at->second.running = false;
  at->second.last = now;
  at->second.failures = found ? 0 : at->second.failures + 1;
  ++at->second.round;
}

}  // namespace slipway::trigger
