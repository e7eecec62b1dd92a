#include "runtime/containers.h"

#include <fmt/format.h>

namespace slipway::runtime {

using kube::Json;

std::string Literal(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '$' ? 2 : 1, c);
  return out;
}

std::string Option(std::string_view name, std::string_view value) {
  return fmt::format("--{}={}", name, Literal(value));
}

Json Mount(std::string_view volume, std::string_view path, bool read_only) {
  Json mount = {{"name", volume}, {"mountPath", path}};
  if (read_only) mount["readOnly"] = true;
  return mount;
}

Json Variable(std::string_view name, std::string_view value) { return {{"name", name}, {"value", value}}; }

Json Requests(std::string_view cpu, std::string_view memory) {
  Json resources;
  resources["requests"] = {{"cpu", cpu}, {"memory", memory}};
  return resources;
}

Json Restricted() {
  Json context = {{"runAsNonRoot", true},
                  {"runAsUser", kUser},
                  {"allowPrivilegeEscalation", false},
                  {"readOnlyRootFilesystem", true}};
  context["capabilities"]["drop"] = Json::array({"ALL"});
  return context;
}

Json RestrictedPod() {
  Json context = {{"runAsNonRoot", true}, {"runAsUser", kUser}, {"runAsGroup", kUser}};
  context["seccompProfile"] = {{"type", "RuntimeDefault"}};
  return context;
}

}  // namespace slipway::runtime
