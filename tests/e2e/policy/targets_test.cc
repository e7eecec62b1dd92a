// Who may have the operator change a Deployment: who may change it themselves. And who writes a status: the
// operator.
#include "e2e/policy/fixture.h"

namespace slipway::testing {
namespace {

class Targets : public Tenants {
 protected:
  void SetUp() override {
    Tenants::SetUp();
    Keep("dev", Deployment("web", "labels: {app: web}", "tier: front"));
  }
};

TEST_F(Targets, NobodyDeliversToADeploymentThatTheyMayNotPatch) {
  const std::vector<std::string> words{"spec.target.deployment", "writer may not patch Deployment web",
                                       "ask for verb patch"};
  Judge({
      Make("a release", "writer", Release("r", "web"), words),
      Make("a promotion", "writer", Promotion("p", "web"), words),
      Make("a release by who may", "dev", Release("r", "web")),
      Make("a promotion by who may", "dev", Promotion("p", "web")),
      Make("a release of what is not there yet", "dev", Release("r", "later")),
  });
}

TEST_F(Targets, NobodyTurnsAReleaseOfOthersToTheirEnds) {
  Keep("dev", Release("mine", "web"));
  const std::vector<std::string> words{"spec.target.deployment"};
  const auto patch = [](const std::string& text) {
    return std::vector<std::string>{"patch", "release", "mine", "--type=merge", "-p", text};
  };
  Judge({
      Do("to another target", "writer", patch(R"({"spec":{"target":{"deployment":"other"}}})"), words),
      Do("to another image", "writer",
         patch(R"({"spec":{"image":"x.io/a@sha256:)" + std::string(64, 'b') + R"("}})"), words),
      Do("a retry", "writer", {"annotate", "release", "mine", "slipway.dev/retry=1"}, words),
      Do("a retry by who may", "dev", {"annotate", "release", "mine", "slipway.dev/retry=1"}),
      Do("a label of our prefix", "dev", {"label", "release", "mine", "slipway.dev/team=a"}),
  });
}

TEST_F(Targets, AnOwnerOfAPromotionIsNeverForged) {
  Judge({
      Make("by a tenant", "dev", Promotion("p", "web", Owner("Release")),
           {"metadata.ownerReferences", "Slipway operator only"}),
      Make("by the operator", kOperator, Promotion("p", "web", Owner("Release"))),
  });
}

TEST_F(Targets, WhereANamespaceIsGatedPromotionsComeFromReleasesOnly) {
  Keep(kOperator, Promotion("held", "web"), kGated);
  const std::vector<std::string> words{"slipway.dev/gated=true", "write a Release instead"};
  Judge({
      Gated(Make("by hand", "dev", Promotion("p", "web"), words)),
      Gated(Make("by the administrator", kAdministrator, Promotion("p", "web"), words)),
      Gated(Make("a release", "dev", Release("r", "web"))),
      Gated(Make("by the operator", kOperator, Promotion("p", "web", Owner("Release")))),
      Gated(Do("changing what it promotes", "dev",
               {"patch", "canarypromotion", "held", "--type=merge", "-p", R"({"spec":{"version":"other"}})"},
               words)),
      Gated(Do("a label on it", "dev", {"label", "canarypromotion", "held", "a=b"})),
      Gated(Do("deleting it", "dev", {"delete", "canarypromotion", "held"})),
  });
}

TEST_F(Targets, AStatusIsTheOperatorsRecord) {
  Keep("dev", Build("mine"));
  Keep("dev", Release("mine", "web"));
  Keep("dev", Promotion("mine", "web"));
  for (const std::string kind : {"ImageBuild", "Release", "CanaryPromotion"}) {
    const std::vector<std::string> patch{"patch",
                                         kind,
                                         "mine",
                                         "--subresource=status",
                                         "--type=merge",
                                         "-p",
                                         R"({"status":{"phase":"Pending"}})"};
    // As the operator does it: it may patch a status, and apply is a patch.
    Attempt applied =
        Do("by the operator", kOperator,
           {"apply", "--server-side", "--subresource=status", "--field-manager=slipway", "-f", "-"});
    applied.input = "{apiVersion: slipway.dev/v1alpha1, kind: " + kind +
                    ", metadata: {name: mine}, status: {phase: Pending}}";
    Judge({
        Do("by a tenant who has the right", "dev", patch, {"the status of a " + kind, "operator only"}),
        Do("by the administrator", kAdministrator, patch, {"operator only"}),
        applied,
    });
    const auto object = GetJson(kNamespace, kind, "mine");
    EXPECT_EQ(object["status"].value("phase", ""), "Pending");
  }
}

// deploy/README.md: the way out when there is no operator. Nothing works here for the operator, as it watches
// another namespace.
TEST_F(Targets, WithoutTheOperatorAnAdministratorRestoresStableByHand) {
  Keep(kOperator, Promotion("stuck", "web", "finalizers: [slipway.dev/restore-stable]"));
  Keep(kOperator,
       Deployment("web-canary", "labels: {slipway.dev/role: canary}", "slipway.dev/track: canary"));
  Judge({Do("the claim", kOperator,
            {"patch", "deployment", "web", "--type=merge", "-p",
             R"({"metadata":{"annotations":{"slipway.dev/claimed-by":"some-uid"}}})"})});
  Attempt recorded =
      Do("the baseline", kOperator,
         {"apply", "--server-side", "--subresource=status", "--field-manager=slipway", "-f", "-"});
  recorded.input =
      "{apiVersion: slipway.dev/v1alpha1, kind: CanaryPromotion, metadata: {name: stuck}, status: {baseline: "
      "{replicas: 3, image: example.com/c}, canaryDeployment: web-canary}}";
  Judge({
      recorded,
      Do("deleting", kAdministrator, {"delete", "canarypromotion", "stuck", "--wait=false"}),
  });
  const auto held = GetJson(kNamespace, "canarypromotion", "stuck");
  ASSERT_TRUE(held.is_object()) << "the finalizer holds it";
  EXPECT_EQ(held["status"]["baseline"]["replicas"], 3);
  Judge({
      Do("replicas", kAdministrator, {"scale", "deployment", "web", "--replicas=3"}),
      Do("the canary", kAdministrator, {"delete", "deployment", "web-canary"}),
      Do("the finalizer", kAdministrator,
         {"patch", "canarypromotion", "stuck", "--type=merge", "-p", R"({"metadata":{"finalizers":null}})"}),
      Do("the workload goes on", "dev", {"set", "image", "deployment/web", "c=example.com/c:2"}),
  });
  EXPECT_TRUE(GetJson(kNamespace, "canarypromotion", "stuck").empty());
}

}  // namespace
}  // namespace slipway::testing
