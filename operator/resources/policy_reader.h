// Reads policy.yaml strictly: a key that is not known is an error, because a misspelt restriction would
// allow. Keeps the first error, after which every read returns at once. Private to this folder.
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "resources/policy.h"
#include "resources/rules.h"

namespace slipway::resources {

class PolicyReader {
 public:
  const std::string& error() const { return error_; }

  // `path` is of the member: "namespaces.team-a.secrets".
  using Member = std::function<void(const YAML::Node&, const std::string& path)>;

  void Map(const YAML::Node& node, const std::string& path, const Member& member);
  void List(const YAML::Node& node, const std::string& path, const Member& item);
  std::string Text(const YAML::Node& node, const std::string& path, const TextRule& rule);
  void Texts(const YAML::Node& node, const std::string& path, const TextRule& rule,
             std::vector<std::string>& out);
  // From 1 to `most`.
  void Number(const YAML::Node& node, const std::string& path, int most, int& out);
  void Flag(const YAML::Node& node, const std::string& path, bool& out);
  void Time(const YAML::Node& node, const std::string& path, Duration& out);
  void Say(const YAML::Node& node, std::string_view path, std::string_view what);

 private:
  std::string error_;
};

// The last member of a path.
std::string LastOf(const std::string& path);

// ---- policy_signers.cc ----

void ReadSigners(PolicyReader& reader, const YAML::Node& node, const std::string& path, Policy& policy);
void ReadSupplyChain(PolicyReader& reader, const YAML::Node& node, const std::string& path, Policy& policy);
void ReadMinimum(PolicyReader& reader, const YAML::Node& node, const std::string& path, Minimum& out);
// Names of environments: DNS labels of at most kLongestEnvironment characters, each once.
void ReadEnvironments(PolicyReader& reader, const YAML::Node& node, const std::string& path,
                      std::vector<std::string>& out);
// Whether each signer that a namespace names is there, once all is read.
void CheckSigners(PolicyReader& reader, const YAML::Node& root, const Policy& policy);

}  // namespace slipway::resources
