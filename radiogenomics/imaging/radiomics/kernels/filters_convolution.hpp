// Two filters of one length along one axis of a volume: the low and the high pass of a wavelet.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "filters_arrays.hpp"
#include "levels.hpp"
#include "parallel.hpp"

namespace radiogenomics {

template <class Number>
struct FilterPair {
  const Number* low;
  const Number* high;
  std::int64_t taps;
};

// Taps are added in their order, except that the first `turned` are added from the last of them to
// the first: constant parts of an image give rounding errors only, and their sign is a grey level.
template <class Number, std::int64_t lanes>
inline void convolve_lanes(const Number* from, std::int64_t stride, const FilterPair<Number>& pair,
                           std::int64_t turned, Number* low_to, Number* high_to) {
  Number low_sum[lanes] = {};
  Number high_sum[lanes] = {};
  for (std::int64_t turn = 0; turn < pair.taps; ++turn) {
    const std::int64_t tap = turn < turned ? turned - 1 - turn : turn;
    const Number* values = from + (pair.taps - 1 - tap) * stride;
    const Number low = pair.low[tap];
    const Number high = pair.high[tap];
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      low_sum[lane] += low * values[lane];
      high_sum[lane] += high * values[lane];
    }
  }
  std::copy(low_sum, low_sum + lanes, low_to);
  std::copy(high_sum, high_sum + lanes, high_to);
}

template <class Number>
inline void convolve_row(const Number* from, std::int64_t stride, const FilterPair<Number>& pair,
                         std::int64_t turned, const Range& wanted, Number* low_to,
                         Number* high_to) {
  constexpr std::int64_t lanes = 64 / sizeof(Number);
  std::int64_t at = wanted.begin;
  for (; at + lanes <= wanted.end; at += lanes) {
    convolve_lanes<Number, lanes>(from + at, stride, pair, turned, low_to + at, high_to + at);
  }
  for (; at < wanted.end; ++at) {
    convolve_lanes<Number, 1>(from + at, stride, pair, turned, low_to + at, high_to + at);
  }
}

template <class Number>
void convolve_volume(const Number* from, const Shape& shape, const FilterPair<Number>& pair,
                     std::int64_t axis, const std::int64_t* turned, std::int64_t threads,
                     Number* low_to, Number* high_to) {
  Shape result = shape;
  result[axis] -= pair.taps - 1;
  const std::int64_t strides[] = {shape[1] * shape[2], shape[2], 1};
  for_each_task(result[0], threads, [&](std::int64_t z) {
    for (std::int64_t y = 0; y < result[1]; ++y) {
      const std::int64_t to = (z * result[1] + y) * result[2];
      Range run{0, 0};
      for (; run.begin < result[2]; run.begin = run.end) {
        const auto place = [&] { return axis == 0 ? z : axis == 1 ? y : run.end; };
        const std::int64_t here = turned[place()];
        while (run.end < result[2] && turned[place()] == here) ++run.end;
        convolve_row(from + z * strides[0] + y * strides[1], strides[axis], pair, here, run,
                     low_to + to, high_to + to);
      }
    }
  });
}

template <class Number>
pybind11::tuple split_bands(const Volume<Number>& values, const Volume<Number>& low,
                            const Volume<Number>& high, std::int64_t axis,
                            const Volume<std::int64_t>& turned, std::int64_t threads) {
  const Shape shape = shape_of(values);
  if (axis < 0 || axis > 2) {
    throw std::invalid_argument("axis: expected 0, 1 or 2; found " + std::to_string(axis) +
                                "; count from z");
  }
  if (low.ndim() != 1 || high.ndim() != 1 || low.size() != high.size() || low.size() < 1 ||
      low.size() > shape[axis]) {
    throw std::invalid_argument(
        "low, high: expected filters of one length, at most that of the axis (" +
        std::to_string(shape[axis]) + "); found " + std::to_string(low.size()) + " and " +
        std::to_string(high.size()) + " taps; pass more of the image");
  }
  Shape result = shape;
  result[axis] -= low.size() - 1;
  if (turned.ndim() != 1 || turned.size() != result[axis]) {
    throw std::invalid_argument("turned: expected one number for each of the " +
                                std::to_string(result[axis]) + " results along the axis; found " +
                                std::to_string(turned.size()) + "; pass 0 for the plain order");
  }
  for (std::int64_t at = 0; at < turned.size(); ++at) {
    if (turned.data()[at] < 0 || turned.data()[at] > low.size()) {
      throw std::invalid_argument("turned: expected 0 to " + std::to_string(low.size()) +
                                  " taps; found " + std::to_string(turned.data()[at]) +
                                  "; pass 0 for the plain order");
    }
  }
  auto low_band = empty_volume<Number>(result);
  auto high_band = empty_volume<Number>(result);
  const FilterPair<Number> pair{low.data(), high.data(), low.size()};
  threads = checked_threads(threads, result[0]);
  const Number* from = values.data();
  Number* low_to = low_band.mutable_data();
  Number* high_to = high_band.mutable_data();
  {
    const pybind11::gil_scoped_release unlocked;
    convolve_volume(from, shape, pair, axis, turned.data(), threads, low_to, high_to);
  }
  return pybind11::make_tuple(low_band, high_band);
}

}  // namespace radiogenomics
