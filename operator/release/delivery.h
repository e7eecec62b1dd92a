// One entry of a Release's history, beside the CanaryPromotion that it records. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "resources/release.h"

namespace slipway::release {

// The outcome of one that was called off for a newer one.
inline constexpr std::string_view kSuperseded = "Superseded";

// Not ended: its promotion has the target.
bool Open(const resources::Delivery& delivery);
// Its image is what it left on the target.
bool Delivered(const resources::Delivery& delivery);
// It was judged, or given up, and did not pass: not tried again by itself.
bool Failed(const resources::Delivery& delivery);
bool Ended(const resources::CanaryPromotion& promotion);
// Open, and given up: its promotion is on its way out. What becomes of it then is its outcome.
bool CalledOff(const resources::Delivery& delivery);

// Before stable changes, a promotion can be called off for a newer image. Later its verdict has been given
// (or it is on its way back already), and it is quicker and safer to let it end.
bool CanBeSuperseded(resources::CanaryPhase phase);

// Puts a Decision's record in the list, oldest first, or in the place of the one that is there about the same
// Decision.
inline constexpr std::size_t kMostDecisions = 50;  // of a Release, as the CRD has it
void Note(std::vector<resources::DecisionRecord>& records, const resources::DecisionRecord& record);
// At most ten of a delivery are kept: first the refused ones go, then the oldest, a rollback last.
void Note(resources::Delivery& delivery, const resources::DecisionRecord& record);

// The promotion's account of itself: its steps, what its checks found (the latest twelve, verification
// included), and the Decisions that it followed or refused.
void Copy(const resources::CanaryPromotion& promotion, resources::Delivery& delivery);

// The newest entries keep their steps and checks, the others only what became of them: a status has to fit
// into one object.
inline constexpr std::size_t kMostDetailed = 5;
void DropDetails(std::vector<resources::Delivery>& history);

// The image as a person recognises it: its digest's beginning, and the commit where it is known.
std::string Named(std::string_view image, std::string_view commit);
std::string Named(const resources::Delivery& delivery);

}  // namespace slipway::release
