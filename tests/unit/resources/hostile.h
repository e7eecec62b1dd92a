// Objects of each kind that every rule accepts, and values that no rule may let through: arguments in
// disguise, schemes that run programs, paths that leave the repository, credentials in URLs, characters that
// hide. The table is put to our own checks here, and can be put to an API server that has the CRDs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace slipway::testing {

inline const std::string kGoodImage = "registry.example.com/team/app@sha256:" + std::string(64, 'a');

inline nlohmann::json GoodImageBuild() {
  return nlohmann::json::parse(R"({
    "apiVersion": "slipway.dev/v1alpha1", "kind": "ImageBuild",
    "metadata": {"name": "good", "namespace": "demo", "uid": "u-1", "generation": 1},
    "spec": {
      "source": {"git": {"url": "https://git.example.com/team/app.git", "revision": "main"}},
      "build": {"dockerfile": "build/Dockerfile", "target": "final", "args": [{"name": "MODE", "value": "fast"}],
                "cache": {"repository": "registry.example.com/cache/team"},
                "resources": {"requests": {"cpu": 1, "memory": "512Mi"}, "limits": {"cpu": "1500m"}},
                "timeout": "20m"},
      "output": {"repository": "registry.example.com/team/app", "tags": ["{{commit}}", "v1-{{shortCommit}}"],
                 "labels": {"org.opencontainers.image.title": "Größe 1"}}}})");
}

inline nlohmann::json GoodRelease() {
  auto release = nlohmann::json::parse(R"({
    "apiVersion": "slipway.dev/v1alpha1", "kind": "Release",
    "metadata": {"name": "good", "namespace": "demo", "uid": "u-2", "generation": 1},
    "spec": {"version": "v1.2.3", "target": {"deployment": "web", "container": "web", "service": "web"},
             "strategy": {"canary": {"steps": [{"weight": 10, "hold": "5s"}]}},
             "smokeTests": [{"name": "answers"}]}})");
  release["spec"]["image"] = kGoodImage;
  return release;
}

inline nlohmann::json GoodCanaryPromotion() {
  auto promotion = nlohmann::json::parse(R"({
    "apiVersion": "slipway.dev/v1alpha1", "kind": "CanaryPromotion",
    "metadata": {"name": "good", "namespace": "demo", "uid": "u-3", "generation": 1},
    "spec": {"target": {"deployment": "web", "service": "web"}, "steps": [{"weight": 10}, {"weight": 50}]}})");
  promotion["spec"]["image"] = kGoodImage;
  return promotion;
}

inline nlohmann::json Good(const std::string& kind) {
  if (kind == "ImageBuild") return GoodImageBuild();
  return kind == "Release" ? GoodRelease() : GoodCanaryPromotion();
}

struct Hostile {
  std::string kind;
  std::string pointer;  // where in the good object the value goes (RFC 6901)
  nlohmann::json value;
  std::string field;  // how the refusal begins to name the place: "spec.source.git.url"
};

// Builds the object of a row.
inline nlohmann::json Planted(const Hostile& hostile) {
  nlohmann::json object = Good(hostile.kind);
  object[nlohmann::json::json_pointer(hostile.pointer)] = hostile.value;
  return object;
}

