// Laplacian of Gaussian by Deriche's recursive filters of fourth order.
//
// Coefficients, borders and the order of each sum are those of ITK's
// LaplacianRecursiveGaussianImageFilter: double precision along a line, single precision between
// the passes. Grey levels are cut from the result, so the last bit counts.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "filters_arrays.hpp"
#include "levels.hpp"
#include "parallel.hpp"

namespace radiogenomics {

// Causal part: y[i] = sum of n[k] x[i-k] - sum of d[k] y[i-k]. Anticausal part: m for n, from the
// other end. Beyond the border x goes on unchanged; its steady state enters through bn and bm.
struct RecursiveFilter {
  std::array<double, 4> n, m, d, bn, bm;
};

namespace gaussian {

constexpr double frequency[] = {0.6681, 2.0787};
constexpr double decay[] = {-1.3932, -1.3732};

struct Terms {
  double cosine[2], sine[2], power[2];

  explicit Terms(double sigma) {
    for (int term = 0; term < 2; ++term) {
      cosine[term] = std::cos(frequency[term] / sigma);
      sine[term] = std::sin(frequency[term] / sigma);
      power[term] = std::exp(decay[term] / sigma);
    }
  }
};

// Amplitudes of the cosines and sines that make a Gaussian, and its second derivative.
struct Series {
  double a1, b1, a2, b2;
};
constexpr Series smoothing{1.3530, 1.8151, -0.3531, 0.0902};
constexpr Series curvature{-1.3563, 5.2318, 0.3446, -2.2355};

inline std::array<double, 4> numerator(const Terms& t, const Series& s) {
  const auto [cos1, cos2] = t.cosine;
  const auto [sin1, sin2] = t.sine;
  const auto [exp1, exp2] = t.power;
  std::array<double, 4> n;
  n[0] = s.a1 + s.a2;
  n[1] = exp2 * (s.b2 * sin2 - (s.a2 + 2 * s.a1) * cos2);
  n[1] += exp1 * (s.b1 * sin1 - (s.a1 + 2 * s.a2) * cos1);
  n[2] = (s.a1 + s.a2) * cos2 * cos1;
  n[2] -= s.b1 * cos2 * sin1 + s.b2 * cos1 * sin2;
  n[2] *= 2 * exp1 * exp2;
  n[2] += s.a2 * exp1 * exp1 + s.a1 * exp2 * exp2;
  n[3] = exp2 * exp1 * exp1 * (s.b2 * sin2 - s.a2 * cos2);
  n[3] += exp1 * exp2 * exp2 * (s.b1 * sin1 - s.a1 * cos1);
  return n;
}

inline std::array<double, 4> denominator(const Terms& t) {
  const auto [cos1, cos2] = t.cosine;
  const auto [exp1, exp2] = t.power;
  std::array<double, 4> d;
  d[3] = exp1 * exp1 * exp2 * exp2;
  d[2] = -2 * cos1 * exp1 * exp2 * exp2;
  d[2] += -2 * cos2 * exp2 * exp1 * exp1;
  d[1] = 4 * cos2 * cos1 * exp1 * exp2;
  d[1] += exp1 * exp1 + exp2 * exp2;
  d[0] = -2 * (exp2 * cos2 + exp1 * cos1);
  return d;
}

// Zeroth, first and second moment of a series of coefficients.
struct Moments {
  double sum, first, second;
};
inline Moments of_numerator(const std::array<double, 4>& n) {
  return {n[0] + n[1] + n[2] + n[3], n[1] + 2 * n[2] + 3 * n[3], n[1] + 4 * n[2] + 9 * n[3]};
}
inline Moments of_denominator(const std::array<double, 4>& d) {
  return {1.0 + d[0] + d[1] + d[2] + d[3], d[0] + 2 * d[1] + 3 * d[2] + 4 * d[3],
          d[0] + 4 * d[1] + 9 * d[2] + 16 * d[3]};
}

// Both directions and the borders of a symmetric filter.
inline RecursiveFilter symmetric(const std::array<double, 4>& n, const std::array<double, 4>& d) {
  RecursiveFilter filter{n, {}, d, {}, {}};
  for (int k = 0; k < 3; ++k) filter.m[k] = n[k + 1] - d[k] * n[0];
  filter.m[3] = -d[3] * n[0];
  const double sum_n = n[0] + n[1] + n[2] + n[3];
  const double sum_m = filter.m[0] + filter.m[1] + filter.m[2] + filter.m[3];
  const double sum_d = of_denominator(d).sum;
  for (int k = 0; k < 4; ++k) {
    filter.bn[k] = d[k] * sum_n / sum_d;
    filter.bm[k] = d[k] * sum_m / sum_d;
  }
  return filter;
}

}  // namespace gaussian

// `sigma` in voxels.
inline RecursiveFilter gaussian_smoothing(double sigma) {
  const gaussian::Terms terms(sigma);
  std::array<double, 4> n = gaussian::numerator(terms, gaussian::smoothing);
  const std::array<double, 4> d = gaussian::denominator(terms);
  const double whole =
      2 * gaussian::of_numerator(n).sum / gaussian::of_denominator(d).sum - n[0];
  for (double& coefficient : n) coefficient *= 1.0 / whole;
  return gaussian::symmetric(n, d);
}

// Second derivative times `scale`; `sigma` in voxels.
inline RecursiveFilter gaussian_curvature(double sigma, double scale) {
  const gaussian::Terms terms(sigma);
  const std::array<double, 4> smooth = gaussian::numerator(terms, gaussian::smoothing);
  std::array<double, 4> n = gaussian::numerator(terms, gaussian::curvature);
  const std::array<double, 4> d = gaussian::denominator(terms);
  const gaussian::Moments of_smooth = gaussian::of_numerator(smooth);
  const gaussian::Moments of_curved = gaussian::of_numerator(n);
  const auto [sd, dd, ed] = gaussian::of_denominator(d);
  // So much of the Gaussian that a constant has no curvature.
  const double part = -(2 * of_curved.sum - sd * n[0]) / (2 * of_smooth.sum - sd * smooth[0]);
  for (int k = 0; k < 4; ++k) n[k] = n[k] + part * smooth[k];
  const double sn = of_curved.sum + part * of_smooth.sum;
  const double dn = of_curved.first + part * of_smooth.first;
  const double en = of_curved.second + part * of_smooth.second;
  double whole = en * sd * sd - ed * sn * sd - 2 * dn * dd * sd + 2 * dd * dd * sn;
  whole /= sd * sd * sd;
  for (double& coefficient : n) coefficient *= scale / whole;
  return gaussian::symmetric(n, d);
}

// Lines are filtered side by side, so that the recursion runs in vectors.
constexpr std::int64_t lanes = 32;
using LaneValues = std::array<double, lanes>;

// One place from four inputs x and the four results y before it, nearest first.
inline void recursive_step(const std::array<const LaneValues*, 4>& x,
                           const std::array<double, 4>& n,
                           const std::array<const LaneValues*, 4>& y,
                           const std::array<double, 4>& d, LaneValues& to) {
  const double* const x0 = x[0]->data();
  const double* const x1 = x[1]->data();
  const double* const x2 = x[2]->data();
  const double* const x3 = x[3]->data();
  const double* const y1 = y[0]->data();
  const double* const y2 = y[1]->data();
  const double* const y3 = y[2]->data();
  const double* const y4 = y[3]->data();
  double* __restrict const result = to.data();
  const double n0 = n[0], n1 = n[1], n2 = n[2], n3 = n[3];
  const double d1 = d[0], d2 = d[1], d3 = d[2], d4 = d[3];
  for (std::int64_t lane = 0; lane < lanes; ++lane) {
    result[lane] = (x0[lane] * n0 + x1[lane] * n1 + x2[lane] * n2 + x3[lane] * n3) -
                   (y1[lane] * d1 + y2[lane] * d2 + y3[lane] * d3 + y4[lane] * d4);
  }
}

// Filters `lanes` lines at once.
class LineFilter {
 public:
  LineFilter(const RecursiveFilter& filter, std::int64_t length, const Range& wanted)
      : filter_(filter), wanted_(wanted), values_(length), forth_(wanted.end), last_(length - 1) {}

