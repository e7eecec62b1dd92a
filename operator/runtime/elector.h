// Leader election by a Lease (client-go's tools/leaderelection). ElectorCore is pure: it judges another
// holder's lease by when *we* last saw it change, on our boot clock, never by the times written in it; and it
// steps down by our own boot clock when it could not renew in time, whatever the API server says.
//
// Stricter than client-go where a person meddles: a Lease that was deleted, emptied or given another holder
// by hand is taken only after its last holder must have noticed, so that there is one acting leader.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <variant>

#include "base/async.h"
#include "kube/api.h"

namespace slipway::runtime {

struct ElectorOptions {
  kube::ObjectKey lease;
  std::string identity;                     // unique per process
  std::chrono::seconds lease_duration{15};  // others wait this long before they take over
  std::chrono::seconds renew_deadline{10};  // we step down when not renewed for this long
  Duration retry_period = std::chrono::seconds(2);
};

class ElectorCore {
 public:
  struct Wait {
    Duration delay;
  };
  struct Read {};  // GET the lease; answer OnRead
  struct Write {
    kube::Json lease;
    bool create;
  };  // answer OnWritten
  using Step = std::variant<Wait, Read, Write>;

  explicit ElectorCore(ElectorOptions options);
  Step Next(TimePoint now, BootTime boot, double unit_random);
  void OnRead(const Result<kube::Json>& lease, BootTime boot);
  void OnWritten(const Result<kube::Json>& lease, BootTime started, BootTime boot);
  // True while we hold the lease and renewed it within renew_deadline of `boot`.
  bool Leading(BootTime boot) const;
  // How long Leading stays true from `boot` on if no renewal succeeds; zero when it is not.
  Duration LeadLeft(BootTime boot) const;
  // The lease to write to let go at once (empty holder, one second); nullopt when we do not hold it.
  std::optional<kube::Json> Release(TimePoint now) const;
  // Who holds the lease, as last seen; empty for nobody.
  const std::string& holder() const { return holder_; }

 private:
  enum class Pause : std::uint8_t { kNone, kShort, kRetry };

  void Observe(std::string record, BootTime boot);
  void Failed(const Error& error, Pause pause);
  Duration PauseLength(Pause pause, double unit_random) const;
  Step Follow(TimePoint now, BootTime boot, double unit_random);
  Write Claim(TimePoint now, bool takeover);
  bool NamesUs() const { return holder_ == options_.identity; }

  ElectorOptions options_;
  std::optional<kube::Json> observed_;  // the lease as last read or written; nullopt: there is none
  bool fresh_ = false;                  // `observed_` was read just now, or is our own last write
  bool ever_observed_ = false;
  std::string record_;   // its spec, as text: any change of it is a sign of life
  BootTime seen_at_{};   // when we last saw anything
  bool let_go_ = false;  // its holder released it, or there never was one
  BootTime free_at_{};   // from when on we may take it
  std::string holder_;
  bool held_ = false;
  BootTime renewed_at_{};  // when our last successful write was sent
  std::string attempted_;  // the spec of our last write, whose answer may have been lost
  Pause pause_ = Pause::kNone;
  std::chrono::seconds retry_after_{0};
};

class Elector {
 public:
  Elector(kube::Api& api, ElectorOptions options, const Clock& clock);
  ~Elector();
  // Runs until cancelled or the lead is lost. `lead` is spawned when the lead is won; Run cancels and joins
  // it before it returns or lets the lease go, so that no write of ours follows the release. On cancellation
  // the lease is released within two seconds. Returns true when it was the leader and lost it.
  asio::awaitable<bool> Run(std::function<asio::awaitable<void>()> lead);
  bool leading() const;

 private:
  struct Term;  // what one Run shares with the coroutines that it spawns

  asio::awaitable<void> Campaign();
  asio::awaitable<void> ReadLease();
  asio::awaitable<void> WriteLease(ElectorCore::Write write);
  asio::awaitable<void> LeadUntilEnd();
  asio::awaitable<void> Watch();
  asio::awaitable<void> StepDown();
  asio::awaitable<void> LetGo();
  Duration CallTimeout() const;

  kube::Api& api_;
  ElectorOptions options_;
  const Clock& clock_;
  ElectorCore core_;
  std::minstd_rand random_;
  std::unique_ptr<Term> term_;
};

}  // namespace slipway::runtime
