#include "resources/policy.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>

#include "resources/rules.h"
#include "resources/tolerant.h"

namespace slipway::resources {
namespace {

constexpr std::array<std::string_view, 6> kUses{"source", "base", "cache", "output", "webhook", "report"};
constexpr int kMostConcurrentRuns = 1000;

// Reads strictly: a key that it does not know is an error, because a misspelt restriction would allow. Keeps
// the first error.
class PolicyReader {
 public:
  const std::string& error() const { return error_; }

  using Member = std::function<void(const YAML::Node&, const std::string& path)>;

  void Map(const YAML::Node& node, const std::string& path, const Member& member) {
    if (!node.IsMap()) return Say(node, path, "must be a map");
    std::set<std::string> seen;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return Say(entry.first, path, "a key must be a text");
      const std::string& key = entry.first.Scalar();
      const std::string inner = path.empty() ? key : path + "." + key;
      if (!seen.insert(key).second) return Say(entry.first, inner, "is there twice");
      member(entry.second, inner);
      if (!error_.empty()) return;
    }
  }

  void List(const YAML::Node& node, const std::string& path, const Member& item) {
    if (!node.IsSequence()) return Say(node, path, "must be a list");
    for (std::size_t i = 0; i < node.size() && error_.empty(); ++i) {
      item(node[i], fmt::format("{}[{}]", path, i));
    }
  }

  std::string Text(const YAML::Node& node, const std::string& path, const TextRule& rule) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    if (!Keeps(rule, text) || text.empty()) Say(node, path, rule.message);
    return text;
  }

  void Texts(const YAML::Node& node, const std::string& path, const TextRule& rule,
             std::vector<std::string>& out) {
    List(node, path,
         [&](const YAML::Node& item, const std::string& at) { out.push_back(Text(item, at, rule)); });
  }

  void Say(const YAML::Node& node, std::string_view path, std::string_view what) {
    if (!error_.empty()) return;
    const int line = node.Mark().line;
    error_ = fmt::format("policy.yaml line {}: {}: {}", line + 1, path, what);
  }

 private:
  std::string error_;
};

class Parser {
 public:
  Result<Policy> Parse(const YAML::Node& root) {
    reader_.Map(root, "", [this](const YAML::Node& node, const std::string& path) {
      if (path == "insecureRegistries")
        return reader_.Texts(node, path, kRegistry, policy_.insecure_registries);
      if (path == "namespaces") return Namespaces(node, path);
      reader_.Say(node, path, "is not known: a policy has namespaces and insecureRegistries");
    });
    if (!reader_.error().empty()) return Fail(ErrorKind::kInvalid, reader_.error());
    return std::move(policy_);
  }

 private:
  void Namespaces(const YAML::Node& node, const std::string& path) {
    reader_.Map(node, path, [this, &path](const YAML::Node& entry, const std::string& at) {
      const std::string name = at.substr(path.size() + 1);
      if (name != "*" && !Keeps(kLabelName, name)) return reader_.Say(entry, at, kLabelName.message);
      Namespace(entry, at, policy_.namespaces[name]);
    });
  }

  void Namespace(const YAML::Node& node, const std::string& path, NamespacePolicy& out) {
    reader_.Map(node, path, [&](const YAML::Node& value, const std::string& at) {
      const std::string key = at.substr(path.size() + 1);
      if (key == "repositories") return reader_.Texts(value, at, kRepositoryPrefix, out.repositories);
      if (key == "gitUrls") return reader_.Texts(value, at, kGitUrlPrefix, out.git_urls);
      if (key == "secrets") return Secrets(value, at, out.secrets);
      if (key == "deployments") return Deployments(value, at, out.deployments);
      if (key == "maxConcurrentRuns") return Number(value, at, kMostConcurrentRuns, out.max_concurrent_runs);
      if (key == "promotionsByReleaseOnly") return Flag(value, at, out.promotions_by_release_only);
      if (key == "serviceAccount") {
        out.service_account = reader_.Text(value, at, kObjectName);
        return;
      }
      reader_.Say(
          value, at,
          "is not known: a namespace has repositories, gitUrls, secrets, serviceAccount, deployments, "
          "maxConcurrentRuns and promotionsByReleaseOnly");
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
      reader_.Say(node, path, "must be source, base, cache, output, webhook or report");
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

  void Number(const YAML::Node& node, const std::string& path, int most, int& out) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    const bool whole = !text.empty() && error == std::errc() && end == text.data() + text.size();
    if (!whole || out < 1 || out > most) {
      out = 0;
      reader_.Say(node, path, fmt::format("must be a number from 1 to {}", most));
    }
  }

  void Flag(const YAML::Node& node, const std::string& path, bool& out) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    if (text != "true" && text != "false") return reader_.Say(node, path, "must be true or false");
    out = text == "true";
  }

  PolicyReader reader_;
  Policy policy_;
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
  return out;
}

}  // namespace slipway::resources
