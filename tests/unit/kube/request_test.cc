#include "kube/request.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace slipway::kube {
namespace {

struct PathCase {
  std::string_view name;
  Request request;
  Verb verb;
  std::string_view target;
};

class Target : public ::testing::TestWithParam<PathCase> {};

TEST_P(Target, IsPathAndQueryPercentEncoded) {
  EXPECT_EQ(GetParam().request.target, GetParam().target);
  EXPECT_EQ(ToString(GetParam().request.verb), ToString(GetParam().verb));
}

std::string NameOf(const ::testing::TestParamInfo<PathCase>& info) { return std::string(info.param.name); }

const ObjectKey kApp{"shop", "app"};
const Json kBody{{"kind", "Thing"}};

INSTANTIATE_TEST_SUITE_P(
    Paths, Target,
    ::testing::Values(
        PathCase{"CoreGroup", Get(kPods, kApp), Verb::kGet, "/api/v1/namespaces/shop/pods/app"},
        PathCase{"NamedGroup", Get(kJobs, kApp), Verb::kGet, "/apis/batch/v1/namespaces/shop/jobs/app"},
        PathCase{"GroupWithDots", Get(kEndpointSlices, kApp), Verb::kGet,
                 "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/app"},
        PathCase{"OurOwnGroup", Get(kReleases, kApp), Verb::kGet,
                 "/apis/slipway.dev/v1alpha1/namespaces/shop/releases/app"},
        PathCase{"ClusterScoped", Get(kPods, {"", "app"}), Verb::kGet, "/api/v1/pods/app"},
        PathCase{"NameCannotLeaveItsSegment", Get(kPods, {"a/b", "../../x?y=z#f"}), Verb::kGet,
                 "/api/v1/namespaces/a%2Fb/pods/..%2F..%2Fx%3Fy%3Dz%23f"},
        PathCase{"NameCannotEndTheRequestLine", Get(kPods, {"n", "a b\r\nX: y"}), Verb::kGet,
                 "/api/v1/namespaces/n/pods/a%20b%0D%0AX%3A%20y"},
        PathCase{"UnreservedCharactersStay", Get(kPods, {"n", "aZ09-._~"}), Verb::kGet,
                 "/api/v1/namespaces/n/pods/aZ09-._~"},
        PathCase{"BytesBeyondAscii", Get(kPods, {"n", "\xc3\xa4%"}), Verb::kGet,
                 "/api/v1/namespaces/n/pods/%C3%A4%25"},
        PathCase{"Create", Create(kPods, "shop", kBody), Verb::kPost,
                 "/api/v1/namespaces/shop/pods?fieldManager=slipway"},
        PathCase{"Replace", Replace(kLeases, kApp, kBody), Verb::kPut,
                 "/apis/coordination.k8s.io/v1/namespaces/shop/leases/app?fieldManager=slipway"},
        PathCase{"Apply", Apply(kJobs, kApp, kBody, false), Verb::kPatch,
                 "/apis/batch/v1/namespaces/shop/jobs/app?fieldManager=slipway"},
        PathCase{"ApplyByForce", Apply(kJobs, kApp, kBody, true), Verb::kPatch,
                 "/apis/batch/v1/namespaces/shop/jobs/app?fieldManager=slipway&force=true"},
        PathCase{"ApplyAsAnotherManager", Apply(kJobs, kApp, kBody, true, "slipway canary&x"), Verb::kPatch,
                 "/apis/batch/v1/namespaces/shop/jobs/app?fieldManager=slipway%20canary%26x&force=true"},
        PathCase{"ApplyStatus", ApplyStatus(kReleases, kApp, kBody), Verb::kPatch,
                 "/apis/slipway.dev/v1alpha1/namespaces/shop/releases/app/status"
                 "?fieldManager=slipway&force=true"},
        PathCase{"MergePatch", MergePatch(kReleases, kApp, kBody), Verb::kPatch,
                 "/apis/slipway.dev/v1alpha1/namespaces/shop/releases/app?fieldManager=slipway"},
        PathCase{"MergePatchStatus", MergePatchStatus(kReleases, kApp, kBody), Verb::kPatch,
                 "/apis/slipway.dev/v1alpha1/namespaces/shop/releases/app/status?fieldManager=slipway"},
        PathCase{"Delete", Delete(kJobs, kApp, {}), Verb::kDelete,
                 "/apis/batch/v1/namespaces/shop/jobs/app"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Lists, Target,
    ::testing::Values(
        PathCase{"Plain", List(kPods, "shop", {}), Verb::kGet, "/api/v1/namespaces/shop/pods"},
        PathCase{"EveryNamespace", List(kPods, "", {}), Verb::kGet, "/api/v1/pods"},
        PathCase{
            "Selectors",
            List(kPods, "shop", {.label_selector = "a=b,c in (d, e)", .field_selector = "metadata.name=x&y"}),
            Verb::kGet,
            "/api/v1/namespaces/shop/pods?labelSelector=a%3Db%2Cc%20in%20%28d%2C%20e%29"
            "&fieldSelector=metadata.name%3Dx%26y"},
        PathCase{"FirstPage", List(kPods, "shop", {.limit = 500, .resource_version = "0"}), Verb::kGet,
                 "/api/v1/namespaces/shop/pods?limit=500&resourceVersion=0"},
        PathCase{"NotOlderThan",
                 List(kPods, "shop", {.resource_version = "17", .resource_version_not_older = true}),
                 Verb::kGet,
                 "/api/v1/namespaces/shop/pods?resourceVersion=17&resourceVersionMatch=NotOlderThan"},
        PathCase{"LaterPageNamesNoVersion",
                 List(kPods, "shop",
                      {.limit = 2,
                       .continue_token = "a+b/c==",
                       .resource_version = "17",
                       .resource_version_not_older = true}),
                 Verb::kGet, "/api/v1/namespaces/shop/pods?limit=2&continue=a%2Bb%2Fc%3D%3D"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Watches, Target,
    ::testing::Values(
        PathCase{"FromAVersion", Watch(kPods, "shop", {.resource_version = "17"}), Verb::kGet,
                 "/api/v1/namespaces/shop/pods?watch=true&resourceVersion=17&allowWatchBookmarks=true"
                 "&timeoutSeconds=290"},
        PathCase{"StreamingList",
                 Watch(kReleases, "", {.label_selector = "a=b", .send_initial_events = true}), Verb::kGet,
                 "/apis/slipway.dev/v1alpha1/releases?watch=true&labelSelector=a%3Db&allowWatchBookmarks=true"
                 "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=290"},
        PathCase{"WithoutBookmarks",
                 Watch(kPods, "shop",
                       {.field_selector = "metadata.name=x",
                        .allow_bookmarks = false,
                        .timeout = std::chrono::seconds(5)}),
                 Verb::kGet,
                 "/api/v1/namespaces/shop/pods?watch=true&fieldSelector=metadata.name%3Dx&timeoutSeconds=5"}),
    NameOf);

TEST(RequestBody, OfReadsIsEmptyAndHasNoType) {
  for (const Request& request : {Get(kPods, kApp), List(kPods, "n", {}), Watch(kPods, "n", {})}) {
    EXPECT_EQ(request.body, "") << request.target;
    EXPECT_EQ(request.content_type, "") << request.target;
  }
}

TEST(RequestBody, IsTheObjectWithTheTypeThatThePatchNeeds) {
  const struct {
    Request request;
    std::string_view type;
  } rows[] = {
      {Create(kPods, "n", kBody), "application/json"},
      {Replace(kLeases, kApp, kBody), "application/json"},
      {Apply(kPods, kApp, kBody, true), "application/apply-patch+yaml"},
      {ApplyStatus(kReleases, kApp, kBody), "application/apply-patch+yaml"},
      {MergePatch(kPods, kApp, kBody), "application/merge-patch+json"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(row.request.content_type, row.type) << row.request.target;
    EXPECT_EQ(Json::parse(row.request.body), kBody) << row.request.target;
  }
}

TEST(RequestBody, ReplacesBytesThatAreNoUtf8InsteadOfThrowing) {
  const Request request = Create(kPods, "n", Json{{"message", "cut \xc3"}});
  EXPECT_EQ(Json::parse(request.body)["message"], "cut \xef\xbf\xbd");
}

TEST(DeleteBody, CarriesTheWholePreconditionAndThePropagation) {
  const Json both = Json::parse(Delete(kJobs, kApp, {{"u-1"}, {"42"}}).body);
  EXPECT_EQ(both, (Json{{"apiVersion", "v1"},
                        {"kind", "DeleteOptions"},
                        {"propagationPolicy", "Background"},
                        {"preconditions", {{"uid", "u-1"}, {"resourceVersion", "42"}}}}));
  const Json uid = Json::parse(Delete(kJobs, kApp, {{"u-1"}, {}}, Propagation::kForeground).body);
  EXPECT_EQ(uid["preconditions"], (Json{{"uid", "u-1"}}));
  EXPECT_EQ(uid["propagationPolicy"], "Foreground");
  const Json none = Json::parse(Delete(kJobs, kApp, {}, Propagation::kOrphan).body);
  EXPECT_FALSE(none.contains("preconditions"));
  EXPECT_EQ(none["propagationPolicy"], "Orphan");
}

TEST(ManagedFields, AreKeptOnlyInTheAnswerToAGet) {
  EXPECT_TRUE(Get(kPods, kApp).keep_managed_fields);
  EXPECT_FALSE(List(kPods, "n", {}).keep_managed_fields);
  EXPECT_FALSE(Watch(kPods, "n", {}).keep_managed_fields);
  EXPECT_FALSE(Apply(kPods, kApp, kBody, true).keep_managed_fields);
}

}  // namespace
}  // namespace slipway::kube
