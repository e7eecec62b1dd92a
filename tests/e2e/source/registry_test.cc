// Where an image goes to and what it is made from: a registry with a password and TLS of a private authority,
// the layer cache, and each Secret in no other hands than those that need it.
#include <ctime>
#include <iostream>
#include <set>
#include <sstream>

#include "e2e/source/fixture.h"

namespace slipway::testing {
namespace {

class Registry : public Source {
 protected:
  // The slow one first: the others' time is within its own.
  void StartBuilds() override {
    Json spec = Spec("slow", Push("slow"));
    spec["build"]["cache"]["repository"] = FreshCache(kPublic);
    Make("slow", spec);
    ASSERT_NO_FATAL_FAILURE(CopyBase());
    const std::string dockerfile = "FROM " + std::string(kPrivate) +
                                   "/slipway/sample-base:1\nRUN echo prepared > /prepared.txt\n"
                                   "COPY site/ /site/\n";
    Commit({{"Dockerfile", dockerfile}}, kBased);
    Authority();
  }

  // Of this process alone, so that no layer of an earlier one is found.
  static std::string FreshCache(const std::string& registry) {
    return registry + "/cache/e2e-source/" + std::to_string(std::time(nullptr));
  }

  // The base image, behind the password too.
  static void CopyBase() {
    const auto copied = CranePrivate({"copy", "--insecure", std::string(kPublic) + "/slipway/sample-base:1",
                                      std::string(kPrivate) + "/slipway/sample-base:1"});
    ASSERT_TRUE(copied.ok()) << copied.text;
  }

  Json PrivateSpec(const std::string& name) const {
    Json spec = Spec(name, kBased);
    spec["caBundleRef"] = Ref("authority");
    spec["output"] = {{"repository", Repository(name, kPrivate)},
                      {"credentialsSecretRef", Ref("push-credentials")}};
    return spec;
  }

