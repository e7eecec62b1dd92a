#include <algorithm>
#include <nlohmann/json.hpp>

#include "kube/status_error.h"
#include "runtime/reflector.h"

namespace slipway::runtime {
namespace {

using kube::Json;
using kube::WatchEventType;

// KEP-3157: marks the bookmark that ends the initial events of a streaming list.
constexpr const char* kInitialEventsEnd = "k8s.io/initial-events-end";
// A server that asks for an hour is asked again sooner: by then it may have been replaced.
constexpr std::chrono::seconds kLongestRetryAfter = std::chrono::minutes(5);
// Beyond any policy's cap: an attempt that waits the longest.
constexpr int kLongEnd = 30;

const Json* Member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(name);
  return it == object.end() ? nullptr : &*it;
}

std::string Text(const Json* object, const char* name) {
  const Json* value = object == nullptr ? nullptr : Member(*object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::string VersionOf(const Json& object) { return Text(Member(object, "metadata"), "resourceVersion"); }

// nullopt for what has no name: it can't be kept, and stops nothing else.
std::optional<kube::ObjectKey> KeyOf(const Json& object) {
  const Json* metadata = Member(object, "metadata");
  kube::ObjectKey key{Text(metadata, "namespace"), Text(metadata, "name")};
  if (key.name.empty()) return std::nullopt;
  return key;
}

bool EndsInitialEvents(const Json& bookmark) {
  const Json* metadata = Member(bookmark, "metadata");
  const Json* annotations = metadata == nullptr ? nullptr : Member(*metadata, "annotations");
  return Text(annotations, kInitialEventsEnd) == "true";
}

// etcd was restored, or this API server lags behind the one that we listed from: our version never comes.
bool VersionTooLarge(const Error& error) {
  return error.message.find("Too large resource version") != std::string::npos;
}

// An API server without the WatchList feature says so with 422, and some proxies' policies with 403.
bool RefusesStreaming(const Error& error) {
  return error.kind == ErrorKind::kInvalid || error.message.find("sendInitialEvents") != std::string::npos;
}

}  // namespace

ReflectorCore::ReflectorCore(ReflectorOptions options, Sink& sink)
    : options_(std::move(options)), sink_(sink) {}

ReflectorCore::Step ReflectorCore::Next(double unit_random) {
  if (pause_) {
    const Duration delay = DelayOf(*pause_, unit_random);
    pause_.reset();
    return Wait{delay};
  }
  if (state_ == State::kList) return ListNext();
  heard_ = false;
  // A streaming list always starts anew: what an earlier, broken one told may be gone since.
  if (state_ == State::kStreamList) listed_.clear();
  return WatchNext();
}

ReflectorCore::Step ReflectorCore::ListNext() const {
  kube::ListParams params;
  params.label_selector = options_.label_selector;
  params.field_selector = options_.field_selector;
  params.limit = options_.page_size;
  params.continue_token = continue_token_;
  return ListPage{kube::List(options_.resource, options_.ns, params)};
}

ReflectorCore::Step ReflectorCore::WatchNext() const {
  kube::WatchParams params;
  params.label_selector = options_.label_selector;
  params.field_selector = options_.field_selector;
  params.timeout = options_.watch_timeout;
  params.send_initial_events = state_ == State::kStreamList;
  // A streaming list names no version: that asks for the newest state, so the cache never goes back in time.
  if (state_ == State::kWatch) params.resource_version = resource_version_;
  return StartWatch{kube::Watch(options_.resource, options_.ns, params)};
}

// The server's wish is a floor; up to a fifth is added, so that its clients don't all come back at once.
Duration ReflectorCore::DelayOf(const Pause& pause, double unit_random) const {
  const Duration backoff = BackoffDelay(options_.backoff, pause.attempt, unit_random);
  const Duration floor = pause.retry_after;
  const auto jitter = static_cast<Duration::rep>(static_cast<double>(floor.count()) * 0.2 * unit_random);
  return std::max(backoff, floor + Duration(jitter));
}

void ReflectorCore::OnPage(const Json& page) {
  const Json* metadata = Member(page, "metadata");
  const Json* items = Member(page, "items");
  if (metadata == nullptr || items == nullptr || !(items->is_array() || items->is_null())) {
    return OnError({ErrorKind::kInvalid, "the answer to a list is not a list", std::nullopt});
  }
  for (const Json& object : *items) {
    const auto key = KeyOf(object);
    if (!key) continue;
    listed_.insert(*key);
    sink_.Upsert(object);
  }
  continue_token_ = Text(metadata, "continue");
  if (!continue_token_.empty()) return;
  std::string version = Text(metadata, "resourceVersion");
  if (version.empty()) return OnError({ErrorKind::kInvalid, "a list without resourceVersion", std::nullopt});
  ListComplete(std::move(version));
}

void ReflectorCore::ListComplete(std::string resource_version) {
  sink_.Retain(listed_);
  std::unordered_set<kube::ObjectKey>().swap(listed_);
  continue_token_.clear();
  resource_version_ = std::move(resource_version);
  state_ = State::kWatch;
  synced_ = true;
  failures_ = 0;
  broken_streams_ = 0;
  last_error_.reset();
}

bool ReflectorCore::OnFrame(const kube::WatchFrame& frame) {
  switch (frame.type) {
    case WatchEventType::kAdded:
    case WatchEventType::kModified:
    case WatchEventType::kDeleted:
      Change(frame);
      return true;
    case WatchEventType::kBookmark:
      return Bookmark(frame.object);
    case WatchEventType::kError:
      OnError(kube::ErrorFromStatus(frame.object));
      return false;
    case WatchEventType::kUnknown:
      break;  // from a newer server; what it means for an object, the next known event tells
  }
  return true;
}

void ReflectorCore::Change(const kube::WatchFrame& frame) {
  const auto key = KeyOf(frame.object);
  if (!key) return;
  const bool gone = frame.type == WatchEventType::kDeleted;
  if (gone) {
    sink_.Remove(*key);
  } else {
    sink_.Upsert(frame.object);
  }
  if (state_ == State::kStreamList) {
    gone ? static_cast<void>(listed_.erase(*key)) : static_cast<void>(listed_.insert(*key));
  } else {
    MoveVersion(frame.object);
  }
}

bool ReflectorCore::Bookmark(const Json& object) {
  if (state_ == State::kWatch) {
    MoveVersion(object);
    return true;
  }
  if (EndsInitialEvents(object) && !VersionOf(object).empty()) {
    ListComplete(VersionOf(object));
    return true;
  }
  // A server that knows sendInitialEvents sends no other bookmark before the end: this one does not know it.
  AbandonStreaming();
  return false;
}

// Only while watching: the version of a partial list can't be resumed from.
void ReflectorCore::MoveVersion(const Json& object) {
  std::string version = VersionOf(object);
  if (!version.empty()) resource_version_ = std::move(version);
  heard_ = true;
  failures_ = 0;
  restarts_ = 0;
  empty_watches_ = 0;
  last_error_.reset();
}

// The end in good order. The pause keeps a server that ends each watch at once from being asked in a hot
// loop.
void ReflectorCore::OnWatchEnd() {
  if (state_ == State::kStreamList) {
    AbandonStreaming();
    pause_ = Pause{failures_++, {}};
    return;
  }
  if (!heard_) empty_watches_ = std::min(empty_watches_ + 1, 2);
  pause_ = Pause{empty_watches_, {}};
}

void ReflectorCore::OnError(const Error& error) {
  if (error.kind == ErrorKind::kCancelled) return;
  last_error_ = error;
  if (state_ == State::kStreamList && RefusesStreaming(error)) {
    AbandonStreaming();  // no pause: a list is another question
    return;
  }
  const bool transient = error.kind == ErrorKind::kTransient || error.kind == ErrorKind::kThrottled ||
                         error.kind == ErrorKind::kUnauthorized;
  if (!transient || VersionTooLarge(error)) {
    Restart();
  } else if (state_ == State::kStreamList && ++broken_streams_ >= 2) {
    state_ = State::kList;  // for this once: something on the way may not bear a long first answer
    listed_.clear();
  }
  Trouble(error);
}

void ReflectorCore::Restart() {
  ++restarts_;
  state_ = streaming_supported_ ? State::kStreamList : State::kList;
  resource_version_.clear();
  continue_token_.clear();
  listed_.clear();
}

void ReflectorCore::AbandonStreaming() {
  streaming_supported_ = false;
  state_ = State::kList;
  continue_token_.clear();
  listed_.clear();
}

void ReflectorCore::Trouble(const Error& error) {
  const std::chrono::seconds none(0);
  const auto asked = std::clamp(error.retry_after.value_or(none), none, kLongestRetryAfter);
  // Rights that are missing and a kind that is not installed are mended by people, in minutes.
  const bool for_people = error.kind == ErrorKind::kForbidden || error.kind == ErrorKind::kNotFound;
  const int attempt = for_people ? kLongEnd : std::min(kLongEnd, std::max(failures_, restarts_ - 1));
  ++failures_;
  pause_ = Pause{attempt, asked};
}

}  // namespace slipway::runtime
