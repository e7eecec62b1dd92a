#include "resources/crd.h"

#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>

#include "resources/describe.h"

namespace slipway::resources {
namespace {

using kube::Json;

struct Column {
  const char* name;
  const char* path;
  const char* type = "string";
  int priority = 0;  // above 0: only in wide output
};

constexpr Column kReady{"Ready", R"(.status.conditions[?(@.type=="Ready")].status)"};
constexpr Column kWhy{"Reason", R"(.status.conditions[?(@.type=="Ready")].reason)"};
constexpr Column kAge{"Age", ".metadata.creationTimestamp", "date"};
constexpr Column kMessageColumn{"Message", R"(.status.conditions[?(@.type=="Ready")].message)", "string", 1};

struct Kind {
  kube::ApiResource resource;
  const char* singular;
  const char* short_name;
  const char* doc;
  std::vector<Column> columns;
};

Json ColumnsOf(const Kind& kind) {
  Json columns = Json::array();
  for (const Column& column : kind.columns) {
    Json entry{{"name", column.name}, {"jsonPath", column.path}, {"type", column.type}};
    if (column.priority > 0) entry["priority"] = column.priority;
    columns.push_back(std::move(entry));
  }
  return columns;
}

// Decisions have none: they are a record, and what came of one is told by its target.
template <class T>
concept HasStatus = requires(T object) { object.status; };

template <class T>
Json StatusSchema() {
  T object;
  Json status = Schema(MembersOf(object.status), false);
  status["description"] = "What is: written by Slipway, and by nothing else.";
  // A new object never reads as current before it was seen (kstatus).
  status["properties"]["observedGeneration"]["default"] = object.status.observed_generation;
  status["default"] = {{"observedGeneration", object.status.observed_generation}};
  return status;
}

template <class T>
Json SpecSchema() {
  T object;
  Json spec = Schema(MembersOf(object.spec), true);
  spec["description"] = "What is wanted.";
  if constexpr (HasStatus<T>) return spec;
  Json rule = {{"rule", "self == oldSelf"}, {"message", "never changes: make another object"}};
  spec["x-kubernetes-validations"].push_back(std::move(rule));
  return spec;
}

template <class T>
Json ObjectSchema(const Kind& kind) {
  Json properties = {{"apiVersion", {{"type", "string"}, {"description", "slipway.dev/v1alpha1."}}},
                     {"kind", {{"type", "string"}, {"description", std::string(kind.resource.kind) + "."}}},
                     {"metadata", {{"type", "object"}}},
                     {"spec", SpecSchema<T>()}};
  if constexpr (HasStatus<T>) properties["status"] = StatusSchema<T>();
  return {{"type", "object"},
          {"description", kind.doc},
          {"required", {"spec"}},
          {"properties", std::move(properties)}};
}

template <class T>
Definition Define(const Kind& kind) {
  const auto& resource = kind.resource;
  const std::string plural(resource.plural);
  const std::string group(resource.group);
  Json version{{"name", resource.version},
               {"served", true},
               {"storage", true},
               {"schema", {{"openAPIV3Schema", ObjectSchema<T>(kind)}}},
               {"additionalPrinterColumns", ColumnsOf(kind)}};
  if constexpr (HasStatus<T>) version["subresources"]["status"] = Json::object();
  Json crd{
      {"apiVersion", "apiextensions.k8s.io/v1"},
      {"kind", "CustomResourceDefinition"},
      {"metadata", {{"name", plural + "." + group}, {"labels", {{"app.kubernetes.io/name", "slipway"}}}}},
      {"spec",
       {{"group", group},
        {"scope", "Namespaced"},
        {"names",
         {{"kind", resource.kind},
          {"listKind", std::string(resource.kind) + "List"},
          {"plural", plural},
          {"singular", kind.singular},
          {"shortNames", Json::array({kind.short_name})},
          {"categories", Json::array({"slipway"})}}},
        {"versions", Json::array({std::move(version)})}}}};
  return {group + "_" + plural, std::move(crd)};
}

// What YAML would read as something that is not a text (1.1 core schema, which kubectl's parser keeps).
bool NeedsQuotes(const std::string& text) {
  static constexpr std::array<std::string_view, 14> kWords{
      "true", "false", "yes", "no", "on", "off", "null", "y", "n", "~", "yes", "inf", "nan", ""};
  std::string lower = text;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool number = !text.empty() && std::string_view("0123456789.+-").contains(text.front());
  return number || std::ranges::find(kWords, lower) != kWords.end();
}

void Emit(YAML::Emitter& out, const Json& json) {
  if (json.is_object()) {
    if (json.empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& [key, value] : json.items()) {
      out << YAML::Key << key << YAML::Value;
      Emit(out, value);
    }
    out << YAML::EndMap;
  } else if (json.is_array()) {
    if (json.empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const auto& value : json) Emit(out, value);
    out << YAML::EndSeq;
  } else if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    if (NeedsQuotes(text)) out << YAML::DoubleQuoted;
    out << text;
  } else if (json.is_boolean()) {
    out << json.get<bool>();
  } else if (json.is_number_unsigned()) {
    out << json.get<std::uint64_t>();
  } else {
    out << json.get<std::int64_t>();
  }
}

}  // namespace

