#include <gmock/gmock.h>

#include <boost/asio/ip/tcp.hpp>
#include <thread>

#include "client_fixture.h"
#include "unit/kube/files.h"

namespace slipway::kube {
namespace {

using ::testing::HasSubstr;
using testing::Piece;

using DeadlineTest = ClientTest;

TEST_F(DeadlineTest, AnswerThatDoesNotComeIsTransientAtTheDeadline) {
  Serve([](const Received&) { return Reply{.hang = true}; });
  Connect();
  const auto start = std::chrono::steady_clock::now();
  const auto answer = Call(Get(kPods, kApp), milliseconds(60));
  const auto took = std::chrono::steady_clock::now() - start;
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kTransient);
  EXPECT_GE(took, milliseconds(50));
  EXPECT_LT(took, seconds(4));
}

TEST_F(DeadlineTest, DeadlineHoldsForABodyThatDrips) {
  std::vector<Piece> drops(100, Piece{" ", milliseconds(15)});
  ServeInOrder({testing::Chunked(drops)});
  Connect();
  const auto answer = Call(Get(kPods, kApp), milliseconds(100));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kTransient);
}

TEST_F(DeadlineTest, DeadlineOnAKeptConnectionIsTheEndOfTheCall) {
  Serve([first = true](const Received&) mutable {
    return std::exchange(first, false) ? Reply{} : Reply{.hang = true};
  });
  Connect();
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  const auto answer = Call(Get(kPods, kApp), milliseconds(60));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kTransient);
  // The server runs by itself, and may be behind.
  for (int i = 0; i < 500 && server_->requests().size() < 2; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(server_->requests().size(), 2U) << "it was sent again after its deadline";
}

TEST_F(DeadlineTest, CancelledCallEndsAtOnce) {
  Serve([](const Received&) { return Reply{.hang = true}; });
  Connect();
  auto [answer, took] = CancelAfter(client_->Call(Get(kPods, kApp)), milliseconds(50));
  ASSERT_TRUE(answer);
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().kind, ErrorKind::kCancelled);
  EXPECT_LT(took, seconds(4));
}

TEST_F(DeadlineTest, ClientIsOfUseAfterACancelledCall) {
  // By name, not in order: the server may not have heard of the first when it is cancelled.
  Serve([](const Received& request) {
    return request.target.ends_with("/slow") ? Reply{.hang = true} : Reply{};
  });
  Connect(server_->Config(), {.max_connections = 1});
  auto [answer, took] = CancelAfter(client_->Call(Get(kPods, {"shop", "slow"})), milliseconds(50));
  ASSERT_TRUE(answer);
  EXPECT_FALSE(*answer);
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
}

// A listener that accepts nothing: the kernel opens the connection, and TLS gets no answer.
class SilentServer {
 public:
  ClientConfig Config() const {
    ClientConfig config;
    config.host = "127.0.0.1";
    config.port = std::to_string(acceptor_.local_endpoint().port());
    return config;
  }

 private:
  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
};

TEST_F(DeadlineTest, DeadlineHoldsForConnectingToo) {
  const SilentServer silent;
  Connect(silent.Config());
  const auto start = std::chrono::steady_clock::now();
  const auto answer = Call(Get(kPods, kApp), milliseconds(60));
  const auto opened = Open(milliseconds(60));
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_THAT(Said(answer), HasSubstr("Transient: no TLS with"));
  EXPECT_THAT(Said(opened), HasSubstr("Transient: no TLS with"));
  EXPECT_LT(took, seconds(4));
}

TEST_F(DeadlineTest, CancelledConnectingEndsAtOnce) {
  const SilentServer silent;
  Connect(silent.Config());
  auto [answer, took] = CancelAfter(client_->Call(Get(kPods, kApp)), milliseconds(50));
  ASSERT_TRUE(answer);
  EXPECT_THAT(Said(*answer), HasSubstr("Cancelled"));
  EXPECT_LT(took, seconds(4));
}

TEST_F(DeadlineTest, CancellationWhileACredentialPluginRunsEndsTheCallWithoutARequest) {
  Serve([](const Received&) { return Reply{}; });
  ClientConfig config = server_->Config();
  const std::string expired = R"({"status":{"token":"t","expirationTimestamp":"2020-01-01T00:00:00Z"}})";
  // From its second run on it waits for a file, so that the cancellation finds it at work.
  const Folder folder;
  const std::string script = "mkdir " + folder.Path("ran") + " 2>/dev/null || until test -e " +
                             folder.Path("go") + "; do sleep 0.05; done; echo '" + expired + "'";
  config.exec = ExecPlugin{"sh", {"-c", script}, {}, "client.authentication.k8s.io/v1"};
  Connect(config);
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  auto [answer, took] =
      CancelAfter(client_->Call(Get(kPods, kApp)), milliseconds(20), [&folder] { folder.Write("go", ""); });
  ASSERT_TRUE(answer);
  EXPECT_THAT(Said(*answer), HasSubstr("Cancelled"));
  EXPECT_EQ(server_->requests().size(), 1U);
}

}  // namespace
}  // namespace slipway::kube
