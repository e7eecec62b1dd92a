#include <fmt/format.h>

#include "base/time.h"
#include "image_build/builder.h"
#include "image_build/containers.h"
#include "image_build/names.h"

namespace slipway::image_build {
namespace {

using kube::Json;
using resources::BuildRun;
using resources::ImageBuild;

// Kaniko keeps what is below /kaniko apart from the image that it builds: in any other place these mounts
// would hide a folder of the same name from the Dockerfile (WORKDIR /workspace is a common one).
constexpr std::string_view kSource = "/kaniko/workspace";
constexpr std::string_view kImage = "/kaniko/image";
constexpr std::string_view kTools = "/kaniko/slipway";
constexpr std::string_view kAuthorities = "/kaniko/slipway-ca";

// What it takes to unpack images and to run a Dockerfile's steps as root, and no more.
Json RootOfItsImage() {
  Json context = {{"runAsUser", 0}, {"allowPrivilegeEscalation", false}};
  context["capabilities"]["drop"] = Json::array({"ALL"});
  context["capabilities"]["add"] =
      Json::array({"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID", "SETFCAP", "KILL"});
  return context;
}

std::string VersionOf(const BuildRun& run) {
  const auto version = RenderTags({"{{semver}}"}, run);
  return version ? version->front() : ShortCommit(run.commit->sha);
}

// The predefined keys of the OCI image specification. Where an image is from is not for the spec to say; the
// base image's and the time are added when they are known (arguments of the prepare container).
std::map<std::string, std::string> LabelsOf(const ImageBuild& build, const BuildRun& run) {
  std::map<std::string, std::string> labels = build.spec.output.labels;
  const std::string prefix = "org.opencontainers.image.";
  labels.try_emplace(prefix + "title", build.meta.key.name);
  labels.try_emplace(prefix + "version", VersionOf(run));
  labels.try_emplace(prefix + "url", build.spec.source.url);
  labels[prefix + "source"] = build.spec.source.url;
  labels[prefix + "revision"] = run.commit->sha;
  labels[prefix + "ref.name"] = run.ref.empty() ? build.spec.source.Wanted() : run.ref;
  return labels;
}

void AddCache(const ImageBuild& build, Json& args) {
  if (!build.spec.build.cache) return;
  args.push_back("--cache=true");
  // Without credentials a pull request's layers may not be taken; that is no reason not to build it.
  if (!build.spec.output.push) args.push_back("--skip-push-permission-check");
  args.push_back(Option("cache-repo", CacheRepository(build)));
  args.push_back(Option("cache-ttl", FormatDuration(build.spec.build.cache->ttl)));
}

Json ArgumentsOf(const BuildInput& input) {
  const auto& [build, run, platform, setting] = input;
  const auto& spec = build.spec.build;
  const std::string context = Below(fmt::format("{}/source", kSource), build.spec.source.context_dir);
  Json args =
      Json::array({Option("report", kReportPath), Option("arguments", fmt::format("{}/arguments", kTools)),
                   "--", "/kaniko/executor", Option("context", "dir://" + context),
                   Option("dockerfile", Below(context, spec.dockerfile)),
                   Option("destination", build.spec.output.repository + ":" + run.commit->sha), "--no-push",
                   Option("tar-path", fmt::format("{}/image.tar", kImage)), "--reproducible",
                   "--snapshot-mode=redo", "--skip-unused-stages", "--log-format=text", "--verbosity=info"});
  if (!spec.target.empty()) args.push_back(Option("target", spec.target));
  if (!platform.empty()) args.push_back(Option("custom-platform", platform));
  AddCache(build, args);
  for (const auto& host : setting.policy.insecure_registries) {
    args.push_back(Option("insecure-registry", host));
  }
  AddBuildArguments(build, run, platform, args);
  for (const auto& [name, value] : LabelsOf(build, run)) args.push_back(Option("label", name + "=" + value));
  return args;
}

class KanikoBuilder final : public Builder {
 public:
  Json Container(const BuildInput& input) const override {
    Json container = {{"name", "build"}, {"image", input.setting.tools.kaniko_image}};
    container["command"] = Json::array({fmt::format("{}/entrypoint", kTools)});
    container["args"] = ArgumentsOf(input);
    container["resources"] = Bounds(input.build.spec.build.resources);
    container["securityContext"] = RootOfItsImage();
    container["terminationMessagePolicy"] = "File";
    container["volumeMounts"] =
        Json::array({Mount(kSourceVolume, kSource, true), Mount(kImageVolume, kImage, false),
                     Mount(kToolsVolume, kTools, true), Mount(kDockerVolume, "/kaniko/.docker", true)});
    if (input.build.spec.ca_bundle_ref) {
      container["env"] =
          Json::array({Variable("SSL_CERT_DIR", fmt::format("/kaniko/ssl/certs:{}", kAuthorities))});
      container["volumeMounts"].push_back(Mount(kCaBundle, kAuthorities, true));
    }
    return container;
  }
};

}  // namespace

const Builder& Kaniko() {
  static const KanikoBuilder kaniko;
  return kaniko;
}

}  // namespace slipway::image_build
