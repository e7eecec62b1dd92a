// What the vulnerable sample is found to have, and exceptions that let it through.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace slipway::testing {

// The HIGH findings of the vulnerable sample that have a fix.
inline const std::vector<std::string> kHigh{"CVE-2021-38561", "CVE-2022-32149"};

// Of UTC, as an exception's `expires` takes it.
std::string Day(int from_today);

// As spec.scan.exceptions and spec.gates.scan.exceptions take them.
nlohmann::json Exceptions(const std::vector<std::string>& ids, const std::string& expires);

// Of a list of findings or exceptions, sorted.
std::vector<std::string> Ids(const nlohmann::json& list);

}  // namespace slipway::testing
