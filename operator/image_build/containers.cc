#include "image_build/containers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/time.h"
#include "image_build/builder.h"
#include "image_build/names.h"
#include "image_build/report.h"
#include "image_build/tell.h"

namespace slipway::image_build {

using kube::Json;
using resources::BuildRun;
using resources::ImageBuild;

namespace {

constexpr std::string_view kCaFolder = "/ca";

// Beside the source, where nothing of the repository can be.
std::string FactsFile() { return fmt::format("{}/facts.json", kWorkspace); }

std::string SourceFolder() { return fmt::format("{}/source", kWorkspace); }

// "owner/name", as the forge's API names a repository: the path of its URL.
std::string PathOf(std::string_view url) {
  const auto scheme = url.find("://");
  const auto begin = scheme == std::string_view::npos ? url.find(':') : url.find('/', scheme + 3);
  std::string_view path = begin == std::string_view::npos ? std::string_view() : url.substr(begin + 1);
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.ends_with(".git")) path.remove_suffix(4);
  return std::string(path);
}

void AddGitOptions(const ImageBuild& build, Json& args) {
  const auto& git = build.spec.source;
  if (git.submodules) args.push_back("--submodules");
  if (git.depth) args.push_back(fmt::format("--depth={}", *git.depth));
}

void AddTags(const std::vector<std::string>& tags, bool move, Json& args) {
  for (const auto& tag : tags) args.push_back(Option("tag", tag));
  if (move) args.push_back("--move-tags");
}

void AddRegistry(const ImageBuild& build, const Setting& setting, Json& container) {
  if (setting.policy.Insecure(build.spec.output.repository)) container["args"].push_back("--insecure");
  if (build.spec.output.credentials_secret_ref) {
    GiveCredentials(container, kPushCredentials, "credentials", "/credentials");
  }
}

}  // namespace

// ---- parts ----

Json Bounds(const resources::ResourceList& asked) {
  auto requests = asked.requests;
  requests.insert(asked.limits.begin(), asked.limits.end());
  Json bounds = Json::object();
  if (!requests.empty()) bounds["requests"] = std::move(requests);
  if (!asked.limits.empty()) bounds["limits"] = asked.limits;
  return bounds;
}

std::string Below(const std::string& folder, std::string_view below) {
  while (below.starts_with("./")) below.remove_prefix(2);
  while (below.ends_with('/')) below.remove_suffix(1);
  return below.empty() || below == "." ? folder : fmt::format("{}/{}", folder, below);
}

Json LocalRunnerContainer(std::string_view name, const Setting& setting, Json args) {
  args.push_back(Option("report", kReportPath));
  Json container = {{"name", name}, {"image", setting.tools.runner_image}};
  container["args"] = std::move(args);
  container["env"] = Json::array({Variable("HOME", "/tmp")});
  container["resources"] = Requests("50m", "64Mi");
  container["securityContext"] = Restricted();
  container["volumeMounts"] = Json::array({Mount("tmp", "/tmp", false)});
  return container;
}

Json RunnerContainer(const ImageBuild& build, std::string_view name, const Setting& setting, Json args) {
  Json container = LocalRunnerContainer(name, setting, std::move(args));
  if (build.spec.ca_bundle_ref) {
    container["args"].push_back(Option("ca", fmt::format("{}/ca.crt", kCaFolder)));
    container["volumeMounts"].push_back(Mount(kCaBundle, kCaFolder, true));
  }
  return container;
}

void GiveCredentials(Json& container, std::string_view volume, std::string_view flag, std::string_view path) {
  container["args"].push_back(Option(flag, path));
  container["volumeMounts"].push_back(Mount(volume, path, true));
}

void AddBuildArguments(const ImageBuild& build, const BuildRun& run, std::string_view platform, Json& args) {
  std::map<std::string, std::string> ours{{"GIT_COMMIT", run.commit->sha}};
  if (!platform.empty()) {
    const auto slash = platform.find('/');
    ours["TARGETPLATFORM"] = platform;
    ours["TARGETOS"] = platform.substr(0, slash);
    ours["TARGETARCH"] = platform.substr(slash + 1, platform.find('/', slash + 1) - slash - 1);
  }
  for (const auto& [name, value] : ours)
    args.push_back(Option("build-arg", fmt::format("{}={}", name, value)));
  for (const auto& arg : build.spec.build.args) {
    if (!ours.contains(arg.name)) args.push_back(Option("build-arg", arg.name + "=" + arg.value));
  }
}

// ---- steps that speak to git ----

Json ResolveContainer(const ImageBuild& build, const Setting& setting) {
  const auto& git = build.spec.source;
  const std::string wanted =
      git.semver.empty() ? Option("revision", git.revision) : Option("semver", git.semver);
  Json container =
      RunnerContainer(build, "resolve", setting, Json::array({"resolve", Option("url", git.url), wanted}));
  if (git.credentials_secret_ref) GiveCredentials(container, kGitCredentials, "credentials", "/credentials");
  return container;
}

Json SourceContainer(const ImageBuild& build, const BuildRun& run, const Setting& setting,
                     std::string_view dockerfile) {
  const auto& git = build.spec.source;
  Json args = Json::array({"clone", Option("url", git.url), Option("commit", run.commit->sha),
                           Option("destination", SourceFolder()), Option("context-dir", git.context_dir),
                           Option("dockerfile", dockerfile), Option("facts", FactsFile())});
  if (!run.ref.empty()) args.push_back(Option("ref", run.ref));
  AddGitOptions(build, args);
  Json container = RunnerContainer(build, "source", setting, std::move(args));
  container["volumeMounts"].push_back(Mount(kSourceVolume, kWorkspace, false));
  if (git.credentials_secret_ref) GiveCredentials(container, kGitCredentials, "credentials", "/credentials");
  return container;
}

