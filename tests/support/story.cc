#include "support/story.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

namespace slipway::testing {
namespace {

constexpr const char* kRegistry = "registry.slipway.test:5000";

std::string Replace(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
  return text;
}

// The process whose control group belongs to the container.
pid_t ProcessOf(const std::string& container) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "cgroup");
    std::stringstream text;
    text << file.rdbuf();
    if (text.str().find(container) != std::string::npos) return std::stoi(name);
  }
  return 0;
}

// The id of the pod's first container, without the runtime's scheme.
std::string ContainerOf(const nlohmann::json& pod) {
  const std::string id = pod.at("status").at("containerStatuses").at(0).at("containerID");
  return id.substr(id.find("//") + 2);
}

nlohmann::json OperatorPod() {
  const auto pods = GetJson("slipway-system", "pods");
  for (const auto& pod : pods.value("items", nlohmann::json::array())) {
    const bool ours = pod["metadata"]["labels"].value("app.kubernetes.io/name", "") == "slipway";
    if (ours && pod["status"].value("phase", "") == "Running") return pod;
  }
  return nullptr;
}

}  // namespace

void Story::SetUp() {
  repository_ = ns_;
  for (const char* kind :
       {"releases", "canarypromotions", "imagebuilds", "deployments", "services", "jobs", "pods"}) {
    const auto gone = Kubectl({"-n", ns_, "delete", kind, "--all", "--timeout=90s", "--grace-period=1"});
    ASSERT_TRUE(gone.ok()) << gone.text;
  }
  const auto created = Execute({SourcePath("hack/testbed/sample-repo"), "create", repository_});
  ASSERT_TRUE(created.ok()) << created.text;
}

void Story::TearDown() {
  if (!HasFailure()) return;
  std::cerr << Kubectl({"-n", ns_, "get", "ib,rel,cp,deploy,jobs,pods,events", "-o", "wide"}).text
            << Kubectl({"-n", ns_, "get", "ib,rel,cp", "-o", "yaml"}).text
            << Kubectl({"-n", "slipway-system", "logs", "deploy/slipway-operator", "--tail=80"}).text;
}

std::string Story::Push(const std::string& kind) {
  const auto pushed = Execute({SourcePath("hack/testbed/sample-repo"), "push", kind, repository_});
  EXPECT_TRUE(pushed.ok()) << pushed.text;
  return pushed.text.substr(0, 40);
}

void Story::Build(const std::string& revision) {
  std::string yaml = R"(
apiVersion: slipway.dev/v1alpha1
kind: ImageBuild
metadata: {name: web}
spec:
  source: {git: {url: "http://git.slipway.test:8090/REPO.git", revision: "REVISION"}}
  build: {cache: {repository: "REGISTRY/cache/NS"}, timeout: 5m}
  scan: {failOn: High, ignoreUnfixed: true}
  output: {repository: "REGISTRY/NS/web", labels: {org.opencontainers.image.title: web}}
)";
  yaml = Replace(Replace(yaml, "REPO", repository_), "REVISION", revision);
  Apply(ns_, Replace(Replace(yaml, "REGISTRY", kRegistry), "NS", ns_));
}

std::string Story::BuildAndWait(const std::string& revision) {
  Build(revision);
  const auto build = WaitReady(ns_, "imagebuild", "web", "True", std::chrono::seconds(180));
  return build.at("status").at("latest").at("image");
}

const Sample& Story::SampleOf(const std::string& kind) {
  static const std::map<std::string, Sample> samples = [] {
    const auto made = Execute({SourcePath("hack/testbed/sample-image")});
    EXPECT_TRUE(made.ok()) << made.text;
    std::map<std::string, Sample> all;
    std::istringstream lines(made.text);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string name;
      Sample sample;
      // What is told of the making, on standard error, has no reference by digest in third place.
      words >> name >> sample.version >> sample.image;
      if (sample.image.find("@sha256:") != std::string::npos) all[name] = sample;
    }
    return all;
  }();
  static const Sample none;
  const auto found = samples.find(kind);
  EXPECT_NE(found, samples.end()) << "there is no sample image " << kind;
  return found == samples.end() ? none : found->second;
}

