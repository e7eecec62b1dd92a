#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "protocol/runner/registry_server.h"
#include "runner/prepare.h"
#include "runner/registry.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
using ::slipway::testing::Contents;
using ::slipway::testing::Put;
using ::slipway::testing::RegistryServer;
using ::slipway::testing::Scratch;
using Json = nlohmann::json;

class Preparing : public ::testing::Test {
 protected:
  explicit Preparing(RegistryServer::Users users = RegistryServer::Users::kAnyone) : server_(users) {
    Put(scratch_ / "program", "the program");
    options_.source = scratch_ / "source";
    options_.context_dir = "app";
    options_.docker_config = scratch_ / "out/docker";
    options_.tools = scratch_ / "out/tools";
    options_.entrypoint = scratch_ / "program";
    options_.report_path = scratch_ / "report";
  }
  int Prepare(const std::string& dockerfile) {
    Put(scratch_ / "source/app/Dockerfile", dockerfile);
    return RunPrepare(options_);
  }
  Json Report() const { return Json::parse(Contents(scratch_ / "report")); }
  std::string Reason() const { return Report().at("reason"); }
  std::string Message() const { return Report().at("message"); }
  Json Auths() const { return Json::parse(Contents(scratch_ / "out/docker/config.json")).at("auths"); }

  Scratch scratch_;
  RegistryServer server_;
  PrepareOptions options_;
};

class PreparingForAda : public Preparing {
 protected:
  PreparingForAda() : Preparing(RegistryServer::Users::kAda) {}
};

