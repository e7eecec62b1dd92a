#include "runner/image_tar.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;

// ---- manifest.json ----

const std::set<std::string> kFiles{"sha256:c", "l.tar.gz", "m.tar.gz", "manifest.json"};

std::string ReasonOf(const std::optional<TarFault>& fault) { return fault ? fault->reason : ""; }

struct Row {
  const char* manifest;
  const char* reason;  // "": it is one image
};

const Row kManifests[] = {
    {R"([{"Config":"sha256:c","RepoTags":["r/a:1"],"Layers":["l.tar.gz","m.tar.gz"]}])", ""},
    {R"([{"Config":"sha256:c","RepoTags":null,"Layers":["l.tar.gz"]}])", ""},
    {R"([{"Config":"sha256:c","Layers":[]}])", ""},
    // Layers that are not those of the tar.
    {R"([{"Config":"sha256:c","Layers":["l.tar.gz"],"LayerSources":{"sha256:1":{"mediaType":
         "application/vnd.docker.image.rootfs.diff.tar.gzip","size":1,"digest":"sha256:2"}}}])",
     "ImageTarHasLayerSources"},
    {R"([{"Config":"sha256:c","Layers":["l.tar.gz"],"LayerSources":{}}])", "ImageTarHasLayerSources"},
    {R"([{"Config":"sha256:c","Layers":["l.tar.gz"],"layersources":null}])", "ImageTarHasLayerSources"},
    {R"([{"Config":"sha256:c","Layers":["l.tar.gz"],"LayerSources":{"sha256:1":{"mediaType":
         "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":"sha256:2"}}}])",
     "ImageTarHasForeignLayers"},
    {R"([{"Config":"sha256:c","Layers":["l.tar.gz"],"LayerSources":{"sha256:1":{"mediaType":
         "application/vnd.oci.image.layer.v1.tar+gzip","urls":["https://x"],"digest":"sha256:2"}}}])",
     "ImageTarHasForeignLayers"},
    // Go folds case, and the long s is an s to it.
    {"[{\"Config\":\"sha256:c\",\"Layers\":[\"l.tar.gz\"],\"Layer\xc5\xbfources\":{}}]", "ImageTarInvalid"},
    {R"([{"Config":"sha256:c","Layers":["l.tar.gz"],"layers":["m.tar.gz"]}])", "ImageTarInvalid"},
    {R"([{"Config":"sha256:c","Layers":["l.tar.gz"],"Layers":["m.tar.gz"]}])", "ImageTarInvalid"},
    // More than one image.
    {R"([{"Config":"sha256:c","Layers":["l.tar.gz"]},{"Config":"sha256:c","Layers":["m.tar.gz"]}])",
     "ImageTarHasMoreImages"},
    {R"([{"Config":"sha256:c","RepoTags":["r/a:1","r/b:1"],"Layers":["l.tar.gz"]}])",
     "ImageTarHasMoreImages"},
    // None.
    {"[]", "ImageTarInvalid"},
    {"", "ImageTarInvalid"},
    {"{}", "ImageTarInvalid"},
    {"[1]", "ImageTarInvalid"},
    {R"([{"Layers":["l.tar.gz"]}])", "ImageTarInvalid"},
    {R"([{"Config":"sha256:c"}])", "ImageTarInvalid"},
    {R"([{"Config":"sha256:d","Layers":["l.tar.gz"]}])", "ImageTarInvalid"},
    {R"([{"Config":"sha256:c","Layers":["../l.tar.gz"]}])", "ImageTarInvalid"},
    {R"([{"Config":"sha256:c","Layers":[7]}])", "ImageTarInvalid"},
    {R"([{"Config":"sha256:c","Layers":["l.tar.gz"]}] [])", "ImageTarInvalid"},
};

TEST(ATarsManifest, NamesOneImageAndNoMore) {
  for (const auto& row : kManifests) {
    const auto fault = FaultOfTarManifest(row.manifest, kFiles);
    EXPECT_EQ(ReasonOf(fault), row.reason) << row.manifest;
    if (fault) EXPECT_GT(fault->message.size(), 60U) << "with advice";
  }
}

