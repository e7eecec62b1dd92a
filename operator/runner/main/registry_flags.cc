#include "runner/main/registry_flags.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runner/index.h"
#include "runner/prepare.h"
#include "runner/push.h"

namespace slipway::runner {
namespace {

void DeclarePlace(CLI::App& app, TagPlace& place) {
  app.add_option("--repository", place.repository, "Where to push to: HOST/NAME")->required();
  app.add_option("--tag", place.tags, "Repeated")->required()->allow_extra_args(false);
  app.add_flag("--move-tags", place.move_tags, "Tags that name another image may be moved");
  app.add_flag("--insecure", place.insecure,
               "The registry has no TLS, or no certificate that is vouched for");
}

template <class Options>
void DeclareAccess(CLI::App& app, Options& options) {
  app.add_option("--credentials", options.credentials_folder, "Folder with config.json");
  app.add_option("--ca", options.ca_file, "Certificates that are trusted beside the system's");
  app.add_option("--report", options.report_path, "File for the report")->capture_default_str();
}

void AddPush(CLI::App& app, int& code) {
  auto* const step = app.add_subcommand("push", "Push an image from a tarball");
  const auto options = std::make_shared<PushOptions>();
  step->add_option("--image", options->image, "Tarball")->required();
  step->add_option("--facts", options->facts, "What clone left, for {{timestamp}} in a tag");
  const auto attach = [options](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      auto attachment = ParseAttachment(text);
      if (!attachment) throw CLI::ValidationError("--attach", attachment.error());
      options->attachments.push_back(std::move(*attachment));
    }
  };
  step->add_option_function<std::vector<std::string>>("--attach", attach,
                                                      "TYPE=FILE, said of the image beside it; repeated")
      ->allow_extra_args(false);
  DeclarePlace(*step, options->place);
  DeclareAccess(*step, *options);
  step->final_callback([options, &code] { code = RunPush(*options); });
}

void AddIndex(CLI::App& app, int& code) {
  auto* const step = app.add_subcommand("index", "Make one image of those of several platforms");
  const auto options = std::make_shared<IndexOptions>();
  step->add_option("--manifest", options->manifests, "REPOSITORY@sha256:…; repeated")
      ->required()
      ->allow_extra_args(false);
  DeclarePlace(*step, options->place);
  DeclareAccess(*step, *options);
  step->final_callback([options, &code] { code = RunIndex(*options); });
}

// NAME=VALUE each; a name alone takes nothing, for the environment here is not the build's.
void ReadBuildArguments(const std::vector<std::string>& texts, Variables& into) {
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw CLI::ValidationError("--build-arg", "'" + text + "' is not NAME=VALUE");
    }
    into[text.substr(0, equals)] = text.substr(equals + 1);
  }
}

void DeclarePrepare(CLI::App& app, PrepareOptions& options) {
  app.add_option("--source", options.source, "Folder with the commit's files")->required();
  app.add_option("--context-dir", options.context_dir, "Folder to build from, below the source")
      ->capture_default_str();
  app.add_option("--dockerfile", options.dockerfile, "Dockerfile, below the context")->capture_default_str();
  app.add_option("--target", options.target, "The stage that is built; the last when empty");
  const auto read = [&options](const std::vector<std::string>& texts) {
    ReadBuildArguments(texts, options.build_args);
  };
  app.add_option_function<std::vector<std::string>>("--build-arg", read, "NAME=VALUE; repeated")
      ->allow_extra_args(false);
  app.add_option("--base-credentials", options.base_credentials, "Folder with config.json");
  app.add_option("--cache-credentials", options.cache_credentials, "Folder with config.json");
  app.add_option("--cache-repository", options.cache_repository, "The cache; none when empty");
  app.add_option("--docker-config", options.docker_config, "Folder for Kaniko's config.json")->required();
  app.add_option("--tools", options.tools, "Folder for the entrypoint and its arguments")->required();
  app.add_option("--entrypoint", options.entrypoint, "The entrypoint's program; that beside this one");
  app.add_option("--insecure-registry", options.insecure_registries, "HOST[:PORT]; repeated")
      ->allow_extra_args(false);
  app.add_option("--ca", options.ca_file, "Certificates that are trusted beside the system's");
  app.add_option("--commit", options.commit, "For the image's labels");
  app.add_option("--facts", options.facts, "What clone left, for the image's labels");
  app.add_option("--label", options.labels, "NAME=VALUE of the image; repeated")->allow_extra_args(false);
  app.add_option("--report", options.report_path, "File for the report")->capture_default_str();
}

void AddPrepare(CLI::App& app, int& code) {
  auto* const step = app.add_subcommand("prepare", "Look up the base images and lay out what Kaniko needs");
  const auto options = std::make_shared<PrepareOptions>();
  DeclarePrepare(*step, *options);
  step->final_callback([options, &code] { code = RunPrepare(*options); });
}

}  // namespace

void AddRegistrySteps(CLI::App& app, int& code) {
  AddPrepare(app, code);
  AddPush(app, code);
  AddIndex(app, code);
}

}  // namespace slipway::runner
