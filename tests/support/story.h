// One namespace of the cluster, cleaned, with a repository of its own: what each story starts from. The
// operator runs in the cluster from its own image (hack/install); the tests reach it only through kubectl.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "support/kubectl.h"
#include "support/stream.h"

namespace slipway::testing {

// Where traffic and pods are watched from the outside while a story runs.
struct Traffic {
  int ok = 0;
  int failed = 0;
  std::string first_error;
  std::map<std::string, int> versions;
};

class Story : public ::testing::Test {
 protected:
  explicit Story(std::string ns) : ns_(std::move(ns)) {}
  void SetUp() override;
  void TearDown() override;

  // Adds a commit to the repository; returns its SHA. Kinds: good, bad, broken-dockerfile, vulnerable.
  std::string Push(const std::string& kind);
  // An ImageBuild `web` of that revision; waits for nothing.
  void Build(const std::string& revision);
  // The same, until it is Ready; returns the image by digest.
  std::string BuildAndWait(const std::string& revision);
  // The user's Deployment (10 replicas) and Service `web`, serving `image`.
  void Serve(const std::string& image);
  // A Release `web` that follows the ImageBuild.
  void Follow();

  // A CanaryPromotion of that image by hand, with a hold of five minutes; waits until it holds.
  void Hold(const std::string& promotion, const std::string& image);

  void StartTraffic();
  Traffic StopTraffic();

  // From now on every change of the Deployments' ready pods is recorded.
  void WatchCapacity();
  // The smallest sum of ready pods of stable and canary that was there at any moment.
  int LeastCapacity();

  // SIGKILL to the operator's process, then nothing: the kubelet starts it again.
  void KillOperator();

  std::string ns_;
  std::string repository_;
  std::unique_ptr<Stream> capacity_;
};

}  // namespace slipway::testing
