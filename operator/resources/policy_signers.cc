// Who may sign, and what no spec may loosen, as policy.yaml says it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "resources/policy_reader.h"

namespace slipway::resources {
namespace {

constexpr std::size_t kLongestPem = 8192;
constexpr std::string_view kPublicKey = "PUBLIC KEY";
constexpr std::array<std::string_view, 4> kSeverities{"Low", "Medium", "High", "Critical"};
// What a build can say of its image; the rest is said of deliveries.
constexpr std::array kOfBuilds{Predicate::kProvenance, Predicate::kSpdx, Predicate::kCycloneDx,
                               Predicate::kScan, Predicate::kTests};

// As many as a spec names in gates.attestedIn: a Release's status has room for those of both.
constexpr std::size_t kMostAttestedIn = 5;
// Where a gate is demanded and nothing is said of exceptions: one for ever would open it for good.
constexpr Duration kLongestUnsaid = std::chrono::days(90);
constexpr std::string_view kPublicFulcio = "https://fulcio.sigstore.dev";
constexpr std::string_view kPublicRekor = "https://rekor.sigstore.dev";

constexpr TextRule kKmsUri{"^(awskms|azurekms|gcpkms|hashivault)://[A-Za-z0-9._:/@-]+$",
                           "must be a key's URI: hashivault://, awskms://, azurekms:// or gcpkms://"};

// A PEM of that kind, and nothing of a private key.
std::string Pem(PolicyReader& reader, const YAML::Node& node, const std::string& path,
                std::string_view kind) {
  const std::string text = node.IsScalar() ? node.Scalar() : "";
  const bool whole = text.starts_with(fmt::format("-----BEGIN {}-----\n", kind)) &&
                     text.size() <= kLongestPem && text.contains(fmt::format("\n-----END {}-----", kind)) &&
                     !text.contains("PRIVATE");
  if (!whole) {
    reader.Say(node, path,
               fmt::format("must be a {} in PEM, of at most {} bytes, beginning with -----BEGIN {}-----",
                           kind == kPublicKey ? "public key" : "certificate", kLongestPem, kind));
  }
  return text;
}

std::string PublicKey(PolicyReader& reader, const YAML::Node& node, const std::string& path) {
  return Pem(reader, node, path, kPublicKey);
}

void ReadKey(PolicyReader& reader, const YAML::Node& node, const std::string& path, Signer& out) {
  out.kind = Signer::Kind::kKey;
  reader.Map(node, path, [&](const YAML::Node& value, const std::string& at) {
    const std::string key = LastOf(at);
    if (key == "secret") {
      out.secret = reader.Text(value, at, kObjectName);
    } else if (key == "publicKey") {
      out.public_key = PublicKey(reader, value, at);
    } else {
      reader.Say(value, at, "is not known: a key has secret and publicKey");
    }
  });
  if (out.secret.empty() || out.public_key.empty())
    reader.Say(node, path, "must have both secret and publicKey");
}

void ReadKms(PolicyReader& reader, const YAML::Node& node, const std::string& path, Signer& out) {
  out.kind = Signer::Kind::kKms;
  reader.Map(node, path, [&](const YAML::Node& value, const std::string& at) {
    const std::string key = LastOf(at);
    if (key == "uri") {
      out.kms_uri = reader.Text(value, at, kKmsUri);
    } else if (key == "publicKey") {
      out.public_key = PublicKey(reader, value, at);
    } else if (key == "serviceAccount") {
      out.service_account = reader.Text(value, at, kObjectName);
    } else if (key == "environment") {
      out.environment = reader.Text(value, at, kObjectName);
    } else {
      reader.Say(value, at, "is not known: a kms has uri, publicKey, serviceAccount and environment");
    }
  });
  if (out.kms_uri.empty() || out.public_key.empty())
    reader.Say(node, path, "must have both uri and publicKey");
  if (out.kms_uri.starts_with("hashivault://") && out.environment.empty()) {
    reader.Say(node, path,
               "must have environment for hashivault://: a Secret of the supply chain's namespace with "
               "VAULT_ADDR and VAULT_TOKEN");
  }
}

void ReadRoots(PolicyReader& reader, const YAML::Node& node, const std::string& path, Signer& out) {
  reader.Map(node, path, [&](const YAML::Node& value, const std::string& at) {
    const std::string key = LastOf(at);
    if (key == "fulcio") {
      out.fulcio_root = Pem(reader, value, at, "CERTIFICATE");
    } else if (key == "rekor") {
      out.rekor_key = PublicKey(reader, value, at);
    } else if (key == "ctLog") {
      out.ct_log_key = PublicKey(reader, value, at);
    } else {
      reader.Say(value, at, "is not known: roots are fulcio, rekor and ctLog");
    }
  });
  if (out.fulcio_root.empty() || out.rekor_key.empty() || out.ct_log_key.empty()) {
    reader.Say(node, path, "must have fulcio, rekor and ctLog");
  }
}

// By the public Sigstore's keys, what another one certifies or logs is never good.
void CheckRoots(PolicyReader& reader, const YAML::Node& node, const std::string& path, const Signer& signer) {
  const bool is_public = signer.fulcio == kPublicFulcio && signer.rekor == kPublicRekor;
  if (is_public || !signer.fulcio_root.empty()) return;
  reader.Say(
      node, path,
      fmt::format("must have roots, with fulcio's certificates and the public keys of rekor and ctLog: "
                  "only {} and {} do without",
                  kPublicFulcio, kPublicRekor));
}

void ReadKeyless(PolicyReader& reader, const YAML::Node& node, const std::string& path, Signer& out) {
  out.kind = Signer::Kind::kKeyless;
  out.audience = "sigstore";
  reader.Map(node, path, [&](const YAML::Node& value, const std::string& at) {
    const std::string key = LastOf(at);
    if (key == "fulcio") {
      out.fulcio = reader.Text(value, at, kApiUrl);
    } else if (key == "rekor") {
      out.rekor = reader.Text(value, at, kApiUrl);
    } else if (key == "oidcIssuer") {
      out.oidc_issuer = reader.Text(value, at, kApiUrl);
    } else if (key == "identity") {
      out.identity = reader.Text(value, at, kPlainText);
    } else if (key == "serviceAccount") {
      out.service_account = reader.Text(value, at, kObjectName);
    } else if (key == "audience") {
      out.audience = reader.Text(value, at, kLabelName);
    } else if (key == "roots") {
      ReadRoots(reader, value, at, out);
    } else {
      reader.Say(value, at,
                 "is not known: keyless has fulcio, rekor, oidcIssuer, identity, serviceAccount, audience "
                 "and roots");
    }
  });
  const bool whole = !out.fulcio.empty() && !out.rekor.empty() && !out.oidc_issuer.empty() &&
                     !out.identity.empty() && !out.service_account.empty();
  if (!whole) {
    reader.Say(node, path, "must have fulcio, rekor, oidcIssuer, identity and serviceAccount");
  }
  CheckRoots(reader, node, path, out);
}

void ReadSigner(PolicyReader& reader, const YAML::Node& node, const std::string& path, Signer& out) {
  int kinds = 0;
  reader.Map(node, path, [&](const YAML::Node& value, const std::string& at) {
    const std::string key = LastOf(at);
    ++kinds;
    if (key == "key") return ReadKey(reader, value, at, out);
    if (key == "kms") return ReadKms(reader, value, at, out);
    if (key == "keyless") return ReadKeyless(reader, value, at, out);
    reader.Say(value, at, "is not known: a signer has one of key, kms and keyless");
  });
  if (kinds != 1) reader.Say(node, path, "must have exactly one of key, kms and keyless");
}

void ReadPredicates(PolicyReader& reader, const YAML::Node& node, const std::string& path,
                    std::span<const Predicate> allowed, std::vector<Predicate>& out) {
  reader.List(node, path, [&](const YAML::Node& item, const std::string& at) {
    const auto predicate = ParsePredicate(item.IsScalar() ? item.Scalar() : "");
    if (!predicate || std::ranges::find(allowed, *predicate) == allowed.end()) {
      std::vector<std::string_view> names;
      for (const Predicate each : allowed) names.push_back(ToString(each));
      return reader.Say(item, at, fmt::format("must be one of {}", fmt::join(names, ", ")));
    }
    if (std::ranges::find(out, *predicate) != out.end()) return reader.Say(item, at, "is there twice");
    out.push_back(*predicate);
  });
}

std::optional<Severity> ReadSeverity(PolicyReader& reader, const YAML::Node& node, const std::string& path) {
  const auto name = std::ranges::find(kSeverities, node.IsScalar() ? std::string_view(node.Scalar()) : "");
  if (name != kSeverities.end()) return static_cast<Severity>(name - kSeverities.begin() + 1);
  reader.Say(node, path, "must be Low, Medium, High or Critical");
  return std::nullopt;
}

// Whether it says for how long an exception may be borne.
bool ReadScanMinimum(PolicyReader& reader, const YAML::Node& node, const std::string& path, Minimum& out) {
  bool said = false;
  reader.Map(node, path, [&](const YAML::Node& value, const std::string& at) {
    const std::string key = LastOf(at);
    if (key == "countUnfixed") return reader.Flag(value, at, out.count_unfixed);
    if (key == "longestException") {
      said = true;
      const bool any = value.IsScalar() && value.Scalar() == "any";
      return any ? void() : reader.Time(value, at, out.longest_exception);
    }
    if (key != "failOn") {
      return reader.Say(value, at, "is not known: scan has failOn, countUnfixed and longestException");
    }
    out.fail_on = ReadSeverity(reader, value, at);
  });
  return said;
}

DeliveryScan ReadDeliveryScan(PolicyReader& reader, const YAML::Node& node, const std::string& path) {
  DeliveryScan scan;
  reader.Map(node, path, [&](const YAML::Node& value, const std::string& at) {
    const std::string key = LastOf(at);
    if (key == "maxAge") return reader.Time(value, at, scan.max_age);
    if (key != "failOn") return reader.Say(value, at, "is not known: scan has failOn and maxAge");
    scan.fail_on = ReadSeverity(reader, value, at).value_or(scan.fail_on);
  });
  return scan;
}

void ReadDeliveryMinimum(PolicyReader& reader, const YAML::Node& node, const std::string& path,
                         Minimum& out) {
  reader.Map(node, path, [&](const YAML::Node& value, const std::string& at) {
    const std::string key = LastOf(at);
    if (key == "attestations") {
      return ReadPredicates(reader, value, at, kAllPredicates, out.delivery_attestations);
    }
    if (key == "attestedIn") {
      ReadEnvironments(reader, value, at, out.delivery_attested_in);
      if (out.delivery_attested_in.size() <= kMostAttestedIn) return;
      return reader.Say(value, at, fmt::format("must have {} environments at most", kMostAttestedIn));
    }
    if (key == "attest") return reader.Flag(value, at, out.delivery_attest);
    if (key == "scan") {
      out.delivery_scan = ReadDeliveryScan(reader, value, at);
      return;
    }
    if (key != "signer") {
      return reader.Say(value, at,
                        "is not known: delivery has signer, attestations, attestedIn, attest and scan");
    }
    out.delivery_signer = reader.Text(value, at, kLabelName);
  });
  const bool alone = (out.delivery_scan || out.delivery_attest) && out.delivery_attestations.empty();
  if (out.delivery_signer.empty() && !alone) {
    reader.Say(node, path, "must have a signer, whose attestations count");
  }
  const bool of_delivery = std::ranges::any_of(out.delivery_attestations, IsOfDelivery);
  if (of_delivery == out.delivery_attested_in.empty()) {
    reader.Say(node, path,
               "must have attestedIn, the environments whose they must be, with SmokeTests, Canary or "
               "Approvals in attestations, and with them only");
  }
}

}  // namespace

void ReadSigners(PolicyReader& reader, const YAML::Node& node, const std::string& path, Policy& policy) {
  reader.Map(node, path, [&](const YAML::Node& value, const std::string& at) {
    const std::string name = at.substr(path.size() + 1);
    if (!Keeps(kLabelName, name)) return reader.Say(value, at, kLabelName.message);
    Signer& signer = policy.signers[name];
    signer.name = name;
    ReadSigner(reader, value, at, signer);
  });
}

void ReadSupplyChain(PolicyReader& reader, const YAML::Node& node, const std::string& path, Policy& policy) {
  reader.Map(node, path, [&](const YAML::Node& value, const std::string& at) {
    const std::string key = LastOf(at);
    if (key != "registrySecret" && key != "caBundle") {
      return reader.Say(value, at, "is not known: supplyChain has registrySecret and caBundle");
    }
    (key == "caBundle" ? policy.ca_bundle : policy.registry_secret) = reader.Text(value, at, kObjectName);
  });
}

void ReadMinimum(PolicyReader& reader, const YAML::Node& node, const std::string& path, Minimum& out) {
  bool bounded = false;
  reader.Map(node, path, [&](const YAML::Node& value, const std::string& at) {
    const std::string key = LastOf(at);
    if (key == "scan") {
      bounded = ReadScanMinimum(reader, value, at, out);
      return;
    }
    if (key == "delivery") return ReadDeliveryMinimum(reader, value, at, out);
    if (key != "build") return reader.Say(value, at, "is not known: a minimum has scan, build and delivery");
    reader.Map(value, at, [&](const YAML::Node& inner, const std::string& below) {
      if (LastOf(below) == "attest") return ReadPredicates(reader, inner, below, kOfBuilds, out.attest);
      reader.Say(inner, below, "is not known: build has attest");
    });
  });
  if ((out.fail_on || out.delivery_scan) && !bounded) out.longest_exception = kLongestUnsaid;
}

void ReadEnvironments(PolicyReader& reader, const YAML::Node& node, const std::string& path,
                      std::vector<std::string>& out) {
  reader.List(node, path, [&](const YAML::Node& item, const std::string& at) {
    std::string name = reader.Text(item, at, kLabelName);
    if (name.size() > kLongestEnvironment) {
      return reader.Say(item, at, fmt::format("must have {} characters at most", kLongestEnvironment));
    }
    if (std::ranges::find(out, name) != out.end()) return reader.Say(item, at, "is there twice");
    out.push_back(std::move(name));
  });
}

void CheckSigners(PolicyReader& reader, const YAML::Node& root, const Policy& policy) {
  const auto known = [&](const std::string& name, const std::string& path) {
    if (policy.FindSigner(name) != nullptr) return;
    reader.Say(root, path, fmt::format("{} is not in signers: add it there, with its public key", name));
  };
  for (const auto& [ns, space] : policy.namespaces) {
    for (const auto& name : space.signers) known(name, fmt::format("namespaces.{}.signers", ns));
    const std::string& signer = space.minimum.delivery_signer;
    if (!signer.empty()) known(signer, fmt::format("namespaces.{}.minimum.delivery.signer", ns));
    // A namespace attests as what it is called, so a name that is granted must not be that of one that signs.
    for (const auto& name : space.environments) {
      const NamespacePolicy* other = name == ns ? nullptr : policy.For(name);
      if (other == nullptr || other->signers.empty()) continue;
      reader.Say(
          root, fmt::format("namespaces.{}.environments", ns),
          fmt::format("{} is what Releases of namespace {} would attest as, too, which {} lets sign: grant "
                      "another name, or write an entry {} without signers",
                      name, name, other->origin, name));
    }
  }
}

}  // namespace slipway::resources
