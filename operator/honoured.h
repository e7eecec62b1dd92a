// The Decisions that count: of those that there are, the ones that the admission policy vouches for. What the
// controllers see is `counting` alone. One that does not count is told so, by an Event on it, and in the log.
// Lives as long as the operator; on its one thread.
#pragma once

#include <map>
#include <string>

#include "base/async.h"
#include "resources/decision_policy.h"
#include "runtime/events.h"
#include "runtime/informer.h"
#include "runtime/store.h"

namespace slipway {

class HonouredDecisions {
 public:
  using Decisions = runtime::Store<resources::Decision>;
  // Called for each Decision that changed, or that counts from now on, or no more.
  using Handler = std::function<void(const resources::Decision& decision)>;

  HonouredDecisions(kube::Api& api, const Decisions& made, Decisions& counting,
                    runtime::EventRecorder& events, Handler handler);

  // One of `made` is new, is another, or has gone.
  void Changed(const resources::Decision& decision);
  // What the policy is like is known, or can't be.
  bool known() const;
  asio::awaitable<void> Run(asio::any_io_executor executor);

 private:
  using AdmissionObjects = runtime::Store<resources::AdmissionObject>;

  void JudgeAll();
  void Judge(const resources::Decision& decision);
  std::string WhyNot(const resources::Decision& decision) const;

  const Decisions& made_;
  Decisions& counting_;
  runtime::EventRecorder& events_;
  Handler handler_;
  AdmissionObjects policies_;
  AdmissionObjects bindings_;
  runtime::Informer<resources::AdmissionObject> policy_;
  runtime::Informer<resources::AdmissionObject> binding_;
  std::map<std::string, std::string> told_;  // by UID
};

}  // namespace slipway
