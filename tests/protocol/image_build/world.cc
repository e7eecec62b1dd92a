#include "protocol/image_build/world.h"

namespace slipway::image_build {
namespace {

std::string NameIn(const kube::Request& request) {
  const std::string path = request.target.substr(0, request.target.find('?'));
  return path.substr(path.rfind('/') + 1);
}

Json ForeignJob() {
  Json job = {{"apiVersion", "batch/v1"}, {"kind", "Job"}, {"spec", Json::object()}};
  job["metadata"] = {{"name", "x"}, {"namespace", "team"}, {"uid", "foreign"}, {"resourceVersion", "5"}};
  return job;
}

}  // namespace

ReconcilerTest::ReconcilerTest() {
  resources::PolicyMap policies;
  policies.meta.key = {"slipway-system", "policy"};
  policies.policy = resources::Policy{};
  policies.policy->namespaces["team"].repositories = {"registry.example.com/team/"};
  policies.policy->namespaces["team"].secrets = {{"git", resources::SecretUse::kSource}};
  policies.policy->namespaces["team"].signers = {"release"};
  policies.policy->signers["release"] = {.name = "release", .secret = "release-key", .public_key = "PEM"};
  policies_.Put(policies);
  api_.on_call = [this](const kube::Request& request) { return Answer(request); };
}

resources::ImageBuild ReconcilerTest::Made(const std::string& name) const {
  resources::ImageBuild build;
  build.meta.key = {"team", name};
  build.meta.uid = {"uid-" + name};
  build.meta.resource_version = {"1"};
  build.meta.generation = 1;
  build.spec.source.url = "https://git.example.com/team/app.git";
  build.spec.source.revision = std::string(40, 'a');
  build.spec.output.repository = "registry.example.com/team/app";
  build.spec.build.platforms = {"linux/amd64", "linux/arm64"};
  return build;
}

void ReconcilerTest::Begin() {
  auto build = Made("app");
  build.spec.build.platforms.clear();
  build.spec.source.credentials_secret_ref = resources::NameRef{"git"};
  builds_.Put(build);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Reconcile());
  ASSERT_EQ(made_.size(), 1U);
}

void ReconcilerTest::SeeJob(Duration age) {
  resources::Job job;
  job.meta.key = {"team", made_.at(0)};
  job.meta.uid = {"made-1"};
  job.meta.created = clock_.now;
  job.active = 1;
  jobs_.Put(job);
  clock_.Advance(age);
}

void ReconcilerTest::SeePod() {
  resources::Pod pod;
  pod.meta.key = {"team", made_.at(0) + "-abcde"};
  pod.meta.uid = {"the-pod"};
  pod.meta.created = jobs_.Get({"team", made_.at(0)})->meta.created;
  pod.meta.labels[std::string(resources::kJobLabel)] = made_.at(0);
  pod.meta.owners = {{"batch/v1", "Job", made_.at(0), {"made-1"}, true}};
  pod.phase = "Pending";
  pod.scheduled = true;
  pods_.Put(pod);
}

void ReconcilerTest::Complete(Json pod) {
  auto job = *jobs_.Get({"team", made_.at(0)});
  job.complete = true;
  job.finished = clock_.now;
  jobs_.Put(job);
  pod["metadata"] = {{"name", made_.at(0) + "-abcde"}, {"namespace", "team"}, {"resourceVersion", "9"}};
  pod["metadata"]["labels"][resources::kJobLabel] = made_.at(0);
  Json owner = {{"apiVersion", "batch/v1"}, {"kind", "Job"}, {"name", made_.at(0)}, {"uid", "made-1"}};
  owner["controller"] = true;
  pod["metadata"]["ownerReferences"] = Json::array({owner});
  pods_there_.push_back(std::move(pod));
}

std::size_t ReconcilerTest::Sent(Verb verb, const std::string& part) const {
  return static_cast<std::size_t>(std::ranges::count_if(api_.requests, [&](const kube::Request& request) {
    return request.verb == verb && request.target.contains(part);
  }));
}

Json ReconcilerTest::LastSent(Verb verb, const std::string& part) const {
  Json body;
  for (const auto& request : api_.requests) {
    if (request.verb == verb && request.target.contains(part)) body = runtime::BodyOf(request);
  }
  return body;
}

void ReconcilerTest::Happen(const std::string& reason, const std::string& note) {
  events_.push_back({{"reason", reason}, {"note", note}, {"eventTime", FormatTime(clock_.now)}});
}

Result<Json> ReconcilerTest::Answer(const kube::Request& request) {
  const auto& target = request.target;
  if (refused_ && request.verb == refused_->first && target.contains(refused_->second)) {
    return Fail(ErrorKind::kForbidden, "slipway may not do this");
  }
  if (request.verb == Verb::kPost && target.contains("/jobs")) return MakeJob(request);
  if (request.verb == Verb::kGet && IsThere(NameIn(request))) return there_;
  if (target.contains("/jobs/")) {
    return request.verb == Verb::kGet && taken_ ? Result<Json>(ForeignJob())
                                                : Fail(ErrorKind::kNotFound, "no such Job");
  }
  if (target.contains("/events")) return Json{{"items", events_}};
  if (target.contains("/pods?")) return Json{{"items", pods_there_}};
  if (request.verb == Verb::kPatch && target.contains("/status")) return WriteStatus(request);
  if (request.verb == Verb::kPatch) return ApplyBuild(request);
  const std::string name = NameIn(request);
  if (request.verb == Verb::kDelete) {
    builds_.Erase({"team", name});
    return Json::object();
  }
  Json answer;
  answer["metadata"] = {{"name", name}, {"namespace", "team"}, {"uid", "uid-" + name}};
  answer["metadata"]["resourceVersion"] = moved_ ? "99" : Build(name).meta.resource_version.value;
  return answer;
}

bool ReconcilerTest::IsThere(const std::string& job) const {
  return !there_.is_null() && there_["metadata"]["name"] == job;
}

Result<Json> ReconcilerTest::MakeJob(const kube::Request& request) {
  Json job = runtime::BodyOf(request);
  if (IsThere(job["metadata"]["name"])) return Fail(ErrorKind::kAlreadyExists, "it is there");
  if (taken_ && made_.size() == 1) return Fail(ErrorKind::kAlreadyExists, "it is there");
  made_.push_back(job["metadata"]["name"]);
  job["metadata"]["uid"] = "made-" + std::to_string(made_.size());
  job["metadata"]["resourceVersion"] = "5";
  return job;
}

Result<Json> ReconcilerTest::WriteStatus(const kube::Request& request) {
  Json object = runtime::BodyOf(request);
  auto build = Build(object["metadata"]["name"]);
  object["spec"] = resources::EncodeSpec(build.spec);
  auto decoded = resources::ImageBuild::Decode(object);
  EXPECT_TRUE(decoded) << decoded.error().message;
  build.status = decoded->status;
  build.meta.resource_version = {std::to_string(++version_)};
  builds_.Put(build);
  object["metadata"]["resourceVersion"] = build.meta.resource_version.value;
  return object;
}

// Of a pull request: what is applied is there, and in the cache.
Result<Json> ReconcilerTest::ApplyBuild(const kube::Request& request) {
  Json object = runtime::BodyOf(request);
  object["metadata"]["uid"] = "uid-" + NameIn(request);
  object["metadata"]["resourceVersion"] = std::to_string(++version_);
  const auto decoded = resources::ImageBuild::Decode(object);
  EXPECT_TRUE(decoded) << decoded.error().message;
  builds_.Put(*decoded);
  return object;
}

}  // namespace slipway::image_build
