// Where nothing says that a Decision's actor is whoever made it, no Decision counts. These cases take the
// admission policy's binding away from the whole cluster, so nothing else runs beside them.
#include <algorithm>
#include <thread>

#include "e2e/canary/fixture.h"

namespace slipway::testing {
namespace {

class Unpinned : public Canaries {
 protected:
  void TearDown() override {
    Restore();
    Canaries::TearDown();
  }
  static Output Apply() {
    return Kubectl({"apply", "--server-side", "--force-conflicts", "-f",
                    SourcePath("deploy/base/admission/decisions.yaml")});
  }
  // As the operator asks for it: an altered one is made again. What follows may decide at once.
  static void Restore() {
    for (const char* kind : {"validatingadmissionpolicybinding", "validatingadmissionpolicy"}) {
      const auto gone = Kubectl({"delete", kind, "slipway-decisions", "--ignore-not-found"});
      EXPECT_TRUE(gone.ok()) << gone.text;
    }
    const auto applied = Apply();
    EXPECT_TRUE(applied.ok()) << applied.text;
    std::this_thread::sleep_for(Seconds(7));
  }
  // It is told so, with these words, and nothing comes of it.
  void ExpectNotHonoured(const std::string& name, const std::vector<std::string>& words) {
    EXPECT_TRUE(Eventually(Seconds(20), name + " is not honoured", [&](std::string& seen) {
      bool told = false;
      for (const auto& [reason, note] : EventsOf(ns_, GetJson(ns_, "decision", name))) {
        seen += reason + ": " + note + "\n";
        const bool all =
            std::ranges::all_of(words, [&note](const auto& word) { return note.contains(word); });
        told = told || (reason == "NotHonoured" && all);
      }
      return told;
    }));
    const Json status = Get("held")["status"];
    EXPECT_EQ(status.value("phase", ""), "Holding") << status;
    EXPECT_TRUE(status.value("decisions", Json::array()).empty()) << status;
  }
  Output Abort(const std::string& name) {
    return Decide(name, "Abort", "CanaryPromotion", "held", SampleOf(next_).Digest());
  }
};

TEST_F(Unpinned, NoDecisionCountsWithoutItsAdmissionPolicy) {
  Create("held", Spec(next_, Steps({10}, "10m")));
  WaitPhase("held", "Holding");

  const auto altered = Kubectl({"patch", "validatingadmissionpolicybinding", "slipway-decisions",
                                "--type=merge", "-p", R"({"spec":{"validationActions":["Audit"]}})"});
  ASSERT_TRUE(altered.ok()) << altered.text;
  std::this_thread::sleep_for(Seconds(2));
  ASSERT_TRUE(Abort("audited").ok());
  ExpectNotHonoured("audited", {"slipway-decisions", "spec/validationActions", "apply"});

  // As it was, word for word: when it was otherwise is not known, so one that is made now counts no more.
  // (Server-side apply would add to the actions, which are a set: what another wrote stays.)
  const auto again = Kubectl({"patch", "validatingadmissionpolicybinding", "slipway-decisions",
                              "--type=merge", "-p", R"({"spec":{"validationActions":["Deny"]}})"});
  ASSERT_TRUE(again.ok()) << again.text;
  std::this_thread::sleep_for(Seconds(2));
  ExpectNotHonoured("audited", {"was altered since it was made", "delete it"});
  ASSERT_TRUE(Abort("late").ok());
  ExpectNotHonoured("late", {"was altered since it was made", "delete it"});

  ASSERT_TRUE(Kubectl({"delete", "validatingadmissionpolicybinding", "slipway-decisions"}).ok());
  std::this_thread::sleep_for(Seconds(2));
  ASSERT_TRUE(Abort("free").ok());
  ExpectNotHonoured("free", {"ValidatingAdmissionPolicyBinding slipway-decisions is not there"});

  // Those from that time do not count later either; one that is made now does. By then it is an operator that
  // saw nothing of it all: were any of the others to count, it would be on record, and be what aborted the
  // canary.
  std::this_thread::sleep_for(Seconds(2));
  Restore();
  for (const char* name : {"audited", "late", "free"}) ExpectNotHonoured(name, {"when nothing said who may"});
  KillOperator();
  ASSERT_TRUE(Abort("pinned").ok());
  const Json status = Ends("held", "Aborted", "AbortedByDecision");
  ASSERT_EQ(status["decisions"].size(), 1U) << status;
  EXPECT_EQ(status["decisions"][0].value("name", ""), "pinned");
}

}  // namespace
}  // namespace slipway::testing
