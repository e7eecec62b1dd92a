// What must be true before a Release changes anything, as its spec says it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "resources/describe.h"

namespace slipway::resources {

static void Describe(Visitor& v, SignatureGate& s) {
  v.Visit({.name = "signer",
           .doc = "A signer by the name that it has in the platform's policy.",
           .required = true,
           .min_length = 1,
           .max_length = 63,
           .rule = &kLabelName},
          s.signer);
}

static void Describe(Visitor& v, SourceGate& s) {
  v.Visit({.name = "url",
           .doc = "The repository, as the ImageBuild's spec.source.git.url has it.",
           .required = true,
           .min_length = 1,
           .max_length = 1024,
           .rule = &kGitUrl},
          s.url);
}

static void Describe(Visitor& v, ScanGate& s) {
  v.Visit({.name = "failOn",
           .doc = "A vulnerability of this severity, or a worse one, keeps the image from being delivered.",
           .hidden_names = 1},
          s.fail_on);
  v.Visit({.name = "ignoreUnfixed", .doc = "Whether vulnerabilities that nobody has fixed yet pass."},
          s.ignore_unfixed);
  v.Visit({.name = "maxAge",
           .doc = "How old a scan of the image may be: with an older one it is scanned again.",
           .shortest = std::chrono::minutes(1),
           .longest = std::chrono::hours(24 * 90)},
          s.max_age);
  v.Visit(
      {.name = "exceptions",
       .doc = "Vulnerabilities that are borne, each until a day and for a reason. One that is over closes "
              "the gate again, and is named.",
       .max_items = 64},
      s.exceptions);
}

// SmokeTests, Canary and Approvals say something of an environment, and nothing of any.
static void DescribeAttestedIn(Visitor& v, Gates& s) {
  const bool of_delivery = std::ranges::any_of(s.attestations, IsOfDelivery);
  v.Visit({.name = "attestedIn",
           .doc = "With SmokeTests, Canary or Approvals: the environments whose they must be, each of them.",
           .min_length = 1,
           .max_length = kLongestEnvironment,
           .rule = &kLabelName,
           .max_items = 5},
          s.attested_in);
  v.Rule({"(has(self.attestations) && self.attestations.exists(a, a in ['SmokeTests', 'Canary', "
          "'Approvals'])) == (has(self.attestedIn) && size(self.attestedIn) > 0)",
          "SmokeTests, Canary and Approvals are of an environment: name it in gates.attestedIn, and with one "
          "of them only",
          "attestedIn"},
         of_delivery == !s.attested_in.empty());
}

static void DescribeSupplyChain(Visitor& v, Gates& s) {
  v.Visit({.name = "signature", .doc = "Whose signature the image must have in its registry."}, s.signature);
  v.Visit({.name = "attestations",
           .doc = "What the same signer must have attested of the image.",
           .max_items = kAllPredicates.size()},
          s.attestations);
  v.Visit({.name = "source",
           .doc = "The git repository that the provenance must name: it is demanded with this."},
          s.source);
  v.Rule({"(!has(self.attestations) || size(self.attestations) == 0) && !has(self.source) || "
          "has(self.signature)",
          "attestations count by who signed them: name the signer in gates.signature", "signature"},
         (s.attestations.empty() && !s.source) || s.signature);
  DescribeAttestedIn(v, s);
  v.Visit({.name = "scan", .doc = "Which vulnerabilities the image may have; the operator scans it."},
          s.scan);
}

void Describe(Visitor& v, Gates& s) {
  v.Visit({.name = "soak",
           .doc = "With imageFrom.release: how long the image must have run there, verified.",
           .longest = std::chrono::hours(24 * 90)},
          s.soak);
  v.Visit({.name = "approvals",
           .doc = "How many people must approve each digest, by a Decision each.",
           .max = 20},
          s.approvals);
  DescribeSupplyChain(v, s);
}

}  // namespace slipway::resources
