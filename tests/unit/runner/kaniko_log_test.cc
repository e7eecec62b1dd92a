#include "runner/kaniko_log.h"

#include <gtest/gtest.h>

#include <array>

namespace slipway::runner {
namespace {

TEST(KanikoLog, CountsWhatTheCacheGave) {
  KanikoLog log;
  log.Feed(
      "INFO[0001] Using caching version of cmd: RUN make\n"
      "\x1B[36mINFO\x1B[0m[0002] No cached layer found for cmd RUN test\n"
      "time=\"2026-01-01T00:00:00Z\" level=info msg=\"Using caching version of cmd: COPY a b\"\n"
      "time=\"2026-01-01T00:00:00Z\" level=info msg=\"No cached layer found for cmd RUN \\\"x\\\"\"\n"
      "level=info msg=\"Using caching version of cmd: RUN y\"\n"
      // Not Kaniko's.
      "Using caching version of cmd: RUN x\n"
      "echo INFO[0001] Using caching version of cmd: RUN x\n"
      "WARN[0001] Using caching version of cmd: RUN x\n"
      "INFO[0001]\n\n");
  log.Finish();
  EXPECT_EQ(log.hits(), 3U);
  EXPECT_EQ(log.misses(), 2U);
  EXPECT_EQ(KanikoReport(log, 0), R"({"hits":3,"misses":2,"failure":""})");
}

TEST(KanikoLog, LinesComeInAnyPieces) {
  constexpr std::string_view kText =
      "INFO[0001] Using caching version of cmd: RUN a\nerror building image: no space left on device";
  for (std::size_t size = 1; size < kText.size(); ++size) {
    KanikoLog log;
    for (std::size_t at = 0; at < kText.size(); at += size) log.Feed(kText.substr(at, size));
    log.Finish();
    ASSERT_EQ(KanikoReport(log, 1), R"({"hits":1,"misses":0,"failure":"DiskFull"})") << size;
  }
}

TEST(KanikoLog, ALineWithoutEndIsBounded) {
  KanikoLog log;
  const std::string much(KanikoLog::kLineBytes, 'x');
  log.Feed("error building image: ");
  for (int i = 0; i < 100; ++i) log.Feed(much);
  log.Finish();
  EXPECT_EQ(log.error().size(), KanikoLog::kLineBytes);
  log.Feed("\x1B[");
  log.Feed("\nINFO[1] Using caching version of cmd: x\n\x1B[31");
  log.Finish();
  EXPECT_EQ(log.hits(), 1U);
}

TEST(KanikoLog, TheLastErrorCounts) {
  KanikoLog log;
  log.Feed(
      "error building image: GET https://h/v2/x: UNAUTHORIZED: printed by a RUN\n"
      "error building image: error building stage: failed to execute command: waiting for process to exit: "
      "exit status 1\n"
      "bye\n");
  log.Finish();
  EXPECT_EQ(KanikoReport(log, 1), R"({"hits":0,"misses":0,"failure":""})");
}

struct Row {
  std::string_view error;
  std::string_view failure;
};

TEST(KanikoLog, FailuresByTheirWords) {
  constexpr auto kRows = std::to_array<Row>({
      {"error building image: error building stage: failed to execute command: waiting for process to exit: "
       "exit status 1",
       ""},
      {"error building image: error building stage: failed to execute command: starting command: fork/exec "
       "/bin/sh: no such file or directory",
       ""},
      {"error building image: error building stage: failed to execute command: copying: write /x: no space "
       "left on device",
       "DiskFull"},
      {"error building image: error building stage: failed to take snapshot: write /kaniko/1: disk quota "
       "exceeded",
       "DiskFull"},
      {"error building image: error building stage: failed to execute command: waiting for process to exit: "
       "no space left on device",
       ""},
      {"error building image: getting stage builder for stage 0: GET https://h/v2/x/manifests/1: "
       "MANIFEST_UNKNOWN: manifest unknown; map[Tag:1]",
       "BaseImageNotFound"},
      {"error building image: unable to complete operation after 0 attempts, last error: GET "
       "https://h/v2/x/manifests/1: UNAUTHORIZED: authentication required",
       "RegistryDenied"},
      {"error building image: unable to complete operation after 0 attempts, last error: GET "
       "https://h/v2/x/manifests/1: unexpected status code 404 Not Found: x",
       "BaseImageNotFound"},
      {"error building image: Get \"https://h/v2/\": dial tcp: lookup h: no such host",
       "RegistryUnavailable"},
      {"error building image: GET https://h/v2/x/manifests/1: TOOMANYREQUESTS: slow", "RegistryUnavailable"},
      {"error building image: error building stage: failed to get filesystem from image: GET "
       "https://h/v2/x/blobs/1: unexpected status code 502 Bad Gateway: x",
       "RegistryUnavailable"},
      {"error checking push permissions -- make sure you entered the correct tag name, and that you are "
       "authenticated correctly, and try again: checking push permission for \"h/c:x\": POST "
       "https://h/v2/c/blobs/uploads/: UNAUTHORIZED: authentication required",
       "RegistryDenied"},
      {"error checking push permissions -- make sure you entered the correct tag name, and that you are "
       "authenticated correctly, and try again: checking push permission for \"h/c:x\": creating push check "
       "transport for h failed: Get \"https://h/v2/\": dial tcp 1.1.1.1:443: connect: connection refused",
       "RegistryUnavailable"},
      {"error pushing image: failed to push to destination h/c:x: GET https://auth.h/token?scope=x: "
       "unexpected status code 403 Forbidden: ",
       "RegistryDenied"},
      // ADD from the web is no registry.
      {"error building image: error building stage: failed to execute command: Get \"https://web/x.tgz\": "
       "dial tcp: lookup web: no such host",
       ""},
      {"error building image: parsing dockerfile: dockerfile parse error on line 1: unknown instruction: "
       "FORM",
       ""},
      {"", ""},
  });
  for (const Row& row : kRows) EXPECT_EQ(KanikoFailure(row.error), row.failure) << row.error;
}

}  // namespace
}  // namespace slipway::runner
