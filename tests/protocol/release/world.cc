#include "protocol/release/world.h"

namespace slipway::release {
namespace {

// ".../namespaces/NAME/jobs/x?…": "jobs", "x" and what is below it. ".../namespaces/NAME": that.
struct Target {
  std::string plural, name, below;
};

Target TargetOf(const kube::Request& request) {
  std::string path = request.target.substr(0, request.target.find('?'));
  static constexpr std::string_view kBefore = "/namespaces/";
  const auto at = path.find(kBefore);
  const auto ns = at == std::string::npos ? at : path.find('/', at + kBefore.size());
  if (at == std::string::npos) return {};
  if (ns == std::string::npos) return {"namespaces", path.substr(at + kBefore.size()), {}};
  path = path.substr(ns + 1) + "//";
  const auto first = path.find('/');
  const auto second = path.find('/', first + 1);
  Target target{path.substr(0, first), path.substr(first + 1, second - first - 1), path.substr(second + 1)};
  std::erase(target.below, '/');
  return target;
}

}  // namespace

ReconcilerTest::ReconcilerTest() {
  resources::PolicyMap policies;
  policies.meta.key = {"slipway-system", "policy"};
  policies.policy = resources::Policy{};
  auto& team = policies.policy->namespaces["team"];
  team.repositories = {"registry.example.com/team/"};
  team.deployments = {"*"};
  auto& signer = policies.policy->signers["release"];
  signer.name = "release";
  signer.public_key = "PEM";
  team.signers = {"release"};
  team.secrets = {{"shop-db", resources::SecretUse::kMigration}};
  policies_.Put(policies);
  objects_["deployments/web"] = Web(kOldImage);
  SeeInCache(kOldImage);
  api_.on_call = [this](const kube::Request& request) { return Answer(request); };
}

Json ReconcilerTest::Web(const std::string& image) {
  Json web = Json::parse(R"({
    "metadata": {"name": "web", "namespace": "team", "uid": "deployment-uid", "generation": 1,
                 "resourceVersion": "1"},
    "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}},
             "template": {"metadata": {"labels": {"app": "web"}},
                          "spec": {"containers": [
                            {"name": "web", "readinessProbe": {"httpGet": {"path": "/", "port": 80}},
                             "envFrom": [{"configMapRef": {"name": "prices"}}]}]}}},
    "status": {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3,
               "availableReplicas": 3}
  })");
  web["spec"]["template"]["spec"]["containers"][0]["image"] = image;
  return web;
}

void ReconcilerTest::SeeInCache(const std::string& image) {
  const auto web = resources::Deployment::Decode(Web(image));
  ASSERT_TRUE(web) << web.error().message;
  deployments_.Put(*web);
}

resources::Release ReconcilerTest::Made() const {
  resources::Release release;
  release.meta.key = {"team", "shop"};
  release.meta.uid = {"release-uid"};
  release.meta.resource_version = {"1"};
  release.meta.generation = 1;
  release.meta.created = clock_.now;
  release.spec.image = kNewImage;
  release.spec.version = "v2";
  release.spec.target = {"web", "web", "web"};
  return release;
}

void ReconcilerTest::Migrates(resources::Release& release) const {
  release.spec.migration.emplace();
  release.spec.migration->args = {"migrate"};
  release.spec.migration->env_from_secrets = {"shop-db"};
}

void ReconcilerTest::Put(resources::Release release) {
  release.meta.resource_version = {std::to_string(++version_)};
  releases_.Put(std::move(release));
}

void ReconcilerTest::Have(const std::string& name, const std::string& value) {
  Json map;
  map["metadata"] = {{"name", name}, {"namespace", "team"}, {"uid", "uid-" + name}, {"resourceVersion", "1"}};
  map["data"] = {{"key", value}};
  objects_["configmaps/" + name] = std::move(map);
}

std::vector<std::string> ReconcilerTest::Names(const std::string& plural) const {
  std::vector<std::string> names;
  for (const auto& [key, object] : objects_) {
    if (key.starts_with(plural + "/")) names.push_back(key.substr(plural.size() + 1));
  }
  return names;
}

void ReconcilerTest::LoseTheJobsRecord() {
  auto release = Made();
  Migrates(release);
  Put(release);
  ASSERT_TRUE(Reconcile());  // the delivery is on record before anything is run for it
  lose_statuses_ = 1;
  ASSERT_FALSE(Reconcile());
  ASSERT_EQ(Names("jobs").size(), 1U);
  ASSERT_FALSE(Shop().status.history.at(0).migration->job_uid);
}

void ReconcilerTest::Look(bool lose_status) {
  auto release = Made();
  release.spec.gates.signature = resources::SignatureGate{"release"};
  Put(release);
  lose_statuses_ = lose_status ? 1 : 0;
  ASSERT_EQ(Reconcile().has_value(), !lose_status);
  ASSERT_EQ(Names("jobs").size(), 1U);
  ASSERT_EQ(Shop().status.verification.has_value(), !lose_status);
}

