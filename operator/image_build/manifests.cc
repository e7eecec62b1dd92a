#include "image_build/manifests.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/names.h"
#include "image_build/decide.h"
#include "image_build/names.h"
#include "image_build/report.h"
#include "resources/common.h"

namespace slipway::image_build {
namespace {

using kube::Json;
using resources::BuildRun;
using resources::ImageBuild;
using resources::NameRef;

constexpr int kUser = 65532;
constexpr int kSecretMode = 0440;
constexpr std::string_view kReport = "/dev/termination-log";
// Kaniko keeps what is below /kaniko apart from the image that it builds: in any other place these mounts
// would hide a folder of the same name from the Dockerfile (WORKDIR /workspace is a common one).
constexpr std::string_view kKanikoSource = "/kaniko/workspace";
constexpr std::string_view kKanikoImage = "/kaniko/image";

// Kubernetes replaces $(NAME) in arguments; "$$" is a plain dollar.
std::string Literal(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '$' ? 2 : 1, c);
  return out;
}

std::string Option(std::string_view name, std::string_view value) {
  return fmt::format("--{}={}", name, Literal(value));
}

Json Labels(const ImageBuild& build, std::string_view role) {
  return {{resources::kOwnerKindLabel, kube::kImageBuilds.kind},
          {resources::kOwnerNameLabel, LabelValue(build.meta.key.name)},
          {resources::kRoleLabel, role}};
}

Json Restricted() {
  Json context = {{"runAsNonRoot", true},
                  {"runAsUser", kUser},
                  {"allowPrivilegeEscalation", false},
                  {"readOnlyRootFilesystem", true}};
  context["capabilities"]["drop"] = Json::array({"ALL"});
  return context;
}

// What it takes to unpack images and to run a Dockerfile's steps as root, and no more.
Json RootOfItsImage() {
  Json context = {{"runAsUser", 0}, {"allowPrivilegeEscalation", false}};
  context["capabilities"]["drop"] = Json::array({"ALL"});
  context["capabilities"]["add"] =
      Json::array({"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID", "SETFCAP", "KILL"});
  return context;
}

Json Mount(std::string_view volume, std::string_view path, bool read_only) {
  Json mount = {{"name", volume}, {"mountPath", path}};
  if (read_only) mount["readOnly"] = true;
  return mount;
}

Json Scratch(std::string_view name) { return {{"name", name}, {"emptyDir", Json::object()}}; }

Json Requests(std::string_view cpu, std::string_view memory) {
  Json resources;
  resources["requests"] = {{"cpu", cpu}, {"memory", memory}};
  return resources;
}

// As the API server completes it: a limit without a request is a request too.
Json Bounds(const resources::ResourceList& asked) {
  auto requests = asked.requests;
  requests.insert(asked.limits.begin(), asked.limits.end());
  Json bounds = Json::object();
  if (!requests.empty()) bounds["requests"] = std::move(requests);
  if (!asked.limits.empty()) bounds["limits"] = asked.limits;
  return bounds;
}

Json Variable(std::string_view name, std::string_view value) { return {{"name", name}, {"value", value}}; }

Json SecretVolume(std::string_view name, const NameRef& secret, bool docker_config) {
  Json source = {{"secretName", secret.name}, {"defaultMode", kSecretMode}};
  if (docker_config) {
    Json item = {{"key", ".dockerconfigjson"}, {"path", "config.json"}};
    source["items"] = Json::array({std::move(item)});
  }
  Json volume = {{"name", name}};
  volume["secret"] = std::move(source);
  return volume;
}

Json RunnerContainer(std::string_view name, const Setting& setting, Json args) {
  Json container = {{"name", name}, {"image", setting.tools.runner_image}};
  container["args"] = std::move(args);
  container["env"] = Json::array({Variable("HOME", "/tmp")});
  container["resources"] = Requests("50m", "64Mi");
  container["securityContext"] = Restricted();
  container["volumeMounts"] = Json::array({Mount("git-tmp", "/tmp", false)});
  return container;
}

void GiveGitCredentials(const ImageBuild& build, Json& container) {
  if (!build.spec.source.credentials_secret_ref) return;
  container["args"].push_back("--credentials=/credentials");
  container["volumeMounts"].push_back(Mount(kGitCredentials, "/credentials", true));
}

void AddGitVolumes(const ImageBuild& build, Json& volumes) {
  volumes.push_back(Scratch("git-tmp"));
  const auto& ref = build.spec.source.credentials_secret_ref;
  if (ref) volumes.push_back(SecretVolume(kGitCredentials, *ref, false));
}

// "." and "./a/" are "" and "a".
std::string Relative(std::string_view path) {
  while (path.starts_with("./")) path.remove_prefix(2);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path == "." ? std::string() : std::string(path);
}

std::string Below(const std::string& folder, std::string_view path) {
  const std::string relative = Relative(path);
  return relative.empty() ? folder : folder + "/" + relative;
}

// ---- the containers of the build Job ----

Json SourceContainer(const ImageBuild& build, const BuildRun& run, const Setting& setting) {
  const auto& git = build.spec.source;
  Json container = RunnerContainer(
      "source", setting,
      Json::array({"clone", Option("url", git.url), Option("commit", run.commit->sha),
                   "--destination=/workspace/source", Option("context-dir", git.context_dir),
                   Option("dockerfile", build.spec.build.dockerfile), Option("report", kReport)}));
  container["volumeMounts"].push_back(Mount("workspace", "/workspace", false));
  GiveGitCredentials(build, container);
  return container;
}

const std::optional<NameRef>& BuildCredentials(const ImageBuild& build) {
  const auto& spec = build.spec.build;
  return spec.cache && spec.cache->credentials_secret_ref ? spec.cache->credentials_secret_ref
                                                          : spec.base_credentials_secret_ref;
}

void AddBuildArguments(const ImageBuild& build, const std::string& sha, Json& args) {
  args.push_back(Option("build-arg", "GIT_COMMIT=" + sha));
  for (const auto& arg : build.spec.build.args) {
    if (arg.name != "GIT_COMMIT") args.push_back(Option("build-arg", arg.name + "=" + arg.value));
  }
  // Where an image is from is not for the spec to say.
  std::map<std::string, std::string> labels{{"org.opencontainers.image.revision", sha},
                                            {"org.opencontainers.image.source", build.spec.source.url}};
  labels.insert(build.spec.output.labels.begin(), build.spec.output.labels.end());
  for (const auto& [name, value] : labels) args.push_back(Option("label", name + "=" + value));
}

Json KanikoArguments(const ImageBuild& build, const BuildRun& run, const Setting& setting) {
  const auto& spec = build.spec.build;
  const std::string context = Below(fmt::format("{}/source", kKanikoSource), build.spec.source.context_dir);
  Json args = Json::array(
      {Option("context", "dir://" + context), Option("dockerfile", Below(context, spec.dockerfile)),
       Option("destination", build.spec.output.repository + ":" + run.commit->sha), "--no-push",
       Option("tar-path", fmt::format("{}/image.tar", kKanikoImage)), "--reproducible",
       "--snapshot-mode=redo", "--log-format=text", "--verbosity=info"});
  if (!spec.target.empty()) args.push_back(Option("target", spec.target));
  if (spec.cache) {
    args.push_back("--cache=true");
    args.push_back(Option("cache-repo", spec.cache->repository));
    args.push_back(Option("cache-ttl", FormatDuration(spec.cache->ttl)));
  }
  for (const auto& host : setting.policy.insecure_registries)
    args.push_back(Option("insecure-registry", host));
  AddBuildArguments(build, run.commit->sha, args);
  return args;
}

Json BuildContainer(const ImageBuild& build, const BuildRun& run, const Setting& setting) {
  Json container = {{"name", "build"}, {"image", setting.tools.kaniko_image}};
  container["args"] = KanikoArguments(build, run, setting);
  container["resources"] = Bounds(build.spec.build.resources);
  container["securityContext"] = RootOfItsImage();
  container["terminationMessagePolicy"] = "File";
  container["volumeMounts"] =
      Json::array({Mount("workspace", kKanikoSource, true), Mount("image", kKanikoImage, false)});
  if (BuildCredentials(build)) {
    container["volumeMounts"].push_back(Mount(kBuildCredentials, "/kaniko/.docker", true));
  }
  return container;
}

// It runs in an empty folder, and takes no file that says what to ignore: those of the repository are not
// asked.
Json ScanContainer(const ImageBuild& build, const Setting& setting) {
  const auto& scan = build.spec.scan;
  const auto& tools = setting.tools;
  Json args = Json::array(
      {"image", "--input=/image/image.tar", "--scanners=vuln",
       Option("severity", SeveritiesFrom(scan.fail_on)), fmt::format("--exit-code={}", kFindingsExit),
       Option("db-repository", tools.trivy_db_repository), "--skip-version-check", "--disable-telemetry",
       "--offline-scan", "--cache-dir=/tmp/cache", "--quiet", "--no-progress", "--ignorefile=/dev/null",
       Option("timeout", FormatDuration(build.spec.build.timeout)), "--format=template",
       Option("template", FindingsTemplate()), Option("output", kReport)});
  if (scan.ignore_unfixed) args.push_back("--ignore-unfixed");
  if (tools.trivy_java_db_repository.empty()) {
    args.push_back("--skip-java-db-update");
  } else {
    args.push_back(Option("java-db-repository", tools.trivy_java_db_repository));
  }
  if (setting.policy.Insecure(tools.trivy_db_repository)) args.push_back("--insecure");
  Json container = {{"name", "scan"}, {"image", tools.trivy_image}, {"workingDir", "/tmp"}};
  container["args"] = std::move(args);
  container["env"] = Json::array({Variable("HOME", "/tmp")});
  container["resources"] = Requests("100m", "256Mi");
  container["securityContext"] = Restricted();
  container["volumeMounts"] = Json::array({Mount("image", "/image", true), Mount("scan-tmp", "/tmp", false)});
  return container;
}

Json CraneContainer(const ImageBuild& build, const Setting& setting, std::size_t index, Json args) {
  const auto& output = build.spec.output;
  if (setting.policy.Insecure(output.repository)) args.push_back("--insecure");
  Json container = {{"name", PushContainer(index)}, {"image", setting.tools.crane_image}};
  container["args"] = std::move(args);
  container["env"] = Json::array({Variable("HOME", "/tmp")});
  container["resources"] = Requests("50m", "64Mi");
  container["securityContext"] = Restricted();
  // Crane says on standard error what went wrong.
  container["terminationMessagePolicy"] = "FallbackToLogsOnError";
  Json mounts = Json::array();
  if (index == 0) mounts.push_back(Mount("image", "/image", true));
  if (output.credentials_secret_ref) {
    container["env"].push_back(Variable("DOCKER_CONFIG", "/credentials"));
    mounts.push_back(Mount(kPushCredentials, "/credentials", true));
  }
  if (!mounts.empty()) container["volumeMounts"] = std::move(mounts);
  return container;
}

std::vector<Json> PushContainers(const ImageBuild& build, const BuildRun& run, const Setting& setting) {
  const auto tags = RenderTags(build.spec.output.tags, run.commit->sha);
  const std::string first = build.spec.output.repository + ":" + tags.front();
  std::vector<Json> containers;
  containers.push_back(CraneContainer(
      build, setting, 0, Json::array({"push", "/image/image.tar", first, Option("image-refs", kReport)})));
  for (std::size_t i = 1; i < tags.size(); ++i) {
    containers.push_back(CraneContainer(build, setting, i, Json::array({"tag", first, tags[i]})));
  }
  return containers;
}

// ---- pods and Jobs ----

Json PodSpec(const Setting& setting, Json volumes) {
  Json pod = {{"restartPolicy", "Never"},
              {"automountServiceAccountToken", false},
              {"enableServiceLinks", false},
              {"serviceAccountName", setting.space.service_account}};
  pod["securityContext"]["fsGroup"] = kUser;
  pod["securityContext"]["seccompProfile"]["type"] = "RuntimeDefault";
  pod["volumes"] = std::move(volumes);
  return pod;
}

Json JobOf(const ImageBuild& build, std::string name, std::string_view role, Duration deadline, Json pod) {
  const kube::OwnerReference owner{kube::ApiVersion(kube::kImageBuilds), std::string(kube::kImageBuilds.kind),
                                   build.meta.key.name, build.meta.uid, true};
  Json job = {{"apiVersion", kube::ApiVersion(kube::kJobs)}, {"kind", kube::kJobs.kind}};
  job["metadata"] = {{"name", std::move(name)}, {"namespace", build.meta.key.ns}};
  job["metadata"]["labels"] = Labels(build, role);
  job["metadata"]["ownerReferences"] = Json::array({kube::ToJson(owner)});
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(deadline).count();
  job["spec"] = {{"backoffLimit", 0}, {"activeDeadlineSeconds", seconds}};
  job["spec"]["template"]["metadata"]["labels"] = Labels(build, role);
  job["spec"]["template"]["metadata"]["labels"][std::string(resources::kJobLabel)] = job["metadata"]["name"];
  job["spec"]["template"]["spec"] = std::move(pod);
  return job;
}

Json BuildVolumes(const ImageBuild& build) {
  Json volumes = Json::array({Scratch("workspace"), Scratch("image"), Scratch("scan-tmp")});
  AddGitVolumes(build, volumes);
  if (const auto& ref = BuildCredentials(build)) {
    volumes.push_back(SecretVolume(kBuildCredentials, *ref, true));
  }
  const auto& push = build.spec.output.credentials_secret_ref;
  if (push) volumes.push_back(SecretVolume(kPushCredentials, *push, true));
  return volumes;
}

}  // namespace

