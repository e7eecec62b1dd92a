#include "runner/prepare.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runner/index.h"
#include "runner/oci_folder.h"

namespace slipway::runner {
namespace {

std::string Lines(std::string text) {
  for (char& c : text) {
    if (c == '\0') c = '\n';
  }
  return text;
}

TEST(KanikoArguments, LabelsTellTheBaseAndTheCommit) {
  PrepareOptions options;
  EXPECT_EQ(KanikoArguments(options, std::nullopt, std::nullopt), "");
  options.labels = {"a=b c\nd"};
  options.commit = "abc";
  const auto written = ParseTime("2026-01-02T03:04:05Z");
  EXPECT_EQ(Lines(KanikoArguments(options, BaseImage{{"docker.io/library/busybox", "1", ""}, "sha256:12"},
                                  written)),
            "--label=a=b c\nd\n--label=org.opencontainers.image.revision=abc\n"
            "--label=org.opencontainers.image.created=2026-01-02T03:04:05Z\n"
            "--label=org.opencontainers.image.base.name=docker.io/library/busybox:1\n"
            "--label=org.opencontainers.image.base.digest=sha256:12\n");
}

IndexPart Part(const std::string& manifest, const std::string& config) {
  return {Sha256(manifest), manifest, config};
}

TEST(ComposeIndex, PlatformsComeFromTheConfigs) {
  const IndexPart amd =
      Part(R"({"mediaType":"m/t","config":{}})", R"({"architecture":"amd64","os":"linux"})");
  const IndexPart arm = Part(R"({"config":{} })", R"({"architecture":"arm","os":"linux","variant":"v7"})");
  const auto index = ComposeIndex({amd, arm});
  ASSERT_TRUE(index) << index.error();
  EXPECT_EQ(*index,
            R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)"
            R"({"mediaType":"m/t","size":31,"digest":")" +
                amd.digest +
                R"(","platform":{"architecture":"amd64","os":"linux"}},)"
                R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","size":14,"digest":")" +
                arm.digest + R"(","platform":{"architecture":"arm","os":"linux","variant":"v7"}}]})");
}

TEST(ComposeIndex, Refusals) {
  const IndexPart good = Part(R"({"config":{}})", R"({"architecture":"amd64","os":"linux"})");
  EXPECT_FALSE(ComposeIndex({good, good})) << "one platform twice";
  EXPECT_FALSE(ComposeIndex({Part(R"({"manifests":[]})", "{}")})) << "an index";
  EXPECT_FALSE(ComposeIndex({Part("no JSON", "{}")}));
  EXPECT_FALSE(ComposeIndex({Part(R"({"config":{}})", R"({"architecture":"","os":""})")})) << "no platform";
  EXPECT_FALSE(ComposeIndex({{"sha256:0", good.manifest, good.config}})) << "not the bytes of the digest";
}

TEST(Sha256, OfNothing) {
  EXPECT_EQ(Sha256(""), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace slipway::runner
