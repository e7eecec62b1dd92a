#include "runtime/reflector.h"

#include <boost/asio/this_coro.hpp>

#include "base/log.h"
#include "runtime/coroutine.h"

namespace slipway::runtime {

Reflector::Reflector(kube::Api& api, ReflectorOptions options, Sink& sink)
    : api_(api), options_(std::move(options)), core_(options_, sink), random_(std::random_device{}()) {}

asio::awaitable<void> Reflector::Run(std::function<void()> on_synced) {
  co_await asio::this_coro::throw_if_cancelled(false);
  on_synced_ = std::move(on_synced);
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (Asked(state)) co_return;
    auto step = core_.Next(UnitRandom(random_));
    if (const auto* wait = std::get_if<ReflectorCore::Wait>(&step)) {
      LogTrouble(wait->delay);
      co_await Sleep(wait->delay);
    } else if (auto* page = std::get_if<ReflectorCore::ListPage>(&step)) {
      co_await RunPage(std::move(page->request));
    } else {
      co_await RunWatch(std::move(std::get<ReflectorCore::StartWatch>(step).request));
    }
    TellSynced();
  }
}

asio::awaitable<void> Reflector::RunPage(kube::Request request) {
  const auto page = co_await api_.Call(std::move(request));
  if (page) {
    core_.OnPage(*page);
  } else {
    core_.OnError(page.error());
  }
}

asio::awaitable<void> Reflector::RunWatch(kube::Request request) {
  auto stream = co_await api_.Open(std::move(request));
  if (!stream) {
    core_.OnError(stream.error());
    co_return;
  }
  for (;;) {
    const Duration idle = core_.listing() ? options_.initial_idle : options_.idle;
    const auto frame = co_await (*stream)->Next(idle);
    if (!frame) {
      core_.OnError(frame.error());
      co_return;
    }
    if (!*frame) {
      core_.OnWatchEnd();
      co_return;
    }
    const bool more = core_.OnFrame(**frame);
    TellSynced();
    if (!more) co_return;
  }
}

void Reflector::LogTrouble(Duration delay) const {
  if (!core_.last_error()) return;
  log::warn("watch of {} in {}: {}; again in {} ms", options_.resource.plural,
            options_.ns.empty() ? "all namespaces" : options_.ns, core_.last_error()->message, delay.count());
}

void Reflector::TellSynced() {
  if (!core_.synced() || !on_synced_) return;
  const auto tell = std::exchange(on_synced_, nullptr);
  tell();
}

}  // namespace slipway::runtime
