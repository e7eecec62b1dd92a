// Images that nobody here built: scanned before they are delivered, and again while they run. Trivy and its
// database are real, the database made by hand (hack/testbed).
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "e2e/supply/fixture.h"
#include "support/vulnerable.h"

namespace slipway::testing {
namespace {

namespace fs = std::filesystem;

// What a later database knows of every program.
constexpr const char* kLater = "CVE-2099-0002";

Json ScanGate(const Json& exceptions = Json::array()) {
  Json gates;
  gates["scan"] = {{"failOn", "High"}};
  if (!exceptions.empty()) gates["scan"]["exceptions"] = exceptions;
  return gates;
}

class Scanned : public Supply {
 protected:
  // The sample with a library of known vulnerabilities, by digest; made without an ImageBuild.
  static const std::string& VulnerableImage() {
    static const std::string image = [] {
      const std::string folder = Scratch("vulnerable");
      fs::create_directories(folder + "/site");
      std::ofstream(folder + "/site/index.html") << "<h1>vulnerable</h1>\n";
      const auto made = Execute({SourcePath("hack/cluster"), "image-from", "sample-vulnerable", folder,
                                 "/app/sample", "--base", "sample-base-vulnerable", "--user", "65532:65532",
                                 "--env", "APP_VERSION=vulnerable-1"});
      EXPECT_TRUE(made.ok()) << made.text;
      // What is told of the making comes before it.
      std::string text = made.text;
      while (text.ends_with('\n')) text.pop_back();
      return text.substr(text.rfind('\n') + 1);
    }();
    return image;
  }
  Json ToVulnerable(const Json& gates) const {
    Json spec = Deliver(next_, VulnerableImage(), gates);
    spec["version"] = "vulnerable-1";
    return spec;
  }
  Json Scan() const { return ReleaseStatus().value("scan", Json::object()); }
};

TEST_F(Scanned, AVulnerableImageIsNotDelivered) {
  Refused(ToVulnerable(ScanGate()), "VulnerabilitiesFound",
          {"2 fixable", "CVE-2022-32149 golang.org/x/text", "-> 0.3.8", "spec.gates.scan.exceptions"});
  EXPECT_EQ(Text(Scan(), "/outcome"), "Found");
  EXPECT_EQ(Scan().value("/findings/closing"_json_pointer, 0), 2) << Scan();
  EXPECT_EQ(Ids(Scan().value("/findings/worst"_json_pointer, Json::array())), kHigh);
  EXPECT_FALSE(Text(Scan(), "/findings/database").empty()) << Scan();
}

TEST_F(Scanned, AnExceptionLetsItThroughUntilItsDay) {
  Release(ToVulnerable(ScanGate(Exceptions(kHigh, Day(0)))));
  HasWords(Held("ExceptionExpired"), {"spec.gates.scan.exceptions", "expired on", "CVE-20"});
  EXPECT_TRUE(ReleaseStatus().value("history", Json::array()).empty()) << ReleaseStatus();
  ExpectStable(stable_);
  Release(ToVulnerable(ScanGate(Exceptions(kHigh, Day(30)))));
  const Json entry = Delivered();
  EXPECT_EQ(entry.value("image", ""), VulnerableImage());
  EXPECT_EQ(Ids(Scan().value("/findings/accepted"_json_pointer, Json::array())), kHigh) << Scan();
}

TEST_F(Scanned, ACleanImageIsDeliveredAndItsJobRanWhereThePlatformScans) {
  Release(Deliver(next_, SampleOf(next_).image, ScanGate()));
  Delivered();
  EXPECT_EQ(Text(Scan(), "/outcome"), "Clean");
  const Json job = GetJson(kChain, "job", Text(Scan(), "/job"));
  EXPECT_EQ(Text(job, "/metadata/uid"), Text(Scan(), "/jobUID"));
  EXPECT_EQ(job["spec"]["template"]["spec"].dump().find("-key"), std::string::npos) << "it sees no key";
  const Json jobs = GetJson(ns_, "jobs");
  for (const auto& own : jobs.value("items", Json::array())) {
    EXPECT_NE(Text(own, "/metadata/labels/slipway.dev~1role"), "scan") << "it runs in the tenant's namespace";
  }
}

// Nothing is known of the image then, which is neither clean nor a finding.
TEST_F(Scanned, ARegistryThatDoesNotAnswerIsNotTheImagesFault) {
  const std::string image = "registry.slipway.test:5999/e2e-supply/app@" + SampleOf(next_).Digest();
  Release(Deliver(next_, image, ScanGate()));
  HasWords(Held("ScanFailed"), {"registry.slipway.test:5999"});
  EXPECT_FALSE(Scan().contains("findings")) << Scan();
  EXPECT_TRUE(ReleaseStatus().value("history", Json::array()).empty()) << ReleaseStatus();
  ExpectStable(stable_);
}

// ---- what runs: this changes what the whole cluster scans with ----

constexpr const char* kInterval = "rescanInterval: 1m\n";

class Rescan : public Scanned {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Scanned::SetUp());
    SetInterval(kInterval);
  }
  void TearDown() override {
    SetInterval("");
    PushDatabase("");
    Scanned::TearDown();
  }

