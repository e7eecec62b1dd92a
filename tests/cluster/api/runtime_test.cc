// The client and the runtime against a real API server: what no script can prove.
#include "cluster/api/fixture.h"
#include "runtime/effects.h"
#include "runtime/elector.h"
#include "runtime/informer.h"

namespace slipway::testing {
namespace {

using std::chrono::seconds;

struct Map {
  kube::ObjectMeta meta;
  std::string value;
  static Result<Map> Decode(const kube::Json& object) {
    auto meta = kube::DecodeMeta(object);
    if (!meta) return std::unexpected(meta.error());
    return Map{std::move(*meta), object.value("/data/value"_json_pointer, "")};
  }
};

class Runtime : public RealApi {
 protected:
  kube::Json Call(kube::Request request) {
    auto answer = Await(api_->Call(std::move(request)));
    EXPECT_TRUE(answer) << answer.error().message;
    return answer.value_or(kube::Json());
  }
  ErrorKind CallFails(kube::Request request) {
    auto answer = Await(api_->Call(std::move(request)));
    EXPECT_FALSE(answer) << *answer;
    return answer ? ErrorKind::kCancelled : answer.error().kind;
  }

  kube::Json Job(const std::string& image) const {
    return kube::Json::parse(
        R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"job","namespace":")" + ns_ +
        R"("},"spec":{"backoffLimit":0,"activeDeadlineSeconds":600,"template":{"metadata":{"labels":{"role":"test"}},"spec":{
        "restartPolicy":"Never","automountServiceAccountToken":false,"containers":[{"name":"one","image":")" +
        image + R"(","args":["--flag=value"],"resources":{"limits":{"cpu":"1000m"}}}]}}}})");
  }
};

TEST_F(Runtime, AnInformerHoldsWhatTheServerHas) {
  for (int i = 0; i < 30; ++i)
    Call(kube::Create(kube::kConfigMaps, ns_, ConfigMap(fmt::format("m{}", i), "old")));
  runtime::Store<Map> store;
  runtime::ReflectorOptions options;
  options.resource = kube::kConfigMaps;
  options.ns = ns_;
  options.field_selector = "metadata.name!=kube-root-ca.crt";
  runtime::Informer<Map> informer(*api_, options, store);
  TaskGroup tasks(io_.get_executor());
  bool synced = false;
  tasks.Spawn("informer", informer.Run([&] { synced = true; }));
  ASSERT_TRUE(RunUntil(seconds(10), [&] { return synced; }));
  EXPECT_EQ(store.size(), 30U);

  Kubectl({"-n", ns_, "delete", "configmap", "m0", "m1"});
  Kubectl({"-n", ns_, "patch", "configmap", "m2", "-p", R"({"data":{"value":"new"}})"});
  EXPECT_TRUE(RunUntil(seconds(10), [&] {
    const auto changed = store.Get(Key("m2"));
    return store.size() == 28 && changed && changed->value == "new";
  }));
  tasks.Cancel();
  EXPECT_TRUE(RunUntil(seconds(5), [&] { return tasks.size() == 0; }));
}

TEST_F(Runtime, AnUnforcedApplyOfAnotherManagersFieldIsAConflictThatNamesIt) {
  Call(kube::Apply(kube::kConfigMaps, Key("m"), ConfigMap("m", "theirs"), false, "someone"));
  auto ours = Await(api_->Call(kube::Apply(kube::kConfigMaps, Key("m"), ConfigMap("m", "ours"), false)));
  ASSERT_FALSE(ours);
  EXPECT_EQ(ours.error().kind, ErrorKind::kConflict);
  EXPECT_NE(ours.error().message.find("someone"), std::string::npos) << ours.error().message;
  EXPECT_EQ(Call(kube::Apply(kube::kConfigMaps, Key("m"), ConfigMap("m", "ours"), true))["data"]["value"],
            "ours");
}

TEST_F(Runtime, AWriteThatCarriesAnOldVersionIsAConflict) {
  auto first = Call(kube::Create(kube::kConfigMaps, ns_, ConfigMap("m", "1")));
  Call(kube::Apply(kube::kConfigMaps, Key("m"), ConfigMap("m", "2"), true));
  auto body = ConfigMap("m", "3");
  body["metadata"]["resourceVersion"] = first["metadata"]["resourceVersion"];
  EXPECT_EQ(CallFails(kube::Apply(kube::kConfigMaps, Key("m"), body, true)), ErrorKind::kConflict);
}

TEST_F(Runtime, ADeleteNeverTakesAReplacementOfTheSameName) {
  auto old = Call(kube::Create(kube::kConfigMaps, ns_, ConfigMap("m", "old")));
  Call(kube::Delete(kube::kConfigMaps, Key("m"), {}));
  Call(kube::Create(kube::kConfigMaps, ns_, ConfigMap("m", "new")));
  runtime::Applier applier(*api_);
  const kube::Preconditions of_old{kube::Uid{old["metadata"]["uid"]}, {}};
  auto deleted = Await(applier.Run(runtime::Delete{kube::kConfigMaps, Key("m"), of_old}));
  EXPECT_TRUE(deleted) << deleted.error().message;
  EXPECT_EQ(Call(kube::Get(kube::kConfigMaps, Key("m")))["data"]["value"], "new");
}

TEST_F(Runtime, AJobThatIsThereCountsOnlyWhenItsWholeTemplateIsOurs) {
  runtime::Applier applier(*api_);
  const auto made = Await(applier.Run(runtime::Create{kube::kJobs, Job("example.com/tool:1")}));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(made->created);
  const auto again = Await(applier.Run(runtime::Create{kube::kJobs, Job("example.com/tool:1")}));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->uid, made->uid);
  const auto forged = Await(applier.Run(runtime::Create{kube::kJobs, Job("example.com/other:1")}));
  ASSERT_FALSE(forged);
  EXPECT_EQ(forged.error().kind, ErrorKind::kAlreadyExists);
}

TEST_F(Runtime, OfTwoCandidatesOneLeadsAndTheOtherFollowsAtOnceWhenItLetsGo) {
  const auto candidate = [&](const std::string& name) {
    return runtime::ElectorOptions{.lease = Key("leader"), .identity = name};
  };
  runtime::Elector a(*api_, candidate("a"), clock_);
  runtime::Elector b(*api_, candidate("b"), clock_);
  struct Lead {
    static asio::awaitable<void> Forever() { co_await Sleep(std::chrono::hours(1)); }
    static asio::awaitable<void> Candidate(runtime::Elector& elector) { co_await elector.Run(&Forever); }
  };
  TaskGroup first(io_.get_executor());
  TaskGroup second(io_.get_executor());
  first.Spawn("a", Lead::Candidate(a));
  ASSERT_TRUE(RunUntil(seconds(10), [&] { return a.leading(); }));
  second.Spawn("b", Lead::Candidate(b));
  EXPECT_FALSE(RunUntil(seconds(3), [&] { return b.leading(); }));

  first.Cancel();
  EXPECT_TRUE(RunUntil(seconds(5), [&] { return b.leading(); }));
  EXPECT_FALSE(a.leading());
  second.Cancel();
  EXPECT_TRUE(RunUntil(seconds(5), [&] { return first.size() + second.size() == 0; }));
}

}  // namespace
}  // namespace slipway::testing
