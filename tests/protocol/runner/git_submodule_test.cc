// What lies in other repositories, and what is left of the repository itself.
#include <fstream>

#include "protocol/runner/git_fixture.h"
#include "runner/text.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
using ::slipway::testing::AgainstGit;
using ::slipway::testing::Contents;
using ::slipway::testing::GitServer;
using ::slipway::testing::Put;

class WithSubmodules : public AgainstGit {
 protected:
  // library, with leaf in it, beside repo.
  WithSubmodules() {
    Put(server_.File("leaf.txt", "leaf"), "leaf\n");
    leaf_ = server_.Commit("Leaf", "leaf");
    Put(server_.File("library.txt", "library"), "old\n");
    server_.AddSubmodule("deep/leaf", "../../leaf/.git", leaf_, "library");
    old_library_ = server_.Commit("Library", "library");
    Put(server_.File("library.txt", "library"), "new\n");
    new_library_ = server_.Commit("Library again", "library");
  }
  std::string CommitWith(const std::string& url, const std::string& commit) {
    server_.AddSubmodule("lib", url, commit);
    return server_.Commit("With a submodule");
  }
  int CloneAll(const std::string& commit, std::optional<int> depth = std::nullopt) {
    auto options = CloneOf(commit);
    options.submodules = true;
    options.depth = depth;
    return RunClone(options);
  }
  // Every entry below the workspace named .git.
  std::size_t Repositories() const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(Workspace(""))) {
      if (entry.path().filename() == ".git") ++count;
    }
    return count;
  }

  std::string leaf_;
  std::string old_library_;
  std::string new_library_;
};

TEST_F(WithSubmodules, AllAreFetchedHoweverDeepAndNoRepositoryIsLeft) {
  const std::string commit = CommitWith("../../library/.git", old_library_);
  EXPECT_EQ(CloneAll(commit), 0);
  EXPECT_EQ(Contents(Workspace("lib/library.txt")), "old\n");
  EXPECT_EQ(Contents(Workspace("lib/deep/leaf/leaf.txt")), "leaf\n");
  EXPECT_EQ(Repositories(), 0U);
}

TEST_F(WithSubmodules, NoneIsFetchedUnlessThatIsWanted) {
  const std::string commit = CommitWith("../../library/.git", old_library_);
  EXPECT_EQ(Clone(commit), 0);
  EXPECT_TRUE(fs::is_empty(Workspace("lib")));
}

TEST_F(WithSubmodules, OfAServerThatRefusesBareCommitsAreFetchedWhole) {
  const std::string commit = CommitWith("../../library/.git", old_library_);
  server_.old_protocol = true;
  EXPECT_EQ(CloneAll(commit), 0);
  EXPECT_EQ(Contents(Workspace("lib/library.txt")), "old\n");
  EXPECT_EQ(Contents(Workspace("lib/deep/leaf/leaf.txt")), "leaf\n");
}

TEST_F(WithSubmodules, AMissingCommitIsNotFound) {
  const std::string commit = CommitWith("../../library/.git", std::string(39, '0') + "1");
  EXPECT_EQ(CloneAll(commit), kRevisionNotFound);
  EXPECT_FALSE(fs::exists(Workspace(".git")));
}

TEST_F(WithSubmodules, ThisMachinesFilesAndProgramsAreOutOfTheirReach) {
  const std::string proof = scratch_ / "proof";
  struct Case {
    std::string url;
    std::string word;
  };
  const Case cases[] = {{"file://" + server_.File(".git", "library"), "'file' not allowed"},
                        {server_.File(".git", "library"), "'file' not allowed"},
                        {"ext::touch " + proof, "'ext' not allowed"}};
  for (const auto& c : cases) {
    fs::remove(server_.File(".gitmodules"));
    fs::remove_all(scratch_ / "workspace");
    EXPECT_EQ(CloneAll(CommitWith(c.url, old_library_)), kGitFailed) << c.url;
    EXPECT_NE(Message().find(c.word), std::string::npos) << Message();
  }
  EXPECT_FALSE(fs::exists(proof));
}

