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

void Story::Serve(const std::string& image) {
  const std::string yaml = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 10
  selector: {matchLabels: {app: web}}
  strategy: {rollingUpdate: {maxSurge: 3, maxUnavailable: 0}}
  template:
    metadata: {labels: {app: web}}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 15
      containers:
      - name: web
        image: IMAGE
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1}
        lifecycle: {preStop: {sleep: {seconds: 3}}}
        resources: {requests: {cpu: 5m, memory: 16Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
)";
  Apply(ns_, Replace(yaml, "IMAGE", image));
  const auto rolled = Kubectl({"-n", ns_, "rollout", "status", "deploy/web", "--timeout=120s"});
  ASSERT_TRUE(rolled.ok()) << rolled.text;
}

void Story::Follow() {
  Apply(ns_, R"(
apiVersion: slipway.dev/v1alpha1
kind: Release
metadata: {name: web}
spec:
  imageFrom: {imageBuild: web}
  target: {deployment: web, container: web, service: web}
  strategy: {canary: {steps: [{weight: 10, hold: 2s}], capacity: Split, progressDeadline: 60s}}
  smokeTests: [{name: answers, requests: 200, p95Limit: 1500ms}]
)");
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

void Story::StartTraffic() {
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
                 ns_ + R"(.svc/", "--rate=100"]
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
  for (std::string line; std::getline(lines, line);) {
    const auto report = nlohmann::json::parse(line, nullptr, false);
    if (!report.is_object() || report.value("kind", "") != "total") continue;
    traffic = {report.value("ok", 0), report.value("failed", 0), report.value("firstError", ""),
               report["versions"].get<std::map<std::string, int>>()};
  }
  return traffic;
}

void Story::WatchCapacity() {
  capacity_ = std::make_unique<Stream>(std::vector<std::string>{
      "kubectl", "-n", ns_, "get", "deployments", "--watch", "--output-watch-events", "-o",
      R"(jsonpath={.type} {.object.metadata.name} {.object.status.readyReplicas}{"\n"})"});
}

int Story::LeastCapacity() {
  std::map<std::string, int> ready;
  int least = -1;
  bool listed = false;
  for (const auto& line : capacity_->Stop()) {
    std::istringstream words(line);
    std::string type, name;
    int count = 0;
    words >> type >> name >> count;
    if (name.empty()) continue;
    ready[name] = type == "DELETED" ? 0 : count;
    listed = listed || name == "web";
    if (!listed) continue;
    int sum = 0;
    for (const auto& [deployment, pods] : ready) sum += pods;
    least = least < 0 ? sum : std::min(least, sum);
  }
  return least;
}

void Story::KillOperator() {
  const auto pod = OperatorPod();
  ASSERT_FALSE(pod.is_null());
  const pid_t pid = ProcessOf(ContainerOf(pod));
  ASSERT_GT(pid, 0);
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
}

}  // namespace slipway::testing
