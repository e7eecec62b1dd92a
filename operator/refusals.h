// Conditions that no decision makes: an object that can't be read, or for which what a decision needs can't.
// They are written one after the other, in the background; one that can't be written is logged and dropped.
// Lives as long as the operator; on its one thread.
#pragma once

#include <deque>
#include <string>

#include "base/async.h"
#include "base/time.h"
#include "kube/api.h"

namespace slipway {

struct Refusal {
  kube::ApiResource resource;
  kube::ObjectKey key;
  std::string reason;
  bool stalled = false;  // until the object changes
  std::string message;
};

class Refusals {
 public:
  Refusals(const asio::any_io_executor& executor, kube::Api& api, const Clock& clock);

  void Put(Refusal refusal);
  // Until it is cancelled.
  asio::awaitable<void> Run();

 private:
  kube::Request PatchOf(const Refusal& refusal) const;

  kube::Api& api_;
  const Clock& clock_;
  std::deque<Refusal> waiting_;
  Signal wake_;
};

}  // namespace slipway
