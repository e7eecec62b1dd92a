// The operator killed with SIGKILL after every single thing that it writes for one canary of two steps: each
// step is gone through once, by one Job each, and nobody outside notices.
#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "e2e/canary/fixture.h"
#include "support/operator_process.h"

namespace slipway::testing {
namespace {

class KilledAtEachWrite : public Canaries {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Canaries::SetUp());
    ASSERT_TRUE(operator_.Find());
  }
  void TearDown() override {
    // Whatever became of the last one.
    Kubectl({"-n", "slipway-system", "rollout", "status", "deploy/slipway-operator", "--timeout=60s"});
    Canaries::TearDown();
  }

  OperatorProcess operator_;
};

// What is told of the promotion's parts, and which of it the operator wrote.
class Writes {
 public:
  explicit Writes(const std::string& ns)
      : promotions_(kSlipway, ns, "canarypromotions"),
        deployments_(kApps, ns, "deployments"),
        jobs_(kBatch, ns, "jobs") {}

  // How many writes came since the last call.
  int Next() {
    int writes = 0;
    for (const auto& change : promotions_.Next()) {
      const Json& object = change["object"];
      const auto status = object.value("status", Json::object());
      const auto finalizers = object["metadata"].value("finalizers", Json::array());
      writes += status != status_ || finalizers != finalizers_ ? 1 : 0;
      status_ = status;
      finalizers_ = finalizers;
    }
    for (const auto& change : deployments_.Next()) {
      const std::string name = Text(change, "/object/metadata/name");
      if (name != "web") canaries_[name].insert(Text(change, "/object/metadata/uid"));
      // Its generation counts changes of the spec; the claim is an annotation.
      const std::string spec = change["object"]["metadata"]["generation"].dump() +
                               Text(change, "/object/metadata/annotations/slipway.dev~1claimed-by");
      const bool first = !specs_.contains(name);
      writes += specs_[name] != spec && (!first || name != "web") ? 1 : 0;
      specs_[name] = spec;
    }
    for (const auto& change : jobs_.Next()) {
      writes += change.value("type", "") == "ADDED" ? 1 : 0;
      jobs_made_[Text(change, "/object/metadata/name")].insert(Text(change, "/object/metadata/uid"));
    }
    return writes;
  }
  const Json& Status() const { return status_; }
  const std::map<std::string, std::set<std::string>>& Canaries() const { return canaries_; }
  const std::map<std::string, std::set<std::string>>& Jobs() const { return jobs_made_; }

 private:
  Changes promotions_, deployments_, jobs_;
  Json status_ = Json::object(), finalizers_ = Json::array();
  std::map<std::string, std::string> specs_;
  std::map<std::string, std::set<std::string>> canaries_, jobs_made_;
};

TEST_F(KilledAtEachWrite, TwoStepsArePromotedOnceAndNoRequestFails) {
  Observe();
  Writes writes(ns_);
  std::this_thread::sleep_for(Seconds(1));
  writes.Next();  // of what was there before
  // Each kill costs some seconds of a step's time.
  Json spec = Spec(next_, Steps({10, 30}, "1s"));
  spec["progressDeadline"] = "3m";
  Create("killed", spec);
  int kills = 0;
  int seen = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(8);
  while (std::chrono::steady_clock::now() < end && Text(writes.Status(), "/completion").empty()) {
    const int more = writes.Next();
    if (more == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      continue;
    }
    seen += more;
    ++kills;
    ASSERT_NO_FATAL_FAILURE(operator_.Kill());
  }
  Show(std::to_string(kills) + " kills after " + std::to_string(seen) + " writes");
  RecordProperty("kills", kills);
  EXPECT_GE(kills, 12);
  EXPECT_GE(kills * 2, seen);

  const Json status = Ends("killed", "Promoted", "", Seconds(60));
  ASSERT_EQ(status["steps"].size(), 2U) << status;
  for (const auto& step : status["steps"]) {
    EXPECT_EQ(step.value("verdict", ""), "Passed") << step;
    EXPECT_EQ(step.value("/checks/results"_json_pointer, Json::array()).size(), 1U) << step;
  }
  writes.Next();
  EXPECT_EQ(writes.Canaries().size(), 1U) << Json(writes.Canaries());
  for (const auto& [name, uids] : writes.Canaries()) EXPECT_EQ(uids.size(), 1U) << name;
  EXPECT_EQ(writes.Jobs().size(), 2U) << Json(writes.Jobs());
  for (const auto& [name, uids] : writes.Jobs()) EXPECT_EQ(uids.size(), 1U) << name;
  ExpectStable(next_);
  Unharmed();
}

}  // namespace
}  // namespace slipway::testing
