// The poller and the webhook receiver may write down what they have seen, and nothing else; and nobody else
// runs under their account or changes them.
#include "e2e/policy/fixture.h"

namespace slipway::testing {
namespace {

using Words = std::vector<std::string>;

constexpr const char* kReplicaSets = "system:serviceaccount:kube-system:replicaset-controller";
constexpr const char* kAccount = "serviceAccountName: slipway-trigger, ";

std::string PodOf(const std::string& account) {
  return "{restartPolicy: Never, nodeSelector: {slipway-test: never}, " + account +
         "containers: [{name: c, image: example.com/c}]}";
}
std::string PodAs(const std::string& name, const std::string& account) {
  return "{apiVersion: v1, kind: Pod, metadata: {name: " + name + "}, spec: " + PodOf(account) + "}";
}
std::string JobAs(const std::string& account) {
  return "{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {suspend: true, template: {spec: " +
         PodOf(account) + "}}}";
}
std::string DeploymentAs(const std::string& name, const std::string& account) {
  return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: " + name +
         "}, spec: {replicas: 0, selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, "
         "spec: {" +
         account + "containers: [{name: c, image: example.com/c}]}}}}";
}
std::string ServiceNamed(const std::string& name) {
  return "{apiVersion: v1, kind: Service, metadata: {name: " + name +
         "}, spec: {selector: {app: a}, ports: [{port: 80}]}}";
}

class Triggers : public Tenants {
 protected:
  void SetUp() override {
    Tenants::SetUp();
    Keep("writer", Build("web", "annotations: {team: a, slipway.dev/pull.3: old}"));
  }

  static Attempt Patch(const std::string& what, const std::string& patch, Words words = {},
                       const std::string& user = kTrigger) {
    return Do(what, user, {"patch", "imagebuild", "web", "--type=merge", "-p", patch}, std::move(words));
  }
  static Attempt Annotate(const std::string& key, const std::string& value, Words words = {},
                          const std::string& user = kTrigger) {
    return Patch(key, R"({"metadata":{"annotations":{")" + key + R"(":)" + value + "}}}", std::move(words),
                 user);
  }
};

TEST_F(Triggers, WriteDownWhatTheyHaveSeen) {
  Judge({
      Annotate("slipway.dev/observed-commit", R"("{}")"),
      Annotate("slipway.dev/observed-commit", R"("{\"a\":1}")"),
      Annotate("slipway.dev/observed-bases", R"("{}")"),
      Annotate("slipway.dev/pull.7", R"("{}")"),
      Annotate("slipway.dev/pull.3", "null"),
      Patch("three of them", R"({"metadata":{"annotations":{"slipway.dev/observed-commit":"a",
          "slipway.dev/observed-bases":"b","slipway.dev/pull.7":null}}})"),
      Patch("nothing", "{}"),
  });
  const auto annotations = GetJson(kNamespace, "imagebuild", "web")["metadata"]["annotations"];
  EXPECT_EQ(annotations,
            nlohmann::json::parse(
                R"({"team":"a","slipway.dev/observed-commit":"a","slipway.dev/observed-bases":"b"})"));
}

TEST_F(Triggers, WriteNothingElse) {
  const Words others{"slipway-trigger", "slipway.dev/observed-commit", "and no others"};
  const Words marks{"slipway-trigger", "labels, owners or finalizers"};
  const Words spec{"slipway-trigger", "makes or changes no ImageBuild"};
  Judge({
      Annotate("slipway.dev/rebuild", R"("1")", others),
      Annotate("slipway.dev/cancel", R"("1")", others),
      Annotate("slipway.dev/observed-commits", R"("1")", others),
      Annotate("slipway.dev/pulls", R"("1")", others),
      Annotate("team", R"("b")", others),
      Annotate("team", "null", others),
      Patch("every annotation", R"({"metadata":{"annotations":null}})", others),
      Patch("one that it may and one that it may not",
            R"({"metadata":{"annotations":{"slipway.dev/observed-commit":"a","team":"b"}}})", others),
      Patch("a label", R"({"metadata":{"labels":{"team":"a"}}})", marks),
      Patch("a finalizer", R"({"metadata":{"finalizers":["example.com/a"]}})", marks),
      Patch(
          "an owner",
          R"({"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"a","uid":"b"}]}})",
          marks),
      Patch("the revision", R"({"spec":{"source":{"git":{"revision":"evil"}}}})", spec),
      Patch("suspension", R"({"spec":{"suspend":true}})", spec),
      Patch("an annotation that it may, and the spec",
            R"({"metadata":{"annotations":{"slipway.dev/observed-commit":"a"}},"spec":{"suspend":true}})",
            spec),
      Do("the status", kTrigger,
         {"patch", "imagebuild", "web", "--subresource=status", "--type=merge", "-p",
          R"({"status":{"phase":"Failed"}})"},
         {"cannot get resource \"imagebuilds/status\""}),
      Make("another ImageBuild", kTrigger, Build("other"), {"cannot create resource \"imagebuilds\""}),
      Do("deleting it", kTrigger, {"delete", "imagebuild", "web"},
         {"cannot delete resource \"imagebuilds\""}),
      Annotate("slipway.dev/observed-commit", R"("1")", {"cannot get resource \"imagebuilds\""},
               "system:serviceaccount:e2e-policy-gated:slipway-trigger"),
  });
}

