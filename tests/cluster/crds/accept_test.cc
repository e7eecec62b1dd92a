// What the server takes, what it fills in, and what it shows.
#include <sstream>

#include "cluster/crds/fixture.h"
#include "resources/canary_promotion.h"
#include "resources/decision.h"
#include "resources/image_build.h"
#include "resources/release.h"
#include "support/hostile.h"

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

constexpr const char* kResources[] = {"imagebuilds", "releases", "canarypromotions", "decisions"};

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
  EXPECT_TRUE(In({"get", "ib,rel,cp,dec"}).ok());
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
  EXPECT_EQ(created["spec"]["output"]["push"], true);
  EXPECT_EQ(created["spec"]["build"]["retries"], 2);
  EXPECT_FALSE(created["spec"]["source"]["git"].contains("semver")) << "exactly one of them counts";
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
  EXPECT_EQ(created["spec"]["strategy"]["canary"]["steps"],
            json::parse(R"([{"weight": 10, "hold": "0s", "analysis": true}])"));
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

resources::TriggerSpec FullTrigger() {
  return {.poll = resources::PollTrigger{minutes(1)},
          .webhook = resources::WebhookTrigger{{"hook"}},
          .base_images = resources::PollTrigger{hours(1)},
          .pull_requests = resources::PullRequestTrigger{resources::ForkPolicy::kRefuse},
          .on_new_commit = resources::OnNewCommit::kCancel};
}

resources::TestSpec FullTest() {
  return {.name = "unit",
          .image = kGoodImage,
          .command = {"make", "test"},
          .env = {{"LEVEL", "1"}},
          .matrix = {{"GO", {"1.24", "1.25"}}, {"OS", {"a"}}},
          .fail_fast = false,
          .resources = {.requests = {}, .limits = {{"memory", "1Gi"}}},
          .timeout = minutes(5)};
}

resources::BuildSpec FullBuild() {
  using resources::NameRef;
  return {.dockerfile = "build/Dockerfile",
          .target = "final",
          .args = {{"MODE", "fast"}},
          .platforms = {"linux/amd64", "linux/arm64"},
          .cache = {{"registry.example.com/cache/team", hours(48), NameRef{"layers"}}},
          .resources = {{{"cpu", "1"}, {"memory", "512Mi"}}, {{"cpu", "1500m"}}},
          .timeout = minutes(20),
          .retries = 1,
          .base_credentials_secret_ref = NameRef{"base"}};
}

// With a range in the place of a revision and all that the table's object leaves at its default.
TEST_F(Accept, AFullImageBuildIsReadAsItWasWritten) {
  using resources::NameRef;
  json object = Clean(FullImageBuild(), "full");
  object["spec"].merge_patch(json::parse(R"({
    "source": {"git": {"revision": null, "semver": ">=1.2.0 <2", "contextDir": "services/web"}},
    "scan": {"failOn": "Critical", "ignoreUnfixed": false},
    "history": {"successful": 5, "failed": 7, "cancelled": 0, "ttlAfterSuccess": "1h", "ttlAfterFailure": "24h"},
    "suspend": true})"));
  const auto build = Decoded<ImageBuild>(Create(object)).spec;
  EXPECT_EQ(build.source, (resources::GitSource{.url = "https://git.example.com/team/app.git",
                                                .semver = ">=1.2.0 <2",
                                                .context_dir = "services/web",
                                                .credentials_secret_ref = NameRef{"git"},
                                                .submodules = true,
                                                .depth = 10}));
  EXPECT_EQ(build.ca_bundle_ref, NameRef{"authorities"});
  EXPECT_EQ(build.trigger, FullTrigger());
  EXPECT_EQ(build.tests, std::vector{FullTest()});
  EXPECT_EQ(build.build, FullBuild());
  EXPECT_EQ(build.scan,
            (resources::ScanSpec{.fail_on = resources::Severity::kCritical,
                                 .ignore_unfixed = false,
                                 .exceptions = {{"CVE-2024-1234", "zlib", "2026-12-24", "unused"}},
                                 .vex = {"our-vex"}}));
  EXPECT_EQ(build.output, (resources::OutputSpec{.repository = "registry.example.com/team/app",
                                                 .push = true,
                                                 .tags = {"{{commit}}", "v1-{{run}}"},
                                                 .move_tags = true,
                                                 .labels = {{"org.opencontainers.image.title", "Größe 1"}},
                                                 .credentials_secret_ref = NameRef{"push"}}));
  EXPECT_EQ(build.report, (resources::ReportSpec{resources::Forge::kGitea, "https://git.example.com/api/v1",
                                                 "slipway/app", NameRef{"status"}}));
  EXPECT_EQ(build.history, (resources::HistorySpec{5, 7, 0, hours(1), hours(24)}));
  EXPECT_TRUE(build.require_approval);
  EXPECT_TRUE(build.suspend);
}

