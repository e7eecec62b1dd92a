// What an image is called, and what it says of itself.
#include <sstream>

#include "e2e/source/fixture.h"

namespace slipway::testing {
namespace {

class Tags : public Source {
 protected:
  void StartBuilds() override {
    Forget();
    Json fixed = Spec("fixed", Push("good"));
    fixed["output"]["tags"] = {"{{commit}}", "stable"};
    Make("fixed", fixed);
    Tag("v1.2.0");
    tagged = Push("good");
    Tag("v1.3.0");
    newest = Push("good");
    Tag("v2.0.0");
    Json named = Spec("named");
    named["output"]["tags"] = {"{{shortCommit}}-{{run}}", "{{branch}}", "{{timestamp}}"};
    named["output"]["labels"] = {{"team", "web"}};
    Make("named", named);
    Json ranged = Spec("ranged");
    ranged["source"]["git"].erase("revision");
    ranged["source"]["git"]["semver"] = ">=1.2.0 <2";
    ranged["output"]["tags"] = {"{{semver}}"};
    Make("ranged", ranged);
  }

  // Tags of earlier processes would be in the way.
  static void Forget() {
    for (const char* name : {"named", "ranged", "fixed"}) {
      const auto tags = Crane({"ls", Repository(name)});
      if (!tags.ok()) continue;
      std::istringstream lines(tags.text);
      for (std::string tag; std::getline(lines, tag);) {
        const auto digest = Crane({"digest", Repository(name) + ":" + tag});
        if (digest.ok()) Crane({"delete", Repository(name) + "@" + digest.text});
      }
    }
  }

  static std::string Digest(const std::string& name, const std::string& tag) {
    const auto digest = Crane({"digest", Repository(name) + ":" + tag});
    return digest.ok() ? digest.text : "";
  }

  inline static std::string tagged, newest;  // commits of v1.3.0 and of main
};

void ExpectLabels(const Json& labels, const std::map<std::string, std::string>& wanted) {
  for (const auto& [name, value] : wanted) {
    EXPECT_EQ(labels.value("org.opencontainers.image." + name, ""), value) << name << " of " << labels;
  }
}

TEST_F(Tags, TemplatesARangeOfVersionsAndTheLabelsOfAnImage) {
  const auto run = Succeeds("named");
  const std::string digest = run.value("image", "").substr(run.value("image", "").find('@') + 1);
  std::string stamp = run.value("/commit/authorTime"_json_pointer, "");
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  for (const std::string& tag : {newest.substr(0, 12) + "-1", std::string("main"), stamp}) {
    EXPECT_EQ(Digest("named", tag), digest) << tag << " of " << Crane({"ls", Repository("named")}).text;
  }

  const auto versioned = Succeeds("ranged");
  EXPECT_EQ(versioned.value("/commit/sha"_json_pointer, ""), tagged);
  EXPECT_EQ(versioned.value("ref", ""), "refs/tags/v1.3.0");
  EXPECT_NE(Digest("ranged", "1.3.0"), "");

  const std::string base = std::string(kPublic) + "/slipway/sample-base:1";
  const auto config = Json::parse(Crane({"config", Repository("named") + ":main"}).text);
  const Json labels = config.at("config").at("Labels");
  EXPECT_EQ(labels.value("team", ""), "web");
  ExpectLabels(labels, {{"revision", newest},
                        {"source", "http://git.slipway.test:8090/e2e-source.git"},
                        {"created", run.value("/commit/authorTime"_json_pointer, "")},
                        {"version", newest.substr(0, 12)},
                        {"base.name", base},
                        {"base.digest", Crane({"digest", base}).text}});
  const auto other = Json::parse(Crane({"config", Repository("ranged") + ":1.3.0"}).text);
  ExpectLabels(other.at("config").at("Labels"), {{"version", "1.3.0"}, {"revision", tagged}});
}

TEST_F(Tags, ATagOfAnotherImageIsMovedOnlyWhereTheSpecSaysSo) {
  Succeeds("fixed");
  const std::string first = Digest("fixed", "stable");
  ASSERT_NE(first, "");

  const std::string second = Push("good");
  Json spec = GetJson(ns_, "imagebuild", "fixed")["spec"];
  spec["source"]["git"]["revision"] = second;
  Make("fixed", spec);
  Fails("fixed", "TagTaken", {"spec.output.tags", "stable", first.c_str(), "moveTags"});
  EXPECT_EQ(Digest("fixed", "stable"), first);
  EXPECT_EQ(Digest("fixed", second), "") << "the tag that was free was pushed all the same";

  spec["output"]["moveTags"] = true;
  Make("fixed", spec);
  Succeeds("fixed");
  EXPECT_NE(Digest("fixed", "stable"), first);
  EXPECT_EQ(Digest("fixed", "stable"), Digest("fixed", second));
}

}  // namespace
}  // namespace slipway::testing