namespace hostile {

inline void Add(std::vector<Hostile>& out, const std::string& kind, const std::string& pointer,
                const std::vector<nlohmann::json>& values, std::string field = "") {
  if (field.empty()) {
    for (const char c : pointer.substr(1)) field += c == '/' ? '.' : c;
  }
  for (const auto& value : values) out.push_back({kind, pointer, value, field});
}

// "\u202e", the mark that makes text after it run from right to left.
inline const std::string kOverride = "\xe2\x80\xae";
inline const std::string kNul("a\0b", 3);

inline void AddSources(std::vector<Hostile>& out) {
  Add(out, "ImageBuild", "/spec/source/git/url",
      {"--upload-pack=touch /tmp/x",
       "-c",
       "ext::sh -c 'id >/tmp/x'",
       "file:///etc/passwd",
       "git://h/x",
       "ssh://git@h/x",
       "git@h:x.git",
       "https://user:pw@git.example.com/x",
       "https://token@git.example.com/x",
       "https://git.example.com/a b",
       "https://git.example.com/x\n",
       "https://git.example.com/../x",
       "https://git.example.com/%2e%2e/x",
       "https://git.example.com/%0ahost=evil",
       "https://git.example.com/x?y=z",
       "https://git.example.com/x#y",
       "https://-oProxyCommand=x/y",
       "https:///etc",
       "https://git.example.com",
       "HTTPS://git.example.com/x",
       "/etc/passwd",
       "../x",
       "",
       "https://git.example.com/" + kOverride,
       "https://git.example.com/" + kNul,
       "https://git.example.com//x",
       "https://[::1]/x",
       "https://git.example.com/" + std::string(1100, 'a'),
       "https://git.example.com\\@evil/x",
       "javascript:x"});
  Add(out, "ImageBuild", "/spec/source/git/revision",
      {"--upload-pack=x",
       "-u",
       "--",
       "HEAD@{1}",
       "a..b",
       "main~1",
       "main^{}",
       "main:path",
       "a b",
       "a\nb",
       kNul,
       kOverride,
       "$(id)",
       "`id`",
       "a;id",
       "a|id",
       "a'b",
       "a\"b",
       "a\\b",
       "refs//heads",
       "*",
       "",
       "+main:main",
       "/main",
       ".main",
       std::string(251, 'a')});
  Add(out, "ImageBuild", "/spec/source/git/contextDir",
      {"../x", "a/../../b", "..", "/etc", "-x", "--context=/", "a b", "a\nb", kNul, "~", "$HOME", "a//b", "",
       "https://h/x", "a\\..\\b", kOverride + "x", std::string(513, 'a')});
  Add(out, "ImageBuild", "/spec/source/git/credentialsSecretRef",
      {{{"name", "../other/secret"}}, {{"name", ""}}, {{"name", "other-ns/secret"}}, {{"name", "Secret"}}},
      "spec.source.git.credentialsSecretRef.name");
}

inline void AddBuilds(std::vector<Hostile>& out) {
  Add(out, "ImageBuild", "/spec/build/dockerfile",
      {"../Dockerfile", "/etc/passwd", "--insecure", "a b", kNul, ""});
  Add(out, "ImageBuild", "/spec/build/target", {"--insecure", "-x", "a b", "a=b", "a\nb", "$(id)"});
  Add(out, "ImageBuild", "/spec/build/args/0/name", {"a=b", "--x", "1a", "a b", "", "a-b", "a\nb"},
      "spec.build.args[0].name");
  Add(out, "ImageBuild", "/spec/build/args/0/value",
      {"a\nb", "a\rb", kNul, kOverride, "\x1b[31m", std::string(1025, 'a')}, "spec.build.args[0].value");
  Add(out, "ImageBuild", "/spec/build/cache/repository",
      {"registry.example.com/team/app", "oci:/etc", "/tmp/x", "registry.example.com/a:tag", "--x"});
  Add(out, "ImageBuild", "/spec/build/timeout", {"1s", "25h", "0s"});
  Add(out, "ImageBuild", "/spec/build/cache/ttl", {"0s", "9000h"});
  Add(out, "ImageBuild", "/spec/build/resources/limits/cpu", {"lots", "-1", "1e999", "1 "},
      "spec.build.resources.limits");
  Add(out, "ImageBuild", "/spec/output/repository",
      {"app", "team/app", "https://registry.example.com/a", "registry.example.com/a:tag",
       "registry.example.com/A", "registry.example.com/a@sha256:" + std::string(64, 'a'),
       "registry.example.com", "registry.example.com/", "registry.example.com/a//b",
       "registry.example.com/../a", "user:pw@registry.example.com/a", "-x/a", "--x",
       "registry.example.com/a b", "registry.example.com/a\n", "oci-archive:/etc/x", "", kOverride,
       "registry.example.com/" + std::string(255, 'a')});
  Add(out, "ImageBuild", "/spec/output/tags/0",
      {"latest", "", "a b", "-a", ".a", "a:b", "{{branch}}", "{{commit", "{{commit}}{{commit}}", "a/b",
       "a\nb", kOverride, std::string(81, 'a')},
      "spec.output.tags[0]");
  Add(out, "ImageBuild", "/spec/output/labels",
      {{{"a=b", "c"}},
       {{"--x", "c"}},
       {{"a b", "c"}},
       {{"", "c"}},
       {{"a", "b\nc"}},
       {{"a", kOverride}},
       {{"a", std::string(513, 'a')}}},
      "spec.output.labels");
  Add(out, "ImageBuild", "/spec/history/successful", {0, -1, 1000});
}

inline void AddDeliveries(std::vector<Hostile>& out) {
  for (const std::string kind : {"Release", "CanaryPromotion"}) {
    Add(out, kind, "/spec/image",
        {"registry.example.com/a:v1", "registry.example.com/a", "registry.example.com/a@sha256:abc",
         "registry.example.com/a@sha512:" + std::string(64, 'a'),
         "registry.example.com/a:v1@sha256:" + std::string(64, 'a'),
         "registry.example.com/a@sha256:" + std::string(64, 'A'), "app@sha256:" + std::string(64, 'a'),
         kGoodImage + "\n", " " + kGoodImage, kGoodImage + "0", "--" + kGoodImage});
    Add(out, kind, "/spec/version", {"a b", "-x", "a\nb", kOverride, "<script>", std::string(129, 'a')});
    Add(out, kind, "/spec/target/deployment", {"../web", "other/web", "Web", "-web", "web\n", ""});
    Add(out, kind, "/spec/target/service", {"a.b", "http://x", "web:80", "metadata.google.internal", ""});
    Add(out, kind, "/spec/target/container", {"a.b", "-a", "A"});
    Add(out, kind, "/spec/smokeTests", {nlohmann::json::array({{{"name", "a"}}, {{"name", "a"}}})},
        "spec.smokeTests[1]");
    for (const std::string path : {"healthPath", "versionPath"}) {
      Add(out, kind, "/spec/smokeTests",
          {nlohmann::json::array({{{path, "http://evil/"}}}), nlohmann::json::array({{{path, "//evil/"}}}),
           nlohmann::json::array({{{path, "/a b"}}}), nlohmann::json::array({{{path, "/a\r\nHost: evil"}}}),
           nlohmann::json::array({{{path, "/../x"}}}), nlohmann::json::array({{{path, "@evil"}}})},
          "spec.smokeTests[0]." + path);
    }
    Add(out, kind, "/spec/smokeTests",
        {nlohmann::json::array({{{"requests", 0}}}), nlohmann::json::array({{{"requests", 1000000}}})},
        "spec.smokeTests[0].requests");
    Add(out, kind, "/spec/smokeTests", {nlohmann::json::array({{{"timeout", "2h"}}})},
        "spec.smokeTests[0].timeout");
    const std::string steps = kind == "Release" ? "/spec/strategy/canary/steps" : "/spec/steps";
    std::string field = kind == "Release" ? "spec.strategy.canary.steps" : "spec.steps";
    Add(out, kind, steps + "/0/weight", {0, 101, -1, 2147483647}, field + "[0].weight");
    Add(out, kind, steps + "/0/hold", {"1000h"}, field + "[0].hold");
    Add(out, kind, steps, {nlohmann::json(1000, {{"weight", 1}})}, field);
  }
  Add(out, "Release", "/spec/imageFrom", {{{"imageBuild", "web"}}}, "spec");
  Add(out, "Release", "/spec/historyLimit", {0, 1000000});
}

}  // namespace hostile

inline std::vector<Hostile> HostileValues() {
  std::vector<Hostile> out;
  hostile::AddSources(out);
  hostile::AddBuilds(out);
  hostile::AddDeliveries(out);
  return out;
}

}  // namespace slipway::testing
