#include "supply/look.h"

#include "runtime/containers.h"

namespace slipway::supply {
namespace {

using kube::Json;
using resources::Signer;
using runtime::Option;
using runtime::Variable;

constexpr std::string_view kKeyFile = "cosign.pub";
constexpr std::string_view kFulcioFile = "fulcio.pem";
constexpr std::string_view kRekorFile = "rekor.pub";
constexpr std::string_view kCtLogFile = "ctfe.pub";
constexpr std::string_view kRootVariable = "SIGSTORE_ROOT_FILE";
// Below the pod's: a registry that does not answer is told in cosign's words.
constexpr std::string_view kTimeout = "2m";

bool IsKeyless(const Signer& signer) { return signer.kind == Signer::Kind::kKeyless; }

// Of a keyless signature the certificate says who made it, and the transparency log when. A key needs
// neither, and so no network but the registry.
void AddIdentity(const Signer& signer, Json& args) {
  if (IsKeyless(signer)) {
    args.push_back(Option("certificate-identity", signer.identity));
    args.push_back(Option("certificate-oidc-issuer", signer.oidc_issuer));
    args.push_back(Option("rekor-url", signer.rekor));
    return;
  }
  args.push_back(Option("key", InputPath(kKeyFile)));
  args.push_back("--insecure-ignore-tlog=true");
}

Json Container(std::string_view name, Json args, const LookedAt& at, const Setting& setting) {
  AddRegistryFlags(setting, at.image, args);
  args.push_back("--");  // what follows is an image, whatever it begins with
  args.push_back(runtime::Literal(at.image));
  Json container = CosignContainer(name, setting, std::move(args));
  // Any value keeps cosign from asking for the roots of the public Sigstore, which a key does not need.
  if (!IsKeyless(at.signer)) container["env"].push_back(Variable(kRootVariable, InputPath(kKeyFile)));
  GiveRoots(at.signer, container);
  return container;
}

Json Command(std::string_view command, const Signer& signer) {
  Json args = Json::array({command});
  AddIdentity(signer, args);
  args.push_back(Option("timeout", kTimeout));
  return args;
}

}  // namespace

std::vector<Input> TrustOf(const Signer& signer) {
  if (!IsKeyless(signer)) return {{std::string(kKeyFile), signer.public_key}};
  if (signer.fulcio_root.empty()) return {};
  return {{std::string(kFulcioFile), signer.fulcio_root},
          {std::string(kRekorFile), signer.rekor_key},
          {std::string(kCtLogFile), signer.ct_log_key}};
}

void GiveRoots(const Signer& signer, Json& container) {
  if (!IsKeyless(signer) || signer.fulcio_root.empty()) return;
  container["env"].push_back(Variable(kRootVariable, InputPath(kFulcioFile)));
  container["env"].push_back(Variable("SIGSTORE_REKOR_PUBLIC_KEY", InputPath(kRekorFile)));
  container["env"].push_back(Variable("SIGSTORE_CT_LOG_PUBLIC_KEY_FILE", InputPath(kCtLogFile)));
}

Json SignatureLook(std::string_view name, const LookedAt& at, const Setting& setting) {
  Json container = Container(name, Command("verify", at.signer), at, setting);
  if (!TrustOf(at.signer).empty()) GiveInputs(container);
  return container;
}

Json AttestationLook(std::string_view name, std::string_view type, std::string_view policy,
                     const LookedAt& at, const Setting& setting) {
  Json args = Command("verify-attestation", at.signer);
  args.push_back(Option("type", type));
  if (!policy.empty()) args.push_back(Option("policy", InputPath(policy)));
  Json container = Container(name, std::move(args), at, setting);
  if (!TrustOf(at.signer).empty() || !policy.empty()) GiveInputs(container);
  return container;
}

}  // namespace slipway::supply
