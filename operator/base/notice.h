// What a decision has to tell people, beside the conditions that it sets: an Event, and a line in the log.
#pragma once

#include <string>

namespace slipway {

struct Notice {
  bool warning = false;
  std::string reason;  // CamelCase, stable
  std::string note;
};

}  // namespace slipway
