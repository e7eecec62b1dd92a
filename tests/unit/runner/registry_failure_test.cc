#include "runner/registry_failure.h"

#include <gtest/gtest.h>

#include <array>

#include "runner/registry_tags.h"

namespace slipway::runner {
namespace {

struct Row {
  std::string_view errors;
  int exit_code;
  std::string_view reason;
};

// What crane v0.21.9 wrote, of docker-registry 2.8 and of a server that answers with a bare code.
constexpr auto kRows = std::to_array<Row>({
    {"2026/11/21 10:57:07 HEAD request failed, falling back on GET: HEAD http://h/v2/base/manifests/none: "
     "unexpected status code 404 Not Found (HEAD responses have no body, use GET for details)\nError: GET "
     "http://h/v2/base/manifests/none: MANIFEST_UNKNOWN: manifest unknown; map[Tag:none]\n",
     kImageNotFound, "ImageNotFound"},
    {"Error: fetching \"h/app:9\": GET http://h/v2/app/manifests/9: MANIFEST_UNKNOWN: manifest unknown; "
     "map[Tag:9]",
     kImageNotFound, "ImageNotFound"},
    {"Error: GET https://h/v2/x/manifests/1: NAME_UNKNOWN: repository name not known to registry",
     kImageNotFound, "ImageNotFound"},
    {"Error: GET http://h/v2/404/manifests/1: unexpected status code 404 Not Found: boom", kImageNotFound,
     "ImageNotFound"},
    {"Error: GET http://h/v2/xx/manifests/1: UNAUTHORIZED: authentication required; [map[Action:pull "
     "Name:xx]]",
     kRegistryDenied, "RegistryDenied"},
    {"Error: HEAD http://h/v2/xx/manifests/1: unexpected status code 401 Unauthorized (HEAD responses have "
     "no body, use GET for details)",
     kRegistryDenied, "RegistryDenied"},
    {"Error: GET http://h/v2/403/manifests/1: unexpected status code 403 Forbidden: boom", kRegistryDenied,
     "RegistryDenied"},
    {"Error: POST https://ghcr.io/v2/a/b/blobs/uploads/: DENIED: permission_denied: write_package",
     kRegistryDenied, "RegistryDenied"},
    {"Error: GET https://auth.docker.io/token?scope=x&service=y: unexpected status code 401 Unauthorized: ",
     kRegistryDenied, "RegistryDenied"},
    {"Error: GET https://h/v2/x/manifests/1: multiple errors returned: UNAUTHORIZED: a; DENIED: b",
     kRegistryDenied, "RegistryDenied"},
    {"Error: GET http://h/v2/429/manifests/1: TOOMANYREQUESTS: slow down", kRegistryUnavailable,
     "RegistryUnavailable"},
    {"Error: HEAD http://h/v2/429/manifests/1: unexpected status code 429 Too Many Requests (HEAD responses "
     "have no body, use GET for details)",
     kRegistryUnavailable, "RegistryUnavailable"},
    {"Error: GET http://h/v2/500/manifests/1: unexpected status code 500 Internal Server Error: boom",
     kRegistryUnavailable, "RegistryUnavailable"},
    {"Error: GET http://h/v2/503/manifests/1: unexpected status code 503 Service Unavailable: "
     "<html>\n<h1>x</h1>\n",
     kRegistryUnavailable, "RegistryUnavailable"},
    {"Error: PUT http://h/v2/x/manifests/1: UNKNOWN: unknown error; map[]", kRegistryUnavailable,
     "RegistryUnavailable"},
    {"Error: Get \"https://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused; Get "
     "\"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
     kRegistryUnreachable, "RegistryUnreachable"},
    {"Error: Get \"https://nohost.invalid/v2/\": dial tcp: lookup nohost.invalid on 10.0.0.1:53: no such "
     "host",
     kRegistryUnreachable, "RegistryUnreachable"},
    // Whoever answers without TLS is not asked by us.
    {"Error: Get \"https://127.0.0.1:2/v2/\": tls: failed to verify certificate: x509: certificate signed by "
     "unknown authority; GET http://127.0.0.1:2/v2/: unexpected status code 404 Not Found",
     kRegistryUntrusted, "CertificateUntrusted"},
    {"Error: Get \"https://h/v2/\": tls: failed to verify certificate: x509: certificate has expired",
     kRegistryUntrusted, "CertificateUntrusted"},
    {"Error: Get \"https://h/v2/\": tls: handshake failure", kRegistryUnreachable, "RegistryUnreachable"},
    {"Error: Get \"https://h/v2/\": http: server gave HTTP response to HTTPS client", kRegistryUnreachable,
     "RegistryUnreachable"},
    {"Error: Get \"https://h/v2/\": context deadline exceeded", kRegistryUnreachable, "RegistryUnreachable"},
    {"Error: Patch \"https://h/v2/x/blobs/uploads/1\": write tcp 1.1.1.1:2->3.3.3.3:4: write: connection "
     "reset by peer",
     kRegistryUnreachable, "RegistryUnreachable"},
    {"Error: Get \"https://h/v2/\": EOF", kRegistryUnreachable, "RegistryUnreachable"},
    {"Error: Get \"https://127.0.0.1:2/v2/\": tls: first record does not look like a TLS handshake; GET "
     "http://127.0.0.1:2/v2/: unexpected status code 503 Service Unavailable: later",
     kRegistryUnavailable, "RegistryUnavailable"},
    {"Error: Get \"https://10.0.0.1/v2/\": http: server gave HTTP response to HTTPS client; GET "
     "http://10.0.0.1/v2/: UNAUTHORIZED: x",
     kRegistryDenied, "RegistryDenied"},
    {"Error: Get \"https://10.0.0.1/v2/\": EOF; GET http://10.0.0.1/v2/: unexpected status code 503 Service "
     "Unavailable: x",
     kRegistryUnavailable, "RegistryUnavailable"},
    // A try that failed before the last word tells nothing.
    {"2026/11/21 retrying GET http://h/v2/x/manifests/1: unexpected status code 500 Internal Server Error: "
     "boom\nError: stat missing.tar: no such file or directory\n",
     kRegistryFailed, "PushFailed"},
    {"Error: loading f as tarball: unexpected EOF", kRegistryFailed, "PushFailed"},
    {"Error: parsing config file (/c/config.json): illegal base64 data at input byte 0", kRegistryFailed,
     "PushFailed"},
    {"Error: parsing reference \"BAD\": could not parse reference: BAD", kRegistryFailed, "PushFailed"},
    // Names of tags and what a server says after its code are no cause.
    {"Error: GET http://h/v2/x/manifests/UNAUTHORIZED: MANIFEST_UNKNOWN: manifest unknown; "
     "map[Tag:UNAUTHORIZED]",
     kImageNotFound, "ImageNotFound"},
    {"Error: GET http://h/v2/x/manifests/1: DENIED: look: MANIFEST_UNKNOWN: unexpected status code 500 ",
     kRegistryDenied, "RegistryDenied"},
    {"Error: GET http://h/v2/x/manifests/1: unexpected status code 418 I'm a teapot: short", kRegistryFailed,
     "PushFailed"},
    {"panic: something", kRegistryFailed, "PushFailed"},
    {"", kRegistryFailed, "PushFailed"},
});

TEST(RegistryFailure, EachCauseHasItsCodeAndReason) {
  for (const Row& row : kRows) {
    const RegistryFailure failure = ClassifyRegistry(row.errors, "PushFailed", "h/x:1");
    EXPECT_EQ(failure.exit_code, row.exit_code) << row.errors << "\n" << failure.message;
    EXPECT_EQ(failure.reason, row.reason) << row.errors;
    EXPECT_NE(failure.message.find("h/x:1"), std::string::npos) << failure.message;
    EXPECT_EQ(failure.message.find('\n'), std::string::npos);
  }
}

TEST(RegistryFailure, MessagesAreBoundedAndHoldNoPassword) {
  const std::string page(100000, 'x');
  const RegistryFailure failure = ClassifyRegistry(
      "Error: GET https://ada:secret@h/v2/: unexpected status code 503 Service Unavailable: " + page,
      "PushFailed", "h/x");
  EXPECT_EQ(failure.exit_code, kRegistryUnavailable);
  EXPECT_LE(failure.message.size(), 800U);
  EXPECT_EQ(failure.message.find("secret"), std::string::npos);
  EXPECT_LE(ToJson(failure).size(), 1536U);
}

TEST(RegistryTags, FaultsAndRefusals) {
  EXPECT_FALSE(Fault({"a.b/x", {"1", "v2"}, false, false}));
  EXPECT_TRUE(Fault({"a.b/x", {}, false, false}));
  EXPECT_TRUE(Fault({"a.b/x", {"ok", "--flag"}, false, false}));
  EXPECT_TRUE(Fault({"--insecure", {"1"}, false, false}));
  const RegistryFailure taken = TagIsTaken("a.b/x", "1", "sha256:old", "sha256:new");
  EXPECT_EQ(taken.exit_code, kTagTaken);
  EXPECT_EQ(taken.reason, "TagTaken");
  for (const char* word : {"a.b/x:1", "sha256:old", "sha256:new", "spec.output.moveTags", "{{run}}"}) {
    EXPECT_NE(taken.message.find(word), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace slipway::runner
