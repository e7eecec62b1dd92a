// slipway-runner: the steps of a build and of a canary that need a program of our own inside a pod.
//
// Exit codes: git_failure.h, check_report.h and scan_gate.h; 2 for flags that can't be read.
#include <CLI/CLI.hpp>
#include <exception>

#include "base/log.h"
#include "runner/main/check_flags.h"
#include "runner/main/git_flags.h"
#include "runner/main/registry_flags.h"
#include "runner/main/scan_flags.h"
#include "runner/main/trigger_flags.h"

#ifndef SLIPWAY_VERSION
#define SLIPWAY_VERSION "dev"
#endif

namespace {

using slipway::runner::CloneOptions;
using slipway::runner::ResolveOptions;

constexpr int kBadFlags = 2;

int Main(int argc, char** argv) {
  CLI::App app("The steps of a Slipway build and canary that run inside a pod", "slipway-runner");
  app.set_version_flag("--version", SLIPWAY_VERSION);
  app.require_subcommand(1);
  ResolveOptions resolve;
  CloneOptions clone;
  int code = 0;
  auto* const resolver = app.add_subcommand("resolve", "Turn a branch or a tag into a commit");
  DeclareResolve(*resolver, resolve);
  resolver->final_callback([&] { code = slipway::runner::RunResolve(resolve); });
  auto* const cloner = app.add_subcommand("clone", "Fetch the files of one commit");
  DeclareClone(*cloner, clone);
  cloner->final_callback([&] { code = slipway::runner::RunClone(clone); });
  slipway::runner::AddRegistrySteps(app, code);
  slipway::runner::AddTriggerSteps(app, code);
  slipway::runner::AddCheckSteps(app, code);
  slipway::runner::AddScanSteps(app, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadFlags;
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  slipway::log::Init("info");
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    slipway::log::error("slipway-runner: {}", error.what());
    return 1;
  }
}
