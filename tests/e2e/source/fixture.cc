#include "e2e/source/fixture.h"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace slipway::testing {
namespace {

namespace fs = std::filesystem;

std::string FileText(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// 2026-01-02T15:04:05Z
std::time_t TimeOf(const std::string& text) {
  std::tm parts{};
  ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return ::timegm(&parts);
}

// A folder for one story's files, gone with it.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "slipway-story-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  const std::string& path() const { return path_; }
  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories((fs::path(path_) / name).parent_path());
    std::ofstream(fs::path(path_) / name) << text;
  }

 private:
  std::string path_;
};

std::string DockerConfigOf(const std::string& password) {
  Json config;
  config["auths"][kPrivate] = {{"username", "builder"}, {"password", password}};
  return config.dump();
}

Output Trimmed(Output output) {
  while (output.text.ends_with('\n')) output.text.pop_back();
  return output;
}

}  // namespace

void Source::SetUp() {
  static std::string begun;
  repository_ = ns_;
  const std::string suite = ::testing::UnitTest::GetInstance()->current_test_suite()->name();
  if (begun == suite) return;
  begun = suite;
  ASSERT_NO_FATAL_FAILURE(Story::SetUp());
  const auto gone = Kubectl({"-n", ns_, "delete", "--ignore-not-found", "secret/git-credentials",
                             "secret/git-ssh", "secret/push-credentials", "secret/base-credentials",
                             "secret/cache-credentials", "configmap/authority", "resourcequota/none"});
  ASSERT_TRUE(gone.ok()) << gone.text;
  StartBuilds();
}

Json Source::Spec(const std::string& name, const std::string& revision) const {
  Json spec;
  spec["source"]["git"] = {{"url", "http://git.slipway.test:8090/" + repository_ + ".git"},
                           {"revision", revision}};
  spec["build"] = {{"timeout", "5m"}};
  spec["output"] = {{"repository", Repository(name)}};
  return spec;
}

void Source::Make(const std::string& name, const Json& spec) {
  Json object = {{"apiVersion", "slipway.dev/v1alpha1"}, {"kind", "ImageBuild"}, {"spec", spec}};
  object["metadata"]["name"] = name;
  Apply(ns_, object.dump());
}

void Source::BasicAuth(const std::string& password) {
  Json secret = {{"apiVersion", "v1"}, {"kind", "Secret"}, {"type", "kubernetes.io/basic-auth"}};
  secret["metadata"]["name"] = "git-credentials";
  secret["stringData"] = {{"username", "slipway"}, {"password", password}};
  Apply(ns_, secret.dump());
}

void Source::SshAuth(const std::string& known_hosts) {
  Json secret = {{"apiVersion", "v1"}, {"kind", "Secret"}, {"type", "kubernetes.io/ssh-auth"}};
  secret["metadata"]["name"] = "git-ssh";
  secret["stringData"] = {{"ssh-privatekey", FileText(StateFile("ssh/client"))},
                          {"known_hosts", known_hosts}};
  Apply(ns_, secret.dump());
}

void Source::DockerConfig(const std::string& name, const std::string& password) {
  Json secret = {{"apiVersion", "v1"}, {"kind", "Secret"}, {"type", "kubernetes.io/dockerconfigjson"}};
  secret["metadata"]["name"] = name;
  secret["stringData"][".dockerconfigjson"] = DockerConfigOf(password);
  Apply(ns_, secret.dump());
}

void Source::Authority() {
  Json map = {{"apiVersion", "v1"}, {"kind", "ConfigMap"}};
  map["metadata"]["name"] = "authority";
  map["data"]["ca.crt"] = FileText(StateFile("pki/ca.crt"));
  Apply(ns_, map.dump());
}

std::string Source::Commit(const std::map<std::string, std::string>& files, const std::string& ref) {
  const Folder work;
  const std::string bare = StateFile("git/" + repository_ + ".git");
  const auto git = [&work](std::vector<std::string> args) {
    args.insert(args.begin(), {"git", "-C", work.path(), "-c", "user.name=Sample Author", "-c",
                               "user.email=author@slipway.test"});
    const auto done = Trimmed(Execute(args));
    EXPECT_TRUE(done.ok()) << args.back() << ": " << done.text;
    return done.text;
  };
  git({"clone", "--quiet", bare, "."});
  for (const auto& [name, text] : files) work.Write(name, text);
  git({"add", "--all"});
  git({"commit", "--quiet", "--message", "A change of the story's own"});
  git({"push", "--quiet", "origin", "HEAD:" + ref});
  return git({"rev-parse", "HEAD"});
}

