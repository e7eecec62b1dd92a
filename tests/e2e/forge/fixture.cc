#include "e2e/forge/fixture.h"

#include <algorithm>
#include <iostream>
#include <sstream>

namespace slipway::testing {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr const char* kSecrets = R"(
{apiVersion: v1, kind: Secret, metadata: {name: hook-key}, stringData: {secret: "HOOK_KEY"}}
---
{apiVersion: v1, kind: Secret, metadata: {name: forge-token}, stringData: {token: "TOKEN"}}
---
apiVersion: v1
kind: Secret
metadata: {name: git-credentials}
type: kubernetes.io/basic-auth
stringData: {username: slipway, password: "TOKEN"}
---
apiVersion: v1
kind: Secret
metadata: {name: push-credentials}
type: kubernetes.io/dockerconfigjson
stringData: {.dockerconfigjson: '{"auths": {"REGISTRY": {"auth": "YTpi"}}}'}
---
apiVersion: v1
kind: Secret
metadata: {name: cache-credentials}
type: kubernetes.io/dockerconfigjson
stringData: {.dockerconfigjson: '{"auths": {"REGISTRY": {"auth": "YTpi"}}}'}
---
apiVersion: v1
kind: Secret
metadata: {name: base-credentials}
type: kubernetes.io/dockerconfigjson
stringData: {.dockerconfigjson: '{"auths": {"base.example.com": {"auth": "YTpi"}}}'}
)";

std::string Replace(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
  return text;
}

void Clear() {
  const auto gone = Kubectl({"-n", kNs, "delete", "imagebuilds,decisions,jobs", "--all", "--timeout=60s"});
  ASSERT_TRUE(gone.ok()) << gone.text;
  // The receiver goes as the last build that wants it.
  ASSERT_TRUE(Eventually(seconds(60), "the namespace is empty", [](std::string& seen) {
    seen = Kubectl({"-n", kNs, "get", "pods,deployments", "-o", "name"}).text;
    return seen.find('/') == std::string::npos;
  }));
}

// Every value below `key`, however deep.
void Find(const json& object, const std::string& key, std::vector<json>& found) {
  if (!object.is_structured()) return;
  for (const auto& [name, value] : object.items()) {
    if (object.is_object() && name == key) found.push_back(value);
    Find(value, key, found);
  }
}

json Fetch(const std::string& url) {
  const auto answer = Execute({"curl", "--silent", "--show-error", "--max-time", "10", url});
  EXPECT_TRUE(answer.ok()) << answer.text;
  return json::parse(answer.text, nullptr, false);
}

}  // namespace

// ---- Jobs ----

JobWatch::JobWatch()
    : stream_({"kubectl", "-n", kNs, "get", "jobs", "--watch-only", "--output-watch-events", "-o",
               R"(jsonpath={.type} {.object.metadata.name}{"\n"})"}),
      reader_([this] { Read(); }) {}

JobWatch::~JobWatch() {
  ended_ = true;
  reader_.join();
}

void JobWatch::Read() {
  std::size_t read = 0;
  while (!ended_) {
    const auto lines = stream_.Lines();
    const auto now = std::chrono::system_clock::now();
    for (; read < lines.size(); ++read) {
      if (!lines[read].starts_with("ADDED ")) continue;
      const std::lock_guard lock(mutex_);
      seen_.emplace_back(lines[read].substr(6), now);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

std::vector<std::string> JobWatch::Names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, time] : seen_) names.push_back(name);
  return names;
}

WallTime JobWatch::Next(std::size_t count, const std::string& part, seconds limit) const {
  WallTime found{};
  Eventually(limit, "a Job " + part, [&](std::string& last) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = count; i < seen_.size(); ++i) {
      last = seen_[i].first;
      if (last.find(part) == std::string::npos) continue;
      found = seen_[i].second;
      return true;
    }
    return false;
  });
  return found;
}

// ---- the suite's start ----

std::string Forge::repository_;

