#include "resources/decision_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "base/names.h"
#include "support/kubectl.h"

namespace slipway::resources {
namespace {

using kube::Json;
using ::testing::HasSubstr;

const TimePoint kMade = *ParseTime("2026-11-21T06:00:00Z");

// As the API server has it: what it was given. That it fills nothing in is what the e2e layer shows.
Json Spec(const std::string& kind) {
  const auto read = [](const auto& self, const YAML::Node& node) -> Json {
    if (node.IsScalar()) return node.Scalar();
    Json json = node.IsSequence() ? Json::array() : Json::object();
    for (const auto& entry : node) {
      if (node.IsSequence()) json.push_back(self(self, entry));
      if (node.IsMap()) json[entry.first.Scalar()] = self(self, entry.second);
    }
    return json;
  };
  for (const auto& each :
       YAML::LoadAllFromFile(slipway::testing::SourcePath("deploy/base/admission/decisions.yaml"))) {
    if (each["kind"].Scalar() == kind) return read(read, each["spec"]);
  }
  return nullptr;
}

class TheDecisionPolicy : public ::testing::Test {
 protected:
  TheDecisionPolicy() {
    policy_.spec = Spec("ValidatingAdmissionPolicy");
    binding_.spec = Spec("ValidatingAdmissionPolicyBinding");
    policy_.meta.created = binding_.meta.created = kMade;
    policy_.meta.generation = binding_.meta.generation = 1;
  }
  std::string Why() const { return WhyNoneCounts(&policy_, &binding_); }

  AdmissionObject policy_, binding_;
};

TEST_F(TheDecisionPolicy, AsItIsShippedVouches) {
  ASSERT_TRUE(policy_.spec.is_object());
  ASSERT_EQ(policy_.spec["validations"].size(), 2U);
  EXPECT_EQ(Why(), "");
}

TEST_F(TheDecisionPolicy, ThatIsMissingOrGoingVouchesForNothing) {
  EXPECT_THAT(WhyNoneCounts(nullptr, &binding_),
              HasSubstr("ValidatingAdmissionPolicy slipway-decisions is not"));
  EXPECT_THAT(WhyNoneCounts(&policy_, nullptr),
              HasSubstr("ValidatingAdmissionPolicyBinding slipway-decisions"));
  policy_.meta.deleted = kMade;
  EXPECT_NE(Why(), "");
}

// Each of these would let somebody decide in another's name.
TEST_F(TheDecisionPolicy, ThatIsAlteredVouchesForNothing) {
  struct Row {
    const char* name;
    std::function<void(Json& policy, Json& binding)> alter;
    const char* where;
  };
  const std::vector<Row> rows{
      {"Audit", [](Json&, Json& b) { b["validationActions"] = {"Audit"}; }, "spec/validationActions"},
      {"OnlySome", [](Json&, Json& b) { b["matchResources"]["namespaceSelector"] = {}; },
       "spec/matchResources"},
      {"OfAnother", [](Json&, Json& b) { b["policyName"] = "another"; }, "spec/policyName"},
      {"Open", [](Json& p, Json&) { p["failurePolicy"] = "Ignore"; }, "spec/failurePolicy"},
      {"NoActor", [](Json& p, Json&) { p["validations"][0]["expression"] = "true"; }, "spec/validations/0"},
      {"NoRight", [](Json& p, Json&) { p["validations"].erase(1); }, "spec/validations"},
      {"Never", [](Json& p, Json&) { p["matchConditions"] = {{{"name", "never"}, {"expression", "false"}}}; },
       "spec/matchConditions"},
      {"OtherNamespaces",
       [](Json& p, Json&) { p["matchConstraints"]["namespaceSelector"]["matchLabels"]["a"] = "b"; },
       "spec/matchConstraints/namespaceSelector"},
  };
  for (const auto& row : rows) {
    AdmissionObject policy = policy_;
    AdmissionObject binding = binding_;
    row.alter(policy.spec, binding.spec);
    EXPECT_THAT(WhyNoneCounts(&policy, &binding), HasSubstr(row.where)) << row.name;
  }
}

// As the API server counts: up with each change of spec, never down. What was decided in between can't be
// told from the rest any more, by a new operator least of all.
TEST_F(TheDecisionPolicy, ThatWasAlteredAndRestoredVouchesForNothing) {
  Decision decision;
  decision.meta.created = kMade + std::chrono::hours(1);
  ASSERT_EQ(WhyItDoesNotCount(decision, &policy_, &binding_), "");
  for (AdmissionObject* each : {&policy_, &binding_}) {
    for (const int generation : {0, 2, 3}) {
      each->meta.generation = generation;
      const std::string why = WhyItDoesNotCount(decision, &policy_, &binding_);
      EXPECT_THAT(why, HasSubstr("slipway-decisions was altered since it was made")) << generation;
      EXPECT_THAT(why, HasSubstr(each == &policy_ ? "Policy " : "PolicyBinding ")) << generation;
      EXPECT_THAT(why, HasSubstr("delete it, and apply")) << generation;
    }
    each->meta.generation = 1;
  }
  // Made again: what was decided before counts no more, what is decided from now on does.
  binding_.meta.created = kMade + std::chrono::hours(2);
  EXPECT_THAT(WhyItDoesNotCount(decision, &policy_, &binding_), HasSubstr("make it again"));
  decision.meta.created = kMade + std::chrono::hours(3);
  EXPECT_EQ(WhyItDoesNotCount(decision, &policy_, &binding_), "");
}

// Where an apply meets the older one of the same name, that one is altered in place, and no Decision counts
// until somebody deletes it: of another spec, another name.
TEST_F(TheDecisionPolicy, OfAnotherSpecHasAnotherName) {
  const std::string spec = Sha256Hex(policy_.spec.dump() + binding_.spec.dump());
  EXPECT_EQ(std::pair(std::string(kDecisionPolicy), spec),
            std::pair(std::string("slipway-decisions"),
                      std::string("7f2ce35c437f0e5c8d33f9c630104c89f2478be9721c94f0545947091754fc4b")))
      << "call the policy otherwise (slipway-decisions-2, ...), there, in rbac.yaml and in kDecisionPolicy";
}

TEST_F(TheDecisionPolicy, VouchesForWhatWasMadeWhenItHeld) {
  Decision decision;
  for (const auto& [after, counts] : {std::pair(-1, false), std::pair(0, true), std::pair(1, true)}) {
    decision.meta.created = kMade + kTakesHold + std::chrono::seconds(after);
    EXPECT_EQ(WhyItDoesNotCount(decision, &policy_, &binding_).empty(), counts) << after;
  }
  decision.meta.created = kMade;
  EXPECT_NE(WhyItDoesNotCount(decision, &policy_, &binding_), "") << "the API server goes by it later";
  for (AdmissionObject* each : {&policy_, &binding_}) {
    each->meta.created = kMade + std::chrono::hours(1);
    decision.meta.created = kMade + std::chrono::minutes(59);
    EXPECT_THAT(WhyItDoesNotCount(decision, &policy_, &binding_), HasSubstr("2026-11-21T07:00:05Z"));
    each->meta.created = kMade;
  }
}

}  // namespace
}  // namespace slipway::resources
