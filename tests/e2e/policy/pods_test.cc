// What runs in the operator's own pods is evidence: nobody changes it, runs something beside it or enters it;
// and Kubernetes itself goes on working with them.
#include "e2e/policy/fixture.h"

namespace slipway::testing {
namespace {

using Words = std::vector<std::string>;

constexpr const char* kJobController = "system:serviceaccount:kube-system:job-controller";
constexpr const char* kNever = "nodeSelector: {slipway-test: never}, ";
constexpr const char* kEvidence = "web-build-0a1b2c3d-x7k2p";

std::string Patch(const std::string& metadata) { return R"({"metadata":)" + metadata + "}"; }

class OwnPods : public Tenants {
 protected:
  // No node takes any of them, so that they stay as they are. An owner that is not there would have them
  // collected: so they have a real one.
  void SetUp() override {
    Tenants::SetUp();
    const auto job = Keep("dev", Job("owner", "labels: {a: b}", "a: b"));
    uid_ = job["metadata"].value("uid", "");
    Genuine(kEvidence, "slipway.dev/kind: ImageBuild, slipway.dev/role: build");
    Genuine("web-canary", "app: web, slipway.dev/track: canary");
    Genuine("theirs", "app: web");
  }

  void Genuine(const std::string& name, const std::string& labels) const {
    Keep(kJobController,
         "{apiVersion: v1, kind: Pod, metadata: {name: " + name + ", labels: {" + labels +
             "}, ownerReferences: [{apiVersion: batch/v1, kind: Job, name: owner, uid: " + uid_ +
             "}]}, spec: {" + kNever +
             "containers: [{name: push, image: example.com/c, resources: {requests: {cpu: 2m}}}]}}");
  }

  static Attempt SetImage(const std::string& pod, Words words) {
    return Do("another image in " + pod, "dev", {"set", "image", "pod/" + pod, "push=example.com/evil"},
              std::move(words));
  }
  static Attempt Merge(const std::string& what, const std::string& pod, const std::string& patch,
                       Words words = {}, const std::string& user = "dev") {
    return Do(what, user, {"patch", "pod", pod, "--type=merge", "-p", patch}, std::move(words));
  }
  static Attempt StatusOf(const std::string& pod, const std::string& status, Words words) {
    return Do(
        "a status for " + pod, "dev",
        {"patch", "pod", pod, "--subresource=status", "--type=merge", "-p", "{\"status\":" + status + "}"},
        std::move(words));
  }
  static Attempt Status(const std::string& pod, Words words) {
    return StatusOf(pod, R"({"message":"passed"})", std::move(words));
  }
  static Attempt Debug(const std::string& pod, Words words) {
    return Do("a container beside " + pod, "dev",
              {"debug", pod, "--image=example.com/evil", "--container=beside"}, std::move(words));
  }
  static Attempt Enter(const std::string& pod, Words words) {
    return Do("entering " + pod, "dev", {"exec", pod, "--", "true"}, std::move(words));
  }

  // A controller may patch and not read; kubectl does so when it applies.
  static Attempt Apply(const std::string& what, const std::string& user, const std::string& metadata,
                       const std::string& status) {
    Attempt attempt = Do(what, user, {"apply", "--server-side", "--field-manager=controller", "-f", "-"});
    if (!status.empty()) attempt.args.push_back("--subresource=status");
    attempt.input = std::string("{apiVersion: v1, kind: Pod, metadata: {name: ") + kEvidence +
                    (metadata.empty() ? "" : ", ") + metadata + "}" + (status.empty() ? "" : ", ") + status +
                    "}";
    return attempt;
  }