void Forge::Start(const std::string& repository, const std::string& more, Follow follow) {
  repository_ = repository;
  const auto started = Execute({SourcePath("hack/cluster"), "forge"});
  ASSERT_TRUE(started.ok()) << started.text;
  Clear();
  std::vector<std::string> create{"create", repository_};
  if (follow == Follow::kPoll) create.emplace_back("--private");
  Call(create);
  Apply(kNs, Replace(Replace(Replace(kSecrets, "HOOK_KEY", kHookKey), "TOKEN", Call({"token"})), "REGISTRY",
                     kRegistry));
  const std::string yaml = R"(
apiVersion: slipway.dev/v1alpha1
kind: ImageBuild
metadata: {name: web}
spec:
  source: {git: {url: "URL", revision: main, credentialsSecretRef: {name: git-credentials}}}
  build:
    cache: {repository: "REGISTRY/cache/e2e-forge", credentialsSecretRef: {name: cache-credentials}}
    baseCredentialsSecretRef: {name: base-credentials}
    timeout: 5m
  output: {repository: "REGISTRY/e2e-forge/web", credentialsSecretRef: {name: push-credentials}}
  )" + more;
  Apply(kNs, Replace(Replace(yaml, "URL", Call({"url", repository_})), "REGISTRY", kRegistry));
  if (follow == Follow::kHook) ASSERT_NO_FATAL_FAILURE(Hook());
  WaitReady(kNs, "imagebuild", "web", "True", seconds(120));
}

void Forge::Hook() {
  ASSERT_TRUE(Eventually(seconds(60), "the receiver answers behind its Service", [](std::string& seen) {
    seen = Execute({"curl", "--silent", "--max-time", "2", Replace(kHook, "/hooks/web", "/healthz")}).text;
    return seen == "ok\n";
  }));
  Call({"hook", repository_, kHook, kHookKey});
}

void Forge::TearDown() {
  if (!HasFailure()) return;
  std::cerr << Kubectl({"-n", kNs, "get", "ib,decisions,deploy,jobs,pods,events", "-o", "wide"}).text
            << Kubectl({"-n", kNs, "get", "ib", "-o", "yaml"}).text
            << Kubectl({"-n", kNs, "logs", "deploy/slipway-receiver", "--tail=40"}).text
            << Kubectl({"-n", "slipway-system", "logs", "deploy/slipway-operator", "--tail=80"}).text;
}

// ---- the forge ----

std::string Forge::Call(const std::vector<std::string>& args) {
  std::vector<std::string> argv{SourcePath("hack/testbed/forge")};
  argv.insert(argv.end(), args.begin(), args.end());
  auto said = Execute(argv);
  EXPECT_TRUE(said.ok()) << args.front() << ": " << said.text;
  while (said.text.ends_with('\n')) said.text.pop_back();
  return said.text;
}

Forge::Pull Forge::Propose(const std::string& command) {
  std::istringstream words(Call({command, repository_, "good"}));
  Pull pull;
  words >> pull.number >> pull.sha;
  EXPECT_EQ(pull.sha.size(), 40U);
  return pull;
}

std::vector<std::string> Forge::Statuses(const std::string& sha) {
  const auto answer = json::parse(Call({"statuses", repository_, sha}), nullptr, false);
  EXPECT_TRUE(answer.is_array()) << answer;
  if (!answer.is_array()) return {};
  auto list = answer.get<std::vector<json>>();
  std::ranges::sort(list, {}, [](const json& status) { return status.value("id", 0); });
  std::vector<std::string> statuses;
  for (const auto& status : list) {
    statuses.push_back(status.value("status", "") + " " + status.value("context", "") + ": " +
                       status.value("description", ""));
  }
  return statuses;
}

void Forge::WaitStatus(const std::string& sha, const std::string& status, seconds limit) {
  EXPECT_TRUE(Eventually(limit, "the forge shows " + status + " at " + sha, [&](std::string& seen) {
    const auto statuses = Statuses(sha);
    seen = json(statuses).dump();
    return !statuses.empty() && statuses.back() == status;
  }));
}

// ---- what the operator made of it ----

json Forge::Run(const std::string& build) {
  return GetJson(kNs, "imagebuild", build).value("/status/runs/0"_json_pointer, json::object());
}

