// What the operator rests on where it asks whether a spec is as it was made: metadata.generation counts the
// changes of spec, also those that were taken back, and neither marks nor statuses.
#include "cluster/crds/fixture.h"

namespace slipway::testing {
namespace {

using nlohmann::json;

constexpr const char* kImage =
    "registry.example.com/team/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

class Generation : public Crds {
 protected:
  int Of(const std::string& kind, const std::string& name) {
    return GetJson(ns_, kind, name).value("/metadata/generation"_json_pointer, 0);
  }
  void Patch(const std::string& kind, const std::string& name, const json& change) {
    const Output patched = In({"patch", kind, name, "--type=merge", "-p", change.dump()});
    EXPECT_TRUE(patched.ok()) << patched.text;
  }
};

TEST_F(Generation, OfACanaryPromotionCountsWhatIsChangedInItsSpec) {
  json promotion = {{"apiVersion", "slipway.dev/v1alpha1"}, {"kind", "CanaryPromotion"}};
  promotion["metadata"] = {{"name", "made"}};
  promotion["spec"] = {{"image", kImage}, {"target", {{"deployment", "web"}, {"service", "web"}}}};
  Create(promotion);
  Patch("cp", "made", {{"metadata", {{"annotations", {{"a", "b"}}}, {"finalizers", {"slipway.test/kept"}}}}});
  EXPECT_TRUE(WriteStatus("cp", "made", {{"phase", "Pending"}}).ok());
  EXPECT_EQ(Of("cp", "made"), 1);
  Patch("cp", "made", {{"spec", {{"maxSurge", "50%"}}}});
  EXPECT_EQ(Of("cp", "made"), 2);
  Patch("cp", "made", {{"spec", promotion["spec"]}});
  EXPECT_EQ(Of("cp", "made"), 2) << "nothing was changed";
  In({"delete", "cp", "made", "--wait=false"});
  EXPECT_EQ(Of("cp", "made"), 3) << "a deletion counts";
  Patch("cp", "made", {{"metadata", {{"finalizers", nullptr}}}});
}

TEST_F(Generation, OfAnAdmissionPolicyAndItsBindingNeverGoesBack) {
  const std::string name = ns_ + "-generation";
  json policy = json::parse(R"({"apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy", "spec": {"matchConstraints": {"resourceRules": [
      {"apiGroups": ["slipway.test"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["none"]}]},
      "validations": [{"expression": "true"}]}})");
  json binding = json::parse(R"({"apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicyBinding", "spec": {"validationActions": ["Deny"]}})");
  policy["metadata"] = binding["metadata"] = {{"name", name}};
  binding["spec"]["policyName"] = name;
  const std::pair<json, json> changes[] = {
      {policy, {{"failurePolicy", "Ignore"}}},
      {binding, {{"validationActions", {"Audit"}}}},
  };
  for (const auto& [object, change] : changes) {
    const auto kind = object["kind"].get<std::string>();
    In({"delete", kind, name, "--ignore-not-found"});
    const Output made = In({"create", "-f", "-"}, object.dump());
    ASSERT_TRUE(made.ok()) << made.text;
    Patch(kind, name, {{"metadata", {{"labels", {{"a", "b"}}}}}});
    EXPECT_EQ(Of(kind, name), 1) << kind;
    const json before = GetJson(ns_, kind, name)["spec"];
    Patch(kind, name, {{"spec", change}});
    EXPECT_EQ(Of(kind, name), 2) << kind;
    Patch(kind, name, {{"spec", before}});
    EXPECT_EQ(Of(kind, name), 3) << kind;
    In({"delete", kind, name});
  }
}

}  // namespace
}  // namespace slipway::testing
