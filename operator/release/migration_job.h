// The Job that runs a Release's migration: how it is rendered, how it is known again, and what became of it.
// Pure. What the program prints never enters a message: it is the tenant's, and may hold anything.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "release/decide.h"
#include "resources/workloads.h"

namespace slipway::release {

// On the Job: its Release's UID, and a hash of the pod that it runs.
inline constexpr std::string_view kReleaseLabel = "slipway.dev/release";

// Complete, to be created. The Release must have spec.migration. `version`: what /version of the image would
// answer; may be empty.
kube::Json RenderMigrationJob(const resources::Release& release, const StartMigration& start,
                              const std::string& version, const std::string& service_account);

// Whether this is a Job that we made for the Release, whatever it runs.
bool IsMigrationJobOf(const resources::Release& release, const kube::ObjectMeta& job);

// The cluster took its pod away, so that it says nothing of the migration, and is to be run again.
bool CutShort(const resources::Job& job);

// `job` is that of the recorded UID; nullptr: gone. One that was cut short is as good as gone. `pod` may be
// nullptr.
MigrationOutcome OutcomeOf(const resources::Job* job, const resources::Pod* pod);

}  // namespace slipway::release