  static void PushDatabase(const std::string& later) {
    std::vector<std::string> command{"env", "DATABASE_LATER=" + later, SourcePath("hack/cluster"), "image",
                                     "trivy-db"};
    const auto pushed = Execute(command);
    ASSERT_TRUE(pushed.ok()) << pushed.text;
  }

  // Others' parts of the policy stay as they are; a write that met another one is tried again.
  static void SetInterval(const std::string& line) {
    for (int attempt = 0; attempt < 5; ++attempt) {
      auto map = GetJson("slipway-system", "configmap", "slipway-policy");
      auto policy = map.at("data").at("policy.yaml").get<std::string>();
      const std::string before = kInterval;
      if (const auto at = policy.find(before); at != std::string::npos) policy.erase(at, before.size());
      map["data"]["policy.yaml"] = line + policy;
      if (Kubectl({"-n", "slipway-system", "replace", "-f", "-"}, map.dump()).ok()) return;
    }
    FAIL() << "the policy could not be changed";
  }

  // Waits until condition Vulnerable has that reason; returns its message.
  std::string AwaitVulnerable(const std::string& reason, Seconds limit = Seconds(240)) {
    Json vulnerable;
    EXPECT_TRUE(Eventually(limit, "Vulnerable is " + reason, [&](std::string& seen) {
      vulnerable = Condition(GetJson(ns_, "release", "web"), "Vulnerable");
      seen = vulnerable.dump();
      return vulnerable.is_object() && vulnerable.value("reason", "") == reason;
    }));
    return vulnerable.is_object() ? vulnerable.value("message", "") : "";
  }

  // What the operator's metrics say, of whichever pod leads.
  static std::string Metrics() {
    std::string all;
    const Json pods = GetJson("slipway-system", "pods");
    for (const auto& pod : pods.value("items", Json::array())) {
      const std::string name = Text(pod, "/metadata/name");
      if (!name.starts_with("slipway-operator-")) continue;
      all +=
          Kubectl({"get", "--raw", "/api/v1/namespaces/slipway-system/pods/" + name + ":8080/proxy/metrics"})
              .text;
    }
    return all;
  }
};

TEST_F(Rescan, WhatRunsBecomesVulnerableWhenTheDatabaseGainsAFinding) {
  const std::string image = SampleOf(next_).image;
  Release(Deliver(next_, image, Json()));
  Delivered();
  AwaitVulnerable("NoneFound");
  PushDatabase("1");
  const std::string message = AwaitVulnerable("VulnerabilitiesFound");
  Show(message);
  HasWords(message, {std::string(kLater) + " stdlib", "-> 99.0.0", "1 fixable",
                     "of commit " + SampleOf(next_).version, "Nothing was changed"});
  const Json release = GetJson(ns_, "release", "web");
  EXPECT_EQ(Condition(release, "Vulnerable").value("status", ""), "True");
  EXPECT_EQ(Condition(release, "Ready").value("reason", ""), "Delivered");
  EXPECT_EQ(Text(release, "/status/image"), image);
  EXPECT_EQ(Text(GetJson(ns_, "deployment", "web"), "/spec/template/spec/containers/0/image"), image);
  const std::string labels = "{namespace=\"" + ns_ + "\",release=\"web\"";
  const std::string metrics = Metrics();
  HasWords(metrics, {"slipway_release_findings" + labels + ",severity=\"high\"} 1",
                     "slipway_release_scan_age_seconds" + labels});

  const std::string uid = Text(release, "/status/rescan/jobUID");
  EXPECT_TRUE(Eventually(Seconds(180), "another scan", [&](std::string& seen) {
    const Json rescan = ReleaseStatus().value("rescan", Json::object());
    seen = rescan.dump();
    return Text(rescan, "/jobUID") != uid && rescan.contains("finished");
  }));
  const auto events = EventsOf(ns_, release);
  EXPECT_EQ(std::ranges::count_if(events, [](const auto& e) { return e.first == "VulnerabilitiesFound"; }),
            1);

  // A person bears it, and it is looked at again at once.
  Release(Deliver(next_, image, ScanGate(Exceptions({kLater}, Day(30)))));
  AwaitVulnerable("NoneFound", Seconds(90));
  EXPECT_EQ(ReleaseStatus().value("history", Json::array()).size(), 1U) << "nothing was delivered for it";

  Kubectl({"-n", ns_, "delete", "release", "web", "--wait=true"});
  EXPECT_TRUE(Eventually(Seconds(30), "its figures go", [&](std::string& seen) {
    seen = Metrics();
    return seen.find("slipway_release_findings" + labels) == std::string::npos;
  }));
}

}  // namespace
}  // namespace slipway::testing
