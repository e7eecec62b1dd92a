#include "e2e/policy/fixture.h"

#include <filesystem>
#include <fstream>
#include <map>

namespace slipway::testing {
namespace {

constexpr const char* kRoles = R"(
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: dev}
rules:
- {apiGroups: [""], resources: [pods, services, configmaps], verbs: [get, create, patch, delete]}
- {apiGroups: [""], resources: [pods/exec, pods/attach, pods/log], verbs: [get, create]}
- {apiGroups: [""], resources: [pods/ephemeralcontainers, pods/status, pods/resize], verbs: [get, patch]}
- {apiGroups: [batch], resources: [jobs], verbs: [get, create, patch, update, delete]}
- {apiGroups: [apps], resources: [deployments, deployments/scale, replicasets], verbs: [get, list, create, patch, update, delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: writer}
rules:
- apiGroups: [slipway.dev]
  resources: [imagebuilds, releases, canarypromotions, imagebuilds/status, releases/status, canarypromotions/status]
  verbs: [get, list, create, update, patch, delete]
- {apiGroups: [slipway.dev], resources: [decisions], verbs: [get, create, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: approver}
rules:
- {apiGroups: [slipway.dev], resources: [decisions], verbs: [get, create, patch]}
- {apiGroups: [slipway.dev], resources: [imagebuilds], resourceNames: [web], verbs: [approve]}
- {apiGroups: [slipway.dev], resources: [releases], verbs: [rollback]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: dev}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: dev}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: dev}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: approver}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: approver}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: approver}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: writer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: writer}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: writer}
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: dev}
)";

const std::string kDigest = "@sha256:" + std::string(64, 'a');

std::string In(const std::string& ns, const std::string& gated) {
  return "{apiVersion: v1, kind: Namespace, metadata: {name: " + ns + ", labels: {" + gated + "}}}";
}

// deploy/tenant as deploy/README.md has it applied: by an overlay that names the namespace.
Output ApplyTenant(const std::string& ns) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::canonical(fs::temp_directory_path()) / ("slipway-" + ns);
  fs::create_directories(folder);
  const fs::path tenant = fs::canonical(SourcePath("deploy/tenant")).lexically_relative(folder);
  std::ofstream(folder / "kustomization.yaml")
      << "namespace: " << ns << "\nresources: [" << tenant.string() << "]\n";
  Output applied = Kubectl({"apply", "--server-side", "--force-conflicts", "-k", folder.string()});
  fs::remove_all(folder);
  return applied;
}

}  // namespace

void Tenants::SetUpTestSuite() {
  for (const auto& [ns, label] :
       std::map<std::string, std::string>{{kNamespace, ""}, {kGated, "slipway.dev/gated: 'true'"}}) {
    const auto made = Kubectl({"apply", "-f", "-"}, In(ns, label));
    ASSERT_TRUE(made.ok()) << made.text;
    Apply(ns, kRoles);
    const auto tenant = ApplyTenant(ns);
    ASSERT_TRUE(tenant.ok()) << tenant.text;
    Kubectl({"-n", ns, "wait", "--for=create", "serviceaccount/default", "--timeout=30s"});
  }
}

void Tenants::Clear() {
  for (const char* ns : {kNamespace, kGated}) {
    const auto gone = Kubectl(
        {"-n", ns, "delete", "imagebuilds,releases,canarypromotions,decisions,deployments,jobs,pods,services",
         "--all", "--timeout=60s", "--grace-period=1"});
    ASSERT_TRUE(gone.ok()) << gone.text;
  }
}

Output Tenants::As(const std::string& user, std::vector<std::string> args, const std::string& input) {
  if (!user.empty()) args.push_back("--as=" + user);
  return Kubectl(args, input);
}

void Tenants::Judge(const std::vector<Attempt>& attempts) {
  for (const Attempt& attempt : attempts) {
    const Output output = As(attempt.user, attempt.args, attempt.input);
    EXPECT_EQ(output.ok(), attempt.words.empty()) << attempt.what << ": " << output.text;
    for (const auto& word : attempt.words) {
      EXPECT_NE(output.text.find(word), std::string::npos)
          << attempt.what << ": " << word << " is not in: " << output.text;
    }
  }
}

