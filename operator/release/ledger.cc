#include "release/ledger.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/names.h"
#include "release/delivery.h"

namespace slipway::release {
namespace {

using resources::Delivery;
using resources::MigrationRecord;
using resources::ReleaseStatus;

constexpr std::size_t kMostRecords = 60;

bool Succeeded(const MigrationRecord& record) { return record.outcome == "Succeeded"; }

// The number of the delivery that ran the migration; 0: it is not kept, and so older than all that are.
int RanIn(const resources::Release& release, const ReleaseStatus& status, const MigrationRecord& record) {
  for (const Delivery& delivery : status.history) {
    if (MigrationName(release, record.image, delivery.number) == record.job) return delivery.number;
  }
  return 0;
}

bool PromotedSince(const ReleaseStatus& status, std::string_view image, int number) {
  return std::ranges::any_of(status.history, [&](const Delivery& delivery) {
    return delivery.outcome == "Promoted" && delivery.number >= number && SameDigest(delivery.image, image);
  });
}

// The oldest that failed; else the oldest that no delivery in the history asks for.
std::vector<MigrationRecord>::iterator LeastMissed(ReleaseStatus& status) {
  auto& ledger = status.migrations;
  const auto* breaking = NewestBreaking(status);
  const auto oldest = [&ledger](auto goes) {
    const auto found = std::find_if(ledger.rbegin(), ledger.rend(), goes);
    return found == ledger.rend() ? ledger.end() : std::prev(found.base());
  };
  const auto failed = oldest([](const MigrationRecord& record) { return !Succeeded(record); });
  if (failed != ledger.end()) return failed;
  const auto unasked = oldest([&](const MigrationRecord& record) {
    return &record != breaking && std::ranges::none_of(status.history, [&record](const Delivery& delivery) {
      return SameDigest(delivery.image, record.image);
    });
  });
  return unasked != ledger.end() ? unasked : std::prev(ledger.end());
}

// Its migration ran before that one.
bool MigratedBefore(const ReleaseStatus& status, std::string_view image, const MigrationRecord& other) {
  const auto* record = Migrated(status, image);
  return record != nullptr && record > &other;  // the ledger has the newest first
}

}  // namespace

std::string MigrationName(const resources::Release& release, std::string_view image, int number) {
  return ChildName(release.meta.key.name, "migrate",
                   fmt::format("{}/{}/{}", release.meta.uid.value, DigestOf(image), number));
}

const MigrationRecord* Migrated(const ReleaseStatus& status, std::string_view image) {
  const auto found = std::ranges::find_if(status.migrations, [image](const MigrationRecord& record) {
    return Succeeded(record) && SameDigest(record.image, image);
  });
  return found == status.migrations.end() ? nullptr : &*found;
}

const MigrationRecord* NewestBreaking(const ReleaseStatus& status) {
  const auto found = std::ranges::find_if(status.migrations, [](const MigrationRecord& record) {
    return Succeeded(record) && record.compatibility == resources::Compatibility::kBreaking;
  });
  return found == status.migrations.end() ? nullptr : &*found;
}

void Enter(ReleaseStatus& status, const MigrationRecord& record) {
  auto& ledger = status.migrations;
  ledger.insert(ledger.begin(), record);
  while (ledger.size() > kMostRecords) ledger.erase(LeastMissed(status));
}

bool Predates(const resources::Release& release, const ReleaseStatus& status, std::string_view image) {
  const auto* breaking = NewestBreaking(status);
  if (breaking == nullptr || SameDigest(breaking->image, image)) return false;
  const int ran = RanIn(release, status, *breaking);
  const bool before = std::ranges::any_of(status.history, [&](const Delivery& delivery) {
    return Delivered(delivery) && delivery.number < ran && SameDigest(delivery.image, image);
  });
  const bool older = before || MigratedBefore(status, image, *breaking);
  return older && !PromotedSince(status, image, ran);
}

bool WorksNow(const resources::Release& release, const ReleaseStatus& status, std::string_view image) {
  const auto* breaking = NewestBreaking(status);
  if (breaking == nullptr || SameDigest(breaking->image, image)) return true;
  return PromotedSince(status, image, RanIn(release, status, *breaking));
}

}  // namespace slipway::release
