#include "resources/image_build_parts.h"

#include <nlohmann/json.hpp>

#include "resources/describe.h"

namespace slipway::resources {

namespace {
constexpr std::array<std::string_view, 2> kForkPolicies{"Approve", "Refuse"};
constexpr std::array<std::string_view, 2> kOnNewCommit{"Finish", "Cancel"};
constexpr std::array<std::string_view, 3> kResourceNames{"cpu", "memory", "ephemeral-storage"};
}  // namespace

static std::span<const std::string_view> Names(ForkPolicy) { return kForkPolicies; }
static std::span<const std::string_view> Names(OnNewCommit) { return kOnNewCommit; }

void Describe(Visitor& v, GitSource& s) {
  v.Visit(
      {.name = "url",
       .doc = "The repository's URL: https://, http://, ssh://, or user@host:path. Passwords are never part "
              "of it: see credentialsSecretRef.",
       .required = true,
       .min_length = 1,
       .max_length = 1024,
       .rule = &kGitUrl},
      s.url);
  v.Visit({.name = "revision",
           .doc = "A branch, a tag, a full commit SHA, or a ref such as refs/pull/7/head. One that moves is "
                  "resolved to its commit once a run.",
           .max_length = 250,
           .rule = &kRevision},
          s.revision);
  v.Visit(
      {.name = "semver",
       .doc = "Instead of a revision: a range such as \">=1.2.0 <2\"; the highest tag in it is built. A 'v' "
              "before a tag's version is not looked at.",
       .max_length = 128,
       .rule = &kSemverRange},
      s.semver);
  v.Rule({"has(self.revision) != has(self.semver)", "name exactly one of revision and semver", "revision"},
         s.revision.empty() != s.semver.empty());
  v.Visit({.name = "contextDir",
           .doc = "The folder of the repository that the build sees as its context.",
           .min_length = 1,
           .max_length = 512,
           .rule = &kRelativePath},
          s.context_dir);
  v.Visit(
      {.name = "credentialsSecretRef",
       .doc =
           "A Secret to clone with: of type kubernetes.io/basic-auth, or kubernetes.io/ssh-auth with a key "
           "known_hosts beside ssh-privatekey. The platform's policy must allow it for use source."},
      s.credentials_secret_ref);
  v.Visit(
      {.name = "submodules",
       .doc = "Whether submodules are fetched, at the commits that the repository records. Credentials go "
              "to the host of url only."},
      s.submodules);
  v.Visit(
      {.name = "depth",
       .doc = "How many commits of history the checkout has in its .git; 0: all. Absent: no .git, so that "
              "layers depend on the commit's files alone.",
       .max = 1000000},
      s.depth);
}

static void Describe(Visitor& v, PollTrigger& s) {
  v.Visit(
      {.name = "interval",
       .doc = "How often it is looked up; each time is moved by up to a tenth, so that many builds do not "
              "ask at once.",
       .shortest = std::chrono::seconds(10),
       .longest = std::chrono::hours(720)},
      s.interval);
}

static void Describe(Visitor& v, WebhookTrigger& s) {
  v.Visit({.name = "secretRef",
           .doc = "A Secret whose key `secret` the forge signs (GitHub, Gitea) or sends (GitLab) with each "
                  "delivery. The platform's policy must allow it for use webhook.",
           .required = true},
          s.secret_ref);
}

static void Describe(Visitor& v, PullRequestTrigger& s) {
  v.Visit(
      {.name = "forks",
       .doc =
           "What becomes of a pull request from a fork. Approve: each of its commits waits for a Decision. "
           "Refuse: it is not built."},
      s.forks);
}

void Describe(Visitor& v, TriggerSpec& s) {
  v.Visit({.name = "poll", .doc = "Asks the git host for new commits."}, s.poll);
  v.Visit({.name = "webhook",
           .doc = "Listens for pushes, at Service slipway-receiver of this namespace: POST /hooks/NAME."},
          s.webhook);
  v.Visit(
      {.name = "baseImages",
       .doc = "Asks the registries whether a base image's tag has another digest, and builds again. Every "
              "tag in output.tags must then hold {{run}}, or output.moveTags be true."},
      s.base_images);
  v.Visit(
      {.name = "pullRequests",
       .doc = "Makes an ImageBuild for each pull request that the webhook tells of, with everything but the "
              "push and without Secrets, and deletes it when the pull request is closed."},
      s.pull_requests);
  v.Visit({.name = "onNewCommit",
           .doc = "What becomes of a run under way when a newer commit is seen. Finish: the newest is built "
                  "after it. Cancel: it is called off."},
          s.on_new_commit);
  v.Rule({"!has(self.pullRequests) || has(self.webhook)", "needs spec.trigger.webhook, which tells of them",
          "pullRequests"},
         !s.pull_requests || s.webhook);
}

void Describe(Visitor& v, ResourceList& s) {
  const Field field{.name = "requests",
                    .doc = "What the container is promised: cpu, memory, ephemeral-storage.",
                    .max_length = 32,
                    .rule = &kQuantity,
                    .keys = kResourceNames,
                    .quantity = true,
                    .max_items = 3};
  v.Visit(field, s.requests);
  Field limits = field;
  limits.name = "limits";
  limits.doc = "What the container may use at most: cpu, memory, ephemeral-storage.";
  v.Visit(limits, s.limits);
}

void Describe(Visitor& v, NameValue& s) {
  v.Visit({.name = "name",
           .doc = "The variable's name.",
           .required = true,
           .min_length = 1,
           .max_length = 128,
           .rule = &kArgName},
          s.name);
  v.Visit({.name = "value",
           .doc = "The variable's value. It is public: an image's history keeps it, and so does the Job.",
           .max_length = 1024,
           .rule = &kPlainText},
          s.value);
}

static void Describe(Visitor& v, MatrixAxis& s) {
  v.Visit({.name = "name",
           .doc = "The environment variable that holds the value; $(NAME) stands for it in the command.",
           .required = true,
           .min_length = 1,
           .max_length = 63,
           .rule = &kArgName},
          s.name);
  v.Visit({.name = "values",
           .doc = "What it holds, one leg each.",
           .required = true,
           .min_length = 1,
           .max_length = 128,
           .rule = &kPlainText,
           .max_items = 16,
           .default_items = 1},
          s.values);
  // An axis of none would make no leg at all, and the test would pass.
  v.Rule({"size(self.values) > 0", "needs a value at least: without one there is nothing to run", "values"},
         !s.values.empty());
}

void Describe(Visitor& v, TestSpec& s) {
  v.Visit({.name = "name",
           .doc = "What it is called in the status.",
           .required = true,
           .min_length = 1,
           .max_length = 40,
           .rule = &kLabelName},
          s.name);
  v.Visit({.name = "image",
           .doc = "What it runs in, by digest; as user 65532 under Pod Security restricted.",
           .required = true,
           .min_length = 1,
           .max_length = 330,
           .rule = &kImage},
          s.image);
  v.Visit(
      {.name = "command",
       .doc = "The argument vector; it begins in contextDir of a checkout of its own. Absent: the image's.",
       .max_length = 2048,
       .rule = &kCommand,
       .max_items = 16},
      s.command);
  v.Visit({.name = "env", .doc = "Environment variables.", .max_items = 16, .list_key = "name"}, s.env);
  v.Visit({.name = "matrix",
           .doc = "Each combination of the values is a leg, a Job of its own; at most 32 legs in all tests.",
           .max_items = 4,
           .list_key = "name"},
          s.matrix);
  v.Visit(
      {.name = "failFast",
       .doc =
           "Whether the first leg that fails ends the run at once. If not, the other legs are waited for."},
      s.fail_fast);
  v.Visit({.name = "resources", .doc = "Resources of the test's container."}, s.resources);
  v.Visit({.name = "timeout",
           .doc = "The longest that a leg may take.",
           .shortest = std::chrono::seconds(10),
           .longest = std::chrono::hours(24)},
          s.timeout);
}

}  // namespace slipway::resources
