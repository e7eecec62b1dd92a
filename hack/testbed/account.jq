# What the demonstration tells, from the objects' own statuses: a line for each fact, its key first, so that a
# fact is told once. Input: a List of ImageBuilds, CanaryPromotions and Releases.
def seconds($from; $to): (($to | fromdate) - ($from | fromdate) | tostring) + " s";
def short: .[0:10];
def digest: capture("@sha256:(?<d>[0-9a-f]{12})").d;

def build:
  .metadata.name as $name | .status.runs // [] | reverse | .[] | .number as $n | "build #\($n)" as $who
  | ((.resolveJob // empty) | ["\($who) resolve job", "\($who): created Job \(.name) to resolve the revision"]),
    ((.commit // empty) | select(.sha) | ["\($who) commit", "\($who): the revision is commit \(.sha | short)"]),
    ((.buildJob // empty) | ["\($who) build job", "\($who): created Job \(.name): source, build, scan, push"]),
    (.stages // [] | .[] | select(.finished) |
      ["\($who) stage \(.name)", "\($who): \(.name) \(.state | ascii_downcase) in \(seconds(.started // .finished; .finished))\(if .message then ": " + .message else "" end)"]),
    ((.findings // empty) | ["\($who) findings", "\($who): scan found \(.critical // 0) critical, \(.high // 0) high, \(.medium // 0) medium"]),
    (select((.image // "") != "") | ["\($who) image", "\($who): pushed \(.image)"]),
    ((.failure // empty) | ["\($who) failure", "\($who): FAILED in \(.stage): \(.reason): \(.message)"]);

def check:
  "canary: \({Smoke: "smoke test", Compare: "comparison", Prometheus: "query"}[.kind]) \(.name) \(if .verdict == "Passed" then "passed" else .verdict | ascii_upcase end)"
  + (if .kind == "Smoke" then ": \(.requests // 0) requests, \(.failures // 0) failed, p50 \(.p50Ms // 0) ms, p95 \(.p95Ms // 0) ms, answers \(.versions // {} | to_entries | map("\(.key | short): \(.value)") | join(", "))" else "" end)
  + (if (.comparison // {}) != {} then ": \(.comparison.pairs) pairs" else "" end)
  + (if (.message // "") != "" then ": " + .message else "" end);

def promotion:
  .metadata.name as $name | .status // {} | . as $s
  | ((.baseline // empty) | ["\($name) baseline", "canary: baseline of stable recorded: \(.replicas) pods of \(.image | digest? // .image)"]),
    (select((.canaryDeployment // "") != "") | ["\($name) canary", "canary: created Deployment \(.canaryDeployment) beside stable"]),
    (.steps // [] | .[] | .index as $i
      | (select(.readyAt) | ["\($name) step \($i) ready", "canary: step \($i + 1): wanted \(.weightWanted)%, got \(.weightGot)% (\(.canaryReady) of \(.canaryReady + .stableReady) ready pods) after \(seconds(.startedAt // .started; .readyAt))"]),
        ((.checks.jobName // empty) | ["\($name) step \($i) job \(.)", "canary: step \($i + 1): created check Job \(.)"]),
        (.checks.results // [] | .[] | ["\($name) step \($i) check \(.name)", check])),
    (.verification.results // [] | .[] | ["\($name) verification \(.name)", check]),
    ((.paused // empty) | ["\($name) paused \(.since)", "canary: PAUSED by \(.by): \(.message)"]),
    (select((.abortedAt // "") != "") | ["\($name) aborted", "canary: ABORTED: \(.failureMessage // .failureReason)"]),
    (select(.phase | IN("Restoring", "Promoting", "Verifying", "Finishing", "Aborting")) | ["\($name) phase \(.phase)", "canary: " + {
        Restoring: "every step passed: stable goes back to its baseline first",
        Promoting: "stable rolls to the new image, the canary still serves",
        Verifying: "stable runs the new image: what is asked after it",
        Finishing: "stable is done: the canary is taken away",
        Aborting: "stable goes back to its baseline, then the canary goes"}[.phase]]),
    (select(.completion | IN("Promoted", "Aborted", "Superseded", "RolledBack")) | ["\($name) end", "canary: \(if .completion == "RolledBack" then "rolled back" else .completion | ascii_downcase end) after \(seconds($s.started; $s.finished))"]);

def release:
  .status.history // [] | reverse | .[] | "release: delivery #\(.number)" as $who
  | ["\($who) made", "\($who) of \(.image | digest? // .image)\(if (.promotion // "") != "" then ": created CanaryPromotion " + .promotion else "" end)"],
    (select((.outcome // "") != "") | ["\($who) \(.outcome)", "\($who): \(.outcome)\(if .started and .finished then " after " + seconds(.started; .finished) else "" end)"]);

.items[] | if .kind == "ImageBuild" then build elif .kind == "CanaryPromotion" then promotion else release end
| "\(.[0])\t\(.[1])"
