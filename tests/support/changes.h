// A watch of one kind in a namespace, through kubectl: every change from now on, each once and in order.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/stream.h"

namespace slipway::testing {

inline constexpr const char* kApps = "/apis/apps/v1";
inline constexpr const char* kBatch = "/apis/batch/v1";
inline constexpr const char* kSlipway = "/apis/slipway.dev/v1alpha1";

class Changes {
 public:
  Changes(const std::string& api, const std::string& ns, const std::string& plural);
  // Those that came since the last call: {"type":…,"object":…}.
  std::vector<nlohmann::json> Next();
  std::vector<nlohmann::json> Stop();

 private:
  Stream stream_;
  std::size_t read_ = 0;
};

// Reasons and notes of the Events about an object, oldest first.
std::vector<std::pair<std::string, std::string>> EventsOf(const std::string& ns,
                                                          const nlohmann::json& object);

// The text that a JSON pointer leads to; empty where there is none.
std::string Text(const nlohmann::json& object, const std::string& pointer);

}  // namespace slipway::testing
