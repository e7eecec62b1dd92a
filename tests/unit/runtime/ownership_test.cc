// Whether a live object is what the API server makes of ours: real answers of a real server, and forgeries,
// each of which changes one thing in such an answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runtime/effects.h"
#include "runtime/quantity.h"
#include "unit/runtime/real_objects.h"

namespace slipway::runtime {
namespace {

using kube::Json;
using ::testing::HasSubstr;
using ::testing::Optional;

const Json& JobRendered() {
  static const Json kJob = Json::parse(real::kJobRendered);
  return kJob;
}
const Json& JobLive() {
  static const Json kJob = Json::parse(real::kJobLive);
  return kJob;
}

TEST(IsOursTest, TakesWhatARealServerMadeOfOurs) {
  struct Row {
    const char* rendered;
    const char* live;
  };
  for (const Row& row :
       {Row{real::kJobRendered, real::kJobLive}, Row{real::kBareJobRendered, real::kBareJobLive},
        Row{real::kDeploymentRendered, real::kDeploymentLive}}) {
    const auto difference = DifferenceOf(Json::parse(row.rendered), Json::parse(row.live));
    EXPECT_EQ(difference, std::nullopt) << *difference;
    EXPECT_TRUE(IsOurs(Json::parse(row.rendered), Json::parse(row.live)));
  }
}

TEST(IsOursTest, TakesItselfUnchanged) { EXPECT_TRUE(IsOurs(JobRendered(), JobRendered())); }

// One change to an object: a JSON Patch, as text.
struct Change {
  const char* what;
  const char* patch;
  const char* named;  // what the message must name
};

TEST(IsOursTest, TakesWhatControllersOfKubernetesWriteLater) {
  const std::vector<Change> changes = {
      {"status", R"([{"op":"add","path":"/status/active","value":1}])", ""},
      {"generation", R"([{"op":"replace","path":"/metadata/generation","value":4}])", ""},
      {"the tracking mark of Kubernetes 1.23 to 1.26",
       R"([{"op":"add","path":"/metadata/annotations/batch.kubernetes.io~1job-tracking","value":""}])", ""},
      {"a foreground deletion",
       R"([{"op":"add","path":"/metadata/deletionTimestamp","value":"2026-11-21T06:44:15Z"},
           {"op":"add","path":"/metadata/finalizers","value":["foregroundDeletion"]}])",
       ""},
      {"the selector's label before Kubernetes 1.27",
       R"([{"op":"replace","path":"/spec/selector",
            "value":{"matchLabels":{"controller-uid":"5052485f-296d-485f-bc82-97f6cb3fa25c"}}}])",
       ""},
      {"the controller's labels on the Job itself",
       R"([{"op":"add","path":"/metadata/labels/job-name","value":"shop-7-build-1a2b3c4d"}])", ""},
      {"null for nothing",
       R"([{"op":"add","path":"/spec/template/metadata/creationTimestamp","value":null}])", ""},
      {"quantities in other words",
       R"([{"op":"replace","path":"/spec/template/spec/initContainers/0/resources/limits/cpu","value":"2000m"}])",
       ""},
  };
  for (const Change& change : changes) {
    const Json live = JobLive().patch(Json::parse(change.patch));
    const auto difference = DifferenceOf(JobRendered(), live);
    EXPECT_EQ(difference, std::nullopt) << change.what << ": " << *difference;
  }
}

