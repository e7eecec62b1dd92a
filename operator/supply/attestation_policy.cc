#include "supply/attestation_policy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

namespace slipway::supply {
namespace {

using kube::Json;
using resources::Predicate;
using resources::Severity;

// A text of JSON is one of CUE: its backslashes never begin what CUE would fill in.
std::string Text(const Json& value) { return value.dump(-1, ' ', true, Json::error_handler_t::replace); }

std::string Required(std::string_view name, std::string_view value) {
  return fmt::format("{}!: {}", Text(Json(name)), value);
}

std::string Struct(const std::vector<std::string>& fields) {
  return fmt::format("{{{}}}", fmt::join(fields, ", "));
}

std::string Whole(Predicate predicate, const std::vector<std::string>& fields) {
  return Struct({Required("predicateType", Text(Json(resources::UriOf(predicate)))),
                 Required("predicate", Struct(fields))}) +
         "\n";
}

// Of what is no object, its value: a list is the same to the last entry.
std::string Marked(const Json& value) {
  if (!value.is_object()) return Text(value);
  std::vector<std::string> fields;
  for (const auto& [name, member] : value.items()) fields.push_back(Required(name, Marked(member)));
  return Struct(fields);
}

// A pattern and no disjunction: what is there and what may be are then told in one line.
std::string AtLeastAsStrict(Severity least) {
  std::vector<std::string_view> names;
  for (const Severity each : {Severity::kLow, Severity::kMedium, Severity::kHigh, Severity::kCritical}) {
    if (each <= least) names.push_back(resources::ToString(each));
  }
  return fmt::format("=~\"^({})$\"", fmt::join(names, "|"));
}

// Times of one form are in the order of their texts.
std::string OverBy(TimePoint last) {
  const auto day = std::chrono::floor<std::chrono::days>(last);
  const std::string expires = Required("expires", "<=" + Text(Json(FormatTime(TimePoint(day)))));
  return "[..." + Struct({expires}) + "]";
}

}  // namespace

std::string ProvenancePolicy(const std::string& builder, const std::string& source) {
  std::vector<std::string> fields{
      Required("runDetails", Struct({Required("builder", Struct({Required("id", Text(builder))}))}))};
  if (!source.empty()) {
    const std::string external = Struct({Required("source", Struct({Required("url", Text(source))}))});
    fields.push_back(Required("buildDefinition", Struct({Required("externalParameters", external)})));
  }
  return Whole(Predicate::kProvenance, fields);
}

std::string ScanPolicy(const ScanTerms& terms, TimePoint now) {
  std::vector<std::string> result{Required("closing", "0")};
  if (terms.fail_on) result.push_back(Required("failOn", AtLeastAsStrict(*terms.fail_on)));
  if (terms.count_unfixed) result.push_back(Required("ignoreUnfixed", "false"));
  if (terms.longest_exception.count() > 0) {
    // `exceptions` are all of the spec; `accepted`, which bore something, may be cut. VEX has no end.
    const std::string over = OverBy(now + terms.longest_exception);
    result.push_back(Required("exceptions", over));
    result.push_back(Required("accepted", over));
    result.push_back(Required("suppressed", "0"));
  }
  return Whole(Predicate::kScan, {Required("scanner", Struct({Required("result", Struct(result))}))});
}

std::string TestsPolicy() { return Whole(Predicate::kTests, {Required("result", "\"PASSED\"")}); }

std::string MarkPolicy(std::string_view uri, const Json& mark) {
  return Struct({Required("predicateType", Text(Json(uri))), Required("predicate", Marked(mark))}) + "\n";
}

}  // namespace slipway::supply
