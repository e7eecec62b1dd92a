// What the tests of ReflectorCore share: a sink that keeps what it is told, frames and pages as the API
// server writes them, and the steps taken apart.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/reflector.h"

namespace slipway::runtime {

class RecordingSink final : public Sink {
 public:
  void Upsert(const kube::Json& object) override {
    const auto& metadata = object.at("metadata");
    const kube::ObjectKey key{metadata.value("namespace", ""), metadata.at("name").get<std::string>()};
    objects[key] = metadata.value("resourceVersion", "");
  }
  void Remove(const kube::ObjectKey& key) override { objects.erase(key); }
  void Retain(const std::unordered_set<kube::ObjectKey>& present) override {
    ++retains;
    std::erase_if(objects, [&](const auto& entry) { return !present.contains(entry.first); });
  }

  std::map<kube::ObjectKey, std::string> objects;
  int retains = 0;
};

inline kube::Json Object(const std::string& name, const std::string& version,
                         const std::string& ns = "team") {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}, {"namespace", ns}, {"resourceVersion", version}}}};
}

inline kube::WatchFrame Frame(kube::WatchEventType type, const std::string& name,
                              const std::string& version) {
  return {type, Object(name, version)};
}
inline kube::WatchFrame Added(const std::string& name, const std::string& version) {
  return Frame(kube::WatchEventType::kAdded, name, version);
}
inline kube::WatchFrame Modified(const std::string& name, const std::string& version) {
  return Frame(kube::WatchEventType::kModified, name, version);
}
inline kube::WatchFrame Deleted(const std::string& name, const std::string& version) {
  return Frame(kube::WatchEventType::kDeleted, name, version);
}
inline kube::WatchFrame Bookmark(const std::string& version, bool end_of_initial_events = false) {
  kube::Json metadata = {{"resourceVersion", version}};
  if (end_of_initial_events) metadata["annotations"] = {{"k8s.io/initial-events-end", "true"}};
  return {kube::WatchEventType::kBookmark, {{"kind", "ConfigMap"}, {"metadata", metadata}}};
}
inline kube::WatchFrame ErrorFrame(int code, const std::string& reason, const std::string& message = "why") {
  return {
      kube::WatchEventType::kError,
      {{"kind", "Status"}, {"status", "Failure"}, {"code", code}, {"reason", reason}, {"message", message}}};
}

inline kube::Json Page(std::vector<kube::Json> items, const std::string& version,
                       const std::string& continue_token = "") {
  kube::Json metadata = {{"resourceVersion", version}};
  if (!continue_token.empty()) metadata["continue"] = continue_token;
  return {{"kind", "ConfigMapList"}, {"metadata", metadata}, {"items", std::move(items)}};
}

inline Error Of(ErrorKind kind, std::optional<std::chrono::seconds> retry_after = std::nullopt) {
  return {kind, "why", retry_after};
}

inline ReflectorOptions ConfigMapsOf(const std::string& ns = "team") {
  ReflectorOptions options;
  options.resource = kube::kConfigMaps;
  options.ns = ns;
  options.page_size = 2;
  options.backoff = {std::chrono::milliseconds(800), std::chrono::seconds(30), 2.0};
  return options;
}

// A core with its sink, and what the next step is, in words.
class ReflectorCoreTest : public ::testing::Test {
 protected:
  Duration NextWait(double unit_random = 0.5) {
    const auto step = core_.Next(unit_random);
    const auto* wait = std::get_if<ReflectorCore::Wait>(&step);
    if (wait == nullptr) return Duration(-1);
    return wait->delay;
  }
  // The target of the next request; waits on the way are passed over and counted.
  std::string NextTarget() {
    for (waits_ = 0; waits_ < 3; ++waits_) {
      const auto step = core_.Next(0.5);
      if (const auto* page = std::get_if<ReflectorCore::ListPage>(&step)) return page->request.target;
      if (const auto* watch = std::get_if<ReflectorCore::StartWatch>(&step)) return watch->request.target;
    }
    return "waits for ever";
  }
  bool NextIsStreamingList() { return NextTarget().find("sendInitialEvents=true") != std::string::npos; }
  bool NextIsList() {
    const std::string target = NextTarget();
    return target.find("watch=") == std::string::npos && target.find("limit=2") != std::string::npos;
  }
  bool NextWatchesFrom(const std::string& version) {
    const std::string target = NextTarget();
    return target.find("watch=") != std::string::npos &&
           target.find("sendInitialEvents") == std::string::npos &&
           (target + "&").find("resourceVersion=" + version + "&") != std::string::npos;
  }
  // As far as a synced watch at version 10 that holds a, b.
  void Sync() {
    ASSERT_TRUE(NextIsStreamingList());
    core_.OnFrame(Added("a", "3"));
    core_.OnFrame(Added("b", "5"));
    core_.OnFrame(Bookmark("10", true));
    ASSERT_TRUE(core_.synced());
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& [key, version] : sink_.objects) names.push_back(key.name);
    return names;
  }

  RecordingSink sink_;
  ReflectorCore core_{ConfigMapsOf(), sink_};
  int waits_ = 0;
};

}  // namespace slipway::runtime
