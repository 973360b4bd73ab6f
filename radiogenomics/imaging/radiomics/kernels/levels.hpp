// Grey-level volumes and offsets as the texture kernels take them, checked once at the border.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace radiogenomics {

using LevelArray = pybind11::array_t<std::uint16_t, pybind11::array::c_style>;
using OffsetArray = pybind11::array_t<std::int64_t, pybind11::array::c_style>;
using CountArray = pybind11::array_t<std::int64_t>;

// Axis order is (z, y, x) everywhere.
using Triple = std::array<std::int64_t, 3>;

struct LevelView {
  const std::uint16_t* data;
  Triple shape;
  std::int64_t count;

  std::int64_t size() const { return shape[0] * shape[1] * shape[2]; }
  std::int64_t longest_axis() const { return *std::max_element(shape.begin(), shape.end()); }
};

constexpr std::int64_t highest_level = std::numeric_limits<std::uint16_t>::max();

// Counts are kept in 32 bits while a matrix is filled.
constexpr std::int64_t most_voxels = std::numeric_limits<std::int32_t>::max();

constexpr std::int64_t most_cells = std::int64_t{1} << 28;

constexpr std::int64_t most_offsets = std::numeric_limits<std::int16_t>::max();

inline LevelView view_levels(const LevelArray& levels, std::int64_t count) {
  if (levels.ndim() != 3) {
    throw std::invalid_argument("levels: expected three axes (z, y, x); found " +
                                std::to_string(levels.ndim()) + "; pass one volume");
  }
  if (count < 1 || count > highest_level) {
    throw std::invalid_argument("count: expected 1 to 65535 grey levels; found " +
                                std::to_string(count) + "; pass the highest level");
  }
  if (levels.size() > most_voxels) {
    throw std::invalid_argument("levels: expected fewer than 2^31 voxels; found " +
                                std::to_string(levels.size()) + "; crop to the region first");
  }
  return {levels.data(), {levels.shape(0), levels.shape(1), levels.shape(2)}, count};
}

inline std::vector<Triple> read_offsets(const OffsetArray& offsets) {
  if (offsets.ndim() != 2 || offsets.shape(1) != 3 || offsets.shape(0) > most_offsets) {
    throw std::invalid_argument(
        "offsets: expected an array (directions, 3) of at most 32767 steps (z, y, x); found " +
        std::to_string(offsets.ndim()) + " axes and " + std::to_string(offsets.size()) +
        " numbers; pass one row a direction");
  }
  const auto rows = offsets.unchecked<2>();
  std::vector<Triple> steps;
  for (pybind11::ssize_t row = 0; row < rows.shape(0); ++row) {
    const Triple step{rows(row, 0), rows(row, 1), rows(row, 2)};
    if (step == Triple{0, 0, 0}) {
      throw std::invalid_argument(
          "offsets: expected steps to another voxel; found (0, 0, 0); "
          "leave it out");
    }
    steps.push_back(step);
  }
  return steps;
}

inline bool is_adjacent(const Triple& step) {
  return std::all_of(step.begin(), step.end(), [](auto s) { return s >= -1 && s <= 1; });
}

inline void require_adjacent(const std::vector<Triple>& steps) {
  if (!std::all_of(steps.begin(), steps.end(), is_adjacent)) {
    throw std::invalid_argument(
        "offsets: expected steps of -1, 0 or 1 along each axis, since runs "
        "and zones join adjacent voxels; found a longer one; leave it out");
  }
}

// False for a step that leaves the volume from every voxel.
inline bool can_meet(const Triple& step, const Triple& shape) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (step[axis] >= shape[axis] || step[axis] <= -shape[axis]) return false;
  }
  return true;
}

// Of a step and its opposite the one that moves forward in memory.
inline Triple forward(const Triple& step) {
  return step < Triple{0, 0, 0} ? Triple{-step[0], -step[1], -step[2]} : step;
}