// ---- the user's own ----

// The command is the user's: $(NAME) in it stands for the variable, as everywhere in Kubernetes.
Json TestContainer(const ImageBuild& build, const BuildRun& run, const Leg& leg) {
  const auto& test = *leg.test;
  Json container = {{"name", "test"}, {"image", test.image}};
  if (!test.command.empty()) container["command"] = test.command;
  container["workingDir"] = Below(SourceFolder(), build.spec.source.context_dir);
  container["env"] = Json::array(
      {Variable("HOME", "/tmp"), Variable("CI", "true"), Variable("GIT_COMMIT", run.commit->sha)});
  for (const auto& variable : leg.values) {
    container["env"].push_back(Variable(variable.name, Literal(variable.value)));
  }
  for (const auto& variable : test.env) {
    container["env"].push_back(Variable(variable.name, Literal(variable.value)));
  }
  container["resources"] = Bounds(test.resources);
  container["securityContext"] = Restricted();
  container["securityContext"].erase("readOnlyRootFilesystem");
  container["terminationMessagePolicy"] = "File";
  container["volumeMounts"] =
      Json::array({Mount(kSourceVolume, kWorkspace, false), Mount("test-tmp", "/tmp", false)});
  return container;
}

// ---- the steps of the build Job ----

Json PrepareContainer(const ImageBuild& build, const BuildRun& run, std::string_view platform,
                      const Setting& setting) {
  const auto& spec = build.spec.build;
  Json args = Json::array({"prepare", Option("source", SourceFolder()),
                           Option("context-dir", build.spec.source.context_dir),
                           Option("dockerfile", spec.dockerfile), Option("facts", FactsFile()),
                           "--docker-config=/docker-config", "--tools=/tools"});
  if (!spec.target.empty()) args.push_back(Option("target", spec.target));
  AddBuildArguments(build, run, platform, args);
  for (const auto& host : setting.policy.insecure_registries) {
    args.push_back(Option("insecure-registry", host));
  }
  if (spec.cache) args.push_back(Option("cache-repository", CacheRepository(build)));
  Json container = RunnerContainer(build, "prepare", setting, std::move(args));
  auto& mounts = container["volumeMounts"];
  mounts.push_back(Mount(kSourceVolume, kWorkspace, true));
  mounts.push_back(Mount(kToolsVolume, "/tools", false));
  mounts.push_back(Mount(kDockerVolume, "/docker-config", false));
  if (spec.base_credentials_secret_ref) {
    GiveCredentials(container, kBaseCredentials, "base-credentials", "/base-credentials");
  }
  if (spec.cache && spec.cache->credentials_secret_ref) {
    GiveCredentials(container, kCacheCredentials, "cache-credentials", "/cache-credentials");
  }
  return container;
}

Json PushContainer(const ImageBuild& build, const BuildRun& run, std::string_view platform,
                   const Setting& setting) {
  Json args = Json::array({"push", "--image=/image/image.tar", Option("facts", FactsFile()),
                           Option("repository", build.spec.output.repository)});
  if (platform.empty()) {
    // That they can be rendered was found out before; what is rendered is empty only where it can't.
    AddTags(RenderTagsBefore(build.spec.output.tags, run).value_or(std::vector<std::string>{}),
            build.spec.output.move_tags, args);
  } else {
    AddTags({StagingTag(run, platform)}, true, args);
  }
  Json container = RunnerContainer(build, "push", setting, std::move(args));
  container["volumeMounts"].push_back(Mount(kImageVolume, "/image", true));
  container["volumeMounts"].push_back(Mount(kSourceVolume, kWorkspace, true));
  AddEvidence(container);
  AddRegistry(build, setting, container);
  return container;
}

Json IndexContainer(const ImageBuild& build, const BuildRun& run, const Setting& setting) {
  Json args = Json::array({"index", Option("repository", build.spec.output.repository)});
  for (const auto& job : run.jobs) {
    if (job.role == resources::JobRole::kBuild) args.push_back(Option("manifest", job.image));
  }
  AddTags(RenderTags(build.spec.output.tags, run).value_or(std::vector<std::string>{}),
          build.spec.output.move_tags, args);
  Json container = RunnerContainer(build, "index", setting, std::move(args));
  AddRegistry(build, setting, container);
  return container;
}

Json ReportContainer(const ImageBuild& build, const BuildRun& run, const std::string& state,
                     const Setting& setting) {
  const auto& report = *build.spec.report;
  const std::string context = report.context.empty() ? "slipway/" + build.meta.key.name : report.context;
  Json container = RunnerContainer(
      build, "report", setting,
      Json::array({"commit-status", Option("provider", resources::ToString(report.provider)),
                   Option("api-url", report.api_url), Option("repository", PathOf(build.spec.source.url)),
                   Option("commit", run.commit->sha), Option("state", state), Option("context", context),
                   Option("description", StatusText(run))}));
  GiveCredentials(container, kReportCredentials, "credentials", "/credentials");
  return container;
}

}  // namespace slipway::image_build