void ReconcilerTest::Scan() {
  auto release = Made();
  release.spec.gates.scan.emplace();
  Put(release);
  ASSERT_TRUE(Reconcile());
  ASSERT_EQ(Names("jobs").size(), 1U);
  ASSERT_TRUE(Shop().status.scan);
}

void ReconcilerTest::EndScan(const std::string& name, int exit_code, const std::string& report) {
  auto& job = At("jobs", name);
  Json condition = {{"type", exit_code == 0 ? "Complete" : "Failed"}, {"status", "True"}};
  job["status"]["conditions"] = Json::array({std::move(condition)});
  Json pod = Json::parse(R"({
    "metadata": {"namespace": "platform", "uid": "pod-uid", "resourceVersion": "1",
                 "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {"initContainers": [{"name": "scan"}], "containers": [{"name": "gate"}]},
    "status": {"phase": "Succeeded",
      "initContainerStatuses": [{"name": "scan", "state": {"terminated": {"exitCode": 0}}}],
      "containerStatuses": [{"name": "gate", "state": {"terminated": {}}}]}})");
  pod["metadata"]["name"] = name + "-abcde";
  pod["metadata"]["labels"] = job["spec"]["template"]["metadata"]["labels"];
  Json owner = {{"apiVersion", "batch/v1"}, {"kind", "Job"}, {"name", name}, {"controller", true}};
  owner["uid"] = job["metadata"]["uid"];
  pod["metadata"]["ownerReferences"] = Json::array({std::move(owner)});
  auto& ended = pod["status"]["containerStatuses"][0]["state"]["terminated"];
  ended = {{"exitCode", exit_code}, {"reason", exit_code == 0 ? "Completed" : "Error"}, {"message", report}};
  Put("pods", pod);
}

void ReconcilerTest::Settle() {
  for (int i = 0; i < 10; ++i) {
    const auto before = Shop().meta.resource_version;
    const auto outcome = Reconcile();
    ASSERT_TRUE(outcome) << outcome.error().message;
    if (Shop().meta.resource_version == before) return;
  }
  FAIL() << "it did not settle";
}

std::size_t ReconcilerTest::Sent(Verb verb, const std::string& part) const {
  return static_cast<std::size_t>(std::ranges::count_if(api_.requests, [&](const kube::Request& request) {
    return request.verb == verb && request.target.contains(part);
  }));
}

Result<Json> ReconcilerTest::Answer(const kube::Request& request) {
  const Target target = TargetOf(request);
  if (request.verb == Verb::kPost) return Create(target.plural, request);
  if (target.below == "status") return WriteStatus(request);
  if (target.plural == "releases") {
    const auto& meta = releases_.Get({"team", target.name})->meta;
    Json answer;
    answer["metadata"] = {{"name", target.name}, {"namespace", "team"}, {"uid", meta.uid.value}};
    answer["metadata"]["resourceVersion"] = moved_ == target.name ? "99" : meta.resource_version.value;
    return answer;
  }
  const std::string key = target.plural + "/" + target.name;
  if (target.name.empty()) {
    Json list = {{"items", Json::array()}};
    for (const auto& name : Names(target.plural)) list["items"].push_back(At(target.plural, name));
    return list;
  }
  if (!objects_.contains(key)) return Fail(ErrorKind::kNotFound, key + " is not there");
  Json object = objects_.at(key);
  if (request.verb == Verb::kDelete) objects_.erase(key);
  return object;
}

Result<Json> ReconcilerTest::Create(const std::string& plural, const kube::Request& request) {
  Json object = runtime::BodyOf(request);
  const std::string key = plural + "/" + object["metadata"].value("name", "");
  if (plural == "events") return object;
  if (objects_.contains(key)) return Fail(ErrorKind::kAlreadyExists, key + " is there");
  object["metadata"]["uid"] = "made-" + std::to_string(++made_);
  object["metadata"]["resourceVersion"] = "5";
  object["metadata"]["creationTimestamp"] = FormatTime(clock_.now);
  objects_[key] = object;
  return object;
}

Result<Json> ReconcilerTest::WriteStatus(const kube::Request& request) {
  if (lose_statuses_ > 0) {
    --lose_statuses_;
    return Fail(ErrorKind::kTransient, "the connection broke");
  }
  Json object = runtime::BodyOf(request);
  auto release = Shop();
  object["spec"] = Json::parse(R"({"target": {"deployment": "web", "service": "web"}})");
  object["spec"]["image"] = kNewImage;
  auto decoded = resources::Release::Decode(object);
  EXPECT_TRUE(decoded) << decoded.error().message;
  release.status = decoded->status;
  Put(release);
  object["metadata"]["resourceVersion"] = Shop().meta.resource_version.value;
  return object;
}

}  // namespace slipway::release