TEST(APushedManifest, HasNoLayerFromElsewhere) {
  const auto of = [](const std::string& layer) { return R"({"layers":[)" + layer + "]}"; };
  const std::string plain = R"({"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"d"})";
  EXPECT_FALSE(ForeignLayers(of("")));
  EXPECT_FALSE(ForeignLayers(of(plain)));
  for (const char* layer :
       {R"({"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","urls":["https://x"]})",
        R"({"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"})",
        R"({"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"})", "{}", "7"}) {
    EXPECT_EQ(ReasonOf(ForeignLayers(of(plain + "," + layer))), "ImageTarHasForeignLayers") << layer;
  }
  EXPECT_TRUE(ForeignLayers("no manifest"));
  EXPECT_TRUE(ForeignLayers("{}"));
}

// ---- the archive ----

constexpr const char* kManifest = R"([{"Config":"sha256:c","Layers":["l.tar.gz"]}])";

std::string Padded(std::string text) {
  text.resize((text.size() + 511) / 512 * 512, '\0');
  return text;
}

struct Entry {
  std::string name;
  std::string content;
  char type = '0';
  std::string size;  // of the header's field; empty: the content's
  std::string prefix;
  std::string link;
  std::string magic = std::string("ustar\0", 6) + "00";
};

void SetSum(std::string& header) {
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  header.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
}

