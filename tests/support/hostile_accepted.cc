#include "support/hostile.h"

namespace slipway::testing {
namespace {

using nlohmann::json;
using Rows = std::vector<Accepted>;

void Add(Rows& out, const std::string& pointer, const std::vector<json>& values,
         const std::vector<Place>& places = {}) {
  for (const auto& value : values) out.push_back({pointer, value, places});
}

// What a shell, Kubernetes ($(NAME) in arguments), a Dockerfile or a parser of options could read something
// into, and what must come out of it as it went in.
const std::vector<json> kTexts{"",
                               "a b",
                               "a  b ",
                               "a b=c",
                               "--x",
                               "-x",
                               "--destination=evil",
                               "--destination evil",
                               "a --context=dir:///",
                               "$(HOSTNAME)",
                               "$$(HOSTNAME)",
                               "$(id)",
                               "${X}",
                               "$X",
                               "$",
                               "$$",
                               "`id`",
                               "a;id",
                               "a|id&",
                               "'",
                               "\"",
                               "'\"$(id)`;|&",
                               "\\",
                               "\\n",
                               "*",
                               "~",
                               "{{commit}}",
                               "%0a",
                               "<script>",
                               "a,b",
                               "a=b=c",
                               "#",
                               "日本"};

void AddSources(Rows& out) {
  Add(out, "/spec/source/git/url",
      {"http://git.slipway.test:8090/sample.git", "https://github.com/o/r", "https://h/a/b/c.git/",
       "http://10.0.0.1/x", "https://h/-x/--upload-pack", "https://h/~user/x", "https://h/a+b/c",
       "ssh://git@git.example.com/x", "ssh://git.example.com:2222/team/x.git", "ssh://git@h/-x",
       "ssh://git@h/~me/x", "git@git.example.com:team/app.git", "git@h:/srv/x.git", "git@h:~me/x",
       "git@h:a/-x", "deploy_1.x-y@h:x"},
      {{"resolve", "--url="}, {"source", "--url="}});
  Add(out, "/spec/source/git/revision",
      {"main", "v1.2.3", "refs/pull/7/head", std::string(40, 'a'), "feature/x_y-1", "user@work", "release+1",
       "fix-#12", "_x", "a=b", "a--upload-pack=x", "HEAD"},
      {{"resolve", "--revision="}});
  for (const json range :
       {"1.x", ">=1.2.0 <2", "^1.4", "~1.2.3", "1.2 - 1.4", "<2 || >=3, <4", "*", "=1.0.0"}) {
    out.push_back({"/spec/source/git",
                   {{"url", "https://git.example.com/x"}, {"semver", range}},
                   {{"resolve", "--semver="}}});
  }
  Add(out, "/spec/source/git/contextDir", {".", "a", "a/b-c/d_e.f", ".hidden", "@scope/x", "a/--x", "a+b"},
      {{"source", "--context-dir="}, {"prepare", "--context-dir="}});
}

void AddBuilds(Rows& out) {
  Add(out, "/spec/build/dockerfile", {"Dockerfile", "a/--insecure", "Dockerfile.x-y", "@a"},
      {{"source", "--dockerfile="}, {"prepare", "--dockerfile="}});
  Add(out, "/spec/build/target", {"final", "stage-1", "0", "Build_2", "a--insecure"},
      {{"prepare", "--target="}, {"build", "--target="}});
  Add(out, "/spec/build/args/0/value", kTexts,
      {{"prepare", "--build-arg=MODE="}, {"build", "--build-arg=MODE="}});
  Add(out, "/spec/build/args/0/name", {"_", "PATH", "http_proxy", "A1"});
  for (const json& text : kTexts) {
    out.push_back({"/spec/output/labels", {{"title", text}}, {{"build", "--label=title="}}});
  }
  for (const json& text : kTexts) {
    if (text != "") out.push_back({"/spec/scan/exceptions/0/reason", text, {}});
  }
  Add(out, "/spec/scan/exceptions/0/id", {"CVE-2024-1234", "GHSA-xxxx-yyyy-zzzz", "GO-2024-1", "TEMP-0.1_a"});
  Add(out, "/spec/scan/exceptions/0/package",
      {"golang.org/x/text", "lib c++", "@scope/name", "a:b", "--x", "$(X)"});
  Add(out, "/spec/output/repository",
      {"localhost/a", "localhost:5000/a", "registry:5000/a/b", "r.io/a-b/c_d/e.f/g__h/i--j",
       "10.0.0.1:5000/x"},
      {{"push", "--repository="}, {"index", "--repository="}});
  Add(out, "/spec/output/tags/0", {"v1", "latest-x", "_", "a--move-tags", "A.b_c-d", "LATEST"},
      {{"push", "--tag="}, {"index", "--tag="}});
  Add(out, "/spec/output/tags/0",
      {"{{commit}}", "{{shortCommit}}-x", "a-{{commit}}", "latest-{{commit}}", "{{commit}}{{commit}}",
       "{{branch}}-{{run}}", "v{{semver}}", "{{timestamp}}"});
}

void AddTests(Rows& out) {
  // An environment is no argument, but $(NAME) is replaced in it too.
  Add(out, "/spec/tests/0/env/0/value", kTexts);
  for (const json& text : kTexts) {
    if (text != "") Add(out, "/spec/tests/0/matrix/0/values/0", {text});
  }
  // The command is the tester's own, options, scripts and $(NAME) of the matrix.
  Add(out, "/spec/tests/0/command",
      {json::array({"sh", "-c", "set -e\n\tmake $(GO)\n"}), json::array({"--x"}), json::array({""})});
  Add(out, "/spec/report/apiUrl", {"https://api.github.com", "http://10.0.0.1:3000/api/v1/", "https://h/-x"},
      {{"report", "--api-url="}});
  for (const json& text : kTexts) {
    if (text != "") Add(out, "/spec/report/context", {text}, {{"report", "--context="}});
  }
}

}  // namespace

Rows AcceptedValues() {
  Rows out;
  AddSources(out);
  AddBuilds(out);
  AddTests(out);
  return out;
}

}  // namespace slipway::testing
