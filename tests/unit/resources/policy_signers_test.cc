// Who may sign, as the policy says it, and what no spec may loosen.
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "resources/policy.h"
#include "support/hostile.h"

namespace slipway::resources {
namespace {

constexpr const char* kPolicy = R"(
supplyChain: {registrySecret: registry, caBundle: registry-authorities}
builderId: https://platform.example/slipway
signers:
  release:
    key:
      secret: release-key
      publicKey: |
        -----BEGIN PUBLIC KEY-----
        AAAA
        -----END PUBLIC KEY-----
  cloud:
    kms:
      uri: hashivault://release
      environment: vault
      serviceAccount: signer
      publicKey: |
        -----BEGIN PUBLIC KEY-----
        BBBB
        -----END PUBLIC KEY-----
  public:
    keyless: {fulcio: "https://fulcio.example", rekor: "https://rekor.example", oidcIssuer: "https://oidc.example",
              identity: "https://platform.example/signer", serviceAccount: signer,
              roots: {fulcio: "-----BEGIN CERTIFICATE-----\nC\n-----END CERTIFICATE-----\n",
                      rekor: "-----BEGIN PUBLIC KEY-----\nR\n-----END PUBLIC KEY-----\n",
                      ctLog: "-----BEGIN PUBLIC KEY-----\nT\n-----END PUBLIC KEY-----\n"}}
namespaces:
  team-a:
    repositories: [registry.example.com/team]
    signers: [release, public]
    minimum:
      scan: {failOn: High, countUnfixed: true, longestException: 720h}
      build: {attest: [Provenance, SPDX, Scan]}
      delivery: {signer: release, attestations: [Provenance, Approvals], attestedIn: [staging], attest: true}
    environments: [staging, qa]
)";

constexpr const char* kPem = "'-----BEGIN PUBLIC KEY-----\n\n      A\n\n      -----END PUBLIC KEY-----'";

constexpr const char* kOthers =
    "fulcio: 'https://f.example', rekor: 'https://r.example', oidcIssuer: 'https://o.example', identity: i, "
    "serviceAccount: s";

Result<Policy> ReadAll() { return ParsePolicy(kPolicy); }

NamespacePolicy TeamA() {
  const auto map =
      PolicyMap::Decode({{"metadata", {{"name", "slipway-policy"}, {"namespace", "slipway-system"}}},
                         {"data", {{"policy.yaml", kPolicy}}}});
  EXPECT_TRUE(map && map->policy) << (map ? map->policy.error().message : map.error().message);
  return *PolicyFor(&*map, "team-a");
}

// A spec that keeps the minimum of team-a.
ImageBuildSpec Kept() {
  ImageBuildSpec spec = ImageBuild::Decode(testing::GoodImageBuild())->spec;
  spec.output.repository = "registry.example.com/team/app";
  spec.output.credentials_secret_ref.reset();
  spec.source.credentials_secret_ref.reset();
  spec.build.cache.reset();
  spec.scan.ignore_unfixed = false;
  spec.attest = AttestSpec{"release", {SbomFormat::kSpdx}, true};
  return spec;
}

TEST(SignersTest, EveryFieldIsRead) {
  const auto policy = ReadAll();
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->registry_secret, "registry");
  EXPECT_EQ(policy->ca_bundle, "registry-authorities");
  EXPECT_EQ(policy->builder_id, "https://platform.example/slipway");
  EXPECT_EQ(policy->FindSigner("nobody"), nullptr);
  const Signer* release = policy->FindSigner("release");
  ASSERT_NE(release, nullptr);
  EXPECT_EQ(release->name, "release");
  EXPECT_EQ(release->kind, Signer::Kind::kKey);
  EXPECT_EQ(release->secret, "release-key");
  EXPECT_EQ(release->public_key, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
  const Signer* cloud = policy->FindSigner("cloud");
  EXPECT_EQ(cloud->kind, Signer::Kind::kKms);
  EXPECT_EQ(cloud->kms_uri, "hashivault://release");
  EXPECT_EQ(cloud->service_account, "signer");
  EXPECT_EQ(cloud->environment, "vault");
  const Signer* open = policy->FindSigner("public");
  EXPECT_EQ(open->kind, Signer::Kind::kKeyless);
  EXPECT_EQ(open->fulcio, "https://fulcio.example");
  EXPECT_EQ(open->rekor, "https://rekor.example");
  EXPECT_EQ(open->oidc_issuer, "https://oidc.example");
  EXPECT_EQ(open->identity, "https://platform.example/signer");
  EXPECT_EQ(open->audience, "sigstore") << "as Fulcio has it";
  EXPECT_EQ(open->fulcio_root, "-----BEGIN CERTIFICATE-----\nC\n-----END CERTIFICATE-----\n");
  EXPECT_EQ(open->rekor_key, "-----BEGIN PUBLIC KEY-----\nR\n-----END PUBLIC KEY-----\n");
  EXPECT_EQ(open->ct_log_key, "-----BEGIN PUBLIC KEY-----\nT\n-----END PUBLIC KEY-----\n");
}

TEST(SignersTest, AMinimumIsRead) {
  const NamespacePolicy team = TeamA();
  EXPECT_EQ(team.signers, (std::vector<std::string>{"release", "public"}));
  EXPECT_EQ(team.origin, "ConfigMap slipway-system/slipway-policy, namespaces.team-a");
  const Minimum& minimum = team.minimum;
  EXPECT_EQ(minimum.fail_on, Severity::kHigh);
  EXPECT_TRUE(minimum.count_unfixed);
  EXPECT_EQ(minimum.longest_exception, std::chrono::hours(720));
  EXPECT_EQ(minimum.attest,
            (std::vector<Predicate>{Predicate::kProvenance, Predicate::kSpdx, Predicate::kScan}));
  EXPECT_EQ(minimum.delivery_signer, "release");
  EXPECT_EQ(minimum.delivery_attestations,
            (std::vector<Predicate>{Predicate::kProvenance, Predicate::kApprovals}));
  EXPECT_EQ(minimum.delivery_attested_in, std::vector<std::string>{"staging"});
  EXPECT_TRUE(minimum.delivery_attest);
  EXPECT_EQ(team.environments, (std::vector<std::string>{"staging", "qa"}));
}

TEST(SignersTest, WhatIsNotSaidIsNotAskedFor) {
  const auto policy = ParsePolicy("namespaces: {a: {}}");
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->builder_id, "https://slipway.dev/operator");
  EXPECT_TRUE(policy->registry_secret.empty() && policy->ca_bundle.empty() && policy->signers.empty());
  const auto& space = *policy->For("a");
  EXPECT_TRUE(space.signers.empty() && space.minimum.attest.empty() && space.minimum.delivery_signer.empty());
  EXPECT_FALSE(space.minimum.fail_on);
  EXPECT_FALSE(space.minimum.count_unfixed);
  EXPECT_EQ(space.minimum.longest_exception, Duration(0));
}

