// What a step of a Dockerfile, which is root where the tar is written, could put in the tar's place: none of
// it reaches the registry. With the test bed's crane, which would push it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "protocol/runner/registry_server.h"
#include "runner/process.h"
#include "runner/push.h"

namespace slipway::runner {
namespace {

using ::slipway::testing::Contents;
using ::slipway::testing::Put;
using ::slipway::testing::RegistryServer;
using ::slipway::testing::Scratch;
using Json = nlohmann::json;

constexpr const char* kLayerType = "application/vnd.docker.image.rootfs.diff.tar.gzip";

class ForgedTar : public ::testing::Test {
 protected:
  // An image whose one layer is bad is in the repository already: an earlier build took its files away again.
  ForgedTar() : repository_(server_ / "team/app") {
    server_.Make(repository_ + ":bad", "what a scan would find");
    Tar({"-xf", server_.Pull(repository_ + ":bad", "bad.tar"), "-C", Folder()});
    manifest_ = Json::parse(Contents(Folder() + "/manifest.json"));
    layer_ = manifest_[0]["Layers"][0];
    const Json config = Json::parse(Contents(Folder() + "/" + manifest_[0]["Config"].get<std::string>()));
    diff_id_ = config["rootfs"]["diff_ids"][0];
    bad_digest_ = "sha256:" + layer_.substr(0, layer_.find('.'));
    bad_size_ = Contents(Folder() + "/" + layer_).size();
  }

  std::string Folder() const {
    std::filesystem::create_directories(scratch_ / "parts");
    return scratch_ / "parts";
  }
  static void Tar(const std::vector<std::string>& arguments) {
    Command command{.argv = {"tar"}, .environment = {"PATH=/usr/bin:/bin"}};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    const auto finished = runner::Run(command);
    if (!finished || finished->exit_code != 0) throw std::runtime_error("tar fails");
  }
  // The layer's file in the tar holds nothing.
  void EmptyTheLayer() const { Tar({"-czf", Folder() + "/" + layer_, "-T", "/dev/null"}); }
  Json BadLayer() const { return {{"mediaType", kLayerType}, {"size", bad_size_}, {"digest", bad_digest_}}; }

  int Push(const std::string& tag, const std::vector<Attachment>& attachments = {}) const {
    Put(Folder() + "/manifest.json", manifest_.dump());
    const std::string tar = scratch_ / "image.tar";
    std::filesystem::remove(tar);
    Tar({"--format=ustar", "-cf", tar, "-C", Folder(), manifest_[0]["Config"], layer_, "manifest.json"});
    PushOptions options{.image = tar, .place = {.repository = repository_, .tags = {tag}}};
    options.report_path = scratch_ / "report";
    options.attachments = attachments;
    return RunPush(options);
  }
  std::string Reason() const { return Json::parse(Contents(scratch_ / "report")).value("reason", ""); }
  std::string Message() const { return Json::parse(Contents(scratch_ / "report")).value("message", ""); }

  Scratch scratch_;
  RegistryServer server_;
  std::string repository_;
  Json manifest_;
  std::string layer_, diff_id_, bad_digest_;
  std::size_t bad_size_ = 0;
};

TEST_F(ForgedTar, IsMadeOfAnHonestOne) {
  EXPECT_EQ(Push("honest"), 0) << Contents(scratch_ / "report");
  EXPECT_TRUE(server_.Has(repository_ + ":honest"));
}

TEST_F(ForgedTar, CantHaveALayerOfTheRepositoryPushedForTheOneThatWasScanned) {
  EmptyTheLayer();
  manifest_[0]["LayerSources"][diff_id_] = BadLayer();
  EXPECT_EQ(Push("forged"), kImageRefused);
  EXPECT_EQ(Reason(), "ImageTarHasLayerSources");
  EXPECT_NE(Message().find("Nothing was pushed"), std::string::npos) << Message();
  EXPECT_FALSE(server_.Has(repository_ + ":forged"));
}

TEST_F(ForgedTar, CantNameALayerOfElsewhere) {
  Json layer = BadLayer();
  layer["urls"] = {"https://example.com/layer"};
  manifest_[0]["LayerSources"][diff_id_] = layer;
  EXPECT_EQ(Push("forged"), kImageRefused);
  EXPECT_EQ(Reason(), "ImageTarHasForeignLayers");
  EXPECT_FALSE(server_.Has(repository_ + ":forged"));
}

TEST_F(ForgedTar, HasTheLayersThatItsConfigNames) {
  EmptyTheLayer();
  EXPECT_EQ(Push("forged"), kImageRefused);
  EXPECT_EQ(Reason(), "ImageTarInconsistent");
  EXPECT_NE(Message().find("Nothing was pushed"), std::string::npos) << Message();
  EXPECT_FALSE(server_.Has(repository_ + ":forged"));
}

TEST_F(ForgedTar, IsOneImage) {
  manifest_.push_back(manifest_[0]);
  EXPECT_EQ(Push("forged"), kImageRefused);
  EXPECT_EQ(Reason(), "ImageTarHasMoreImages");
  EXPECT_FALSE(server_.Has(repository_ + ":forged"));
}

// A tag says that the image and all that is said of it are there.
TEST_F(ForgedTar, NoTagIsSetBeforeTheEvidenceIsThere) {
  const Attachment evidence{"application/sarif+json", scratch_ / "sarif.json"};
  EXPECT_EQ(Push("told", {evidence}), kRegistryFailed);
  EXPECT_EQ(Reason(), "PushFailed");
  EXPECT_FALSE(server_.Has(repository_ + ":told"));
  Put(evidence.file, "{}");
  EXPECT_EQ(Push("told", {evidence}), 0) << "done again, without a tag that is taken";
  EXPECT_TRUE(server_.Has(repository_ + ":told"));
  std::string referrers = server_.Crane({"digest", repository_ + ":told"});
  referrers.replace(referrers.find(':'), 1, "-");
  EXPECT_TRUE(server_.Has(repository_ + ":" + referrers));
}

}  // namespace
}  // namespace slipway::runner
