// The namespace e2e-runs: ImageBuilds that a test makes from a spec, and what the cluster then says of them.
// Where a story is about runs and not about images, a test leg of a second or two that fails takes the place
// of a build: a run of resolve and test only, whose end is final.
#pragma once

#include <nlohmann/json.hpp>

#include "support/changes.h"
#include "support/story.h"

namespace slipway::testing {

using Json = nlohmann::json;
using Seconds = std::chrono::seconds;

class Runs : public Story {
 protected:
  Runs() : Story("e2e-runs") {}
  void SetUp() override;

  // Of branch main of this story's repository, into the image NAME, with a cache.
  Json Spec(const std::string& name = "web") const;
  // One test named `unit` of a shell script, in the test bed's busybox.
  Json Test(const std::string& script, bool fail_fast = true) const;
  // A part of such a script.
  static std::string Sleep(int seconds);
  // The same that takes `seconds` and fails: a short run.
  Json Failing(int seconds = 2) const;

  void Create(const Json& spec, const std::string& name = "web");
  void Patch(const Json& patch, const std::string& name = "web");
  void Annotate(const std::string& annotation, const std::string& value, const std::string& name = "web");
  // What the poller would write down: main is at `commit`; and writes it.
  std::string Seen(const std::string& commit, const std::string& by) const;
  void Observe(const std::string& commit, const std::string& by, const std::string& name = "web");

  Json Get(const std::string& name = "web") const { return GetJson(ns_, "imagebuild", name); }
  // The record of a run by its number; {} when there is none.
  static Json Run(const Json& build, int number);
  // Waits until `holds` of the record of that run; returns the record.
  Json WaitRun(int number, Seconds limit, const std::string& what,
               const std::function<bool(const Json& run)>& holds, const std::string& name = "web");
  Json WaitFinished(int number, Seconds limit, const std::string& name = "web");
  // Its first test leg runs.
  Json WaitTesting(int number, const std::string& name = "web");

  Json Jobs() const { return GetJson(ns_, "jobs").at("items"); }
  // Waits until none of these Jobs of a record is there.
  bool JobsGone(const Json& jobs);
  // Those of a record that were under way then.
  static Json Running(const Json& run);
  // Reasons and notes of the Events about an object, oldest first.
  std::vector<std::pair<std::string, std::string>> EventsOf(const Json& object) const {
    return testing::EventsOf(ns_, object);
  }

  std::string Image(const std::string& name = "web") const;
  // The tags of an image repository; empty when there is none.
  static std::string TagsOf(const std::string& repository);

  std::string busybox_;
};

std::string FailureOf(const Json& run);                // its reason; empty: none
Json Stage(const Json& run, const std::string& name);  // {} when it has none

}  // namespace slipway::testing
