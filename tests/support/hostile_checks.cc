// The rows of hostile values for what deliveries ask of an image, and for how they are made.
#include "support/hostile_checks.h"

namespace slipway::testing {
namespace {

using nlohmann::json;
using Rows = std::vector<Hostile>;

const std::string kOverride = "\xe2\x80\xae";
const std::string kNul("a\0b", 3);
const std::string kEscape = "\x1b[31m";
const std::vector<json> kPaths{"http://evil/", "//evil/", "/a b", "/a\r\nHost: evil",
                               "/../x",        "@evil",   "/a#b", kOverride};
const std::vector<json> kLines{"a\nb", "a\r\nX: y", kNul, kOverride, kEscape};

// Puts `item` with one member changed into the list at `list`, where it is alone.
struct Item {
  std::string kind;
  std::string list;   // "/spec/smokeTests"
  std::string field;  // "spec.smokeTests"
  json item;

  void Plant(Rows& out, const std::string& pointer, const std::vector<json>& values,
             const std::string& named) const {
    for (const auto& value : values) {
      json changed = item;
      changed[json::json_pointer(pointer)] = value;
      out.push_back({kind, list, json::array({changed}), field + "[0]" + named});
    }
  }
};

void AddHttp(Rows& out, const Item& test) {
  test.Plant(out, "/http/0/path", kPaths, ".http[0].path");
  test.Plant(out, "/http/0/headers/0/name",
             {"", "a b", "a:b", "a\r\nb", ":authority", kNul, std::string(129, 'a')},
             ".http[0].headers[0].name");
  test.Plant(out, "/http/0/headers/0/value", kLines, ".http[0].headers[0].value");
  test.Plant(out, "/http/0/expectHeaders/0/value", kLines, ".http[0].expectHeaders[0].value");
  test.Plant(out, "/http/0/body", {kNul, kOverride, kEscape, std::string(2049, 'a')}, ".http[0].body");
  test.Plant(out, "/http/0/bodyContains", {"a\nb", kNul, kOverride, std::string(513, 'a')},
             ".http[0].bodyContains");
  test.Plant(out, "/http/0/jsonPointer", {"items", "/a~2", "/a~", "/\n", kNul, std::string(257, '/')},
             ".http[0].jsonPointer");
  test.Plant(out, "/http/0/jsonEquals", kLines, ".http[0].jsonEquals");
  test.Plant(out, "/http/0/status", {0, 99, 600, -200}, ".http[0].status");
  test.Plant(out, "/http/0/retries", {-1, 11}, ".http[0].retries");
  test.Plant(out, "/http/0/latencyLimit", {"0s", "2m"}, ".http[0].latencyLimit");
  test.Plant(out, "/http", {json(9, {{"path", "/"}})}, ".http");
}

void AddPod(Rows& out, const Item& test) {
  test.Plant(out, "/pod/image",
             {"", "curl", "curl:8", "registry.example.com/curl:8", "registry.example.com/curl@sha256:abc",
              "--x", kGoodImage + "\n"},
             ".pod.image");
  for (const std::string list : {"command", "args"}) {
    test.Plant(out, "/pod/" + list, {json::array({kNul}), json::array({kOverride}), json::array({kEscape})},
               ".pod." + list + "[0]");
    test.Plant(out, "/pod/" + list, {json(33, "a")}, ".pod." + list);
  }
  test.Plant(out, "/pod/env/0/name", {"", "a=b", "a b", "1a", "LD-PRELOAD"}, ".pod.env[0].name");
  test.Plant(out, "/pod/env/0/value", {"a\nb", kNul, kOverride}, ".pod.env[0].value");
  // It runs a program instead of asking.
  test.Plant(out, "/http", {json::array({{{"path", "/"}}})}, "");
}

void AddAnalysis(Rows& out, const std::string& kind, const std::string& at, const std::string& field) {
  const auto compare = [&](const std::string& member, const std::vector<json>& values) {
    for (const auto& value : values)
      out.push_back({kind, at + "/compare/" + member, value, field + ".compare." + member});
  };
  compare("path", kPaths);
  compare("maxPairs", {0, 49, 100001, -1});
  compare("rate", {0, 501});
  compare("errorMargin", {0, 51});
  compare("slowMargin", {0, 51});
  compare("slowerBy", {0, 1001});
  compare("confidence", {0, 79, 100});
  compare("timeout", {"0s", "2h"});
  const Item query{
      kind,
      at + "/prometheus",
      field + ".prometheus",
      {{"name", "errors"}, {"url", "http://prometheus.obs:9090"}, {"query", "up"}, {"max", "0.05"}}};
  query.Plant(out, "/name", {"", "A", "a b", "-a", std::string(64, 'a')}, ".name");
  query.Plant(out, "/url",
              {"", "prometheus:9090", "file:///etc", "http://user:pw@h/", "http://h/../x", "http://h/a b",
               "http://h/?query=x", "http://h/a\r\nHost: evil", "--x", kOverride},
              ".url");
  query.Plant(out, "/query", {"", kNul, kOverride, kEscape, std::string(2049, 'a')}, ".query");
  query.Plant(out, "/max", {"many", "1e9", "NaN", "--1", "1.", " 1", "0x1"}, ".max");
  query.Plant(out, "/min", {"few", "+1", "1,5"}, ".min");
  query.Plant(out, "/count", {0, 1001, -1}, ".count");
  query.Plant(out, "/interval", {"0s", "2h"}, ".interval");
  query.Plant(out, "/failureLimit", {-1, 1001}, ".failureLimit");
  const json boundless = {{"name", "errors"}, {"url", "http://prometheus.obs:9090"}, {"query", "up"}};
  out.push_back({kind, at + "/prometheus", json::array({boundless}), field + ".prometheus[0]"});
}

void AddReleases(Rows& out) {
  const auto add = [&](const std::string& pointer, const std::vector<json>& values,
                       const std::string& field) {
    for (const auto& value : values) out.push_back({"Release", pointer, value, field});
  };
  add("/spec/migration", {{{"command", json::array({kNul})}}, {{"command", json::array({kEscape})}}},
      "spec.migration.command[0]");
  add("/spec/migration", {{{"args", json::array({kOverride})}}}, "spec.migration.args[0]");
  add("/spec/migration", {{{"env", json::array({{{"name", "a=b"}, {"value", "x"}}})}}},
      "spec.migration.env[0].name");
  add("/spec/migration",
      {{{"envFromSecrets", json::array({"../x"})}}, {{"envFromSecrets", json::array({"A"})}}},
      "spec.migration.envFromSecrets[0]");
  add("/spec/migration", {{{"timeout", "25h"}}, {{"timeout", "0s"}}}, "spec.migration.timeout");
  add("/spec/migration", {{{"compatibility", "Breaking"}}}, "spec");
  add("/spec/gates", {{{"approvals", -1}}, {{"approvals", 21}}}, "spec.gates.approvals");
  add("/spec/gates", {{{"soak", "9000h"}}}, "spec.gates.soak");
  for (const json& signer : {json(""), json("A"), json("--key"), json("../x"), json("a b"), json("a\n"),
                             json(kNul), json("awskms://a"), json(std::string(64, 'a'))}) {
    add("/spec/gates/signature", {{{"signer", signer}}}, "spec.gates.signature.signer");
  }
  const json release = {{"signer", "release"}};
  add("/spec/gates", {{{"signature", release}, {"attestations", {"spdx"}}}}, "spec.gates.attestations[0]");
  add("/spec/gates", {{{"signature", release}, {"attestations", {"--type"}}}}, "spec.gates.attestations[0]");
  add("/spec/gates",
      {{{"attestations", {"Provenance"}}}, {{"source", {{"url", "https://git.example.com/a.git"}}}}},
      "spec.gates.signature");
  // Whose they must be is said with what is of deliveries, and with nothing else.
  add("/spec/gates",
      {{{"signature", release}, {"attestations", {"Canary"}}},
       {{"signature", release}, {"attestations", {"Canary"}}, {"attestedIn", json::array()}},
       {{"signature", release}, {"attestations", {"Provenance"}}, {"attestedIn", {"staging"}}},
       {{"signature", release}, {"attestedIn", {"staging"}}}},
      "spec.gates.attestedIn");
  for (const json& environment : {json(""), json("A"), json("a/b"), json("--x"), json("a b"), json("a\n"),
                                  json("\"}"), json(std::string(41, 'a'))}) {
    const json attested = {
        {"signature", release}, {"attestations", {"Canary"}}, {"attestedIn", json::array({environment})}};
    add("/spec/gates", {attested}, "spec.gates.attestedIn[0]");
    if (environment == "") continue;  // the namespace's name
    add("/spec/attest", {{{"signer", "release"}, {"environment", environment}}}, "spec.attest.environment");
  }
  for (const json& signer : {json(""), json("A"), json("--key"), json("../x"), json(std::string(64, 'a'))}) {
    add("/spec/attest", {{{"signer", signer}}}, "spec.attest.signer");
  }
  for (const json& url :
       {json(""), json("--x"), json("file:///etc"), json("https://u:p@h/a"), json("https://h/../a"),
        json("https://h/a?x=\"}"), json("https://h/a\n"), json("ext::sh -c id")}) {
    add("/spec/gates", {{{"signature", release}, {"source", {{"url", url}}}}}, "spec.gates.source.url");
  }
  add("/spec/gates/scan", {{{"failOn", "Unknown"}}, {{"failOn", "HIGH"}}, {{"failOn", "--x"}}},
      "spec.gates.scan.failOn");
  add("/spec/gates/scan", {{{"maxAge", "30s"}}, {{"maxAge", "9000h"}}}, "spec.gates.scan.maxAge");
  const json borne = {{"id", "CVE-1"}, {"expires", "2099-12-24"}, {"reason", "why"}};
  for (const auto& [field, value] :
       {std::pair("id", "--exception"), std::pair("id", "a b"), std::pair("expires", "2099-02-30"),
        std::pair("expires", "soon"), std::pair("reason", "a\nb"), std::pair("package", "a\nb")}) {
    json exception = borne;
    exception[field] = value;
    add("/spec/gates/scan", {{{"exceptions", json::array({exception})}}}, "spec.gates.scan.exceptions[0]");
  }
  add("/spec/gates/scan", {{{"exceptions", json(65, borne)}}}, "spec.gates.scan.exceptions");
  add("/spec/rollback", {{{"fastWindow", "9000h"}}}, "spec.rollback.fastWindow");
  add("/spec/configMaps",
      {json::array({"../x"}), json::array({"A"}), json::array({"a\n"}), json::array({""})},
      "spec.configMaps[0]");
  add("/spec/configMaps", {json(17, "a")}, "spec.configMaps");
  add("/spec/promotesTo", {json::array({{{"name", "../x"}, {"namespace", "prod"}}})},
      "spec.promotesTo[0].name");
  add("/spec/promotesTo", {json::array({{{"name", "web"}, {"namespace", "a.b"}}})},
      "spec.promotesTo[0].namespace");
}

void AddPromotions(Rows& out) {
  const Item version{"CanaryPromotion",
                     "/spec/configMaps",
                     "spec.configMaps",
                     {{"name", "settings"}, {"copy", "settings-slipway-01234567"}}};
  version.Plant(out, "/name", {"", "../x", "A", "a\n"}, ".name");
  version.Plant(out, "/copy", {"", "../x", "A-slipway-01234567"}, ".copy");
  for (const char* copy :
       {"settings", "other-slipway-01234567", "settings-slipway-0123456", "settings-v01234567"}) {
    out.push_back({"CanaryPromotion", "/spec/configMaps",
                   json::array({{{"name", "settings"}, {"copy", copy}}}), "spec"});
  }
}

}  // namespace

void AddChecks(Rows& out, const std::string& kind) {
  for (const std::string list : {"smokeTests", "verification"}) {
    const Item asks{
        kind, "/spec/" + list, "spec." + list,
        json::parse(R"({"name": "a", "http": [{"path": "/", "headers": [{"name": "A", "value": "b"}],
                                    "expectHeaders": [{"name": "A", "value": "b"}]}]})")};
    AddHttp(out, asks);
    Item runs{kind, "/spec/" + list, "spec." + list,
              json::parse(R"({"name": "a", "pod": {"env": [{"name": "A", "value": "b"}]}})")};
    runs.item["pod"]["image"] = kGoodImage;
    AddPod(out, runs);
  }
  const bool release = kind == "Release";
  const std::string at = release ? "/spec/strategy/canary" : "/spec";
  const std::string field = release ? "spec.strategy.canary" : "spec";
  AddAnalysis(out, kind, at + "/analysis", field + ".analysis");
  for (const char* surge : {"-1", "101%%", "ten", "1.5", "100000", " 1", "%"}) {
    out.push_back({kind, at + "/maxSurge", surge, field + ".maxSurge"});
  }
  for (const char* name : {"A", "a b", "-a", "a\n"}) {
    out.push_back({kind, at + "/steps/0/smokeTests", json::array({name}), field + ".steps[0].smokeTests[0]"});
  }
  if (release) {
    AddReleases(out);
  } else {
    AddPromotions(out);
  }
}

}  // namespace slipway::testing
