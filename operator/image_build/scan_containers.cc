// The stage `scan`: Trivy writes down what it finds in the tar, and slipway-runner judges it. So a scanner
// that breaks is told from a finding by which of the two ended badly, and what is borne is decided by code of
// ours.
#include <fmt/format.h>

#include "base/time.h"
#include "image_build/builder.h"
#include "image_build/containers.h"

namespace slipway::image_build {

using kube::Json;
using resources::ImageBuild;

namespace {

constexpr std::string_view kScanFolder = "/scan";

std::string InScan(std::string_view name) { return fmt::format("{}/{}", kScanFolder, name); }

// In an empty folder, and told of no file of the repository that says what to ignore.
Json TrivyContainer(std::string_view name, const Setting& setting, Json args) {
  Json container = {{"name", name}, {"image", setting.tools.trivy_image}, {"workingDir", "/tmp"}};
  container["args"] = std::move(args);
  container["env"] = Json::array({Variable("HOME", "/tmp")});
  container["resources"] = Requests("100m", "256Mi");
  container["securityContext"] = Restricted();
  container["terminationMessagePolicy"] = "FallbackToLogsOnError";
  container["volumeMounts"] =
      Json::array({Mount(kScanVolume, kScanFolder, false), Mount("scan-tmp", "/tmp", false)});
  return container;
}

Json ScanContainer(const ImageBuild& build, const Setting& setting) {
  const auto& scan = build.spec.scan;
  const auto& tools = setting.tools;
  Json args = Json::array(
      {"image", "--input=/image/image.tar", "--scanners=vuln", "--format=json",
       Option("output", InScan("trivy.json")), "--list-all-pkgs", "--show-suppressed", "--exit-code=0",
       Option("db-repository", tools.trivy_db_repository), "--skip-version-check", "--disable-telemetry",
       "--offline-scan", Option("cache-dir", InScan("cache")), "--quiet", "--no-progress",
       "--ignorefile=/dev/null", Option("timeout", FormatDuration(build.spec.build.timeout))});
  if (tools.trivy_java_db_repository.empty()) {
    args.push_back("--skip-java-db-update");
  } else {
    args.push_back(Option("java-db-repository", tools.trivy_java_db_repository));
  }
  for (std::size_t i = 0; i < scan.vex.size(); ++i)
    args.push_back(Option("vex", fmt::format("/{}/openvex.json", VexVolume(i))));
  if (setting.policy.Insecure(tools.trivy_db_repository)) args.push_back("--insecure");
  Json container = TrivyContainer("scan", setting, std::move(args));
  auto& mounts = container["volumeMounts"];
  mounts.push_back(Mount(kImageVolume, "/image", true));
  for (std::size_t i = 0; i < scan.vex.size(); ++i)
    mounts.push_back(Mount(VexVolume(i), fmt::format("/{}", VexVolume(i)), true));
  if (build.spec.ca_bundle_ref) {
    container["env"].push_back(Variable("SSL_CERT_DIR", "/etc/ssl/certs:/ca"));
    mounts.push_back(Mount(kCaBundle, "/ca", true));
  }
  return container;
}

Json SarifContainer(const Setting& setting) {
  return TrivyContainer("sarif", setting,
                        Json::array({"convert", "--format=sarif", Option("output", InScan("sarif.json")),
                                     "--quiet", InScan("trivy.json")}));
}

std::string ExceptionText(const resources::ScanException& exception) {
  return Json{{"id", exception.id},
              {"package", exception.package},
              {"expires", exception.expires},
              {"reason", exception.reason}}
      .dump();
}

Json GateContainer(const ImageBuild& build, const Setting& setting) {
  const auto& scan = build.spec.scan;
  Json args = Json::array({"gate", Option("trivy", InScan("trivy.json")),
                           Option("database", InScan("cache/db/metadata.json")),
                           Option("fail-on", resources::ToString(scan.fail_on)),
                           scan.ignore_unfixed ? "--ignore-unfixed" : "--count-unfixed"});
  if (setting.policy.max_database_age.count() > 0)
    args.push_back(Option("max-database-age", FormatDuration(setting.policy.max_database_age)));
  for (const auto& exception : scan.exceptions) args.push_back(Option("exception", ExceptionText(exception)));
  Json container = LocalRunnerContainer("gate", setting, std::move(args));
  container["volumeMounts"].push_back(Mount(kScanVolume, kScanFolder, true));
  return container;
}

}  // namespace

std::string VexVolume(std::size_t index) { return fmt::format("vex-{}", index); }

std::vector<Json> ScanContainers(const ImageBuild& build, const Setting& setting) {
  return {ScanContainer(build, setting), SarifContainer(setting), GateContainer(build, setting)};
}

void AddEvidence(Json& push) {
  push["args"].push_back(Option("attach", "application/vnd.slipway.trivy+json=" + InScan("trivy.json")));
  push["args"].push_back(Option("attach", "application/sarif+json=" + InScan("sarif.json")));
  push["volumeMounts"].push_back(Mount(kScanVolume, kScanFolder, true));
}

}  // namespace slipway::image_build
