// A namespace that is deleted in mid canary takes the operator's rights with it, and must end nonetheless.
#include "support/story.h"

namespace slipway::testing {
namespace {

class Ending : public Story {
 protected:
  Ending() : Story("e2e-ending") {}

  // As hack/install made it.
  void TearDown() override {
    Story::TearDown();
    Kubectl({"create", "namespace", ns_});
    Kubectl({"label", "namespace", ns_, "slipway.test/watched=true",
             "pod-security.kubernetes.io/enforce=baseline"});
    Kubectl({"apply", "--server-side", "--force-conflicts", "-k", SourcePath("build/overlay/" + ns_)});
  }
};

TEST_F(Ending, ANamespaceThatIsDeletedInMidCanaryGoes) {
  Serve(BuildAndWait("main"));
  Hold("held", BuildAndWait(Push("good")));
  const auto gone = Kubectl({"delete", "namespace", ns_, "--timeout=120s"});
  EXPECT_TRUE(gone.ok()) << gone.text << Kubectl({"get", "namespace", ns_, "-o", "yaml"}).text;
}

}  // namespace
}  // namespace slipway::testing
