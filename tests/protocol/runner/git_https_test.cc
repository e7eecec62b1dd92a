// A git host whose certificate an authority of its own signed.
#include "protocol/runner/git_fixture.h"
#include "runner/text.h"
#include "support/certificates.h"
#include "support/scripted_server.h"

namespace slipway::runner {
namespace {

using ::slipway::testing::AgainstGit;
using ::slipway::testing::Authority;
using ::slipway::testing::Contents;
using ::slipway::testing::Put;
using ::slipway::testing::Received;
using ::slipway::testing::Reply;
using ::slipway::testing::Request;
using ::slipway::testing::ScriptedServer;
using ::slipway::testing::ServerOptions;

class OverTls : public AgainstGit {
 protected:
  OverTls()
      : tls_([this](const Received& received) { return Pass(received); },
             ServerOptions{.certificate = authority_.Issue("git", "IP:127.0.0.1")}) {
    Put(scratch_ / "ca.crt", authority_.pem());
  }

  Reply Pass(const Received& received) {
    Request request;
    request.method_string(received.method);
    request.target(received.target);
    for (const auto& [name, value] : received.headers) request.set(name, value);
    request.body() = received.body;
    const auto response = server_.Serve(request);
    Reply reply;
    reply.code = static_cast<int>(response.result_int());
    reply.body = response.body();
    for (const auto& field : response) {
      reply.headers[std::string(field.name_string())] = std::string(field.value());
    }
    return reply;
  }
  std::string TlsUrl() const { return "https://127.0.0.1:" + tls_.Config().port + "/repo/.git"; }

  Authority authority_{"git-authority"};
  ScriptedServer tls_;
};

TEST_F(OverTls, AnAuthorityThatIsGivenIsTrusted) {
  ca_ = scratch_ / "ca.crt";
  server_.password = "Basic " + Base64("ada:s3cret");
  GiveCredentials("s3cret");
  EXPECT_EQ(Resolve("main", TlsUrl()), 0);
  EXPECT_EQ(Sha(), second_);
  auto options = CloneOf(second_);
  options.url = TlsUrl();
  EXPECT_EQ(RunClone(options), 0);
  EXPECT_EQ(Contents(Workspace("app/Dockerfile")), "FROM scratch\n");
}

TEST_F(OverTls, AnUnknownAuthorityIsAReasonOfItsOwn) {
  EXPECT_EQ(Resolve("main", TlsUrl()), kCertificateUntrusted);
  EXPECT_EQ(Reason(), "CertificateUntrusted");
  const Authority other("another");
  Put(scratch_ / "other.crt", other.pem());
  ca_ = scratch_ / "other.crt";
  EXPECT_EQ(Resolve("main", TlsUrl()), kCertificateUntrusted);
  EXPECT_TRUE(server_.asked.empty());
}

TEST_F(OverTls, ABundleWithoutCertificatesIsNamed) {
  Put(scratch_ / "empty.crt", "nothing\n");
  for (const char* name : {"empty.crt", "missing.crt"}) {
    ca_ = scratch_ / name;
    EXPECT_EQ(Resolve("main", TlsUrl()), kCertificateUntrusted);
    EXPECT_NE(Message().find(std::string(name) + "' holds no certificates"), std::string::npos) << Message();
  }
}

}  // namespace
}  // namespace slipway::runner