  std::string uid_;
};

TEST_F(OwnPods, EvidenceIsNotChanged) {
  const std::string pod = kEvidence;
  const Words refused{"slipway-own-pods", "the spec of Pod " + pod, "decides what is delivered"};
  const Words owners{"slipway-own-pods", "metadata.ownerReferences of Pod " + pod};
  Judge({
      SetImage(pod, refused),
      Do("by the administrator", kAdministrator, {"set", "image", "pod/" + pod, "push=example.com/evil"},
         refused),
      Merge("a shorter life", pod, R"({"spec":{"activeDeadlineSeconds":1}})", refused),
      Merge("no owner", pod, Patch(R"({"ownerReferences":null})"), owners),
      Merge("another owner", pod,
            Patch(R"({"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"a","uid":"b"}]})"),
            owners),
      Debug(pod, {"slipway-own-pods", "nothing is run beside it", "log can be read"}),
      Do("another size", "dev",
         {"patch", "pod", pod, "--subresource=resize", "--type=merge", "-p",
          R"({"spec":{"containers":[{"name":"push","image":"example.com/c",)"
          R"("resources":{"requests":{"cpu":"1m"}}}]}})"},
         {"slipway-own-pods", "keep their size"}),
      Status(pod, {"slipway-own-pods", "written by the node that runs it"}),
  });
  const auto now = GetJson(kNamespace, "pod", pod);
  EXPECT_EQ(now["spec"]["containers"][0].value("image", ""), "example.com/c");
  EXPECT_EQ(now["metadata"]["ownerReferences"][0].value("uid", ""), uid_);
  EXPECT_FALSE(now["status"].contains("message")) << now["status"];
}

TEST_F(OwnPods, EvidenceIsToldByNameWhereThereIsNoLabelToSee) {
  const Words refused{"slipway-own-pods", "by its name", "evidence for what is delivered", "log can be read"};
  const Words allowed{"does not have a host assigned"};  // the server's answer behind admission
  const std::vector<std::string> ours{
      "web-resolve-0a1b2c3d-x7k2p", "web-test-0a1b2c3d-x7k2p",        "web-index-0a1b2c3d-x7k2p",
      "web-report-0a1b2c3d-x7k2p",  "web-compare-0a1b2c3d-x7k2p",     "web-prometheus-0a1b2c3d-x7k2p",
      "web-verify-0a1b2c3d-x7k2p",  "web-migrate-0a1b2c3d-x7k2p",     "web-attest-0a1b2c3d-x7k2p",
      "web-scan-0a1b2c3d-x7k2p",    "slipway-poller-7d9f8c6b5-x7k2p", "slipway-receiver-7d9f8c6b5-x7k2p"};
  for (const auto& name : ours) {
    Genuine(name, "app: web");
    Judge({Enter(name, refused), Do("attaching to " + name, "dev", {"attach", name}, refused)});
  }
  for (const std::string name :
       {"web-cp-1547b293-smoke-8775b9ad-dp9sb", "web-build-7d9f8c6b5-x7k2p", "web-building-0a1b2c3d-x7k2p",
        "my-slipway-poller-7d9f8c6b5-x7k2p", "build-0a1b2c3d-x7k2p", "web-build-0a1b2c3d"}) {
    Genuine(name, "app: web");
  }
  Judge({
      Enter(kEvidence, refused),
      Do("attaching to it", "dev", {"attach", kEvidence}, refused),
      Do("by the administrator", kAdministrator, {"exec", kEvidence, "--", "true"}, refused),
      Enter("web-cp-1547b293-smoke-8775b9ad-dp9sb", refused),
      Enter("web-build-7d9f8c6b5-x7k2p", allowed),
      Enter("web-building-0a1b2c3d-x7k2p", allowed),
      Enter("my-slipway-poller-7d9f8c6b5-x7k2p", allowed),
      Enter("build-0a1b2c3d-x7k2p", allowed),
      Enter("web-build-0a1b2c3d", allowed),
      Enter("web-canary", allowed),
      Enter("theirs", allowed),
      Do("attaching to theirs", "dev", {"attach", "theirs"}, allowed),
  });
}

TEST_F(OwnPods, NoLengthOfAnImageBuildsNameOpensItsPods) {
  for (const std::size_t size : {20U, 57U, 58U, 60U, 63U}) {
    const std::string end = "-build-0a1b2c3d";
    const std::string name = std::string(size - end.size(), 'a') + end;
    Keep(kOperator, "{apiVersion: batch/v1, kind: Job, metadata: {name: " + name +
                        "}, spec: {template: {spec: {restartPolicy: Never, " + kNever +
                        "containers: [{name: push, image: example.com/c}]}}}}");
    std::string pod;
    ASSERT_TRUE(Eventually(std::chrono::seconds(20), "the pod of " + name, [&](std::string& seen) {
      seen = Kubectl({"-n", kNamespace, "get", "pods", "-l", "batch.kubernetes.io/job-name=" + name, "-o",
                      "jsonpath={.items[*].metadata.name}"})
                 .text;
      pod = seen;
      return !seen.empty();
    }));
    EXPECT_LE(pod.size(), 63U);
    Judge({Enter(pod, {"slipway-own-pods", "by its name"})});
  }
}

