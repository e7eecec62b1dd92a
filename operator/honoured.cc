#include "honoured.h"

#include <fmt/format.h>

namespace slipway {
namespace {

using resources::AdmissionObject;
using resources::Decision;

runtime::ReflectorOptions Watching(const kube::ApiResource& resource) {
  runtime::ReflectorOptions options;
  options.resource = resource;
  options.field_selector = fmt::format("metadata.name={}", resources::kDecisionPolicy);
  return options;
}

bool Known(const runtime::Informer<AdmissionObject>& informer) {
  const auto& error = informer.last_error();
  return informer.synced() || (error && error->kind == ErrorKind::kForbidden);
}

}  // namespace

HonouredDecisions::HonouredDecisions(kube::Api& api, const Decisions& made, Decisions& counting,
                                     runtime::EventRecorder& events, Handler handler)
    : made_(made),
      counting_(counting),
      events_(events),
      handler_(std::move(handler)),
      policy_(api, Watching(kube::kValidatingAdmissionPolicies), policies_),
      binding_(api, Watching(kube::kValidatingAdmissionPolicyBindings), bindings_) {
  policy_.OnChange([this](const AdmissionObject&) { JudgeAll(); });
  binding_.OnChange([this](const AdmissionObject&) { JudgeAll(); });
}

bool HonouredDecisions::known() const { return Known(policy_) && Known(binding_); }

void HonouredDecisions::Changed(const Decision& decision) {
  const auto now = made_.Get(decision.meta.key);
  if (now && now->meta.uid == decision.meta.uid) return Judge(*now);
  const auto counted = counting_.Get(decision.meta.key);
  if (counted && counted->meta.uid == decision.meta.uid) counting_.Erase(decision.meta.key);
  told_.erase(decision.meta.uid.value);
  handler_(decision);
}

void HonouredDecisions::JudgeAll() {
  for (const auto& decision : made_.All()) Judge(*decision);
}

// Until the policy was read once nothing counts, and nothing is said of it.
void HonouredDecisions::Judge(const Decision& decision) {
  const std::string why = WhyNot(decision);
  const auto before = counting_.Get(decision.meta.key);
  if (why.empty()) {
    told_.erase(decision.meta.uid.value);
    if (before && before->meta.resource_version == decision.meta.resource_version) return;
    counting_.Put(decision);
    return handler_(decision);
  }
  if (before) {
    counting_.Erase(decision.meta.key);
    handler_(decision);
  }
  auto& told = told_[decision.meta.uid.value];
  if (!known() || told == why) return;
  told = why;
  events_.Tell({kube::kDecisions, decision.meta.key, decision.meta.uid}, "Honour",
               {{true, "NotHonoured", fmt::format("this Decision does not count: {}", why)}});
}

std::string HonouredDecisions::WhyNot(const Decision& decision) const {
  for (const auto* informer : {&policy_, &binding_}) {
    if (informer->synced()) continue;
    const auto& error = informer->last_error();
    return error ? error->message : std::string("the admission policy was not read yet");
  }
  const kube::ObjectKey key{"", std::string(resources::kDecisionPolicy)};
  return resources::WhyItDoesNotCount(decision, policies_.Get(key).get(), bindings_.Get(key).get());
}

asio::awaitable<void> HonouredDecisions::Run(asio::any_io_executor executor) {
  TaskGroup group(std::move(executor));
  group.Spawn("watch the admission policy", policy_.Run([this] { JudgeAll(); }));
  group.Spawn("watch its binding", binding_.Run([this] { JudgeAll(); }));
  co_await group.Join();
}

}  // namespace slipway
