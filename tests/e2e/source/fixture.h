// ImageBuilds made of every kind of source and registry that the test bed has. Specs are JSON: a story starts
// from the smallest one and adds what it is about. A suite starts with no ImageBuild, no Secret of its own
// and a repository of one commit; it starts what its stories wait for all at once, because most of a build's
// time is spent waiting for containers. So the stories of a suite use different names, and build commits by
// their SHA where another moves main.
#pragma once

#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/story.h"

namespace slipway::testing {

using Json = nlohmann::json;
using std::chrono::seconds;

inline constexpr const char* kPublic = "registry.slipway.test:5000";
inline constexpr const char* kPrivate = "private.slipway.test:5001";

class Source : public Story {
 protected:
  Source() : Story("e2e-source") {}
  // Cleans, and starts the suite's builds, before the first story of a suite.
  void SetUp() override;
  virtual void StartBuilds() {}

  // ---- what the story's objects are made of ----

  // The smallest spec: that revision of repository_ over plain HTTP, to kPublic/e2e-source/NAME.
  Json Spec(const std::string& name, const std::string& revision = "main") const;
  void Make(const std::string& name, const Json& spec);
  void BasicAuth(const std::string& password);
  // Secret `git-ssh` with the test bed's key and these known hosts.
  void SshAuth(const std::string& known_hosts);
  // A Secret for kPrivate.
  void DockerConfig(const std::string& name, const std::string& password = "private-testbed");
  // ConfigMap `authority` with the certificate of the test bed's own authority.
  void Authority();
  static Json Ref(const std::string& name) { return {{"name", name}}; }

  // A commit of these files over those of main, on `ref`; its SHA.
  std::string Commit(const std::map<std::string, std::string>& files,
                     const std::string& ref = "refs/heads/main");
  void Tag(const std::string& name);

  // ---- what became of them ----

  // The newest run, when the ImageBuild is Ready; with its failure, when it is not.
  Json Succeeds(const std::string& name, seconds limit = seconds(300));
  Json Fails(const std::string& name, const std::string& reason, std::initializer_list<const char*> words,
             seconds limit = seconds(300));
  Json Runs(const std::string& name) const;
  // The run's Job of that role; of its pod, which is waited for until `stage` is under way.
  static std::string JobOf(const Json& run, const std::string& role);
  std::string PodOf(const std::string& job) const;
  bool ReachesStage(const std::string& name, const std::string& stage, seconds limit = seconds(180));
  // Of a stage, from status.
  static double SecondsOf(const Json& run, const std::string& stage);

  static std::string StateFile(const std::string& relative);
};

// crane's answer, without the newline; of kPrivate with its password.
Output Crane(std::vector<std::string> args);
Output CranePrivate(std::vector<std::string> args);
std::string Repository(const std::string& name, const std::string& registry = kPublic);
// One that no earlier run of the tests has pushed to: where that nothing is pushed is what is looked at.
std::string OfThisRun(const std::string& name);

}  // namespace slipway::testing
