#include "telemetry/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

namespace slipway::telemetry {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// proc(5), /proc/pid/stat: the fields after the command, which may itself hold spaces and parentheses.
// Index 0 is field 3 (state).
std::vector<std::string> StatFields(const std::string& proc) {
  const std::string stat = ReadAll(proc + "/self/stat");
  const auto end_of_name = stat.rfind(')');
  if (end_of_name == std::string::npos) return {};
  std::istringstream rest(stat.substr(end_of_name + 1));
  return {std::istream_iterator<std::string>(rest), std::istream_iterator<std::string>()};
}

std::optional<double> Number(const std::vector<std::string>& fields, std::size_t field) {
  const std::size_t index = field - 3;
  if (index >= fields.size()) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(fields[index].c_str(), &end);
  if (end == fields[index].c_str()) return std::nullopt;
  return value;
}

// "btime", seconds since 1970.
std::optional<double> BootSeconds(const std::string& proc) {
  std::istringstream lines(ReadAll(proc + "/stat"));
  for (std::string word; lines >> word;) {
    double seconds = 0;
    if (word == "btime" && lines >> seconds) return seconds;
  }
  return std::nullopt;
}

std::optional<double> OpenFiles(const std::string& proc) {
  std::error_code error;
  std::filesystem::directory_iterator files(proc + "/self/fd", error);
  if (error) return std::nullopt;
  return static_cast<double>(std::distance(files, std::filesystem::directory_iterator()));
}

std::optional<double> MostFiles() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  return static_cast<double>(limit.rlim_cur);
}

class Families {
 public:
  void Add(const char* name, const char* help, MetricType type, std::optional<double> value) {
    if (!value) return;
    prometheus::ClientMetric metric;
    metric.gauge.value = *value;
    metric.counter.value = *value;
    families_.push_back({name, help, type, {metric}});
  }
  std::vector<MetricFamily> Take() { return std::move(families_); }

 private:
  std::vector<MetricFamily> families_;
};

template <class F>
std::optional<double> Map(std::optional<double> value, F f) {
  if (!value) return std::nullopt;
  return f(*value);
}

}  // namespace

std::vector<MetricFamily> ProcessFamilies(const std::string& proc) {
  const auto stat = StatFields(proc);
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  const auto user = Number(stat, 14);
  const auto kernel = Number(stat, 15);
  const auto cpu = Map(user, [&](double u) { return (u + kernel.value_or(0)) / ticks; });
  const auto boot = BootSeconds(proc);
  const auto started =
      boot ? Map(Number(stat, 22), [&](double t) { return *boot + t / ticks; }) : std::nullopt;
  Families all;
  all.Add("process_cpu_seconds_total", "User and system CPU time, in seconds.", MetricType::Counter, cpu);
  all.Add("process_resident_memory_bytes", "Resident memory size in bytes.", MetricType::Gauge,
          Map(Number(stat, 24), [&](double pages) { return pages * page; }));
  all.Add("process_virtual_memory_bytes", "Virtual memory size in bytes.", MetricType::Gauge,
          Number(stat, 23));
  all.Add("process_open_fds", "Number of open file descriptors.", MetricType::Gauge, OpenFiles(proc));
  all.Add("process_max_fds", "Maximum number of open file descriptors.", MetricType::Gauge, MostFiles());
  all.Add("process_start_time_seconds", "Start time since the Unix epoch, in seconds.", MetricType::Gauge,
          started);
  return all.Take();
}

}  // namespace slipway::telemetry
