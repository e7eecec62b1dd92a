#include "resources/policy.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "base/time.h"
#include "resources/policy_reader.h"
#include "resources/tolerant.h"

namespace slipway::resources {
namespace {

constexpr std::array<std::string_view, 7> kUses{"source",  "base",   "cache",    "output",
                                                "webhook", "report", "migration"};
constexpr int kMostConcurrentRuns = 1000;
constexpr std::string_view kFile =
    "policy.yaml, ";  // where something is written, until the ConfigMap is known

class Parser {
 public:
  Result<Policy> Parse(const YAML::Node& root) {
    reader_.Map(root, "", [this](const YAML::Node& node, const std::string& path) {
      if (path == "insecureRegistries")
        return reader_.Texts(node, path, kRegistry, policy_.insecure_registries);
      if (path == "namespaces") return Namespaces(node, path);
      if (path == "maxDatabaseAge") return reader_.Time(node, path, policy_.max_database_age);
      if (path == "rescanInterval") return RescanInterval(node, path);
      if (path == "signers") return ReadSigners(reader_, node, path, policy_);
      if (path == "supplyChain") return ReadSupplyChain(reader_, node, path, policy_);
      if (path == "builderId") {
        policy_.builder_id = reader_.Text(node, path, kApiUrl);
        return;
      }
      reader_.Say(node, path,
                  "is not known: a policy has namespaces, insecureRegistries, maxDatabaseAge, "
                  "rescanInterval, signers, "
                  "supplyChain and builderId");
    });
    InheritMinimum();
    CheckSigners(reader_, root, policy_);
    if (!reader_.error().empty()) return Fail(ErrorKind::kInvalid, reader_.error());
    return std::move(policy_);
  }

 private:
  // Each is a Job that reads the whole image: no more often than that.
  void RescanInterval(const YAML::Node& node, const std::string& path) {
    constexpr Duration kShortest = std::chrono::minutes(1);
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    if (text == "0" || text == "0s") return;
    reader_.Time(node, path, policy_.rescan_interval);
    if (policy_.rescan_interval < kShortest) reader_.Say(node, path, "must be 1m or longer, or 0: never");
  }

  void Namespaces(const YAML::Node& node, const std::string& path) {
    reader_.Map(node, path, [this, &path](const YAML::Node& entry, const std::string& at) {
      const std::string name = at.substr(path.size() + 1);
      if (name != "*" && !Keeps(kLabelName, name)) return reader_.Say(entry, at, kLabelName.message);
      auto& out = policy_.namespaces[name];
      out.origin = fmt::format("{}{}", kFile, at);
      Namespace(entry, at, out);
    });
  }

  // A namespace gets a line of its own for its repositories, say: that is not to free it of what all others
  // must keep. `minimum: {}` is one of its own.
  void InheritMinimum() {
    const auto base = policy_.namespaces.find("*");
    for (auto& [name, space] : policy_.namespaces) {
      space.minimum_origin = space.origin;
      if (base == policy_.namespaces.end() || own_minimum_.contains(name)) continue;
      space.minimum = base->second.minimum;
      space.minimum_origin = base->second.origin;
    }
  }

  void Namespace(const YAML::Node& node, const std::string& path, NamespacePolicy& out) {
    reader_.Map(node, path, [&](const YAML::Node& value, const std::string& at) {
      const std::string key = at.substr(path.size() + 1);
      if (key == "repositories") return reader_.Texts(value, at, kRepositoryPrefix, out.repositories);
      if (key == "gitUrls") return reader_.Texts(value, at, kGitUrlPrefix, out.git_urls);
      if (key == "secrets") return Secrets(value, at, out.secrets);
      if (key == "deployments") return Deployments(value, at, out.deployments);
      if (key == "maxConcurrentRuns")
        return reader_.Number(value, at, kMostConcurrentRuns, out.max_concurrent_runs);
      if (key == "promotionsByReleaseOnly") return reader_.Flag(value, at, out.promotions_by_release_only);
      if (key == "signers") return reader_.Texts(value, at, kLabelName, out.signers);
      if (key == "environments") return ReadEnvironments(reader_, value, at, out.environments);
      if (key == "minimum") {
        own_minimum_.insert(LastOf(path));
        return ReadMinimum(reader_, value, at, out.minimum);
      }
      if (key == "serviceAccount") {
        out.service_account = reader_.Text(value, at, kObjectName);
        return;
      }
      reader_.Say(
          value, at,
          "is not known: a namespace has repositories, gitUrls, secrets, serviceAccount, deployments, "
          "maxConcurrentRuns, promotionsByReleaseOnly, signers, environments and minimum");
    });
  }