  // A branch on the base image behind the password.
  static constexpr const char* kBased = "refs/heads/private-base";
};

using Hands = std::map<std::string, std::set<std::string>>;

// The Secrets that each container of the pod mounts.
Hands SecretsByContainer(const Json& pod) {
  std::map<std::string, std::string> secret_of;
  for (const auto& volume : pod.at("spec").at("volumes")) {
    if (volume.contains("secret")) secret_of[volume.at("name")] = volume.at("secret").at("secretName");
  }
  Hands hands;
  for (const char* kind : {"initContainers", "containers"}) {
    for (const auto& container : pod.at("spec").value(kind, Json::array())) {
      auto& mounted = hands[container.at("name")];
      for (const auto& mount : container.value("volumeMounts", Json::array())) {
        const auto secret = secret_of.find(mount.at("name"));
        if (secret != secret_of.end()) mounted.insert(secret->second);
      }
    }
  }
  return hands;
}

TEST_F(Registry, APasswordAndAPrivateAuthorityWithASecretForEachUse) {
  BasicAuth("testbed");
  for (const char* secret : {"push-credentials", "base-credentials", "cache-credentials"})
    DockerConfig(secret);
  Json spec = PrivateSpec("web");
  const std::string cache = FreshCache(kPrivate);
  spec["source"]["git"]["credentialsSecretRef"] = Ref("git-credentials");
  spec["build"]["baseCredentialsSecretRef"] = Ref("base-credentials");
  spec["build"]["cache"] = {{"repository", cache}, {"credentialsSecretRef", Ref("cache-credentials")}};
  Make("web", spec);
  const auto run = Succeeds("web");

  const std::string image = run.value("image", "");
  EXPECT_NE(image.find(Repository("web", kPrivate) + "@sha256:"), std::string::npos) << run;
  EXPECT_TRUE(CranePrivate({"manifest", image}).ok());
  EXPECT_FALSE(Crane({"manifest", image}).ok()) << "the registry asks nobody for a password";
  EXPECT_EQ(run.value("/bases/0/image"_json_pointer, ""), std::string(kPrivate) + "/slipway/sample-base:1")
      << run;
  const auto layers = CranePrivate({"ls", cache + "/e2e-source/trusted"});
  EXPECT_TRUE(layers.ok()) << layers.text;
  EXPECT_FALSE(layers.text.empty()) << "nothing was kept in the cache";

  const Hands wanted{{"source", {"git-credentials"}},
                     {"prepare", {"base-credentials", "cache-credentials"}},
                     {"build", {}},
                     {"scan", {}},
                     {"sarif", {}},
                     {"gate", {}},
                     {"push", {"push-credentials"}}};
  const auto pod = GetJson(ns_, "pod", PodOf(JobOf(run, "Build")));
  EXPECT_EQ(SecretsByContainer(pod), wanted);
  EXPECT_EQ(SecretsByContainer(GetJson(ns_, "pod", PodOf(JobOf(run, "Resolve")))),
            (Hands{{"resolve", {"git-credentials"}}}));
}

TEST_F(Registry, AWrongPasswordIsToldByTheSecretThatHoldsIt) {
  DockerConfig("push-credentials", "not-the-one");
  DockerConfig("base-credentials", "not-the-one");
  Json push = PrivateSpec("denied");
  push["source"]["git"]["revision"] = Push("good");
  Make("push", push);
  Json base = Spec("base", kBased);
  base["caBundleRef"] = Ref("authority");
  base["build"]["baseCredentialsSecretRef"] = Ref("base-credentials");
  Make("base", base);
  const auto denied =
      Fails("push", "RegistryDenied", {"spec.output.credentialsSecretRef", "push-credentials", kPrivate});
  EXPECT_EQ(denied.dump().find("not-the-one"), std::string::npos) << "a password is never told";
  EXPECT_FALSE(CranePrivate({"ls", Repository("denied", kPrivate)}).ok()) << "something was pushed";

  Json wary = PrivateSpec("wary");
  wary["source"]["git"]["revision"] = push["source"]["git"]["revision"];
  wary.erase("caBundleRef");
  Make("wary", wary);
  Fails("base", "BaseImageDenied", {"spec.build.baseCredentialsSecretRef", "Dockerfile:1"});
  Fails("wary", "CertificateUntrusted", {"spec.caBundleRef", kPrivate});
}

// The value of the operator's counter.
double CounterOf(const std::string& line_begins) {
  const auto pods = GetJson("slipway-system", "pods")["items"];
  for (const auto& pod : pods) {
    const std::string name = pod.at("metadata").at("name");
    const auto text =
        Kubectl({"get", "--raw", "/api/v1/namespaces/slipway-system/pods/" + name + ":8080/proxy/metrics"});
    std::istringstream lines(text.text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(line_begins)) return std::stod(line.substr(line.rfind(' ')));
    }
  }
  return -1;
}

TEST_F(Registry, TheLayerCacheSparesTheNextBuildWhatHasNotChanged) {
  const auto first = Succeeds("slow");
  EXPECT_EQ(first.value("/cache/hits"_json_pointer, -1), 0) << first;

  Json spec = GetJson(ns_, "imagebuild", "slow")["spec"];
  spec["source"]["git"]["revision"] = Push("slow");
  Make("slow", spec);
  const auto second = Succeeds("slow");
  ASSERT_NE(first.value("image", ""), second.value("image", ""));
  const double slow = SecondsOf(first, "build");
  const double fast = SecondsOf(second, "build");
  std::cout << "build without a cache " << slow << " s, with it " << fast << " s\n";
  EXPECT_GE(slow, fast + 15) << "the step that takes 20 s is spared";
  const int hits = second.value("/cache/hits"_json_pointer, 0);
  EXPECT_GT(hits, 0) << second;
  EXPECT_GE(CounterOf(R"(slipway_cache_steps_total{result="hit"})"), hits);
  EXPECT_GE(CounterOf(R"(slipway_cache_steps_total{result="miss"})"), 1);
}

}  // namespace
}  // namespace slipway::testing
