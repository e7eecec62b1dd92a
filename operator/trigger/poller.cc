#include "trigger/poller.h"

#include <algorithm>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.h"
#include "runtime/coroutine.h"

namespace slipway::trigger {
namespace {

using resources::ImageBuild;

bool WantsIt(const ImageBuild& build, const Lookup& lookup) {
  return std::ranges::any_of(WantsOf(build), [&](const Want& want) { return want.lookup == lookup; });
}

std::optional<Patch> PatchFor(const ImageBuild& build, const Lookup& lookup, const Found& found,
                              TimePoint asked, TimePoint now) {
  if (lookup.kind == Lookup::Kind::kBase) return PatchOf(build, FoundBase{lookup.target, found.value}, now);
  return PatchOf(build, FoundCommit{found.value, found.ref, asked}, now);
}

}  // namespace

Poller::Poller(asio::any_io_executor executor, kube::Api& api, const Clock& clock, PollerOptions options)
    : executor_(executor),
      clock_(clock),
      options_(std::move(options)),
      informer_(api, {.resource = kube::kImageBuilds, .ns = options_.ns}, builds_),
      events_(executor, api, clock, options_.instance),
      patcher_(executor, api, clock, options_.patcher),
      core_(options_.seed),
      wake_(executor),
      services_(executor),
      lookups_(executor),
      threads_(options_.most_children) {
  informer_.OnChange([this](const ImageBuild&) { wake_.Notify(); });
}

std::vector<Poller::Build> Poller::WhoWants(const Lookup& lookup) const {
  return builds_.Where([&](const ImageBuild& build) { return WantsIt(build, lookup); });
}

// The handler goes to a thread with the work, and comes back to its own executor with the result. It can't be
// cancelled: a child has a deadline instead.
asio::awaitable<LookupResult> Poller::OnThread(Lookup lookup) {
  const auto start = [](auto handler, asio::thread_pool* threads,
                        std::function<LookupResult(const Lookup&)> look_up, Lookup what) {
    asio::post(*threads, [handler = std::move(handler), look_up = std::move(look_up),
                          what = std::move(what)]() mutable {
      LookupResult result = std::unexpected(LookupFailure{"PollFailed", "the lookup broke off"});
      try {
        result = look_up(what);
      } catch (const std::exception& bug) {
        log::error("a lookup threw: {}", log::Quoted(bug.what()));
      }
      const auto home = asio::get_associated_executor(handler);
      asio::post(home, [handler = std::move(handler), result = std::move(result)]() mutable {
        std::move(handler)(std::move(result));
      });
    });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(LookupResult)>(
      start, asio::use_awaitable, &threads_, options_.look_up, std::move(lookup));
}

asio::awaitable<void> Poller::Attend(Lookup lookup) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const TimePoint asked = clock_.Now();
  const LookupResult result = co_await OnThread(lookup);
  --running_;
  core_.Done(lookup, result.has_value(), clock_.Boot());
  Tell(lookup, result, asked);
  wake_.Notify();
}

void Poller::Tell(const Lookup& lookup, const LookupResult& result, TimePoint asked) {
  for (const Build& build : WhoWants(lookup)) {
    if (!result) {
      TellFailure(build, lookup, result.error());
      continue;
    }
    said_.erase({build->meta.uid.value, lookup});
    auto patch = PatchFor(*build, lookup, *result, asked, clock_.Now());
    if (!patch) continue;
    const std::string name = log::Quoted(kube::ToString(build->meta.key));
    log::info("{}: {} is {}", name, log::Quoted(ToString(lookup)), result->value);
    if (!patcher_.Take(std::move(*patch))) log::error("{}: too much waits to be written", name);
  }
}

void Poller::TellFailure(const Build& build, const Lookup& lookup, const LookupFailure& failure) {
  std::string& said = said_[{build->meta.uid.value, lookup}];
  if (said == failure.reason) return;
  said = failure.reason;
  const std::string note = fmt::format("{}: {}: {}", ToString(lookup), failure.reason, failure.message);
  log::warn("{}: {}", log::Quoted(kube::ToString(build->meta.key)), log::Quoted(note));
  events_.Record({kube::kImageBuilds, build->meta.key, build->meta.uid},
                 {runtime::EventType::kWarning, "PollFailed", "Poll", note});
}

asio::awaitable<void> Poller::Schedule() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (runtime::Asked(state)) break;
    std::optional<Duration> wait;
    if (informer_.synced()) {
      std::vector<Want> wants;
      for (const Build& build : builds_.All()) {
        if (options_.may_ask && !options_.may_ask(*build)) continue;
        std::ranges::move(WantsOf(*build), std::back_inserter(wants));
      }
      std::erase_if(said_, [&](const auto& item) {
        return std::ranges::none_of(wants,
                                    [&](const Want& want) { return want.lookup == item.first.second; });
      });
      const BootTime now = clock_.Boot();
      const auto plan = core_.Next(wants, options_.most_children - running_, now);
      running_ += plan.start.size();
      for (const Lookup& lookup : plan.start) lookups_.Spawn("lookup", Attend(lookup));
      if (plan.wake) wait = std::max<Duration>(*plan.wake - now, std::chrono::milliseconds(1));
    }
    co_await wake_.Wait(wait);
  }
}

asio::awaitable<void> Poller::Run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  services_.Spawn("image builds", informer_.Run([this] {
    log::info("the builds are known");
    wake_.Notify();
  }));
  services_.Spawn("patches", patcher_.Run());
  services_.Spawn("events", events_.Run());
  co_await Schedule();
  co_await lookups_.Join();
  services_.Cancel();
  co_await services_.Join();
}

}  // namespace slipway::trigger
