#include "supply/scan_job.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/names.h"
#include "runtime/containers.h"
#include "supply/job.h"

namespace slipway::supply {
namespace {

using kube::Json;
using runtime::Literal;
using runtime::Mount;
using runtime::Option;

constexpr std::string_view kScanVolume = "scan";
constexpr std::string_view kScanFolder = "/scan";
constexpr std::string_view kTrivyTmp = "trivy-tmp";
constexpr Duration kDeadline = std::chrono::minutes(15);
// Below the pod's: a registry that does not answer is told in Trivy's words.
constexpr std::string_view kTimeout = "12m";

std::string InScan(std::string_view name) { return fmt::format("{}/{}", kScanFolder, name); }

Json Scratch(std::string_view name) { return {{"name", name}, {"emptyDir", {{"sizeLimit", "4Gi"}}}}; }

Json Text(const resources::ScanException& exception) {
  return {{"id", exception.id},
          {"package", exception.package},
          {"expires", exception.expires},
          {"reason", exception.reason}};
}

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json ScanContainer(const ScanRequest& request, const Setting& setting) {
  const auto& database = setting.tools.trivy_db_repository;
  const auto& java = setting.tools.trivy_java_db_repository;
  Json args =
      Json::array({"image", "--image-src=remote", "--scanners=vuln", "--format=json",
                   Option("output", InScan("trivy.json")), "--list-all-pkgs", "--show-suppressed",
                   "--exit-code=0", Option("db-repository", database), "--skip-version-check",
                   "--disable-telemetry", "--offline-scan", Option("cache-dir", InScan("cache")), "--quiet",
                   "--no-progress", "--ignorefile=/dev/null", Option("timeout", kTimeout)});
  args.push_back(java.empty() ? std::string("--skip-java-db-update") : Option("java-db-repository", java));
  const auto& policy = setting.policy;
  const bool insecure =
      policy.Insecure(request.image) || policy.Insecure(database) || (!java.empty() && policy.Insecure(java));
  if (insecure) args.push_back("--insecure");
  args.push_back("--");  // what follows is an image, whatever it begins with
  args.push_back(Literal(request.image));
  Json container = TrivyContainer("scan", setting, std::move(args));
  // Not the gate's /tmp: what an image's files are read into is no place for another program's.
  container["volumeMounts"][0] = Mount(kTrivyTmp, "/tmp", false);
  container["volumeMounts"].push_back(Mount(kScanVolume, kScanFolder, false));
  return container;
}

Json GateContainer(const ScanRequest& request, const Setting& setting) {
  const ScanRules& rules = request.rules;
  const Duration oldest = setting.policy.max_database_age;
  Json args = Json::array({"gate", Option("trivy", InScan("trivy.json")),
                           Option("database", InScan("cache/db/metadata.json")),
                           Option("fail-on", resources::ToString(rules.fail_on)),
                           rules.ignore_unfixed ? "--ignore-unfixed" : "--count-unfixed"});
  if (oldest.count() > 0) args.push_back(Option("max-database-age", FormatDuration(oldest)));
  for (const auto& exception : rules.exceptions) args.push_back(Option("exception", Dump(Text(exception))));
  Json container = RunnerContainer("gate", setting, std::move(args));
  container["volumeMounts"].push_back(Mount(kScanVolume, kScanFolder, true));
  return container;
}

}  // namespace

std::string KeyOf(const ScanRules& rules) {
  Json all = {{"failOn", resources::ToString(rules.fail_on)},
              {"ignoreUnfixed", rules.ignore_unfixed},
              {"exceptions", Json::array()}};
  for (const auto& exception : rules.exceptions) all["exceptions"].push_back(Text(exception));
  return ShortHash(Dump(all), 8);
}

Json RenderScanJob(const ScanRequest& request, const Setting& setting) {
  JobShape shape;
  shape.name = request.name;
  shape.role = kScanRole;
  shape.before.push_back(ScanContainer(request, setting));
  shape.containers.push_back(GateContainer(request, setting));
  shape.volumes = {Scratch(kScanVolume), Scratch(kTrivyTmp)};
  shape.deadline = kDeadline;
  return RenderJob(request.owner, std::move(shape), setting);
}

}  // namespace slipway::supply
