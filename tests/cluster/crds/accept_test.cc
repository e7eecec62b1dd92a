// What the server takes, what it fills in, and what it shows.
#include <sstream>

#include "cluster/crds/fixture.h"
#include "resources/canary_promotion.h"
#include "resources/image_build.h"
#include "resources/release.h"
#include "unit/resources/hostile.h"

namespace slipway::testing {
namespace {

using nlohmann::json;
using resources::CanaryPromotion;
using resources::ImageBuild;
using resources::Release;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kResources[] = {"imagebuilds", "releases", "canarypromotions"};

json Minimal(const std::string& kind) {
  json object{{"apiVersion", "slipway.dev/v1alpha1"}, {"kind", kind}, {"metadata", {{"name", "minimal"}}}};
  if (kind == "ImageBuild") {
    object["spec"] = {{"source", {{"git", {{"url", "https://git.example.com/a"}, {"revision", "main"}}}}},
                      {"output", {{"repository", "registry.example.com/team/app"}}}};
  } else {
    object["spec"] = {{"image", kGoodImage}, {"target", {{"deployment", "web"}, {"service", "web"}}}};
  }
  return object;
}

template <class T>
T Decoded(const json& object) {
  auto decoded = T::Decode(object);
  EXPECT_TRUE(decoded) << decoded.error().message;
  return decoded.value_or(T{});
}

class Accept : public Crds {};

TEST_F(Accept, TheCrdsAreServedWithEveryPartAccepted) {
  for (const std::string resource : kResources) {
    const auto crd = GetJson("default", "crd", resource + ".slipway.dev");
    ASSERT_TRUE(crd.is_object()) << resource;
    EXPECT_EQ(Condition(crd, "Established").value("status", ""), "True");
    EXPECT_EQ(Condition(crd, "NamesAccepted").value("status", ""), "True");
    EXPECT_TRUE(Condition(crd, "NonStructuralSchema").is_null()) << Condition(crd, "NonStructuralSchema");
    EXPECT_TRUE(In({"get", resource}).ok());
  }
  EXPECT_TRUE(In({"get", "slipway"}).ok());
  EXPECT_TRUE(In({"get", "ib,rel,cp"}).ok());
}

TEST_F(Accept, AMinimalImageBuildIsFilledWithTheStructsDefaults) {
  const json created = Create(Minimal("ImageBuild"));
  const auto build = Decoded<ImageBuild>(created);
  resources::ImageBuildSpec spec;
  spec.source.url = "https://git.example.com/a";
  spec.source.revision = "main";
  spec.output.repository = "registry.example.com/team/app";
  EXPECT_EQ(build.spec, spec) << created.dump(2);
  EXPECT_EQ(build.status, resources::ImageBuildStatus{});
  // The server wrote them, not our decoder.
  EXPECT_EQ(created["spec"]["scan"], json::parse(R"({"failOn": "High", "ignoreUnfixed": true})"));
  EXPECT_EQ(created["spec"]["build"]["timeout"], "30m");
  EXPECT_EQ(created["spec"]["output"]["tags"], json::array({"{{commit}}"}));
  EXPECT_EQ(created["status"], json::parse(R"({"observedGeneration": -1})"));
}

TEST_F(Accept, AMinimalReleaseIsFilledWithTheStructsDefaults) {
  const json created = Create(Minimal("Release"));
  const auto release = Decoded<Release>(created);
  resources::ReleaseSpec spec;
  spec.image = kGoodImage;
  spec.target = {"web", "", "web"};
  spec.canary.steps.resize(1);
  spec.smoke_tests.resize(1);
  EXPECT_EQ(release.spec, spec) << created.dump(2);
  EXPECT_EQ(release.status, resources::ReleaseStatus{});
  EXPECT_EQ(created["spec"]["strategy"]["canary"]["steps"], json::parse(R"([{"weight": 10, "hold": "0s"}])"));
  EXPECT_EQ(created["spec"]["historyLimit"], 10);
}

TEST_F(Accept, AMinimalPromotionIsFilledWithTheStructsDefaults) {
  const json created = Create(Minimal("CanaryPromotion"));
  const auto promotion = Decoded<CanaryPromotion>(created);
  resources::CanaryPromotionSpec spec;
  spec.image = kGoodImage;
  spec.target = {"web", "", "web"};
  spec.steps.resize(1);
  spec.smoke_tests.resize(1);
  EXPECT_EQ(promotion.spec, spec) << created.dump(2);
  EXPECT_EQ(promotion.status, resources::CanaryPromotionStatus{});
  EXPECT_EQ(created["spec"]["smokeTests"][0]["requests"], 200);
  EXPECT_EQ(created["spec"]["capacity"], "Split");
}

TEST_F(Accept, AFullImageBuildIsReadAsItWasWritten) {
  json object = Minimal("ImageBuild");
  object["spec"] = json::parse(R"({
    "source": {"git": {"url": "http://git.example.com:8080/team/app.git", "revision": "refs/pull/7/head",
      "contextDir": "services/web", "credentialsSecretRef": {"name": "git"}}},
    "build": {"dockerfile": "build/Dockerfile", "target": "final",
      "args": [{"name": "MODE", "value": "fast"}, {"name": "EMPTY", "value": ""}],
      "cache": {"repository": "registry.example.com/cache/team", "ttl": "48h", "credentialsSecretRef": {"name": "cache"}},
      "resources": {"requests": {"cpu": 1, "memory": "512Mi"}, "limits": {"cpu": "1500m", "ephemeral-storage": "2Gi"}},
      "timeout": "20m", "baseCredentialsSecretRef": {"name": "base"}},
    "scan": {"failOn": "Critical", "ignoreUnfixed": false},
    "output": {"repository": "registry.example.com/team/app", "tags": ["{{commit}}", "v1-{{shortCommit}}"],
      "labels": {"org.opencontainers.image.title": "Größe 1"}, "credentialsSecretRef": {"name": "push"}},
    "history": {"successful": 5, "failed": 7}, "suspend": true})");
  const auto build = Decoded<ImageBuild>(Create(object));
  resources::ImageBuildSpec spec;
  spec.source = {"http://git.example.com:8080/team/app.git", "refs/pull/7/head", "services/web",
                 resources::NameRef{"git"}};
  spec.build = {"build/Dockerfile", "final", {{"MODE", "fast"}, {"EMPTY", ""}}, {}, {}, minutes(20), {}};
  spec.build.cache = {"registry.example.com/cache/team", hours(48), resources::NameRef{"cache"}};
  spec.build.resources = {{{"cpu", "1"}, {"memory", "512Mi"}},
                          {{"cpu", "1500m"}, {"ephemeral-storage", "2Gi"}}};
  spec.build.base_credentials_secret_ref = resources::NameRef{"base"};
  spec.scan = {resources::Severity::kCritical, false};
  spec.output = {"registry.example.com/team/app",
                 {"{{commit}}", "v1-{{shortCommit}}"},
                 {{"org.opencontainers.image.title", "Größe 1"}},
                 resources::NameRef{"push"}};
  spec.history = {5, 7};
  spec.suspend = true;
  EXPECT_EQ(build.spec, spec);
}

TEST_F(Accept, FullDeliveriesAreReadAsTheyWereWritten) {
  const json tests =
      json::parse(R"([{"name": "answers", "healthPath": "/ok?a=b", "versionPath": "/v", "requests": 50,
    "p95Limit": "250ms", "timeout": "10s"}, {"name": "more"}])");
  const json steps = json::parse(R"([{"weight": 1, "hold": "1h30m"}, {"weight": 100}])");
  const resources::SmokeTest answers{"answers", "/ok?a=b", "/v", 50, milliseconds(250), seconds(10)};
  const std::vector<resources::CanaryStep> wanted{{1, minutes(90)}, {100, seconds(0)}};
  const json target = json::parse(R"({"deployment": "web.v1", "container": "app", "service": "web-svc"})");

  json object = Minimal("CanaryPromotion");
  object["spec"] = {{"target", target},         {"image", kGoodImage}, {"version", "v1.2+3"},
                    {"steps", steps},           {"capacity", "Surge"}, {"smokeTests", tests},
                    {"progressDeadline", "90s"}};
  const auto promotion = Decoded<CanaryPromotion>(Create(object)).spec;
  const resources::CanaryPromotionSpec spec{
      {"web.v1", "app", "web-svc"}, kGoodImage, "v1.2+3", wanted, resources::Capacity::kSurge,
      {answers, {.name = "more"}},  seconds(90)};
  EXPECT_EQ(promotion, spec);

  object = Minimal("Release");
  object["spec"] = {
      {"target", target},
      {"imageFrom", {{"imageBuild", "web"}}},
      {"smokeTests", tests},
      {"strategy", {{"canary", {{"steps", steps}, {"capacity", "Surge"}, {"progressDeadline", "90s"}}}}},
      {"historyLimit", 50},
      {"suspend", true}};
  const auto release = Decoded<Release>(Create(object)).spec;
  EXPECT_EQ(release.image_from->image_build, "web");
  EXPECT_EQ(release.image, "");
  EXPECT_EQ(release.target, spec.target);
  EXPECT_EQ(release.canary, (resources::CanaryStrategy{wanted, resources::Capacity::kSurge, seconds(90)}));
  EXPECT_EQ(release.smoke_tests, spec.smoke_tests);
  EXPECT_EQ(release.history_limit, 50);
  EXPECT_TRUE(release.suspend);
}

