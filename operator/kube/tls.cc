#include "kube/tls.h"

#include <fmt/format.h>
#include <openssl/x509_vfy.h>

#include <boost/asio/buffer.hpp>
#include <fstream>
#include <sstream>

#include "base/log.h"

namespace slipway::kube {
namespace {

namespace ssl = asio::ssl;
using boost::system::error_code;

// Every certificate of the PEM text: a bundle holds the old authority and the new one while it rotates.
bool AddAuthorities(ssl::context& context, const std::string& pem) {
  error_code error;
  context.add_certificate_authority(asio::buffer(pem), error);
  if (error) return false;
  constexpr std::string_view kMark = "-----BEGIN CERTIFICATE-----";
  for (auto at = pem.find(kMark, 1); at != std::string::npos; at = pem.find(kMark, at + 1)) {
    context.add_certificate_authority(asio::buffer(pem.substr(at)), error);
    if (error) return false;
  }
  return true;
}

}  // namespace

Result<std::shared_ptr<ssl::context>> MakeTlsContext(const std::string& ca, const Identity& identity) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);  // 34 kB less for each idle watch
  context->set_verify_mode(ssl::verify_peer);
  error_code error;
  if (ca.empty()) {
    context->set_default_verify_paths(error);
  } else if (!AddAuthorities(*context, ca)) {
    return Fail(ErrorKind::kInvalid, "the certificate authority does not parse");
  }
  if (!error && !identity.client_cert_pem.empty()) {
    context->use_certificate_chain(asio::buffer(identity.client_cert_pem), error);
    if (!error) context->use_private_key(asio::buffer(identity.client_key_pem), ssl::context::pem, error);
    if (error)
      return Fail(ErrorKind::kInvalid, fmt::format("the client certificate or its key: {}", error.message()));
  }
  return context;
}

// OpenSSL compares the name itself, and so can say what did not match. RFC 6066: SNI holds names, never
// addresses; an address is compared with the certificate's IP entries.
bool ExpectServer(SSL* tls, const std::string& name, bool is_address) {
  if (name.empty()) return false;  // OpenSSL would compare nothing
  X509_VERIFY_PARAM* wanted = SSL_get0_param(tls);
  if (is_address) return X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(wanted,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (X509_VERIFY_PARAM_set1_host(wanted, name.data(), name.size()) != 1) return false;
  return SSL_set_tlsext_host_name(tls, name.c_str()) == 1;
}

std::string WhyRefused(const SSL* tls) {
  const long result = SSL_get_verify_result(tls);
  return result == X509_V_OK ? "" : X509_verify_cert_error_string(result);
}

std::string ReadAuthority(const std::string& file, const std::string& last) {
  if (file.empty()) return last;
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (text.str() == last) return last;
  if (!text.str().empty() && MakeTlsContext(text.str(), {})) return text.str();
  log::warn("the certificate authority in {} is empty or broken: the last one stays", file);
  return last;
}

}  // namespace slipway::kube
