// What the operator may do: exactly what is listed here, and nothing anywhere else.
#include <set>

#include "e2e/policy/fixture.h"

namespace slipway::testing {
namespace {

class Rights : public Tenants {};

// "verb group/resource" or "verb group/resource:name", for each rule that the API server knows of; without
// what every authenticated account has.
std::set<std::string> RightsIn(const std::string& ns, const std::string& user = kOperator) {
  const nlohmann::json question{{"apiVersion", "authorization.k8s.io/v1"},
                                {"kind", "SelfSubjectRulesReview"},
                                {"spec", {{"namespace", ns}}}};
  const auto review = Kubectl(
      {"create", "--raw", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", "-f", "-", "--as=" + user},
      question.dump());
  EXPECT_TRUE(review.ok()) << review.text;
  const auto status = nlohmann::json::parse(review.text, nullptr, false)["status"];
  EXPECT_FALSE(status.value("incomplete", true)) << status;
  std::set<std::string> rights;
  for (const auto& rule : status["resourceRules"]) {
    const auto names = rule.value("resourceNames", std::vector<std::string>{});
    for (const std::string group : rule["apiGroups"]) {
      for (const std::string resource : rule["resources"]) {
        if (resource.starts_with("selfsubject")) continue;
        for (const std::string verb : rule["verbs"]) {
          const std::string right = verb + " " + group + "/" + resource;
          if (names.empty()) rights.insert(right);
          for (const auto& name : names) rights.insert(right + ":" + name);
        }
      }
    }
  }
  return rights;
}

void Add(std::set<std::string>& rights, const std::vector<std::string>& resources,
         const std::vector<std::string>& verbs) {
  for (const auto& resource : resources) {
    for (const auto& verb : verbs) rights.insert(verb + " " + resource);
  }
}

// To end a promotion whose namespace is going, its Role before it; and to see what Decisions rest on.
std::set<std::string> Everywhere() {
  std::set<std::string> rights;
  Add(rights, {"slipway.dev/canarypromotions"}, {"get", "patch"});
  Add(rights, {"slipway.dev/canarypromotions/status"}, {"patch"});
  Add(rights, {"/namespaces"}, {"get"});
  Add(rights,
      {"admissionregistration.k8s.io/validatingadmissionpolicies:slipway-decisions",
       "admissionregistration.k8s.io/validatingadmissionpolicybindings:slipway-decisions"},
      {"list", "watch"});
  return rights;
}

TEST_F(Rights, InAWatchedNamespaceTheyAreThoseOfTheTenantRole) {
  std::set<std::string> rights = Everywhere();
  Add(rights,
      {"slipway.dev/imagebuilds", "slipway.dev/releases", "slipway.dev/canarypromotions",
       "slipway.dev/decisions", "batch/jobs", "apps/deployments"},
      {"get", "list", "watch"});
  Add(rights, {"/pods", "/services"}, {"list", "watch"});
  Add(rights,
      {"slipway.dev/imagebuilds/status", "slipway.dev/releases/status",
       "slipway.dev/canarypromotions/status"},
      {"patch"});
  Add(rights, {"slipway.dev/canarypromotions", "apps/deployments", "/services"},
      {"create", "patch", "delete"});
  Add(rights, {"batch/jobs"}, {"create", "delete"});
  Add(rights, {"slipway.dev/imagebuilds"}, {"create", "patch", "delete"});
  // What a Release delivers with its image is read by name and copied; an autoscaler is told of; budgets are
  // looked at before a canary begins.
  Add(rights, {"/configmaps"}, {"get", "create", "delete"});
  Add(rights, {"autoscaling/horizontalpodautoscalers"}, {"list", "watch"});
  Add(rights, {"policy/poddisruptionbudgets"}, {"list"});
  Add(rights, {"events.k8s.io/events"}, {"list", "create"});
  EXPECT_EQ(RightsIn(kNamespace), rights);
}

TEST_F(Rights, ItsTriggersLookAtImageBuildsOfTheirNamespaceAndWriteEvents) {
  std::set<std::string> rights;
  Add(rights, {"slipway.dev/imagebuilds"}, {"get", "list", "watch", "patch"});
  Add(rights, {"events.k8s.io/events"}, {"create", "patch"});
  EXPECT_EQ(RightsIn(kNamespace, kTrigger), rights);
  for (const std::string ns : {kGated, "default", "slipway-system"}) {
    EXPECT_EQ(RightsIn(ns, kTrigger), std::set<std::string>{}) << ns;
  }
}

TEST_F(Rights, InItsOwnNamespaceItHasALeaseAndItsPolicy) {
  std::set<std::string> rights = Everywhere();
  Add(rights, {"coordination.k8s.io/leases"}, {"create"});
  Add(rights, {"coordination.k8s.io/leases:slipway-operator"}, {"get", "update"});
  Add(rights, {"/configmaps:slipway-policy"}, {"list", "watch"});
  EXPECT_EQ(RightsIn("slipway-system"), rights);
}

TEST_F(Rights, AnywhereElseItMayEndPromotionsAndNothingMore) {
  for (const std::string ns : {"default", "kube-system", "kube-public"}) {
    EXPECT_EQ(RightsIn(ns), Everywhere()) << ns;
  }
}

// The server's word on single questions, beside its list.
TEST_F(Rights, ItMayNotAskForSecretsTokensShellsOrMoreRights) {
  struct Question {
    const char* verb;
    const char* resource;
    const char* subresource;
  };
  const std::vector<Question> questions{
      {"get", "secrets", ""},
      {"list", "secrets", ""},
      {"watch", "secrets", ""},
      {"create", "secrets", ""},
      {"create", "serviceaccounts", "token"},
      {"create", "pods", "exec"},
      {"create", "pods", "attach"},
      {"patch", "pods", "ephemeralcontainers"},
      {"create", "pods", ""},
      {"get", "pods", "log"},
      {"list", "configmaps", ""},
      {"create", "decisions.slipway.dev", ""},
      {"patch", "decisions.slipway.dev", ""},
      {"approve", "imagebuilds.slipway.dev", ""},
      {"update", "configmaps", ""},
      {"bind", "roles.rbac.authorization.k8s.io", ""},
      {"escalate", "roles.rbac.authorization.k8s.io", ""},
      {"create", "rolebindings.rbac.authorization.k8s.io", ""},
      {"impersonate", "users", ""},
      {"impersonate", "serviceaccounts", ""},
      {"patch", "customresourcedefinitions.apiextensions.k8s.io", ""},
      {"delete", "validatingadmissionpolicies.admissionregistration.k8s.io", ""},
      {"list", "namespaces", ""},
      {"get", "nodes", "proxy"}};
  for (const Question& question : questions) {
    for (const std::string ns : {kNamespace, "slipway-system"}) {
      std::vector<std::string> args{"-n", ns, "auth", "can-i", question.verb, question.resource};
      if (*question.subresource != '\0') args.push_back(std::string("--subresource=") + question.subresource);
      const auto answer = As(kOperator, args);
      EXPECT_FALSE(answer.ok()) << question.verb << " " << question.resource << " in " << ns << ": "
                                << answer.text;
      EXPECT_NE(answer.text.find("no"), std::string::npos) << answer.text;
    }
  }
}

TEST_F(Rights, ItsPolicyIsWatchedByNameAlone) {
  const auto system = [](std::vector<std::string> args) {
    args.insert(args.begin(), {"-n", "slipway-system"});
    return args;
  };
  const Output mine =
      As(kOperator, system({"get", "configmaps", "--field-selector=metadata.name=slipway-policy"}));
  EXPECT_TRUE(mine.ok()) << mine.text;
  Judge({{"all", kOperator, system({"get", "configmaps"}), "", {"Forbidden"}},
         {"another", kOperator, system({"get", "configmap", "kube-root-ca.crt"}), "", {"Forbidden"}},
         {"writing it",
          kOperator,
          system({"patch", "configmap", "slipway-policy", "--type=merge", "-p",
                  R"({"data":{"policy.yaml":"namespaces: {}"}})"}),
          "",
          {"Forbidden"}},
         {"a tenant reads it", "dev", system({"get", "configmap", "slipway-policy"}), "", {"Forbidden"}}});
}

}  // namespace
}  // namespace slipway::testing
