// The ledger of migrations in status.migrations: what ran, for which digest, newest first; and what follows
// from a breaking one for the images before it. Pure.
//
// A migration runs once for each digest, as a Job of a delivery; its name follows from the Release's UID, the
// digest and the delivery's number, so that an attempt meets its own Job again and never another one's.
#pragma once

#include <string>
#include <string_view>

#include "release/wanted.h"

namespace slipway::release {

std::string MigrationName(const resources::Release& release, std::string_view image, int number);

// The record of a digest's migration that succeeded; nullptr: there is none.
const resources::MigrationRecord* Migrated(const resources::ReleaseStatus& status, std::string_view image);
// The newest that succeeded and was declared breaking; nullptr: there is none.
const resources::MigrationRecord* NewestBreaking(const resources::ReleaseStatus& status);

// At most 60 are kept: always the newest breaking one, and each that succeeded for a digest of the history.
void Enter(resources::ReleaseStatus& status, const resources::MigrationRecord& record);

// Whether the image is known to have been delivered, or migrated for, before the newest breaking migration,
// and not promoted since.
bool Predates(const resources::Release& release, const resources::ReleaseStatus& status,
              std::string_view image);
// Whether the image is known to work on what the newest breaking migration has made. Without one, every
// image.
bool WorksNow(const resources::Release& release, const resources::ReleaseStatus& status,
              std::string_view image);

}  // namespace slipway::release
