// The stories of Releases: namespace e2e-release, and e2e-production for the environment after it.
#pragma once

#include "support/promotions.h"

namespace slipway::testing {

class Releases : public Promotions {
 protected:
  // Five pods: enough for a canary of one, and a rollout takes half the time of ten.
  Releases() : Promotions("e2e-release", 5) {}
  void SetUp() override;

  // A Release `web` of that sample image, delivered by a rolling update; and by one step of 20%.
  static Json Rolling(const std::string& kind);
  static Json Stepped(const std::string& kind, const std::string& hold = "1s");
  void Release(const Json& spec);
  Output TryRelease(const Json& spec);
  void PatchRelease(const Json& spec);
  // Another image in its spec.
  void Want(const std::string& kind);

  Json Status() const { return GetJson(ns_, "release", "web").value("status", Json::object()); }
  // Waits until Ready has that reason and is about the spec as it is; returns the status.
  Json WaitReason(const std::string& reason, Seconds limit = Seconds(120));
  std::string Message() const;
  // The status of its condition Ready.
  std::string Ready() const;
  // Waits until the newest delivery, of that number at least, is closed; returns its entry.
  Json Delivered(int number, const std::string& outcome, Seconds limit = Seconds(240));
  static Json Newest(const Json& status);

  void DecideRelease(const std::string& verb, const std::string& digest, const std::string& user = "");

  // What the Service answers at that path; without the end of the line.
  std::string Ask(const std::string& path) const;
  void Configure(const std::string& color);

  // Does it in another namespace.
  void In(const std::string& ns, const std::function<void()>& what);
};

}  // namespace slipway::testing
