#include "support/hostile.h"
#include "support/hostile_checks.h"

namespace slipway::testing {
namespace {

using nlohmann::json;
using Rows = std::vector<Hostile>;

// Where no field is given it is the pointer with dots for its slashes.
void Add(Rows& out, const std::string& kind, const std::string& pointer, const std::vector<json>& values,
         std::string field = "") {
  if (field.empty()) {
    for (const char c : pointer.substr(1)) field += c == '/' ? '.' : c;
  }
  for (const auto& value : values) out.push_back({kind, pointer, value, field});
}

// "\u202e", the mark that makes text after it run from right to left.
const std::string kOverride = "\xe2\x80\xae";
const std::string kNul("a\0b", 3);
const std::string kEscape = "\x1b[31m";

void AddUrls(Rows& out) {
  Add(out, "ImageBuild", "/spec/source/git/url",
      {"--upload-pack=touch /tmp/x",
       "-c",
       "ext::sh -c 'id >/tmp/x'",
       "fd::17",
       "file:///etc/passwd",
       "git://h/x",
       "ftp://h/x",
       "https://user:pw@git.example.com/x",
       "https://token@git.example.com/x",
       "https://git.example.com/a b",
       "https://git.example.com/x\n",
       "https://git.example.com/../x",
       "https://git.example.com/%2e%2e/x",
       "https://git.example.com/%0ahost=evil",
       "https://git.example.com/x?y=z",
       "https://git.example.com/x#y",
       "https://git.example.com/x;rm",
       "https://git.example.com/`id`",
       "https://git.example.com/$(id)",
       "https://git.example.com/$HOME",
       "https://git.example.com/x'y",
       "https://git.example.com/x\"y",
       "https://git.example.com/x|y",
       "https://git.example.com/x&y",
       "https://git.ex\xd0\xb0mple.com/x",  // a Cyrillic a
       "https://git.example.com\xef\xbc\x8fx",
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
       "https://git.example.com:443443/x",
       "https://git.example.com/" + std::string(1100, 'a'),
       "https://git.example.com\\@evil/x",
       "javascript:x"});
}

void AddSshUrls(Rows& out) {
  Add(out, "ImageBuild", "/spec/source/git/url",
      {"ssh://-oProxyCommand=x/",
       "ssh://-oProxyCommand=x/y",
       "ssh://git@-oProxyCommand=x/y",
       "ssh://-l@git.example.com/x",
       "ssh://git:hunter2@git.example.com/x",
       "ssh://git@git.example.com",
       "ssh://git@git.example.com/../x",
       "ssh://git@git.example.com/a;b",
       "ssh://git@git.example.com/'x'",
       "ssh://git@git.example.com:-p/x",
       "ssh://git@@git.example.com/x",
       "git+ssh://git@git.example.com/x",
       "git@-oProxy:x",
       "git@-oProxyCommand=x:y",
       "-oProxyCommand=x@git.example.com:y",
       "git:hunter2@git.example.com:x",
       "git@git.example.com",
       "git@git.example.com:",
       "git@git.example.com:-x",
       "git@git.example.com:/-x",
       "git@git.example.com:../x",
       "git@git.example.com:a/../../x",
       "git@git.example.com:$(id)",
       "git@git.example.com:`id`",
       "git@git.example.com:a b",
       "git@git.example.com:x\n",
       "git@git.example.com:" + kOverride,
       "git.example.com:x.git",
       "git@h:x:y"});
}

void AddRevisions(Rows& out) {
  const std::vector<json> revisions{"--upload-pack=x",
                                    "--upload-pack=touch /tmp/x",
                                    "-x",
                                    "-u",
                                    "--",
                                    "HEAD@{1}",
                                    "@{u}",
                                    "main@{upstream}",
                                    "a..b",
                                    "main~1",
                                    "main^{}",
                                    "main:path",
                                    "a b",
                                    " main",
                                    "main ",
                                    "a\nb",
                                    "main\n",
                                    kNul,
                                    kOverride,
                                    kEscape,
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
                                    "m\xd0\xb0in",
                                    "[a-z]",
                                    std::string(251, 'a')};
  Add(out, "ImageBuild", "/spec/source/git/revision", revisions);
  for (const json range : {"--upload-pack=x", "-1", " 1", "1.x\n", "$(id)", "1;id", "`id`", "1'", "1\"",
                           "{{commit}}", ">=1 && <2", "1/2"}) {
    Add(out, "ImageBuild", "/spec/source/git", {{{"url", "https://git.example.com/x"}, {"semver", range}}},
        "spec.source.git.semver");
  }
  for (const std::string& range : {kNul, kOverride, std::string(129, '1')}) {
    Add(out, "ImageBuild", "/spec/source/git", {{{"url", "https://git.example.com/x"}, {"semver", range}}},
        "spec.source.git.semver");
  }
  Add(out, "ImageBuild", "/spec/source/git/semver", {"1.x"}, "spec.source.git.revision");  // both
  Add(out, "ImageBuild", "/spec/source/git", {{{"url", "https://git.example.com/x"}}},
      "spec.source.git.revision");  // neither
  Add(out, "ImageBuild", "/spec/source/git", {{{"url", "https://git.example.com/x"}, {"semver", ""}}},
      "spec.source.git");
  Add(out, "ImageBuild", "/spec/source/git/depth", {-1, 1000001});
}

void AddPaths(Rows& out) {
  const std::vector<json> paths{"../x",
                                "a/../../b",
                                "..",
                                "a/..",
                                "/etc",
                                "-x",
                                "--context=/",
                                "a b",
                                "a\nb",
                                "a\n",
                                kNul,
                                "~",
                                "$HOME",
                                "a//b",
                                "",
                                "a;id",
                                "`id`",
                                "a,b",
                                "a:b",
                                "https://h/x",
                                "a\\..\\b",
                                kOverride + "x",
                                std::string(513, 'a')};
  Add(out, "ImageBuild", "/spec/source/git/contextDir", paths);
  Add(out, "ImageBuild", "/spec/build/dockerfile", paths);
}

void AddNames(Rows& out) {
  const std::vector<json> names{"../other/secret", "", "other-ns/secret", "Secret", "-x", "a\n"};
  const std::vector<std::pair<std::string, std::string>> fields{
      {"/spec/source/git/credentialsSecretRef/name", "spec.source.git.credentialsSecretRef.name"},
      {"/spec/build/baseCredentialsSecretRef/name", ""},
      {"/spec/build/cache/credentialsSecretRef/name", ""},
      {"/spec/output/credentialsSecretRef/name", ""},
      {"/spec/trigger/webhook/secretRef/name", ""},
      {"/spec/report/credentialsSecretRef/name", ""},
      {"/spec/caBundleRef/name", ""}};
  for (const auto& [pointer, field] : fields) Add(out, "ImageBuild", pointer, names, field);
}

void AddBuilds(Rows& out) {
  Add(out, "ImageBuild", "/spec/build/target",
      {"--insecure", "-x", "a b", "a=b", "a\nb", "$(id)", "a/b", "a:b", kNul, std::string(129, 'a')});
  Add(out, "ImageBuild", "/spec/build/args/0/name",
      {"a=b", "--x", "1a", "a b", "", "a-b", "a\nb", "a.b", "$A", kNul, "\xd0\xb0"},
      "spec.build.args[0].name");
  Add(out, "ImageBuild", "/spec/build/args/0/value",
      {"a\nb", "a\rb", kNul, kOverride, kEscape, std::string(1025, 'a')}, "spec.build.args[0].value");
  Add(out, "ImageBuild", "/spec/scan/exceptions/0/id",
      {"--x", "-x", "a b", "", "a\nb", "$(id)", "a,b", "\"", kNul, std::string(65, 'a')},
      "spec.scan.exceptions[0].id");
  Add(out, "ImageBuild", "/spec/scan/exceptions/0/expires",
      {"2026-1-1", "2026-02-31", "tomorrow", "", "2026-12-24T00:00:00Z", "2026-12-24\n", "1999-01-01"},
      "spec.scan.exceptions[0]");
  Add(out, "ImageBuild", "/spec/scan/exceptions/0/reason",
      {"", "a\nb", "a\rb", kNul, kEscape, std::string(257, 'a')}, "spec.scan.exceptions[0].reason");
  Add(out, "ImageBuild", "/spec/scan/exceptions/0/package", {"a\nb", kNul, kOverride, std::string(129, 'a')},
      "spec.scan.exceptions[0].package");
  Add(out, "ImageBuild", "/spec/scan/vex/0", {"", "A_B", "../x", "--x", "a/b", "a\n"}, "spec.scan.vex[0]");
  Add(out, "ImageBuild", "/spec/build/cache/repository",
      {"registry.example.com/team/app", "oci:/etc", "/tmp/x", "registry.example.com/a:tag", "--x",
       "registry.example.com/a b", "registry.example.com/a\n", "cache", ""});
  Add(out, "ImageBuild", "/spec/build/platforms/0",
      {"windows/amd64", "linux", "linux/amd64/v9", "--x", "linux/arm64\n", "linux/arm64,linux/amd64", "all",
       "", "linux/../x"},
      "spec.build.platforms[0]");
  Add(out, "ImageBuild", "/spec/build/timeout", {"1s", "25h", "0s"});
  Add(out, "ImageBuild", "/spec/build/retries", {-1, 11});
  Add(out, "ImageBuild", "/spec/build/cache/ttl", {"0s", "9000h"});
  Add(out, "ImageBuild", "/spec/build/resources/limits/cpu", {"lots", "-1", "1e999", "1 "},
      "spec.build.resources.limits");
  Add(out, "ImageBuild", "/spec/history/successful", {0, -1, 1000});
  Add(out, "ImageBuild", "/spec/history/cancelled", {-1, 21});
  Add(out, "ImageBuild", "/spec/history/ttlAfterSuccess", {"0s"});
}

void AddOutputs(Rows& out) {
  Add(out, "ImageBuild", "/spec/output/repository",
      {"app",
       "team/app",
       "https://registry.example.com/a",
       "registry.example.com/a:tag",
       "registry.example.com/A",
       "registry.example.com/a@sha256:" + std::string(64, 'a'),
       "registry.example.com",
       "registry.example.com/",
       "registry.example.com/a//b",
       "registry.example.com/../a",
       "user:pw@registry.example.com/a",
       "-x/a",
       "--x",
       "registry.example.com/a b",
       "registry.example.com/a\n",
       "oci-archive:/etc/x",
       "",
       kOverride,
       "registry.example.com/$(id)",
       "registry.example.com/" + std::string(255, 'a')});
  Add(out, "ImageBuild", "/spec/output/tags/0", {"latest",       "",
                                                 "a b",          "-a",
                                                 "-x",           "--tag=b",
                                                 ".a",           "a:b",
                                                 "{{unknown}}",  "{{commit",
                                                 "{{ commit }}", "{commit}",
                                                 "commit}}",     "a/b",
                                                 "a\nb",         "a\n",
                                                 "$(id)",        "a,b",
                                                 "a@b",          kOverride,
                                                 kNul,           std::string(121, 'a')},
      "spec.output.tags[0]");
  Add(out, "ImageBuild", "/spec/output/labels",
      {{{"a=b", "c"}},
       {{"--x", "c"}},
       {{"a b", "c"}},
       {{"a\nb", "c"}},
       {{"", "c"}},
       {{"a", "b\nc"}},
       {{"a", kOverride}},
       {{"a", kEscape}},
       {{"a", std::string(513, 'a')}}},
      "spec.output.labels");
}

void AddTests(Rows& out) {
  Add(out, "ImageBuild", "/spec/tests/0/name",
      {"", "A", "a b", "-a", "a.b", "a\n", "../a", std::string(41, 'a')}, "spec.tests[0].name");
  Add(out, "ImageBuild", "/spec/tests/0/image",
      {"", "golang", "golang:1.24", "registry.example.com/go:1.24", "registry.example.com/go@sha256:abc",
       "--x", kGoodImage + "\n"},
      "spec.tests[0].image");
  Add(out, "ImageBuild", "/spec/tests/0/command/1",
      {kNul, kOverride, kEscape, "a\rb", std::string(2049, 'a')}, "spec.tests[0].command[1]");
  Add(out, "ImageBuild", "/spec/tests/0/command", {json(17, "a")}, "spec.tests[0].command");
  Add(out, "ImageBuild", "/spec/tests/0/env/0/name", {"", "a=b", "a b", "1a", "a\n", "LD-PRELOAD"},
      "spec.tests[0].env[0].name");
  Add(out, "ImageBuild", "/spec/tests/0/env/0/value", {"a\nb", kNul, kOverride, std::string(1025, 'a')},
      "spec.tests[0].env[0].value");
  Add(out, "ImageBuild", "/spec/tests/0/matrix/0/name", {"", "a=b", "$A", "1a", "a-b"},
      "spec.tests[0].matrix[0].name");
  Add(out, "ImageBuild", "/spec/tests/0/matrix/0/values/0",
      {"", "a\nb", kNul, kOverride, std::string(129, 'a')}, "spec.tests[0].matrix[0].values[0]");
  Add(out, "ImageBuild", "/spec/tests/0/matrix/0/values", {json::array(), json(17, "a")},
      "spec.tests[0].matrix[0].values");
  Add(out, "ImageBuild", "/spec/tests/0/timeout", {"1s", "25h"}, "spec.tests[0].timeout");
}

void AddForges(Rows& out) {
  Add(out, "ImageBuild", "/spec/attest/signer",
      {"", "A", "--key", "../x", "a b", "a\n", kNul, "awskms://a", std::string(64, 'a')});
  Add(out, "ImageBuild", "/spec/attest/sbom/0", {"", "spdx", "Provenance", "--type"}, "spec.attest.sbom[0]");
  Add(out, "ImageBuild", "/spec/report/apiUrl",
      {"", "git.example.com", "file:///etc", "ftp://h/x", "https://user:pw@h/api", "https://h/../x",
       "https://h/a b", "https://h/a?b", "https://h/a#b", "https://h/a\r\nHost: evil", "--x", "https://-x/",
       "https://h//x", kOverride});
  Add(out, "ImageBuild", "/spec/report/context", {"a\nb", kNul, kOverride, kEscape, std::string(101, 'a')});
  Add(out, "ImageBuild", "/spec/trigger/poll/interval", {"1s", "0s", "721h"});
  Add(out, "ImageBuild", "/spec/trigger/baseImages/interval", {"1s", "721h"});
}

// Each part is good, and they are not together.
void AddWholes(Rows& out) {
  const json legs =
      json::array({{{"name", "A"}, {"values", json(3, "a")}}, {{"name", "B"}, {"values", json(11, "a")}}});
  Add(out, "ImageBuild", "/spec/tests/0/matrix", {legs}, "spec.tests");
  const json most = {{"values", json(16, "a")}};
  json axes = json::array({most, most, most, most});
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i]["name"] = "A" + std::to_string(i);
  Add(out, "ImageBuild", "/spec/tests/0/matrix", {axes}, "spec.tests");
  Add(out, "ImageBuild", "/spec/trigger", {{{"pullRequests", json::object()}}}, "spec.trigger.pullRequests");
  const std::string repository = "registry.example.com/team/app";
  Add(out, "ImageBuild", "/spec/output",
      {{{"repository", repository}},
       {{"repository", repository}, {"tags", {"{{run}}", "{{commit}}"}}},
       {{"repository", repository}, {"moveTags", false}}},
      "spec.trigger.baseImages");
  // The full one names Secrets for its base images and its cache.
  Add(out, "ImageBuild", "/spec/output", {{{"repository", repository}, {"push", false}, {"moveTags", true}}},
      "spec.output.push");
}

void AddDecisions(Rows& out) {
  Add(out, "Decision", "/spec/target/kind", {"Pod", "imagebuild", "", "ImageBuild\n"});
  Add(out, "Decision", "/spec/target/name", {"", "../x", "A", "x\n"});
  Add(out, "Decision", "/spec/target/uid", {"", "a b", "*", kNul});
  Add(out, "Decision", "/spec/subject",
      {"", "main", std::string(40, 'C'), std::string(39, 'c'), std::string(41, 'c'),
       std::string(40, 'c') + "\n", "sha256:" + std::string(63, 'a'), "sha512:" + std::string(64, 'a')});
  Add(out, "Decision", "/spec/actor", {"", "a\nb", kOverride, std::string(513, 'a')});
  Add(out, "Decision", "/spec/reason", {"a\nb", kOverride, kEscape, std::string(1025, 'a')});
}

void AddDeliveries(Rows& out, const std::string& kind) {
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
  Add(out, kind, "/spec/smokeTests", {json::array({{{"name", "a"}}, {{"name", "a"}}})}, "spec.smokeTests[1]");
  for (const std::string path : {"healthPath", "versionPath"}) {
    Add(out, kind, "/spec/smokeTests",
        {json::array({{{path, "http://evil/"}}}), json::array({{{path, "//evil/"}}}),
         json::array({{{path, "/a b"}}}), json::array({{{path, "/a\r\nHost: evil"}}}),
         json::array({{{path, "/../x"}}}), json::array({{{path, "@evil"}}})},
        "spec.smokeTests[0]." + path);
  }
  Add(out, kind, "/spec/smokeTests",
      {json::array({{{"requests", 0}}}), json::array({{{"requests", 1000000}}})},
      "spec.smokeTests[0].requests");
  Add(out, kind, "/spec/smokeTests", {json::array({{{"timeout", "2h"}}})}, "spec.smokeTests[0].timeout");
  const std::string steps = kind == "Release" ? "/spec/strategy/canary/steps" : "/spec/steps";
  const std::string field = kind == "Release" ? "spec.strategy.canary.steps" : "spec.steps";
  Add(out, kind, steps + "/0/weight", {0, 101, -1, 2147483647}, field + "[0].weight");
  Add(out, kind, steps + "/0/hold", {"1000h"}, field + "[0].hold");
  Add(out, kind, steps, {json(1000, {{"weight", 1}})}, field);
}

}  // namespace

Rows HostileValues() {
  Rows out;
  AddUrls(out);
  AddSshUrls(out);
  AddRevisions(out);
  AddPaths(out);
  AddNames(out);
  AddBuilds(out);
  AddOutputs(out);
  AddTests(out);
  AddForges(out);
  AddWholes(out);
  AddDecisions(out);
  for (const char* kind : {"Release", "CanaryPromotion"}) {
    AddDeliveries(out, kind);
    AddChecks(out, kind);
  }
  Add(out, "Release", "/spec/imageFrom", {{{"imageBuild", "web"}}}, "spec");
  Add(out, "Release", "/spec/historyLimit", {0, 1000000});
  return out;
}

}  // namespace slipway::testing
