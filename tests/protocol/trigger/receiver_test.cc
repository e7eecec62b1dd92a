// The receiver over loopback, spoken to in bytes, with a scripted API server behind it.
#include "trigger/receiver.h"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <future>

#include "fixture.h"
#include "unit/trigger/payloads.h"

namespace slipway::trigger {
namespace {

using asio::ip::tcp;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kKey = "a key of this test";

std::string Hmac(const std::string& body, const std::string& key = kKey) {
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data(), &size);
  std::string hex;
  for (const unsigned byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

class ReceiverTest : public TriggerTest {
 protected:
  void Start(Duration patience = seconds(5)) {
    auto github = SpecOf("https://github.com/Codertocat/Hello-World");
    github.source.revision = "master";
    github.trigger.webhook.emplace().secret_ref.name = "hook";
    github.trigger.pull_requests.emplace();
    auto gitlab = github;
    gitlab.source.url = "git@example.com:mike/diaspora.git";
    auto gitea = github;
    gitea.source.url = "http://localhost:3000/gitea/webhooks";
    auto deaf = github;
    deaf.trigger = {};
    objects_ = {ObjectOf("github", github), ObjectOf("gitlab", gitlab), ObjectOf("gitea", gitea),
                ObjectOf("deaf", deaf)};
    for (const std::string name : {"github", "gitlab", "gitea", "deaf", "ghost"}) {
      Write("keys/" + name + "/secret", kKey);
    }
    receiver_ = std::make_unique<Receiver>(io_.get_executor(), *client_, clock_,
                                           ReceiverOptions{"team", folder_ / "keys", options_, {}});
    tasks_.Spawn("receiver", receiver_->Run());
    thread_ = std::thread([this] { io_.run(); });
    for (int i = 0; i < patience / milliseconds(10) && !Synced(); ++i) {
      std::this_thread::sleep_for(milliseconds(10));
    }
  }
  void TearDown() override {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { tasks_.Cancel(); });
    thread_.join();
  }
  bool Synced() {
    std::promise<bool> synced;
    asio::post(io_, [&] { synced.set_value(receiver_->synced()); });
    return synced.get_future().get();
  }
  tcp::socket Connect() {
    tcp::socket socket(clients_);
    socket.connect({asio::ip::make_address("127.0.0.1"), receiver_->port()});
    return socket;
  }
  static std::string ReadAll(tcp::socket& socket) {
    std::string answer;
    boost::system::error_code end;
    asio::read(socket, asio::dynamic_buffer(answer), end);
    return answer;
  }
  std::string Ask(const std::string& bytes) {
    tcp::socket socket = Connect();
    boost::system::error_code error;
    asio::write(socket, asio::buffer(bytes), error);
    return ReadAll(socket);
  }
  std::string Get(const std::string& path) { return Ask("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"); }
  std::string Post(const std::string& path, const std::string& headers, const std::string& body) {
    return Ask(fmt::format("POST {} HTTP/1.1\r\nHost: x\r\n{}Content-Length: {}\r\n\r\n{}", path, headers,
                           body.size(), body));
  }
  std::string PostGitHub(const std::string& path, const std::string& body,
                         const std::string& event = "push") {
    return Post(path, "X-GitHub-Event: " + event + "\r\nX-Hub-Signature-256: sha256=" + Hmac(body) + "\r\n",
                body);
  }

  HttpServerOptions options_{.address = "127.0.0.1", .port = 0, .request_within = seconds(10)};
  asio::io_context clients_;
  std::unique_ptr<Receiver> receiver_;
  TaskGroup tasks_{io_.get_executor()};
};

TEST_F(ReceiverTest, APushOfEachForgeIsWritten) {
  Start();
  const std::string github = GitHubPush("refs/heads/master", kSha);
  EXPECT_THAT(PostGitHub("/hooks/github", github), StartsWith("HTTP/1.1 202 "));
  const std::string gitlab = GitLabPush("refs/heads/master", kSha, kSha);
  EXPECT_THAT(Post("/hooks/gitlab",
                   std::string("X-Gitlab-Event: Push Hook\r\nX-Gitlab-Token: ") + kKey + "\r\n", gitlab),
              StartsWith("HTTP/1.1 202 "));
  const std::string gitea = GiteaPush("refs/heads/master");
  EXPECT_THAT(
      Post("/hooks/gitea",
           "X-GitHub-Event: push\r\nX-Gitea-Event: push\r\nX-Gitea-Signature: " + Hmac(gitea) + "\r\n",
           gitea),
      StartsWith("HTTP/1.1 202 "));
  const auto patches = Sent("PATCH", 3);
  ASSERT_EQ(patches.size(), 3U);
  std::vector<std::string> names{"github", "gitlab", "gitea"};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_THAT(patches[i].target, HasSubstr("/namespaces/team/imagebuilds/" + names[i]));
    EXPECT_EQ(patches[i].headers.at("content-type"), "application/merge-patch+json");
    const auto observed =
        kube::Json::parse(AnnotationsOf(patches[i]).at("slipway.dev/observed-commit").get<std::string>());
    EXPECT_EQ(observed.at("commit"), "") << "nothing is known that it could follow upon: to be looked up";
    EXPECT_EQ(observed.at("ref"), "refs/heads/master");
    EXPECT_EQ(observed.at("by"), "Webhook");
  }
}

TEST_F(ReceiverTest, FromDeliveryToPatchInTensOfMilliseconds) {
  Start();
  const std::string body = GitHubPush("refs/heads/master", kSha);
  PostGitHub("/hooks/github", body);  // opens the connection to the API server
  ASSERT_EQ(Sent("PATCH", 1).size(), 1U);
  // The least of five, for the machine may stall during any one; and with sanitizers it takes longer.
  auto least = std::chrono::steady_clock::duration::max();
  for (std::size_t i = 2; i <= 6; ++i) {
    const auto start = std::chrono::steady_clock::now();
    PostGitHub("/hooks/github", body);
    ASSERT_EQ(Sent("PATCH", i).size(), i);
    least = std::min(least, std::chrono::steady_clock::now() - start);
  }
  EXPECT_LT(least, milliseconds(500));
}

TEST_F(ReceiverTest, PullRequestsComeAndGo) {
  Start();
  EXPECT_THAT(PostGitHub("/hooks/github", GitHubPull("opened", "null"), "pull_request"),
              StartsWith("HTTP/1.1 202 "));
  EXPECT_THAT(PostGitHub("/hooks/github", GitHubPull("closed", "null"), "pull_request"),
              StartsWith("HTTP/1.1 202 "));
  // The second may have taken the place of the first while that waited.
  std::vector<Received> patches = Sent("PATCH", 2);
  ASSERT_FALSE(patches.empty());
  EXPECT_TRUE(AnnotationsOf(patches.back()).at("slipway.dev/pull.2").is_null());
}

TEST_F(ReceiverTest, WhoeverHasNoKeyLearnsNothing) {
  Start();
  const std::string body = GitHubPush("refs/heads/master", kSha);
  const std::string wrong =
      "X-GitHub-Event: push\r\nX-Hub-Signature-256: sha256=" + Hmac(body, "another") + "\r\n";
  const std::string refused = Post("/hooks/github", wrong, body);
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 401 "));
  EXPECT_EQ(Post("/hooks/unknown", wrong, body), refused);
  EXPECT_EQ(Post("/hooks/..%2fgithub", wrong, body), refused);
  EXPECT_EQ(Post("/hooks/github", "", body), refused);
  EXPECT_EQ(PostGitHub("/hooks/ghost", body), refused);  // a key, but no build
  EXPECT_EQ(PostGitHub("/hooks/deaf", body), refused);   // no webhook in its spec
  EXPECT_EQ(PostGitHub("/hooks/unknown", body), refused);
  EXPECT_TRUE(Sent("PATCH", 0).empty());
}

TEST_F(ReceiverTest, ARotatedKeyCountsAtOnce) {
  Start();
  const std::string body = GitHubPush("refs/heads/other", kSha);
  EXPECT_THAT(PostGitHub("/hooks/github", body), StartsWith("HTTP/1.1 202 "));
  Write("keys/github/secret", "the next key\n");
  EXPECT_THAT(PostGitHub("/hooks/github", body), StartsWith("HTTP/1.1 401 "));
  const std::string next =
      "X-GitHub-Event: push\r\nX-Hub-Signature-256: sha256=" + Hmac(body, "the next key") + "\r\n";
  EXPECT_THAT(Post("/hooks/github", next, body), StartsWith("HTTP/1.1 202 "));
}

TEST_F(ReceiverTest, AnAuthenticBodyThatIsNoneIsRefusedInWords) {
  Start();
  EXPECT_THAT(PostGitHub("/hooks/github", "{\"ref\":"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(PostGitHub("/hooks/github", R"({"zen":"x"})", "ping"), StartsWith("HTTP/1.1 202 "));
}

TEST_F(ReceiverTest, IsReadyOnceItKnowsTheBuildsForAForgeDoesNotSendAgain) {
  failing_watches_ = true;
  Start(milliseconds(200));
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(PostGitHub("/hooks/github", GitHubPush("refs/heads/master", kSha)),
              StartsWith("HTTP/1.1 503 "));
  failing_watches_ = false;
  std::string answer;
  for (int i = 0; i < 3000 && !answer.starts_with("HTTP/1.1 200"); ++i) {
    answer = Get("/healthz");
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
}

TEST_F(ReceiverTest, OtherPathsAndMethods) {
  Start();
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Get("/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Get("/hooks/github"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(Post("/healthz", "", ""), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(Ask("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(ReceiverTest, WhatIsTooLarge) {
  Start();
  EXPECT_THAT(Post("/hooks/github", "", std::string((1U << 20) + 1, 'x')), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(Post("/hooks/github", "", std::string(1U << 20, 'x')), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(Ask("POST /hooks/github HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n200001\r\n" +
                  std::string(0x200001, 'x') + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(Get("/" + std::string(20'000, 'x')), StartsWith("HTTP/1.1 431 "));
}

TEST_F(ReceiverTest, WhatIsTooSlow) {
  options_.request_within = milliseconds(300);
  Start();
  EXPECT_THAT(Ask("POST /hooks/github HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"), StartsWith("HTTP/1.1 408 "));
}

TEST_F(ReceiverTest, TooManyAtOnceAreTurnedAway) {
  options_.most_connections = 3;
  options_.request_within = seconds(20);
  Start();
  std::vector<tcp::socket> held;
  for (int i = 0; i < 3; ++i) held.push_back(Connect());
  tcp::socket fourth = Connect();
  EXPECT_THAT(ReadAll(fourth), StartsWith("HTTP/1.1 503 "));
  held.clear();
  std::string answer;
  for (int i = 0; i < 100 && !answer.starts_with("HTTP/1.1 200"); ++i) answer = Get("/healthz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
}

TEST_F(ReceiverTest, AnApiServerThatFailsForAWhileIsAskedAgain) {
  Start();
  failing_patches_ = 2;
  EXPECT_THAT(PostGitHub("/hooks/github", GitHubPush("refs/heads/master", kSha)),
              StartsWith("HTTP/1.1 202 "));
  const auto patches = Sent("PATCH", 3);
  ASSERT_EQ(patches.size(), 3U);
  EXPECT_EQ(patches[2].body, patches[0].body);
}

}  // namespace
}  // namespace slipway::trigger
