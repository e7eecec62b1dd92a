#include "runner/http_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <nlohmann/json.hpp>

#include "runner/address.h"
#include "runner/check_report.h"

namespace slipway::runner {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kShown = 120;  // bytes of what others wrote
constexpr std::array<std::string_view, 5> kMethods{"GET", "HEAD", "POST", "PUT", "DELETE"};

std::unexpected<Error> Wrong(std::string_view what) {
  return Fail(ErrorKind::kInvalid, fmt::format("--http: {}", what));
}

std::string Shown(std::string_view text) {
  const std::string shown = PrintableAscii(text, kShown);
  return text.size() > kShown ? shown + "..." : shown;
}

bool IsHeader(const std::string& name, const std::string& value) {
  const auto plain = [](char c) { return IsUnreserved(c) && c != '~'; };
  const auto printable = [](char c) { return c == '\t' || static_cast<unsigned char>(c) >= ' '; };
  return !name.empty() && std::ranges::all_of(name, plain) && std::ranges::all_of(value, printable) &&
         !value.contains('\x7f');
}

bool ReadText(const Json& value, std::string& into) {
  if (!value.is_string()) return false;
  into = value.get<std::string>();
  return true;
}

bool ReadNumber(const Json& value, int least, int most, int& into) {
  if (!value.is_number_integer()) return false;
  const auto number = value.get<std::int64_t>();
  if (number < least || number > most) return false;
  into = static_cast<int>(number);
  return true;
}

bool ReadDuration(const Json& value, Duration& into) {
  if (!value.is_string()) return false;
  const auto read = ParseDuration(value.get<std::string>());
  if (!read || *read <= Duration(0)) return false;
  into = *read;
  return true;
}

bool ReadHeaders(const Json& value, HttpHeaders& into) {
  if (!value.is_array()) return false;
  for (const Json& header : value) {
    if (!header.is_object()) return false;
    const Json name = header.value("name", Json());
    const Json text = header.value("value", Json(""));
    if (!name.is_string() || !text.is_string() || !IsHeader(name, text)) return false;
    into.emplace_back(name, text);
  }
  return true;
}

bool ReadPointer(const Json& value, std::string& into) {
  if (!ReadText(value, into)) return false;
  try {
    const Json::json_pointer checked(into);
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

bool ReadMember(const std::string& name, const Json& value, HttpCheck& check) {
  if (name == "path") return ReadText(value, check.path) && IsHttpPath(check.path);
  if (name == "headers") return ReadHeaders(value, check.headers);
  if (name == "body") return ReadText(value, check.body);
  if (name == "status") return ReadNumber(value, 100, 599, check.status);
  if (name == "expectHeaders") return ReadHeaders(value, check.expect_headers);
  if (name == "bodyContains") return ReadText(value, check.body_contains);
  if (name == "jsonPointer") return ReadPointer(value, check.json_pointer);
  if (name == "jsonEquals") return ReadText(value, check.json_equals);
  if (name == "latencyLimit") return ReadDuration(value, check.latency_limit);
  if (name == "retries") return ReadNumber(value, 0, 10, check.retries);
  return name == "method" && ReadText(value, check.method) &&
         std::ranges::find(kMethods, check.method) != kMethods.end();
}

std::string Asked(const HttpCheck& check) { return fmt::format("{} {}", check.method, check.path); }

HttpFinding JudgeHeaders(const HttpCheck& check, const HttpAnswer& answer) {
  for (const auto& [name, value] : check.expect_headers) {
    const auto same = [&](const auto& header) { return boost::beast::iequals(header.first, name); };
    // A header may stand there more than once: one of them is enough.
    const auto right = [&](const auto& header) { return same(header) && header.second == value; };
    if (std::ranges::any_of(answer.headers, right)) continue;
    const auto other = std::ranges::find_if(answer.headers, same);
    const std::string said = other == answer.headers.end()
                                 ? fmt::format("has no header {}", name)
                                 : fmt::format("has the header {}: \"{}\"", name, Shown(other->second));
    return {"UnexpectedHeader",
            fmt::format("the answer of {} {}; expected \"{}\"", Asked(check), said, Shown(value))};
  }
  return {};
}

std::string AsText(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

HttpFinding JudgeJson(const HttpCheck& check, const HttpAnswer& answer) {
  if (check.json_pointer.empty()) return {};
  const auto found = [&](std::string_view what) {
    return HttpFinding{"UnexpectedJson",
                       fmt::format("the answer of {} {}; expected \"{}\" at {}", Asked(check), what,
                                   Shown(check.json_equals), check.json_pointer)};
  };
  const Json json = Json::parse(answer.body, nullptr, false);
  if (json.is_discarded()) {
    return found(answer.cut ? "is too long to be read as JSON"
                            : fmt::format("is not JSON: \"{}\"", Shown(answer.body)));
  }
  const Json::json_pointer pointer(check.json_pointer);
  bool there = false;
  try {
    there = json.contains(pointer);
  } catch (const Json::exception&) {  // an index of an array that is no number
    there = false;
  }
  if (!there) return found(fmt::format("has nothing at {}", check.json_pointer));
  const std::string text = AsText(json.at(pointer));
  if (text == check.json_equals) return {};
  return found(fmt::format("has \"{}\" at {}", Shown(text), check.json_pointer));
}

}  // namespace

Result<HttpCheck> ParseHttpCheck(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return Wrong("is not a JSON object");
  HttpCheck check;
  for (const auto& [name, value] : json.items()) {
    if (!ReadMember(name, value, check)) {
      return Wrong(fmt::format("{} can't be {}", Shown(name), Shown(AsText(value))));
    }
  }
  if (check.path.empty()) return Wrong("path is missing");
  return check;
}

HttpFinding JudgeHttp(const HttpCheck& check, const HttpAnswer& answer) {
  if (answer.status == 0) {
    return {"NoAnswer", fmt::format("{}: {}; expected {}", Asked(check), answer.failed, check.status)};
  }
  if (answer.status != check.status) {
    return {"UnexpectedStatus", fmt::format("{} answered {} \"{}\"; expected {}", Asked(check), answer.status,
                                            Shown(answer.body), check.status)};
  }
  if (auto finding = JudgeHeaders(check, answer); !finding.reason.empty()) return finding;
  if (!answer.body.contains(check.body_contains)) {
    return {"UnexpectedBody", fmt::format("{} answered \"{}\"; expected \"{}\" in it", Asked(check),
                                          Shown(answer.body), Shown(check.body_contains))};
  }
  if (auto finding = JudgeJson(check, answer); !finding.reason.empty()) return finding;
  if (answer.took <= check.latency_limit) return {};
  return {"AnswerTooSlow", fmt::format("{} took {} ms; the limit is {} ms", Asked(check), CeilMs(answer.took),
                                       check.latency_limit.count())};
}

}  // namespace slipway::runner