json Forge::WaitRun(const std::string& build, const std::string& sha, seconds limit) {
  json run;
  EXPECT_TRUE(Eventually(limit, build + " ends a run of " + sha, [&](std::string& seen) {
    run = Run(build);
    seen = run.dump();
    return run.value("/commit/sha"_json_pointer, "") == sha && run.contains("finished");
  }));
  return run;
}

json Forge::WaitChild(const Pull& pull) {
  const std::string begin = "web-pr-" + std::to_string(pull.number) + "-";
  json child;
  EXPECT_TRUE(Eventually(seconds(20), "an ImageBuild " + begin + "…", [&](std::string& seen) {
    for (const auto& build : GetJson(kNs, "imagebuilds")["items"]) {
      const std::string name = build["metadata"]["name"];
      seen += name + " ";
      if (name.starts_with(begin)) child = build;
    }
    return !child.is_null();
  }));
  return child;
}

void Forge::WaitPhase(const std::string& build, const std::string& sha, const std::string& phase,
                      seconds limit) {
  EXPECT_TRUE(Eventually(limit, build + " is " + phase + " with " + sha, [&](std::string& seen) {
    const auto object = GetJson(kNs, "imagebuild", build);
    seen = object.value("status", json::object()).dump();
    return object.value("/status/phase"_json_pointer, "") == phase &&
           object.value("/status/runs/0/commit/sha"_json_pointer, "") == sha;
  }));
}

std::vector<json> Owned(const std::string& kind, const std::string& uid) {
  std::vector<json> owned;
  for (const auto& object : GetJson(kNs, kind)["items"]) {
    for (const auto& owner : object["metadata"].value("ownerReferences", json::array())) {
      if (owner["uid"] == uid) owned.push_back(object);
    }
  }
  return owned;
}

std::vector<json> PodsOf(json build) {
  std::vector<json> pods;
  for (const auto& job : Owned("jobs", build["metadata"]["uid"])) {
    for (auto& pod : Owned("pods", job["metadata"]["uid"])) pods.push_back(std::move(pod));
  }
  return pods;
}

std::set<std::string> SecretsIn(const json& object) {
  std::set<std::string> names;
  std::vector<json> found;
  Find(object, "secretName", found);
  for (const auto& name : found) names.insert(name.get<std::string>());
  for (const char* key : {"secretKeyRef", "secretRef", "secret", "imagePullSecrets", "credentialsSecretRef",
                          "baseCredentialsSecretRef"}) {
    found.clear();
    Find(object, key, found);
    for (const auto& ref : found) {
      for (const auto& one : ref.is_array() ? ref : json::array({ref})) {
        if (one.contains("name")) names.insert(one["name"].get<std::string>());
      }
    }
  }
  found.clear();
  Find(object, "serviceAccountToken", found);
  if (!found.empty()) names.insert("token");
  return names;
}

std::set<std::string> SecretsOf(const json& pod, const std::string& container) {
  std::set<std::string> names;
  const auto& spec = pod["spec"];
  for (const char* list : {"initContainers", "containers"}) {
    for (const auto& one : spec.value(list, json::array())) {
      if (one["name"] != container) continue;
      names.merge(SecretsIn(one));
      for (const auto& mount : one.value("volumeMounts", json::array())) {
        for (const auto& volume : spec["volumes"]) {
          if (volume["name"] == mount["name"]) names.merge(SecretsIn(volume));
        }
      }
    }
  }
  return names;
}

std::map<std::string, std::set<std::string>> Images(const std::string& prefix) {
  const std::string address = std::string("http://") + kRegistry + "/v2/";
  std::map<std::string, std::set<std::string>> images;
  const auto catalog = Fetch(address + "_catalog?n=1000");
  EXPECT_TRUE(catalog.contains("repositories")) << catalog;
  for (const std::string name : catalog.value("repositories", json::array())) {
    if (!name.starts_with(prefix)) continue;
    const auto tags = Fetch(address + name + "/tags/list").value("tags", json(nullptr));
    images[name] = tags.is_array() ? tags.get<std::set<std::string>>() : std::set<std::string>{};
  }
  return images;
}

}  // namespace slipway::testing
