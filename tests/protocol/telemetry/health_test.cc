// The health server over loopback, spoken to in bytes.
#include "telemetry/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <thread>

namespace slipway::telemetry {
namespace {

using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// The server on a thread of its own; clients block on theirs.
class HealthServerTest : public ::testing::Test {
 protected:
  // Longer than a busy machine stalls: only the test about this deadline may meet it.
  explicit HealthServerTest(Duration exchange_within = seconds(10))
      : server_(io_.get_executor(), {"127.0.0.1", 0, exchange_within}, metrics_,
                [this] { return why_not_ready_; }) {}
  void SetUp() override {
    tasks_.Spawn("health", server_.Run());
    thread_ = std::thread([this] { io_.run(); });
  }
  void TearDown() override {
    if (thread_.joinable()) Stop();
  }
  void Stop() {
    asio::post(io_, [this] { tasks_.Cancel(); });
    thread_.join();
  }
  tcp::socket Connect() {
    tcp::socket socket(client_);
    socket.connect({asio::ip::make_address("127.0.0.1"), server_.port()});
    return socket;
  }
  // All that comes back until the server closes.
  static std::string ReadAll(tcp::socket& socket) {
    std::string answer;
    boost::system::error_code end;
    asio::read(socket, asio::dynamic_buffer(answer), end);
    return answer;
  }
  std::string Ask(const std::string& request) {
    tcp::socket socket = Connect();
    boost::system::error_code error;
    asio::write(socket, asio::buffer(request), error);
    return ReadAll(socket);
  }
  std::string Get(const std::string& path) { return Ask("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"); }

  asio::io_context io_{1};
  asio::io_context client_;
  Metrics metrics_;
  std::string why_not_ready_;
  HealthServer server_;
  TaskGroup tasks_{io_.get_executor()};
  std::thread thread_;
};

TEST_F(HealthServerTest, IsAliveWhetherReadyOrNot) {
  why_not_ready_ = "jobs in team: first list under way";
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(Get("/healthz?verbose"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(Get("/livez"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HealthServerTest, SaysWhyItIsNotReady) {
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  why_not_ready_ = "jobs in team: missing verb watch";
  const std::string answer = Get("/readyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("jobs in team: missing verb watch"));
}

TEST_F(HealthServerTest, ServesTheMetrics) {
  const std::string answer = Get("/metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(answer, HasSubstr("process_resident_memory_bytes"));
  const auto head = answer.find("\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: " + std::to_string(answer.size() - head - 4) + "\r\n"));
}

TEST_F(HealthServerTest, HeadHasTheLengthAndNoBody) {
  const std::string answer = Ask("HEAD /healthz HTTP/1.1\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

struct Row {
  const char* request;
  const char* starts;
};

TEST_F(HealthServerTest, RefusesWhatItDoesNotServe) {
  for (const Row& row :
       {Row{"GET /secret HTTP/1.1\r\n\r\n", "HTTP/1.1 404"}, Row{"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404"},
        Row{"POST /healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 405"},
        Row{"GET /healthz HTTP/2.0\r\n\r\n", "HTTP/1.1 400"},
        Row{"GET healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 400"}, Row{"GET /healthz\r\n\r\n", "HTTP/1.1 400"},
        Row{"\r\n\r\n", "HTTP/1.1 400"}, Row{"\x16\x03\x01 TLS hello\r\n\r\n", "HTTP/1.1 400"}}) {
    EXPECT_THAT(Ask(row.request), StartsWith(row.starts)) << row.request;
  }
}

TEST_F(HealthServerTest, DropsARequestOverEightKilobytes) {
  EXPECT_THAT(Ask("GET /healthz HTTP/1.1\r\nX: " + std::string(9000, 'x')), IsEmpty());
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HealthServerTest, TakesARequestInPieces) {
  tcp::socket socket = Connect();
  for (const char* piece : {"GET /hea", "lthz HTTP", "/1.1\r\n\r", "\n"}) {
    asio::write(socket, asio::buffer(std::string_view(piece)));
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_THAT(ReadAll(socket), StartsWith("HTTP/1.1 200"));
}

TEST_F(HealthServerTest, DropsConnectionsBeyondThirtyTwoAndRecovers) {
  std::vector<tcp::socket> held;
  for (int i = 0; i < 32; ++i) held.push_back(Connect());
  EXPECT_THAT(Get("/healthz"), IsEmpty());
  held.clear();
  std::string answer;
  for (int i = 0; i < 100 && answer.empty(); ++i) {
    answer = Get("/healthz");
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
}

class HastyHealthServerTest : public HealthServerTest {
 protected:
  HastyHealthServerTest() : HealthServerTest(milliseconds(80)) {}
};

// A client that sends a byte now and then holds its place no longer than any other.
TEST_F(HastyHealthServerTest, DropsARequestThatIsTooSlow) {
  tcp::socket socket = Connect();
  boost::system::error_code error;
  for (int i = 0; i < 2000 && !error; ++i) {
    asio::write(socket, asio::buffer(std::string_view("G")), error);
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_TRUE(error);
  // A request of ours is dropped as well when the machine stalls in the middle of it.
  std::string answer;
  for (int i = 0; i < 100 && answer.empty(); ++i) answer = Get("/healthz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
}

TEST_F(HealthServerTest, AClientThatHangsUpHarmsNobody) {
  for (int i = 0; i < 50; ++i) {
    tcp::socket socket = Connect();
    asio::write(socket, asio::buffer(std::string_view("GET /metrics HTTP/1.1\r\n\r\n")));
    socket.set_option(asio::socket_base::linger(true, 0));  // RST
    socket.close();
  }
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HealthServerTest, StopsAtOnceWithConnectionsOpen) {
  tcp::socket silent = Connect();
  tcp::socket half = Connect();
  asio::write(half, asio::buffer(std::string_view("GET /he")));
  const auto asked = std::chrono::steady_clock::now();
  Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - asked, seconds(5));
  EXPECT_EQ(tasks_.size(), 0U);
}

TEST(HealthServerSetupTest, APortInUseIsAnErrorAtTheStart) {
  asio::io_context io;
  Metrics metrics;
  HealthServer first(io.get_executor(), {"127.0.0.1", 0}, metrics, [] { return std::string(); });
  EXPECT_THROW(
      HealthServer(io.get_executor(), {"127.0.0.1", first.port()}, metrics, [] { return std::string(); }),
      std::exception);
}

}  // namespace
}  // namespace slipway::telemetry
