#include "runner/share.h"

#include <boost/math/special_functions/beta.hpp>
#include <cmath>

namespace slipway::runner {
namespace {

constexpr double kPermille = 1000;

}  // namespace

Interval ClopperPearson(int hits, int trials, double miss) {
  Interval interval;
  if (trials <= 0) return interval;
  const double tail = miss / 2;
  const double hit = hits;
  const double rest = trials - hits;
  if (hits > 0) interval.low = boost::math::ibeta_inv(hit, rest + 1, tail);
  if (hits < trials) interval.high = boost::math::ibetac_inv(hit + 1, rest, tail);
  return interval;
}

Share MeasureShare(int canary, int answers, double wanted) {
  const Interval shown = ClopperPearson(canary, answers, kShown);
  Share share{canary, answers};
  share.wanted_permille = static_cast<int>(std::lround(wanted * kPermille));
  share.low_permille = static_cast<int>(std::floor(shown.low * kPermille));
  share.high_permille = static_cast<int>(std::ceil(shown.high * kPermille));
  share.inside = shown.Has(wanted);
  share.plausible = ClopperPearson(canary, answers, kSplitFails).Has(wanted);
  return share;
}

}  // namespace slipway::runner