TEST(ScanPolicyTest, HowOftenAndWhatIsDemandedIsRead) {
  EXPECT_EQ(ParsePolicy("namespaces: {}")->rescan_interval, Duration(0)) << "nobody asked for it";
  for (const char* never : {"rescanInterval: 0", "rescanInterval: 0s"}) {
    const auto policy = ParsePolicy(never);
    ASSERT_TRUE(policy) << policy.error().message;
    EXPECT_EQ(policy->rescan_interval, Duration(0));
  }
  const auto policy = ParsePolicy(R"(
rescanInterval: 24h
namespaces:
  a: {minimum: {delivery: {scan: {failOn: Medium, maxAge: 2h}}}}
  b: {minimum: {delivery: {scan: {}}}}
  c: {}
)");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->rescan_interval, std::chrono::hours(24));
  const auto& strict = policy->For("a")->minimum.delivery_scan;
  ASSERT_TRUE(strict);
  EXPECT_EQ(strict->fail_on, Severity::kMedium);
  EXPECT_EQ(strict->max_age, std::chrono::hours(2));
  const auto& plain = policy->For("b")->minimum.delivery_scan;
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->fail_on, Severity::kHigh);
  EXPECT_EQ(plain->max_age, std::chrono::hours(24));
  EXPECT_FALSE(policy->For("c")->minimum.delivery_scan);
}

