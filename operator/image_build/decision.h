// One decision on one ImageBuild (decide.h) while it is made: what was seen, and the plan as it grows. It
// lives for one call of Decide or NameTaken. decide.cc has the run under way and its end; rest.cc what is
// done when none is, and what follows every decision. Private to this folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "image_build/cause.h"
#include "image_build/decide.h"
#include "image_build/follow.h"
#include "image_build/stages.h"

namespace slipway::image_build {

// "run 3 of commit 1a2b3c4d5e6f"
std::string Told(const resources::BuildRun& run);

class Decision {
 public:
  // Times are kept in whole seconds, as they are written: what is rendered from them is then the same after a
  // restart.
  Decision(const Seen& seen, TimePoint now);
  Plan Make() &&;
  Plan Refuse(const Plan& planned, const StartJob& start, const std::string& difference) &&;

 private:
  Plan Close();
  resources::BuildRun* Newest() { return plan_.status.runs.empty() ? nullptr : &plan_.status.runs.front(); }
  resources::BuildRun* Open() { return Newest() != nullptr && !Newest()->finished ? Newest() : nullptr; }
  void Report(resources::BuildPhase phase, resources::Readiness readiness, std::string reason,
              std::string message);
  void RecheckAfter(Duration d);
  resources::Failure Failed(std::string reason, std::string message);
  resources::Failure OfTakenName(const StartJob& start, const std::string& difference);
  std::optional<resources::Violation> Obstacle() const;
  void ReportObstacle(const resources::Violation& violation);

  // ---- a run under way ----
  void Advance(resources::BuildRun& run);
  bool NothingNew(const resources::BuildRun& run) const;
  void Drop();
  std::vector<BuildPod> BuildPods(const resources::BuildRun& run) const;
  const SeenJob& SeenOf(const resources::RunJob& job) const;
  void Break(resources::BuildRun& run, resources::RunJob& job, const Followed& followed);
  static void AttestAgain(resources::BuildRun& run, const resources::RunJob& job);
  bool Late(const resources::BuildRun& run) const;
  bool Proceed(resources::BuildRun& run);
  bool Begun(resources::BuildRun& run);
  bool Approved(resources::BuildRun& run);
  bool Tagged(resources::BuildRun& run);
  void Launch(resources::BuildRun& run, const std::vector<StartJob>& starts);
  void ReportProgress(const resources::BuildRun& run, const std::string& detail);

  // ---- ends ----
  void Succeed(resources::BuildRun& run);
  void Fail(resources::BuildRun& run, resources::Failure failure);
  void Supersede(resources::BuildRun& run);
  void CallOff(resources::BuildRun& run);

  // ---- no run under way ----
  void Rest();
  resources::ImageBuild AsNow() const;
  void ReportEnd(const resources::BuildRun& run, const std::string& more);
  void Begin(const Cause& cause);

  // ---- after every decision ----
  void Tell();
  bool Owed();
  void GiveUp(resources::RunJob& job, const Followed& followed);
  void RemoveStrays();
  void Notify();
  Notice NoticeOf(const resources::StageStatus& stage);

  const Seen& seen_;
  const resources::ImageBuildSpec& spec_;
  TimePoint now_;
  Plan plan_;
};

}  // namespace slipway::image_build
