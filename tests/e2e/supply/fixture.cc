#include "e2e/supply/fixture.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace slipway::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRegistry = "registry.slipway.test:5000";

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "slipway-supply-XXXXXX").string();
    const char* made = ::mkdtemp(name.data());
    if (made != nullptr) path_ = made;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    if (!path_.empty()) fs::remove_all(path_);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string Trimmed(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

const std::string& CosignPath() {
  static const std::string path = [] {
    const auto built = Execute({SourcePath("hack/cluster"), "tool", "cosign"});
    EXPECT_TRUE(built.ok()) << built.text;
    // What is told of the making comes before it.
    const std::string text = Trimmed(built.text);
    return text.substr(text.rfind('\n') + 1);
  }();
  return path;
}

std::string KeyReference(const std::string& key) {
  return std::string("k8s://") + kChain + "/" + key + "-key";
}

// The test bed's registry speaks plain HTTP.
std::vector<std::string> ToRegistry(std::vector<std::string> args, const std::string& image) {
  args.insert(args.end(), {"--allow-http-registry", "--allow-insecure-registry", image});
  return args;
}

std::vector<std::string> Signing(std::string command, const std::string& key) {
  return {std::move(command), "--key=" + KeyReference(key), "--tlog-upload=false", "--yes"};
}

std::string Base64(const std::string& text, bool decode) {
  std::vector<std::string> command{"base64", "--wrap=0"};
  if (decode) command.emplace_back("--decode");
  const auto done = Execute(command, text);
  EXPECT_TRUE(done.ok()) << done.text;
  return done.text;
}

std::string File(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  return path;
}

}  // namespace

std::string Supply::Scratch(const std::string& name) {
  static const Folder folder;
  return folder.path() + "/" + name;
}

// ---- images ----

std::string Supply::Repository(const std::string& name, const std::string& folder) {
  static const std::string run = [] {
    std::ostringstream text;
    text << std::hex << std::chrono::system_clock::now().time_since_epoch().count() / 1'000'000;
    return text.str();
  }();
  return std::string(kRegistry) + "/" + folder + "/" + name + "-" + run;
}

std::string Supply::Image(const std::string& name, const std::string& kind) {
  const std::string repository = Repository(name);
  const Sample& sample = SampleOf(kind);
  const auto copied = Execute({"crane", "copy", "--insecure", sample.image, repository + ":1"});
  EXPECT_TRUE(copied.ok()) << copied.text;
  return repository + "@" + sample.Digest();
}

// ---- cosign, by hand ----

Output Supply::Cosign(std::vector<std::string> args) {
  args.insert(args.begin(), CosignPath());
  return Execute(args);
}

std::string Supply::PublicKey(const std::string& key) {
  const std::string path = Scratch(key + ".pub");
  if (fs::exists(path)) return path;
  const auto written = Cosign({"public-key", "--key=" + KeyReference(key), "--outfile=" + path});
  EXPECT_TRUE(written.ok()) << written.text;
  return path;
}

void Supply::Sign(const std::string& image, const std::string& key) {
  const auto signed_by_hand = Cosign(ToRegistry(Signing("sign", key), image));
  ASSERT_TRUE(signed_by_hand.ok()) << signed_by_hand.text;
}

void Supply::Attest(const std::string& image, const std::string& key, const std::string& type,
                    const Json& predicate) {
  auto args = Signing("attest", key);
  args.push_back("--type=" + type);
  args.push_back("--predicate=" + File(Scratch("predicate.json"), predicate.dump()));
  const auto attested = Cosign(ToRegistry(args, image));
  ASSERT_TRUE(attested.ok()) << attested.text;
}

// Without a root file cosign asks the internet for roots that a key does not need.
Output Supply::Verify(const std::string& image, const std::string& key) {
  const std::string file = PublicKey(key);
  std::vector<std::string> args{"env",           "SIGSTORE_ROOT_FILE=" + file, CosignPath(), "verify",
                                "--key=" + file, "--insecure-ignore-tlog"};
  return Execute(ToRegistry(args, image));
}

Output Supply::VerifyAttestation(const std::string& image, const std::string& key, const std::string& type) {
  const std::string file = PublicKey(key);
  std::vector<std::string> args{
      "env",           "SIGSTORE_ROOT_FILE=" + file, CosignPath(),    "verify-attestation",
      "--key=" + file, "--insecure-ignore-tlog",     "--type=" + type};
  return Execute(ToRegistry(args, image));
}

Json Supply::Envelope(const std::string& image) {
  const auto there = Cosign(ToRegistry({"download", "attestation"}, image));
  EXPECT_TRUE(there.ok()) << there.text;
  return Json::parse(there.text, nullptr, false);
}

void Supply::Attach(const std::string& image, const Json& envelope) {
  const std::string file = File(Scratch("envelope.json"), envelope.dump());
  const auto attached = Cosign(ToRegistry({"attach", "attestation", "--attestation=" + file}, image));
  ASSERT_TRUE(attached.ok()) << attached.text;
}

