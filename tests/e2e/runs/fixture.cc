#include "e2e/runs/fixture.h"

#include <algorithm>

#include "base/time.h"

namespace slipway::testing {

namespace {
constexpr const char* kRegistry = "registry.slipway.test:5000";
}  // namespace

std::string FailureOf(const Json& run) { return Text(run, "/failure/reason"); }

Json Stage(const Json& run, const std::string& name) {
  for (const auto& stage : run.value("stages", Json::array())) {
    if (stage.value("name", "") == name) return stage;
  }
  return Json::object();
}

// ---- the fixture ----

void Runs::SetUp() {
  ASSERT_NO_FATAL_FAILURE(Story::SetUp());
  // It stands on busybox, and hack/install sees to it that it is there.
  const std::string image = std::string(kRegistry) + "/slipway/sample-base";
  const auto digest = Execute({"crane", "digest", "--insecure", image + ":1"});
  ASSERT_TRUE(digest.ok()) << digest.text;
  busybox_ = image + "@" + digest.text.substr(0, std::string_view("sha256:").size() + 64);
}

std::string Runs::Image(const std::string& name) const {
  return std::string(kRegistry) + "/" + ns_ + "/" + name;
}

Json Runs::Spec(const std::string& name) const {
  Json spec;
  spec["source"]["git"] = {{"url", "http://git.slipway.test:8090/" + repository_ + ".git"},
                           {"revision", "main"}};
  spec["build"] = {{"timeout", "4m"}, {"cache", {{"repository", std::string(kRegistry) + "/cache/" + ns_}}}};
  spec["output"]["repository"] = Image(name);
  return spec;
}

Json Runs::Test(const std::string& script, bool fail_fast) const {
  return {{"name", "unit"},
          {"image", busybox_},
          {"command", {"sh", "-c", script}},
          {"failFast", fail_fast},
          {"timeout", "2m"}};
}

// The first process of a container ends by a signal only if it says so: else it is waited for.
std::string Runs::Sleep(int seconds) {
  return "trap 'exit 9' TERM; sleep " + std::to_string(seconds) + " & wait $!";
}

Json Runs::Failing(int seconds) const { return Json::array({Test(Sleep(seconds) + "; exit 3")}); }

void Runs::Create(const Json& spec, const std::string& name) {
  const Json build = {{"apiVersion", "slipway.dev/v1alpha1"},
                      {"kind", "ImageBuild"},
                      {"metadata", {{"name", name}}},
                      {"spec", spec}};
  Apply(ns_, build.dump());
}

void Runs::Patch(const Json& patch, const std::string& name) {
  const auto patched = Kubectl({"-n", ns_, "patch", "imagebuild", name, "--type=merge", "-p", patch.dump()});
  ASSERT_TRUE(patched.ok()) << patched.text;
}

void Runs::Annotate(const std::string& annotation, const std::string& value, const std::string& name) {
  Json patch;
  patch["metadata"]["annotations"][annotation] = value;
  Patch(patch, name);
}

std::string Runs::Seen(const std::string& commit, const std::string& by) const {
  const auto now = std::chrono::floor<TimePoint::duration>(std::chrono::system_clock::now());
  const Json seen = {{"commit", commit},   {"ref", "refs/heads/main"},
                     {"revision", "main"}, {"url", Spec().at("source").at("git").at("url")},
                     {"by", by},           {"time", FormatTime(now)}};
  return seen.dump();
}

void Runs::Observe(const std::string& commit, const std::string& by, const std::string& name) {
  Annotate("slipway.dev/observed-commit", Seen(commit, by), name);
}

Json Runs::Run(const Json& build, int number) {
  const Json::json_pointer runs("/status/runs");
  if (!build.contains(runs)) return Json::object();
  for (const auto& run : build[runs]) {
    if (run.value("number", 0) == number) return run;
  }
  return Json::object();
}

Json Runs::WaitRun(int number, Seconds limit, const std::string& what,
                   const std::function<bool(const Json& run)>& holds, const std::string& name) {
  Json run;
  const std::string title = name + "'s run " + std::to_string(number) + " " + what;
  const bool came = Eventually(limit, title, [&](std::string& seen) {
    const auto build = Get(name);
    run = Run(build, number);
    seen = build.value("status", Json::object()).dump();
    return !run.empty() && holds(run);
  });
  EXPECT_TRUE(came) << title;
  return run;
}

Json Runs::WaitFinished(int number, Seconds limit, const std::string& name) {
  return WaitRun(number, limit, "ends", [](const Json& run) { return run.contains("finished"); }, name);
}

Json Runs::WaitTesting(int number, const std::string& name) {
  return WaitRun(
      number, Seconds(60), "tests",
      [](const Json& run) {
        const auto jobs = run.value("jobs", Json::array());
        return std::ranges::any_of(
            jobs, [](const Json& job) { return job["role"] == "Test" && job.contains("started"); });
      },
      name);
}

bool Runs::JobsGone(const Json& jobs) {
  EXPECT_FALSE(jobs.empty());
  return Eventually(Seconds(30), "the Jobs are gone", [&](std::string& seen) {
    const auto there = Jobs();
    return std::ranges::none_of(there, [&](const Json& job) {
      seen = job["metadata"]["name"];
      return std::ranges::any_of(jobs, [&](const Json& one) { return one["uid"] == job["metadata"]["uid"]; });
    });
  });
}

Json Runs::Running(const Json& run) {
  Json jobs = Json::array();
  for (const auto& job : run.value("jobs", Json::array())) {
    if (job["state"] == "Running") jobs.push_back(job);
  }
  return jobs;
}

std::string Runs::TagsOf(const std::string& repository) {
  const auto tags = Execute({"crane", "ls", "--insecure", repository});
  return tags.ok() ? tags.text : "";
}

}  // namespace slipway::testing
