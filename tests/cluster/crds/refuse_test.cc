// What the server refuses, and what a person is told then.
#include <functional>
#include <map>

#include "cluster/crds/fixture.h"
#include "support/hostile.h"

namespace slipway::testing {
namespace {

using nlohmann::json;

class Refuse : public Crds {};

struct Row {
  const char* what;
  const char* kind;
  json merge;  // RFC 7386, into a good object
  std::vector<const char*> words;
};

json Spec(const char* text) { return {{"spec", json::parse(text)}}; }
json Source(const char* member, const std::string& value) {
  return {{"spec", {{"source", {{"git", {{member, value}}}}}}}};
}
json Build(const char* member, const std::string& value) {
  return {{"spec", {{"build", {{member, value}}}}}};
}
json Image(const std::string& image) { return {{"spec", {{"image", image}}}}; }

json Many(std::size_t n, const std::function<json(std::size_t)>& item) {
  json list = json::array();
  for (std::size_t i = 0; i < n; ++i) list.push_back(item(i));
  return list;
}

std::vector<Row> Sources() {
  const char* url = "spec.source.git.url";
  return {
      {"an option as an ssh host", "ImageBuild", Source("url", "ssh://-oProxyCommand=x/"), {url, "ssh://"}},
      {"an option in scp form", "ImageBuild", Source("url", "git@-oProxy:x"), {url, "user@host:path"}},
      {"git", "ImageBuild", Source("url", "git://git.example.com/a"), {url, "https://, http://, ssh://"}},
      {"file", "ImageBuild", Source("url", "file:///etc"), {url, "https://, http://, ssh://"}},
      {"ext", "ImageBuild", Source("url", "ext::sh -c id"), {url}},
      {"userinfo",
       "ImageBuild",
       Source("url", "https://me:hunter2@git.example.com/a"),
       {url, "credentialsSecretRef"}},
      {"a long URL", "ImageBuild", Source("url", "https://h.x/" + std::string(1100, 'a')), {url, "1024"}},
      {"an option as a revision",
       "ImageBuild",
       Source("revision", "--upload-pack=x"),
       {"spec.source.git.revision", "not beginning with '-'"}},
      {"a long revision",
       "ImageBuild",
       Source("revision", std::string(300, 'a')),
       {"spec.source.git.revision", "250"}},
      {"a context outside",
       "ImageBuild",
       Source("contextDir", "../x"),
       {"spec.source.git.contextDir", "without '..'"}},
      {"an absolute context",
       "ImageBuild",
       Source("contextDir", "/etc"),
       {"spec.source.git.contextDir", "relative"}},
      {"no revision",
       "ImageBuild",
       Spec(R"({"source": {"git": {"revision": null}}})"),
       {"spec.source.git.revision", "exactly one of revision and semver"}},
      {"both revision and semver",
       "ImageBuild",
       Source("semver", "1.x"),
       {"spec.source.git.revision", "exactly one of revision and semver"}},
      {"an empty revision beside a range",
       "ImageBuild",
       Spec(R"({"source": {"git": {"revision": "", "semver": "1.x"}}})"),
       {"spec.source.git.revision"}},
      {"no output", "ImageBuild", Spec(R"({"output": null})"), {"spec.output", "Required"}},
  };
}

std::vector<Row> Builds() {
  return {
      {"a Dockerfile outside",
       "ImageBuild",
       Build("dockerfile", "a/../../Dockerfile"),
       {"spec.build.dockerfile", "inside the repository"}},
      {"a negative timeout",
       "ImageBuild",
       Build("timeout", "-5m"),
       {"spec.build.timeout", "never negative", "from 10s to 24h"}},
      {"a timeout without a unit",
       "ImageBuild",
       Build("timeout", "90"),
       {"spec.build.timeout", "such as 90s"}},
      {"a timeout that never ends", "ImageBuild", Build("timeout", "999999h"), {"spec.build.timeout", "24h"}},
      {"tag latest",
       "ImageBuild",
       Spec(R"({"output": {"tags": ["latest"]}})"),
       {"spec.output.tags[0]", "'latest'"}},
      {"11 tags",
       "ImageBuild",
       Spec(R"({"output": {"tags": ["1","2","3","4","5","6","7","8","9","10","11"]}})"),
       {"spec.output.tags", "10"}},
      {"a tag in the repository",
       "ImageBuild",
       Spec(R"({"output": {"repository": "registry.example.com/a:v1"}})"),
       {"spec.output.repository", "without scheme, tag or digest"}},
      {"a repository without registry",
       "ImageBuild",
       Spec(R"({"output": {"repository": "team/app"}})"),
       {"spec.output.repository", "registry/path"}},
      {"65 arguments",
       "ImageBuild",
       {{"spec",
         {{"build",
           {{"args", Many(65, [](std::size_t i) { return json{{"name", "A" + std::to_string(i)}}; })}}}}}},
       {"spec.build.args", "64"}},
      {"an argument twice",
       "ImageBuild",
       Spec(R"({"build": {"args": [{"name": "A"}, {"name": "A"}]}})"),
       {"spec.build.args[1]", "Duplicate"}},
      {"a cache that is the output",
       "ImageBuild",
       Spec(R"({"build": {"cache": {"repository": "registry.example.com/team/app"}}})"),
       {"spec.build.cache.repository", "must differ from spec.output.repository"}},
      {"a scan that lets all pass",
       "ImageBuild",
       Spec(R"({"scan": {"failOn": "Unknown"}})"),
       {"spec.scan.failOn", "\"Low\", \"Medium\", \"High\", \"Critical\""}},
      {"a history of none",
       "ImageBuild",
       Spec(R"({"history": {"failed": 0}})"),
       {"spec.history.failed", "1"}},
  };
}

json Legs(const std::vector<std::size_t>& axes) {
  json matrix = json::array();
  for (const std::size_t axis : axes) {
    matrix.push_back({{"name", "A" + std::to_string(matrix.size())},
                      {"values", Many(axis, [](std::size_t i) { return json(std::to_string(i)); })}});
  }
  return {{"name", "t"}, {"image", kGoodImage}, {"matrix", matrix}};
}

json Tests(const std::vector<std::vector<std::size_t>>& tests) {
  json list = json::array();
  for (const auto& axes : tests) {
    list.push_back(Legs(axes));
    list.back()["name"] = "t" + std::to_string(list.size());
  }
  return {{"spec", {{"tests", list}}}};
}

std::vector<Row> Runs() {
  const char* many = "more than 32 legs";
  const char* tags = R"({"output": {"moveTags": false, "tags": ["{{commit}}", "v1-{{run}}"]}})";
  return {
      {"pull requests that nothing tells of",
       "ImageBuild",
       Spec(R"({"trigger": {"webhook": null}})"),
       {"spec.trigger.pullRequests", "needs spec.trigger.webhook"}},
      {"base images under tags that are taken",
       "ImageBuild",
       Spec(tags),
       {"spec.trigger.baseImages", "{{run}}"}},
      {"base images under the default tag",
       "ImageBuild",
       Spec(R"({"output": {"moveTags": null, "tags": null}})"),
       {"spec.trigger.baseImages", "output.moveTags"}},
      {"33 legs in one test", "ImageBuild", Tests({{3, 11}}), {"spec.tests", many}},
      {"33 legs in two tests", "ImageBuild", Tests({{16, 2}, {}}), {"spec.tests", many}},
      {"48 legs by the fourth axis", "ImageBuild", Tests({{2, 2, 2, 6}}), {"spec.tests", many}},
      {"65536 legs", "ImageBuild", Tests({{16, 16, 16, 16}}), {"spec.tests", many}},
      {"an axis of nothing",
       "ImageBuild",
       Tests({{0}}),
       {"spec.tests[0].matrix[0].values", "a value at least"}},
      {"5 axes", "ImageBuild", Tests({{1, 1, 1, 1, 1}}), {"spec.tests[0].matrix", "4"}},
      {"9 tests", "ImageBuild", Tests({{}, {}, {}, {}, {}, {}, {}, {}, {}}), {"spec.tests", "8"}},
      {"7 platforms",
       "ImageBuild",
       {{"spec", {{"build", {{"platforms", json(7, "linux/amd64")}}}}}},
       {"spec.build.platforms", "6"}},
      {"a report without a token",
       "ImageBuild",
       Spec(R"({"report": {"credentialsSecretRef": null}})"),
       {"spec.report.credentialsSecretRef", "Required"}},
  };
}

// What a build that does not push may not name.
std::vector<Row> PullRequests() {
  struct Kept {
    const char* what;
    const char* spec;
  };
  const std::vector<Kept> rows{
      {"output's", R"({"output": {"push": false},
        "build": {"baseCredentialsSecretRef": null, "cache": {"credentialsSecretRef": null}}})"},
      {"the base images'", R"({"output": {"push": false, "credentialsSecretRef": null},
        "build": {"cache": {"credentialsSecretRef": null}}})"},
      {"the cache's", R"({"output": {"push": false, "credentialsSecretRef": null},
        "build": {"baseCredentialsSecretRef": null}})"}};
  std::vector<Row> out;
  for (const Kept& row : rows) {
    out.push_back({row.what, "ImageBuild", Spec(row.spec), {"spec.output.push", "no Secret may be named"}});
  }
  return out;
}

