#include "runtime/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "base/log.h"
#include "base/names.h"
#include "kube/status_error.h"
#include "runtime/coroutine.h"

namespace slipway::runtime {
namespace {

using kube::Json;

constexpr double kBurst = 25;
constexpr Duration kRefill = std::chrono::minutes(5);
constexpr Duration kRepeatAfter = std::chrono::minutes(10);
constexpr Duration kSweepEvery = std::chrono::minutes(10);
constexpr std::size_t kMostQueued = 1000;
constexpr Duration kDrainWithin = std::chrono::seconds(1);
constexpr const char* kController = "slipway.dev/operator";

// events.k8s.io/v1 validation: note up to 1 kB, action, reason and reportingInstance up to 128 bytes.
constexpr std::size_t kMostNote = 1024;
constexpr std::size_t kMostWord = 128;
// A name is a DNS subdomain: 253 characters, of which the serial takes 17.
constexpr std::size_t kMostNamePart = 253 - 17;

std::string Identity(const Event& event) {
  return fmt::format("{}|{}|{}|{}", static_cast<int>(event.type), event.reason, event.action, event.note);
}

}  // namespace

bool EventFilter::Admit(const kube::Uid& object, const Event& event, BootTime now) {
  Sweep(now);
  const auto [it, inserted] = objects_.try_emplace(object.value);
  Spam& spam = it->second;
  if (inserted) spam.refilled = now;
  Refresh(spam, now);
  std::string identity = Identity(event);
  double& tokens = spam.tokens[static_cast<std::size_t>(event.type)];
  if (spam.recent.contains(identity) || tokens < 1) return false;
  tokens -= 1;
  spam.recent.emplace(std::move(identity), now);
  return true;
}

void EventFilter::Refresh(Spam& spam, BootTime now) {
  const auto passed = static_cast<double>((now - spam.refilled).count());
  const double more = passed / static_cast<double>(kRefill.count());
  for (double& tokens : spam.tokens) tokens = std::min(kBurst, tokens + more);
  spam.refilled = now;
  std::erase_if(spam.recent, [now](const auto& seen) { return now - seen.second >= kRepeatAfter; });
}

// An object that is at rest is forgotten: its next event finds the same full allowance.
void EventFilter::Sweep(BootTime now) {
  if (now - swept_ < kSweepEvery) return;
  swept_ = now;
  for (auto& [uid, spam] : objects_) Refresh(spam, now);
  std::erase_if(objects_, [](const auto& entry) {
    const auto full = [](double tokens) { return tokens >= kBurst; };
    return entry.second.recent.empty() && std::ranges::all_of(entry.second.tokens, full);
  });
}

Json RenderEvent(const ObjectReference& about, const Event& event, const std::string& instance, TimePoint now,
                 std::uint64_t serial) {
  const std::string time = FormatMicroTime(now);
  const std::string unique = ShortHash(fmt::format("{}|{}|{}|{}", instance, about.key.name, time, serial), 8);
  std::string name = about.key.name.substr(0, kMostNamePart);
  while (!name.empty() && (name.back() == '.' || name.back() == '-')) name.pop_back();
  return {{"apiVersion", kube::ApiVersion(kube::kEvents)},
          {"kind", kube::kEvents.kind},
          {"metadata", {{"name", name + "." + unique}, {"namespace", about.key.ns}}},
          {"eventTime", time},
          {"reportingController", kController},
          {"reportingInstance", kube::Printable(instance, kMostWord)},
          {"type", event.type == EventType::kWarning ? "Warning" : "Normal"},
          {"reason", kube::Printable(event.reason, kMostWord)},
          {"action", kube::Printable(event.action, kMostWord)},
          {"note", kube::Printable(event.note, kMostNote)},
          {"regarding",
           {{"apiVersion", kube::ApiVersion(about.resource)},
            {"kind", about.resource.kind},
            {"namespace", about.key.ns},
            {"name", about.key.name},
            {"uid", about.uid.value}}}};
}

EventRecorder::EventRecorder(asio::any_io_executor executor, kube::Api& api, const Clock& clock,
                             std::string instance)
    : executor_(std::move(executor)),
      api_(api),
      clock_(clock),
      instance_(std::move(instance)),
      wake_(executor_),
      drained_(executor_) {}

void EventRecorder::Record(const ObjectReference& about, Event event) {
  if (!filter_.Admit(about.uid, event, clock_.Boot())) return;
  if (queue_.size() >= kMostQueued) queue_.pop_front();
  queue_.push_back(RenderEvent(about, event, instance_, clock_.Now(), serial_++));
  wake_.Notify();
}

void EventRecorder::Tell(const ObjectReference& about, const std::string& action,
                         const std::vector<Notice>& notices) {
  for (const auto& notice : notices) {
    Record(about,
           {notice.warning ? EventType::kWarning : EventType::kNormal, notice.reason, action, notice.note});
    log::info("{} {}: {}: {}", about.resource.kind, kube::ToString(about.key), notice.reason,
              log::Quoted(notice.note));
  }
}

asio::awaitable<void> EventRecorder::Run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    co_await WriteQueued();
    const auto state = co_await asio::this_coro::cancellation_state;
    if (Asked(state)) break;
    co_await wake_.Wait();
  }
  // What is left must not be lost to the stop itself, nor hold it up.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  if (queue_.empty()) co_return;
  TaskGroup drain(executor_);
  drain.Spawn("last events", Drain());
  co_await drained_.Wait(kDrainWithin);
  drain.Cancel();
  co_await drain.Join();
  if (!queue_.empty()) log::warn("{} events not written before the stop", queue_.size());
}

asio::awaitable<void> EventRecorder::Drain() {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await WriteQueued();
  drained_.Notify();
}

asio::awaitable<void> EventRecorder::WriteQueued() {
  while (!queue_.empty()) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (Asked(state)) co_return;
    const Json body = std::move(queue_.front());
    queue_.pop_front();
    auto request = kube::Create(kube::kEvents, body["metadata"]["namespace"].get<std::string>(), body);
    request.timeout = std::chrono::seconds(10);
    const auto written = co_await api_.Call(std::move(request));
    if (!written) {
      log::warn("event {} not written: {}", log::Quoted(body["reason"].get<std::string>()),
                written.error().message);
    }
  }
}

}  // namespace slipway::runtime