std::vector<Definition> Definitions() {
  const Kind build{
      kube::kImageBuilds,
      "imagebuild",
      "ib",
      "A git revision, built into an image repository, through gates: cloned, built, scanned, and "
      "pushed only if every gate before passed. Built once for each spec and commit.",
      {kReady,
       {"Phase", ".status.phase"},
       {"Run", ".status.runs[0].number", "integer"},
       {"Why", ".status.runs[0].reason"},
       {"Commit", ".status.shortCommit"},
       {"Digest", ".status.latest.shortDigest"},
       kWhy,
       kAge,
       {"Subject", ".status.runs[0].commit.subject", "string", 1},
       {"Image", ".status.latest.image", "string", 1},
       kMessageColumn}};
  const Kind release{
      kube::kReleases,
      "release",
      "rel",
      "An image by digest, delivered to a Deployment: by canary, tested inside the cluster, and "
      "promoted or taken back. A digest that failed is not tried again until something changes.",
      {kReady,
       {"Phase", ".status.phase"},
       {"Commit", ".status.shortCommit"},
       {"Digest", ".status.shortDigest"},
       kWhy,
       kAge,
       {"Image", ".status.image", "string", 1},
       kMessageColumn}};
  const Kind promotion{
      kube::kCanaryPromotions,
      "canarypromotion",
      "cp",
      "One move of a Deployment to an image by replica ratio, behind its one Service. Usually "
      "made by a Release. While it is there, its end restores stable first.",
      {kReady,
       {"Phase", ".status.phase"},
       {"Step", ".status.step"},
       {"Want%", ".status.weightWanted", "integer"},
       {"Got%", ".status.weightGot", "integer"},
       kWhy,
       kAge,
       {"Image", ".spec.image", "string", 1},
       kMessageColumn}};
  const Kind decision{kube::kDecisions,
                      "decision",
                      "dec",
                      "A human act, on record, for one object and one commit or digest. It never changes.",
                      {{"Verb", ".spec.verb"},
                       {"Kind", ".spec.target.kind"},
                       {"Name", ".spec.target.name"},
                       {"Actor", ".spec.actor"},
                       kAge,
                       {"Subject", ".spec.subject", "string", 1},
                       {"Reason", ".spec.reason", "string", 1}}};
  return {Define<ImageBuild>(build), Define<Release>(release), Define<CanaryPromotion>(promotion),
          Define<Decision>(decision)};
}

std::string ToYaml(const Json& json) {
  YAML::Emitter out;
  Emit(out, json);
  return std::string(out.c_str()) + "\n";
}

}  // namespace slipway::resources