TEST_F(WithSubmodules, CredentialsGoToTheirOwnHostOnly) {
  GitServer other;
  Put(other.File("other.txt"), "other\n");
  const std::string theirs = other.Commit("Other");
  server_.AddSubmodule("other", other.url(), theirs);
  const std::string commit = CommitWith("../../library/.git", new_library_);
  server_.password = "Basic " + Base64("ada:s3cret");
  GiveCredentials("s3cret");
  EXPECT_EQ(CloneAll(commit), 0);
  EXPECT_EQ(Contents(Workspace("lib/library.txt")), "new\n");
  EXPECT_EQ(Contents(Workspace("other/other.txt")), "other\n");
  EXPECT_FALSE(other.asked.empty());
  for (const std::string& asked : other.asked) EXPECT_TRUE(asked.ends_with(' ')) << asked;
}

TEST_F(WithSubmodules, ARepositoryThatIsKeptHoldsNoCredentials) {
  const std::string commit = CommitWith("../../library/.git", new_library_);
  server_.password = "Basic " + Base64("ada:s3cret");
  GiveCredentials("s3cret");
  EXPECT_EQ(CloneAll(commit, 1), 0);
  EXPECT_EQ(Repositories(), 3U);
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(Workspace(".git"))) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const std::string text = Contents(entry.path().string());
    EXPECT_EQ(text.find("s3cret"), std::string::npos) << entry.path();
    EXPECT_EQ(text.find(Base64("ada:s3cret")), std::string::npos) << entry.path();
    EXPECT_EQ(text.find("xtraheader"), std::string::npos) << entry.path();
  }
  EXPECT_GT(files, 10U);
}

class Kept : public AgainstGit {
 protected:
  Kept() {
    for (int i = 0; i < 3; ++i) tip_ = server_.Commit("More");
    server_.Git({"tag", "v1.0.0", first_});
  }
  int Keep(const std::string& commit, int depth, const std::string& ref = "") {
    fs::remove_all(scratch_ / "workspace");
    auto options = CloneOf(commit);
    options.depth = depth;
    options.ref = ref;
    return RunClone(options);
  }
  std::string There(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--git-dir=" + Workspace(".git"), "--work-tree=" + Workspace("")});
    return server_.Git(arguments);
  }
  std::string tip_;
};

TEST_F(Kept, ARepositoryHasAsManyCommitsAsWereAskedFor) {
  for (const int depth : {1, 2, 4}) {
    EXPECT_EQ(Keep(tip_, depth), 0);
    EXPECT_EQ(There({"rev-list", "--count", "HEAD"}), std::to_string(depth));
    EXPECT_EQ(There({"status", "--porcelain"}), "");
    EXPECT_EQ(There({"tag", "--list"}), "");
  }
}

TEST_F(Kept, AWholeHistoryComesWithItsTags) {
  EXPECT_EQ(Keep(tip_, 0), 0);
  EXPECT_EQ(There({"rev-list", "--count", "HEAD"}), "5");
  EXPECT_EQ(There({"describe", "--tags"}).substr(0, 9), "v1.0.0-4-");
  EXPECT_EQ(There({"config", "remote.origin.url"}), server_.url());
}

TEST_F(Kept, AContextCanNotLieInTheRepositoryItself) {
  auto options = CloneOf(tip_);
  options.depth = 1;
  options.context_dir = ".git";
  options.dockerfile = "config";
  EXPECT_EQ(RunClone(options), kContextNotFound);
  EXPECT_FALSE(fs::exists(Workspace(".git")));
}

TEST_F(Kept, ACommitThatOnlyAPullRequestHasIsFetchedByItsRef) {
  server_.Git({"checkout", "--quiet", "--detach", first_});
  const std::string below = server_.Commit("Proposed");
  const std::string above = server_.Commit("Proposed again");
  server_.Git({"update-ref", "refs/pull/1/head", above});
  server_.Git({"checkout", "--quiet", "main"});
  server_.old_protocol = true;
  EXPECT_EQ(Keep(below, 1), kRevisionNotFound);
  EXPECT_EQ(Keep(below, 1, "refs/pull/1/head"), 0);
  EXPECT_EQ(Sha(), below);
  EXPECT_EQ(Keep(below, 1, "refs/pull/2/head"), kRevisionNotFound);
  EXPECT_EQ(Keep(first_, 1, "refs/pull/2/head"), 0);
  EXPECT_EQ(Keep(below, 1, "--upload-pack=x"), kGitFailed);
}

}  // namespace
}  // namespace slipway::runner