TEST_F(OwnPods, ACanaryIsTheUsersApplicationButRunsWhatIsPromoted) {
  Keep(kOperator, Deployment("shop", "labels: {slipway.dev/role: canary}", "slipway.dev/track: canary"));
  std::string set;
  ASSERT_TRUE(Eventually(std::chrono::seconds(20), "its ReplicaSet", [&](std::string& seen) {
    seen = set = Kubectl({"-n", kNamespace, "get", "replicasets", "-l", "app=shop", "-o", "name"}).text;
    return seen.starts_with("replicaset.apps/shop-");
  }));
  set.erase(set.find_last_not_of('\n') + 1);
  Judge({
      SetImage("web-canary", {"slipway-own-pods", "the spec of Pod web-canary"}),
      Merge("no owner", "web-canary", Patch(R"({"ownerReferences":null})"), {"metadata.ownerReferences"}),
      Do("another image for its next pods", "dev", {"set", "image", set, "c=example.com/evil"},
         {"slipway-own-pods", "the spec of ReplicaSet shop-"}),
      Do("a label on its ReplicaSet", "dev", {"label", set, "team=a"}),
      Debug("web-canary", {}),
      Status("web-canary", {}),
      StatusOf("web-canary", R"({"podIP":"10.0.0.1","podIPs":[{"ip":"10.0.0.1"}]})",
               {"tell the Slipway operator whom"}),
      StatusOf(
          "web-canary",
          R"({"containerStatuses":[{"name":"c","image":"i","imageID":"example.com/evil@sha256:0","ready":true,)"
          R"("restartCount":0}]})",
          {"tell the Slipway operator whom"}),
      StatusOf("web-canary", R"({"conditions":[{"type":"example.com/gate","status":"True"}]})", {}),
  });
}

TEST_F(OwnPods, OrdinaryWorkOnPodsIsNobodysBusiness) {
  Judge({
      SetImage("theirs", {}),
      Merge("no owner", "theirs", Patch(R"({"ownerReferences":null})")),
      Debug("theirs", {}),
      Status("theirs", {}),
      Do("a label on evidence", "dev", {"label", "pod", kEvidence, "team=a"}),
      Do("an annotation on evidence, as network plugins write it", "dev",
         {"patch", "pod", kEvidence, "--subresource=status", "--type=merge", "-p",
          Patch(R"({"annotations":{"network.example.com/ip":"10.0.0.1"}})")}),
      Do("its log", "dev", {"logs", kEvidence}),
      Do("deleting evidence", "dev", {"delete", "pod", kEvidence}),
  });
}

TEST_F(OwnPods, KubernetesItselfWorksWithThem) {
  // The scheduler says why it waits, the Job controller takes its finalizer off, the garbage collector an
  // owner.
  const auto waits = Kubectl({"-n", kNamespace, "wait", "--for=condition=PodScheduled=false",
                              std::string("pod/") + kEvidence, "--timeout=20s"});
  EXPECT_TRUE(waits.ok()) << waits.text;
  Judge({
      Apply("finalizers", kJobController, "finalizers: [batch.kubernetes.io/job-tracking]", ""),
      Apply("no finalizers", kJobController, "", ""),
      Apply("a pod that is collected", "system:serviceaccount:kube-system:pod-garbage-collector", "",
            "status: {phase: Failed}"),
      Merge("an owner that is gone", kEvidence, Patch(R"({"ownerReferences":null})"), {},
            "system:serviceaccount:kube-system:generic-garbage-collector"),
  });
  EXPECT_EQ(GetJson(kNamespace, "pod", kEvidence)["status"].value("phase", ""), "Failed");
  // And a kubelet writes what becomes of one that a node takes.
  Keep(kJobController, Pod("web-smoke-0a1b2c3d-x7k2p", "labels: {slipway.dev/kind: CanaryPromotion}"));
  EXPECT_TRUE(Eventually(std::chrono::seconds(30), "the kubelet's status", [](std::string& seen) {
    seen = Kubectl({"-n", kNamespace, "get", "pod", "web-smoke-0a1b2c3d-x7k2p", "-o",
                    "jsonpath={.status.hostIP} {.status.containerStatuses[*].name}"})
               .text;
    return seen.ends_with(" c");
  }));
}

}  // namespace
}  // namespace slipway::testing