TEST(SignersTest, AnErrorNamesTheFieldAndTheMend) {
  const std::string pem = kPem;
  struct Row {
    std::string yaml;
    std::vector<const char*> words;
  };
  const std::vector<Row> rows{
      {"signers: []", {"signers: must be a map"}},
      {"signers: {A_B: {}}", {"signers.A_B", "lower-case"}},
      {"signers: {a: {}}", {"signers.a", "exactly one of key, kms and keyless"}},
      {"signers: {a: {file: x}}", {"signers.a.file: is not known", "key, kms and keyless"}},
      {"signers: {a: {key: {secret: s}}}", {"signers.a.key", "both secret and publicKey"}},
      {"signers:\n  a: {key: {publicKey: " + pem + "}}", {"signers.a.key", "both secret and publicKey"}},
      {"signers: {a: {key: {secret: s, publicKey: x}}}", {"signers.a.key.publicKey", "in PEM"}},
      {"signers: {a: {key: {secret: s, publicKey: [x]}}}", {"signers.a.key.publicKey", "in PEM"}},
      {"signers:\n  a: {key: {secret: s, publicKey: '-----BEGIN PRIVATE KEY-----'}}",
       {"publicKey", "in PEM"}},
      {"signers: {a: {key: {secret: ../s}}}", {"signers.a.key.secret", "name of an object"}},
      {"signers: {a: {key: {password: s}}}", {"signers.a.key.password: is not known"}},
      {"signers: {a: {kms: {uri: 'http://x'}}}", {"signers.a.kms.uri", "hashivault://"}},
      {"signers: {a: {kms: {uri: 'awskms://a b'}}}", {"signers.a.kms.uri"}},
      {"signers: {a: {kms: {uri: 'awskms:///alias/a'}}}", {"signers.a.kms", "both uri and publicKey"}},
      {"signers: {a: {keyless: {fulcio: 'https://f'}}}", {"signers.a.keyless", "fulcio, rekor, oidcIssuer"}},
      {"signers: {a: {keyless: {fulcio: 'file:///x'}}}", {"signers.a.keyless.fulcio", "https://"}},
      {"signers:\n  a: {kms: {uri: 'hashivault://a', publicKey: " + pem + "}}",
       {"signers.a.kms", "environment", "VAULT_ADDR and VAULT_TOKEN"}},
      {"signers: {a: {kms: {token: x}}}", {"signers.a.kms.token: is not known", "environment"}},
      {std::string("signers: {a: {keyless: {") + kOthers + "}}}",
       {"signers.a.keyless", "must have roots", "https://fulcio.sigstore.dev"}},
      {std::string("signers:\n  a: {keyless: {") + kOthers + ", roots: {rekor: " + pem + "}}}",
       {"signers.a.keyless.roots", "must have fulcio, rekor and ctLog"}},
      {"signers:\n  a: {keyless: {roots: {fulcio: " + pem + "}}}",
       {"signers.a.keyless.roots.fulcio", "must be a certificate in PEM"}},
      {"signers: {a: {keyless: {roots: {tsa: x}}}}", {"roots.tsa: is not known", "fulcio, rekor and ctLog"}},
      {"supplyChain: {secret: x}", {"supplyChain.secret: is not known", "registrySecret and caBundle"}},
      {"supplyChain: {caBundle: -x}", {"supplyChain.caBundle", "name of an object"}},
      {"supplyChain: {registrySecret: -x}", {"supplyChain.registrySecret", "name of an object"}},
      {"builderId: slipway", {"builderId", "https://"}},
      {"namespaces: {a: {signers: [b]}}", {"namespaces.a.signers", "b is not in signers"}},
      {"namespaces: {a: {minimum: {delivery: {signer: b}}}}",
       {"minimum.delivery.signer", "b is not in signers"}},
      {"namespaces: {a: {minimum: {delivery: {attestations: [Scan]}}}}",
       {"minimum.delivery", "must have a signer"}},
      {"namespaces: {a: {minimum: {delivery: {scan: {}, attestations: [Scan]}}}}",
       {"minimum.delivery", "must have a signer"}},
      {"namespaces: {a: {minimum: {delivery: {}}}}", {"minimum.delivery", "must have a signer"}},
      {"namespaces: {a: {minimum: {delivery: {scan: {failOn: Unknown}}}}}",
       {"delivery.scan.failOn", "Low, Medium, High or Critical"}},
      {"namespaces: {a: {minimum: {delivery: {scan: {maxAge: 0s}}}}}", {"delivery.scan.maxAge", "a time"}},
      {"namespaces: {a: {minimum: {delivery: {scan: {exceptions: []}}}}}",
       {"delivery.scan.exceptions: is not known", "failOn and maxAge"}},
      {"rescanInterval: 30s", {"rescanInterval", "1m or longer"}},
      {"rescanInterval: daily", {"rescanInterval", "a time such as"}},
      {"rescanInterval: []", {"rescanInterval", "a time such as"}},
      {"namespaces: {a: {minimum: {delivery: {signer: b, attestations: [SBOM]}}}}",
       {"minimum.delivery.attestations[0]", "Provenance, SPDX, CycloneDX, Scan"}},
      {"signers:\n  b: {key: {secret: s, publicKey: " + pem +
           "}}\nnamespaces: {a: {minimum: {delivery: {signer: b, attestations: [Canary]}}}}",
       {"minimum.delivery", "must have attestedIn"}},
      {"signers:\n  b: {key: {secret: s, publicKey: " + pem +
           "}}\nnamespaces: {a: {minimum: {delivery: {signer: b, attestations: [Scan], attestedIn: [c]}}}}",
       {"minimum.delivery", "must have attestedIn", "with them only"}},
      {"namespaces: {a: {minimum: {delivery: {attestedIn: [A_B]}}}}", {"attestedIn[0]", "lower-case"}},
      {"namespaces: {a: {minimum: {delivery: {attestedIn: [b, c, d, e, f, g]}}}}",
       {"minimum.delivery.attestedIn", "5 environments at most"}},
      {"namespaces: {a: {minimum: {delivery: {attest: yes please}}}}", {"delivery.attest"}},
      {"namespaces: {a: {environments: [" + std::string(41, 'a') + "]}}",
       {"environments[0]", "40 characters"}},
      {"signers:\n  s: {key: {secret: s, publicKey: " + pem +
           "}}\nnamespaces: {a: {environments: [b]}, b: {signers: [s]}}",
       {"namespaces.a.environments", "b is what Releases of namespace b would attest as"}},
      {"signers:\n  s: {key: {secret: s, publicKey: " + pem +
           "}}\nnamespaces: {a: {environments: [b]}, '*': {signers: [s]}}",
       {"namespaces.a.environments", "entry b without signers"}},
      {"namespaces: {a: {environments: [b, b]}}", {"environments[1]", "is there twice"}},
      {"namespaces: {a: {environments: b}}", {"environments"}},
      {"namespaces: {a: {minimum: {build: {attest: [Approvals]}}}}",
       {"minimum.build.attest[0]", "must be one of Provenance, SPDX, CycloneDX, Scan, Tests"}},
      {"namespaces: {a: {minimum: {build: {attest: [Scan, Scan]}}}}", {"attest[1]", "is there twice"}},
      {"namespaces: {a: {minimum: {build: {sign: x}}}}", {"minimum.build.sign: is not known"}},
      {"namespaces: {a: {minimum: {scan: {failOn: Unknown}}}}",
       {"scan.failOn", "Low, Medium, High or Critical"}},
      {"namespaces: {a: {minimum: {scan: {ignoreUnfixed: true}}}}", {"scan.ignoreUnfixed: is not known"}},
      {"namespaces: {a: {minimum: {scan: {longestException: never}}}}", {"longestException", "a time"}},
      {"namespaces: {a: {minimum: {tests: {}}}}",
       {"minimum.tests: is not known", "scan, build and delivery"}},
  };
  for (const Row& row : rows) {
    const auto policy = ParsePolicy(row.yaml);
    ASSERT_FALSE(policy) << row.yaml;
    for (const char* word : row.words) {
      EXPECT_NE(policy.error().message.find(word), std::string::npos)
          << word << " is not in: " << policy.error().message;
    }
  }
}