// Whatever Roles a tenant gives to the account.
TEST_F(Triggers, WriteNothingElseWithMoreRights) {
  Apply(kGated,
        std::string("{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: more}, "
                    "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: writer}, "
                    "subjects: [{kind: ServiceAccount, name: slipway-trigger, namespace: ") +
            kNamespace + "}]}");
  Judge({Gated(Make("an ImageBuild", kTrigger, Build("other"),
                    {"slipway-trigger", "makes or changes no ImageBuild"}))});
  const auto gone = Kubectl({"-n", kGated, "delete", "rolebinding", "more"});
  EXPECT_TRUE(gone.ok()) << gone.text;
}

TEST_F(Triggers, APersonMayWriteWhatTheyWriteButNotMarkAnImageBuildAsThatOfAPullRequest) {
  Judge({
      Annotate("slipway.dev/observed-commit", R"("{}")", {}, "writer"),
      Annotate("slipway.dev/rebuild", R"("1")", {}, "writer"),
      Patch("a label", R"({"metadata":{"labels":{"team":"b"}}})", {}, "writer"),
      Patch("a label of ours", R"({"metadata":{"labels":{"slipway.dev/pull":"7"}}})",
            {"slipway-reserved-marks"}, "writer"),
      Make("one with a label of ours", "writer", Build("other", "labels: {slipway.dev/pull: '7'}"),
           {"slipway-reserved-marks"}),
      Make("one that belongs to another", "writer", Build("other", Owner("ImageBuild", "web")),
           {"slipway-reserved-marks", "ownerReferences"}),
      Make("the operator's", kOperator,
           Build("other", "labels: {slipway.dev/pull: '7'}, " + Owner("ImageBuild", "web"))),
  });
}

TEST_F(Triggers, NobodyElseRunsUnderTheirAccount) {
  const Words refused{"slipway-trigger-workloads", "is for the Slipway operator's own pods"};
  Judge({
      Make("a pod", "dev", PodAs("p", kAccount), refused),
      Make("a pod of the administrator's", kAdministrator, PodAs("p", kAccount), refused),
      Make("a Job", "dev", JobAs(kAccount), refused),
      Make("a Deployment", "dev", DeploymentAs("d", kAccount), refused),
      Make("another account's pod", "dev", PodAs("p", "")),
      Make("another account's Job", "dev", JobAs("")),
      Make("another account's Deployment", "dev", DeploymentAs("d", "")),
      Make("the operator's", kOperator, DeploymentAs("slipway-poller", kAccount)),
      Make("a pod that Kubernetes makes of it", kReplicaSets, PodAs("p", kAccount)),
  });
}

TEST_F(Triggers, NobodyElseChangesThem) {
  Keep(kOperator, DeploymentAs("slipway-poller", kAccount));
  Keep(kOperator, ServiceNamed("slipway-receiver"));
  Keep(kReplicaSets, PodAs("anything", kAccount));
  const Words refused{"slipway-trigger-workloads", "is the Slipway operator's"};
  Judge({
      Make("a Deployment of the name", "dev", DeploymentAs("slipway-receiver", ""), refused),
      Make("a Service of the name", "dev", ServiceNamed("slipway-receiver"), refused),
      Make("a Service of another", "dev", ServiceNamed("receiver")),
      Do("another image", "dev", {"set", "image", "deployment/slipway-poller", "c=example.com/evil"},
         refused),
      Do("another image in the pod", "dev", {"set", "image", "pod/anything", "c=example.com/evil"},
         {"slipway-own-pods", "the spec of Pod anything"}),
      Do("a debugger", "dev", {"debug", "anything", "--image=example.com/evil", "--container=beside"},
         {"slipway-own-pods", "nothing is run beside it"}),
      Do("another selector", "dev",
         {"patch", "service", "slipway-receiver", "-p", R"({"spec":{"selector":{"app":"evil"}}})"}, refused),
      Make("a Release of it", "dev", Release("r", "slipway-poller"),
           {"slipway-release-target", "a Deployment of the Slipway operator's own"}),
      Make("a promotion of it", "dev", Promotion("p", "slipway-receiver"), {"slipway-release-target"}),
      Do("deleting it", "dev", {"delete", "deployment", "slipway-poller"}),
      Do("deleting the Service", "dev", {"delete", "service", "slipway-receiver"}),
  });
}

}  // namespace
}  // namespace slipway::testing