std::string SeveritiesFrom(resources::Severity least) {
  static constexpr std::string_view kNames[] = {"UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"};
  std::string list;
  for (auto i = static_cast<std::size_t>(least); i < std::size(kNames); ++i) {
    if (!list.empty()) list += ',';
    list += kNames[i];
  }
  return list;
}

Json RenderResolveJob(const ImageBuild& build, const BuildRun& run, const Setting& setting) {
  const auto& git = build.spec.source;
  Json container =
      RunnerContainer("resolve", setting,
                      Json::array({"resolve", Option("url", git.url), Option("revision", git.revision),
                                   Option("report", kReport)}));
  GiveGitCredentials(build, container);
  Json volumes = Json::array();
  AddGitVolumes(build, volumes);
  Json pod = PodSpec(setting, std::move(volumes));
  pod["containers"] = Json::array({std::move(container)});
  return JobOf(build, ResolveJobName(build.meta, run.number), "resolve", build.spec.build.timeout,
               std::move(pod));
}

Json RenderBuildJob(const ImageBuild& build, const BuildRun& run, const Setting& setting) {
  std::vector<Json> steps{SourceContainer(build, run, setting), BuildContainer(build, run, setting),
                          ScanContainer(build, setting)};
  for (auto& push : PushContainers(build, run, setting)) steps.push_back(std::move(push));
  Json pod = PodSpec(setting, BuildVolumes(build));
  pod["containers"] = Json::array({std::move(steps.back())});
  steps.pop_back();
  pod["initContainers"] = std::move(steps);
  return JobOf(build, BuildJobName(build.meta, run.number), "build", TimeLeft(build, run), std::move(pod));
}

}  // namespace slipway::image_build
