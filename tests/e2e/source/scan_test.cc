// Nothing is pushed that the gate did not let through: what it finds, what is borne and until when, and what
// it is when nothing can be known. Trivy and its database are real, the database made by hand (hack/testbed).
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "e2e/source/fixture.h"
#include "support/vulnerable.h"

namespace slipway::testing {
namespace {

// Nobody's tags: the repository is not even known.
void ExpectNothingPushed(const std::string& name) {
  const auto listed = Crane({"ls", OfThisRun(name)});
  EXPECT_FALSE(listed.ok()) << listed.text;
  EXPECT_NE(listed.text.find("NAME_UNKNOWN"), std::string::npos) << listed.text;
}

class Scan : public Source {
 protected:
  void StartBuilds() override {
    vulnerable = Push("vulnerable");
    Make("found", Vulnerable("found"));
    Json borne = Vulnerable("borne");
    borne["scan"]["exceptions"] = Exceptions(kHigh, Day(30));
    Make("borne", borne);
    Json expired = Vulnerable("expired");
    expired["scan"]["exceptions"] = Exceptions(kHigh, Day(0));
    Make("expired", expired);
    Json unfixed = Vulnerable("unfixed");
    unfixed["scan"]["exceptions"] = Exceptions(kHigh, Day(30));
    unfixed["scan"]["ignoreUnfixed"] = false;
    Make("unfixed", unfixed);
    Vex();
    Json excused = Vulnerable("excused");
    excused["scan"]["vex"] = {"our-vex"};
    Make("excused", excused);
  }

  Json Vulnerable(const std::string& name) const {
    Json spec = Spec(name, vulnerable);
    spec["output"]["repository"] = OfThisRun(name);
    spec["scan"] = {{"failOn", "High"}};
    return spec;
  }

  void Vex() const {
    Json document = {{"@context", "https://openvex.dev/ns/v0.2.0"},
                     {"@id", "https://slipway.test/vex/1"},
                     {"author", "the story"},
                     {"timestamp", "2026-01-01T00:00:00Z"},
                     {"version", 1}};
    for (const auto& id : kHigh) {
      document["statements"].push_back(
          {{"vulnerability", {{"name", id}}},
           {"products", Json::array({{{"@id", "pkg:golang/golang.org/x/text"}}})},
           {"status", "not_affected"},
           {"justification", "vulnerable_code_not_in_execute_path"}});
    }
    Json map = {{"apiVersion", "v1"}, {"kind", "ConfigMap"}};
    map["metadata"]["name"] = "our-vex";
    map["data"]["openvex.json"] = document.dump();
    Apply(ns_, map.dump());
  }

  inline static std::string vulnerable;
};

TEST_F(Scan, AHighFindingNeverReachesTheRegistry) {
  const Json run = Fails("found", "VulnerabilitiesFound",
                         {"spec.scan.failOn", "2 fixable", "CVE-2022-32149 golang.org/x/text", "-> 0.3.8"});
  const Json& findings = run["findings"];
  EXPECT_EQ(findings.value("closing", 0), 2) << findings;
  EXPECT_EQ(Ids(findings["worst"]), kHigh);
  EXPECT_TRUE(findings.contains("database")) << findings;
  ExpectNothingPushed("found");
}

TEST_F(Scan, AnExceptionLetsItThroughUntilItsDay) {
  const Json run = Succeeds("borne");
  EXPECT_EQ(run["findings"].value("closing", 0), 0);
  EXPECT_EQ(Ids(run["findings"]["accepted"]), kHigh);
  EXPECT_GE(run["findings"].value("high", 0), 2) << "what is borne is counted all the same";
  const auto digest = Crane({"digest", OfThisRun("borne") + ":" + vulnerable});
  EXPECT_EQ(run.value("image", ""), OfThisRun("borne") + "@" + digest.text);
}

// The day on which it expires is the first on which it does not count.
TEST_F(Scan, AnExceptionThatIsOverLetsNothingThrough) {
  const Json run = Fails("expired", "ExceptionExpired", {"spec.scan.exceptions", "expired on", "CVE-20"});
  EXPECT_EQ(Ids(run["findings"]["expired"]), kHigh);
  ExpectNothingPushed("expired");
}

TEST_F(Scan, WhatNobodyHasFixedClosesTheGateWhereItCounts) {
  const Json run = Fails("unfixed", "VulnerabilitiesFound", {"CVE-2099-0001", "no fix"});
  EXPECT_EQ(Ids(run["findings"]["worst"]), std::vector<std::string>{"CVE-2099-0001"});
  ExpectNothingPushed("unfixed");
}

TEST_F(Scan, AVexDocumentSaysWhatDoesNotAffectTheImage) {
  const Json run = Succeeds("excused");
  EXPECT_EQ(run["findings"].value("suppressed", 0), 2) << run["findings"];
  EXPECT_EQ(run["findings"].value("high", 0), 1) << "that nobody has fixed: " << run["findings"];
}

// Its manifest, from the index that a registry without the referrers API keeps under the digest's own tag.
Json ReferrerOf(const std::string& name, const std::string& digest, const std::string& type) {
  const auto index = Crane({"manifest", OfThisRun(name) + ":sha256-" + digest.substr(digest.find(':') + 1)});
  EXPECT_TRUE(index.ok()) << index.text;
  for (const auto& entry : Json::parse(index.text, nullptr, false).value("manifests", Json::array())) {
    if (entry.value("artifactType", "") != type) continue;
    return Json::parse(Crane({"manifest", OfThisRun(name) + "@" + entry.value("digest", "")}).text, nullptr,
                       false);
  }
  ADD_FAILURE() << "no referrer of type " << type << " in " << index.text;
  return Json::object();
}

TEST_F(Scan, TheReportsAreBesideTheImage) {
  const std::string image = Succeeds("borne").value("image", "");
  const std::string digest = image.substr(image.find('@') + 1);
  const std::map<std::string, std::string> reports{
      {"application/sarif+json", "\"$schema\""}, {"application/vnd.slipway.trivy+json", "\"SchemaVersion\""}};
  for (const auto& [type, word] : reports) {
    const Json manifest = ReferrerOf("borne", digest, type);
    EXPECT_EQ(manifest.value("/subject/digest"_json_pointer, ""), digest) << manifest;
    const std::string layer = manifest.value("/layers/0/digest"_json_pointer, "");
    const auto blob = Crane({"blob", OfThisRun("borne") + "@" + layer});
    EXPECT_NE(blob.text.find(word), std::string::npos) << type;
    for (const auto& id : kHigh) EXPECT_NE(blob.text.find(id), std::string::npos) << id << " in " << type;
  }
}

// ---- when nothing can be known: each of these changes what the whole cluster scans with, or kills ----

class ScanBroken : public Scan {
 protected:
  void StartBuilds() override {}

