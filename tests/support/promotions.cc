#include "support/promotions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>

namespace slipway::testing {

namespace {
constexpr std::array kGood{"one", "two", "three", "four"};

// Who may decide what, by RBAC: anna and ben everything, carl nothing.
constexpr const char* kPeople = R"(
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deciders}
rules:
- {apiGroups: [slipway.dev], resources: [decisions], verbs: [create]}
- apiGroups: [slipway.dev]
  resources: [canarypromotions, releases]
  verbs: [approve, reject, promote, abort, retry, rollback, pause, resume]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: writers}
rules:
- {apiGroups: [slipway.dev], resources: [decisions], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deciders}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deciders}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: anna}
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: ben}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: writers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: writers}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: carl}]
)";
}  // namespace

void HasWords(const std::string& message, const std::vector<std::string>& words) {
  for (const auto& word : words) {
    EXPECT_NE(message.find(word), std::string::npos) << word << " is not in: " << message;
  }
}

void Show(const std::string& what) {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  std::cout << "[ EVIDENCE ] " << test->test_suite_name() << '.' << test->name() << ": " << what << '\n';
}

Json CheckOf(const Json& status, int step, std::size_t index) {
  Json checks;
  if (step < 0) {
    checks = status.value("/verification/results"_json_pointer, Json::array());
  } else {
    const auto steps = status.value("steps", Json::array());
    if (static_cast<std::size_t>(step) >= steps.size()) return Json::object();
    checks = steps[static_cast<std::size_t>(step)].value("/checks/results"_json_pointer, Json::array());
  }
  return index < checks.size() ? checks[index] : Json::object();
}

void Promotions::SetUp() {
  Apply(ns_, kPeople);
  const auto gone =
      Kubectl({"-n", ns_, "delete",
               "releases,canarypromotions,decisions,horizontalpodautoscalers,poddisruptionbudgets,jobs",
               "--all", "--timeout=90s"});
  ASSERT_TRUE(gone.ok()) << gone.text;
  if (!Serves()) {
    Kubectl({"-n", ns_, "delete", "deployments", "--all", "--timeout=60s"});
    stable_ = kGood[0];
    ASSERT_NO_FATAL_FAILURE(Serve(SampleOf(stable_).image, replicas_));
  }
  const auto at = std::ranges::find(kGood, stable_) - kGood.begin();
  next_ = kGood[(at + 1) % kGood.size()];
  another_ = kGood[(at + 2) % kGood.size()];
}

// Whether what the case before left is as Serve would leave it; then `stable_` is what it runs.
bool Promotions::Serves() {
  stable_.clear();
  const auto there = Kubectl({"-n", ns_, "get", "deployments", "-o", "json", "--show-managed-fields"});
  const Json all = Json::parse(there.text, nullptr, false).value("items", Json::array());
  if (all.size() != 1 || Text(all[0], "/metadata/name") != "web") return false;
  const Json& web = all[0];
  if (web["spec"]["replicas"] != replicas_ || web["status"].value("readyReplicas", 0) != replicas_)
    return false;
  // Who wrote over us is of one case only.
  for (const auto& entry : web["metadata"].value("managedFields", Json::array())) {
    if (entry.value("manager", "").starts_with("argocd")) return false;
  }
  for (const char* kind : kGood) {
    if (web["spec"]["template"]["spec"]["containers"][0]["image"] == SampleOf(kind).image) stable_ = kind;
  }
  return !stable_.empty();
}

void Promotions::TearDown() {
  if (HasFailure()) {
    std::cerr << Kubectl({"-n", ns_, "get", "decisions", "-o", "yaml"}).text;
  }
  Story::TearDown();
  // Of a case that broke off before it ended its traffic.
  Kubectl({"-n", ns_, "delete", "pod", "traffic", "--ignore-not-found", "--grace-period=1", "--wait=false"});
}

void Promotions::ServeSample(const std::string& kind, std::optional<int> replicas) {
  stable_ = kind;
  Serve(SampleOf(kind).image, replicas.value_or(replicas_));
}

Json Promotions::Steps(const std::vector<int>& weights, const std::string& hold) {
  Json steps = Json::array();
  for (const int weight : weights) steps.push_back({{"weight", weight}, {"hold", hold}});
  return steps;
}

