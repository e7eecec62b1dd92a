// The policy's maxConcurrentRuns: who waits, in which order, and that never one too many is under way.
#include <algorithm>
#include <map>

#include "e2e/runs/fixture.h"

namespace slipway::testing {
namespace {

constexpr const char* kLimit = "    maxConcurrentRuns: 1\n";

class Waiting : public Runs {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Runs::SetUp());
    Unlimit();
    ChangePolicy([this](std::string& policy) {
      const std::string mine = "  " + ns_ + ":\n";
      const auto at = policy.find(mine);
      ASSERT_NE(at, std::string::npos) << policy;
      policy.insert(at + mine.size(), kLimit);
    });
    // The operator follows its ConfigMap by a watch.
    std::this_thread::sleep_for(Seconds(1));
  }
  void TearDown() override {
    Runs::TearDown();
    Unlimit();
  }

  // An ImageBuild that is told its commit, so that it is in the queue without a Job.
  void CreateTold(const std::string& name, const std::string& commit) {
    Json spec = Spec();
    spec["tests"] = Failing(1);
    const Json build = {
        {"apiVersion", "slipway.dev/v1alpha1"},
        {"kind", "ImageBuild"},
        {"metadata",
         {{"name", name}, {"annotations", {{"slipway.dev/observed-commit", Seen(commit, "Webhook")}}}}},
        {"spec", spec}};
    Apply(ns_, build.dump());
  }

  // Names in the order in which their last runs were let in.
  std::vector<std::string> Order(const std::vector<std::string>& names) {
    std::vector<std::pair<std::string, std::string>> started;
    for (const auto& name : names) started.emplace_back(Text(Get(name), "/status/runs/0/started"), name);
    std::ranges::sort(started);
    std::vector<std::string> order;
    for (const auto& [time, name] : started) order.push_back(name);
    return order;
  }

 private:
  // Others' parts of the policy stay as they are; a write that met another one is tried again.
  static void ChangePolicy(const std::function<void(std::string&)>& change) {
    for (int attempt = 0; attempt < 5; ++attempt) {
      auto map = GetJson("slipway-system", "configmap", "slipway-policy");
      auto policy = map.at("data").at("policy.yaml").get<std::string>();
      change(policy);
      map["data"]["policy.yaml"] = policy;
      const auto replaced = Kubectl({"-n", "slipway-system", "replace", "-f", "-"}, map.dump());
      if (replaced.ok()) return;
    }
    FAIL() << "the policy could not be changed";
  }
  static void Unlimit() {
    ChangePolicy([](std::string& policy) {
      if (const auto at = policy.find(kLimit); at != std::string::npos) {
        policy.erase(at, std::string(kLimit).size());
      }
    });
  }
};

struct Crowd {
  std::size_t most = 0;                // under way at one moment
  std::map<std::string, bool> queued;  // who was seen in phase Queued
};

// Who was let in and had not ended, after each change of any build.
Crowd CrowdOf(const std::vector<Json>& changes) {
  Crowd crowd;
  std::map<std::string, bool> under_way;
  for (const auto& change : changes) {
    const auto& build = change["object"];
    const std::string name = Text(build, "/metadata/name");
    if (name.empty()) continue;
    const auto runs = build.value("/status/runs"_json_pointer, Json::array());
    under_way[name] = std::ranges::any_of(
        runs, [](const Json& run) { return run.contains("started") && !run.contains("finished"); });
    if (Text(build, "/status/phase") == "Queued") crowd.queued[name] = true;
    const auto now = std::ranges::count_if(under_way, [](const auto& entry) { return entry.second; });
    crowd.most = std::max(crowd.most, static_cast<std::size_t>(now));
  }
  return crowd;
}

TEST_F(Waiting, OneRunAtATimeOldestFirstAndWhatIsOvertakenMeanwhileNeverHasAJob) {
  const auto head = Execute({SourcePath("hack/testbed/sample-repo"), "head", repository_});
  ASSERT_TRUE(head.ok()) << head.text;
  const std::string commit = head.text.substr(0, 40);
  Changes changes(kSlipway, ns_, "imagebuilds");

  Json spec = Spec();
  spec["tests"] = Failing(8);
  Create(spec, "first");
  WaitTesting(1, "first");
  // Whole seconds apart, and not in the order of their names.
  const std::vector<std::string> waiting{"third", "second"};
  for (const auto& name : waiting) {
    CreateTold(name, commit);
    ASSERT_TRUE(Eventually(Seconds(15), name + " is queued", [&](std::string& seen) {
      seen = Text(Get(name), "/status/phase");
      return seen == "Queued";
    }));
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  }
  CreateTold("overtaken", commit);
  WaitRun(1, Seconds(15), "is queued", [](const Json& run) { return run.contains("queued"); }, "overtaken");
  const std::string newer = Push("good");
  Observe(newer, "Webhook", "overtaken");

  const auto skipped = WaitFinished(1, Seconds(15), "overtaken");
  EXPECT_EQ(FailureOf(skipped), "Superseded") << skipped;
  EXPECT_FALSE(skipped.contains("started")) << skipped;
  EXPECT_TRUE(skipped.value("jobs", Json::array()).empty()) << skipped;

  for (const auto& name : waiting) EXPECT_EQ(FailureOf(WaitFinished(1, Seconds(60), name)), "TestFailed");
  EXPECT_EQ(Text(WaitFinished(2, Seconds(60), "overtaken"), "/commit/sha"), newer);
  EXPECT_EQ(Order({"overtaken", "second", "third", "first"}),
            (std::vector<std::string>{"first", "third", "second", "overtaken"}));
  const auto crowd = CrowdOf(changes.Stop());
  EXPECT_EQ(crowd.most, 1U);
  for (const auto& name : waiting) EXPECT_TRUE(crowd.queued.contains(name)) << name;
}

}  // namespace
}  // namespace slipway::testing
