#include "support/changes.h"

#include <algorithm>
#include <tuple>

#include "support/kubectl.h"

namespace slipway::testing {

Changes::Changes(const std::string& api, const std::string& ns, const std::string& plural)
    : stream_({"kubectl", "get", "--raw", api + "/namespaces/" + ns + "/" + plural + "?watch=true"}) {}

std::vector<nlohmann::json> Changes::Next() {
  const auto lines = stream_.Lines();
  std::vector<nlohmann::json> changes;
  for (; read_ < lines.size(); ++read_) {
    auto change = nlohmann::json::parse(lines[read_], nullptr, false);
    if (change.is_object()) changes.push_back(std::move(change));
  }
  return changes;
}

std::vector<nlohmann::json> Changes::Stop() {
  stream_.Stop();
  return Next();
}

std::string Text(const nlohmann::json& object, const std::string& pointer) {
  const nlohmann::json::json_pointer at(pointer);
  return object.is_object() && object.contains(at) && object[at].is_string() ? object[at].get<std::string>()
                                                                             : "";
}

std::vector<std::pair<std::string, std::string>> EventsOf(const std::string& ns,
                                                          const nlohmann::json& object) {
  const auto list = Kubectl({"-n", ns, "get", "events.events.k8s.io", "-o", "json", "--field-selector",
                             "regarding.uid=" + object["metadata"].value("uid", "")});
  std::vector<std::tuple<std::string, std::string, std::string>> sorted;
  const auto events = nlohmann::json::parse(list.text, nullptr, false);
  if (!events.is_object()) return {};
  for (const auto& event : events.value("items", nlohmann::json::array())) {
    sorted.emplace_back(Text(event, "/eventTime"), event.value("reason", ""), event.value("note", ""));
  }
  std::ranges::sort(sorted);
  std::vector<std::pair<std::string, std::string>> told;
  for (const auto& [time, reason, note] : sorted) told.emplace_back(reason, note);
  return told;
}

}  // namespace slipway::testing