TEST_F(Preparing, TheBasesAreReportedByDigest) {
  const std::string tools = server_.Make(server_ / "base/tools:1", "tools");
  const std::string base = server_.Make(server_ / "base/run:2", "run");
  options_.build_args = {{"VERSION", "2"}};
  options_.facts = scratch_ / "facts.json";
  std::ofstream(options_.facts) << R"({"sha":"abc","authorTime":"2026-01-02T03:04:05Z"})";
  ASSERT_EQ(Prepare("ARG VERSION=1\nFROM " + (server_ / "base/tools:1") + " AS tools\nFROM " +
                    (server_ / "base/run:$VERSION") + "\nCOPY --from=tools / /\n"),
            0);
  EXPECT_EQ(Report(), (Json{{"bases",
                             {{{"image", server_ / "base/tools:1"}, {"digest", tools}},
                              {{"image", server_ / "base/run:2"}, {"digest", base}}}}}));
  const std::string arguments = Contents(scratch_ / "out/tools/arguments");
  for (const std::string& label : {std::string("created=2026-01-02T03:04:05Z"),
                                   "base.name=" + (server_ / "base/run:2"), "base.digest=" + base}) {
    const std::string whole = "--label=org.opencontainers.image." + label + std::string(1, '\0');
    EXPECT_NE(arguments.find(whole), std::string::npos) << label;
  }
  EXPECT_EQ(Contents(scratch_ / "out/tools/entrypoint"), "the program");
  struct stat facts{};
  ASSERT_EQ(::stat((scratch_ / "out/tools/entrypoint").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0555U);
  ASSERT_EQ(::stat((scratch_ / "out/docker/config.json").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0400U);
  EXPECT_EQ(Auths(), Json::object());
  // A container that is started again finds the files of its first try.
  EXPECT_EQ(RunPrepare(options_), 0);
}

TEST_F(Preparing, AMissingBaseIsToldByNameAndLine) {
  EXPECT_EQ(Prepare("# comment\nFROM " + (server_ / "base/none:1")), kImageNotFound);
  EXPECT_EQ(Reason(), "BaseImageNotFound");
  EXPECT_NE(Message().find("Dockerfile:2: "), std::string::npos) << Message();
  EXPECT_NE(Message().find(server_ / "base/none:1"), std::string::npos) << Message();
  EXPECT_FALSE(fs::exists(scratch_ / "out/docker/config.json"));
}

TEST_F(Preparing, ADigestIsNotLookedUp) {
  const std::string image = "127.0.0.1:1/base@sha256:" + std::string(64, '1');
  EXPECT_EQ(Prepare("FROM " + image), 0);
  EXPECT_EQ(Report()["bases"][0]["image"], image);
  EXPECT_EQ(Prepare("FROM scratch"), 0);
  EXPECT_EQ(Report(), (Json{{"bases", Json::array()}}));
  EXPECT_EQ(Contents(scratch_ / "out/tools/arguments"), "");
}

TEST_F(Preparing, ABaseWhoseRegistryIsAway) {
  EXPECT_EQ(Prepare("FROM 127.0.0.1:1/base"), kRegistryUnreachable);
  EXPECT_EQ(Reason(), "RegistryUnreachable");
}

TEST_F(Preparing, ADockerfileThatCantBeRead) {
  EXPECT_EQ(Prepare("FROM $BASE"), kDockerfileInvalid);
  EXPECT_EQ(Reason(), "DockerfileInvalid");
  EXPECT_TRUE(Message().starts_with("Dockerfile:1: ")) << Message();
  options_.dockerfile = "missing";
  EXPECT_EQ(Prepare("FROM scratch"), kDockerfileInvalid);
  fs::create_symlink(scratch_ / "outside", scratch_ / "source/app/link");
  Put(scratch_ / "outside", "FROM scratch");
  options_.dockerfile = "link";
  EXPECT_EQ(Prepare("FROM scratch"), kDockerfileInvalid) << "a link that leads out of the source";
  options_.dockerfile = "../../outside";
  EXPECT_EQ(Prepare("FROM scratch"), kDockerfileInvalid);
}

TEST_F(PreparingForAda, ABaseThatIsDenied) {
  server_.Make(server_ / "base/run:1", "run");
  EXPECT_EQ(Prepare("FROM " + (server_ / "base/run:1")), kRegistryDenied);
  EXPECT_EQ(Reason(), "BaseImageDenied");
  EXPECT_TRUE(Message().starts_with("Dockerfile:1: ")) << Message();
  options_.base_credentials = server_.Credentials("base", server_.host());
  EXPECT_EQ(Prepare("FROM " + (server_ / "base/run:1")), 0);
  EXPECT_EQ(Auths(),
            (Json{{server_.host(), {{"username", "ada"}, {"password", RegistryServer::kPassword}}}}));
}

// crane looks credentials up as Kaniko does: both use go-containerregistry.
TEST_F(PreparingForAda, TheCachesCredentialsAreForTheCacheOnly) {
  const std::string digest = server_.Make(server_ / "team/cache:1", "cache");
  server_.Make(server_ / "base/run:1", "run");
  options_.cache_credentials = server_.Credentials("cache", server_.host());
  options_.cache_repository = server_ / "team/cache";
  ASSERT_EQ(Prepare("FROM scratch"), 0);
  const Registry kaniko({options_.docker_config, "", "PrepareFailed"});
  const auto own = kaniko.Digest(server_ / "team/cache:1", false);
  ASSERT_TRUE(own) << own.error().message;
  EXPECT_EQ(*own, digest);
  for (const char* other : {"base/run:1", "team/cache/below:1", "team:1"}) {
    const auto denied = kaniko.Digest(server_ / other, false);
    ASSERT_FALSE(denied) << other;
    EXPECT_EQ(denied.error().exit_code, kRegistryDenied) << denied.error().message;
  }
  options_.cache_credentials = server_.Credentials("foreign", "other.example");
  EXPECT_EQ(Prepare("FROM scratch"), kRegistryFailed);
  EXPECT_EQ(Reason(), "PrepareFailed");
  EXPECT_EQ(Message().find(RegistryServer::kPassword), std::string::npos);
}

}  // namespace
}  // namespace slipway::runner
