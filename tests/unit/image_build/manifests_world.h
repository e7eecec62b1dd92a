// The Jobs of an ImageBuild that asks for everything, with a Secret for each use, and what is read of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "image_build/manifests.h"
#include "image_build/names.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {

using kube::Json;
using resources::NameRef;
using Strings = std::vector<std::string>;

inline const Tools kTools{.runner_image = "runner@x",
                          .kaniko_image = "kaniko@x",
                          .trivy_image = "trivy@x",
                          .trivy_db_repository = "registry.test:5000/trivy-db:2",
                          .trivy_java_db_repository = "registry.test:5000/trivy-java-db:1"};

// Everything that a spec can ask for, with a Secret for each use.
struct Rendered {
  Rendered() {
    auto& spec = world.build.spec;
    spec.source.credentials_secret_ref = NameRef{"git"};
    spec.build.base_credentials_secret_ref = NameRef{"base"};
    spec.build.cache =
        resources::CacheSpec{"registry.example.com/team/cache", std::chrono::hours(48), NameRef{"cache"}};
    spec.output.credentials_secret_ref = NameRef{"out"};
    spec.report =
        resources::ReportSpec{.api_url = "https://api.example.com", .credentials_secret_ref = {"token"}};
    spec.ca_bundle_ref = NameRef{"authorities"};
    resources::TestSpec test{.name = "unit", .image = kImage, .command = {"go", "test"}};
    test.matrix = {{"OS", {"a"}}};
    spec.tests = {test};
    policy.insecure_registries = {"registry.test:5000"};
    space.service_account = "builder";
    run.number = 1;
    run.ref = "refs/heads/main";
    run.commit.emplace().sha = kSha;
  }
  Json Of(JobRole role, const std::string& leg = "") const {
    const StartJob start{role, leg, JobName(world.build.meta, 1, role, leg)};
    return RenderJob(world.build, run, start, {kTools, policy, space});
  }
  std::vector<Json> All() const {
    return {Of(JobRole::kResolve), Of(JobRole::kTest, "unit OS=a"),
            Of(JobRole::kBuild),   Of(JobRole::kBuild, "linux/arm64"),
            Of(JobRole::kIndex),   Of(JobRole::kReport, "success")};
  }
  World world;
  BuildRun run;
  resources::Policy policy;
  resources::NamespacePolicy space;
};

// The pod's containers in the order in which they run.
inline std::vector<Json> Steps(const Json& job) {
  const auto& pod = job["spec"]["template"]["spec"];
  std::vector<Json> steps;
  if (pod.contains("initContainers")) {
    for (const auto& container : pod["initContainers"]) steps.push_back(container);
  }
  for (const auto& container : pod["containers"]) steps.push_back(container);
  return steps;
}

inline Json Step(const Json& job, const std::string& name) {
  for (auto& container : Steps(job)) {
    if (container["name"] == name) return container;
  }
  ADD_FAILURE() << "no container " << name;
  return {};
}

inline Strings Names(const Json& job) {
  Strings names;
  for (const auto& container : Steps(job)) names.push_back(container["name"]);
  return names;
}

inline bool Has(const Json& container, const std::string& arg) {
  const auto args = container.value("args", Strings{});
  return std::ranges::find(args, arg) != args.end();
}

inline bool Mounts(const Json& container, const std::string& volume) {
  for (const auto& mount : container.value("volumeMounts", Json::array())) {
    if (mount["name"] == volume) return true;
  }
  return false;
}

}  // namespace slipway::image_build
