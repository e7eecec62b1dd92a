#include "jobs/pods.h"

#include <gtest/gtest.h>

#include <utility>

namespace slipway::jobs {
namespace {

TEST(NewestPod, IsTheNewestThatTheJobsLabelIsOn) {
  kube::ObjectMeta job;
  job.key = {"team", "migrate"};
  job.uid = {"job-uid"};
  const auto made = [](const char* name, int age, bool labelled) {
    resources::Pod pod;
    pod.meta.key = {"team", name};
    pod.meta.created = TimePoint(std::chrono::hours(100)) - std::chrono::minutes(age);
    pod.meta.owners = {{"batch/v1", "Job", "migrate", {"job-uid"}, true}};
    if (labelled) pod.meta.labels[std::string(resources::kJobLabel)] = "migrate";
    return std::make_shared<const resources::Pod>(pod);
  };
  const auto forged = made("forged", 1, false);
  const auto pod = NewestPod(job, {made("old", 9, true), made("new", 5, true), forged});
  ASSERT_NE(pod, nullptr);
  EXPECT_EQ(pod->meta.key.name, "new");
  EXPECT_EQ(NewestPod(job, {forged}), nullptr);
}

TEST(HasEnded, IsSaidByThePhaseAlone) {
  const std::pair<const char*, bool> phases[] = {{"Pending", false}, {"Running", false},  {"Unknown", false},
                                                 {"", false},        {"Succeeded", true}, {"Failed", true}};
  for (const auto& [phase, ended] : phases) {
    resources::Pod pod;
    pod.phase = phase;
    EXPECT_EQ(HasEnded(pod), ended) << phase;
  }
}

}  // namespace
}  // namespace slipway::jobs
