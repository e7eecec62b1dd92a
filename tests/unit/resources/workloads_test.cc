// Kubernetes' own objects: what we keep of them, and that nothing odd in them makes them undecodable.
#include "resources/workloads.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace slipway::resources {
namespace {

using kube::Json;

Json Named(const char* rest) {
  Json object{{"metadata", {{"name", "web"}, {"namespace", "demo"}, {"uid", "u-1"}, {"generation", 2}}}};
  object.merge_patch(Json::parse(rest));
  return object;
}

template <class T>
T Decoded(const Json& object) {
  auto decoded = T::Decode(object);
  EXPECT_TRUE(decoded) << decoded.error().message;
  return decoded.value_or(T{});
}

TEST(JobTest, ItsConditionsSayHowItEnded) {
  const Job complete = Decoded<Job>(Named(R"({"status": {"startTime": "2026-01-02T03:04:05Z", "conditions": [
      {"type": "SuccessCriteriaMet", "status": "True"},
      {"type": "Complete", "status": "True", "lastTransitionTime": "2026-01-02T03:05:05Z"}]}})"));
  EXPECT_TRUE(complete.complete);
  EXPECT_FALSE(complete.failed);
  EXPECT_EQ(*complete.finished - *complete.started, std::chrono::minutes(1));

  const Job failed = Decoded<Job>(Named(R"({"status": {"conditions": [
      {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "too long"}]}})"));
  EXPECT_TRUE(failed.failed);
  EXPECT_EQ(failed.failed_reason, "DeadlineExceeded");
  EXPECT_EQ(failed.failed_message, "too long");

  const Job running = Decoded<Job>(Named(R"({"status": {"active": 1, "conditions": [
      {"type": "Failed", "status": "False", "reason": "X"}, {"type": "Suspended", "status": "True"}]}})"));
  EXPECT_EQ(running.active, 1);
  EXPECT_FALSE(running.failed || running.complete || running.finished);
}

TEST(PodTest, ItsContainersComeInTheOrderOfTheSpecInitFirst) {
  const Pod pod = Decoded<Pod>(Named(R"({
    "spec": {"nodeName": "node0", "initContainers": [{"name": "source"}, {"name": "build"}], "containers": [{"name": "push"}]},
    "status": {"phase": "Running", "podIP": "10.1.2.3",
      "conditions": [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True"}],
      "initContainerStatuses": [
        {"name": "build", "restartCount": 2, "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}},
        {"name": "source", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "killed",
          "startedAt": "2026-01-02T03:04:05Z", "finishedAt": "2026-01-02T03:04:06Z"}}}],
      "containerStatuses": [{"name": "push", "ready": true, "imageID": "docker-pullable://r.io/a@sha256:1",
        "state": {"running": {"startedAt": "2026-01-02T03:04:07Z"}}}]}})"));
  EXPECT_TRUE(pod.ready && pod.scheduled);
  EXPECT_EQ(pod.ip + " " + pod.node + " " + pod.phase, "10.1.2.3 node0 Running");
  ASSERT_EQ(pod.containers.size(), 3U);
  const auto& [source, build, push] = std::tie(pod.containers[0], pod.containers[1], pod.containers[2]);
  EXPECT_EQ(source.name + build.name + push.name, "sourcebuildpush");
  EXPECT_TRUE(source.init && source.terminated && build.init && !push.init && push.running && push.ready);
  EXPECT_EQ(source.exit_code, 137);
  EXPECT_EQ(source.reason + source.message, "OOMKilledkilled");
  EXPECT_EQ(*source.finished - *source.started, std::chrono::seconds(1));
  EXPECT_EQ(build.reason, "ErrImagePull");
  EXPECT_EQ(build.restarts, 2);
  EXPECT_EQ(push.image_id, "r.io/a@sha256:1");
  EXPECT_TRUE(push.started);
}

