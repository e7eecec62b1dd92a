#include "runner/main/scan_flags.h"

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "runner/gate.h"

namespace slipway::runner {
namespace {

void ReadSeverity(const std::string& text, GateRules& rules) {
  const auto severity = ParseSeverity(text);
  if (!severity) throw CLI::ValidationError("--fail-on", "'" + text + "' is no severity");
  rules.fail_on = *severity;
}

void ReadAge(const std::string& text, GateRules& rules) {
  const auto age = ParseDuration(text);
  if (!age) throw CLI::ValidationError("--max-database-age", age.error().message);
  rules.max_database_age = *age;
}

void ReadExceptions(const std::vector<std::string>& texts, GateRules& rules) {
  for (const std::string& text : texts) {
    auto exception = ParseException(text);
    if (!exception) throw CLI::ValidationError("--exception", exception.error().message);
    rules.exceptions.push_back(std::move(*exception));
  }
}

}  // namespace

void AddScanSteps(CLI::App& app, int& code) {
  auto* const step = app.add_subcommand("gate", "Judge what Trivy found in an image");
  const auto options = std::make_shared<GateOptions>();
  GateRules& rules = options->rules;
  step->add_option("--trivy", options->trivy, "Trivy's report, as JSON")->required();
  step->add_option("--database", options->database, "metadata.json of its database; its age counts");
  step->add_option_function<std::string>(
      "--max-database-age", [&rules](const std::string& text) { ReadAge(text, rules); }, "Any when absent");
  step->add_option_function<std::string>(
          "--fail-on", [&rules](const std::string& text) { ReadSeverity(text, rules); },
          "This severity and worse ones close the gate")
      ->required();
  step->add_flag("--ignore-unfixed,!--count-unfixed", rules.ignore_unfixed,
                 "What nobody has fixed yet passes");
  step->add_option_function<std::vector<std::string>>(
          "--exception", [&rules](const std::vector<std::string>& texts) { ReadExceptions(texts, rules); },
          "What is borne, until when and why, as JSON; repeated")
      ->allow_extra_args(false);
  step->add_option("--report", options->report_path, "File for the report")->capture_default_str();
  step->final_callback([options, &code] { code = RunGate(*options); });
}

}  // namespace slipway::runner
