// Migrations: once for each digest, before anything of it serves; and none of what fails.
#include <set>

#include "base/time.h"
#include "e2e/release/fixture.h"

namespace slipway::testing {
namespace {

class Migrations : public Releases {
 protected:
  static Json Migrating(Json spec, const std::string& compatibility = "Backward") {
    spec["migration"] = {{"command", {"/app/sample"}},
                         {"args", {"migrate", "2s"}},
                         {"compatibility", compatibility},
                         {"timeout", "60s"}};
    return spec;
  }
  // The UIDs of all migration Jobs that there are.
  std::set<std::string> Jobs() {
    const auto list = Kubectl({"-n", ns_, "get", "jobs", "-l", "slipway.dev/role=migration", "-o", "json"});
    const Json jobs = Json::parse(list.text, nullptr, false);
    std::set<std::string> uids;
    for (const auto& job : jobs.value("items", Json::array())) uids.insert(Text(job, "/metadata/uid"));
    return uids;
  }
  // The creation of the first pod of that image that serves.
  TimePoint FirstPod(const std::string& image) {
    TimePoint first = TimePoint::max();
    const auto list = Kubectl({"-n", ns_, "get", "pods", "-l", "app=web", "-o", "json"});
    const Json pods = Json::parse(list.text, nullptr, false);
    for (const auto& pod : pods.value("items", Json::array())) {
      if (Text(pod, "/spec/containers/0/image") != image) continue;
      first = std::min(first, ParseTime(Text(pod, "/metadata/creationTimestamp")).value_or(first));
    }
    return first;
  }
};

TEST_F(Migrations, RunOnceForEachDigestBeforeAnyPodServes) {
  Observe();
  Release(Migrating(Rolling(stable_)));
  WaitReason("AlreadyRunning");
  EXPECT_TRUE(Jobs().empty()) << "what runs already is not migrated to";
  Want(next_);
  const Json entry = Delivered(2, "Promoted");
  EXPECT_EQ(Text(entry, "/migration/outcome"), "Succeeded") << entry;
  const auto finished = ParseTime(Text(entry, "/migration/finished"));
  ASSERT_TRUE(finished);
  EXPECT_GE(FirstPod(SampleOf(next_).image), *finished) << "a pod was there before its migration was done";
  const auto logs = Kubectl({"-n", ns_, "logs", "job/" + Text(entry, "/migration/job")});
  HasWords(logs.text, {"migrated to version " + SampleOf(next_).version});
  const auto first = Jobs();
  EXPECT_EQ(first.size(), 1U);

  Want(stable_);
  const int more = Text(Delivered(3, "Promoted"), "/migration/job").empty() ? 0 : 1;
  Want(next_);
  const Json again = Delivered(4, "Promoted");
  auto all = Jobs();
  EXPECT_EQ(all.size(), 1U + static_cast<std::size_t>(more)) << "the same digest was migrated to again";
  EXPECT_TRUE(all.contains(*first.begin()));
  int records = 0;
  for (const auto& record : Status()["migrations"]) {
    records += record.value("image", "") == SampleOf(next_).image ? 1 : 0;
  }
  EXPECT_EQ(records, 1) << Status()["migrations"];
  Unharmed();
}

TEST_F(Migrations, OneThatFailsChangesNothing) {
  const auto before = GetJson(ns_, "deployment", "web")["metadata"]["generation"];
  Release(Migrating(Stepped("migration-fails")));
  const Json entry = Delivered(1, "Aborted");
  EXPECT_EQ(entry.value("reason", ""), "MigrationFailed") << entry;
  EXPECT_EQ(Text(entry, "/migration/outcome"), "Failed") << entry;
  HasWords(entry.value("message", ""), {"kubectl", "logs", Text(entry, "/migration/job")});
  EXPECT_EQ(GetJson(ns_, "canarypromotions")["items"].size(), 0U);
  EXPECT_EQ(GetJson(ns_, "deployment", "web")["metadata"]["generation"], before);
  ExpectStable(stable_);
}

TEST_F(Migrations, ABreakingOneHasNoCanaryAndNoWayBack) {
  const Output refused = TryRelease(Migrating(Stepped(next_), "Breaking"));
  EXPECT_FALSE(refused.ok());
  HasWords(refused.text, {"a breaking migration can't have a canary", "strategy.rolling"});

  Release(Migrating(Rolling(stable_), "Breaking"));
  WaitReason("AlreadyRunning");
  Want(next_);
  EXPECT_EQ(Text(Delivered(2, "Promoted"), "/migration/compatibility"), "Breaking");
  DecideRelease("Rollback", SampleOf(stable_).Digest());
  EXPECT_TRUE(Eventually(Seconds(60), "the Decision is taken up", [&](std::string& seen) {
    seen = Status().dump();
    return Status().value("decisions", Json::array()).size() == 1;
  }));
  HasWords(Text(Status(), "/decisions/0/refused"), {"breaking"});
  EXPECT_EQ(Newest(Status()).value("number", 0), 2);
  ExpectStable(next_);
}

TEST_F(Migrations, ASecretIsForItsUseOnly) {
  Apply(ns_, R"({apiVersion: v1, kind: Secret, metadata: {name: migration-env}, stringData: {DSN: db}})");
  Json spec = Migrating(Rolling(next_));
  spec["migration"]["command"] = {"/bin/sh", "-c", "test \"$DSN\" = db"};
  spec["migration"].erase("args");
  spec["migration"]["envFromSecrets"] = {"migration-env"};
  Release(spec);
  Delivered(1, "Promoted");
  spec["migration"]["envFromSecrets"] = {"push-credentials"};
  spec["image"] = SampleOf(another_).image;
  spec["version"] = SampleOf(another_).version;
  Release(spec);
  WaitReason("SecretNotAllowed");
  HasWords(Message(), {"spec.migration.envFromSecrets", "push-credentials"});
  ExpectStable(next_);
}

}  // namespace
}  // namespace slipway::testing