std::string Packed(const Entry& entry) {
  std::string header(512, '\0');
  const auto put = [&header](std::size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  put(0, entry.name);
  put(100, "0000644");
  put(124, entry.size.empty() ? fmt::format("{:011o}", entry.content.size()) : entry.size);
  put(156, std::string(1, entry.type));
  put(157, entry.link);
  put(257, entry.magic);
  put(345, entry.prefix);
  SetSum(header);
  return header + Padded(entry.content);
}

class TheTar : public ::testing::Test {
 protected:
  TheTar() {
    std::string name = (fs::temp_directory_path() / "slipway-tar-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch folder");
    folder_ = name;
  }
  ~TheTar() override {
    std::error_code unused;
    fs::remove_all(folder_, unused);
  }

  static std::string Parts() { return Packed({"sha256:c", "{}"}) + Packed({"l.tar.gz", "layer"}); }
  static std::string End() { return std::string(1024, '\0'); }
  static std::string Whole() { return Parts() + Packed({"manifest.json", kManifest}) + End(); }

  std::string path() const { return folder_ / "image.tar"; }
  std::optional<TarFault> Fault(const std::string& bytes) const {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << bytes;
    return FaultOfTar(path());
  }
  // Of a tar with this entry before its manifest.
  std::string With(const Entry& entry) const {
    return ReasonOf(Fault(Parts() + Packed(entry) + Packed({"manifest.json", kManifest}) + End()));
  }

  fs::path folder_;
};

TEST_F(TheTar, IsTakenAsTheBuildWritesIt) {
  const auto fault = Fault(Whole());
  EXPECT_FALSE(fault) << fault->message;
  EXPECT_FALSE(Fault(Whole() + std::string(8192, '\0'))) << "GNU tar writes more of its end";
  EXPECT_EQ(With({"m.tar.gz", ""}), "");
}

TEST_F(TheTar, HoldsWhatItsManifestSays) {
  const std::string two = R"([{"Config":"sha256:c","Layers":[]},{"Config":"sha256:c","Layers":[]}])";
  EXPECT_EQ(ReasonOf(Fault(Parts() + Packed({"manifest.json", two}) + End())), "ImageTarHasMoreImages");
  EXPECT_EQ(ReasonOf(Fault(Parts() + End())), "ImageTarInvalid");
  const std::string missing = Packed({"sha256:c", "{}"}) + Packed({"manifest.json", kManifest}) + End();
  EXPECT_EQ(ReasonOf(Fault(missing)), "ImageTarInvalid");
}

// What one reader passes over, and another believes.
TEST_F(TheTar, HasNothingThatTwoReadersReadDifferently) {
  const std::string twin = Packed({"manifest.json", kManifest});
  EXPECT_EQ(ReasonOf(Fault(Parts() + twin + twin + End())), "ImageTarInvalid") << "a name twice";
  Entry old{.name = "m.tar.gz", .content = "x"};
  old.magic = std::string("ustar  \0", 8);
  EXPECT_EQ(With(old), "ImageTarInvalid") << "GNU's header";
  for (const Entry& entry : {
           Entry{.name = "m.tar.gz", .content = "", .type = '2', .link = "l.tar.gz"},
           Entry{.name = "m.tar.gz", .content = "", .type = '1', .link = "l.tar.gz"},
           Entry{.name = "folder", .content = "", .type = '5'},
           Entry{.name = "long", .content = "manifest.json", .type = 'L'},
           Entry{.name = "sparse", .content = "", .type = 'S'},
           Entry{.name = "global", .content = "22 path=manifest.json\n", .type = 'g'},
           Entry{.name = "x/manifest.json", .content = kManifest},
           Entry{.name = "./manifest.json", .content = kManifest},
           Entry{.name = "manifest.json", .content = kManifest, .prefix = "."},
           Entry{.name = std::string(100, 'n'), .content = ""},
           Entry{.name = std::string("m\0x", 3), .content = ""},
           Entry{.name = "", .content = ""},
           Entry{.name = "m.tar.gz", .content = "x", .size = "77777777777"},
           Entry{.name = "m.tar.gz", .content = "x", .size = "          1"},
           Entry{.name = "m.tar.gz", .content = "x", .size = std::string("\x80\0\0\0\0\0\0\0\0\0\0\1", 12)},
       }) {
    EXPECT_EQ(With(entry), "ImageTarInvalid") << entry.name << " of type " << entry.type;
  }
}

TEST_F(TheTar, OfAHugeLayerSaysItsSizeApart) {
  const auto sized = [&](const std::string& record) {
    return ReasonOf(Fault(Parts() + Packed({"PaxHeaders.0/m.tar.gz", record, 'x'}) +
                          Packed({"m.tar.gz", "12345", '0', "00000000000"}) +
                          Packed({"manifest.json", kManifest}) + End()));
  };
  EXPECT_EQ(sized("9 size=5\n"), "");
  for (const char* record : {"11 size=5\n", "9 size=6", "22 path=manifest.json\n", "9 size=5\n9 size=5\n",
                             "9 size=x\n", "", "size=5\n"}) {
    EXPECT_EQ(sized(record), "ImageTarInvalid") << record;
  }
}

TEST_F(TheTar, IsWhole) {
  const std::string whole = Whole();
  for (const std::size_t size : {std::size_t{0}, std::size_t{511}, std::size_t{512}, Parts().size() + 100,
                                 whole.size() - 1024, whole.size() - 512}) {
    EXPECT_EQ(ReasonOf(Fault(whole.substr(0, size))), "ImageTarInvalid") << size;
  }
  std::string spoilt = whole;
  spoilt[3] ^= 1;
  EXPECT_EQ(ReasonOf(Fault(spoilt)), "ImageTarInvalid") << "the header's sum";
  EXPECT_EQ(ReasonOf(Fault("\x1f\x8b" + whole)), "ImageTarInvalid") << "what Trivy would unpack";
}

TEST_F(TheTar, IsAFile) {
  EXPECT_EQ(ReasonOf(FaultOfTar(path())), "ImageTarInvalid") << "not there";
  ASSERT_FALSE(Fault(Whole()));
  fs::rename(path(), folder_ / "other.tar");
  fs::create_symlink(folder_ / "other.tar", path());
  EXPECT_EQ(ReasonOf(FaultOfTar(path())), "ImageTarInvalid") << "a link";
  fs::remove(path());
  fs::create_directory(path());
  EXPECT_EQ(ReasonOf(FaultOfTar(path())), "ImageTarInvalid") << "a folder, which crane takes for a layout";
}

}  // namespace
}  // namespace slipway::runner
