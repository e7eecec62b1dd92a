// Where the forge can't call the cluster, the cluster asks the forge: a private repository, by its Secret.
#include "e2e/forge/fixture.h"

namespace slipway::testing {
namespace {

using nlohmann::json;
using std::chrono::seconds;

class Poll : public Forge {
 protected:
  static void SetUpTestSuite() { Start("e2e-poll", "trigger: {poll: {interval: 10s}}", Follow::kPoll); }
};

TEST_F(Poll, ACommitOfAPrivateRepositoryIsFoundAndBuilt) {
  const auto open = Execute({"curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}",
                             Call({"url", repository_}) + "/info/refs?service=git-upload-pack"});
  ASSERT_EQ(open.text, "401") << "anybody may read the repository";
  const std::string sha = Push("good");
  json run = WaitRun("web", sha, seconds(120));
  EXPECT_FALSE(run.contains("failure")) << run;
  EXPECT_EQ(run["reason"], "NewCommit");
  EXPECT_EQ(run["cause"], "Poll: refs/heads/main is at " + sha.substr(0, 12));
  const json poller = GetJson(kNs, "deployment", "slipway-poller");
  ASSERT_TRUE(poller.contains("spec"));
  EXPECT_EQ(SecretsIn(poller["spec"]), std::set<std::string>{"git-credentials"});
  EXPECT_TRUE(GetJson(kNs, "deployment", "slipway-receiver").empty()) << "nobody asked for it";

  // Of a commit that it has told of it does not tell again.
  std::this_thread::sleep_for(seconds(12));
  EXPECT_EQ(Run("web")["number"], run["number"]);

  // Without the trigger there is nothing to ask.
  Kubectl({"-n", kNs, "patch", "ib", "web", "--type=merge", "-p", R"({"spec":{"trigger":null}})"});
  EXPECT_TRUE(Eventually(seconds(20), "the poller goes", [](std::string& seen) {
    seen = GetJson(kNs, "deployment", "slipway-poller").dump();
    return seen == "{}";
  }));
}

}  // namespace
}  // namespace slipway::testing
