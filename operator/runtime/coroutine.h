// The few lines that each of this folder's coroutines starts with.
#pragma once

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <random>

namespace slipway::runtime {

// Whether the coroutine whose state this is was asked to stop.
inline bool Asked(const boost::asio::cancellation_state& state) {
  return state.cancelled() != boost::asio::cancellation_type::none;
}

// In [0, 1): jitter.
inline double UnitRandom(std::minstd_rand& engine) {
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

}  // namespace slipway::runtime
