// Images for named platforms: an index, and a platform that no node of the cluster has.
#include "e2e/runs/fixture.h"

namespace slipway::testing {
namespace {

class Platforms : public Runs {};

TEST_F(Platforms, OneGivesAnIndexAndOneWithoutANodeIsWaitedForUntilTheTimeout) {
  Json both = Spec("both");
  both["build"]["platforms"] = {"linux/amd64", "linux/arm64"};
  both["build"]["timeout"] = "30s";
  Create(both, "both");
  Json spec = Spec();
  spec["build"]["platforms"] = {"linux/amd64"};
  Create(spec);

  // The words that a user looks at while it waits.
  const bool said = Eventually(Seconds(60), "it says what it waits for", [&](std::string& seen) {
    seen = Text(Get("both"), "/status/conditions/0/message");
    return seen.find("waiting for a node") != std::string::npos;
  });
  EXPECT_TRUE(said);
  const auto late = WaitFinished(1, Seconds(90), "both");
  EXPECT_EQ(FailureOf(late), "BuildTimeout") << late;
  EXPECT_NE(Text(late, "/failure/message").find("waiting for a node"), std::string::npos) << late;
  EXPECT_EQ(TagsOf(Image("both")).find(Text(late, "/commit/sha") + "\n"), std::string::npos)
      << "half of an image got its tag";

  const auto built = WaitReady(ns_, "imagebuild", "web", "True", Seconds(150));
  const auto image = Text(built, "/status/latest/image");
  const auto manifest = Execute({"crane", "manifest", "--insecure", image});
  const auto index = Json::parse(manifest.text, nullptr, false);
  ASSERT_TRUE(index.is_object()) << manifest.text;
  const std::string type = Text(index, "/mediaType");
  EXPECT_TRUE(type == "application/vnd.oci.image.index.v1+json" ||
              type == "application/vnd.docker.distribution.manifest.list.v2+json")
      << type;
  ASSERT_EQ(index["manifests"].size(), 1U) << index;
  EXPECT_EQ(index["manifests"][0]["platform"]["os"], "linux");
  EXPECT_EQ(index["manifests"][0]["platform"]["architecture"], "amd64");
  EXPECT_EQ(Stage(Run(built, 1), "index").value("state", ""), "Succeeded");
}

}  // namespace
}  // namespace slipway::testing
