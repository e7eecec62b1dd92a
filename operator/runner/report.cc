#include "runner/report.h"

#include <fstream>

#include "base/log.h"

namespace slipway::runner {

bool WriteReport(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (file.flush()) return true;
  log::error("the report can't be written to {}", log::Quoted(path));
  return false;
}

}  // namespace slipway::runner
