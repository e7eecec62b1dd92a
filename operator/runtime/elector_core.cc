#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "runtime/elector.h"

namespace slipway::runtime {
namespace {

using kube::Json;

// What others write may be absurd: a lease of ten years is waited for a minute, and one of nothing as long as
// one of our own would be.
constexpr std::chrono::seconds kLongestLease{60};

Json SpecOf(const Json& lease) {
  const auto spec = lease.find("spec");
  return spec != lease.end() && spec->is_object() ? *spec : Json::object();
}

std::string Text(const Json& spec, const char* name) {
  const auto it = spec.find(name);
  return it != spec.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::int64_t Number(const Json& spec, const char* name, std::int64_t otherwise) {
  const auto it = spec.find(name);
  return it != spec.end() && it->is_number_integer() ? it->get<std::int64_t>() : otherwise;
}

std::string AsRecord(const Json& spec) { return spec.dump(-1, ' ', false, Json::error_handler_t::replace); }

// leaseTransitions is an int32 that counts changes of holder; beyond sense it starts again.
std::int64_t NextTransition(const Json& spec) {
  const std::int64_t count = Number(spec, "leaseTransitions", 0);
  const bool sane = count >= 0 && count < std::numeric_limits<std::int32_t>::max();
  return sane ? count + 1 : 1;
}

}  // namespace

ElectorCore::ElectorCore(ElectorOptions options) : options_(std::move(options)) {}

ElectorCore::Step ElectorCore::Next(TimePoint now, BootTime boot, double unit_random) {
  if (pause_ != Pause::kNone) {
    const Duration delay = PauseLength(std::exchange(pause_, Pause::kNone), unit_random);
    retry_after_ = std::chrono::seconds(0);
    return Wait{delay};
  }
  if (held_ && !Leading(boot)) {  // too late: from here on we are a candidate like any other
    held_ = false;
    fresh_ = false;
  }
  if (!fresh_) return Read{};
  if (held_) return Claim(now, false);
  return Follow(now, boot, unit_random);
}

ElectorCore::Step ElectorCore::Follow(TimePoint now, BootTime boot, double unit_random) {
  // Our own write, whose answer was lost. Any other record that names us was written by somebody's hand.
  const bool ours = observed_ && NamesUs() && record_ == attempted_;
  if (ours || boot >= free_at_) return Claim(now, !ours);
  fresh_ = false;
  return Wait{std::min(PauseLength(Pause::kRetry, unit_random), free_at_ - boot)};
}

Duration ElectorCore::PauseLength(Pause pause, double unit_random) const {
  const auto period = static_cast<double>(options_.retry_period.count());
  const double share = pause == Pause::kShort ? 0.1 : 1.0;
  const Duration retry(static_cast<Duration::rep>(period * share * (1.0 + 0.2 * unit_random)));
  // A leader goes on trying: its deadline is nearer than any Retry-After.
  return held_ ? retry : std::max(retry, Duration(retry_after_));
}

void ElectorCore::OnRead(const Result<Json>& lease, BootTime boot) {
  const bool absent = !lease && lease.error().kind == ErrorKind::kNotFound;
  if (!lease && !absent) return Failed(lease.error(), Pause::kRetry);
  observed_.reset();
  if (lease && lease->is_object()) {
    observed_ = *lease;
    const auto metadata = observed_->find("metadata");
    if (metadata != observed_->end() && metadata->is_object()) metadata->erase("managedFields");
  }
  fresh_ = true;
  Observe(observed_ ? AsRecord(SpecOf(*observed_)) : std::string(), boot);
  if (observed_ && !NamesUs()) held_ = false;  // somebody took it, or a person gave it away
}

void ElectorCore::Failed(const Error& error, Pause pause) {
  fresh_ = false;
  if (error.kind == ErrorKind::kCancelled) return;
  pause_ = pause;
  const std::chrono::seconds none(0);
  retry_after_ = std::clamp(error.retry_after.value_or(none), none, kLongestLease);
}

// A record counts from when we first saw it. That a lease is gone, or has no holder, is a change like any
// other: its last holder does not know yet, unless it said itself that it let go. One absence looks like
// another: after a time in which we saw nothing, it is a new one, as a lease may have come and gone.
void ElectorCore::Observe(std::string record, BootTime boot) {
  const bool continuous = ever_observed_ && boot - seen_at_ < options_.renew_deadline;
  seen_at_ = boot;
  if (ever_observed_ && record == record_ && (observed_ || continuous)) return;
  const Json spec = observed_ ? SpecOf(*observed_) : Json::object();
  const std::chrono::seconds written(Number(spec, "leaseDurationSeconds", options_.lease_duration.count()));
  holder_ = Text(spec, "holderIdentity");
  if (observed_) {
    let_go_ = holder_.empty() && (written.count() == 1 || Text(spec, "renewTime").empty());
  } else {
    let_go_ = !ever_observed_ || (let_go_ && continuous);
  }
  const auto longest = std::max(kLongestLease, options_.lease_duration);
  const auto duration = std::clamp(written, options_.lease_duration, longest);
  free_at_ = let_go_ ? boot : boot + duration;
  record_ = std::move(record);
  ever_observed_ = true;
}

void ElectorCore::OnWritten(const Result<Json>& lease, BootTime started, BootTime boot) {
  if (!lease) {
    const ErrorKind kind = lease.error().kind;
    const bool moved = kind == ErrorKind::kConflict || kind == ErrorKind::kAlreadyExists ||
                       kind == ErrorKind::kNotFound || kind == ErrorKind::kGone;
    return Failed(lease.error(), moved ? Pause::kShort : Pause::kRetry);
  }
  OnRead(lease, boot);
  held_ = true;
  // From when it was sent: others can't have seen it before that, so their wait ends after ours.
  renewed_at_ = started;
  pause_ = Pause::kRetry;
}

ElectorCore::Write ElectorCore::Claim(TimePoint now, bool takeover) {
  const bool create = !observed_;
  Json lease = create ? Json{{"apiVersion", kube::ApiVersion(kube::kLeases)},
                             {"kind", kube::kLeases.kind},
                             {"metadata", {{"name", options_.lease.name}, {"namespace", options_.lease.ns}}}}
                      : *observed_;
  Json spec = SpecOf(lease);
  const std::string time = FormatMicroTime(now);
  if (create || takeover) {
    spec["acquireTime"] = time;
    spec["leaseTransitions"] = create ? 0 : NextTransition(spec);
  }
  spec["holderIdentity"] = options_.identity;
  spec["leaseDurationSeconds"] = options_.lease_duration.count();
  spec["renewTime"] = time;
  attempted_ = AsRecord(spec);
  lease["spec"] = std::move(spec);
  return Write{std::move(lease), create};
}

bool ElectorCore::Leading(BootTime boot) const { return LeadLeft(boot) > Duration(0); }

Duration ElectorCore::LeadLeft(BootTime boot) const {
  if (!held_) return Duration(0);
  return std::max(Duration(0), renewed_at_ + options_.renew_deadline - boot);
}

std::optional<Json> ElectorCore::Release(TimePoint now) const {
  if (!held_ || !observed_) return std::nullopt;
  Json lease = *observed_;
  Json spec = SpecOf(lease);
  spec["holderIdentity"] = "";
  spec["leaseDurationSeconds"] = 1;
  spec["renewTime"] = FormatMicroTime(now);
  spec["acquireTime"] = FormatMicroTime(now);
  lease["spec"] = std::move(spec);
  return lease;
}

}  // namespace slipway::runtime
