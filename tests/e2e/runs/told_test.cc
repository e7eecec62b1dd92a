// What one whole build tells those who look: `kubectl get -w` line by line, `kubectl describe` with an Event
// a stage; and what stays when it is deleted.
#include <algorithm>
#include <sstream>

#include "e2e/runs/fixture.h"

namespace slipway::testing {
namespace {

class Told : public Runs {
 protected:
  // One Event for how the run began, one a stage in their order, one for its end.
  void Says(const Json& build) {
    std::vector<std::pair<std::string, std::string>> events;
    const bool came = Eventually(Seconds(10), "the last Event", [&](std::string& seen) {
      events = EventsOf(build);
      seen = Json(events).dump();
      return !events.empty() && events.back().first == "Succeeded";
    });
    ASSERT_TRUE(came);
    EXPECT_EQ(events.front().first, "NewSpec") << Json(events);
    std::vector<std::string> done;
    for (const auto& [reason, note] : events) {
      if (reason != "StageDone") continue;
      const std::string rest = note.substr(note.find(": ") + 2);
      done.push_back(rest.substr(0, rest.find(' ')));
    }
    std::ranges::sort(done);
    EXPECT_EQ(done,
              (std::vector<std::string>{"build", "prepare", "push", "resolve", "scan", "source", "test"}))
        << Json(events);
    const auto described = Kubectl({"-n", ns_, "describe", "ib", "web"}).text;
    for (const char* words : {"NewSpec", "resolve is done", "push is done", "Succeeded"}) {
      EXPECT_NE(described.find(words), std::string::npos) << words << " is not in\n" << described;
    }
  }

  void EndsWithoutItsJobs(const Json& build) {
    const auto image = Text(build, "/status/latest/image");
    const auto deleted = Kubectl({"-n", ns_, "delete", "ib", "web", "--timeout=30s"});
    EXPECT_TRUE(deleted.ok()) << deleted.text;
    EXPECT_TRUE(JobsGone(Run(build, 1)["jobs"]));
    const auto manifest = Execute({"crane", "manifest", "--insecure", image});
    EXPECT_TRUE(manifest.ok()) << manifest.text;
  }
};

const std::vector<std::string> kPhases{"Pending",   "Resolving", "Queued",   "Testing", "Cloning",
                                       "Preparing", "Building",  "Scanning", "Pushing", "Succeeded",
                                       "Failed",    "Cancelled", "Suspended"};

// The phases that the lines show, without repetition. The phase is the first word of its kind in a line: a
// reason may be spelled the same, and comes after it.
std::vector<std::string> PhasesOf(const std::vector<std::string>& lines) {
  std::vector<std::string> phases;
  for (const auto& line : lines) {
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (std::ranges::find(kPhases, word) == kPhases.end()) continue;
      if (phases.empty() || phases.back() != word) phases.push_back(word);
      break;
    }
  }
  return phases;
}

TEST_F(Told, ABuildWithTestsTellsItsStoryAndItsImageOutlivesIt) {
  Stream watched({"kubectl", "-n", ns_, "get", "ib", "--watch"});
  Json spec = Spec();
  Json test = Test("test -f Dockerfile && test \"$MODE\" = \"$(MODE)\"");
  test["matrix"] = Json::array({{{"name", "MODE"}, {"values", {"one", "two"}}}});
  spec["tests"] = Json::array({test});
  Create(spec);
  const auto build = WaitReady(ns_, "imagebuild", "web", "True", Seconds(180));

  const auto phases = PhasesOf(watched.Stop());
  ASSERT_FALSE(phases.empty());
  EXPECT_TRUE(std::ranges::is_sorted(phases, {}, [](const std::string& phase) {
    return std::ranges::find(kPhases, phase) - kPhases.begin();
  })) << Json(phases);
  EXPECT_EQ(phases.back(), "Succeeded");
  for (const std::string phase : {"Resolving", "Testing", "Building", "Scanning"}) {
    EXPECT_NE(std::ranges::find(phases, phase), phases.end()) << phase << " is not in " << Json(phases);
  }

  Says(build);
  EndsWithoutItsJobs(build);
}

}  // namespace
}  // namespace slipway::testing
