// One entry of a Release's history, beside the CanaryPromotion that it records. Pure.
#pragma once

#include <string>

#include "resources/release.h"

namespace slipway::release {

// Not ended: its promotion has the target.
bool Open(const resources::Delivery& delivery);
// Its image is what it left on the target.
bool Delivered(const resources::Delivery& delivery);
bool Ended(const resources::CanaryPromotion& promotion);

// Before stable changes, a promotion can be called off for a newer image. Later its verdict has been given
// (or it is on its way back already), and it is quicker and safer to let it end.
bool CanBeSuperseded(resources::CanaryPhase phase);

// The promotion's account of itself: its last step's weights, and what its smoke tests found (the latest
// ten).
void Copy(const resources::CanaryPromotion& promotion, resources::Delivery& delivery);

// The image as a person recognises it: its digest's beginning, and the commit where it is known.
std::string Named(const resources::Delivery& delivery);

}  // namespace slipway::release
