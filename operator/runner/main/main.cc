// slipway-runner: the steps of a build and of a canary that need a program of our own inside a pod.
//
// Exit codes: git_failure.h and probe.h; 2 for flags that can't be read.
#include <CLI/CLI.hpp>
#include <exception>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/time.h"
#include "runner/main/git_flags.h"
#include "runner/main/registry_flags.h"
#include "runner/main/trigger_flags.h"
#include "runner/probe.h"

#ifndef SLIPWAY_VERSION
#define SLIPWAY_VERSION "dev"
#endif

namespace {

using slipway::runner::CloneOptions;
using slipway::runner::ProbeOptions;
using slipway::runner::ProbePod;
using slipway::runner::ResolveOptions;

constexpr int kBadFlags = 2;

void AddDuration(CLI::App& app, const std::string& flag, std::chrono::milliseconds& into,
                 const std::string& what) {
  const auto read = [&into, flag](const std::string& text) {
    const auto parsed = slipway::ParseDuration(text);
    if (!parsed) throw CLI::ValidationError(flag, parsed.error().message);
    into = *parsed;
  };
  app.add_option_function<std::string>(flag, read, what)->default_str(slipway::FormatDuration(into));
}

// NAME=IP:PORT each. What the address is worth, the probe judges.
void ReadPods(const std::vector<std::string>& texts, std::vector<ProbePod>& pods) {
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw CLI::ValidationError("--pod", "'" + text + "' is not NAME=IP:PORT");
    }
    pods.push_back({text.substr(0, equals), text.substr(equals + 1)});
  }
}

void DeclareProbe(CLI::App& app, ProbeOptions& options) {
  app.add_option("--url", options.url, "Service, http://host:port")->required();
  app.add_option("--health-path", options.health_path, "Must answer 200")->capture_default_str();
  app.add_option("--version-path", options.version_path, "Answers the version; none when empty");
  app.add_option("--expect-version", options.expect_version, "The version that the canary must answer");
  app.add_option("--requests", options.requests, "Of each kind, through the Service")->capture_default_str();
  AddDuration(app, "--p95-limit", options.p95_limit, "The slowest 95th percentile that is well");
  AddDuration(app, "--timeout", options.timeout, "Of the whole probe");
  app.add_option("--canary-share", options.canary_share, "Share of the Service's pods that are the canary's")
      ->check(CLI::Range(0.0, 1.0));
  const auto read = [&options](const std::vector<std::string>& texts) { ReadPods(texts, options.pods); };
  app.add_option_function<std::vector<std::string>>("--pod", read, "NAME=IP:PORT of a canary pod; repeated")
      ->allow_extra_args(false);
  app.add_option("--report", options.report_path, "File for the report")->capture_default_str();
}

int Main(int argc, char** argv) {
  CLI::App app("The steps of a Slipway build and canary that run inside a pod", "slipway-runner");
  app.set_version_flag("--version", SLIPWAY_VERSION);
  app.require_subcommand(1);
  ResolveOptions resolve;
  CloneOptions clone;
  ProbeOptions probe;
  int code = 0;
  auto* const resolver = app.add_subcommand("resolve", "Turn a branch or a tag into a commit");
  DeclareResolve(*resolver, resolve);
  resolver->final_callback([&] { code = slipway::runner::RunResolve(resolve); });
  auto* const cloner = app.add_subcommand("clone", "Fetch the files of one commit");
  DeclareClone(*cloner, clone);
  cloner->final_callback([&] { code = slipway::runner::RunClone(clone); });
  slipway::runner::AddRegistrySteps(app, code);
  slipway::runner::AddTriggerSteps(app, code);
  auto* const prober = app.add_subcommand("probe", "Judge a canary by what it answers");
  DeclareProbe(*prober, probe);
  prober->final_callback([&] { code = slipway::runner::RunProbe(probe); });
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
