#include "resources/decision_policy.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace slipway::resources {
namespace {

using kube::Json;

// deploy/base/admission/decisions.yaml, put in here by the build.
constexpr const char* kManifest =
#include "resources/decision_policy.inc"
    ;

constexpr std::string_view kPolicyKind = "ValidatingAdmissionPolicy";
constexpr std::string_view kBindingKind = "ValidatingAdmissionPolicyBinding";

// Every scalar of the two specs is a text.
Json ToJson(const YAML::Node& node) {
  if (node.IsScalar()) return node.Scalar();
  Json json = node.IsSequence() ? Json::array() : Json::object();
  if (node.IsSequence()) {
    for (const auto& item : node) json.push_back(ToJson(item));
  } else if (node.IsMap()) {
    for (const auto& entry : node) json[entry.first.Scalar()] = ToJson(entry.second);
  }
  return json;
}

Json SpecOf(std::string_view kind) {
  for (const auto& document : YAML::LoadAll(kManifest)) {
    if (document["kind"].Scalar() == kind) return ToJson(document["spec"]);
  }
  return nullptr;
}

std::string Wrong(std::string_view kind, const AdmissionObject* live, const Json& expected) {
  constexpr std::string_view kMend = "apply the operator's admission policies again";
  if (live == nullptr || live->meta.deleted)
    return fmt::format("{} {} is not there: {}", kind, kDecisionPolicy, kMend);
  if (live->spec != expected) {
    const Json difference = Json::diff(expected, live->spec);
    return fmt::format("{} {} is not the operator's, it differs in spec{}: delete it, and {}", kind,
                       kDecisionPolicy, difference.at(0).value("path", ""), kMend);
  }
  if (live->meta.generation == 1) return {};
  return fmt::format(
      "{} {} was altered since it was made (metadata.generation is {}), and nothing says when: delete it, "
      "and "
      "{}",
      kind, kDecisionPolicy, live->meta.generation, kMend);
}

}  // namespace

Result<AdmissionObject> AdmissionObject::Decode(const Json& object) {
  auto meta = kube::DecodeMeta(object);
  if (!meta) return std::unexpected(meta.error());
  return AdmissionObject{std::move(*meta), object.value("spec", Json::object())};
}

std::string WhyNoneCounts(const AdmissionObject* policy, const AdmissionObject* binding) {
  static const Json kPolicy = SpecOf(kPolicyKind);
  static const Json kBinding = SpecOf(kBindingKind);
  std::string wrong = Wrong(kPolicyKind, policy, kPolicy);
  return wrong.empty() ? Wrong(kBindingKind, binding, kBinding) : wrong;
}

std::string WhyItDoesNotCount(const Decision& decision, const AdmissionObject* policy,
                              const AdmissionObject* binding) {
  std::string wrong = WhyNoneCounts(policy, binding);
  if (!wrong.empty()) return wrong;
  const TimePoint since = std::max(policy->meta.created, binding->meta.created) + kTakesHold;
  if (decision.meta.created >= since) return {};
  return fmt::format("it was made before {}, when nothing said who may: make it again", FormatTime(since));
}

}  // namespace slipway::resources
