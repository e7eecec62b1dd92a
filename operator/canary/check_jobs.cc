#include "canary/check_jobs.h"

#include <fmt/format.h>

#include <array>

#include "base/names.h"
#include "canary/check_report.h"
#include "canary/manifests.h"
#include "canary/names.h"
#include "jobs/disruption.h"
#include "resources/describe.h"
#include "runtime/containers.h"

namespace slipway::canary {
namespace {

using kube::Json;
using resources::CanaryPromotion;
using runtime::Literal;
using runtime::Option;
using runtime::Variable;

constexpr int kKeptSeconds = 24 * 60 * 60;  // for whoever reads its log
constexpr int kStartUpSeconds = 120;        // for its pod, beside the check's own timeout
constexpr int kGraceSeconds = 20;           // the pod ends before its Job, so that it is there to be read

// ---- what is asked, and where ----

// IPv6 addresses stand in brackets.
std::string AddressOf(const resources::Pod& pod, int port) {
  return fmt::format("{}:{}", pod.ip.contains(':') ? "[" + pod.ip + "]" : pod.ip, port);
}

void AddPods(Json& args, std::string_view flag, const std::vector<PodPtr>& pods, int port) {
  for (const auto& pod : pods) {
    args.push_back(Option(flag, fmt::format("{}={}", pod->meta.key.name, AddressOf(*pod, port))));
  }
}

std::string HostOf(const resources::Service& service) {
  return fmt::format("{}.{}.svc:{}", service.meta.key.name, service.meta.key.ns, service.port);
}

// As the CRD writes them.
std::vector<Json> HttpChecks(resources::SmokeTest test) {
  const Json members = resources::Write(resources::MembersOf(test));
  return members.value("http", std::vector<Json>{});
}

Json ProbeArguments(const CanaryPromotion& promotion, const resources::SmokeTest& test,
                    const CheckScene& scene) {
  Json args = {"probe",
               Option("url", "http://" + HostOf(scene.service)),
               Option("health-path", test.health_path),
               fmt::format("--requests={}", test.requests),
               Option("p95-limit", FormatDuration(test.p95_limit)),
               Option("timeout", FormatDuration(test.timeout)),
               fmt::format("--canary-share={:.4f}", scene.canary_share)};
  if (!promotion.spec.version.empty()) {
    args.push_back(Option("version-path", test.version_path));
    args.push_back(Option("expect-version", promotion.spec.version));
  }
  AddPods(args, "pod", scene.pods, scene.port);
  if (scene.tells_apart) AddPods(args, "stable-pod", scene.others, scene.port);
  for (const Json& check : HttpChecks(test)) {
    args.push_back(Option("http", check.dump(-1, ' ', false, Json::error_handler_t::replace)));
  }
  return args;
}

Json CompareArguments(const resources::Comparison& compare, const CheckScene& scene) {
  Json args = {"compare",
               Option("path", compare.path),
               Option("host", HostOf(scene.service)),
               fmt::format("--max-pairs={}", compare.max_pairs),
               fmt::format("--rate={}", compare.rate),
               fmt::format("--error-margin={}", compare.error_margin),
               fmt::format("--slow-margin={}", compare.slow_margin),
               fmt::format("--slower-by={}", compare.slower_by),
               fmt::format("--confidence={}", compare.confidence),
               Option("timeout", FormatDuration(compare.timeout))};
  AddPods(args, "canary-pod", scene.pods, scene.port);
  AddPods(args, "stable-pod", scene.others, scene.port);
  return args;
}

Json PrometheusArguments(const CanaryPromotion& promotion, const resources::PrometheusCheck& check) {
  Json args = {"prometheus", Option("url", check.url), Option("query", QueryFor(promotion, check.query))};
  if (!check.min.empty()) args.push_back(Option("min", check.min));
  if (!check.max.empty()) args.push_back(Option("max", check.max));
  for (const auto& [flag, number] :
       {std::pair{"count", check.count}, std::pair{"failure-limit", check.failure_limit},
        std::pair{"inconclusive-limit", check.inconclusive_limit},
        std::pair{"error-limit", check.error_limit}}) {
    args.push_back(fmt::format("--{}={}", flag, number));
  }
  args.push_back(Option("interval", FormatDuration(check.interval)));
  return args;
}

Json ArgumentsOf(const CanaryPromotion& promotion, const Check& check, const CheckScene& scene) {
  if (check.smoke) return ProbeArguments(promotion, *check.smoke, scene);
  if (check.compare) return CompareArguments(*check.compare, scene);
  return PrometheusArguments(promotion, *check.prometheus);
}

// ---- containers ----

Json RunnerContainer(Json args, const std::string& image) {
  args.push_back(Option("report", runtime::kReportPath));
  Json container = {{"name", kRunnerContainer}, {"image", image}};
  container["args"] = std::move(args);
  container["terminationMessagePath"] = runtime::kReportPath;
  container["terminationMessagePolicy"] = "File";
  container["resources"] = runtime::Requests("10m", "16Mi");
  container["resources"]["limits"] = {{"memory", "128Mi"}};
  container["securityContext"] = runtime::Restricted();
  return container;
}

std::string Addresses(const CheckScene& scene) {
  std::string list;
  for (const auto& pod : scene.pods) list += (list.empty() ? "" : ",") + AddressOf(*pod, scene.port);
  return list;
}

// Of two variables of one name the last counts: ours tell the truth.
Json EnvironmentOf(const CanaryPromotion& promotion, const resources::PodCheck& check,
                   const CheckScene& scene) {
  Json env = Json::array({Variable("HOME", "/tmp")});
  for (const auto& variable : check.env) env.push_back(Variable(variable.name, Literal(variable.value)));
  env.push_back(Variable("SLIPWAY_URL", Literal("http://" + HostOf(scene.service))));
  env.push_back(Variable("SLIPWAY_VERSION", Literal(promotion.spec.version)));
  env.push_back(Variable("SLIPWAY_IMAGE", Literal(promotion.spec.image)));
  env.push_back(Variable("SLIPWAY_CANARY_PODS", Literal(Addresses(scene))));
  return env;
}

Json ProgramContainer(const CanaryPromotion& promotion, const resources::PodCheck& check,
                      const CheckScene& scene) {
  Json container = {{"name", kProgramContainer}, {"image", check.image}};
  if (!check.command.empty()) container["command"] = check.command;
  if (!check.args.empty()) container["args"] = check.args;
  container["env"] = EnvironmentOf(promotion, check, scene);
  container["terminationMessagePolicy"] = "File";
  container["resources"] = runtime::Requests("50m", "64Mi");
  container["resources"]["limits"] = {{"memory", "1Gi"}};
  container["securityContext"] = runtime::Restricted();
  container["volumeMounts"] = Json::array({runtime::Mount("tmp", "/tmp", false)});
  return container;
}

Json PodOf(const CanaryPromotion& promotion, const Check& check, const CheckScene& scene) {
  Json pod = {{"restartPolicy", "Never"},
              {"automountServiceAccountToken", false},
              {"enableServiceLinks", false},
              {"serviceAccountName", scene.service_account}};
  pod["securityContext"] = runtime::RestrictedPod();
  if (check.smoke && check.smoke->pod) {
    pod["volumes"] = Json::array({{{"name", "tmp"}, {"emptyDir", {{"sizeLimit", "1Gi"}}}}});
    pod["containers"] = Json::array({ProgramContainer(promotion, *check.smoke->pod, scene)});
  } else {
    pod["containers"] =
        Json::array({RunnerContainer(ArgumentsOf(promotion, check, scene), scene.runner_image)});
  }
  return pod;
}

}  // namespace

// One pass, so that nothing that was put in is looked at again.
std::string QueryFor(const CanaryPromotion& promotion, std::string_view query) {
  const std::array<std::pair<std::string_view, std::string>, 4> variables{
      {{"$(namespace)", promotion.meta.key.ns},
       {"$(canary)", CanaryName(promotion)},
       {"$(stable)", promotion.spec.target.deployment},
       {"$(service)", promotion.spec.target.service}}};
  std::string out;
  while (!query.empty()) {
    const auto* found = std::ranges::find_if(
        variables, [&](const auto& variable) { return query.starts_with(variable.first); });
    const bool is_one = found != variables.end();
    out += is_one ? std::string_view(found->second) : query.substr(0, 1);
    query.remove_prefix(is_one ? found->first.size() : 1);
  }
  return out;
}

Json RenderCheckJob(const CanaryPromotion& promotion, const CreateCheckJob& effect, const CheckScene& scene) {
  const std::string name = CheckJobName(promotion, effect.step, effect.check);
  const auto role = RoleOf(effect.step, effect.check);
  Json metadata = {{"name", name}, {"namespace", promotion.meta.key.ns}};
  metadata["labels"] = Marks(promotion, role);
  const kube::OwnerReference owner{kube::ApiVersion(kube::kCanaryPromotions),
                                   std::string(kube::kCanaryPromotions.kind), promotion.meta.key.name,
                                   promotion.meta.uid, true};
  metadata["ownerReferences"] = Json::array({kube::ToJson(owner)});
  const auto timeout = std::chrono::ceil<std::chrono::seconds>(TimeoutOf(effect.check)).count();
  const auto deadline = timeout + kStartUpSeconds;
  Json spec = {{"backoffLimit", 0},
               {"activeDeadlineSeconds", deadline + kGraceSeconds},
               {"ttlSecondsAfterFinished", kKeptSeconds}};
  spec["podFailurePolicy"] = jobs::FailWhenDisrupted();
  spec["template"]["metadata"]["labels"] = Marks(promotion, role);
  spec["template"]["metadata"]["labels"][std::string(resources::kJobLabel)] = name;
  spec["template"]["spec"] = PodOf(promotion, effect.check, scene);
  spec["template"]["spec"]["activeDeadlineSeconds"] = deadline;
  Json body = {{"apiVersion", kube::ApiVersion(kube::kJobs)}, {"kind", kube::kJobs.kind}};
  body["metadata"] = std::move(metadata);
  body["spec"] = std::move(spec);
  return body;
}

}  // namespace slipway::canary