TEST_F(Accept, TheExamplesThatWeShipAreTaken) {
  const auto examples =
      In({"apply", "--dry-run=server", "--validate=strict", "-f", SourcePath("deploy/examples")});
  EXPECT_TRUE(examples.ok()) << examples.text;
}

TEST_F(Accept, AMisspeltFieldIsNamed) {
  json object = Minimal("Release");
  object["spec"]["smokeTest"] = json::array();
  const auto refused = In({"create", "--dry-run=server", "--validate=strict", "-f", "-"}, object.dump());
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(refused.text.find("spec.smokeTest"), std::string::npos) << refused.text;
}

TEST_F(Accept, ASpecWriteLeavesTheStatusAndAStatusWriteTheSpec) {
  const std::map<std::string, json> patches{{"ImageBuild", {{"suspend", true}}},
                                            {"Release", {{"suspend", true}}},
                                            {"CanaryPromotion", {{"version", "v2"}}}};
  for (const auto& [kind, patch] : patches) {
    json object = Minimal(kind);
    object["status"] = {{"phase", "Pending"}, {"observedGeneration", 7}};
    const json created = Create(object);
    EXPECT_EQ(created["status"], json::parse(R"({"observedGeneration": -1})")) << kind;

    const auto written = WriteStatus(kind, "minimal", {{"phase", "Pending"}, {"observedGeneration", 1}});
    ASSERT_TRUE(written.ok()) << written.text;
    const json after = GetJson(ns_, kind, "minimal");
    EXPECT_EQ(after["status"]["phase"], "Pending");
    EXPECT_EQ(after["spec"], created["spec"]);
    EXPECT_EQ(after["metadata"]["generation"], 1) << "a status write is no new spec";

    const json both{{"spec", patch}, {"status", {{"phase", nullptr}, {"observedGeneration", 99}}}};
    const auto patched = In({"patch", kind, "minimal", "--type=merge", "-p", both.dump()});
    ASSERT_TRUE(patched.ok()) << patched.text;
    const json last = GetJson(ns_, kind, "minimal");
    EXPECT_EQ(last["status"], after["status"]) << kind;
    EXPECT_EQ(last["metadata"]["generation"], 2);
  }
}

