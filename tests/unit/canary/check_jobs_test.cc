// The Jobs that ask, as they are rendered.
#include "canary/check_jobs.h"

#include <gtest/gtest.h>

#include "canary/names.h"
#include "unit/canary/world.h"

namespace slipway::canary {
namespace {

using kube::Json;
using resources::CheckKind;
using Texts = std::vector<std::string>;

PodPtr PodAt(const std::string& name, const std::string& ip, char digest) {
  auto pod = std::make_shared<resources::Pod>();
  pod->meta.key = {"team", name};
  pod->ready = true;
  pod->ip = ip;
  pod->containers = {{.name = "web", .image_id = Image(digest)}};
  return pod;
}

class CheckJob : public ::testing::Test {
 protected:
  CheckJob() { test_.p95_limit = std::chrono::milliseconds(1500); }

  Check Smoke() const {
    Check check{.kind = CheckKind::kSmoke, .name = test_.name};
    check.smoke = test_;
    return check;
  }
  Json Render(const Check& check, int step = 0) {
    const CheckScene scene{.service = *world_.service,
                           .port = 8080,
                           .pods = {PodAt("canary-1", "10.0.0.7", 'b')},
                           .others = {PodAt("web-1", "fd00::1", 'a')},
                           .canary_share = 0.1,
                           .service_account = "builder",
                           .runner_image = "runner@sha256:1"};
    return RenderCheckJob(world_.promotion, {step, check}, scene);
  }
  static Json Container(const Json& job) { return job["spec"]["template"]["spec"]["containers"][0]; }
  Texts Arguments(const Check& check) { return Container(Render(check))["args"].get<Texts>(); }

