// Release (rel): "this digest, delivered to this workload". It names an image, or follows an ImageBuild; each
// new digest is delivered once, by a CanaryPromotion that it makes and owns. A digest that failed is held: it
// is not tried again until the image or the spec changes.
#pragma once

#include "resources/release_status.h"

namespace slipway::resources {

struct Release {
  kube::ObjectMeta meta;
  ReleaseSpec spec;
  ReleaseStatus status;
  static Result<Release> Decode(const kube::Json& object);
};

kube::Json EncodeStatus(const ReleaseStatus& status);

std::string_view ToString(ReleasePhase phase);
std::string_view ToString(Compatibility compatibility);
std::string_view ToString(DeliveryCause cause);

}  // namespace slipway::resources
