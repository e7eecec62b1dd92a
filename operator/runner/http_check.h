// One request of a smoke test and what its answer must be: read from the flag --http, and judged. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "runner/http_ask.h"

namespace slipway::runner {

// The members are those of the CRD's smokeTests[].http[].
struct HttpCheck {
  std::string method = "GET";
  std::string path;
  HttpHeaders headers;
  std::string body;
  int status = 200;
  HttpHeaders expect_headers;  // names in any case, values as they are
  std::string body_contains;
  std::string json_pointer;  // RFC 6901; empty: the body is not read as JSON
  std::string json_equals;   // a text as it is, any other value as compact JSON
  Duration latency_limit = std::chrono::seconds(5);
  int retries = 0;
  bool operator==(const HttpCheck&) const = default;
};

// kInvalid, and says which member, when it is not an object of such members; one that is unknown is refused,
// for what it asks for would not be checked.
Result<HttpCheck> ParseHttpCheck(std::string_view json);

// Why the answer is not what was asked for; an empty reason: it is. The message says what was asked, what was
// answered and what was expected.
struct HttpFinding {
  std::string reason;
  std::string message;
  bool operator==(const HttpFinding&) const = default;
};
HttpFinding JudgeHttp(const HttpCheck& check, const HttpAnswer& answer);

}  // namespace slipway::runner
