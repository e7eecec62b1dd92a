#include "support/kubectl.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <thread>

extern char** environ;

namespace slipway::testing {
namespace {

// What goes in is written to an unlinked file, so that neither side can wait for the other.
int InputFile(const std::string& input) {
  char name[] = "/tmp/slipway-input-XXXXXX";
  const int fd = ::mkstemp(name);
  ::unlink(name);
  if (::write(fd, input.data(), input.size()) < 0) return -1;
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

std::string ReadAll(int fd) {
  std::string text;
  char buffer[65536];
  for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

}  // namespace

Output Execute(const std::vector<std::string>& argv, const std::string& input) {
  int out[2];
  if (::pipe2(out, O_CLOEXEC) != 0) return {};
  const int in = InputFile(input);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], 2);
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, words[0], &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  ::close(in);
  Output output;
  if (error == 0) {
    output.text = ReadAll(out[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    output.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  ::close(out[0]);
  return output;
}

Output Kubectl(const std::vector<std::string>& args, const std::string& input) {
  std::vector<std::string> argv{"kubectl"};
  argv.insert(argv.end(), args.begin(), args.end());
  return Execute(argv, input);
}

void Apply(const std::string& ns, const std::string& yaml) {
  const Output output = Kubectl({"-n", ns, "apply", "-f", "-"}, yaml);
  ASSERT_TRUE(output.ok()) << output.text << "\n" << yaml;
}

nlohmann::json GetJson(const std::string& ns, const std::string& kind, const std::string& name) {
  std::vector<std::string> args{"-n", ns, "get", kind, "-o", "json", "--ignore-not-found"};
  if (!name.empty()) args.push_back(name);
  const Output output = Kubectl(args);
  if (!output.ok() || output.text.empty()) {
    return name.empty() ? nlohmann::json{{"items", nlohmann::json::array()}} : nlohmann::json::object();
  }
  return nlohmann::json::parse(output.text, nullptr, false);
}

bool Eventually(std::chrono::seconds limit, const std::string& what,
                const std::function<bool(std::string& seen)>& holds) {
  const auto end = std::chrono::steady_clock::now() + limit;
  std::string seen;
  while (!holds(seen)) {
    if (std::chrono::steady_clock::now() >= end) {
      std::cerr << "not within " << limit.count() << " s: " << what << "; last seen: " << seen << std::endl;
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return true;
}

nlohmann::json Condition(const nlohmann::json& object, const std::string& type) {
  const auto conditions = nlohmann::json::json_pointer("/status/conditions");
  if (!object.is_object() || !object.contains(conditions)) return nullptr;
  for (const auto& condition : object[conditions]) {
    if (condition.value("type", "") == type) return condition;
  }
  return nullptr;
}

nlohmann::json WaitReady(const std::string& ns, const std::string& kind, const std::string& name,
                         const std::string& status, std::chrono::seconds limit) {
  nlohmann::json object;
  const bool came = Eventually(limit, kind + "/" + name + " Ready=" + status, [&](std::string& seen) {
    object = GetJson(ns, kind, name);
    const auto ready = Condition(object, "Ready");
    if (ready.is_null()) return false;
    seen = ready.dump();
    return ready.value("status", "") == status &&
           ready.value("observedGeneration", 0) == object["metadata"].value("generation", -1);
  });
  EXPECT_TRUE(came) << Condition(object, "Ready") << '\n' << object.dump(2);
  return object;
}

std::string SourcePath(const std::string& relative) { return std::string(SLIPWAY_SOURCE_DIR "/") + relative; }

}  // namespace slipway::testing
