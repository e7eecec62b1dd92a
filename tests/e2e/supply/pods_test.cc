// What runs where keys are, and what the operator may do there.
#include "e2e/supply/fixture.h"

namespace slipway::testing {
namespace {

constexpr const char* kOperator = "system:serviceaccount:slipway-system:slipway-operator";

// A build, tested, attested and signed; its pods are still here.
class ChainPods : public SharedSupply {
 protected:
  void Share() override {
    Json spec = TestedSpec("pods", "main");
    spec["attest"] = {{"signer", "release"}, {"sbom", {"SPDX"}}};
    Build(ns_, "pods", spec);
    WaitReady(ns_, "imagebuild", "pods", "True", Seconds(180));
  }

  static std::vector<Json> Pods() {
    const auto all = Kubectl({"get", "pods", "--all-namespaces", "-o", "json"});
    EXPECT_TRUE(all.ok()) << all.text;
    const Json items = Json::parse(all.text, nullptr, false).value("items", Json::array());
    return {items.begin(), items.end()};
  }
  static std::vector<Json> ContainersOf(const Json& pod) {
    std::vector<Json> containers;
    for (const char* kind : {"initContainers", "containers"}) {
      for (const auto& container : pod.at("spec").value(kind, Json::array())) containers.push_back(container);
    }
    return containers;
  }
  static std::string NameOf(const Json& pod) { return Text(pod, "/metadata/name"); }
};

// The API server's own word, of a copy of each pod in a namespace that enforces it.
TEST_F(ChainPods, AllButTheBuilderAreAdmittedUnderRestricted) {
  EXPECT_EQ(Text(GetJson("", "namespace", kChain), "/metadata/labels/pod-security.kubernetes.io~1enforce"),
            "restricted");
  EXPECT_EQ(Text(GetJson("", "namespace", ns_), "/metadata/labels/pod-security.kubernetes.io~1enforce"),
            "baseline");
  int builders = 0;
  int others = 0;
  for (const Json& pod : Pods()) {
    const std::string ns = Text(pod, "/metadata/namespace");
    if (ns != ns_ && ns != kChain) continue;
    Json copy = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"spec", pod.at("spec")}};
    copy["metadata"] = {{"name", "copy"}, {"namespace", kChain}};
    copy["spec"].erase("nodeName");
    const Output made = Kubectl({"create", "--dry-run=server", "-f", "-"}, copy.dump());
    bool builder = false;
    for (const Json& container : ContainersOf(pod)) {
      builder |= Text(container, "/image").find("/slipway/kaniko@") != std::string::npos;
    }
    ++(builder ? builders : others);
    EXPECT_EQ(made.ok(), !builder) << NameOf(pod) << ": " << made.text;
    if (builder) HasWords(made.text, {"violates PodSecurity", "restricted"});
  }
  EXPECT_GE(builders, 1);
  EXPECT_GE(others, 2) << "a test's pod and a signing pod at least";
}

TEST_F(ChainPods, TheOperatorRunsJobsThereAndReadsNoKey) {
  struct Question {
    const char* verb;
    const char* resource;
    const char* subresource;
    bool may;
  };
  const std::vector<Question> questions{{"create", "jobs.batch", "", true},
                                        {"delete", "jobs.batch", "", true},
                                        {"watch", "jobs.batch", "", true},
                                        {"watch", "pods", "", true},
                                        {"list", "events.events.k8s.io", "", true},
                                        {"patch", "jobs.batch", "", false},
                                        {"get", "secrets", "", false},
                                        {"list", "secrets", "", false},
                                        {"watch", "secrets", "", false},
                                        {"create", "secrets", "", false},
                                        {"create", "pods", "", false},
                                        {"patch", "pods", "", false},
                                        {"create", "pods", "exec", false},
                                        {"get", "pods", "log", false},
                                        {"create", "serviceaccounts", "token", false},
                                        {"get", "configmaps", "", false},
                                        {"create", "roles.rbac.authorization.k8s.io", "", false}};
  for (const Question& question : questions) {
    std::vector<std::string> args{"-n",   kChain,   "auth", "can-i", question.verb, question.resource,
                                  "--as", kOperator};
    if (*question.subresource != '\0') args.push_back(std::string("--subresource=") + question.subresource);
    const Output answer = Kubectl(args);
    EXPECT_EQ(answer.ok(), question.may)
        << question.verb << " " << question.resource << "/" << question.subresource << ": " << answer.text;
    EXPECT_NE(answer.text.find(question.may ? "yes" : "no"), std::string::npos) << answer.text;
  }
}

// Who may do everything in a tenant's namespace has nothing in this one; and nobody enters a pod that signs.
TEST_F(ChainPods, TenantsHaveNothingThereAndNobodyEntersAPodThatSigns) {
  Apply(ns_, R"(
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: anna-rules-here}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: anna}]
)");
  const auto may = [](const std::string& ns, const char* verb, const char* resource) {
    const std::string said = Kubectl({"-n", ns, "auth", "can-i", verb, resource, "--as", "anna"}).text;
    return said.substr(0, said.find_first_of(" \n"));
  };
  for (const char* resource : {"secrets", "pods", "jobs.batch"}) {
    for (const char* verb : {"get", "list", "create", "delete"}) {
      const std::string what = std::string(verb) + " " + resource;
      EXPECT_EQ(may(ns_, verb, resource), "yes") << what;
      EXPECT_EQ(may(kChain, verb, resource), "no") << what;
    }
  }
  EXPECT_TRUE(Kubectl({"-n", ns_, "delete", "rolebinding", "anna-rules-here"}).ok());
  bool tried = false;
  for (const Json& pod : Pods()) {
    if (Text(pod, "/metadata/namespace") != kChain) continue;
    if (NameOf(pod).find("-attest-") == std::string::npos) continue;
    // kubectl does not even ask about a pod that has ended.
    const Output entered = Kubectl({"get", "--raw",
                                    "/api/v1/namespaces/" + std::string(kChain) + "/pods/" + NameOf(pod) +
                                        "/exec?command=/cosign&stdout=true"});
    EXPECT_FALSE(entered.ok()) << entered.text;
    HasWords(entered.text, {"slipway-own-pods"});
    tried = true;
    break;
  }
  EXPECT_TRUE(tried) << "there is no pod that signs";
}

}  // namespace
}  // namespace slipway::testing