TEST(SignersTest, ThePublicSigstoreNeedsNoRoots) {
  const auto policy = ParsePolicy(
      "signers: {a: {keyless: {fulcio: 'https://fulcio.sigstore.dev', rekor: 'https://rekor.sigstore.dev', "
      "oidcIssuer: 'https://o.example', identity: i, serviceAccount: s}}}");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_TRUE(policy->FindSigner("a")->fulcio_root.empty());
}

TEST(MinimumTest, ASpecThatKeepsItIsAllowed) {
  const NamespacePolicy team = TeamA();
  const auto violation = Check(Kept(), &team, "team-a");
  EXPECT_FALSE(violation) << violation->message;
  ImageBuildSpec stricter = Kept();
  stricter.scan.fail_on = Severity::kLow;
  stricter.attest->sbom = {SbomFormat::kSpdx, SbomFormat::kCycloneDx};
  EXPECT_FALSE(Check(stricter, &team, "team-a"));
  const NamespacePolicy lax{.repositories = {"registry.example.com/team"}};
  ImageBuildSpec loose = Kept();
  loose.scan.fail_on = Severity::kCritical;
  loose.scan.ignore_unfixed = true;
  loose.scan.vex = {"openvex"};
  loose.attest.reset();
  EXPECT_FALSE(Check(loose, &lax, "team-a")) << "nothing is asked for there";
}

