#include "runner/main/trigger_flags.h"

#include <memory>

#include "runner/commit_status.h"
#include "trigger/service.h"

namespace slipway::runner {
namespace {

using trigger::PollOptions;
using trigger::ReceiveOptions;
using trigger::ServiceOptions;

void DeclareService(CLI::App& app, ServiceOptions& options) {
  app.add_option("--namespace", options.ns, "Namespace whose ImageBuilds are followed")->required();
  app.add_option("--kubeconfig", options.kubeconfig, "Outside a cluster: the kubeconfig file");
  app.add_option("--log-level", options.log_level, "trace, debug, info, warn or error")
      ->capture_default_str();
}

void AddPoll(CLI::App& app, int& code) {
  const auto options = std::make_shared<PollOptions>();
  auto* const step = app.add_subcommand("poll", "Ask git hosts and registries for what is new");
  DeclareService(*step, options->service);
  step->add_option("--credentials", options->credentials_folder, "Mounted Secrets: FOLDER/SECRET/KEY");
  step->add_option("--ca-bundles", options->ca_folder, "Mounted ConfigMaps: FOLDER/CONFIGMAP/ca.crt");
  step->add_option("--allow", options->allowed, "Marks of the ImageBuilds that may be polled; repeated")
      ->allow_extra_args(false);
  step->add_option("--insecure-registry", options->insecure_registries, "HOST[:PORT]; repeated")
      ->allow_extra_args(false);
  step->add_option("--health-address", options->health_address, "Where /healthz and /readyz are served")
      ->capture_default_str();
  step->final_callback([options, &code] { code = trigger::RunPoll(*options); });
}

void AddReceive(CLI::App& app, int& code) {
  const auto options = std::make_shared<ReceiveOptions>();
  auto* const step = app.add_subcommand("receive", "Take webhooks of forges at POST /hooks/NAME");
  DeclareService(*step, options->service);
  step->add_option("--keys", options->keys_folder, "Mounted Secrets: FOLDER/IMAGEBUILD/secret")->required();
  step->add_option("--address", options->address, "Where webhooks and /healthz are served")
      ->capture_default_str();
  step->final_callback([options, &code] { code = trigger::RunReceive(*options); });
}

void AddCommitStatus(CLI::App& app, int& code) {
  const auto options = std::make_shared<CommitStatusOptions>();
  auto* const step = app.add_subcommand("commit-status", "Tell a forge how a commit fares");
  step->add_option("--provider", options->provider, "GitHub, GitLab or Gitea")->required();
  step->add_option("--api-url", options->api_url, "https://api.github.com, https://HOST/api/v4, …")
      ->required();
  step->add_option("--repository", options->repository, "owner/name")->required();
  step->add_option("--commit", options->commit, "Full SHA")->required();
  step->add_option("--state", options->state, "pending, success, failure or error")->required();
  step->add_option("--context", options->context, "The status's name")->required();
  step->add_option("--description", options->description, "One line for people");
  step->add_option("--target-url", options->target_url, "Where more is to be read");
  step->add_option("--credentials", options->credentials_folder, "Folder with the file token")->required();
  step->add_option("--ca", options->ca_file, "Certificates to trust beside the system's, in PEM");
  step->add_option("--report", options->report_path, "File for the report")->capture_default_str();
  step->final_callback([options, &code] { code = RunCommitStatus(*options); });
}

}  // namespace

void AddTriggerSteps(CLI::App& app, int& code) {
  AddPoll(app, code);
  AddReceive(app, code);
  AddCommitStatus(app, code);
}

}  // namespace slipway::runner
