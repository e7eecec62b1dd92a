// A push at the forge is a build in the cluster, at once; what did not come from the forge is nothing at all.
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <limits>
#include <sstream>

#include "e2e/forge/fixture.h"

namespace slipway::testing {
namespace {

using nlohmann::json;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

class Webhook : public Forge {
 protected:
  static void SetUpTestSuite() {
    Start("e2e-webhook", "trigger: {webhook: {secretRef: {name: hook-key}}, onNewCommit: Finish}");
  }

  // One more commit by the forge's API, which says its SHA.
  static std::string Edit() {
    const std::string file = "page-" + std::to_string(system_clock::now().time_since_epoch().count());
    const auto answer =
        json::parse(Call({"api", "POST", "repos/slipway/" + repository_ + "/contents/site/" + file,
                          R"({"content": "aGVsbG8=", "message": "A page", "branch": "main"})"}),
                    nullptr, false);
    return answer.value("/commit/sha"_json_pointer, "");
  }

  // When the receiver had the delivery of that commit, as its log says; epoch: it does not.
  static WallTime DeliveredAt(const std::string& sha) {
    std::istringstream lines(Kubectl({"-n", kNs, "logs", "deploy/slipway-receiver"}).text);
    for (std::string line; std::getline(lines, line);) {
      if (line.find("webhook of") == std::string::npos || line.find(sha) == std::string::npos) continue;
      std::istringstream stamp(line.substr(0, line.find('Z')));
      std::tm parts{};
      char dot = 0;
      int thousandths = 0;
      stamp >> std::get_time(&parts, "%Y-%m-%dT%H:%M:%S") >> dot >> thousandths;
      return system_clock::from_time_t(::timegm(&parts)) + milliseconds(thousandths);
    }
    return {};
  }

  struct Delivery {
    std::string event = "push";
    std::string signature;  // empty: the right one
    std::string method = "POST";
    std::string path = "/hooks/web";
    std::string body;
  };
  static std::string SignatureOf(const std::string& body) {
    const auto said = Execute({"openssl", "dgst", "-sha256", "-hmac", kHookKey, "-r"}, body);
    EXPECT_TRUE(said.ok()) << said.text;
    return said.text.substr(0, 64);
  }
  // What is answered: the status code.
  static std::string Send(const Delivery& delivery) {
    const std::string host(kHook, std::string_view(kHook).find("/hooks/"));
    const std::string signature =
        delivery.signature.empty() ? SignatureOf(delivery.body) : delivery.signature;
    return Execute({"curl",
                    "--silent",
                    "--output",
                    "/dev/null",
                    "--write-out",
                    "%{http_code}",
                    "--max-time",
                    "10",
                    "--request",
                    delivery.method,
                    "--header",
                    "Expect:",
                    "--header",
                    "Content-Type: application/json",
                    "--header",
                    "X-Gitea-Event: " + delivery.event,
                    "--header",
                    "X-Gitea-Signature: " + signature,
                    "--data-binary",
                    "@-",
                    host + delivery.path},
                   delivery.body)
        .text;
  }
  static std::string PushOf(const std::string& ref, const std::string& sha) {
    return json{{"ref", ref},
                {"after", sha},
                {"repository", {{"clone_url", Call({"url", repository_})}, {"default_branch", "main"}}}}
        .dump();
  }
};

TEST_F(Webhook, APushIsABuildJobInUnderASecond) {
  JobWatch jobs;
  std::this_thread::sleep_for(seconds(1));  // the watch stands
  std::string sha;
  auto quickest = std::numeric_limits<std::int64_t>::max();
  for (int push = 1; push <= 3; ++push) {
    const std::size_t before = jobs.Names().size();
    const auto asked = system_clock::now();
    sha = Edit();
    const auto pushed = system_clock::now();
    ASSERT_EQ(sha.size(), 40U);
    const auto made = jobs.Next(before, "web-build-", seconds(20));
    ASSERT_NE(made, WallTime{});
    const auto delivered = DeliveredAt(sha);
    ASSERT_NE(delivered, WallTime{});
    const auto since = [&](WallTime from) { return duration_cast<milliseconds>(made - from).count(); };
    std::cout << "push " << push << ": the build Job is there " << since(delivered)
              << " ms after the delivery, " << since(pushed) << " ms after the push was done, "
              << since(asked) << " ms after it was asked for" << std::endl;
    quickest = std::min(quickest, since(pushed));
    EXPECT_LT(since(delivered), 1000);

    auto run = Run("web");
    EXPECT_EQ(run["commit"]["sha"], sha);
    EXPECT_EQ(run["reason"], "NewCommit");
    EXPECT_EQ(run["cause"], "Webhook: refs/heads/main is at " + sha.substr(0, 12));
    EXPECT_EQ(run["stages"][0]["state"], "Skipped") << run["stages"][0];
    if (push == 3) break;
    const std::string number = std::to_string(run.value("number", 0));
    Kubectl({"-n", kNs, "annotate", "ib", "web", "--overwrite", "slipway.dev/cancel=" + number});
    EXPECT_EQ(WaitRun("web", sha, seconds(20))["failure"]["reason"], "Cancelled");
  }
  // When the forge delivers is its own affair: it can be that soon.
  EXPECT_LT(quickest, 1000);
  // The last is built to its end.
  EXPECT_FALSE(WaitRun("web", sha, seconds(90)).contains("failure"));
  EXPECT_EQ(GetJson(kNs, "imagebuild", "web")["status"]["latest"]["commit"], sha);
  EXPECT_TRUE(Images("e2e-forge/web")["e2e-forge/web"].contains(sha));
  for (const auto& name : jobs.Names()) EXPECT_EQ(name.find("-resolve-"), std::string::npos) << name;
}

TEST_F(Webhook, WhatTheForgeDidNotSignIsRefusedAndBuildsNothing) {
  auto before = GetJson(kNs, "imagebuild", "web");
  const std::string body = PushOf("refs/heads/main", std::string(40, 'a'));
  const std::string wrong = SignatureOf(body + " ");
  const std::string huge = std::string((1U << 20) + 1, ' ');
  EXPECT_EQ(Send({.signature = wrong, .body = body}), "401");
  EXPECT_EQ(Send({.signature = "none", .body = body}), "401");
  EXPECT_EQ(Send({.signature = wrong, .path = "/hooks/other", .body = body}), "401");
  EXPECT_EQ(Send({.path = "/hooks/other", .body = body}), "401") << "a key is for its own build only";
  EXPECT_EQ(Send({.method = "GET", .body = body}), "405");
  EXPECT_EQ(Send({.method = "PUT", .body = body}), "405");
  EXPECT_EQ(Send({.path = "/", .body = body}), "404");
  EXPECT_EQ(Send({.path = "/hook/web", .body = body}), "404");
  EXPECT_EQ(Send({.body = huge}), "413");
  // Signed, and about nothing that is followed here: the signature alone was wrong above.
  EXPECT_EQ(Send({.body = PushOf("refs/heads/other", std::string(40, 'a'))}), "202");
  EXPECT_EQ(Send({.event = "issues", .body = "{}"}), "202");
  EXPECT_EQ(Send({.body = "{"}), "400");
  std::this_thread::sleep_for(seconds(2));
  auto after = GetJson(kNs, "imagebuild", "web");
  EXPECT_EQ(after["metadata"]["annotations"], before["metadata"]["annotations"]);
  EXPECT_EQ(after["status"]["runs"][0]["number"], before["status"]["runs"][0]["number"]);
}

}  // namespace
}  // namespace slipway::testing
