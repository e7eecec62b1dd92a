// One namespace of the cluster, cleaned, with a repository of its own: what each story starts from. The
// operator runs in the cluster from its own image (hack/install); the tests reach it only through kubectl.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "support/kubectl.h"
#include "support/stream.h"

namespace slipway::testing {

// What the traffic of a while got, asked from the outside.
struct Traffic {
  struct Second {
    std::string time;  // RFC 3339, at its end
    std::map<std::string, int> versions;
  };
  int ok = 0;
  int failed = 0;
  double seconds = 0;
  std::string errors;                   // the first of all, and each second that had some
  std::map<std::string, int> versions;  // of those that were answered well
  std::vector<Second> each;
};

// The pods of the namespace's Deployments, at every moment that a watch told of.
struct Capacity {
  int moments = 0;
  int least = -1;         // the smallest sum of ready pods of stable and canary
  int least_stable = -1;  // the fewest ready pods of stable
  int most_wanted = 0;    // the largest sum of spec.replicas
};

// An image of the sample application that was made without a build (hack/testbed/sample-image).
struct Sample {
  std::string version;  // what it says that it is; the liar says another
  std::string image;    // by digest
  std::string Digest() const { return image.substr(image.find('@') + 1); }
};

class Story : public ::testing::Test {
 protected:
  explicit Story(std::string ns) : ns_(std::move(ns)) {}
  void SetUp() override;
  void TearDown() override;

  // Adds a commit to the repository; returns its SHA. Kinds: those of hack/testbed/sample-repo.
  std::string Push(const std::string& kind);
  // An ImageBuild `web` of that revision; waits for nothing.
  void Build(const std::string& revision);
  // The same, until it is Ready; returns the image by digest.
  std::string BuildAndWait(const std::string& revision);
  // By kind; the images are made once for each cluster.
  static const Sample& SampleOf(const std::string& kind);
  // The user's Deployment and Service `web`. If there is a ConfigMap `web-config` by then, its key `color` is
  // what /config answers.
  void Deploy(const std::string& image, int replicas = 10);
  // The same, until it serves.
  void Serve(const std::string& image, int replicas = 10);
  // A Release `web` that follows the ImageBuild, by one step that holds so long.
  void Follow(const std::string& hold = "2s");

  // A CanaryPromotion of that image by hand, with a hold of five minutes; waits until it holds.
  void Hold(const std::string& promotion, const std::string& image);

  // A Decision of `user`, or of whoever runs the tests, about the object as it is now. It is named DECISION.
  Output Decide(const std::string& decision, const std::string& verb, const std::string& kind,
                const std::string& name, const std::string& subject, const std::string& user = "");

  // A HorizontalPodAutoscaler on `web`. Nothing measures pods here: it only keeps the number in these bounds.
  void Autoscale(int min, int max);

  // 120 requests a second to that path of the Service, each on a connection of its own.
  void StartTraffic(const std::string& path = "/");
  Traffic StopTraffic();

  // From now on every change of the Deployments' pods is recorded.
  void WatchCapacity();
  Capacity StopCapacity();
  // The smallest sum of ready pods of stable and canary that was there at any moment.
  int LeastCapacity() { return StopCapacity().least; }

  // SIGKILL to the operator's process, then nothing: the kubelet starts it again.
  void KillOperator();

  std::string ns_;
  std::string repository_;
  std::unique_ptr<Stream> capacity_;
  std::size_t there_ = 0;  // the Deployments when the watch began
};

}  // namespace slipway::testing