  void Secrets(const YAML::Node& node, const std::string& path, std::vector<SecretGrant>& out) {
    reader_.List(node, path, [&](const YAML::Node& item, const std::string& at) {
      SecretGrant grant;
      bool used = false;
      reader_.Map(item, at, [&](const YAML::Node& value, const std::string& member) {
        const std::string key = member.substr(at.size() + 1);
        if (key == "name") {
          grant.name = reader_.Text(value, member, kObjectName);
        } else if (key == "use") {
          used = Use(value, member, grant.use);
        } else {
          reader_.Say(value, member, "is not known: a secret has name and use");
        }
      });
      if (grant.name.empty() || !used) return reader_.Say(item, at, "must have both name and use");
      if (std::ranges::find(out, grant.name, &SecretGrant::name) != out.end()) {
        return reader_.Say(item, at, "names a Secret a second time; one Secret has one use");
      }
      out.push_back(std::move(grant));
    });
  }

  bool Use(const YAML::Node& node, const std::string& path, SecretUse& out) {
    const auto use = std::ranges::find(kUses, node.IsScalar() ? std::string_view(node.Scalar()) : "");
    if (use == kUses.end()) {
      reader_.Say(node, path, "must be source, base, cache, output, webhook, report or migration");
      return false;
    }
    out = static_cast<SecretUse>(use - kUses.begin());
    return true;
  }

  void Deployments(const YAML::Node& node, const std::string& path, std::vector<std::string>& out) {
    reader_.List(node, path, [&](const YAML::Node& item, const std::string& at) {
      const bool any = item.IsScalar() && item.Scalar() == "*";
      out.push_back(any ? "*" : reader_.Text(item, at, kObjectName));
    });
  }

  PolicyReader reader_;
  Policy policy_;
  std::set<std::string> own_minimum_;  // the namespaces that have one
};

}  // namespace

std::string_view ToString(SecretUse use) { return kUses[static_cast<std::size_t>(use)]; }

const NamespacePolicy* Policy::For(const std::string& ns) const {
  auto found = namespaces.find(ns);
  if (found == namespaces.end()) found = namespaces.find("*");
  return found == namespaces.end() ? nullptr : &found->second;
}

const NamespacePolicy* PolicyFor(const PolicyMap* map, const std::string& ns) {
  if (map == nullptr || !map->policy) return nullptr;
  return map->policy->For(ns);
}

const Signer* Policy::FindSigner(const std::string& name) const {
  const auto at = signers.find(name);
  return at == signers.end() ? nullptr : &at->second;
}

bool Policy::Insecure(std::string_view repository) const {
  const std::string_view host = repository.substr(0, repository.find('/'));
  return std::ranges::find(insecure_registries, host) != insecure_registries.end();
}

Result<Policy> ParsePolicy(const std::string& yaml) {
  try {
    const YAML::Node root = YAML::Load(yaml);
    if (root.IsNull()) {
      return Fail(ErrorKind::kInvalid,
                  "policy.yaml line 1: is empty: give it namespaces, each with what it may use");
    }
    return Parser().Parse(root);
  } catch (const YAML::Exception& error) {
    return Fail(ErrorKind::kInvalid,
                fmt::format("policy.yaml line {}: is not YAML: {}", error.mark.line + 1, error.msg));
  }
}

Result<PolicyMap> PolicyMap::Decode(const kube::Json& object) {
  auto meta = kube::DecodeMeta(object);
  if (!meta) return std::unexpected(std::move(meta).error());
  PolicyMap out{.meta = *std::move(meta)};
  const kube::Json& yaml = At(At(object, "data"), "policy.yaml");
  out.policy = yaml.is_string() ? ParsePolicy(yaml.get<std::string>())
                                : Fail(ErrorKind::kInvalid, fmt::format("ConfigMap {} has no key policy.yaml",
                                                                        ToString(out.meta.key)));
  if (!out.policy) return out;
  for (auto& [name, space] : out.policy->namespaces) {
    for (std::string* origin : {&space.origin, &space.minimum_origin}) {
      *origin = fmt::format("ConfigMap {}, {}", ToString(out.meta.key), origin->substr(kFile.size()));
    }
  }
  return out;
}

}  // namespace slipway::resources