  std::vector<LaneValues>& values() { return values_; }

  // Calls store(place, results) for each place wanted, from the last to the first.
  template <class Store>
  void run(const Store& store) {
    for (std::int64_t at = 0; at < wanted_.end; ++at) forward(at);
    std::array<LaneValues, 8> back;
    for (std::int64_t at = last_; at >= wanted_.begin; --at) {
      backward(at, back);
      if (at < wanted_.end) {
        LaneValues sum;
        for (std::int64_t lane = 0; lane < lanes; ++lane) {
          sum[lane] = forth_[at][lane] + back[at % 8][lane];
        }
        store(at, sum);
      }
    }
  }

 private:
  void forward(std::int64_t at) {
    std::array<const LaneValues*, 4> x;
    std::array<const LaneValues*, 4> y;
    std::array<double, 4> d = filter_.d;
    for (std::int64_t k = 0; k < 4; ++k) {
      x[k] = &values_[std::max<std::int64_t>(at - k, 0)];
      const bool beyond = at - k - 1 < 0;
      y[k] = beyond ? &values_.front() : &forth_[at - k - 1];
      if (beyond) d[k] = filter_.bn[k];
    }
    recursive_step(x, filter_.n, y, d, forth_[at]);
  }

  void backward(std::int64_t at, std::array<LaneValues, 8>& back) const {
    std::array<const LaneValues*, 4> x;
    std::array<const LaneValues*, 4> y;
    std::array<double, 4> d = filter_.d;
    for (std::int64_t k = 0; k < 4; ++k) {
      const bool beyond = at + k + 1 > last_;
      x[k] = beyond ? &values_.back() : &values_[at + k + 1];
      y[k] = beyond ? &values_.back() : &back[(at + k + 1) % 8];
      if (beyond) d[k] = filter_.bm[k];
    }
    recursive_step(x, filter_.m, y, d, back[at % 8]);
  }

