// The static program itself, below a shell that plays Kaniko.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "protocol/runner/scratch.h"
#include "runner/process.h"

namespace slipway::runner {
namespace {

namespace fs = std::filesystem;
using ::slipway::testing::Contents;
using ::slipway::testing::Put;
using ::slipway::testing::Scratch;

class Entrypoint : public ::testing::Test {
 protected:
  void SetUp() override {
    const fs::path own = fs::read_symlink("/proc/self/exe");
    program_ = (own.parent_path().parent_path() / "operator/slipway-entrypoint").string();
    ASSERT_TRUE(fs::exists(program_)) << "build slipway-entrypoint first: hack/build dev";
  }
  std::vector<std::string> Argv(const std::string& script) const {
    std::vector<std::string> argv{program_, "--report=" + (scratch_ / "report")};
    if (fs::exists(scratch_ / "arguments")) argv.push_back("--arguments=" + (scratch_ / "arguments"));
    for (const char* word : {"--", "/bin/sh", "-c"}) argv.emplace_back(word);
    argv.push_back(script);
    argv.emplace_back("sh");
    return argv;
  }
  Finished Run(std::vector<std::string> argv) const {
    const auto finished =
        runner::Run({std::move(argv), {"PATH=/usr/bin:/bin", "KEPT=1"}, std::chrono::seconds(30)});
    if (!finished) throw std::runtime_error(finished.error().message);
    EXPECT_FALSE(finished->timed_out);
    return *finished;
  }
  Finished Shell(const std::string& script) const { return Run(Argv(script)); }
  std::string Report() const { return Contents(scratch_ / "report"); }

  Scratch scratch_;
  std::string program_;
};

TEST_F(Entrypoint, IsStatic) {
  // Kaniko's image has no loader that a dynamic program would name.
  EXPECT_EQ(Contents(program_).find("/ld-linux"), std::string::npos);
}

TEST_F(Entrypoint, OutputCountsAndCodeComeThrough) {
  const Finished finished = Shell(
      "echo 1; echo 2 >&2; echo 'INFO[0001] Using caching version of cmd: RUN a'; printf 3; echo $KEPT >&2; "
      "exit 7");
  EXPECT_EQ(finished.exit_code, 7);
  EXPECT_EQ(finished.output, "1\n2\nINFO[0001] Using caching version of cmd: RUN a\n31\n");
  EXPECT_EQ(finished.errors, "");
  EXPECT_EQ(Report(), R"({"hits":1,"misses":0,"failure":""})");
}

TEST_F(Entrypoint, AFailureIsClassified) {
  EXPECT_EQ(Shell("echo 'error building image: write /x: no space left on device' >&2; exit 1").exit_code, 1);
  EXPECT_EQ(Report(), R"({"hits":0,"misses":0,"failure":"DiskFull"})");
  EXPECT_EQ(Shell("echo 'error building image: write /x: no space left on device' >&2").exit_code, 0);
  EXPECT_EQ(Report(), R"({"hits":0,"misses":0,"failure":""})");
}

TEST_F(Entrypoint, ArgumentsOfTheFileComeLastAndWhole) {
  using std::string_literals::operator""s;
  Put(scratch_ / "arguments", "a b\0\0$HOME\nx\0"s);
  EXPECT_EQ(Shell("printf '<%s>' \"$@\"").output, "<a b><><$HOME\nx>");
}

TEST_F(Entrypoint, MuchOutputAndLongLines) {
  const Finished finished = Shell("head -c 200000 /dev/zero | tr '\\0' x; echo; echo end");
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.output.size(), 200005U);
  EXPECT_TRUE(finished.output.ends_with("x\nend\n"));
}

TEST_F(Entrypoint, FlagsAndProgramsThatAreNone) {
  EXPECT_EQ(Run({program_}).exit_code, 2);
  EXPECT_EQ(Run({program_, "--report=" + (scratch_ / "report"), "--"}).exit_code, 2);
  EXPECT_EQ(Run({program_, "--report=x", "--other", "--", "true"}).exit_code, 2);
  EXPECT_EQ(Run({program_, "--report=x", "--arguments=" + (scratch_ / "none"), "--", "true"}).exit_code, 2);
  const Finished finished = Run({program_, "--report=" + (scratch_ / "report"), "--", "/none"});
  EXPECT_EQ(finished.exit_code, 127);
  EXPECT_NE(finished.output.find("'/none' can't be started"), std::string::npos) << finished.output;
}

TEST_F(Entrypoint, AReportThatCantBeWrittenChangesNoCode) {
  const Finished finished = Run({program_, "--report=/none/report", "--", "/bin/sh", "-c", "exit 3"});
  EXPECT_EQ(finished.exit_code, 3);
  EXPECT_NE(finished.errors.find("/none/report"), std::string::npos);
}

TEST_F(Entrypoint, ASignalThatEndsTheProgramIsItsCode) {
  EXPECT_EQ(Shell("kill -KILL $$").exit_code, 128 + SIGKILL);
  EXPECT_EQ(Report(), R"({"hits":0,"misses":0,"failure":""})");
}

TEST_F(Entrypoint, SignalsGoOnToTheProgram) {
  std::vector<std::string> argv = Argv(
      fmt::format("trap 'exit 9' TERM; touch {}; i=0; while [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done",
                  scratch_ / "ready"));
  std::vector<char*> words;
  for (std::string& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  pid_t pid = 0;
  ASSERT_EQ(::posix_spawn(&pid, words[0], nullptr, nullptr, words.data(), environ), 0);
  for (int i = 0; i < 500 && !fs::exists(scratch_ / "ready"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ::kill(pid, SIGTERM);
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 9);
  EXPECT_TRUE(fs::exists(scratch_ / "report"));
}

TEST_F(Entrypoint, OrphansAreReapedAndNotWaitedFor) {
  // The shell in the middle ends at once, and leaves its child to the entrypoint, which is the shell's
  // parent. One that nobody reaps stays in /proc as a zombie.
  const Finished finished = Shell(fmt::format(
      "(sh -c 'echo $$ >{0}; exit 0' & ) ; (sleep 5 & ) ; tries=0;"
      " until [ -s {0} ] && read -r orphan <{0} && ! [ -e /proc/$orphan ]; do"
      " tries=$((tries + 1)); if [ $tries -gt 100 ]; then echo zombie; break; fi; sleep 0.1; done; echo over",
      scratch_ / "orphan"));
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_TRUE(finished.output.ends_with("over\n")) << finished.output;
  EXPECT_EQ(finished.output.find("zombie"), std::string::npos);
}

}  // namespace
}  // namespace slipway::runner
