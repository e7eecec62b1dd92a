// A git server with two commits, and the runner's subcommands told to use it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "protocol/runner/git_server.h"
#include "protocol/runner/scratch.h"
#include "runner/git.h"
#include "runner/git_failure.h"

namespace slipway::testing {

class AgainstGit : public ::testing::Test {
 protected:
  AgainstGit() {
    Put(server_.File("app/Dockerfile"), "FROM scratch\n");
    Put(server_.File("app/old"), "old\n");
    std::filesystem::create_symlink("/", server_.File("outside"));
    std::filesystem::create_symlink("/etc/hostname", server_.File("app/Dockerfile.outside"));
    std::filesystem::create_symlink("app", server_.File("inside"));
    first_ = server_.Commit("The first");
    std::filesystem::remove(server_.File("app/old"));
    second_ = server_.Commit("The \"second\"\n\nand its body");
  }

  int Resolve(const std::string& revision) { return Resolve(revision, server_.url()); }
  int Resolve(const std::string& revision, const std::string& url, const std::string& semver = "") {
    runner::ResolveOptions options;
    options.url = url;
    options.revision = revision;
    options.semver = semver;
    options.ca_file = ca_;
    options.report_path = scratch_ / "report";
    options.credentials_folder = credentials_;
    return runner::RunResolve(options);
  }
  runner::CloneOptions CloneOf(const std::string& commit) const {
    runner::CloneOptions options;
    options.url = server_.url();
    options.commit = commit;
    options.destination = scratch_ / "workspace";
    options.context_dir = "app";
    options.report_path = scratch_ / "report";
    options.credentials_folder = credentials_;
    options.ca_file = ca_;
    return options;
  }
  int Clone(const std::string& commit, const std::string& context = "app",
            const std::string& dockerfile = "Dockerfile") {
    auto options = CloneOf(commit);
    options.context_dir = context;
    options.dockerfile = dockerfile;
    return runner::RunClone(options);
  }
  void GiveCredentials(const std::string& password) {
    Put(scratch_ / "secret/username", "ada\n");
    Put(scratch_ / "secret/password", password);
    credentials_ = scratch_ / "secret";
  }
  nlohmann::json Report() const { return nlohmann::json::parse(Contents(scratch_ / "report")); }
  std::string Message() const { return Report().at("message"); }
  std::string Workspace(const std::string& path) const { return scratch_ / ("workspace/" + path); }
  std::string Sha() const { return Report().at("sha"); }
  std::string Reason() const { return Report().at("reason"); }

  Scratch scratch_;
  GitServer server_;
  std::string first_;
  std::string second_;
  std::string credentials_;  // the folder of the Secret
  std::string ca_;
};

}  // namespace slipway::testing
