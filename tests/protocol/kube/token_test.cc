#include <filesystem>
#include <fstream>

#include "client_fixture.h"

namespace slipway::kube {
namespace {

class TokenTest : public ClientTest {
 protected:
  void SetUp() override {
    path_ =
        (std::filesystem::temp_directory_path() / ("slipway-token-" + std::to_string(::getpid()))).string();
    Write("old");
  }
  void TearDown() override { std::filesystem::remove(path_); }
  void Write(std::string_view token) const { std::ofstream(path_) << token << "\n"; }
  void ConnectByTokenFile() {
    ClientConfig config = server_->Config();
    config.token_file = path_;
    Connect(config);
  }
  // Refuses every token but "new", and rotates the file when it first does.
  ScriptedServer::Script Rotating() {
    return [this](const Received& request) {
      if (request.headers.at("authorization") == "Bearer new") return testing::Chunked({});
      Write("new");
      return Reply{.code = 401, .body = R"({"kind":"Status","code":401,"message":"Unauthorized"})"};
    };
  }
  std::string path_;
};

TEST_F(TokenTest, RotatedTokenIsReadAgainAfter401AndTriedOnce) {
  Serve([this](const Received& request) {
    if (request.headers.at("authorization") == "Bearer new") return Reply{};
    Write("new");
    return Reply{.code = 401};
  });
  ConnectByTokenFile();
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  EXPECT_EQ(server_->requests().size(), 2U);
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  EXPECT_EQ(server_->requests().size(), 3U);
}

TEST_F(TokenTest, SecondRefusalIsUnauthorized) {
  Serve([](const Received&) {
    return Reply{.code = 401, .body = R"({"kind":"Status","code":401,"message":"Unauthorized"})"};
  });
  ConnectByTokenFile();
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "Unauthorized: Unauthorized");
  EXPECT_EQ(server_->requests().size(), 2U);
}

TEST_F(TokenTest, WatchReadsARotatedTokenToo) {
  Serve(Rotating());
  ConnectByTokenFile();
  EXPECT_EQ(Said(Open()), "ok");
  EXPECT_EQ(server_->requests().size(), 2U);
}

}  // namespace
}  // namespace slipway::kube