  const RecursiveFilter& filter_;
  Range wanted_;
  std::vector<LaneValues> values_;
  std::vector<LaneValues> forth_;
  std::int64_t last_;
};

// The lines of an axis that cross a box: `groups` of `lines` that are `apart`, in steps of `step`.
struct Lines {
  std::int64_t start, groups, group_step, lines, apart, step;

  Lines(int axis, const Shape& shape, const Box& box) {
    const std::int64_t strides[] = {shape[1] * shape[2], shape[2], 1};
    const int across = axis == 2 ? 1 : 2;
    const int other = 3 - axis - across;
    start = box[across].begin * strides[across] + box[other].begin * strides[other];
    groups = box[other].size();
    group_step = strides[other];
    lines = box[across].size();
    apart = strides[across];
    step = strides[axis];
    if (group_step == lines * apart) {
      lines *= groups;
      groups = 1;
    }
  }
};

// One pass along the lines that cross a box. Of each line `wanted` is written, rounded to single
// precision, at the place where it was read, which may be the same memory.
template <class Number>
void filter_axis(const Number* from, const Shape& shape, int axis, const Box& box,
                 const RecursiveFilter& filter, const Range& wanted, std::int64_t threads,
                 float* to) {
  constexpr std::int64_t lines_a_task = 16 * lanes;
  const Lines all(axis, shape, box);
  const std::int64_t tasks_a_group = (all.lines + lines_a_task - 1) / lines_a_task;
  for_each_task(all.groups * tasks_a_group, threads, [&](std::int64_t task) {
    const std::int64_t begin = task % tasks_a_group * lines_a_task;
    const std::int64_t end = std::min(all.lines, begin + lines_a_task);
    LineFilter lines(filter, shape[axis], wanted);
    for (std::int64_t line = begin; line < end; line += lanes) {
      const std::int64_t used = std::min(lanes, end - line);
      const std::int64_t first =
          all.start + task / tasks_a_group * all.group_step + line * all.apart;
      for (std::int64_t at = 0; at < shape[axis]; ++at) {
        const Number* source = from + first + at * all.step;
        LaneValues& values = lines.values()[at];
        for (std::int64_t lane = 0; lane < used; ++lane) values[lane] = source[lane * all.apart];
      }
      lines.run([&](std::int64_t at, const LaneValues& sums) {
        float* target = to + first + at * all.step;
        for (std::int64_t lane = 0; lane < used; ++lane) {
          target[lane * all.apart] = static_cast<float>(sums[lane]);
        }
      });
    }
  });
}

struct ScaleSpace {
  double sigma;
  std::array<double, 3> spacing;

