#include "e2e/release/fixture.h"

namespace slipway::testing {

void Releases::SetUp() {
  ASSERT_NO_FATAL_FAILURE(Promotions::SetUp());
  for (const char* name : {"configmap/web-config", "secret/migration-env"}) {
    Kubectl({"-n", ns_, "delete", name, "--ignore-not-found"});
  }
}

Json Releases::Rolling(const std::string& kind) {
  Json spec = Stepped(kind);
  spec["strategy"] = {{"rolling", {{"progressDeadline", "180s"}}}};
  return spec;
}

Json Releases::Stepped(const std::string& kind, const std::string& hold) {
  Json spec = Spec(kind, Json::array());
  spec.erase("steps");
  spec.erase("progressDeadline");
  spec["strategy"]["canary"] = {{"steps", Steps({20}, hold)}, {"progressDeadline", "180s"}};
  return spec;
}

Output Releases::TryRelease(const Json& spec) {
  const Json release = {{"apiVersion", "slipway.dev/v1alpha1"},
                        {"kind", "Release"},
                        {"metadata", {{"name", "web"}}},
                        {"spec", spec}};
  return Kubectl({"-n", ns_, "apply", "-f", "-"}, release.dump());
}

void Releases::Release(const Json& spec) {
  const Output made = TryRelease(spec);
  ASSERT_TRUE(made.ok()) << made.text;
}

void Releases::PatchRelease(const Json& spec) {
  const Json patch = {{"spec", spec}};
  const auto patched = Kubectl({"-n", ns_, "patch", "release", "web", "--type=merge", "-p", patch.dump()});
  ASSERT_TRUE(patched.ok()) << patched.text;
}

void Releases::Want(const std::string& kind) {
  PatchRelease({{"image", SampleOf(kind).image}, {"version", SampleOf(kind).version}});
}

Json Releases::WaitReason(const std::string& reason, Seconds limit) {
  Json release;
  EXPECT_TRUE(Eventually(limit, "the Release is " + reason, [&](std::string& seen) {
    release = GetJson(ns_, "release", "web");
    const Json ready = Condition(release, "Ready");
    seen = ready.dump();
    return ready.is_object() && ready.value("reason", "") == reason &&
           ready.value("observedGeneration", 0) == release["metadata"].value("generation", -1);
  })) << reason;
  return release.value("status", Json::object());
}

std::string Releases::Message() const {
  const Json ready = Condition(GetJson(ns_, "release", "web"), "Ready");
  return ready.is_object() ? ready.value("message", "") : "";
}

std::string Releases::Ready() const {
  const Json ready = Condition(GetJson(ns_, "release", "web"), "Ready");
  return ready.is_object() ? ready.value("status", "") : "";
}

Json Releases::Newest(const Json& status) {
  const auto history = status.value("history", Json::array());
  return history.empty() ? Json::object() : history[0];
}

Json Releases::Delivered(int number, const std::string& outcome, Seconds limit) {
  Json entry;
  EXPECT_TRUE(Eventually(limit, "delivery " + std::to_string(number) + " ends", [&](std::string& seen) {
    entry = Newest(Status());
    seen = entry.dump();
    return entry.value("number", 0) >= number && entry.value("outcome", "") != "";
  }));
  EXPECT_EQ(entry.value("number", 0), number);
  EXPECT_EQ(entry.value("outcome", ""), outcome) << entry;
  return entry;
}

void Releases::DecideRelease(const std::string& verb, const std::string& digest, const std::string& user) {
  const auto made = Decide("decision-" + std::to_string(++decisions_), verb, "Release", "web", digest, user);
  ASSERT_TRUE(made.ok()) << made.text;
}

std::string Releases::Ask(const std::string& path) const {
  auto answer = Execute({"curl", "--silent", "--max-time", "5", "http://web." + ns_ + ".svc" + path}).text;
  while (answer.ends_with('\n')) answer.pop_back();
  return answer;
}

void Releases::Configure(const std::string& color) {
  const Json map = {{"apiVersion", "v1"},
                    {"kind", "ConfigMap"},
                    {"metadata", {{"name", "web-config"}}},
                    {"data", {{"color", color}}}};
  Apply(ns_, map.dump());
}

void Releases::In(const std::string& ns, const std::function<void()>& what) {
  const std::string here = ns_;
  ns_ = ns;
  what();
  ns_ = here;
}

}  // namespace slipway::testing