void Story::Deploy(const std::string& image, int replicas) {
  const std::string yaml = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: REPLICAS
  selector: {matchLabels: {app: web}}
  strategy: {rollingUpdate: {maxSurge: 3, maxUnavailable: 0}}
  template:
    metadata:
      labels: {app: web}
      annotations: {prometheus.io/scrape: "true", prometheus.io/port: "8080"}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 15
      volumes: [{name: config, configMap: {name: web-config, optional: true}}]
      containers:
      - name: web
        image: IMAGE
        env: [{name: CONFIG_FILE, value: /config/color}]
        envFrom: [{secretRef: {name: web-secret, optional: true}}]
        ports: [{name: http, containerPort: 8080}]
        volumeMounts: [{name: config, mountPath: /config}]
        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1}
        lifecycle: {preStop: {sleep: {seconds: 5}}}
        resources: {requests: {cpu: 20m, memory: 16Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
)";
  Apply(ns_, Replace(Replace(yaml, "IMAGE", image), "REPLICAS", std::to_string(replicas)));
}

void Story::Serve(const std::string& image, int replicas) {
  ASSERT_NO_FATAL_FAILURE(Deploy(image, replicas));
  const auto rolled = Kubectl({"-n", ns_, "rollout", "status", "deploy/web", "--timeout=120s"});
  ASSERT_TRUE(rolled.ok()) << rolled.text;
}

void Story::Follow(const std::string& hold) {
  const std::string yaml = R"(
apiVersion: slipway.dev/v1alpha1
kind: Release
metadata: {name: web}
spec:
  imageFrom: {imageBuild: web}
  target: {deployment: web, container: web, service: web}
  strategy: {canary: {steps: [{weight: 10, hold: HOLD}], capacity: Split, progressDeadline: 60s}}
  smokeTests: [{name: answers, requests: 200, p95Limit: 1500ms}]
)";
  Apply(ns_, Replace(yaml, "HOLD", hold));
}

void Story::Hold(const std::string& promotion, const std::string& image) {
  Apply(ns_, R"(
apiVersion: slipway.dev/v1alpha1
kind: CanaryPromotion
metadata: {name: )" +
                 promotion + R"(}
spec:
  target: {deployment: web, container: web, service: web}
  image: ")" + image +
                 R"("
  steps: [{weight: 10, hold: 5m}]
)");
  ASSERT_TRUE(Eventually(std::chrono::seconds(60), promotion + " holds its weight", [&](std::string& seen) {
    seen = GetJson(ns_, "canarypromotion", promotion).value("/status/phase"_json_pointer, "");
    return seen == "Holding";
  }));
}

Output Story::Decide(const std::string& decision, const std::string& verb, const std::string& kind,
                     const std::string& name, const std::string& subject, const std::string& user) {
  std::string actor = user;
  if (actor.empty()) {
    const auto me = nlohmann::json::parse(Kubectl({"auth", "whoami", "-o", "json"}).text, nullptr, false);
    actor = me["status"]["userInfo"].value("username", "");
  }
  const nlohmann::json target = {
      {"kind", kind},
      {"name", name},
      {"uid", GetJson(ns_, kind, name).value("/metadata/uid"_json_pointer, "00000000-0000-0000-0000-0")}};
  const nlohmann::json object = {{"apiVersion", "slipway.dev/v1alpha1"},
                                 {"kind", "Decision"},
                                 {"metadata", {{"name", decision}}},
                                 {"spec",
                                  {{"verb", verb},
                                   {"target", target},
                                   {"subject", subject},
                                   {"actor", actor},
                                   {"reason", "the story wants it"}}}};
  std::vector<std::string> args{"-n", ns_, "create", "-f", "-"};
  if (!user.empty()) args.push_back("--as=" + user);
  return Kubectl(args, object.dump());
}

