#include "support/operator_process.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/kubectl.h"

namespace slipway::testing {
namespace {

constexpr const char* kSystem = "slipway-system";

std::string Content(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The operator's process in the pod, as soon as it runs: the kubelet reports it a second later. 0: not yet.
pid_t OperatorOf(std::string pod_uid) {
  std::string in_systemd = pod_uid;
  std::ranges::replace(in_systemd, '-', '_');
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (Content(entry.path() / "comm") != "slipway-operato\n") continue;  // cut by the kernel
    const auto group = Content(entry.path() / "cgroup");
    if (group.find(pod_uid) != std::string::npos || group.find(in_systemd) != std::string::npos) {
      return std::stoi(name);
    }
  }
  return 0;
}

}  // namespace

void OperatorProcess::Kill() {
  ASSERT_EQ(::kill(pid_, SIGKILL), 0);
  const auto gone =
      Kubectl({"-n", kSystem, "delete", "pod", pod_, "--grace-period=0", "--force", "--wait=false"});
  ASSERT_TRUE(gone.ok()) << gone.text;
  ASSERT_TRUE(Find());
  Kubectl({"-n", kSystem, "delete", "lease", "slipway-operator", "--wait=false"});
}

bool OperatorProcess::Find() {
  return Eventually(std::chrono::seconds(30), "the operator's process", [this](std::string& seen) {
    const auto pods = GetJson(kSystem, "pods").at("items");
    seen = std::to_string(pods.size()) + " pods";
    for (const auto& pod : pods) {
      const std::string name = pod["metadata"]["name"];
      if (name == pod_ || pod["metadata"].contains("deletionTimestamp")) continue;
      if (const pid_t pid = OperatorOf(pod["metadata"]["uid"]); pid > 0) {
        pod_ = name;
        pid_ = pid;
        return true;
      }
    }
    return false;
  });
}

}  // namespace slipway::testing
