// A repository on a real forge (Gitea, started by hack/cluster forge) and an ImageBuild `web` that follows it
// in namespace e2e-forge, made once for a suite: what the stories of webhooks, pull requests and commit
// statuses start from. Each story makes commits and pull requests of its own, so they run in any order.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "support/kubectl.h"
#include "support/stream.h"

namespace slipway::testing {

inline constexpr const char* kNs = "e2e-forge";
inline constexpr const char* kRegistry = "registry.slipway.test:5000";
inline constexpr const char* kHookKey = "a key for deliveries";

using WallTime = std::chrono::system_clock::time_point;

// When each Job was first seen by a watch, by the host's clock.
class JobWatch {
 public:
  JobWatch();
  JobWatch(const JobWatch&) = delete;
  JobWatch& operator=(const JobWatch&) = delete;
  ~JobWatch();
  // The names of the Jobs that came since the watch began, in that order.
  std::vector<std::string> Names() const;
  // When the first Job came behind the first `count`, whose name has `part` in it; epoch: none within the
  // limit.
  WallTime Next(std::size_t count, const std::string& part, std::chrono::seconds limit) const;

 private:
  void Read();

  Stream stream_;
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, WallTime>> seen_;
  std::atomic<bool> ended_ = false;
  std::thread reader_;
};

class Forge : public ::testing::Test {
 protected:
  // An empty namespace with the Secrets, the repository `repository` with a first commit, the ImageBuild with
  // `more` of its spec, its first run's end, and for hooks its receiver and the forge's hook. What is polled
  // is private: only the Secret opens it.
  enum class Follow : std::uint8_t { kHook, kPoll };
  static void Start(const std::string& repository, const std::string& more, Follow follow = Follow::kHook);
  void TearDown() override;

  // hack/testbed/forge ARGS: its output without the last newline.
  static std::string Call(const std::vector<std::string>& args);
  // One more commit on main; returns its SHA.
  static std::string Push(const std::string& kind) { return Call({"push", repository_, kind}); }
  struct Pull {
    int number = 0;
    std::string sha;
  };
  // `command`: fork-pr or branch-pr.
  static Pull Propose(const std::string& command);
  static std::string PushPull(const Pull& pull) {
    return Call({"push-pr", repository_, std::to_string(pull.number), "good"});
  }

  // The newest run of that ImageBuild; an empty object without one.
  static nlohmann::json Run(const std::string& build);
  // Waits for a run of that commit that has ended; returns it.
  static nlohmann::json WaitRun(const std::string& build, const std::string& sha, std::chrono::seconds limit);
  // Waits for the ImageBuild that was made for the pull request; an empty object without one.
  static nlohmann::json WaitChild(const Pull& pull);
  static void WaitPhase(const std::string& build, const std::string& sha, const std::string& phase,
                        std::chrono::seconds limit);

  // The commit's statuses as "state context: description", oldest first.
  static std::vector<std::string> Statuses(const std::string& sha);
  static void WaitStatus(const std::string& sha, const std::string& status, std::chrono::seconds limit);

  static void Hook();

  static std::string repository_;
  static constexpr const char* kHook = "http://slipway-receiver.e2e-forge.svc.cluster.local/hooks/web";
};

// What is owned by the object of that UID.
std::vector<nlohmann::json> Owned(const std::string& kind, const std::string& uid);
// The pods of all Jobs of an ImageBuild.
std::vector<nlohmann::json> PodsOf(nlohmann::json build);
// The names of all Secrets that are named anywhere in it; "token" for a token of a ServiceAccount.
std::set<std::string> SecretsIn(const nlohmann::json& object);
// The Secrets that one container of the pod can read.
std::set<std::string> SecretsOf(const nlohmann::json& pod, const std::string& container);
// The registry's repositories that begin so, with their tags.
std::map<std::string, std::set<std::string>> Images(const std::string& prefix);

}  // namespace slipway::testing
