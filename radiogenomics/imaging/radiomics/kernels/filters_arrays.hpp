// Volumes as the filter kernels take them, checked once at the border.
#pragma once

#include <pybind11/numpy.h>

#include <array>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

namespace radiogenomics {

using Shape = std::array<std::int64_t, 3>;

template <class Number>
using Volume = pybind11::array_t<Number, pybind11::array::c_style>;

// A range of indices, the end not included.
struct Range {
  std::int64_t begin;
  std::int64_t end;

  std::int64_t size() const { return end - begin; }
};

using Box = std::array<Range, 3>;

inline std::int64_t voxels_of(const Shape& shape) { return shape[0] * shape[1] * shape[2]; }

inline Shape shape_of(const Box& box) { return {box[0].size(), box[1].size(), box[2].size()}; }

template <class Number>
Shape shape_of(const Volume<Number>& volume) {
  if (volume.ndim() != 3 || volume.size() == 0) {
    throw std::invalid_argument("values: expected a volume (z, y, x) with voxels; found " +
                                std::to_string(volume.ndim()) + " axes and " +
                                std::to_string(volume.size()) + " values; pass three axes");
  }
  return {volume.shape(0), volume.shape(1), volume.shape(2)};
}

template <class Number>
Volume<Number> empty_volume(const Shape& shape) {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max() / 16;
  if (shape[0] > 0 && shape[1] > 0 && shape[2] > most / shape[0] / shape[1]) {
    throw std::invalid_argument("size: expected a volume that fits into memory; found " +
                                std::to_string(shape[0]) + " x " + std::to_string(shape[1]) +
                                " x " + std::to_string(shape[2]) + "; ask for fewer voxels");
  }
  return Volume<Number>(shape);
}

}  // namespace radiogenomics
