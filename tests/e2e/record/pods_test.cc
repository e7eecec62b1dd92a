// Runs behind every other story of the layer, for it is about the pods of all of them: the API server's audit
// log has each pod as it was made (hack/testbed/config.sh), also those that are long gone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "e2e/record/sight.h"
#include "support/changes.h"

namespace slipway::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kChain = "slipway-supply-chain";
// Those that hack/install makes: each has cosign.key.
const std::set<std::string> kKeys{"release-key", "other-key"};
// A run of the layer makes more than a thousand; a log that has lost most of them shows nothing.
constexpr int kFewest = 300;
constexpr int kFewestBuilders = 20;
constexpr int kFewestSigners = 3;

struct Recorded {
  std::vector<Json> pods;
  int without_body = 0;
};

bool Made(const Json& event) {
  const std::string below = Text(event, "/objectRef/subresource");
  const int code = event.value("/responseStatus/code"_json_pointer, 0);
  const bool dry = event.value("requestURI", "").find("dryRun=") != std::string::npos;
  return Text(event, "/objectRef/resource") == "pods" && (below.empty() || below == "ephemeralcontainers") &&
         event.value("stage", "") == "ResponseComplete" && code / 100 == 2 && !dry;
}

// A line at a time: the log has hundreds of megabytes.
void Read(const fs::path& file, Recorded& recorded) {
  std::ifstream log(file);
  ASSERT_TRUE(log) << file;
  for (std::string line; std::getline(log, line);) {
    if (line.find("\"resource\":\"pods\"") == std::string::npos) continue;
    const bool writes = line.find("\"verb\":\"create\"") != std::string::npos ||
                        line.find("\"subresource\":\"ephemeralcontainers\"") != std::string::npos;
    if (!writes) continue;
    // The last line may be one that is being written.
    const Json event = Json::parse(line, nullptr, false);
    if (!event.is_object() || !Made(event)) continue;
    const Json pod = event.value("responseObject", Json::object());
    if (pod.contains("spec")) recorded.pods.push_back(pod);
    if (!pod.contains("spec")) ++recorded.without_body;
  }
}

class WholeRun : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const char* log = std::getenv("SLIPWAY_AUDIT_LOG");  // NOLINT(concurrency-mt-unsafe): nothing else runs
    if (log == nullptr) return;
    has_log_ = true;
    const fs::path file(log);
    for (const auto& each : fs::directory_iterator(file.parent_path())) {
      const std::string name = each.path().filename().string();
      // The older ones are named audit-TIME.log.
      if (name.starts_with("audit") && name.ends_with(".log")) Read(each.path(), run_);
    }
  }
  void SetUp() override {
    if (!has_log_) GTEST_SKIP() << "only the test bed's own cluster (hack/cluster) has an audit log to read";
    ASSERT_EQ(run_.without_body, 0)
        << "the API server keeps no bodies of pods: it was started before audit-policy.yaml asked for them; "
           "hack/cluster down, then up";
    ASSERT_GE(run_.pods.size(), kFewest) << "run the whole layer first: hack/test e2e";
  }

  static bool Runs(const Json& container, const char* image) {
    return Text(container, "/image").find(image) != std::string::npos;
  }
  static int PodsThatRun(const char* image) {
    return static_cast<int>(std::ranges::count_if(run_.pods, [image](const Json& pod) {
      return std::ranges::any_of(ContainersOf(pod), [image](const Json& each) { return Runs(each, image); });
    }));
  }
  static std::string NameOf(const Json& pod) {
    return Text(pod, "/metadata/namespace") + "/" + Text(pod, "/metadata/name");
  }

  static inline Recorded run_;
  static inline bool has_log_ = false;
};

// A key is seen by cosign, as its image has it, in the platform's namespace, and by nothing else that ever
// ran: no build, test, check, canary or migration, whose code is the repository's.
TEST_F(WholeRun, NoPodButThoseThatSignWasGivenAKey) {
  int signers = 0;
  for (const Json& pod : run_.pods) {
    if (!Names(pod, kKeys)) continue;
    ++signers;
    EXPECT_EQ(Text(pod, "/metadata/namespace"), kChain) << NameOf(pod);
    EXPECT_EQ(Text(pod, "/metadata/ownerReferences/0/kind"), "Job") << NameOf(pod);
    for (const Json& container : ThatSee(pod, kKeys)) {
      EXPECT_TRUE(Runs(container, "/slipway/cosign@sha256:")) << NameOf(pod) << ": " << container;
      EXPECT_FALSE(container.contains("command")) << NameOf(pod) << ": " << container;
    }
  }
  EXPECT_GE(signers, kFewestSigners);
  EXPECT_GE(PodsThatRun("/slipway/kaniko@sha256:"), kFewestBuilders);
}

// Nothing of the repository is run beside the keys, nor has any pod there an account to ask for them with.
TEST_F(WholeRun, InThePlatformsNamespaceOnlyItsToolsRan) {
  int there = 0;
  for (const Json& pod : run_.pods) {
    if (Text(pod, "/metadata/namespace") != kChain) continue;
    ++there;
    EXPECT_FALSE(pod["spec"].value("automountServiceAccountToken", true)) << NameOf(pod);
    EXPECT_EQ(pod["spec"].dump().find("\"serviceAccountToken\""), std::string::npos) << NameOf(pod);
    for (const Json& container : ContainersOf(pod)) {
      // slipway-runner judges what a scan of a Release found.
      const bool tool = Runs(container, "/slipway/cosign@sha256:") ||
                        Runs(container, "/slipway/trivy@sha256:") ||
                        Runs(container, "/slipway/runner@sha256:");
      EXPECT_TRUE(tool) << NameOf(pod) << ": " << container.value("image", "");
    }
  }
  EXPECT_GE(there, kFewestSigners);
}

}  // namespace
}  // namespace slipway::testing