TEST(IsOursTest, RefusesEachForgery) {
  const std::vector<Change> forgeries = {
      {"another container",
       R"([{"op":"add","path":"/spec/template/spec/containers/-","value":{"name":"x","image":"evil"}}])",
       "spec.template.spec.containers has 4 elements instead of 3"},
      {"another init container",
       R"([{"op":"add","path":"/spec/template/spec/initContainers/0","value":{"name":"x","image":"evil"}}])",
       "spec.template.spec.initContainers has 2 elements"},
      {"an ephemeral container",
       R"([{"op":"add","path":"/spec/template/spec/ephemeralContainers","value":[{"name":"x"}]}])",
       "spec.template.spec.ephemeralContainers was added"},
      {"a container less", R"([{"op":"remove","path":"/spec/template/spec/containers/2"}])",
       "has 2 elements"},
      {"another image",
       R"([{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"reg.example/crane:v0.21"}])",
       "spec.template.spec.containers[0].image differs"},
      {"another command",
       R"([{"op":"replace","path":"/spec/template/spec/containers/0/command/0","value":"sh"}])",
       "containers[0].command[0] differs"},
      {"arguments where we had none",
       R"([{"op":"add","path":"/spec/template/spec/containers/1/args","value":["-c","id"]}])",
       "containers[1].args was added"},
      {"arguments where ours are empty",
       R"([{"op":"add","path":"/spec/template/spec/containers/0/args","value":["--insecure"]}])",
       "containers[0].args has 1 elements instead of 0"},
      {"an environment variable",
       R"([{"op":"add","path":"/spec/template/spec/containers/0/env","value":[{"name":"LD_PRELOAD","value":"x"}]}])",
       "containers[0].env was added"},
      {"a value where ours is empty",
       R"([{"op":"add","path":"/spec/template/spec/initContainers/0/env/0/value","value":"x"}])",
       "initContainers[0].env[0].value differs"},
      {"a secret behind a value",
       R"([{"op":"add","path":"/spec/template/spec/initContainers/0/env/0/valueFrom",
            "value":{"secretKeyRef":{"name":"keys","key":"k"}}}])",
       "initContainers[0].env[0].valueFrom was added"},
      {"variables from a Secret",
       R"([{"op":"add","path":"/spec/template/spec/containers/0/envFrom","value":[{"secretRef":{"name":"keys"}}]}])",
       "envFrom was added"},
      {"another volume",
       R"([{"op":"add","path":"/spec/template/spec/volumes/-","value":{"name":"host","hostPath":{"path":"/"}}}])",
       "spec.template.spec.volumes has 7 elements"},
      {"a volume from elsewhere",
       R"([{"op":"remove","path":"/spec/template/spec/volumes/0/emptyDir"},
           {"op":"add","path":"/spec/template/spec/volumes/0/hostPath","value":{"path":"/","type":""}}])",
       "volumes[0].emptyDir is missing"},
      {"another Secret",
       R"([{"op":"replace","path":"/spec/template/spec/volumes/1/secret/secretName","value":"keys"}])",
       "volumes[1].secret.secretName differs"},
      {"another mode of a Secret's files",
       R"([{"op":"replace","path":"/spec/template/spec/volumes/1/secret/defaultMode","value":511}])",
       "volumes[1].secret.defaultMode was added"},
      {"a mount more",
       R"([{"op":"add","path":"/spec/template/spec/containers/0/volumeMounts/-",
            "value":{"name":"git","mountPath":"/git"}}])",
       "containers[0].volumeMounts has 2 elements"},
      {"a mount that can be written",
       R"([{"op":"remove","path":"/spec/template/spec/initContainers/0/volumeMounts/1/readOnly"}])",
       "volumeMounts[1].readOnly is missing"},
      {"a mount that follows propagation",
       R"([{"op":"add","path":"/spec/template/spec/containers/0/volumeMounts/0/mountPropagation",
            "value":"Bidirectional"}])",
       "mountPropagation was added"},
      {"another ServiceAccount",
       R"([{"op":"replace","path":"/spec/template/spec/serviceAccountName","value":"admin"}])",
       "serviceAccountName differs"},
      {"another ServiceAccount by its old name",
       R"([{"op":"replace","path":"/spec/template/spec/serviceAccount","value":"admin"}])",
       "serviceAccount was added"},
      {"the token mounted after all",
       R"([{"op":"remove","path":"/spec/template/spec/automountServiceAccountToken"}])",
       "automountServiceAccountToken is missing"},
      {"the token mounted openly",
       R"([{"op":"replace","path":"/spec/template/spec/automountServiceAccountToken","value":true}])",
       "automountServiceAccountToken differs"},
      {"a privileged container",
       R"([{"op":"add","path":"/spec/template/spec/containers/0/securityContext","value":{"privileged":true}}])",
       "containers[0].securityContext was added"},
      {"a capability",
       R"([{"op":"add","path":"/spec/template/spec/initContainers/0/securityContext/capabilities/add",
            "value":["SYS_ADMIN"]}])",
       "capabilities.add was added"},
      {"privilege escalation allowed",
       R"([{"op":"remove",
            "path":"/spec/template/spec/initContainers/0/securityContext/allowPrivilegeEscalation"}])",
       "allowPrivilegeEscalation is missing"},
      {"a user for the pod",
       R"([{"op":"add","path":"/spec/template/spec/securityContext/runAsUser","value":0}])",
       "securityContext.runAsUser was added"},
      {"root allowed", R"([{"op":"remove","path":"/spec/template/spec/securityContext/runAsNonRoot"}])",
       "securityContext.runAsNonRoot is missing"},
      {"the host's network", R"([{"op":"add","path":"/spec/template/spec/hostNetwork","value":true}])",
       "spec.template.spec.hostNetwork differs"},
      {"the host's processes", R"([{"op":"add","path":"/spec/template/spec/hostPID","value":true}])",
       "hostPID was added"},
      {"a node of its choice", R"([{"op":"add","path":"/spec/template/spec/nodeName","value":"n1"}])",
       "nodeName was added"},
      {"a node selector where ours is empty",
       R"([{"op":"add","path":"/spec/template/spec/nodeSelector","value":{"pool":"evil"}}])",
       "nodeSelector.pool was added"},
      {"a runtime class", R"([{"op":"add","path":"/spec/template/spec/runtimeClassName","value":"runc"}])",
       "runtimeClassName was added"},
      {"a pull secret",
       R"([{"op":"add","path":"/spec/template/spec/imagePullSecrets","value":[{"name":"x"}]}])",
       "imagePullSecrets was added"},
      {"a DNS of its own",
       R"([{"op":"replace","path":"/spec/template/spec/dnsPolicy","value":"None"},
           {"op":"add","path":"/spec/template/spec/dnsConfig","value":{"nameservers":["6.6.6.6"]}}])",
       "was added"},
      {"an alias of a host",
       R"([{"op":"add","path":"/spec/template/spec/hostAliases","value":[{"ip":"6.6.6.6"}]}])",
       "hostAliases was added"},
      {"a hook",
       R"([{"op":"add","path":"/spec/template/spec/containers/1/lifecycle",
            "value":{"postStart":{"exec":{"command":["id"]}}}}])",
       "lifecycle was added"},
      {"a message from another file",
       R"([{"op":"replace","path":"/spec/template/spec/containers/0/terminationMessagePath","value":"/tmp/forged"}])",
       "terminationMessagePath was added"},
      {"a cached image under our tag",
       R"([{"op":"replace","path":"/spec/template/spec/containers/1/imagePullPolicy","value":"Never"}])",
       "imagePullPolicy was added"},
      {"more memory",
       R"([{"op":"replace","path":"/spec/template/spec/initContainers/0/resources/limits/memory","value":"2Gi"}])",
       "resources.limits.memory differs"},
      {"a resource that we did not ask for",
       R"([{"op":"add","path":"/spec/template/spec/initContainers/0/resources/limits/example.com~1gpu","value":"1"}])",
       "was added"},
      {"more pods", R"([{"op":"replace","path":"/spec/parallelism","value":5}])",
       "spec.parallelism was added"},
      {"more tries", R"([{"op":"replace","path":"/spec/backoffLimit","value":6}])",
       "spec.backoffLimit differs"},
      {"never started", R"([{"op":"replace","path":"/spec/suspend","value":true}])",
       "spec.suspend was added"},
      {"no deadline", R"([{"op":"remove","path":"/spec/activeDeadlineSeconds"}])",
       "spec.activeDeadlineSeconds is missing"},
      {"run by somebody else's controller", R"([{"op":"add","path":"/spec/managedBy","value":"x.io/y"}])",
       "spec.managedBy was added"},
      {"another selector",
       R"([{"op":"replace","path":"/spec/selector","value":{"matchLabels":{"app":"victim"}}}])",
       "spec.selector was added"},
      {"other exit codes that count",
       R"([{"op":"replace","path":"/spec/podFailurePolicy/rules/0/onExitCodes/values/0","value":0}])",
       "values[0] differs"},
      {"another owner",
       R"([{"op":"replace","path":"/metadata/ownerReferences/0/uid","value":"0b5e9c7e-dead-4222-8333-444455556666"}])",
       "metadata.ownerReferences[0].uid differs"},
      {"an owner more",
       R"([{"op":"add","path":"/metadata/ownerReferences/-","value":{"kind":"Pod","uid":"u"}}])",
       "metadata.ownerReferences has 2 elements"},
      {"no owner", R"([{"op":"remove","path":"/metadata/ownerReferences"}])",
       "metadata.ownerReferences is missing"},
      {"a label more", R"([{"op":"add","path":"/metadata/labels/app","value":"victim"}])",
       "metadata.labels.app was added"},
      {"a label less", R"([{"op":"remove","path":"/metadata/labels/slipway.dev~1owner-kind"}])",
       "is missing"},
      {"a label on the pods",
       R"([{"op":"add","path":"/spec/template/metadata/labels/app","value":"victim"}])",
       "spec.template.metadata.labels.app was added"},
      {"the controller's label with another Job's name",
       R"([{"op":"replace","path":"/spec/template/metadata/labels/job-name","value":"victim"}])",
       "labels.job-name was added"},
      {"an annotation more", R"([{"op":"add","path":"/metadata/annotations/x","value":"y"}])",
       "metadata.annotations.x was added"},
      {"an annotation on the pods",
       R"([{"op":"add","path":"/spec/template/metadata/annotations/sidecar.istio.io~1inject","value":"true"}])",
       "was added"},
      {"another run", R"([{"op":"replace","path":"/metadata/annotations/slipway.dev~1run","value":"8"}])",
       "slipway.dev/run differs"},
      {"a finalizer of somebody's", R"([{"op":"add","path":"/metadata/finalizers","value":["x.io/keep"]}])",
       "metadata.finalizers was added"},
      {"another name", R"([{"op":"replace","path":"/metadata/name","value":"other"}])",
       "metadata.name differs"},
      {"another namespace", R"([{"op":"replace","path":"/metadata/namespace","value":"kube-system"}])",
       "metadata.namespace differs"},
      {"another kind", R"([{"op":"replace","path":"/kind","value":"CronJob"}])", "kind differs"},
      {"an object instead of a text",
       R"([{"op":"replace","path":"/spec/template/spec/containers/0/image","value":{"a":1}}])",
       "image differs"},
      {"no spec", R"([{"op":"remove","path":"/spec"}])", "spec is missing"},
      {"a member beside the spec", R"([{"op":"add","path":"/extra","value":1}])", "extra was added"},
  };
  for (const Change& forgery : forgeries) {
    const Json live = JobLive().patch(Json::parse(forgery.patch));
    EXPECT_FALSE(IsOurs(JobRendered(), live)) << forgery.what;
    EXPECT_THAT(DifferenceOf(JobRendered(), live), Optional(HasSubstr(forgery.named))) << forgery.what;
  }
  EXPECT_GE(forgeries.size(), 25U);
}