// Of the six fields, each pair: the later one is told.
std::vector<Row> Secrets() {
  static const std::vector<std::string> kFields{
      "source/git/credentialsSecretRef", "build/baseCredentialsSecretRef", "build/cache/credentialsSecretRef",
      "output/credentialsSecretRef",     "trigger/webhook/secretRef",      "report/credentialsSecretRef"};
  static std::vector<std::string> names;
  names.clear();
  for (const auto& field : kFields) {
    std::string name = "spec.";
    for (const char c : field) name += c == '/' ? '.' : c;
    names.push_back(name);
  }
  std::vector<Row> out;
  for (std::size_t later = 0; later < kFields.size(); ++later) {
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      json spec;
      for (const std::size_t i : {earlier, later}) spec[json::json_pointer("/" + kFields[i] + "/name")] = "s";
      out.push_back({names[later].c_str(),
                     "ImageBuild",
                     {{"spec", spec}},
                     {names[later].c_str(), names[earlier].c_str(), "make a Secret for each"}});
    }
  }
  return out;
}

std::vector<Row> Deliveries() {
  const json steps = {{"steps", Many(21, [](std::size_t) { return json{{"weight", 1}}; })}};
  return {
      {"a tag",
       "Release",
       Image("registry.example.com/team/app:v1"),
       {"spec.image", "by digest", "a tag can move"}},
      {"a tag", "CanaryPromotion", Image("registry.example.com/team/app:v1"), {"spec.image", "by digest"}},
      {"latest", "Release", Image("registry.example.com/team/app:latest"), {"spec.image", "by digest"}},
      {"a short digest",
       "Release",
       Image("registry.example.com/a@sha256:abc"),
       {"spec.image", "64 hexadecimal digits"}},
      {"image and imageFrom",
       "Release",
       Spec(R"({"imageFrom": {"imageBuild": "web"}})"),
       {"exactly one of spec.image and spec.imageFrom"}},
      {"neither", "Release", Spec(R"({"image": null})"), {"exactly one of spec.image and spec.imageFrom"}},
      {"weight 0", "CanaryPromotion", Spec(R"({"steps": [{"weight": 0}]})"), {"spec.steps[0].weight", "1"}},
      {"weight 101",
       "CanaryPromotion",
       Spec(R"({"steps": [{"weight": 101}]})"),
       {"spec.steps[0].weight", "100"}},
      {"weight 101",
       "Release",
       Spec(R"({"strategy": {"canary": {"steps": [{"weight": 101}]}}})"),
       {"spec.strategy.canary.steps[0].weight", "100"}},
      {"no steps", "CanaryPromotion", Spec(R"({"steps": []})"), {"spec.steps", "at least 1"}},
      {"21 steps", "CanaryPromotion", {{"spec", steps}}, {"spec.steps", "20"}},
      {"a negative hold",
       "CanaryPromotion",
       Spec(R"({"steps": [{"hold": "-1s"}]})"),
       {"spec.steps[0].hold", "never negative"}},
      {"a negative deadline",
       "CanaryPromotion",
       Spec(R"({"progressDeadline": "-10m"})"),
       {"spec.progressDeadline", "never negative"}},
      {"a test of another host",
       "CanaryPromotion",
       Spec(R"({"smokeTests": [{"healthPath": "//evil/"}]})"),
       {"spec.smokeTests[0].healthPath", "the path of a URL"}},
      {"11 tests",
       "CanaryPromotion",
       {{"spec",
         {{"smokeTests", Many(11, [](std::size_t i) { return json{{"name", "t" + std::to_string(i)}}; })}}}},
       {"spec.smokeTests", "10"}},
      {"a long version",
       "Release",
       Spec((R"({"version": ")" + std::string(200, 'a') + "\"}").c_str()),
       {"spec.version", "128"}},
      {"a history without end", "Release", Spec(R"({"historyLimit": 51})"), {"spec.historyLimit", "50"}},
      {"an unknown capacity",
       "Release",
       Spec(R"({"strategy": {"canary": {"capacity": "Half"}}})"),
       {"spec.strategy.canary.capacity", "\"Split\", \"Surge\""}},
  };
}

