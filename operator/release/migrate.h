// A delivery before its promotion: its entry is in the history, and its migration runs, or has just ended.
//
//   no UID recorded   the Job is made (POST), whatever is wanted by now: one that we made before we died
//                     could otherwise run beside what comes after it
//   running           nothing
//   gone              it is made again, under the same name, three times in all
//   succeeded         into the ledger; once that is written, the promotion begins, unless something else is
//                     wanted that could begin at once
//   failed            into the ledger; the delivery ends Aborted, and nothing was changed
#pragma once

#include "release/draft.h"

namespace slipway::release {

// The migration that the delivery needs; nullopt: none, or it ran.
std::optional<resources::MigrationRecord> NextMigration(const Draft& draft, int number);

// The delivery is open and has no promotion. It is closed by this, or the plan is complete.
void Prepare(Draft& draft, resources::Delivery& delivery);

void SayMigrating(Draft& draft, const resources::Delivery& delivery);

}  // namespace slipway::release