// The first line, word by word.
std::vector<std::string> Headers(const std::string& table) {
  std::istringstream line(table.substr(0, table.find('\n')));
  std::vector<std::string> words;
  for (std::string word; line >> word;) words.push_back(word);
  return words;
}

TEST_F(Accept, TheColumnsThatPeopleReadAreThere) {
  using Words = std::vector<std::string>;
  const std::map<std::string, Words> rows{
      {"ImageBuild", {"NAME", "READY", "PHASE", "COMMIT", "DIGEST", "REASON", "AGE"}},
      {"Release", {"NAME", "READY", "PHASE", "COMMIT", "DIGEST", "REASON", "AGE"}},
      {"CanaryPromotion", {"NAME", "READY", "PHASE", "STEP", "WANT%", "GOT%", "REASON", "AGE"}}};
  for (const auto& [kind, words] : rows) {
    Create(Minimal(kind));
    EXPECT_EQ(Headers(In({"get", kind}).text), words);
    Words wide = words;
    wide.insert(wide.end(), {"IMAGE", "MESSAGE"});
    EXPECT_EQ(Headers(In({"get", kind, "-o", "wide"}).text), wide);
  }
}

TEST_F(Accept, TheColumnsShowWhatAStatusSays) {
  Create(Minimal("CanaryPromotion"));
  resources::CanaryPromotionStatus status;
  status.observed_generation = 1;
  status.phase = resources::CanaryPhase::kHolding;
  status.weight_wanted = 10;
  status.weight_got = 9;
  status.current_step = 1;
  status.steps.resize(2);
  status.steps[1].index = 1;
  resources::SetReadiness(status.conditions, resources::Readiness::kProgressing, "Holding", "holds", 1,
                          TimePoint(seconds(1'700'000'000)));
  const auto written = WriteStatus("cp", "minimal", resources::EncodeStatus(status));
  ASSERT_TRUE(written.ok()) << written.text;
  const std::string table = In({"get", "cp", "--no-headers"}).text;
  EXPECT_EQ(Headers(table).size(), 8U) << table;
  const auto words = Headers(table);
  EXPECT_EQ(std::vector<std::string>(words.begin() + 1, words.begin() + 7),
            (std::vector<std::string>{"Unknown", "Holding", "2", "10", "9", "Holding"}));
  // What was written is what is read.
  EXPECT_EQ(Decoded<CanaryPromotion>(GetJson(ns_, "cp", "minimal")).status, status);
}

TEST_F(Accept, ExplainDescribesEveryField) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"imagebuild", "built into an image repository"},
      {"imagebuild.spec.source.git.revision", "A branch, a tag, a full commit SHA"},
      {"imagebuild.spec.output.credentialsSecretRef", "only the push container has it"},
      {"imagebuild.status.latest", "passed every gate"},
      {"release.spec.imageFrom.imageBuild", "that passed every gate"},
      {"release.spec.strategy.canary.steps.weight", "The canary's share of the pods"},
      {"canarypromotion.spec.smokeTests.p95Limit", "95 of 100 answers"},
      {"canarypromotion.status.baseline", "what is restored"}};
  for (const auto& [path, words] : rows) {
    auto explained = Kubectl({"explain", path});
    ASSERT_TRUE(explained.ok()) << explained.text;
    EXPECT_EQ(explained.text.find("<no description>"), std::string::npos) << explained.text;
    std::string text;  // kubectl breaks lines
    std::istringstream in(explained.text);
    for (std::string word; in >> word;) text += word + " ";
    EXPECT_NE(text.find(words), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace slipway::testing