Json Supply::StatementOf(const Json& envelope) {
  return Json::parse(Base64(envelope.value("payload", ""), true), nullptr, false);
}

Json Supply::Altered(Json envelope, const std::string& what, const std::string& by) {
  std::string text = Base64(envelope.value("payload", ""), true);
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what << " is not in " << text;
  if (at != std::string::npos) text.replace(at, what.size(), by);
  envelope["payload"] = Base64(text, false);
  return envelope;
}

Json Supply::ProvenanceOf(const std::string& source, const std::string& builder) {
  Json predicate;
  predicate["buildDefinition"] = {{"buildType", "https://slipway.test/by-hand/v1"},
                                  {"externalParameters", {{"source", {{"url", source}}}}}};
  predicate["runDetails"]["builder"]["id"] = builder;
  return predicate;
}

// ---- Releases ----

Json Supply::Gates(const std::string& signer, const std::vector<std::string>& attestations) {
  Json gates;
  gates["signature"]["signer"] = signer;
  if (!attestations.empty()) gates["attestations"] = attestations;
  return gates;
}

Json Supply::Deliver(const std::string& kind, const std::string& image, const Json& gates) {
  Json spec = Spec(kind, Json::array());
  spec.erase("steps");
  spec.erase("progressDeadline");
  spec["strategy"]["rolling"]["progressDeadline"] = "120s";
  spec["image"] = image;
  if (!gates.is_null()) spec["gates"] = gates;
  return spec;
}

void Supply::Release(const Json& spec) {
  const Json release = {{"apiVersion", "slipway.dev/v1alpha1"},
                        {"kind", "Release"},
                        {"metadata", {{"name", "web"}}},
                        {"spec", spec}};
  Apply(ns_, release.dump());
}

Json Supply::ReleaseStatus() const { return GetJson(ns_, "release", "web").value("status", Json::object()); }

std::string Supply::Held(const std::string& reason, Seconds limit) {
  Json ready;
  EXPECT_TRUE(Eventually(limit, "the Release is " + reason, [&](std::string& seen) {
    const Json release = GetJson(ns_, "release", "web");
    ready = Condition(release, "Ready");
    seen = ready.dump();
    return ready.is_object() && ready.value("reason", "") == reason &&
           ready.value("observedGeneration", 0) == release["metadata"].value("generation", -1);
  })) << reason;
  return ready.is_object() ? ready.value("message", "") : "";
}

Json Supply::Delivered(Seconds limit) {
  Json entry;
  EXPECT_TRUE(Eventually(limit, "the delivery ends", [&](std::string& seen) {
    const Json history = ReleaseStatus().value("history", Json::array());
    entry = history.empty() ? Json::object() : history[0];
    seen = entry.dump();
    return !entry.value("outcome", "").empty();
  }));
  EXPECT_EQ(entry.value("outcome", ""), "Promoted") << entry;
  return entry;
}

void Supply::Refused(const Json& spec, const std::string& reason, const std::vector<std::string>& words) {
  Release(spec);
  const std::string message = Held(reason);
  HasWords(message, words);
  Show(reason + ": " + message);
  EXPECT_TRUE(ReleaseStatus().value("history", Json::array()).empty()) << ReleaseStatus();
  EXPECT_EQ(GetJson(ns_, "canarypromotions")["items"].size(), 0U);
  ExpectStable(stable_);
}

// ---- ImageBuilds ----

Json Supply::BuildSpec(const std::string& name, const std::string& revision) {
  Json spec;
  spec["source"]["git"] = {{"url", kSourceUrl}, {"revision", revision}};
  spec["build"] = {{"timeout", "5m"}};
  spec["scan"] = {{"failOn", "High"}, {"ignoreUnfixed", true}};
  spec["output"]["repository"] = Repository(name);
  return spec;
}

Json Supply::TestedSpec(const std::string& name, const std::string& revision) {
  const std::string base = std::string(kRegistry) + "/slipway/sample-base";
  const Output digest = Execute({"crane", "digest", "--insecure", base + ":1"});
  EXPECT_TRUE(digest.ok()) << digest.text;
  const Json test = {{"name", "unit"},
                     {"image", base + "@" + Trimmed(digest.text)},
                     {"command", {"/bin/true"}},
                     {"timeout", "60s"}};
  Json spec = BuildSpec(name, revision);
  spec["tests"] = Json::array({test});
  return spec;
}

void Supply::Build(const std::string& ns, const std::string& name, const Json& spec) {
  Json object = {{"apiVersion", "slipway.dev/v1alpha1"}, {"kind", "ImageBuild"}, {"spec", spec}};
  object["metadata"]["name"] = name;
  Apply(ns, object.dump());
}

void SharedSupply::SetUp() {
  static std::set<std::string> begun;
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  if (!begun.insert(test->test_suite_name()).second) return;
  ASSERT_NO_FATAL_FAILURE(Story::SetUp());
  Share();
}

}  // namespace slipway::testing
