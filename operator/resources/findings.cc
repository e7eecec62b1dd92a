#include "resources/findings.h"

#include <nlohmann/json.hpp>

#include "resources/describe.h"

namespace slipway::resources {

namespace {
constexpr std::array<std::string_view, 5> kSeverities{"Unknown", "Low", "Medium", "High", "Critical"};
}  // namespace

std::span<const std::string_view> Names(Severity) { return kSeverities; }
std::string_view ToString(Severity severity) { return kSeverities[static_cast<std::size_t>(severity)]; }

void Describe(Visitor& v, ScanException& s) {
  v.Visit({.name = "id",
           .doc = "The vulnerability, as the scan names it: CVE-2024-1234, GHSA-….",
           .required = true,
           .min_length = 1,
           .max_length = 64,
           .rule = &kVulnerability},
          s.id);
  v.Visit({.name = "package",
           .doc = "The package that it is borne in, as the scan names it. Absent: any.",
           .max_length = 128,
           .rule = &kPlainText},
          s.package);
  v.Visit({.name = "expires",
           .doc = "From this day on (UTC) it is borne no more.",
           .required = true,
           .min_length = 10,
           .max_length = 10,
           .rule = &kDay},
          s.expires);
  v.Visit({.name = "reason",
           .doc = "Why it is borne.",
           .required = true,
           .min_length = 1,
           .max_length = 256,
           .rule = &kPlainText},
          s.reason);
  // The API server's CEL fails on a day that no month has, and so refuses it.
  v.Rule({"timestamp(self.expires + 'T00:00:00Z') > timestamp('2000-01-01T00:00:00Z')",
          "must be a day of the calendar", "expires"},
         ParseTime(s.expires + "T00:00:00Z").has_value());
}

static void Describe(Visitor& v, Finding& s) {
  v.Visit({.name = "id", .doc = "The vulnerability.", .required = true, .max_length = 64}, s.id);
  v.Visit({.name = "severity", .doc = "How bad it is.", .max_length = 16}, s.severity);
  v.Visit({.name = "package", .doc = "What it is in.", .max_length = 128}, s.package);
  v.Visit({.name = "installed", .doc = "Its version in the image.", .max_length = 64}, s.installed);
  v.Visit({.name = "fixed", .doc = "Versions without it; absent: there is none yet.", .max_length = 64},
          s.fixed);
}

static void Describe(Visitor& v, BorneFinding& s) {
  v.Visit({.name = "id", .doc = "The vulnerability.", .required = true, .max_length = 64}, s.id);
  v.Visit({.name = "expires", .doc = "When the exception is over, or was."}, s.expires);
}

void Describe(Visitor& v, Findings& s) {
  v.Visit({.name = "critical", .doc = "How many of severity Critical."}, s.critical);
  v.Visit({.name = "high", .doc = "How many of severity High."}, s.high);
  v.Visit({.name = "medium", .doc = "How many of severity Medium."}, s.medium);
  v.Visit({.name = "low", .doc = "How many of severity Low."}, s.low);
  v.Visit({.name = "unknown", .doc = "How many of no known severity."}, s.unknown);
  v.Visit({.name = "closing", .doc = "How many of them close the gate."}, s.closing);
  v.Visit({.name = "suppressed", .doc = "How many more VEX documents say do not affect the image."},
          s.suppressed);
  v.Visit({.name = "worst", .doc = "The worst of those that close the gate.", .max_items = 10}, s.worst);
  v.Visit({.name = "accepted", .doc = "Exceptions that bore one of them.", .max_items = 64}, s.accepted);
  v.Visit({.name = "expired", .doc = "Exceptions that would have, and are over.", .max_items = 64},
          s.expired);
  v.Visit({.name = "database", .doc = "When the vulnerability database was made."}, s.database);
}

void Describe(Visitor& v, ScanRecord& s) {
  v.Visit({.name = "image", .doc = "The image by digest.", .max_length = 512}, s.image);
  v.Visit({.name = "key",
           .doc = "Of all that counts as a finding: with another one it is scanned anew.",
           .max_length = 64},
          s.key);
  v.Visit({.name = "job", .doc = "The Job of the supply chain's namespace that scans.", .max_length = 253},
          s.job);
  v.Visit({.name = "jobUID", .doc = "The UID that it was created with: no other counts.", .max_length = 64},
          s.job_uid);
  v.Visit({.name = "runs", .doc = "How many Jobs were made for this image."}, s.runs);
  v.Visit({.name = "failures", .doc = "How many of the newest told nothing, one after the other."},
          s.failures);
  v.Visit({.name = "outcome",
           .doc = "Of the last that ended: Clean, Found, Stale (an old database) or Failed.",
           .max_length = 32},
          s.outcome);
  v.Visit(kReason, s.reason);
  v.Visit(kMessage, s.message);
  v.Visit({.name = "findings", .doc = "What the last scan found that told something."}, s.findings);
  v.Visit({.name = "at", .doc = "When that scan ended."}, s.at);
  v.Visit(kStarted, s.started);
  v.Visit(kFinished, s.finished);
  v.Visit({.name = "next", .doc = "When what runs is scanned again."}, s.next);
  v.Visit({.name = "told", .doc = "A mark of the findings that an Event told last.", .max_length = 64},
          s.told);
}

}  // namespace slipway::resources
