#include "runner/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace slipway::runner {
namespace {

using std::chrono::milliseconds;

Command Shell(std::string script) {
  Command command;
  command.argv = {"sh", "-c", std::move(script)};
  command.environment = {"PATH=/usr/bin:/bin"};
  command.timeout = std::chrono::seconds(10);
  return command;
}

// A letter, as in /proc; empty once it is gone.
std::string StateOf(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string id, name, state;
  file >> id >> name >> state;
  return state;
}

TEST(AProcess, GivesBothStreamsAndItsExitCode) {
  const auto finished = runner::Run(Shell("echo out; echo bad >&2; exit 7"));
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->output, "out\n");
  EXPECT_EQ(finished->errors, "bad\n");
  EXPECT_EQ(finished->exit_code, 7);
  EXPECT_FALSE(finished->timed_out);
}

TEST(AProcess, HasTheEnvironmentThatItWasGivenAndNoOther) {
  ASSERT_EQ(::setenv("SLIPWAY_TEST_LEAK", "1", 1), 0);
  Command command;
  command.argv = {"env"};
  command.environment = {"A=b c", "PATH=/bin"};
  const auto finished = runner::Run(command);
  ::unsetenv("SLIPWAY_TEST_LEAK");
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->output, "A=b c\nPATH=/bin\n");
}

TEST(AProcess, StandsInTheRootFolderAndReadsNothing) {
  const auto finished = runner::Run(Shell("pwd; cat; echo end"));
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->output, "/\nend\n");
}

TEST(AProcess, TakesArgumentsAsTheyAre) {
  Command command;
  command.argv = {"printf", "%s|", "a b", "$HOME", "*", ""};
  const auto finished = runner::Run(command);
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->output, "a b|$HOME|*||");
}

TEST(AProcess, IsEndedWithItsChildrenWhenItsTimeIsOver) {
  Command command = Shell("sleep 30 & echo $!; wait");
  command.timeout = std::chrono::seconds(3);
  const auto began = std::chrono::steady_clock::now();
  const auto finished = runner::Run(command);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
  ASSERT_TRUE(finished);
  EXPECT_TRUE(finished->timed_out);
  EXPECT_EQ(finished->exit_code, 128 + SIGKILL);
  // Nobody waits for the child: it ends when it is scheduled next. A killed orphan stays a zombie until
  // somebody reaps it; it runs no more in either case.
  const pid_t child = std::stoi(finished->output);
  std::string state = StateOf(child);
  for (int i = 0; i < 1000 && !state.empty() && state != "Z"; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
    state = StateOf(child);
  }
  EXPECT_TRUE(state.empty() || state == "Z") << state;
}

TEST(AProcess, IsEndedEvenWhenItHasClosedItsStreams) {
  Command command = Shell("exec >&- 2>&-; sleep 30");
  command.timeout = milliseconds(200);
  const auto finished = runner::Run(command);
  ASSERT_TRUE(finished);
  EXPECT_TRUE(finished->timed_out);
}

TEST(AProcess, KeepsTheBeginOfItsOutputAndTheEndOfItsErrors) {
  Command command =
      Shell("printf 'first'; printf '%0100000d' 0; printf '%0100000d' 0 >&2; printf 'last' >&2");
  command.most_output = 1000;
  const auto finished = runner::Run(command);
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->exit_code, 0);
  EXPECT_TRUE(finished->output_cut);
  EXPECT_EQ(finished->output.size(), 1000U);
  EXPECT_TRUE(finished->output.starts_with("first"));
  EXPECT_EQ(finished->errors.size(), 1000U);
  EXPECT_TRUE(finished->errors.ends_with("last"));
}

TEST(AProcess, ThatIsNotThereIsAnError) {
  Command command;
  command.argv = {"slipway-no-such-program"};
  const auto finished = runner::Run(command);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().kind, ErrorKind::kInvalid);
}

}  // namespace
}  // namespace slipway::runner
