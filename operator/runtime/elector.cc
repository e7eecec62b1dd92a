#include "runtime/elector.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "runtime/coroutine.h"

namespace slipway::runtime {
namespace {

constexpr Duration kReleaseWithin = std::chrono::seconds(2);

}  // namespace

struct Elector::Term {
  Term(const asio::any_io_executor& executor, std::function<asio::awaitable<void>()> work)
      : lead(std::move(work)),
        changed(executor),
        let_go(executor),
        campaign(executor),
        led(executor),
        letting_go(executor) {}

  std::function<asio::awaitable<void>()> lead;
  Signal changed;  // Watch waits for it alone
  Signal let_go;
  TaskGroup campaign;
  TaskGroup led;
  TaskGroup letting_go;
  bool started = false;
  bool ended = false;  // the lead came back by itself
  bool lost = false;
};

Elector::Elector(kube::Api& api, ElectorOptions options, const Clock& clock)
    : api_(api),
      options_(std::move(options)),
      clock_(clock),
      core_(options_),
      random_(std::random_device{}()) {}
Elector::~Elector() = default;

bool Elector::leading() const {
  return term_ && term_->started && !term_->ended && core_.Leading(clock_.Boot());
}

// Short enough for a second try before the deadline.
Duration Elector::CallTimeout() const {
  return std::min(Duration(options_.renew_deadline) / 2, Duration(std::chrono::seconds(5)));
}

asio::awaitable<bool> Elector::Run(std::function<asio::awaitable<void>()> lead) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await asio::this_coro::executor;
  core_ = ElectorCore(options_);
  term_ = std::make_unique<Term>(executor, std::move(lead));
  term_->campaign.Spawn("lease", Campaign());
  co_await Watch();
  // What follows must be done in any case, and is bounded; so a stop doesn't reach it.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await StepDown();
  const bool lost = term_->lost;
  term_.reset();
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_return lost;
}

// Until there is a reason to step down. Looks at the clock at least every retry period: a timer does not
// count the time that the machine slept, our clock does.
asio::awaitable<void> Elector::Watch() {
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (Asked(state) || term_->ended) co_return;
    const Duration left = core_.LeadLeft(clock_.Boot());
    term_->lost = term_->started && left == Duration(0);
    if (term_->lost) co_return;
    if (left > Duration(0) && !term_->started) {
      term_->started = true;
      term_->led.Spawn("lead", LeadUntilEnd());
    }
    std::optional<Duration> at_most;
    if (term_->started) at_most = std::min(left, options_.retry_period);
    co_await term_->changed.Wait(at_most);
  }
}

asio::awaitable<void> Elector::LeadUntilEnd() {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await term_->lead();
  term_->ended = true;
  term_->changed.Notify();
}

// The lease is renewed until the last of our work has ended, so that nobody takes over beside it.
asio::awaitable<void> Elector::StepDown() {
  if (term_->lost) {
    log::error("lease {}: not renewed for {} s, or taken by {}; the lead is lost",
               kube::ToString(options_.lease), options_.renew_deadline.count(), log::Quoted(core_.holder()));
    term_->campaign.Cancel();
  }
  term_->led.Cancel();
  co_await term_->led.Join();
  term_->campaign.Cancel();
  co_await term_->campaign.Join();
  if (!core_.Release(clock_.Now())) co_return;
  term_->letting_go.Spawn("release of the lease", LetGo());
  co_await term_->let_go.Wait(kReleaseWithin);
  term_->letting_go.Cancel();
  co_await term_->letting_go.Join();
}

// Reads first: a renewal that the stop cut off may have been carried out, and moved the version.
asio::awaitable<void> Elector::LetGo() {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await ReadLease();
  if (auto lease = core_.Release(clock_.Now())) {
    auto request = kube::Replace(kube::kLeases, options_.lease, *lease);
    request.timeout = kReleaseWithin;
    const auto released = co_await api_.Call(std::move(request));
    if (!released) log::warn("lease not released: {}", released.error().message);
  }
  term_->let_go.Notify();
}

asio::awaitable<void> Elector::Campaign() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (Asked(state)) co_return;
    auto step = core_.Next(clock_.Now(), clock_.Boot(), UnitRandom(random_));
    if (const auto* wait = std::get_if<ElectorCore::Wait>(&step)) {
      co_await Sleep(wait->delay);
    } else if (auto* write = std::get_if<ElectorCore::Write>(&step)) {
      co_await WriteLease(std::move(*write));
    } else {
      co_await ReadLease();
    }
    term_->changed.Notify();
  }
}

asio::awaitable<void> Elector::ReadLease() {
  auto request = kube::Get(kube::kLeases, options_.lease);
  request.timeout = CallTimeout();
  const auto lease = co_await api_.Call(std::move(request));
  const bool failed = !lease && lease.error().kind != ErrorKind::kNotFound;
  if (failed) log::warn("lease {}: {}", kube::ToString(options_.lease), lease.error().message);
  core_.OnRead(lease, clock_.Boot());
}

asio::awaitable<void> Elector::WriteLease(ElectorCore::Write write) {
  auto request = write.create ? kube::Create(kube::kLeases, options_.lease.ns, write.lease)
                              : kube::Replace(kube::kLeases, options_.lease, write.lease);
  request.timeout = CallTimeout();
  const BootTime started = clock_.Boot();
  const auto lease = co_await api_.Call(std::move(request));
  if (!lease) log::warn("lease {}: not written: {}", kube::ToString(options_.lease), lease.error().message);
  core_.OnWritten(lease, started, clock_.Boot());
}

}  // namespace slipway::runtime