TEST_F(Refuse, EachWithItsFieldAndInWordsForAPerson) {
  for (const auto& rows : {Sources(), Builds(), Runs(), PullRequests(), Secrets(), Deliveries()}) {
    for (const Row& row : rows) {
      json object = Clean(Good(row.kind), "bad");
      object.merge_patch(row.merge);
      const auto refused = Try(object);
      EXPECT_FALSE(refused.ok()) << row.what;
      for (const char* word : row.words) {
        EXPECT_NE(refused.text.find(word), std::string::npos)
            << row.what << ": " << word << " is not in: " << refused.text;
      }
      // A person reads no expression, and no credential is repeated.
      for (const char* word : {"matches", "self.", "regex", "hunter2"}) {
        EXPECT_EQ(refused.text.find(word), std::string::npos) << row.what << ": " << refused.text;
      }
    }
  }
}

TEST_F(Refuse, AChangeThatWouldMakeAGoodObjectBad) {
  Create(Clean(GoodRelease(), "good"));
  const auto patched =
      In({"patch", "release", "good", "--type=merge", "-p", R"({"spec":{"image":"x.io/a:v2"}})"});
  EXPECT_FALSE(patched.ok());
  EXPECT_NE(patched.text.find("spec.image"), std::string::npos) << patched.text;
}

