// Whose a Job of the supply chain's namespace is: said by labels, because no owner reference crosses a
// namespace.
#include "supply/names.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "resources/common.h"
#include "supply/job.h"

namespace slipway::supply {
namespace {

Owner Build(std::string name) {
  return {std::string(kube::kImageBuilds.kind), {"team-a", std::move(name)}, {"uid-1"}};
}

kube::ObjectMeta MetaOf(const Owner& owner) {
  static const resources::Policy policy;
  JobShape shape;
  shape.name = JobName(owner, kAttestRole, "1");
  shape.role = kAttestRole;
  shape.containers.push_back({{"name", "sign"}});
  return *kube::DecodeMeta(RenderJob(owner, std::move(shape), {{}, policy, "keys"}));
}

TEST(OwnerTest, IsReadAgainFromTheJob) {
  for (const std::string& name : {std::string("app"), "a." + std::string(200, 'b')}) {
    const kube::ObjectMeta meta = MetaOf(Build(name));
    EXPECT_EQ(OwnerOf(meta), Build(name)) << "a label may not hold a long name, an annotation may";
    EXPECT_EQ(meta.key.ns, "keys");
    EXPECT_TRUE(meta.owners.empty());
    EXPECT_LE(meta.labels.find(resources::kOwnerNameLabel)->second.size(), 63U);
  }
}

TEST(OwnerTest, IsNobodyWhereAPartIsMissing) {
  for (const std::string_view label :
       {resources::kOwnerKindLabel, kOwnerNamespaceLabel, kOwnerUidLabel, std::string_view()}) {
    kube::ObjectMeta meta = MetaOf(Build("app"));
    if (label.empty()) {
      meta.annotations.clear();
    } else {
      meta.labels.erase(meta.labels.find(label));
    }
    EXPECT_EQ(OwnerOf(meta), std::nullopt) << label;
  }
}

TEST(JobNameTest, NoTwoJobsShareOne) {
  std::set<std::string> names;
  const Owner app = Build("app");
  Owner again = app;
  again.uid = {"uid-2"};
  for (const Owner& owner : {app, again}) {
    for (const auto role : {kAttestRole, kVerifyRole}) {
      for (const char* identity : {"1", "2", "11"}) {
        const std::string name = JobName(owner, role, identity);
        EXPECT_TRUE(names.insert(name).second) << name;
        EXPECT_LE(name.size(), 63U);
        EXPECT_EQ(name, JobName(owner, role, identity));
      }
    }
  }
}

TEST(ShortNameTest, IsOneOfItsOwnForEachPredicate) {
  std::set<std::string_view> names;
  for (const auto predicate : resources::kAllPredicates)
    EXPECT_TRUE(names.insert(ShortName(predicate)).second);
  EXPECT_EQ(ShortName(resources::Predicate::kSmokeTests), "smoke-tests");
}

}  // namespace
}  // namespace slipway::supply
