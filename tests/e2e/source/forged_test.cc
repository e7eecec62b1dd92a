// A step of a Dockerfile is root where Kaniko writes the image's tar. Here it has Kaniko write into a pipe,
// and puts a tar of its own in the place: one whose manifest.json says by itself which layers are pushed. The
// layer that it says is the one in it, so that crane would push it.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "e2e/source/fixture.h"

namespace slipway::testing {
namespace {

namespace fs = std::filesystem;

// Of one layer with one file; $1 is the folder.
constexpr const char* kMake = R"(set -eu
cd "$1"
echo content > file
tar --format=ustar -cf layer.tar file
diff=$(sha256sum layer.tar | cut -d ' ' -f 1)
gzip layer.tar
digest=$(sha256sum layer.tar.gz | cut -d ' ' -f 1)
size=$(wc -c < layer.tar.gz)
mv layer.tar.gz "$digest.tar.gz"
printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
  "$diff" > config
config=sha256:$(sha256sum config | cut -d ' ' -f 1)
mv config "$config"
printf '[{"Config":"%s","RepoTags":["forged:1"],"Layers":["%s.tar.gz"],"LayerSources":{"sha256:%s":{%s}}}]' \
  "$config" "$digest" "$diff" \
  "\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar.gzip\",\"size\":$size,\"digest\":\"sha256:$digest\"" \
  > manifest.json
tar --format=ustar -cf forged.tar "$config" "$digest.tar.gz" manifest.json
)";

// In a session of its own, for Kaniko ends the step's group. The pipe is drained, and Kaniko is none the
// wiser.
constexpr const char* kSwap = R"(set -eu
cp /forged.tar /kaniko/image/forged
mkfifo /kaniko/image/image.tar
setsid sh -c 'exec 3< /kaniko/image/image.tar
  dd bs=1 count=1 <&3
  mv /kaniko/image/forged /kaniko/image/image.tar
  exec cat <&3' > /dev/null 2>&1 &
sleep 1
)";

std::string ForgedTar() {
  std::string folder = (fs::temp_directory_path() / "slipway-forged-XXXXXX").string();
  EXPECT_NE(::mkdtemp(folder.data()), nullptr);
  const auto made = Execute({"sh", "-c", kMake, "sh", folder});
  EXPECT_TRUE(made.ok()) << made.text;
  std::ifstream file(folder + "/forged.tar", std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  fs::remove_all(folder);
  EXPECT_FALSE(bytes.empty());
  return bytes;
}

class Forged : public Source {
 protected:
  void StartBuilds() override {
    const std::string dockerfile = "FROM " + std::string(kPublic) +
                                   "/slipway/sample-base:1\n"
                                   "COPY forged.tar swap.sh /\n"
                                   "RUN sh /swap.sh\n";
    const std::string commit =
        Commit({{"Dockerfile", dockerfile}, {"forged.tar", ForgedTar()}, {"swap.sh", kSwap}});
    Json spec = Spec("forged", commit);
    spec["output"]["repository"] = OfThisRun("forged");
    Make("forged", spec);
  }
};

TEST_F(Forged, ATarThatADockerfilePutInThePlaceNeverReachesTheRegistry) {
  const Json run = Fails("forged", "ImageTarHasLayerSources",
                         {"spec.build.dockerfile", "Nothing was pushed", "take that"});
  EXPECT_EQ(run.value("/failure/stage"_json_pointer, ""), "push") << run;
  EXPECT_FALSE(run.contains("image")) << run;
  const auto listed = Crane({"ls", OfThisRun("forged")});
  EXPECT_FALSE(listed.ok()) << listed.text;
  EXPECT_NE(listed.text.find("NAME_UNKNOWN"), std::string::npos) << listed.text;
}

}  // namespace
}  // namespace slipway::testing
