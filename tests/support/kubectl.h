// How the cluster and e2e tests act: as a user does, through kubectl and the project's own commands, against
// the cluster that $KUBECONFIG names.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace slipway::testing {

struct Output {
  int status = -1;   // the exit code; 128 + n after signal n
  std::string text;  // standard output and error, as they came
  bool ok() const { return status == 0; }
};

// Runs a program with `input` on its standard input and waits for its end. No shell.
Output Execute(const std::vector<std::string>& argv, const std::string& input = "");

// kubectl ARGS
Output Kubectl(const std::vector<std::string>& args, const std::string& input = "");
// kubectl apply -f - ; the test fails when it is refused.
void Apply(const std::string& ns, const std::string& yaml);
// kubectl get -o json: {} when it is not there; of a kind, an object with "items".
nlohmann::json GetJson(const std::string& ns, const std::string& kind, const std::string& name = "");

// Asks every 200 ms until `holds`; false at the limit. `what` is printed then, with what `holds` last said of
// itself through its reference argument.
bool Eventually(std::chrono::seconds limit, const std::string& what,
                const std::function<bool(std::string& seen)>& holds);

// The condition of `type`, or null.
nlohmann::json Condition(const nlohmann::json& object, const std::string& type);

// Waits until condition Ready is `status` ("True", "False") at the current generation; returns the object.
nlohmann::json WaitReady(const std::string& ns, const std::string& kind, const std::string& name,
                         const std::string& status, std::chrono::seconds limit);

// A file of the checkout: the tests run from the build folder.
std::string SourcePath(const std::string& relative);

}  // namespace slipway::testing