TEST(PodTest, OneThatNoNodeTakesSaysWhy) {
  const Pod pod = Decoded<Pod>(Named(R"({"status": {"phase": "Pending", "conditions": [
      {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: insufficient cpu"}]}})"));
  EXPECT_FALSE(pod.scheduled);
  EXPECT_EQ(pod.unschedulable, "0/1 nodes: insufficient cpu");
}

Json Workload() {
  return Named(R"({
    "spec": {"replicas": 10, "minReadySeconds": 3, "selector": {"matchLabels": {"app": "web"}},
      "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%"}},
      "template": {"metadata": {"labels": {"app": "web", "tier": "front"}}, "spec": {
        "containers": [{"name": "web", "image": "r.io/a:1", "readinessProbe": {},
          "ports": [{"name": "http", "containerPort": 8080}, {"containerPort": 9090}]}],
        "volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "persistentVolumeClaim": {"claimName": "data"}}]}}},
    "status": {"observedGeneration": 2, "replicas": 10, "updatedReplicas": 10, "readyReplicas": 10, "availableReplicas": 10}})");
}

TEST(DeploymentTest, KeepsWhatPreflightReads) {
  const Deployment web = Decoded<Deployment>(Workload());
  EXPECT_EQ(web.replicas, 10);
  EXPECT_EQ(web.max_unavailable, "25%");
  EXPECT_EQ(web.min_ready_seconds, 3);
  EXPECT_EQ(web.selector, (std::map<std::string, std::string>{{"app", "web"}}));
  EXPECT_EQ(web.template_labels.at("tier"), "front");
  ASSERT_EQ(web.containers.size(), 1U);
  EXPECT_EQ(web.containers[0].image, "r.io/a:1");
  ASSERT_EQ(web.containers[0].ports.size(), 2U);
  EXPECT_EQ(web.containers[0].ports[0].name, "http");
  EXPECT_EQ(web.containers[0].ports[1].number, 9090);
  EXPECT_TRUE(web.containers[0].has_readiness_probe);
  EXPECT_EQ(web.claims, std::vector<std::string>{"data"});
  EXPECT_FALSE(web.paused || web.recreate || web.selector_expressions || web.required_anti_affinity ||
               web.containers[0].host_port || web.progress_deadline_exceeded);
}

TEST(DeploymentTest, KeepsWhatStandsInTheWayOfACanary) {
  Json object = Workload();
  object.merge_patch(Json::parse(R"({
    "spec": {"paused": true, "strategy": {"type": "Recreate"}, "selector": {"matchExpressions": [{"key": "a"}]},
      "template": {"spec": {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}},
        "containers": [{"name": "web", "ports": [{"containerPort": 80, "hostPort": 80}]}]}}},
    "status": {"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}})"));
  const Deployment web = Decoded<Deployment>(object);
  EXPECT_TRUE(web.paused && web.recreate && web.selector_expressions && web.required_anti_affinity &&
              web.containers.at(0).host_port && web.progress_deadline_exceeded);
}