TEST_F(Accept, ADecisionIsReadAsItWasWritten) {
  json object = Clean(GoodDecision(), "mine");
  object["spec"]["actor"] =
      json::parse(Kubectl({"auth", "whoami", "-o", "json"}).text)["status"]["userInfo"]["username"];
  const auto decision = Decoded<resources::Decision>(Create(object));
  const auto wanted = Decoded<resources::Decision>(object);
  EXPECT_EQ(decision.spec, wanted.spec);
  EXPECT_FALSE(GetJson(ns_, "decision", "mine").contains("status"));
}

TEST_F(Accept, APullRequestsBuildKeepsTheSecretOfItsSource) {
  json object = Clean(FullImageBuild(), "pull");
  object["spec"].merge_patch(json::parse(
      R"({"trigger": null, "attest": null, "output": {"push": false, "credentialsSecretRef": null},
    "build": {"baseCredentialsSecretRef": null, "cache": {"credentialsSecretRef": null}}})"));
  EXPECT_FALSE(Decoded<ImageBuild>(Create(object)).spec.output.push);
}

TEST_F(Accept, ThirtyTwoLegsAreNotTooMany) {
  json object = Clean(FullImageBuild(), "legs");
  json& tests = object["spec"]["tests"];
  tests[0]["matrix"] = json::parse(R"([{"name": "A", "values": ["1", "2", "3", "4", "5"]},
    {"name": "B", "values": ["1", "2"]}, {"name": "C", "values": ["1"]}, {"name": "D", "values": ["1", "2", "3"]}])");
  for (const char* name : {"lint", "race"}) {
    json more = tests[0];
    more["name"] = name;
    more.erase("matrix");
    tests.push_back(std::move(more));
  }
  const auto build = Decoded<ImageBuild>(Create(object));
  EXPECT_EQ(build.spec.tests.size(), 3U);
}

// The table's other half: what looks as bad and is allowed. All in one call.
TEST_F(Accept, EveryValueThatWeAcceptTheServerAcceptsToo) {
  const auto values = AcceptedValues();
  EXPECT_GT(values.size(), 150U);
  std::string all;
  for (std::size_t i = 0; i < values.size(); ++i) {
    all += Clean(Planted(values[i]), "a" + std::to_string(i)).dump() + "\n";
  }
  const auto answer = In({"create", "--dry-run=server", "--validate=strict", "-f", "-"}, all);
  EXPECT_TRUE(answer.ok()) << answer.text.substr(0, 4000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NE(answer.text.find("/a" + std::to_string(i) + " created (server dry run)"), std::string::npos)
        << values[i].pointer << " = " << values[i].value.dump().substr(0, 200);
  }
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
  resources::CanaryPromotionSpec spec;
  spec.target = {"web.v1", "app", "web-svc"};
  spec.image = kGoodImage;
  spec.version = "v1.2+3";
  spec.steps = wanted;
  spec.capacity = resources::Capacity::kSurge;
  spec.smoke_tests = {answers, {.name = "more"}};
  spec.progress_deadline = seconds(90);
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
  resources::CanaryStrategy canary;
  canary.steps = wanted;
  canary.capacity = resources::Capacity::kSurge;
  canary.progress_deadline = seconds(90);
  EXPECT_EQ(release.canary, canary);
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
      {"ImageBuild", {"NAME", "READY", "PHASE", "RUN", "WHY", "COMMIT", "DIGEST", "REASON", "AGE"}},
      {"Release", {"NAME", "READY", "PHASE", "COMMIT", "DIGEST", "REASON", "AGE"}},
      {"CanaryPromotion", {"NAME", "READY", "PHASE", "STEP", "WANT%", "GOT%", "REASON", "AGE"}}};
  for (const auto& [kind, words] : rows) {
    Create(Minimal(kind));
    EXPECT_EQ(Headers(In({"get", kind}).text), words);
    Words wide = words;
    if (kind == "ImageBuild") wide.push_back("SUBJECT");
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
      {"imagebuild.spec.trigger.pullRequests", "without Secrets"},
      {"imagebuild.spec.tests.matrix.values", "one leg each"},
      {"decision.spec.actor", "as the API server knows it"},
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
