// Whatever a spec's texts are, each container gets as many arguments as for harmless texts, each with the
// same flag, and the text whole in one of them. tests/support/hostile.h has the table; that the rest of it is
// refused is tested in tests/unit/resources and, by a real API server, in tests/cluster/crds.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "image_build/manifests.h"
#include "image_build/names.h"
#include "support/hostile.h"
#include "unit/image_build/world.h"

namespace slipway::image_build {
namespace {

using kube::Json;
using slipway::testing::Accepted;
using slipway::testing::Place;
using Strings = std::vector<std::string>;

// Each container of each Job that can be rendered of an ImageBuild, by its name and, where there are several,
// the platform that it is for.
using Containers = std::map<std::string, Json>;

BuildRun RunOf(const ImageBuild& build) {
  BuildRun run;
  run.number = 2;
  const auto& tags = build.spec.output.tags;
  const bool of_branch =
      std::ranges::any_of(tags, [](const std::string& tag) { return tag.contains("{{branch}}"); });
  run.ref = of_branch ? "refs/heads/main" : "refs/tags/v1.2.3";
  run.commit.emplace().sha = kSha;
  run.commit->author_time = kNow;
  run.jobs = {{.role = JobRole::kBuild, .image = kImage}};
  return run;
}

std::vector<StartJob> OneOfEachRole(const ImageBuild& build) {
  std::vector<StartJob> starts{{JobRole::kResolve, "", "resolve"},
                               {JobRole::kBuild, "", "build"},
                               {JobRole::kBuild, "linux/arm64", "build-arm64"},
                               {JobRole::kIndex, "", "index"},
                               {JobRole::kReport, "success", "report"}};
  const auto legs = LegsOf(build.spec.tests);
  starts.push_back({JobRole::kTest, legs.front().name, "test"});
  return starts;
}

Containers Rendered(const Json& object) {
  const Tools tools{.runner_image = "runner@x", .kaniko_image = "kaniko@x", .trivy_image = "trivy@x"};
  const resources::Policy policy;
  const resources::NamespacePolicy space;
  const auto build = ImageBuild::Decode(object);
  EXPECT_TRUE(build) << build.error().message;
  Containers out;
  if (!build) return out;
  for (const StartJob& start : OneOfEachRole(*build)) {
    const Json job = RenderJob(*build, RunOf(*build), start, {tools, policy, space});
    const Json& pod = job.at("spec").at("template").at("spec");
    for (const char* list : {"initContainers", "containers"}) {
      for (const Json& container : pod.value(list, Json::array())) {
        const std::string name = container.at("name");
        const bool again = start.role == JobRole::kTest && name == "source";
        out[again ? "source of test" : name + (start.role == JobRole::kBuild ? start.leg : "")] = container;
      }
    }
  }
  return out;
}

Strings Arguments(const Json& container) {
  auto all = container.value("command", Strings{});
  const auto args = container.value("args", Strings{});
  all.insert(all.end(), args.begin(), args.end());
  return all;
}

// "--build-arg=MODE=x" is "--build-arg"; a word without a flag is "".
std::string FlagOf(const std::string& argument) {
  return argument.starts_with("-") ? argument.substr(0, argument.find('=')) : "";
}

// As it must be written so that Kubernetes, which replaces $(NAME), hands on what was meant.
std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '$' ? "$$" : std::string(1, c);
  return out;
}

// The flags in their order, and the names of the environment.
Strings Shape(const Json& container) {
  Strings shape;
  for (const auto& argument : Arguments(container)) shape.push_back(FlagOf(argument));
  for (const auto& variable : container.value("env", Json::array())) shape.push_back(variable.at("name"));
  return shape;
}

// The text of a row: that of a label or of a range stands inside an object.
std::string TextOf(const Accepted& row) {
  if (row.value.is_string()) return row.value;
  return row.value.contains("semver") ? row.value["semver"] : row.value["title"];
}

bool TestersOwn(const Accepted& row) { return row.pointer == "/spec/tests/0/command"; }

// An empty target or context is one that was left out.
bool LeftOut(const Accepted& row) { return row.value == ""; }

// The same row with a text that nobody could read anything into.
Json Harmless(const Accepted& row) {
  Json value = row.value;
  if (value.is_string()) value = "harmless";
  if (row.pointer.ends_with("/url")) value = "https://h/x";
  if (row.pointer.ends_with("/apiUrl")) value = "https://h/x";
  if (row.pointer.ends_with("/repository")) value = "registry.example.com/x";
  if (value.is_object() && value.contains("semver")) value["semver"] = "1.x";
  if (value.is_object() && value.contains("title")) value["title"] = "harmless";
  return slipway::testing::Planted("ImageBuild", row.pointer, value);
}

TEST(ArgumentSafety, NoValueChangesTheShapeOfAnyArguments) {
  int rows = 0;
  for (const Accepted& row : slipway::testing::AcceptedValues()) {
    if (LeftOut(row) || TestersOwn(row)) continue;
    const Containers plain = Rendered(Harmless(row));
    const Containers hostile = Rendered(slipway::testing::Planted(row));
    ASSERT_EQ(plain.size(), hostile.size());
    for (const auto& [name, container] : hostile) {
      EXPECT_EQ(Shape(container), Shape(plain.at(name)))
          << name << " of " << row.pointer << " = " << row.value;
    }
    ++rows;
  }
  EXPECT_GT(rows, 150);
}

TEST(ArgumentSafety, AValueIsWholeInOneArgumentBehindItsFlag) {
  int seen = 0;
  for (const Accepted& row : slipway::testing::AcceptedValues()) {
    if (LeftOut(row) || row.places.empty()) continue;
    const Containers containers = Rendered(slipway::testing::Planted(row));
    for (const Place& place : row.places) {
      ASSERT_TRUE(containers.contains(place.container)) << place.container;
      const auto arguments = Arguments(containers.at(place.container));
      const std::string whole = place.flag + Escaped(TextOf(row));
      EXPECT_EQ(std::ranges::count(arguments, whole), 1) << place.container << " " << whole;
      ++seen;
    }
  }
  EXPECT_GT(seen, 150);
}

// $(NAME) means something in every argument and every value of the environment, so ours never hold one, nor a
// lone dollar that could become the beginning of one.
TEST(ArgumentSafety, NoDollarOfAValueMeansAnythingToKubernetes) {
  int dollars = 0;
  for (const Accepted& row : slipway::testing::AcceptedValues()) {
    if (TestersOwn(row)) continue;
    for (const auto& [name, container] : Rendered(slipway::testing::Planted(row))) {
      auto texts = name == "test" ? Strings{} : Arguments(container);
      for (const Json& variable : container.value("env", Json::array())) {
        texts.push_back(variable.at("value"));
      }
      for (const auto& text : texts) {
        for (auto at = text.find('$'); at != std::string::npos; at = text.find('$', at + 2)) {
          EXPECT_EQ(text.substr(at, 2), "$$") << name << ": " << text;
          dollars += text.contains(Escaped("$(HOSTNAME)")) ? 1 : 0;
        }
      }
    }
  }
  EXPECT_GT(dollars, 10);
}

// It is a script, or uses a variable of the matrix, as everywhere in Kubernetes.
TEST(ArgumentSafety, TheTestersCommandIsHandedOnAsItIs) {
  int rows = 0;
  for (const Accepted& row : slipway::testing::AcceptedValues()) {
    if (!TestersOwn(row)) continue;
    const auto containers = Rendered(slipway::testing::Planted(row));
    EXPECT_EQ(containers.at("test").at("command"), row.value);
    EXPECT_FALSE(containers.at("test").contains("args"));
    ++rows;
  }
  EXPECT_GT(rows, 2);
}

// No container but a test's has a shell, or anything that reads its arguments as one would.
TEST(ArgumentSafety, NothingIsHandedToAShell) {
  for (const auto& [name, container] : Rendered(slipway::testing::FullImageBuild())) {
    if (name == "test") continue;
    for (const auto& argument : Arguments(container)) {
      EXPECT_NE(argument, "sh") << name;
      EXPECT_NE(argument, "-c") << name;
      EXPECT_FALSE(argument.ends_with("/sh")) << name << " " << argument;
    }
  }
}

}  // namespace
}  // namespace slipway::image_build