void Story::Autoscale(int min, int max) {
  const nlohmann::json cpu = {
      {"type", "Resource"},
      {"resource", {{"name", "cpu"}, {"target", {{"type", "Utilization"}, {"averageUtilization", 80}}}}}};
  const nlohmann::json scaler = {
      {"apiVersion", "autoscaling/v2"},
      {"kind", "HorizontalPodAutoscaler"},
      {"metadata", {{"name", "web"}}},
      {"spec",
       {{"scaleTargetRef", {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", "web"}}},
        {"minReplicas", min},
        {"maxReplicas", max},
        {"metrics", nlohmann::json::array({cpu})}}}};
  Apply(ns_, scaler.dump());
}

void Story::StartTraffic(const std::string& path) {
  Kubectl({"-n", ns_, "delete", "pod", "traffic", "--ignore-not-found", "--grace-period=1"});
  Apply(ns_, R"(
apiVersion: v1
kind: Pod
metadata: {name: traffic}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  containers:
  - name: traffic
    image: registry.slipway.test:5000/slipway/traffic:1
    args: ["--url=http://web.)" +
                 ns_ + ".svc" + path + R"(", "--rate=120"]
    # What measures must not wait for a processor that a build has.
    resources: {requests: {cpu: 250m, memory: 32Mi}}
)");
  const auto ready = Kubectl({"-n", ns_, "wait", "--for=condition=Ready", "pod/traffic", "--timeout=60s"});
  ASSERT_TRUE(ready.ok()) << ready.text;
}

Traffic Story::StopTraffic() {
  const pid_t pid = ProcessOf(ContainerOf(GetJson(ns_, "pod", "traffic")));
  EXPECT_GT(pid, 0);
  if (pid > 0) ::kill(pid, SIGTERM);
  Kubectl({"-n", ns_, "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/traffic", "--timeout=30s"});
  std::istringstream lines(Kubectl({"-n", ns_, "logs", "traffic"}).text);
  Traffic traffic;
  std::ostringstream failures;
  for (std::string line; std::getline(lines, line);) {
    const auto report = nlohmann::json::parse(line, nullptr, false);
    if (!report.is_object()) continue;
    const auto versions = report["versions"].get<std::map<std::string, int>>();
    if (report.value("kind", "") == "second") traffic.each.push_back({report.value("time", ""), versions});
    if (report.value("kind", "") != "total") {
      if (report.value("failed", 0) > 0) failures << "\n" << line;
      continue;
    }
    traffic.ok = report.value("ok", 0);
    traffic.failed = report.value("failed", 0);
    traffic.seconds = report.value("seconds", 0.0);
    traffic.errors = report.value("firstError", "");
    traffic.versions = versions;
  }
  traffic.errors += failures.str();
  return traffic;
}

void Story::WatchCapacity() {
  there_ = GetJson(ns_, "deployments")["items"].size();
  capacity_ = std::make_unique<Stream>(std::vector<std::string>{
      "kubectl", "-n", ns_, "get", "deployments", "--watch", "--output-watch-events", "-o",
      R"(jsonpath={.type} {.object.metadata.name} {.object.spec.replicas} {.object.status.readyReplicas}{"\n"})"});
}

// Status.readyReplicas does not count pods that are on their way out. It is not printed where it is 0. The
// watch first tells of those that were there, one after the other: no moment before the last of them is one.
Capacity Story::StopCapacity() {
  struct Pods {
    int wanted = 0;
    int ready = 0;
  };
  std::map<std::string, Pods> all;
  Capacity seen;
  for (const auto& line : capacity_->Stop()) {
    std::istringstream words(line);
    std::string type, name;
    Pods pods;
    words >> type >> name >> pods.wanted >> pods.ready;
    if (name.empty()) continue;
    all[name] = type == "DELETED" ? Pods{} : pods;
    if (!all.contains("web") || all.size() < there_) continue;
    Pods sum;
    for (const auto& [deployment, of] : all) {
      sum.wanted += of.wanted;
      sum.ready += of.ready;
    }
    ++seen.moments;
    const int stable = all["web"].ready;
    seen.least = seen.least < 0 ? sum.ready : std::min(seen.least, sum.ready);
    seen.least_stable = seen.least_stable < 0 ? stable : std::min(seen.least_stable, stable);
    seen.most_wanted = std::max(seen.most_wanted, sum.wanted);
  }
  return seen;
}

void Story::KillOperator() {
  pid_t pid = 0;
  ASSERT_TRUE(Eventually(std::chrono::seconds(60), "the operator runs", [&pid](std::string& seen) {
    const auto pod = OperatorPod();
    seen = pod.dump();
    if (!pod.is_null()) pid = ProcessOf(ContainerOf(pod));
    return pid > 0;
  }));
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
}

}  // namespace slipway::testing