TEST(IsOursTest, DefaultsOfOneKindAreNoneOfAnother) {
  Json live = JobLive();
  live["spec"]["replicas"] = 1;  // a default of a Deployment
  EXPECT_FALSE(IsOurs(JobRendered(), live));
  Json deployment = Json::parse(real::kDeploymentLive);
  deployment["spec"]["suspend"] = false;
  EXPECT_FALSE(IsOurs(Json::parse(real::kDeploymentRendered), deployment));
}

TEST(IsOursTest, ADeploymentMayCarryTheRevisionOfItsController) {
  Json live = Json::parse(real::kDeploymentLive);
  live["metadata"]["annotations"] = {{"deployment.kubernetes.io/revision", "3"}};
  EXPECT_TRUE(IsOurs(Json::parse(real::kDeploymentRendered), live));
  live["metadata"]["annotations"]["other"] = "x";
  EXPECT_FALSE(IsOurs(Json::parse(real::kDeploymentRendered), live));
}

TEST(IsOursTest, OtherKindsHaveNoDefaults) {
  const Json ours = Json::parse(
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"n"},"data":{"a":"1"}})");
  Json live = ours;
  live["metadata"]["uid"] = "u";
  live["metadata"]["resourceVersion"] = "7";
  EXPECT_TRUE(IsOurs(ours, live));
  live["data"]["b"] = "2";
  EXPECT_FALSE(IsOurs(ours, live));
  live["data"] = {{"a", "2"}};
  EXPECT_FALSE(IsOurs(ours, live));
}

