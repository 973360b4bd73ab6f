// Cubic B-spline interpolation on a grid along the axes of the image.
//
// The steps and the order of each sum are those of ITK's BSplineInterpolateImageFunction in double
// precision. Results that are cut to whole numbers afterwards depend on the last bit.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "filters_arrays.hpp"
#include "levels.hpp"
#include "parallel.hpp"

namespace radiogenomics {

// A spline forgets what is further away: 0.27 to the power of this is far below any rounding.
constexpr std::int64_t spline_memory = 64;

// Where the results of one axis come from: four coefficients and their weights each.
struct SplineTaps {
  std::vector<std::array<std::int64_t, 4>> places;
  std::vector<std::array<double, 4>> weights;
  std::vector<bool> inside;

  std::int64_t size() const { return static_cast<std::int64_t>(places.size()); }
};

inline std::int64_t mirrored(std::int64_t place, std::int64_t length) {
  if (length == 1) return 0;
  while (place < 0 || place >= length) place = place < 0 ? -place : 2 * (length - 1) - place;
  return place;
}

inline std::array<double, 4> spline_weights(double beyond) {
  const double last = (1.0 / 6.0) * beyond * beyond * beyond;
  const double first = (1.0 / 6.0) + 0.5 * beyond * (beyond - 1.0) - last;
  const double third = beyond + first - 2.0 * last;
  return {first, 1.0 - first - third - last, third, last};
}

inline SplineTaps spline_taps(const double* positions, std::int64_t count, std::int64_t length) {
  SplineTaps taps;
  for (std::int64_t at = 0; at < count; ++at) {
    const double position = positions[at];
    const bool inside = position >= -0.5 && position < static_cast<double>(length) - 0.5;
    // The cell is found in single precision, as the reference does; its neighbours join smoothly.
    const double cell = inside ? std::floor(static_cast<float>(position)) : 0.0;
    const auto first = static_cast<std::int64_t>(cell) - 1;
    taps.inside.push_back(inside);
    taps.weights.push_back(spline_weights(inside ? position - cell : 0.0));
    taps.places.push_back({mirrored(first, length), mirrored(first + 1, length),
                           mirrored(first + 2, length), mirrored(first + 3, length)});
  }
  return taps;
}

// The part of the axis that the results feel. Places then count from its beginning; where there is
// no result, any place will do.
inline Range cropped_to_need(SplineTaps& taps, std::int64_t length) {
  std::int64_t lowest = length;
  std::int64_t highest = -1;
  for (std::int64_t at = 0; at < taps.size(); ++at) {
    if (!taps.inside[at]) continue;
    const auto [low, high] = std::minmax_element(taps.places[at].begin(), taps.places[at].end());
    lowest = std::min(lowest, *low);
    highest = std::max(highest, *high);
  }
  if (highest < 0) return {0, 0};
  const Range need{std::max<std::int64_t>(0, lowest - spline_memory),
                   std::min(length, highest + 1 + spline_memory)};
  for (std::int64_t at = 0; at < taps.size(); ++at) {
    for (std::int64_t& place : taps.places[at]) place = taps.inside[at] ? place - need.begin : 0;
  }
  return need;
}

// Turns samples along one axis into coefficients, mirrored about the outermost samples.
class SplinePrefilter {
 public:
  explicit SplinePrefilter(std::int64_t length) : length_(length) {
    constexpr double tolerance = 1e-10;
    const auto horizon =
        static_cast<std::int64_t>(std::ceil(std::log(tolerance) / std::log(-pole_)));
    if (horizon < length) {
      double power = 1.0;
      for (std::int64_t at = 0; at < horizon; ++at, power *= pole_) start_.push_back({at, power});
    } else if (length > 1) {
      add_mirrored_start();
    }
  }

  // In place: `lanes` neighbours at each of the places, which are `step` apart.
  template <class Lanes>
  void run(double* values, std::int64_t step, const Lanes lanes) const {
    if (length_ == 1) return;
    const double gain = (1.0 - pole_) * (1.0 - 1.0 / pole_);
    for (std::int64_t at = 0; at < length_; ++at) {
      for (std::int64_t lane = 0; lane < lanes; ++lane) values[at * step + lane] *= gain;
    }
    start(values, step, lanes);
    for (std::int64_t at = 1; at < length_; ++at) {
      double* here = values + at * step;
      for (std::int64_t lane = 0; lane < lanes; ++lane) here[lane] += pole_ * here[lane - step];
    }
    double* last = values + (length_ - 1) * step;
    const double turn = pole_ / (pole_ * pole_ - 1.0);
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      last[lane] = turn * (pole_ * last[lane - step] + last[lane]);
    }
    for (std::int64_t at = length_ - 2; at >= 0; --at) {
      double* here = values + at * step;
      for (std::int64_t lane = 0; lane < lanes; ++lane) {
        here[lane] = pole_ * (here[lane + step] - here[lane]);
      }
    }
  }

 private:
  struct Term {
    std::int64_t place;
    double weight;
  };

  // The first causal coefficient of a short axis: the whole sum over its endless reflection.
  void add_mirrored_start() {
    const double inverse = 1.0 / pole_;
    double forth = pole_;
    double back = std::pow(pole_, static_cast<double>(length_ - 1));
    start_ = {{0, 1.0}, {length_ - 1, back}};
    back *= back * inverse;
    for (std::int64_t at = 1; at < length_ - 1; ++at, forth *= pole_, back *= inverse) {
      start_.push_back({at, forth + back});
    }
    start_divisor_ = 1.0 - forth * forth;
  }

