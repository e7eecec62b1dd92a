#include <fmt/format.h>

#include <algorithm>

#include "base/names.h"
#include "image_build/decide.h"

namespace slipway::image_build {
namespace {

// Fields one after another, each with its length before it, so that no two specs make the same text.
class Fields {
 public:
  Fields& Add(std::string_view text) {
    text_ += fmt::format("{}:{};", text.size(), text);
    return *this;
  }
  Fields& Add(const std::optional<resources::NameRef>& ref) { return Add(ref ? ref->name : std::string()); }
  Fields& Add(const std::map<std::string, std::string>& map) {
    Add(std::to_string(map.size()));
    for (const auto& [name, value] : map) Add(name).Add(value);
    return *this;
  }
  std::string Digest() const { return ShortHash(text_, 16); }

 private:
  std::string text_;
};

void AddBuild(Fields& fields, const resources::BuildSpec& build) {
  fields.Add(build.dockerfile).Add(build.target).Add(std::to_string(build.args.size()));
  for (const auto& arg : build.args) fields.Add(arg.name).Add(arg.value);
  fields.Add(build.cache ? build.cache->repository : std::string());
  if (build.cache) fields.Add(FormatDuration(build.cache->ttl)).Add(build.cache->credentials_secret_ref);
  fields.Add(build.resources.requests).Add(build.resources.limits).Add(FormatDuration(build.timeout));
  fields.Add(build.base_credentials_secret_ref);
}

}  // namespace

std::string KeyOf(const resources::ImageBuild& build) {
  const auto& spec = build.spec;
  Fields fields;
  fields.Add(spec.source.url).Add(spec.source.revision).Add(spec.source.context_dir);
  fields.Add(spec.source.credentials_secret_ref);
  AddBuild(fields, spec.build);
  fields.Add(resources::ToString(spec.scan.fail_on)).Add(spec.scan.ignore_unfixed ? "yes" : "no");
  fields.Add(spec.output.repository).Add(std::to_string(spec.output.tags.size()));
  for (const auto& tag : spec.output.tags) fields.Add(tag);
  fields.Add(spec.output.labels).Add(spec.output.credentials_secret_ref);
  const auto rebuild = build.meta.annotations.find(kRebuildAnnotation);
  fields.Add(rebuild == build.meta.annotations.end() ? std::string() : rebuild->second);
  return fields.Digest();
}

Duration TimeLeft(const resources::ImageBuild& build, const resources::BuildRun& run) {
  constexpr Duration kLeast = std::chrono::seconds(10);
  const Duration whole = build.spec.build.timeout;
  const auto resolve = std::ranges::find(run.stages, "resolve", &resources::StageStatus::name);
  if (resolve == run.stages.end() || !resolve->finished || !run.started) return whole;
  const Duration spent = std::max(Duration(0), *resolve->finished - *run.started);
  return std::max(kLeast, whole - spent);
}

}  // namespace slipway::image_build