inline void require_cells(std::int64_t tables, std::int64_t rows, std::int64_t columns) {
  if (tables > 0 && rows > 0 && columns > most_cells / tables / rows) {
    throw std::invalid_argument("count: expected matrices of at most 2^28 cells together; found " +
                                std::to_string(tables) + " of " + std::to_string(rows) + " x " +
                                std::to_string(columns) + "; use fewer grey levels");
  }
}

inline std::int64_t checked_threads(std::int64_t threads, std::int64_t tasks) {
  if (threads < 1) {
    throw std::invalid_argument("threads: expected at least 1; found " + std::to_string(threads) +
                                "; pass 1 for no threads");
  }
  return std::max<std::int64_t>(1, std::min(threads, tasks));
}

// The voxels of one row that lie between its first and its last voxel inside the region.
struct Extent {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  bool empty() const { return begin >= end; }
  Extent shifted(std::int64_t by) const { return {begin + by, end + by}; }
};

inline Extent united(const Extent& a, const Extent& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

inline Extent common(const Extent& a, const Extent& b) {
  return {std::max(a.begin, b.begin), std::min(a.end, b.end)};
}

// A copy of the levels in as few bits as they need, in a border of zeros, so that a step of at most
// `margin` from a voxel can be followed without asking where the volume ends.
template <class Level>
class PaddedLevels {
 public:
  PaddedLevels(const LevelView& levels, const Triple& margin)
      : shape_(levels.shape),
        margin_(margin),
        stride_y_(levels.shape[2] + 2 * margin[2]),
        stride_z_(stride_y_ * (levels.shape[1] + 2 * margin[1])),
        cells_(static_cast<std::size_t>(stride_z_ * (levels.shape[0] + 2 * margin[0]))),
        extents_(static_cast<std::size_t>(levels.shape[0] * levels.shape[1])) {
    const std::uint16_t* source = levels.data;
    std::uint16_t highest = 0;
    for (std::int64_t z = 0; z < shape_[0]; ++z) {
      for (std::int64_t y = 0; y < shape_[1]; ++y, source += shape_[2]) {
        highest = std::max(highest, copy_row(source, z, y));
      }
    }
    if (highest > levels.count) {
      throw std::invalid_argument("levels: expected 0 to count, " + std::to_string(levels.count) +
                                  "; found " + std::to_string(highest) +
                                  "; pass the highest level as count");
    }
  }

  const Triple& shape() const { return shape_; }
  std::int64_t step(const Triple& by) const {
    return by[0] * stride_z_ + by[1] * stride_y_ + by[2];
  }
  const Level* row(std::int64_t z, std::int64_t y) const { return cells_.data() + start(z, y); }
  Extent extent(std::int64_t z, std::int64_t y) const {
    if (z < 0 || z >= shape_[0] || y < 0 || y >= shape_[1]) return {};
    return extents_[static_cast<std::size_t>(z * shape_[1] + y)];
  }

 private:
  std::int64_t start(std::int64_t z, std::int64_t y) const {
    return step({z + margin_[0], y + margin_[1], margin_[2]});
  }

  std::uint16_t copy_row(const std::uint16_t* source, std::int64_t z, std::int64_t y) {
    Level* target = cells_.data() + start(z, y);
    std::uint16_t highest = 0;
    for (std::int64_t x = 0; x < shape_[2]; ++x) {
      highest = std::max(highest, source[x]);
      target[x] = static_cast<Level>(source[x]);
    }
    Extent extent{0, shape_[2]};
    while (!extent.empty() && target[extent.begin] == 0) ++extent.begin;
    while (!extent.empty() && target[extent.end - 1] == 0) --extent.end;
    extents_[static_cast<std::size_t>(z * shape_[1] + y)] = extent;
    return highest;
  }

  Triple shape_;
  Triple margin_;
  std::int64_t stride_y_;
  std::int64_t stride_z_;
  std::vector<Level> cells_;
  std::vector<Extent> extents_;
};

}  // namespace radiogenomics
