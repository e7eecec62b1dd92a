// Images that are signed, attested and verified: by Slipway in namespace e2e-supply, and by hand with the key
// pairs that hack/install made, `release` and `other`, as a pipeline of somebody else's would. What cosign
// says of an image is asked outside the cluster's pods, with the public key alone. Repositories have names of
// this run of the tests: what an earlier one signed is not met again. Namespace e2e-strict has a minimum in
// the policy that no spec may loosen.
#pragma once

#include "support/promotions.h"

namespace slipway::testing {

inline constexpr const char* kChain = "slipway-supply-chain";
inline constexpr const char* kStrict = "e2e-strict";
inline constexpr const char* kBuilder = "https://slipway.test/operator";
inline constexpr const char* kSourceUrl = "http://git.slipway.test:8090/e2e-supply.git";
inline constexpr const char* kProvenance = "slsaprovenance1";  // cosign's name of the type

class Supply : public Promotions {
 protected:
  // Two pods: what is delivered is of no interest here, only whether it is.
  Supply() : Promotions("e2e-supply", 2) {}

  // ---- images ----

  // REGISTRY/FOLDER/NAME-RUN: nobody has pushed there yet.
  static std::string Repository(const std::string& name, const std::string& folder = "e2e-supply");
  // A copy of the sample image in a repository of its own; by digest. Nothing is beside it.
  static std::string Image(const std::string& name, const std::string& kind);
  // "sha256:…"
  static std::string DigestOf(const std::string& image) { return image.substr(image.find('@') + 1); }

  // ---- cosign, by hand ----

  static Output Cosign(std::vector<std::string> args);
  // The file of a key's public half, as `cosign public-key` writes it.
  static std::string PublicKey(const std::string& key);
  static void Sign(const std::string& image, const std::string& key);
  static void Attest(const std::string& image, const std::string& key, const std::string& type,
                     const Json& predicate);
  // With the key's public half; the exit code is the answer.
  static Output Verify(const std::string& image, const std::string& key);
  static Output VerifyAttestation(const std::string& image, const std::string& key, const std::string& type);
  // The only envelope beside the image; and an image that is given one, whatever it is.
  static Json Envelope(const std::string& image);
  static void Attach(const std::string& image, const Json& envelope);
  // What the envelope carries; and the same envelope with another word in it.
  static Json StatementOf(const Json& envelope);
  static Json Altered(Json envelope, const std::string& what, const std::string& by);
  // The least that a Release wants to see: who built it, from where.
  static Json ProvenanceOf(const std::string& source = kSourceUrl, const std::string& builder = kBuilder);

  // ---- Releases ----

  // Of `web`, by a rolling update, to that image; with these gates.
  static Json Deliver(const std::string& kind, const std::string& image, const Json& gates);
  // {"signature": {"signer": SIGNER}, "attestations": […]}
  static Json Gates(const std::string& signer, const std::vector<std::string>& attestations = {});
  void Release(const Json& spec);
  // Waits until Ready has that reason for the spec as it is; returns its message.
  std::string Held(const std::string& reason, Seconds limit = Seconds(90));
  // Waits until the newest delivery is Promoted; its entry.
  Json Delivered(Seconds limit = Seconds(180));
  Json ReleaseStatus() const;
  // It is held for that reason, it says so, and nothing was changed.
  void Refused(const Json& spec, const std::string& reason, const std::vector<std::string>& words);

  // ---- ImageBuilds ----

  // The smallest one of `revision`, to Repository(name); and with a test leg that passes.
  static Json BuildSpec(const std::string& name, const std::string& revision);
  static Json TestedSpec(const std::string& name, const std::string& revision);
  static void Build(const std::string& ns, const std::string& name, const Json& spec);

  // A folder of this process, gone with it.
  static std::string Scratch(const std::string& name);
};

// A suite whose cases look at one thing that takes long to make: it is made before the first of them.
class SharedSupply : public Supply {
 protected:
  void SetUp() final;
  // In a clean namespace, with a repository.
  virtual void Share() {}
};

}  // namespace slipway::testing
