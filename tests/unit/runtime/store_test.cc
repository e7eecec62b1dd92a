#include "runtime/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::runtime {
namespace {

struct Thing {
  kube::ObjectMeta meta;
  int value = 0;
};

Thing Make(const std::string& name, int value, const std::string& owner = "") {
  Thing thing;
  thing.meta.key = {"team", name};
  thing.value = value;
  if (!owner.empty()) thing.meta.owners.push_back({"v1", "Owner", "o", {owner}, true});
  return thing;
}

std::vector<std::string> Names(const std::vector<Store<Thing>::Ptr>& things) {
  std::vector<std::string> names;
  for (const auto& thing : things) names.push_back(thing->meta.key.name);
  return names;
}

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(StoreTest, HoldsTheLatestOfEachKey) {
  Store<Thing> store;
  EXPECT_EQ(store.Get({"team", "a"}), nullptr);
  store.Put(Make("a", 1));
  store.Put(Make("a", 2));
  store.Put(Make("b", 3));
  EXPECT_EQ(store.Get({"team", "a"})->value, 2);
  EXPECT_EQ(store.Get({"other", "a"}), nullptr);
  EXPECT_EQ(store.size(), 2U);
  EXPECT_THAT(Names(store.All()), UnorderedElementsAre("a", "b"));
}

TEST(StoreTest, WhatWasReadStaysAsItWasRead) {
  Store<Thing> store;
  store.Put(Make("a", 1));
  const auto before = store.Get({"team", "a"});
  store.Put(Make("a", 2));
  store.Erase({"team", "a"});
  EXPECT_EQ(before->value, 1);
  EXPECT_EQ(store.size(), 0U);
}

TEST(StoreTest, FindsWhatAnOwnerControls) {
  Store<Thing> store;
  store.Put(Make("a", 1, "u1"));
  store.Put(Make("b", 1, "u1"));
  store.Put(Make("c", 1, "u2"));
  store.Put(Make("d", 1));
  EXPECT_THAT(Names(store.OwnedBy({"u1"})), UnorderedElementsAre("a", "b"));
  EXPECT_THAT(Names(store.OwnedBy({"u3"})), IsEmpty());
  store.Put(Make("a", 2, "u2"));  // another owner
  EXPECT_THAT(Names(store.OwnedBy({"u1"})), UnorderedElementsAre("b"));
  EXPECT_THAT(Names(store.OwnedBy({"u2"})), UnorderedElementsAre("a", "c"));
  store.Erase({"team", "b"});
  store.Erase({"team", "never-there"});
  EXPECT_THAT(Names(store.OwnedBy({"u1"})), IsEmpty());
}

TEST(StoreTest, SelectsByPredicate) {
  Store<Thing> store;
  for (int i = 0; i < 5; ++i) store.Put(Make(std::to_string(i), i));
  EXPECT_THAT(Names(store.Where([](const Thing& thing) { return thing.value > 2; })),
              UnorderedElementsAre("3", "4"));
}

}  // namespace
}  // namespace slipway::runtime