  template <class Lanes>
  void start(double* values, std::int64_t step, const Lanes lanes) const {
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      double sum = 0.0;
      for (const Term& term : start_) sum += term.weight * values[term.place * step + lane];
      values[lane] = sum / start_divisor_;
    }
  }

  const double pole_ = std::sqrt(3.0) - 2.0;
  std::int64_t length_;
  std::vector<Term> start_;
  double start_divisor_ = 1.0;
};

// Coefficients of the part of the image that `need` names; x first, then y, then z.
inline void find_spline_coefficients(const double* values, const Shape& shape, const Box& need,
                                     std::int64_t threads, double* coefficients) {
  const Shape part = shape_of(need);
  if (voxels_of(part) == 0) return;
  const std::int64_t plane = part[1] * part[2];
  const SplinePrefilter along[] = {SplinePrefilter(part[0]), SplinePrefilter(part[1]),
                                   SplinePrefilter(part[2])};
  for_each_task(part[0], threads, [&](std::int64_t z) {
    double* to = coefficients + z * plane;
    for (std::int64_t y = 0; y < part[1]; ++y) {
      const double* from =
          values + ((need[0].begin + z) * shape[1] + need[1].begin + y) * shape[2] + need[2].begin;
      std::copy(from, from + part[2], to + y * part[2]);
      along[2].run(to + y * part[2], 1, std::integral_constant<std::int64_t, 1>());
    }
    along[1].run(to, part[2], part[2]);
  });
  for_each_task(part[1], threads, [&](std::int64_t y) {
    along[0].run(coefficients + y * part[2], plane, part[2]);
  });
}

// One row of results from the 16 rows of coefficients around it.
class SplineRow {
 public:
  SplineRow(const double* coefficients, const Shape& shape, const SplineTaps& along_x)
      : coefficients_(coefficients), shape_(shape), x_(along_x) {}

  void evaluate(const SplineTaps& along_z, std::int64_t z, const SplineTaps& along_y,
                std::int64_t y, double* to) const {
    std::fill(to, to + x_.size(), 0.0);
    if (shape_[2] == 0 || !along_z.inside[z] || !along_y.inside[y]) return;
    for (int in_z = 0; in_z < 4; ++in_z) {
      const double* plane = coefficients_ + along_z.places[z][in_z] * shape_[1] * shape_[2];
      for (int in_y = 0; in_y < 4; ++in_y) {
        add(plane + along_y.places[y][in_y] * shape_[2], along_y.weights[y][in_y],
            along_z.weights[z][in_z], to);
      }
    }
    for (std::int64_t x = 0; x < x_.size(); ++x) {
      if (!x_.inside[x]) to[x] = 0.0;
    }
  }

 private:
  void add(const double* row, double weight_y, double weight_z, double* __restrict to) const {
    const std::int64_t length = x_.size();
    for (std::int64_t x = 0; x < length; ++x) {
      const std::array<std::int64_t, 4>& places = x_.places[x];
      const std::array<double, 4>& weights = x_.weights[x];
      double sum = to[x];
      sum += weights[0] * weight_y * weight_z * row[places[0]];
      sum += weights[1] * weight_y * weight_z * row[places[1]];
      sum += weights[2] * weight_y * weight_z * row[places[2]];
      sum += weights[3] * weight_y * weight_z * row[places[3]];
      to[x] = sum;
    }
  }

  const double* coefficients_;
  Shape shape_;
  const SplineTaps& x_;
};

inline Volume<double> bspline_resample(const Volume<double>& values, const Volume<double>& z,
                                       const Volume<double>& y, const Volume<double>& x,
                                       std::int64_t threads) {
  const Shape shape = shape_of(values);
  if (z.ndim() != 1 || y.ndim() != 1 || x.ndim() != 1) {
    throw std::invalid_argument(
        "z, y, x: expected the positions along each axis; found arrays of " +
        std::to_string(z.ndim()) + ", " + std::to_string(y.ndim()) + " and " +
        std::to_string(x.ndim()) + " axes; pass arrays of one axis");
  }
  const Shape size{z.size(), y.size(), x.size()};
  std::array<SplineTaps, 3> taps{spline_taps(z.data(), size[0], shape[0]),
                                 spline_taps(y.data(), size[1], shape[1]),
                                 spline_taps(x.data(), size[2], shape[2])};
  const Box need{cropped_to_need(taps[0], shape[0]), cropped_to_need(taps[1], shape[1]),
                 cropped_to_need(taps[2], shape[2])};
  auto coefficients = empty_volume<double>(shape_of(need));
  auto result = empty_volume<double>(size);
  const double* from = values.data();
  double* between = coefficients.mutable_data();
  double* to = result.mutable_data();
  const std::int64_t rows = size[0] * size[1];
  threads = checked_threads(threads, rows);
  {
    const pybind11::gil_scoped_release unlocked;
    find_spline_coefficients(from, shape, need, threads, between);
    const SplineRow row(between, shape_of(need), taps[2]);
    for_each_task(rows, threads, [&](std::int64_t task) {
      row.evaluate(taps[0], task / size[1], taps[1], task % size[1], to + task * size[2]);
    });
  }
  return result;
}

}  // namespace radiogenomics