TEST(DeploymentTest, NamesTheConfigMapsAndSecretsOfItsPodsOnceEach) {
  Json object = Workload();
  object["spec"]["template"]["spec"] = Json::parse(R"({
    "imagePullSecrets": [{"name": "pull"}],
    "volumes": [{"name": "a", "configMap": {"name": "settings"}}, {"name": "b", "secret": {"secretName": "tls"}},
      {"name": "c", "projected": {"sources": [{"configMap": {"name": "projected"}}, {"secret": {"name": "token"}},
                                              {"serviceAccountToken": {"path": "t"}}]}},
      {"name": "d", "csi": {"driver": "x", "nodePublishSecretRef": {"name": "driver"}}},
      {"name": "e", "cephfs": {"secretRef": {"name": "ceph"}}}, {"name": "f", "azureFile": {"secretName": "azure"}},
      {"name": "g", "emptyDir": {}}],
    "initContainers": [{"name": "init", "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "early", "key": "a"}}}],
                        "envFrom": [{"secretRef": {"name": "init"}}]}],
    "containers": [{"name": "web", "env": [{"name": "P", "value": "v"},
                      {"name": "Q", "valueFrom": {"secretKeyRef": {"name": "tls", "key": "k"}}},
                      {"name": "R", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
                   {"name": "side", "envFrom": [{"configMapRef": {"name": "settings"}}, {"configMapRef": {"name": "bulk"}}]}]})");
  const Deployment web = Decoded<Deployment>(object);
  using Names = std::vector<std::string>;
  EXPECT_EQ(web.config_refs, (Names{"bulk", "early", "projected", "settings"}));
  EXPECT_EQ(web.secret_refs, (Names{"azure", "ceph", "driver", "init", "pull", "tls", "token"}));
  const Deployment plain = Decoded<Deployment>(Workload());
  EXPECT_TRUE(plain.config_refs.empty() && plain.secret_refs.empty());
}

TEST(AutoscalerTest, SaysWhatItScales) {
  const Autoscaler scaler = Decoded<Autoscaler>(Named(
      R"({"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
          "minReplicas": 2, "maxReplicas": 9}})"));
  EXPECT_EQ(scaler.target_kind + " " + scaler.target_name, "Deployment web");
  EXPECT_EQ(scaler.min_replicas, 2);
  EXPECT_EQ(scaler.max_replicas, 9);
  EXPECT_EQ(Decoded<Autoscaler>(Named(R"({"spec": {"maxReplicas": 3}})")).min_replicas, 1);
}

TEST(DeploymentTest, TheHashIsOfTheTemplateAlone) {
  const std::string hash = Decoded<Deployment>(Workload()).template_hash;
  EXPECT_FALSE(hash.empty());
  Json object = Workload();
  object["spec"]["replicas"] = 3;
  object["status"]["readyReplicas"] = 1;
  object["metadata"]["annotations"] = {{"a", "b"}};
  EXPECT_EQ(Decoded<Deployment>(object).template_hash, hash);
  object["spec"]["template"]["spec"]["containers"][0]["image"] = "r.io/a:2";
  EXPECT_NE(Decoded<Deployment>(object).template_hash, hash);
}

TEST(DeploymentTest, IsRolledOutOnceEveryReplicaIsNewAndAvailable) {
  EXPECT_TRUE(Decoded<Deployment>(Workload()).RolledOut());
  const std::vector<const char*> rows{R"({"observedGeneration": 1})", R"({"updatedReplicas": 9})",
                                      R"({"replicas": 11})", R"({"availableReplicas": 9})"};
  for (const char* row : rows) {
    Json object = Workload();
    object["status"].merge_patch(Json::parse(row));
    EXPECT_FALSE(Decoded<Deployment>(object).RolledOut()) << row;
  }
}

TEST(ServiceTest, ItsFirstPortIsProbed) {
  const Service web =
      Decoded<Service>(Named(R"({"spec": {"selector": {"app": "web"}, "sessionAffinity": "None",
      "ports": [{"port": 80, "targetPort": "http"}, {"port": 81}]}})"));
  EXPECT_EQ(web.port, 80);
  EXPECT_EQ(web.target_port, "http");
  EXPECT_EQ(web.session_affinity, "None");
  EXPECT_FALSE(web.external_name);
  EXPECT_EQ(Decoded<Service>(Named(R"({"spec": {"ports": [{"port": 80, "targetPort": 8080}]}})")).target_port,
            "8080");
  EXPECT_EQ(Decoded<Service>(Named(R"({"spec": {"ports": [{"port": 80}]}})")).target_port, "80");
  EXPECT_TRUE(
      Decoded<Service>(Named(R"({"spec": {"type": "ExternalName", "externalName": "x.io"}})")).external_name);
}

TEST(WorkloadsTest, OddValuesAreEmptyOnes) {
  const std::vector<const char*> rows{
      R"({"spec": null, "status": null})", R"({"spec": [], "status": "x"})",
      R"({"spec": {"template": [], "ports": {}, "selector": 3, "containers": [1, null], "replicas": "ten", "strategy": 1},
          "status": {"conditions": {}, "containerStatuses": [[]], "replicas": 99999999999, "startTime": 5}})",
      R"({"spec": {"template": {"spec": {"containers": ["x", {"env": 1, "envFrom": [2]}], "volumes": [null, {"projected": {"sources": [3]}}],
          "affinity": [], "imagePullSecrets": {}}}, "ports": [7]},
          "status": {"conditions": [null, "x", {"type": 3}]}})"};
  for (const char* row : rows) {
    const Json object = Named(row);
    EXPECT_TRUE(Job::Decode(object)) << row;
    EXPECT_TRUE(Pod::Decode(object)) << row;
    EXPECT_TRUE(Service::Decode(object)) << row;
    EXPECT_TRUE(Autoscaler::Decode(object)) << row;
    const auto deployment = Deployment::Decode(object);
    ASSERT_TRUE(deployment) << row;
    EXPECT_EQ(deployment->replicas, 1);
    EXPECT_EQ(deployment->status_replicas, 0);
  }
  EXPECT_FALSE(Job::Decode(Json::array()));
}

}  // namespace
}  // namespace slipway::resources