TEST(MinimumTest, WhatASpecLoosensIsNamedWithThePolicysField) {
  struct Row {
    const char* field;
    const char* reason;
    const char* term;
    std::function<void(ImageBuildSpec&)> loosen;
  };
  const std::vector<Row> rows{
      {"spec.scan.failOn", "GateLoosened", "scan.failOn",
       [](auto& s) { s.scan.fail_on = Severity::kCritical; }},
      {"spec.scan.ignoreUnfixed", "GateLoosened", "scan.countUnfixed",
       [](auto& s) { s.scan.ignore_unfixed = true; }},
      {"spec.scan.vex", "GateLoosened", "scan.longestException", [](auto& s) { s.scan.vex = {"openvex"}; }},
      {"spec.attest", "GateLoosened", "build.attest", [](auto& s) { s.attest.reset(); }},
      {"spec.attest.provenance", "GateLoosened", "build.attest",
       [](auto& s) { s.attest->provenance = false; }},
      {"spec.attest.sbom", "GateLoosened", "build.attest", [](auto& s) { s.attest->sbom.clear(); }},
      {"spec.attest.sbom", "GateLoosened", "build.attest",
       [](auto& s) { s.attest->sbom = {SbomFormat::kCycloneDx}; }},
  };
  const NamespacePolicy team = TeamA();
  for (const Row& row : rows) {
    ImageBuildSpec spec = Kept();
    row.loosen(spec);
    const auto violation = Check(spec, &team, "team-a");
    ASSERT_TRUE(violation) << row.field;
    EXPECT_EQ(violation->field, row.field);
    EXPECT_EQ(violation->reason, row.reason);
    EXPECT_TRUE(violation->message.starts_with(violation->field + ": ")) << violation->message;
    const std::string named =
        std::string("(ConfigMap slipway-system/slipway-policy, namespaces.team-a.minimum.") + row.term + ")";
    EXPECT_TRUE(violation->message.contains(named)) << violation->message;
  }
}

TEST(MinimumTest, TestsThatMustBeAttestedMustBeThere) {
  NamespacePolicy team = TeamA();
  team.minimum.attest = {Predicate::kTests};
  ImageBuildSpec spec = Kept();
  spec.tests.clear();
  const auto violation = Check(spec, &team, "team-a");
  ASSERT_TRUE(violation);
  EXPECT_EQ(violation->field, "spec.tests");
  spec.tests = {TestSpec{.name = "unit", .image = testing::kGoodImage}};
  EXPECT_FALSE(Check(spec, &team, "team-a"));
}

TEST(MinimumTest, WhatIsNotPushedNeedsNoAttestation) {
  const NamespacePolicy team = TeamA();
  ImageBuildSpec spec = Kept();
  spec.attest.reset();
  spec.output.push = false;
  const auto violation = Check(spec, &team, "team-a");
  EXPECT_FALSE(violation) << violation->message;
}

TEST(MinimumTest, ASignerMustBeAllowedInTheNamespace) {
  const NamespacePolicy team = TeamA();
  ImageBuildSpec spec = Kept();
  spec.attest->signer = "cloud";
  const auto violation = Check(spec, &team, "team-a");
  ASSERT_TRUE(violation);
  EXPECT_EQ(violation->field, "spec.attest.signer");
  EXPECT_EQ(violation->reason, "SignerNotAllowed");
  EXPECT_TRUE(violation->message.contains("allows release, public")) << violation->message;
}

TEST(MinimumTest, AnExceptionIsBorneSoLongAndNoLonger) {
  const NamespacePolicy team = TeamA();
  const TimePoint now = *ParseTime("2026-01-01T00:00:00Z");
  const std::vector<std::pair<const char*, bool>> rows{{"2026-01-31", true},
                                                       {"2026-02-01", false},
                                                       {"2025-12-31", true},
                                                       {"2099-12-31", false},
                                                       {"2026-02-30", false}};
  for (const auto& [day, kept] : rows) {
    ImageBuildSpec spec = Kept();
    spec.scan.exceptions = {{"CVE-2024-1", "", "2026-01-02", "no fix"}, {"CVE-2024-2", "", day, "no fix"}};
    const auto violation = CheckTerms(spec, &team, now);
    EXPECT_EQ(violation.has_value(), !kept) << day;
    if (!violation) continue;
    EXPECT_EQ(violation->field, "spec.scan.exceptions[1].expires");
    EXPECT_EQ(violation->reason, "GateLoosened");
    EXPECT_TRUE(violation->message.contains("bears CVE-2024-2 for 720h")) << violation->message;
    EXPECT_TRUE(violation->message.contains("namespaces.team-a.minimum.scan.longestException"))
        << violation->message;
  }
  ImageBuildSpec spec = Kept();
  spec.scan.exceptions = {{"CVE-2024-1", "", "2099-12-31", "no fix"}};
  const NamespacePolicy lax;
  EXPECT_FALSE(CheckTerms(spec, &lax, now));
  EXPECT_FALSE(CheckTerms(spec, nullptr, now));
}

}  // namespace
}  // namespace slipway::resources