  RecursiveFilter smoothing(int axis) const { return gaussian_smoothing(sigma / spacing[axis]); }
  RecursiveFilter curvature(int axis) const {
    return gaussian_curvature(sigma / spacing[axis], sigma * sigma);
  }
};

// Curvature along one axis, then smoothed along the other two, only as far as `wanted` needs it.
inline void curvature_along(const double* values, const Shape& shape, int axis,
                            const ScaleSpace& scale, const Box& wanted, std::int64_t threads,
                            float* result) {
  Box box{Range{0, shape[0]}, Range{0, shape[1]}, Range{0, shape[2]}};
  filter_axis(values, shape, axis, box, scale.curvature(axis), wanted[axis], threads, result);
  box[axis] = wanted[axis];
  for (const int along : {axis == 2 ? 1 : 2, axis == 0 ? 1 : 0}) {
    filter_axis(result, shape, along, box, scale.smoothing(along), wanted[along], threads, result);
    box[along] = wanted[along];
  }
}

// Adds the curvatures along x, y and z, each in single precision.
inline void add_curvatures(const double* values, const Shape& shape, const ScaleSpace& scale,
                           const Box& wanted, std::int64_t threads, float* spare, double* to) {
  const std::int64_t rows = wanted[1].size();
  const std::int64_t columns = wanted[2].size();
  std::fill(to, to + wanted[0].size() * rows * columns, 0.0);
  for (const int axis : {2, 1, 0}) {
    curvature_along(values, shape, axis, scale, wanted, threads, spare);
    const double weight = 1.0 / (scale.spacing[axis] * scale.spacing[axis]);
    for (std::int64_t row = 0; row < wanted[0].size() * rows; ++row) {
      const std::int64_t z = wanted[0].begin + row / rows;
      const std::int64_t y = wanted[1].begin + row % rows;
      const float* part = spare + (z * shape[1] + y) * shape[2] + wanted[2].begin;
      double* sum = to + row * columns;
      for (std::int64_t x = 0; x < columns; ++x) {
        sum[x] = static_cast<float>(sum[x] + part[x] * weight);
      }
    }
  }
}

inline Volume<double> laplacian_of_gaussian(const Volume<double>& values, double sigma,
                                            const Volume<double>& spacing,
                                            const Volume<std::int64_t>& begin,
                                            const Volume<std::int64_t>& end,
                                            std::int64_t threads) {
  const Shape shape = shape_of(values);
  if (spacing.size() != 3 || begin.size() != 3 || end.size() != 3) {
    throw std::invalid_argument(
        "spacing, begin, end: expected three numbers each; found " +
        std::to_string(spacing.size()) + ", " + std::to_string(begin.size()) + " and " +
        std::to_string(end.size()) + "; give one an axis");
  }
  ScaleSpace scale{sigma, {}};
  Box wanted;
  for (int axis = 0; axis < 3; ++axis) {
    scale.spacing[axis] = spacing.data()[axis];
    wanted[axis] = {begin.data()[axis], end.data()[axis]};
    if (shape[axis] < 4 || wanted[axis].begin < 0 || wanted[axis].end <= wanted[axis].begin ||
        wanted[axis].end > shape[axis]) {
      throw std::invalid_argument("begin, end: expected a part of an axis of at least 4 voxels; "
                                  "found " + std::to_string(wanted[axis].begin) + " to " +
                                  std::to_string(wanted[axis].end) + " of " +
                                  std::to_string(shape[axis]) + "; pass more of the image");
    }
    if (!(sigma > 0.0 && std::isfinite(sigma / scale.spacing[axis]) && scale.spacing[axis] > 0.0)) {
      throw std::invalid_argument("sigma, spacing: expected positive lengths; found " +
                                  std::to_string(sigma) + " and " +
                                  std::to_string(scale.spacing[axis]) + "; give both in mm");
    }
  }
  auto result = empty_volume<double>({wanted[0].size(), wanted[1].size(), wanted[2].size()});
  threads = checked_threads(threads, voxels_of(shape));
  auto spare = empty_volume<float>(shape);
  const double* from = values.data();
  float* between = spare.mutable_data();
  double* to = result.mutable_data();
  {
    const pybind11::gil_scoped_release unlocked;
    add_curvatures(from, shape, scale, wanted, threads, between, to);
  }
  return result;
}

}  // namespace radiogenomics
