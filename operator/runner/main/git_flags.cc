#include "runner/main/git_flags.h"

namespace slipway::runner {
namespace {

// What both are told alike.
template <class Options>
void DeclareServer(CLI::App& app, Options& options) {
  app.add_option("--url", options.url, "Repository: http://, https://, ssh:// or user@host:path")->required();
  app.add_option("--report", options.report_path, "File for the report")->capture_default_str();
  app.add_option("--credentials", options.credentials_folder,
                 "Folder with files username and password, or ssh-privatekey and known_hosts");
  app.add_option("--ca", options.ca_file, "Certificates to trust beside the system's, in PEM");
}

}  // namespace

void DeclareResolve(CLI::App& app, ResolveOptions& options) {
  DeclareServer(app, options);
  auto* const wanted = app.add_option_group("What to resolve");
  wanted->add_option("--revision", options.revision, "Branch, tag, refs/… or full SHA");
  wanted->add_option("--semver", options.semver, "The highest tag in a range: '>=1.2.0 <2'");
  wanted->require_option(1);
}

void DeclareClone(CLI::App& app, CloneOptions& options) {
  DeclareServer(app, options);
  app.add_option("--commit", options.commit, "Full SHA")->required();
  app.add_option("--ref", options.ref, "refs/… to fetch when the server gives no bare commit");
  app.add_option("--destination", options.destination, "Folder for the files")->required();
  app.add_option("--context-dir", options.context_dir, "Folder to build from, below the destination")
      ->capture_default_str();
  // An option that must have a value takes the next flag for it when it is written "--dockerfile=";
  // with a default that CLI11 knows, it would get that.
  app.add_option("--dockerfile", options.dockerfile,
                 "Dockerfile, below the context [Dockerfile]; empty: not checked")
      ->expected(0, 1);
  app.add_option("--facts", options.facts_path, "File for what the commit says of itself");
  app.add_flag("--submodules", options.submodules, "Fetch submodules too, however deep");
  app.add_option("--depth", options.depth, "Keep .git with so many commits; 0: with all")
      ->check(CLI::Range(0, 1000000));
}

}  // namespace slipway::runner
