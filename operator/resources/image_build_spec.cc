#include "resources/image_build_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "resources/describe.h"
#include "resources/image_build_parts.h"

namespace slipway::resources {

namespace {
constexpr std::array<std::string_view, 2> kSbomFormats{"SPDX", "CycloneDX"};
constexpr std::array<std::string_view, 3> kForges{"GitHub", "GitLab", "Gitea"};

// A field that names a Secret, and the CEL that tells whether it is there. Spelt out, because the API server
// refuses a rule whose cost it can't bound, as that of `.?` and orValue.
struct SecretPlace {
  std::string_view field;
  std::string_view there;
};
constexpr std::array<SecretPlace, 6> kSecretPlaces{{
    {"source.git.credentialsSecretRef", "has(self.source.git.credentialsSecretRef)"},
    {"build.baseCredentialsSecretRef", "has(self.build) && has(self.build.baseCredentialsSecretRef)"},
    {"build.cache.credentialsSecretRef",
     "has(self.build) && has(self.build.cache) && has(self.build.cache.credentialsSecretRef)"},
    {"output.credentialsSecretRef", "has(self.output.credentialsSecretRef)"},
    {"trigger.webhook.secretRef", "has(self.trigger) && has(self.trigger.webhook)"},
    {"report.credentialsSecretRef", "has(self.report)"},
}};

// One Secret in two places would reach two containers that do not trust each other. Of an object that is
// stored already, Check (policy.h) says so.
void DescribeSecretsDiffer(Visitor& v) {
  for (auto later = kSecretPlaces.begin(); later != kSecretPlaces.end(); ++later) {
    for (auto earlier = kSecretPlaces.begin(); earlier != later; ++earlier) {
      const std::string cel = fmt::format("!({} && {}) || self.{}.name != self.{}.name", earlier->there,
                                          later->there, earlier->field, later->field);
      const std::string message = fmt::format(
          "names the Secret that spec.{} names too: make a Secret for each, with only what it needs",
          earlier->field);
      v.Rule({cel, message, later->field}, true);
    }
  }
}
}  // namespace

static std::span<const std::string_view> Names(SbomFormat) { return kSbomFormats; }
static std::span<const std::string_view> Names(Forge) { return kForges; }

std::string_view ToString(Forge forge) { return kForges[static_cast<std::size_t>(forge)]; }

static void Describe(Visitor& v, CacheSpec& s) {
  v.Visit(
      {.name = "repository",
       .doc =
           "An image repository for layers, and for nothing that is ever deployed. They are kept below it, "
           "at NAMESPACE/trusted, and those of pull requests at NAMESPACE/pull-requests.",
       .required = true,
       .min_length = 1,
       .max_length = 160,
       .rule = &kRepository},
      s.repository);
  v.Visit({.name = "ttl",
           .doc = "How long a layer stays good, such as 336h.",
           .shortest = std::chrono::minutes(1),
           .longest = std::chrono::hours(8760)},
          s.ttl);
  v.Visit(
      {.name = "credentialsSecretRef",
       .doc = "A Secret of type kubernetes.io/dockerconfigjson that may write the cache and nothing else. "
              "The platform's policy must allow it for use cache."},
      s.credentials_secret_ref);
}

static void Describe(Visitor& v, BuildSpec& s) {
  v.Visit({.name = "dockerfile",
           .doc = "The Dockerfile, relative to the context.",
           .min_length = 1,
           .max_length = 512,
           .rule = &kRelativePath},
          s.dockerfile);
  v.Visit({.name = "target",
           .doc = "The stage of the Dockerfile to build. Absent: the last.",
           .max_length = 128,
           .rule = &kStageName},
          s.target);
  v.Visit({.name = "args",
           .doc = "Build arguments. They are public, because they stay in the image's history: no secrets.",
           .max_items = 64,
           .list_key = "name"},
          s.args);
  v.Visit(
      {.name = "platforms",
       .doc =
           "Platforms to build for, such as linux/arm64, each on a node of that kind; the tags then name an "
           "index. Absent: one image, for the node that it is built on.",
       .max_length = 16,
       .rule = &kPlatform,
       .max_items = 6},
      s.platforms);
  v.Visit({.name = "cache", .doc = "Where layers are kept between builds. Absent: nowhere."}, s.cache);
  v.Visit({.name = "resources", .doc = "Resources of the build's container."}, s.resources);
  v.Visit({.name = "timeout",
           .doc = "The longest that a run may take, all of its stages together, from when it is admitted.",
           .shortest = std::chrono::seconds(10),
           .longest = std::chrono::hours(24)},
          s.timeout);
  v.Visit(
      {.name = "retries",
       .doc = "How often a run is made again that the infrastructure failed: an evicted pod, a lost node, a "
              "registry that can't be reached. A Dockerfile or a test that fails is never tried again.",
       .max = 10},
      s.retries);
  v.Visit({.name = "baseCredentialsSecretRef",
           .doc = "A Secret of type kubernetes.io/dockerconfigjson to read base images with. The platform's "
                  "policy must allow it for use base."},
          s.base_credentials_secret_ref);
}

static void Describe(Visitor& v, ScanSpec& s) {
  v.Visit({.name = "failOn",
           .doc = "A vulnerability of this severity, or a worse one, stops the push.",
           .hidden_names = 1},
          s.fail_on);
  v.Visit({.name = "ignoreUnfixed", .doc = "Whether vulnerabilities that nobody has fixed yet pass."},
          s.ignore_unfixed);
  v.Visit(
      {.name = "exceptions",
       .doc =
           "Vulnerabilities that are borne, each until a day and for a reason. One that is over closes the "
           "gate again, and is named.",
       .max_items = 64},
      s.exceptions);
  v.Visit(
      {.name = "vex",
       .doc = "ConfigMaps of this namespace, each with an OpenVEX document under key openvex.json: what it "
              "says does not affect the image is no finding.",
       .max_length = 253,
       .rule = &kObjectName,
       .max_items = 8},
      s.vex);
}

static void Describe(Visitor& v, OutputSpec& s) {
  v.Visit(
      {.name = "repository",
       .doc = "Where the image is pushed: registry/path, without tag. The platform's policy must allow it.",
       .required = true,
       .min_length = 1,
       .max_length = 255,
       .rule = &kRepository},
      s.repository);
  v.Visit(
      {.name = "push",
       .doc =
           "False: everything but the push, as for a pull request. Such a build gets no Secret but that of "
           "its source, and its layers are kept apart."},
      s.push);
  v.Visit(
      {.name = "tags",
       .doc = "Tags to push under. They may hold {{commit}}, {{shortCommit}} (12 digits), {{branch}}, "
              "{{semver}} (of the tag that is built), {{timestamp}} (of the commit, 20060102T150405Z) and "
              "{{run}} (the run's number). They are for people: everything of Slipway names the image by "
              "digest.",
       .min_length = 1,
       .max_length = 120,
       .rule = &kTag,
       .max_items = 10},
      s.tags);
  v.Visit(
      {.name = "moveTags",
       .doc = "Whether a tag that names another digest already may be moved to the new one. If not, nothing "
              "is pushed."},
      s.move_tags);
  v.Visit({.name = "labels",
           .doc = "Labels to put on the image, such as org.opencontainers.image.title.",
           .max_length = 512,
           .rule = &kPlainText,
           .key_rule = &kLabelKey,
           .max_items = 32},
          s.labels);
  v.Visit(
      {.name = "credentialsSecretRef",
       .doc = "A Secret of type kubernetes.io/dockerconfigjson to push with; only the push container has it. "
              "The platform's policy must allow it for use output."},
      s.credentials_secret_ref);
}

static void Describe(Visitor& v, AttestSpec& s) {
  v.Visit(
      {.name = "signer",
       .doc =
           "Who signs, by the name that the platform's policy has for it. The policy must let this namespace "
           "sign with it.",
       .required = true,
       .min_length = 1,
       .max_length = 63,
       .rule = &kLabelName},
      s.signer);
  v.Visit(
      {.name = "sbom", .doc = "Lists of what the image holds, each attested in its format.", .max_items = 2},
      s.sbom);
  v.Visit(
      {.name = "provenance",
       .doc =
           "Whether it is attested from which commit, with which parameters and by whom the image was built "
           "(SLSA provenance v1)."},
      s.provenance);
}

static void Describe(Visitor& v, ReportSpec& s) {
  v.Visit({.name = "provider", .doc = "Whose API it is."}, s.provider);
  v.Visit({.name = "apiUrl",
           .doc = "The API's URL, such as https://api.github.com, https://gitlab.example.com/api/v4 or "
                  "https://gitea.example.com/api/v1.",
           .required = true,
           .min_length = 1,
           .max_length = 512,
           .rule = &kApiUrl},
          s.api_url);
  v.Visit({.name = "context",
           .doc = "The status's name, by which the forge tells it from others. Absent: slipway/NAME.",
           .max_length = 100,
           .rule = &kPlainText},
          s.context);
  v.Visit(
      {.name = "credentialsSecretRef",
       .doc =
           "A Secret whose key `token` may set commit statuses. The platform's policy must allow it for use "
           "report.",
       .required = true},
      s.credentials_secret_ref);
}

static void Describe(Visitor& v, HistorySpec& s) {
  v.Visit({.name = "successful",
           .doc = "How many successful runs are kept, with their Jobs.",
           .min = 1,
           .max = 20},
          s.successful);
  v.Visit({.name = "failed",
           .doc = "How many failed runs are kept, with their Jobs and pods' logs.",
           .min = 1,
           .max = 20},
          s.failed);
  v.Visit({.name = "cancelled",
           .doc = "How many runs are kept that were cancelled, or superseded by a newer commit.",
           .max = 20},
          s.cancelled);
  v.Visit({.name = "ttlAfterSuccess",
           .doc = "How long a successful run's Jobs and logs stay. Absent: as long as the run is kept.",
           .shortest = std::chrono::seconds(1)},
          s.ttl_after_success);
  v.Visit({.name = "ttlAfterFailure",
           .doc = "How long the Jobs and logs of any other run stay. Absent: as long as the run is kept.",
           .shortest = std::chrono::seconds(1)},
          s.ttl_after_failure);
}

static std::size_t LegsOf(const TestSpec& test) {
  std::size_t legs = 1;
  for (const auto& axis : test.matrix) legs *= std::max<std::size_t>(1, axis.values.size());
  return legs;
}

// A matrix multiplies; each leg is a Job.
static bool FewLegs(const std::vector<TestSpec>& tests) {
  std::size_t legs = 0;
  for (const auto& test : tests) legs += LegsOf(test);
  return legs <= kMostLegs;
}

// What a build gets that does not push: code that nobody has merged runs in it.
static void DescribePullRequestPath(Visitor& v, const ImageBuildSpec& s) {
  v.Rule({"!has(self.output.push) || self.output.push || !(has(self.output.credentialsSecretRef) || "
          "(has(self.build) && (has(self.build.baseCredentialsSecretRef) || (has(self.build.cache) && "
          "has(self.build.cache.credentialsSecretRef)))))",
          "is false, so no Secret may be named in output, build or build.cache: code that is not merged yet "
          "would read it",
          "output.push"},
         s.output.push || !(s.output.credentials_secret_ref || s.build.base_credentials_secret_ref ||
                            (s.build.cache && s.build.cache->credentials_secret_ref)));
}

void Describe(Visitor& v, ImageBuildSpec& s) {
  v.Object({.name = "source", .doc = "What is built.", .required = true}, [&s](Visitor& inner) {
    inner.Visit({.name = "git", .doc = "A revision of a git repository.", .required = true}, s.source);
  });
  v.Visit(
      {.name = "caBundleRef",
       .doc = "A ConfigMap whose key ca.crt holds certificates of authorities that sign for git hosts and "
              "registries; they are trusted beside the well-known ones."},
      s.ca_bundle_ref);
  v.Visit({.name = "trigger", .doc = "What begins a run, beside a change of this spec."}, s.trigger);
  v.Visit({.name = "tests",
           .doc = "What must pass before the image is built, each on a checkout of its own.",
           .max_items = 8,
           .list_key = "name"},
          s.tests);
  v.Rule(
      {"!has(self.tests) || self.tests.map(t, has(t.matrix) ? t.matrix.map(a, size(a.values)) : []).map(n, "
       "(size(n) > 0 ? n[0] : 1) * (size(n) > 1 ? n[1] : 1) * (size(n) > 2 ? n[2] : 1) * (size(n) > 3 ? n[3] "
       ": 1)).sum() <= 32",
       "has more than 32 legs in all: take values out of a matrix", "tests"},
      FewLegs(s.tests));
  v.Visit({.name = "build", .doc = "How the image is built."}, s.build);
  v.Visit({.name = "scan", .doc = "Which findings keep an image from being pushed."}, s.scan);
  v.Visit({.name = "output", .doc = "Where the image goes.", .required = true}, s.output);
  v.Visit({.name = "attest",
           .doc = "Has the pushed image signed, and what is known of it attested: tests, scan, and what is "
                  "named here. "
                  "Only then is the run successful."},
          s.attest);
  v.Visit({.name = "report", .doc = "Tells each run's outcome to the git host, as a status of the commit."},
          s.report);
  v.Visit({.name = "requireApproval",
           .doc = "True: each commit waits for a Decision that approves it, and nothing of it runs before."},
          s.require_approval);
  v.Visit({.name = "history", .doc = "How many runs are kept."}, s.history);
  v.Visit({.name = "suspend",
           .doc = "True: no new run begins. One that is under way ends as it would, unless the spec changes: "
                  "it is superseded then."},
          s.suspend);
  v.Rule(
      {"!has(self.build) || !has(self.build.cache) || self.build.cache.repository != self.output.repository",
       "must differ from spec.output.repository: nothing may be deployed from a cache",
       "build.cache.repository"},
      !s.build.cache || s.build.cache->repository != s.output.repository);
  v.Rule(
      {"!has(self.trigger) || !has(self.trigger.baseImages) || (has(self.output.moveTags) && "
       "self.output.moveTags) || (has(self.output.tags) && self.output.tags.all(t, t.contains('{{run}}')))",
       "builds the same commit again, under tags that are taken: put {{run}} into each of output.tags, or "
       "set "
       "output.moveTags",
       "trigger.baseImages"},
      !s.trigger.base_images || s.output.move_tags ||
          std::ranges::all_of(s.output.tags, [](const auto& tag) { return tag.contains("{{run}}"); }));
  DescribePullRequestPath(v, s);
  v.Rule({"!has(self.attest) || !has(self.output.push) || self.output.push",
          "needs spec.output.push: what is not pushed can't be signed", "attest"},
         !s.attest || s.output.push);
  DescribeSecretsDiffer(v);
}

std::optional<Violation> Validate(const ImageBuildSpec& spec) {
  ImageBuildSpec copy = spec;
  return Inspect("spec", MembersOf(copy));
}

kube::Json EncodeSpec(const ImageBuildSpec& spec) {
  ImageBuildSpec copy = spec;  // a description is of what may be written to
  return Write(MembersOf(copy));
}

}  // namespace slipway::resources