  static void PushDatabase(const std::string& updated) {
    std::vector<std::string> command{"env", "DATABASE_TIME=" + updated, SourcePath("hack/cluster"), "image",
                                     "trivy-db"};
    const auto pushed = Execute(command);
    ASSERT_TRUE(pushed.ok()) << pushed.text;
  }

  Json Once(const std::string& name, const std::string& kind = "good") {
    Json spec = Spec(name, Push(kind));
    spec["output"]["repository"] = OfThisRun(name);
    spec["build"]["retries"] = 0;
    return spec;
  }

  void TearDown() override {
    Source::TearDown();
    Execute({SourcePath("hack/cluster"), "start", "registry"});  // where a story broke off before it did
    PushDatabase("");
  }
};

TEST_F(ScanBroken, ADatabaseThatIsNotThereIsAnErrorAndNotClean) {
  const std::string database = std::string(kPublic) + "/trivy-db";
  const auto digest = Crane({"digest", database + ":2"});
  ASSERT_TRUE(digest.ok()) << digest.text;
  ASSERT_TRUE(Crane({"delete", database + "@" + digest.text}).ok());
  Make("nothing", Once("nothing"));
  Fails("nothing", "DatabaseUnavailable", {"vulnerability database", "MANIFEST_UNKNOWN"});
  ExpectNothingPushed("nothing");
}

TEST_F(ScanBroken, ADatabaseThatIsTooOldIsAReasonOfItsOwn) {
  PushDatabase("2025-01-01T00:00:00Z");
  Make("old", Once("old"));
  Fails("old", "DatabaseTooOld", {"2025-01-01T00:00:00Z", "mirror"});
  ExpectNothingPushed("old");
}

// Trivy's process in the pod of that UID; 0 where it does not run.
pid_t ScannerOf(const std::string& uid) {
  const auto read = [](const std::filesystem::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  };
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const bool here = read(entry.path() / "cgroup").find(uid) != std::string::npos;
    if (here && read(entry.path() / "cmdline").starts_with("/trivy")) return std::stoi(name);
  }
  return 0;
}

// From when its pod is there until the scanner has been seen: it works for a second at most.
pid_t AwaitScanner(const std::string& ns, const std::string& build) {
  std::string uid;
  const auto end = std::chrono::steady_clock::now() + seconds(120);
  while (std::chrono::steady_clock::now() < end) {
    if (uid.empty()) {
      const auto pods = GetJson(ns, "pods");
      for (const auto& pod : pods.value("items", Json::array())) {
        const auto& labels = pod["metadata"]["labels"];
        if (labels.value("slipway.dev/name", "") == build &&
            labels.value("slipway.dev/role", "") == "build") {
          uid = pod["metadata"].value("uid", "");
        }
      }
      continue;
    }
    if (const pid_t scanner = ScannerOf(uid); scanner > 0) return scanner;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return 0;
}

// The registry that has the database dies when the scanner has just begun: it is stopped until then.
TEST_F(ScanBroken, ARegistryThatIsDownIsAnErrorAndNotClean) {
  Make("down", Once("down"));
  const pid_t scanner = AwaitScanner(ns_, "down");
  ASSERT_GT(scanner, 0);
  ASSERT_EQ(::kill(scanner, SIGSTOP), 0);
  const auto killed = Execute({SourcePath("hack/cluster"), "kill", "registry"});
  EXPECT_TRUE(killed.ok()) << killed.text;
  EXPECT_EQ(::kill(scanner, SIGCONT), 0);
  Fails("down", "DatabaseUnavailable", {"vulnerability database", "connection refused"});
  const auto back = Execute({SourcePath("hack/cluster"), "start", "registry"});
  ASSERT_TRUE(back.ok()) << back.text;
  ExpectNothingPushed("down");
}

TEST_F(ScanBroken, AScannerThatIsKilledIsAnErrorAndNotClean) {
  Make("killed", Once("killed"));
  const pid_t scanner = AwaitScanner(ns_, "killed");
  ASSERT_GT(scanner, 0);
  ASSERT_EQ(::kill(scanner, SIGKILL), 0);
  Fails("killed", "ScanError", {"137", "not pushed"});
  ExpectNothingPushed("killed");
}

}  // namespace
}  // namespace slipway::testing