TEST(IsOursTest, WhatIsNoObjectIsNotOurs) {
  for (const char* live : {"null", "[]", "7", R"("x")", "{}"}) {
    EXPECT_FALSE(IsOurs(JobRendered(), Json::parse(live))) << live;
  }
}

TEST(IsOursTest, TheMessageHoldsNoValueOfTheLiveObject) {
  Json live = JobLive();
  live["spec"]["template"]["spec"]["containers"][0]["image"] = "s3cret";
  EXPECT_THAT(DifferenceOf(JobRendered(), live), Optional(::testing::Not(HasSubstr("s3cret"))));
}

struct Pair {
  const char* a;
  const char* b;
};

TEST(SameQuantityTest, ComparesAmountsNotTexts) {
  for (const Pair& pair :
       {Pair{"1", "1000m"}, Pair{"1Gi", "1024Mi"}, Pair{"0.5Gi", "512Mi"}, Pair{"1k", "1000"},
        Pair{"1e3", "1k"}, Pair{"1E3", "1000"}, Pair{"0", "0Mi"}, Pair{"-0", "0"}, Pair{"100m", "0.1"},
        Pair{"+2", "2"}, Pair{"1Ei", "1024Pi"}, Pair{"1E", "1000P"}, Pair{"1n", "0.000000001"},
        Pair{"2.50", "2500m"}, Pair{".5", "500m"}, Pair{"1.", "1"}, Pair{"garbage", "garbage"},
        Pair{"1000u", "1m"}}) {
    EXPECT_TRUE(SameQuantity(pair.a, pair.b)) << pair.a << " " << pair.b;
    EXPECT_TRUE(SameQuantity(pair.b, pair.a)) << pair.b << " " << pair.a;
  }
  for (const Pair& pair : {Pair{"1", "2"}, Pair{"1Gi", "1G"}, Pair{"1", "-1"}, Pair{"", "0"}, Pair{"m", "0"},
                           Pair{"1x", "1"}, Pair{"1.1.1", "1"}, Pair{"1ki", "1Ki"}, Pair{"1e", "1"},
                           Pair{"1e999", "1"}, Pair{"0x10", "16"}, Pair{" 1", "1"}, Pair{"1m", "1M"},
                           Pair{"99999999999999999999", "99999999999999999998"}, Pair{"--1", "1"}}) {
    EXPECT_FALSE(SameQuantity(pair.a, pair.b)) << pair.a << " " << pair.b;
  }
}

}  // namespace
}  // namespace slipway::runtime