Json Promotions::Spec(const std::string& kind, const Json& steps) {
  const Sample& sample = SampleOf(kind);
  const Json smoke = {{"name", "answers"}, {"requests", 50}, {"p95Limit", "2s"}, {"timeout", "40s"}};
  return {{"target", {{"deployment", "web"}, {"container", "web"}, {"service", "web"}}},
          {"image", sample.image},
          {"version", sample.version},
          {"steps", steps},
          {"smokeTests", Json::array({smoke})},
          {"progressDeadline", "60s"}};
}

void Promotions::Create(const std::string& name, const Json& spec) {
  const Json promotion = {{"apiVersion", "slipway.dev/v1alpha1"},
                          {"kind", "CanaryPromotion"},
                          {"metadata", {{"name", name}}},
                          {"spec", spec}};
  Apply(ns_, promotion.dump());
}

void Promotions::Patch(const std::string& name, const Json& patch) {
  const auto patched =
      Kubectl({"-n", ns_, "patch", "canarypromotion", name, "--type=merge", "-p", patch.dump()});
  ASSERT_TRUE(patched.ok()) << patched.text;
}

Json Promotions::ReadyOf(const std::string& name) const {
  const Json ready = Condition(Get(name), "Ready");
  return ready.is_object() ? ready : Json::object();
}

Json Promotions::WaitPhase(const std::string& name, const std::string& phase, int step, Seconds limit) {
  Json status;
  const std::string what = name + " is " + phase + " in step " + std::to_string(step + 1);
  EXPECT_TRUE(Eventually(limit, what, [&](std::string& seen) {
    status = Get(name).value("status", Json::object());
    seen = status.dump();
    return status.value("phase", "") == phase && status.value("currentStep", 0) == step;
  })) << what;
  return status;
}

Json Promotions::WaitEnd(const std::string& name, Seconds limit) {
  Json status;
  EXPECT_TRUE(Eventually(limit, name + " ends",
                         [&](std::string& seen) {
                           status = Get(name).value("status", Json::object());
                           seen = status.dump();
                           const std::string phase = status.value("phase", "");
                           return phase == "Promoted" || phase == "Aborted" || phase == "Refused";
                         }))
      << name << " does not end";
  return status;
}

Json Promotions::Ends(const std::string& name, const std::string& completion, const std::string& reason,
                      Seconds limit) {
  const Json status = WaitEnd(name, limit);
  EXPECT_EQ(status.value("completion", ""), completion) << name << ": " << status;
  EXPECT_EQ(status.value("failureReason", ""), reason) << name << ": " << status;
  return status;
}

void Promotions::DecideOn(const std::string& promotion, const std::string& verb) {
  const std::string image = Text(Get(promotion), "/spec/image");
  const auto made = Decide("decision-" + std::to_string(++decisions_), verb, "CanaryPromotion", promotion,
                           image.substr(image.find('@') + 1));
  ASSERT_TRUE(made.ok()) << made.text;
}

void Promotions::Observe(const std::string& path) {
  WatchCapacity();
  StartTraffic(path);
}

Traffic Promotions::Unharmed(std::optional<int> least) {
  const Capacity capacity = StopCapacity();
  const Traffic traffic = StopTraffic();
  EXPECT_GE(capacity.least, least.value_or(replicas_));
  EXPECT_GT(capacity.moments, 1) << "the watch saw nothing";
  EXPECT_EQ(traffic.failed, 0) << traffic.errors;
  EXPECT_GE(traffic.ok, 100 * traffic.seconds) << traffic.seconds << " s";
  EXPECT_GT(traffic.seconds, 1);
  Show(std::to_string(traffic.ok) + " requests in " + std::to_string(std::lround(traffic.seconds)) + " s, " +
       std::to_string(traffic.failed) +
       " failed; least ready pods of stable and canary: " + std::to_string(capacity.least));
  return traffic;
}

void Promotions::ExpectStable(const std::string& kind, std::optional<int> replicas) {
  const int whole = replicas.value_or(replicas_);
  EXPECT_TRUE(Eventually(Seconds(60), "stable is whole and alone", [&](std::string& seen) {
    const auto all = GetJson(ns_, "deployments")["items"];
    seen = all.dump();
    return all.size() == 1 && all[0]["status"].value("readyReplicas", 0) == whole &&
           all[0]["spec"]["replicas"] == whole;
  }));
  const auto web = GetJson(ns_, "deployment", "web");
  EXPECT_EQ(Text(web, "/spec/template/spec/containers/0/image"), SampleOf(kind).image);
  EXPECT_EQ(Text(web, "/metadata/annotations/slipway.dev~1claimed-by"), "") << "it is claimed still";
}

}  // namespace slipway::testing