void Source::Tag(const std::string& name) {
  const auto tagged = Execute({SourcePath("hack/testbed/sample-repo"), "tag", name, repository_});
  ASSERT_TRUE(tagged.ok()) << tagged.text;
}

Json Source::Runs(const std::string& name) const {
  return GetJson(ns_, "imagebuild", name).value("/status/runs"_json_pointer, Json::array());
}

Json Source::Succeeds(const std::string& name, seconds limit) {
  const auto build = WaitReady(ns_, "imagebuild", name, "True", limit);
  const auto runs = build.value("/status/runs"_json_pointer, Json::array());
  EXPECT_FALSE(runs.empty()) << build;
  return runs.empty() ? Json::object() : runs[0];
}

Json Source::Fails(const std::string& name, const std::string& reason,
                   std::initializer_list<const char*> words, seconds limit) {
  const auto build = WaitReady(ns_, "imagebuild", name, "False", limit);
  const auto ready = Condition(build, "Ready");
  EXPECT_TRUE(ready.is_object()) << build;
  if (!ready.is_object()) return Json::object();
  EXPECT_EQ(ready.value("reason", ""), reason) << name << ": " << ready;
  for (const char* word : words) {
    EXPECT_NE(ready.value("message", "").find(word), std::string::npos) << word << " is not in " << ready;
  }
  const auto runs = build.value("/status/runs"_json_pointer, Json::array());
  return runs.empty() ? Json::object() : runs[0];
}

std::string Source::JobOf(const Json& run, const std::string& role) {
  for (const auto& job : run.value("jobs", Json::array())) {
    if (job.value("role", "") == role) return job.value("name", "");
  }
  return "";
}

std::string Source::PodOf(const std::string& job) const {
  const auto pods = Kubectl(
      {"-n", ns_, "get", "pods", "-l", "job-name=" + job, "-o", "jsonpath={.items[0].metadata.name}"});
  return pods.ok() ? pods.text : "";
}

bool Source::ReachesStage(const std::string& name, const std::string& stage, seconds limit) {
  return Eventually(limit, name + " is at stage " + stage, [&](std::string& seen) {
    const auto runs = Runs(name);
    if (runs.empty()) return false;
    for (const auto& found : runs[0].value("stages", Json::array())) {
      if (found.value("name", "") != stage) continue;
      seen = found.dump();
      return found.value("state", "") == "Running";
    }
    return false;
  });
}

double Source::SecondsOf(const Json& run, const std::string& stage) {
  for (const auto& found : run.value("stages", Json::array())) {
    if (found.value("name", "") != stage) continue;
    return std::difftime(TimeOf(found.value("finished", "")), TimeOf(found.value("started", "")));
  }
  ADD_FAILURE() << "no stage " << stage << " in " << run;
  return 0;
}

std::string Source::StateFile(const std::string& relative) {
  const char* state = std::getenv("SLIPWAY_STATE");
  return std::string(state == nullptr ? "/var/lib/slipway-testbed" : state) + "/" + relative;
}

Output Crane(std::vector<std::string> args) {
  args.insert(args.begin(), "crane");
  args.emplace_back("--insecure");
  return Trimmed(Execute(args));
}

Output CranePrivate(std::vector<std::string> args) {
  const Folder config;
  config.Write("config.json", DockerConfigOf("private-testbed"));
  const char* state = std::getenv("SLIPWAY_STATE");
  const std::string authority = std::string(state == nullptr ? "/var/lib/slipway-testbed" : state);
  args.insert(args.begin(), {"env", "DOCKER_CONFIG=" + config.path(),
                             "SSL_CERT_FILE=" + authority + "/pki/ca.crt", "crane"});
  return Trimmed(Execute(args));
}

std::string Repository(const std::string& name, const std::string& registry) {
  return registry + "/e2e-source/" + name;
}

std::string OfThisRun(const std::string& name) {
  static const auto run = std::chrono::system_clock::now().time_since_epoch() / std::chrono::milliseconds(1);
  return Repository(name) + "-" + std::to_string(run);
}

}  // namespace slipway::testing