TEST_F(Refuse, ADecisionThatWouldChange) {
  json object = Clean(GoodDecision(), "mine");
  object["spec"]["actor"] =
      json::parse(Kubectl({"auth", "whoami", "-o", "json"}).text)["status"]["userInfo"]["username"];
  Create(object);
  for (const char* change :
       {R"({"verb": "Reject"})", R"({"reason": "another"})",
        R"({"subject": "dddddddddddddddddddddddddddddddddddddddd"})", R"({"target": {"name": "other"}})",
        R"({"expires": null})", R"({"expires": "2101-01-01T00:00:00Z"})"}) {
    const auto patched =
        In({"patch", "decision", "mine", "--type=merge", "-p", std::string(R"({"spec":)") + change + "}"});
    EXPECT_FALSE(patched.ok()) << change;
    EXPECT_NE(patched.text.find("never changes"), std::string::npos) << patched.text;
  }
  EXPECT_TRUE(In({"label", "decision", "mine", "a=b"}).ok());
}

// What kubectl prints, by the name of the object that it is about.
std::map<std::string, std::string> ByName(const std::string& text, std::size_t count) {
  std::map<std::string, std::string> said;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = "h" + std::to_string(i);
    const std::size_t at = text.find("\"" + name + "\" is invalid");
    if (at == std::string::npos) continue;
    const std::size_t next = text.find(" is invalid: ", at + name.size() + 16);
    said[name] = text.substr(at, next - at);
  }
  return said;
}

// The table that our own checks are held against (tests/unit/resources), all in one call.
TEST_F(Refuse, EveryHostileValueThatWeRefuseTheServerRefusesToo) {
  const auto values = HostileValues();
  std::string all;
  for (std::size_t i = 0; i < values.size(); ++i) {
    all += Clean(Planted(values[i]), "h" + std::to_string(i)).dump() + "\n";
  }
  const auto answer = In({"create", "--dry-run=server", "--validate=ignore", "-f", "-"}, all);
  EXPECT_FALSE(answer.ok());
  const auto said = ByName(answer.text, values.size());
  EXPECT_GT(values.size(), 400U);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto found = said.find("h" + std::to_string(i));
    if (found == said.end()) {
      ADD_FAILURE() << values[i].kind << " " << values[i].pointer << " = "
                    << values[i].value.dump().substr(0, 200) << " was not refused";
      continue;
    }
    EXPECT_NE(found->second.find(values[i].field), std::string::npos)
        << values[i].field << " is not in: " << found->second.substr(0, 500);
  }
}

}  // namespace
}  // namespace slipway::testing
