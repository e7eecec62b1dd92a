// The marks by which the operator knows its own: nobody else sets, changes or removes them; and ordinary work
// is left alone.
#include "e2e/policy/fixture.h"

namespace slipway::testing {
namespace {

const std::string kOurLabels = "slipway.dev/*";

// Immutable, as a copy is.
std::string ConfigMap(const std::string& name, const std::string& metadata) {
  return "{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + ", " + metadata +
         "}, data: {color: green}, immutable: true}";
}

class Marks : public Tenants {
 protected:
  // A workload of the tenant's, one that is claimed, a canary, and a Job of the operator's.
  void SetUp() override {
    Tenants::SetUp();
    Keep("dev", Deployment("web", "labels: {app: web}", "tier: front"));
    Keep(kOperator, Deployment("claimed", "annotations: {slipway.dev/claimed-by: some-uid}", "tier: front"));
    Keep(kOperator, Deployment("canary", "labels: {slipway.dev/role: canary}", "slipway.dev/track: canary"));
    const auto build = Keep("dev", Build("owner"));
    const std::string uid = build["metadata"].value("uid", "");
    Keep(kOperator,
         Job("ours", "labels: {slipway.dev/kind: ImageBuild}, " + Owner("ImageBuild", "owner", uid),
             "slipway.dev/role: build"));
  }
};

TEST_F(Marks, AForgedJobIsRefused) {
  Judge({
      Make("our label", "dev", Job("j", "labels: {slipway.dev/role: build}", "a: b"),
           {kOurLabels, "metadata.labels", "Slipway operator only"}),
      Make("our label on its pods", "dev", Job("j", "labels: {a: b}", "slipway.dev/role: smoke"),
           {kOurLabels, "spec.template.metadata.labels"}),
      Make("our owner", "dev", Job("j", Owner("ImageBuild"), "a: b"),
           {"metadata.ownerReferences", "slipway.dev"}),
      Make("all of them", "dev",
           Job("j", "labels: {slipway.dev/kind: ImageBuild}, " + Owner("ImageBuild"),
               "slipway.dev/role: build"),
           {kOurLabels}),
      Make("by the administrator", kAdministrator, Job("j", "labels: {slipway.dev/role: build}", "a: b"),
           {kOurLabels}),
  });
}

TEST_F(Marks, AForgedPodOrDeploymentIsRefused) {
  Judge({
      Make("a pod with our label", "dev", Pod("p", "labels: {slipway.dev/kind: ImageBuild}"), {kOurLabels}),
      Make("a pod with our owner", "dev", Pod("p", Owner("ImageBuild")), {"metadata.ownerReferences"}),
      Make("a deployment with our label", "dev",
           Deployment("d", "labels: {slipway.dev/role: canary}", "a: b"), {kOurLabels}),
      Make("pods that look like a canary", "dev",
           Deployment("d", "labels: {a: b}", "slipway.dev/track: canary"), {"spec.template.metadata.labels"}),
      Make("a deployment with our owner", "dev", Deployment("d", Owner("CanaryPromotion"), "a: b"),
           {"metadata.ownerReferences"}),
      Make("a deployment with a claim", "dev",
           Deployment("d", "annotations: {slipway.dev/claimed-by: me}", "a: b"), {"slipway.dev/claimed-by"}),
      Make("a pod by the administrator", kAdministrator, Pod("p", "labels: {slipway.dev/kind: ImageBuild}"),
           {kOurLabels}),
  });
}

TEST_F(Marks, NoMarkIsSetChangedOrRemovedLater) {
  const std::string template_label =
      R"({"spec":{"template":{"metadata":{"labels":{"slipway.dev/track":"canary"}}}}})";
  Judge({
      Do("labelling a workload as ours", "dev", {"label", "deployment", "web", "slipway.dev/role=canary"},
         {kOurLabels}),
      Do("taking a label of ours away", "dev", {"label", "deployment", "canary", "slipway.dev/role-"},
         {kOurLabels}),
      Do("changing a label of ours", "dev",
         {"label", "job", "ours", "--overwrite", "slipway.dev/kind=Release"}, {kOurLabels}),
      Do("taking our owner away", "dev",
         {"patch", "job", "ours", "--type=merge", "-p", R"({"metadata":{"ownerReferences":null}})"},
         {"metadata.ownerReferences"}),
      Do("our label into a template", "dev",
         {"patch", "deployment", "web", "--type=merge", "-p", template_label},
         {"spec.template.metadata.labels"}),
      Do("changing a claim", "dev",
         {"annotate", "deployment", "claimed", "--overwrite", "slipway.dev/claimed-by=me"},
         {"slipway.dev/claimed-by", "leave it as it is, or out"}),
  });
}

// What a Release delivers with its image is a copy of the user's ConfigMap: only the operator makes one.
TEST_F(Marks, ACopyOfAConfigMapIsNotForged) {
  constexpr const char* kCopy = "web-config-slipway-0a1b2c3d";
  const auto gone = Kubectl({"-n", kNamespace, "delete", "configmap", kCopy, "--ignore-not-found"});
  ASSERT_TRUE(gone.ok()) << gone.text;
  const auto release = Keep(kAdministrator, Release("owner", "web"));
  const std::string uid = release["metadata"].value("uid", "");
  const std::string ours = "labels: {slipway.dev/kind: Release, slipway.dev/role: config}";
  Keep(kOperator, ConfigMap(kCopy, ours + ", " + Owner("Release", "owner", uid)));
  const std::string no_owner = R"({"metadata":{"ownerReferences":null}})";
  Judge({
      Make("a copy", "dev", ConfigMap("c", ours), {kOurLabels, "metadata.labels"}),
      Make("one with our owner", "dev", ConfigMap("c", Owner("Release", "owner", uid)),
           {"metadata.ownerReferences", "slipway.dev"}),
      Make("a copy by the administrator", kAdministrator, ConfigMap("c", ours), {kOurLabels}),
      Do("taking its label away", "dev", {"label", "configmap", kCopy, "slipway.dev/role-"}, {kOurLabels}),
      Do("another label of ours", "dev",
         {"label", "configmap", kCopy, "--overwrite", "slipway.dev/role=build"}, {kOurLabels}),
      Do("taking its owner away", "dev", {"patch", "configmap", kCopy, "--type=merge", "-p", no_owner},
         {"metadata.ownerReferences"}),
      Do("other content", "dev",
         {"patch", "configmap", kCopy, "--type=merge", "-p", R"({"data":{"color":"red"}})"}, {"immutable"}),
      Do("a label of one's own", "dev", {"label", "configmap", kCopy, "team=a"}),
      Make("a ConfigMap of one's own", "dev", ConfigMap("c", "labels: {app: web}")),
      Do("deleting a copy", "dev", {"delete", "configmap", kCopy}),
  });
}

TEST_F(Marks, OrdinaryWorkIsNobodysBusiness) {
  Judge({
      Make("a pod", "dev", Pod("p", "labels: {app: p}")),
      Make("a job", "dev", Job("j", "labels: {app: j}", "app: j")),
      Make("a deployment without labels", "dev", Deployment("d", "annotations: {a: b}", "a: b")),
      Do("scaling", "dev", {"scale", "deployment", "web", "--replicas=0"}),
      Do("scaling a canary", "dev", {"scale", "deployment", "canary", "--replicas=0"}),
      Do("setting an image", "dev", {"set", "image", "deployment/web", "c=example.com/c:2"}),
      Do("restarting", "dev", {"rollout", "restart", "deployment/web"}),
      Do("another annotation", "dev", {"annotate", "deployment", "claimed", "a=b"}),
      Do("a claim that rollout undo brings back", "dev",
         {"annotate", "deployment", "web", "slipway.dev/claimed-by=old"}),
      Do("taking it away again", "dev", {"annotate", "deployment", "web", "slipway.dev/claimed-by-"}),
      Do("the administrator takes a claim away", kAdministrator,
         {"annotate", "deployment", "claimed", "slipway.dev/claimed-by-"}),
      Do("another label on a job of ours", "dev", {"label", "job", "ours", "team=a"}),
      Do("deleting a job of ours", "dev", {"delete", "job", "ours"}),
  });
}

TEST_F(Marks, TheOperatorAndKubernetesOwnControllersWork) {
  Judge({
      Make("the operator makes a job", kOperator,
           Job("o", "labels: {slipway.dev/kind: ImageBuild}, " + Owner("ImageBuild"),
               "slipway.dev/role: build")),
      Make("the job controller makes its pod", "system:serviceaccount:kube-system:job-controller",
           Pod("p", "labels: {slipway.dev/role: build}")),
  });
  EXPECT_TRUE(Eventually(std::chrono::seconds(20), "the canary's ReplicaSet", [](std::string& seen) {
    seen = Kubectl({"-n", kNamespace, "get", "replicasets", "-l", "slipway.dev/track=canary", "-o", "name"})
               .text;
    return seen.starts_with("replicaset.apps/canary-");
  }));
}

}  // namespace
}  // namespace slipway::testing
