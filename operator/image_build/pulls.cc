#include <algorithm>

#include "base/names.h"
#include "image_build/manifests.h"
#include "image_build/names.h"
#include "resources/common.h"

namespace slipway::image_build {

using kube::Json;
using resources::ImageBuild;

namespace {

resources::ObservedCommit SeenOf(const resources::ImageBuildSpec& spec, const resources::ObservedPull& pull) {
  return {pull.commit, pull.ref, spec.source.Wanted(), spec.source.url, "Webhook", pull.time};
}

}  // namespace

bool IsPullBuild(const ImageBuild& child, const ImageBuild& parent, const resources::ObservedPull& pull) {
  const auto spec = PullSpec(parent, pull);
  return child.spec == spec && resources::CommitOf(child.meta) == SeenOf(spec, pull);
}

std::vector<resources::ObservedPull> WantedPulls(const ImageBuild& parent) {
  const auto& trigger = parent.spec.trigger.pull_requests;
  if (!trigger || parent.meta.deleted) return {};
  auto pulls = resources::PullsOf(parent.meta);
  if (trigger->forks == resources::ForkPolicy::kRefuse) {
    std::erase_if(pulls, [](const auto& pull) { return pull.fork; });
  }
  return pulls;
}

resources::ImageBuildSpec PullSpec(const ImageBuild& parent, const resources::ObservedPull& pull) {
  resources::ImageBuildSpec spec = parent.spec;
  spec.source.revision = pull.ref;
  spec.source.semver.clear();
  spec.trigger = {};
  spec.output.push = false;
  spec.output.tags = resources::OutputSpec{}.tags;
  spec.output.credentials_secret_ref.reset();
  spec.attest.reset();
  spec.build.base_credentials_secret_ref.reset();
  if (spec.build.cache) spec.build.cache->credentials_secret_ref.reset();
  // One name at the forge, whichever pull request: so a branch can require it.
  if (spec.report && spec.report->context.empty()) spec.report->context = "slipway/" + parent.meta.key.name;
  if (pull.fork) {
    spec.require_approval = true;
    spec.source.credentials_secret_ref.reset();
  }
  return spec;
}

Json RenderPullBuild(const ImageBuild& parent, const resources::ObservedPull& pull) {
  const kube::OwnerReference owner{kube::ApiVersion(kube::kImageBuilds), std::string(kube::kImageBuilds.kind),
                                   parent.meta.key.name, parent.meta.uid, true};
  const auto spec = PullSpec(parent, pull);
  Json build = {{"apiVersion", kube::ApiVersion(kube::kImageBuilds)}, {"kind", kube::kImageBuilds.kind}};
  build["metadata"] = {{"name", PullBuildName(parent.meta, pull.number)}, {"namespace", parent.meta.key.ns}};
  build["metadata"]["labels"] = {{resources::kOwnerKindLabel, kube::kImageBuilds.kind},
                                 {resources::kOwnerNameLabel, LabelValue(parent.meta.key.name)},
                                 {resources::kRoleLabel, "pull-request"}};
  build["metadata"]["annotations"][std::string(resources::kObservedCommitAnnotation)] =
      resources::Encode(SeenOf(spec, pull));
  build["metadata"]["ownerReferences"] = Json::array({kube::ToJson(owner)});
  build["spec"] = resources::EncodeSpec(spec);
  return build;
}

}  // namespace slipway::image_build
