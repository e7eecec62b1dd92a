#include "support/certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdlib>

namespace slipway::testing {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Memory = std::unique_ptr<BIO, Freed<BIO_free_all>>;

void Must(bool done) {
  if (!done) std::abort();
}

template <class Write>
std::string Pem(Write write) {
  const Memory memory(BIO_new(BIO_s_mem()));
  Must(write(memory.get()) == 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string PemOf(X509* certificate) {
  return Pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}

std::string PemOf(EVP_PKEY* key) {
  return Pem(
      [&](BIO* out) { return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

void Extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  Must(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

Certificate Draft(std::string_view name, EVP_PKEY* key, Validity validity) {
  static std::atomic<long> serial = 1;
  constexpr long kDay = 24L * 60 * 60;
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -2 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), validity == Validity::kNow ? kDay : -kDay);
  const std::string text(name);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

}  // namespace

struct Authority::State {
  Key key{EVP_EC_gen("P-256")};
  Certificate certificate;
};

Authority::Authority(std::string_view name) : state_(std::make_unique<State>()) {
  state_->certificate = Draft(name, state_->key.get(), Validity::kNow);
  X509* self = state_->certificate.get();
  X509_set_issuer_name(self, X509_get_subject_name(self));
  Extend(self, self, NID_basic_constraints, "critical,CA:TRUE");
  Extend(self, self, NID_key_usage, "critical,keyCertSign,cRLSign");
  Extend(self, self, NID_subject_key_identifier, "hash");
  Must(X509_sign(self, state_->key.get(), EVP_sha256()) > 0);
  pem_ = PemOf(self);
}

Authority::~Authority() = default;

KeyPair Authority::Issue(std::string_view common_name, std::string_view alternatives,
                         Validity validity) const {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = Draft(common_name, key.get(), validity);
  X509* issuer = state_->certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer));
  Extend(certificate.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  if (!alternatives.empty())
    Extend(certificate.get(), issuer, NID_subject_alt_name, std::string(alternatives));
  Must(X509_sign(certificate.get(), state_->key.get(), EVP_sha256()) > 0);
  return {PemOf(certificate.get()), PemOf(key.get())};
}

}  // namespace slipway::testing