  World world_;
  resources::SmokeTest test_;
};

TEST_F(CheckJob, TheProbeAsksThroughTheServiceAndAtEachPod) {
  EXPECT_EQ(Arguments(Smoke()),
            (Texts{"probe", "--url=http://web.team.svc:80", "--health-path=/healthz", "--requests=200",
                   "--p95-limit=1.5s", "--timeout=1m", "--canary-share=0.1000", "--version-path=/version",
                   "--expect-version=2222", "--pod=canary-1=10.0.0.7:8080",
                   "--stable-pod=web-1=[fd00::1]:8080", "--report=/dev/termination-log"}));
}

TEST_F(CheckJob, TheProbeAsksForNoShareWhereBothAnswerTheSameVersion) {
  const CheckScene scene{.service = *world_.service,
                         .port = 8080,
                         .pods = {PodAt("canary-1", "10.0.0.7", 'b')},
                         .others = {PodAt("web-1", "10.0.0.8", 'b')},
                         .tells_apart = false};
  const auto arguments = [&](const Check& check) {
    return Container(RenderCheckJob(world_.promotion, {0, check}, scene))["args"].get<Texts>();
  };
  const auto has = [](const Texts& args, const char* arg) {
    return std::ranges::find(args, arg) != args.end();
  };
  EXPECT_TRUE(has(arguments(Smoke()), "--canary-share=0.0000"));
  EXPECT_FALSE(has(arguments(Smoke()), "--stable-pod=web-1=10.0.0.8:8080"));
  Check compare{.kind = CheckKind::kCompare, .name = "compare"};
  compare.compare.emplace();
  EXPECT_TRUE(has(arguments(compare), "--stable-pod=web-1=10.0.0.8:8080")) << "by its labels it is stable's";
}

TEST(TimeoutOf, LeavesAQueryTheErrorsThatItMayHaveBeforeEachAnswer) {
  Check check{.kind = CheckKind::kPrometheus, .name = "errors"};
  check.prometheus =
      resources::PrometheusCheck{.count = 10, .interval = std::chrono::minutes(1), .error_limit = 3};
  EXPECT_EQ(TimeoutOf(check), std::chrono::minutes(44));
  check.prometheus->interval = std::chrono::seconds(1);
  EXPECT_EQ(TimeoutOf(check), std::chrono::seconds(440)) << "an answer may take ten seconds";
}

TEST_F(CheckJob, AsksForNoVersionThatNobodyNamed) {
  world_.promotion.spec.version.clear();
  for (const auto& argument : Arguments(Smoke())) EXPECT_FALSE(argument.contains("version")) << argument;
}

TEST_F(CheckJob, HttpChecksAreOneArgumentEachAsTheCrdWritesThem) {
  resources::HttpCheck check;
  check.path = "/items?x=$(HOME)";
  check.headers = {{"X-A", "a \"b\""}};
  check.body_contains = "$PATH";
  check.retries = 2;
  test_.http = {check, {.path = "/b"}};
  Texts found;
  for (const auto& argument : Arguments(Smoke())) {
    if (argument.starts_with("--http=")) found.push_back(argument.substr(7));
  }
  ASSERT_EQ(found.size(), 2U);
  const Json first = Json::parse(found[0]);
  EXPECT_EQ(first["path"], "/items?x=$$(HOME)") << "the kubelet makes one dollar of two";
  EXPECT_EQ(first["bodyContains"], "$$PATH");
  EXPECT_EQ(first["headers"][0]["value"], "a \"b\"");
  EXPECT_EQ(first["retries"], 2);
  EXPECT_EQ(first["latencyLimit"], "5s");
  EXPECT_EQ(Json::parse(found[1])["path"], "/b");
}

TEST_F(CheckJob, TheComparisonAsksBothAtTheirPods) {
  Check check{.kind = CheckKind::kCompare, .name = "compare"};
  check.compare.emplace().path = "/a";
  EXPECT_EQ(Arguments(check), (Texts{"compare", "--path=/a", "--host=web.team.svc:80", "--max-pairs=3000",
                                     "--rate=100", "--error-margin=2", "--slow-margin=10", "--slower-by=50",
                                     "--confidence=99", "--timeout=2m", "--canary-pod=canary-1=10.0.0.7:8080",
                                     "--stable-pod=web-1=[fd00::1]:8080", "--report=/dev/termination-log"}));
}

TEST_F(CheckJob, QueriesHaveTheNamesInThemAndNothingIsLeftForTheKubelet) {
  Check check{.kind = CheckKind::kPrometheus, .name = "errors"};
  check.prometheus = {
      .name = "errors",
      .url = "http://prometheus.obs:9090",
      .query = "sum(x{ns=\"$(namespace)\",d=~\"$(canary)|$(stable)\",s=\"$(service)\"}) / $(HOME) $$(stable)",
      .min = "0",
      .max = "0.05",
      .count = 6};
  const auto arguments = Arguments(check);
  const std::string canary = CanaryName(world_.promotion);
  EXPECT_EQ(arguments,
            (Texts{"prometheus", "--url=http://prometheus.obs:9090",
                   "--query=sum(x{ns=\"team\",d=~\"" + canary + "|web\",s=\"web\"}) / $$(HOME) $$web",
                   "--min=0", "--max=0.05", "--count=6", "--failure-limit=0", "--inconclusive-limit=0",
                   "--error-limit=3", "--interval=10s", "--report=/dev/termination-log"}));
  check.prometheus->min.clear();
  for (const auto& argument : Arguments(check)) EXPECT_FALSE(argument.starts_with("--min")) << argument;
}

TEST_F(CheckJob, AProgramOfTheUsersIsToldWhatItChecks) {
  test_.pod = resources::PodCheck{.image = Image('c'),
                                  .command = {"sh", "-c"},
                                  .args = {"test $(A)"},
                                  .env = {{"A", "$(B)"}, {"SLIPWAY_URL", "http://elsewhere"}}};
  const Json job = Render(Smoke());
  const Json container = Container(job);
  EXPECT_EQ(container["name"], "check");
  EXPECT_EQ(container["image"], Image('c'));
  EXPECT_EQ(container["command"], Json::parse(R"(["sh", "-c"])"));
  EXPECT_EQ(container["args"], Json::array({"test $(A)"}));
  std::map<std::string, std::string> env;  // the last of one name counts
  for (const auto& variable : container["env"]) env[variable["name"]] = variable["value"];
  EXPECT_EQ(env, (std::map<std::string, std::string>{{"HOME", "/tmp"},
                                                     {"A", "$$(B)"},
                                                     {"SLIPWAY_URL", "http://web.team.svc:80"},
                                                     {"SLIPWAY_VERSION", "2222"},
                                                     {"SLIPWAY_IMAGE", Image('b')},
                                                     {"SLIPWAY_CANARY_PODS", "10.0.0.7:8080"}}));
  EXPECT_EQ(container["volumeMounts"][0]["mountPath"], "/tmp");
  EXPECT_TRUE(job["spec"]["template"]["spec"]["volumes"][0].contains("emptyDir"));
}

TEST_F(CheckJob, RunsWithoutRightsAndEnds) {
  Check program = Smoke();
  program.smoke->pod = resources::PodCheck{.image = Image('c')};
  for (const Check& check : {Smoke(), program}) {
    const Json job = Render(check);
    const Json& pod = job["spec"]["template"]["spec"];
    EXPECT_EQ(job["spec"]["backoffLimit"], 0);
    EXPECT_EQ(job["spec"]["activeDeadlineSeconds"], 200);
    EXPECT_EQ(pod["activeDeadlineSeconds"], 180) << "first, so that the pod is there to be read";
    EXPECT_EQ(pod["automountServiceAccountToken"], false);
    EXPECT_EQ(pod["serviceAccountName"], "builder");
    EXPECT_EQ(pod["securityContext"]["runAsNonRoot"], true);
    EXPECT_EQ(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    const Json& context = pod["containers"][0]["securityContext"];
    EXPECT_EQ(context["capabilities"]["drop"][0], "ALL");
    EXPECT_EQ(context["readOnlyRootFilesystem"], true);
    EXPECT_EQ(context["allowPrivilegeEscalation"], false);
    EXPECT_FALSE(job["spec"]["template"]["metadata"]["labels"].contains("app"))
        << "the Service would select it";
  }
}

TEST_F(CheckJob, HasAsMuchTimeAsItsCheckTakes) {
  Check compare{.kind = CheckKind::kCompare, .name = "compare"};
  compare.compare.emplace().timeout = std::chrono::minutes(10);
  EXPECT_EQ(Render(compare)["spec"]["template"]["spec"]["activeDeadlineSeconds"], 720);
  Check query{.kind = CheckKind::kPrometheus, .name = "q"};
  query.prometheus = {.count = 30, .interval = std::chrono::seconds(20)};
  EXPECT_EQ(Render(query)["spec"]["template"]["spec"]["activeDeadlineSeconds"], 2600)
      << "each of them, and one more, may be asked as often again as errors are borne";
}

TEST_F(CheckJob, HasAnotherNameForEachAttemptStepKindAndCheck) {
  const auto& promotion = world_.promotion;
  Check query{.kind = CheckKind::kPrometheus, .name = "default"};
  Check other = Smoke();
  other.name = "other";
  const std::string first = CheckJobName(promotion, 0, Smoke());
  EXPECT_EQ(first, CheckJobName(promotion, 0, Smoke()));
  EXPECT_NE(first, CheckJobName(promotion, 1, Smoke()));
  EXPECT_NE(first, CheckJobName(promotion, kVerification, Smoke()));
  EXPECT_NE(first, CheckJobName(promotion, 0, query));
  EXPECT_NE(first, CheckJobName(promotion, 0, other));
  world_.promotion.status.started = kNow;
  EXPECT_NE(first, CheckJobName(promotion, 0, Smoke()));
}

TEST_F(CheckJob, SaysItsRoleInItsNameAndLabels) {
  Check compare{.kind = CheckKind::kCompare, .name = "c"};
  compare.compare.emplace();
  Check query{.kind = CheckKind::kPrometheus, .name = "q"};
  query.prometheus.emplace();
  const std::vector<std::tuple<Check, int, std::string>> rows{{Smoke(), 0, "smoke"},
                                                              {compare, 0, "compare"},
                                                              {query, 0, "prometheus"},
                                                              {Smoke(), kVerification, "verify"}};
  for (const auto& [check, step, role] : rows) {
    const Json job = Render(check, step);
    EXPECT_TRUE(job["metadata"]["name"].get<std::string>().contains("-" + role + "-"))
        << job["metadata"]["name"];
    for (const Json& labels : {job["metadata"]["labels"], job["spec"]["template"]["metadata"]["labels"]}) {
      EXPECT_EQ(labels["slipway.dev/role"], role);
      EXPECT_EQ(labels["slipway.dev/promotion"], "promotion-uid");
    }
    EXPECT_EQ(job["spec"]["template"]["metadata"]["labels"]["slipway.dev/job"], job["metadata"]["name"]);
    EXPECT_EQ(job["metadata"]["ownerReferences"][0]["uid"], "promotion-uid");
  }
}

TEST(SpecHash, ChangesWithWhatIsPromotedAndNotWithHowLongItMayTake) {
  const World world;
  const std::string hash = SpecHash(world.promotion.spec);
  const auto changed = [&](auto change) {
    auto spec = world.promotion.spec;
    change(spec);
    return SpecHash(spec) != hash;
  };
  EXPECT_FALSE(changed([](auto&) {}));
  EXPECT_FALSE(changed([](auto& spec) { spec.progress_deadline *= 2; }));
  EXPECT_FALSE(changed([](auto& spec) { spec.on_failure = resources::OnFailure::kStay; }));
  EXPECT_TRUE(changed([](auto& spec) { spec.image = Image('c'); }));
  EXPECT_TRUE(changed([](auto& spec) { spec.strategy = resources::Strategy::kRolling; }));
  EXPECT_TRUE(changed([](auto& spec) { spec.config_maps = {{"a", "a-slipway-00000000"}}; }));
  EXPECT_TRUE(changed([](auto& spec) { spec.analysis.compare.emplace(); }));
  EXPECT_TRUE(changed([](auto& spec) { spec.smoke_tests[0].http = {{.path = "/a"}}; }));
  EXPECT_TRUE(changed([](auto& spec) { spec.verification = {{}}; }));
  EXPECT_TRUE(changed([](auto& spec) { spec.accept_autoscaler_overlap = true; }));
  EXPECT_TRUE(changed([](auto& spec) { spec.steps[0].analysis = false; }));
}

// ---- which pods ----

TEST(Choose, TakesReadyPodsByWhatTheyRun) {
  const auto change = [](PodPtr pod, auto how) {
    auto copy = std::make_shared<resources::Pod>(*pod);
    how(*copy);
    return PodPtr(copy);
  };
  const auto good = PodAt("b", "10.0.0.2", 'b');
  const std::vector<PodPtr> pods{good,
                                 PodAt("a", "10.0.0.1", 'a'),
                                 change(good,
                                        [](auto& pod) {
                                          pod.meta.key.name = "starting";
                                          pod.ready = false;
                                        }),
                                 change(good,
                                        [](auto& pod) {
                                          pod.meta.key.name = "going";
                                          pod.meta.deleted = kNow;
                                        }),
                                 change(good,
                                        [](auto& pod) {
                                          pod.meta.key.name = "nowhere";
                                          pod.ip.clear();
                                        }),
                                 change(good, [](auto& pod) {
                                   pod.meta.key.name = "unknown";
                                   pod.containers[0].image_id = "sha256:1";
                                 })};
  const auto names = [&](Runs not_these) {
    Texts list;
    for (const auto& pod : Choose(pods, {"web", Image('b'), not_these})) list.push_back(pod->meta.key.name);
    return list;
  };
  EXPECT_EQ(names(Runs::kAnother), (Texts{"b", "unknown"}));
  EXPECT_EQ(names(Runs::kThis), (Texts{"a", "unknown"}));
}

TEST(Choose, TakesAtMostTenAndTheSameOnes) {
  std::vector<PodPtr> pods;
  for (int i = 30; i > 0; --i) pods.push_back(PodAt("web-" + std::to_string(100 + i), "10.0.0.1", 'b'));
  const auto chosen = Choose(pods, {"web", Image('b'), Runs::kAnother});
  ASSERT_EQ(chosen.size(), 10U);
  EXPECT_EQ(chosen.front()->meta.key.name, "web-101");
  EXPECT_EQ(chosen.back()->meta.key.name, "web-110");
}

TEST(RunsImage, GoesByTheDigestOfTheTargetsContainer) {
  auto pod = std::make_shared<resources::Pod>(*PodAt("a", "10.0.0.1", 'b'));
  EXPECT_EQ(RunsImage(*pod, "web", Image('b')), Runs::kThis);
  EXPECT_EQ(RunsImage(*pod, "web", "mirror.example.com/web@sha256:" + std::string(64, 'b')), Runs::kThis);
  EXPECT_EQ(RunsImage(*pod, "web", Image('a')), Runs::kAnother);
  EXPECT_EQ(RunsImage(*pod, "side", Image('b')), Runs::kUnknown);
  pod->containers[0].init = true;
  EXPECT_EQ(RunsImage(*pod, "web", Image('b')), Runs::kUnknown);
}

}  // namespace
}  // namespace slipway::canary
