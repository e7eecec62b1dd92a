#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "client_fixture.h"

namespace slipway::kube {
namespace {

using testing::Authority;
using ::testing::HasSubstr;
using testing::KeyPair;
using testing::Validity;

class TlsTest : public ClientTest {
 protected:
  void ServeWith(const KeyPair& certificate) {
    Serve([](const Received&) { return Reply{}; }, {.certificate = certificate});
  }
  ClientConfig Trusting(const Authority& authority) const {
    ClientConfig config = server_->Config();
    config.ca_pem = authority.pem();
    config.token = "secret";
    return config;
  }
  // A call and a watch are both refused for that reason, and neither gets as far as a request.
  void ExpectRefused(const ClientConfig& config, const std::string& why) {
    Connect(config);
    for (const std::string& said : {Said(Call(Get(kPods, kApp))), Said(Open())}) {
      EXPECT_THAT(said, HasSubstr("Transient: no TLS with 127.0.0.1:"));
      EXPECT_THAT(said, HasSubstr(why));
    }
    EXPECT_TRUE(server_->requests().empty());
  }
  Authority authority_{"the right one"};
  Authority other_{"another one"};
};

TEST_F(TlsTest, ServerOfOurAuthorityIsTrusted) {
  ServeWith(authority_.Issue("server", "IP:127.0.0.1"));
  Connect(Trusting(authority_));
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  EXPECT_EQ(server_->requests().at(0).server_name, "") << "an address is no name for SNI";
}

TEST_F(TlsTest, ServerOfAnotherAuthorityIsRefused) {
  ServeWith(other_.Issue("server", "IP:127.0.0.1"));
  ExpectRefused(Trusting(authority_), "unable to get local issuer certificate");
}

TEST_F(TlsTest, AuthorityOfTheSameNameWithAnotherKeyIsRefused) {
  const Authority forged("the right one");
  ServeWith(forged.Issue("server", "IP:127.0.0.1"));
  ExpectRefused(Trusting(authority_), "certificate");
}

TEST_F(TlsTest, ExpiredCertificateIsRefused) {
  ServeWith(authority_.Issue("server", "IP:127.0.0.1", Validity::kExpired));
  ExpectRefused(Trusting(authority_), "certificate has expired");
}

TEST_F(TlsTest, CertificateOfAnotherHostIsRefused) {
  for (const std::string_view alternatives :
       {"IP:127.0.0.2", "DNS:localhost", "DNS:127.0.0.1", "DNS:*", ""}) {
    ServeWith(authority_.Issue("127.0.0.1", alternatives));
    ExpectRefused(Trusting(authority_), "IP address mismatch");
  }
}

TEST_F(TlsTest, NameToVerifyMayBeGiven) {
  ServeWith(authority_.Issue("server", "DNS:api.example"));
  ClientConfig config = Trusting(authority_);
  config.tls_server_name = "api.example";
  Connect(config);
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  EXPECT_EQ(server_->requests().at(0).server_name, "api.example");
}

TEST_F(TlsTest, NameThatIsNotInTheCertificateIsRefused) {
  for (const std::string_view alternatives :
       {"DNS:other.example", "IP:127.0.0.1", "DNS:*.api.example", "DNS:*.example.api.example", ""}) {
    ServeWith(authority_.Issue("api.example", alternatives));
    ClientConfig config = Trusting(authority_);
    config.tls_server_name = "api.example";
    ExpectRefused(config, "hostname mismatch");
  }
}

TEST_F(TlsTest, SystemStoreDoesNotTrustAStranger) {
  ServeWith(authority_.Issue("server", "IP:127.0.0.1"));
  ClientConfig config = Trusting(authority_);
  config.ca_pem.clear();
  ExpectRefused(config, "unable to get local issuer certificate");
}

TEST_F(TlsTest, ServerThatSpeaksNoTlsIsRefused) {
  Serve([](const Received&) { return Reply{}; }, {.tls = false});
  ClientConfig config = Trusting(authority_);
  config.scheme = "https";
  Connect(config);
  EXPECT_THAT(Said(Call(Get(kPods, kApp))), HasSubstr("Transient: no TLS with 127.0.0.1:"));
  for (const auto& request : server_->requests()) EXPECT_EQ(request.headers.count("authorization"), 0U);
}

TEST_F(TlsTest, EveryAuthorityOfABundleIsTrusted) {
  for (const Authority* issuer : {&authority_, &other_}) {
    ServeWith(issuer->Issue("server", "IP:127.0.0.1"));
    ClientConfig config = Trusting(authority_);
    config.ca_pem = "# a comment\n" + authority_.pem() + "\n" + other_.pem();
    Connect(config);
    EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  }
}

// A handshake that breaks is an everyday thing; it must not change whom we trust.
TEST_F(TlsTest, BrokenHandshakeLeavesAnInlineAuthorityTrusted) {
  Serve([](const Received&) { return Reply{}; },
        {.certificate = authority_.Issue("server", "IP:127.0.0.1"), .cut_handshakes = 1});
  Connect(Trusting(authority_));
  EXPECT_THAT(Said(Call(Get(kPods, kApp))), HasSubstr("Transient: no TLS"));
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
}

class AuthorityFileTest : public TlsTest {
 protected:
  void SetUp() override {
    path_ = (std::filesystem::temp_directory_path() / ("slipway-ca-" + std::to_string(::getpid()))).string();
  }
  void TearDown() override { std::filesystem::remove(path_); }
  // Each writing has a time of its own, whatever the file system's clock.
  void Write(std::string_view text) {
    std::ofstream(path_, std::ios::trunc) << text;
    std::filesystem::last_write_time(path_,
                                     std::filesystem::file_time_type::clock::now() + seconds(++written_));
  }
  ClientConfig FromFile() {
    ClientConfig config = Trusting(authority_);
    config.ca_file = path_;
    return config;
  }
  std::string path_;
  int written_ = 0;
};

TEST_F(AuthorityFileTest, RotatedAuthorityIsReadFromItsFile) {
  ServeWith(other_.Issue("server", "IP:127.0.0.1"));
  Write(authority_.pem());
  Connect(FromFile());
  EXPECT_THAT(Said(Call(Get(kPods, kApp))), HasSubstr("Transient: no TLS"));
  Write(other_.pem());
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
}

TEST_F(AuthorityFileTest, LastAuthorityStaysWhileItsFileIsEmptyBrokenOrGone) {
  ServeWith(authority_.Issue("server", "IP:127.0.0.1"));
  Write(authority_.pem());
  Connect(FromFile());
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  Write("");
  server_->CutAll();
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  Write(authority_.pem().substr(0, 100));
  server_->CutAll();
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  std::filesystem::remove(path_);
  server_->CutAll();
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
}

TEST_F(TlsTest, ClientCertificateIsShown) {
  const KeyPair client = other_.Issue("slipway-client", "");
  Serve([](const Received&) { return Reply{}; },
        {.certificate = authority_.Issue("server", "IP:127.0.0.1"), .client_authority_pem = other_.pem()});
  ClientConfig config = Trusting(authority_);
  config.client_cert_pem = client.certificate_pem;
  config.client_key_pem = client.key_pem;
  Connect(config);
  EXPECT_EQ(Said(Call(Get(kPods, kApp))), "ok");
  EXPECT_EQ(server_->requests().at(0).client_name, "slipway-client");
}

TEST_F(TlsTest, ServerThatDemandsAClientCertificateRefusesOneOfNobody) {
  Serve([](const Received&) { return Reply{}; },
        {.certificate = authority_.Issue("server", "IP:127.0.0.1"), .client_authority_pem = other_.pem()});
  Connect(Trusting(authority_));
  const auto answer = Call(Get(kPods, kApp));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kTransient);
  EXPECT_TRUE(server_->requests().empty());
}

TEST_F(TlsTest, MaterialThatDoesNotParseIsRefusedAtTheStart) {
  ServeWith(authority_.Issue("server", "IP:127.0.0.1"));
  const KeyPair one = authority_.Issue("one", "");
  const KeyPair two = authority_.Issue("two", "");
  ClientConfig no_ca = Trusting(authority_);
  no_ca.ca_pem = "no PEM";
  ClientConfig half_bundle = Trusting(authority_);
  half_bundle.ca_pem += other_.pem().substr(0, 200);
  ClientConfig no_certificate = Trusting(authority_);
  no_certificate.client_cert_pem = "no PEM";
  no_certificate.client_key_pem = one.key_pem;
  ClientConfig wrong_key = Trusting(authority_);
  wrong_key.client_cert_pem = one.certificate_pem;
  wrong_key.client_key_pem = two.key_pem;
  const std::pair<ClientConfig, std::string_view> rows[] = {{no_ca, "certificate authority"},
                                                            {half_bundle, "certificate authority"},
                                                            {no_certificate, "client certificate"},
                                                            {wrong_key, "client certificate or its key"}};
  for (const auto& [config, says] : rows) {
    const auto made = Client::Make(io_.get_executor(), config, {});
    ASSERT_FALSE(made) << says;
    EXPECT_EQ(made.error().kind, ErrorKind::kInvalid) << says;
    EXPECT_THAT(made.error().message, HasSubstr(says));
  }
}

}  // namespace
}  // namespace slipway::kube
