// What the server refuses, and what a person is told then.
#include <functional>
#include <map>

#include "cluster/crds/fixture.h"
#include "unit/resources/hostile.h"

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
      {"ssh", "ImageBuild", Source("url", "ssh://git@git.example.com/a"), {url, "http:// or https://"}},
      {"scp form", "ImageBuild", Source("url", "git@git.example.com:a.git"), {url, "http:// or https://"}},
      {"git", "ImageBuild", Source("url", "git://git.example.com/a"), {url, "http:// or https://"}},
      {"file", "ImageBuild", Source("url", "file:///etc"), {url, "http:// or https://"}},
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
       {"spec.source.git.revision", "Required"}},
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

// Of the four fields, each pair.
std::vector<Row> Secrets() {
  const char* words = "make a Secret for each";
  const char* source = R"({"git": {"credentialsSecretRef": {"name": "s"}}})";
  const auto spec = [](const std::string& text) { return Spec(text.c_str()); };
  const std::string base = R"("baseCredentialsSecretRef": {"name": "s"})";
  const std::string cache = R"("cache": {"credentialsSecretRef": {"name": "s"}})";
  const std::string output = R"("output": {"credentialsSecretRef": {"name": "s"}})";
  const std::string from = std::string(R"("source": )") + source;
  return {
      {"source and base",
       "ImageBuild",
       spec("{" + from + R"(, "build": {)" + base + "}}"),
       {"spec.build.baseCredentialsSecretRef", "spec.source.git.credentialsSecretRef", words}},
      {"source and cache",
       "ImageBuild",
       spec("{" + from + R"(, "build": {)" + cache + "}}"),
       {"spec.build.cache.credentialsSecretRef", "spec.source.git.credentialsSecretRef", words}},
      {"base and cache",
       "ImageBuild",
       spec(R"({"build": {)" + base + ", " + cache + "}}"),
       {"spec.build.cache.credentialsSecretRef", "spec.build.baseCredentialsSecretRef", words}},
      {"source and output",
       "ImageBuild",
       spec("{" + from + ", " + output + "}"),
       {"spec.output.credentialsSecretRef", "spec.source.git.credentialsSecretRef", words}},
      {"base and output",
       "ImageBuild",
       spec(R"({"build": {)" + base + "}, " + output + "}"),
       {"spec.output.credentialsSecretRef", "spec.build.baseCredentialsSecretRef", words}},
      {"cache and output",
       "ImageBuild",
       spec(R"({"build": {)" + cache + "}, " + output + "}"),
       {"spec.output.credentialsSecretRef", "spec.build.cache.credentialsSecretRef", words}},
  };
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
  for (const auto& rows : {Sources(), Builds(), Secrets(), Deliveries()}) {
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
  EXPECT_GT(values.size(), 200U);
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