Tenants::Attempt Tenants::Make(std::string what, std::string user, std::string yaml,
                               std::vector<std::string> words) {
  return {std::move(what),
          std::move(user),
          {"-n", kNamespace, "create", "--dry-run=server", "-f", "-"},
          std::move(yaml),
          std::move(words)};
}

Tenants::Attempt Tenants::Do(std::string what, std::string user, std::vector<std::string> args,
                             std::vector<std::string> words) {
  args.insert(args.begin(), {"-n", kNamespace});
  return {std::move(what), std::move(user), std::move(args), "", std::move(words)};
}

Tenants::Attempt Tenants::Gated(Attempt attempt) {
  attempt.args[1] = kGated;
  return attempt;
}

nlohmann::json Tenants::Keep(const std::string& user, const std::string& yaml, const std::string& ns) {
  const auto made = As(user, {"-n", ns, "create", "-f", "-", "-o", "json"}, yaml);
  EXPECT_TRUE(made.ok()) << made.text << "\n" << yaml;
  return nlohmann::json::parse(made.text, nullptr, false);
}

std::string Pod(const std::string& name, const std::string& metadata) {
  return "{apiVersion: v1, kind: Pod, metadata: {name: " + name + ", " + metadata +
         "}, spec: {containers: [{name: c, image: example.com/c}]}}";
}

std::string Job(const std::string& name, const std::string& metadata, const std::string& pod_labels) {
  return "{apiVersion: batch/v1, kind: Job, metadata: {name: " + name + ", " + metadata +
         "}, spec: {suspend: true, template: {metadata: {labels: {" + pod_labels +
         "}}, spec: {restartPolicy: Never, containers: [{name: c, image: example.com/c}]}}}}";
}

std::string Deployment(const std::string& name, const std::string& metadata, const std::string& pod_label) {
  return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: " + name + ", " + metadata +
         "}, spec: {replicas: 0, selector: {matchLabels: {app: " + name +
         "}}, template: {metadata: {labels: {app: " + name + ", " + pod_label +
         "}}, spec: {containers: [{name: c, image: example.com/c}]}}}}";
}

std::string Release(const std::string& name, const std::string& deployment) {
  return "{apiVersion: slipway.dev/v1alpha1, kind: Release, metadata: {name: " + name +
         "}, spec: {image: example.com/c" + kDigest + ", target: {deployment: " + deployment +
         ", service: web}}}";
}

std::string Promotion(const std::string& name, const std::string& deployment, const std::string& metadata) {
  return "{apiVersion: slipway.dev/v1alpha1, kind: CanaryPromotion, metadata: {name: " + name + ", " +
         metadata + "}, spec: {image: example.com/c" + kDigest + ", target: {deployment: " + deployment +
         ", service: web}}}";
}

std::string Build(const std::string& name, const std::string& metadata) {
  return "{apiVersion: slipway.dev/v1alpha1, kind: ImageBuild, metadata: {name: " + name + ", " + metadata +
         "}, spec: {source: {git: {url: 'https://git.example.com/a.git', revision: main}},"
         " output: {repository: example.com/c}}}";
}

std::string Decision(const std::string& name, const std::string& actor, const std::string& verb,
                     const std::string& kind, const std::string& target) {
  return "{apiVersion: slipway.dev/v1alpha1, kind: Decision, metadata: {name: " + name +
         "}, spec: {verb: " + verb + ", actor: '" + actor + "', subject: '" + std::string(40, 'a') +
         "', target: {kind: " + kind + ", name: " + target + ", uid: u-1}}}";
}

std::string Owner(const std::string& kind, const std::string& name, const std::string& uid) {
  return "ownerReferences: [{apiVersion: slipway.dev/v1alpha1, kind: " + kind + ", name: " + name +
         ", uid: " + uid + ", controller: true}]";
}

}  // namespace slipway::testing
