// Farthest pairs of mesh vertices, searched among the corners of convex hulls only.
//
// Vertices are whole numbers of half voxels, so hulls are exact; scaling the axes by the voxel size
// changes lengths and not which vertices are corners. A corner of the hull of all vertices is also
// one of the hull of its slice, of its row-plane and of its column-plane: what passes the three
// planar tests (Andrew's monotone chains) is searched pairwise.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <vector>

#include "mesh_cubes.hpp"

namespace radiogenomics {

using Spacing = std::array<double, 3>;
using Planar = std::array<std::int64_t, 2>;

// First and last vertex on a line.
struct Span {
  std::int32_t low = std::numeric_limits<std::int32_t>::max();
  std::int32_t high = std::numeric_limits<std::int32_t>::min();

  bool empty() const { return low > high; }
  void add(std::int64_t place) {
    low = std::min(low, static_cast<std::int32_t>(place));
    high = std::max(high, static_cast<std::int32_t>(place));
  }
};

// Parallel lines of a plane: `count` spans, `stride` apart.
struct Lines {
  const Span* first;
  std::size_t stride;
  std::size_t count;
};

inline std::int64_t turn(const Planar& a, const Planar& b, const Planar& c) {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

inline void extend(std::vector<Planar>& chain, const Planar& point, std::int64_t side) {
  while (chain.size() > 1 && side * turn(chain[chain.size() - 2], chain.back(), point) <= 0) {
    chain.pop_back();
  }
  chain.push_back(point);
}

// Corners (line, place) of the hull; those where two chains meet come twice.
inline std::vector<Planar> hull(const Lines& lines) {
  std::vector<Planar> lower;
  std::vector<Planar> upper;
  for (std::size_t line = 0; line < lines.count; ++line) {
    const Span& span = lines.first[line * lines.stride];
    if (span.empty()) continue;
    extend(lower, {static_cast<std::int64_t>(line), span.low}, 1);
    extend(upper, {static_cast<std::int64_t>(line), span.high}, -1);
  }
  lower.insert(lower.end(), upper.begin(), upper.end());
  return lower;
}

struct Placed {
  Spacing at;
  double radius;
};

inline double squared_distance(const Spacing& a, const Spacing& b) {
  const double z = a[0] - b[0];
  const double y = a[1] - b[1];
  const double x = a[2] - b[2];
  return z * z + y * y + x * x;
}

// Vertices in mm, those far from their common centre first.
inline std::vector<Placed> placed(const std::vector<Point>& vertices, const Spacing& spacing) {
  Spacing centre{};
  std::vector<Placed> found;
  for (const Point& vertex : vertices) {
    Placed here{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      here.at[axis] = static_cast<double>(vertex[axis]) / 2 * spacing[axis];
      centre[axis] += here.at[axis] / static_cast<double>(vertices.size());
    }
    found.push_back(here);
  }
  for (Placed& here : found) here.radius = std::sqrt(squared_distance(here.at, centre));
  std::sort(found.begin(), found.end(),
            [](const Placed& a, const Placed& b) { return a.radius > b.radius; });
  return found;
}

// Two vertices are no farther apart than their radii together; the margin outweighs rounding.
inline double largest_distance(const std::vector<Point>& vertices, const Spacing& spacing) {
  constexpr double margin = 1 + 1e-12;
  const std::vector<Placed> points = placed(vertices, spacing);
  double squared = 0;
  double reached = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (margin * (points[0].radius + points[i].radius) < reached) break;
    for (std::size_t j = 0; j < i; ++j) {
      if (margin * (points[i].radius + points[j].radius) < reached) break;
      squared = std::max(squared, squared_distance(points[i].at, points[j].at));
    }
    reached = std::sqrt(squared);
  }
  return reached;
}

// The vertices of a mesh, as far as hulls need them: the outermost on each line.
class Rim {
 public:
  // `shape`: voxels along (z, y, x); a mesh reaches half a voxel beyond on each side.
  explicit Rim(const Point& shape)
      : size_{2 * shape[0] + 1, 2 * shape[1] + 1, 2 * shape[2] + 1},
        along_x_(static_cast<std::size_t>(size_[0] * size_[1])),
        along_y_(static_cast<std::size_t>(size_[0] * size_[2])) {}

  void add(const Point& vertex) {
    along_x_[static_cast<std::size_t>((vertex[0] + 1) * size_[1] + vertex[1] + 1)].add(vertex[2]);
    along_y_[static_cast<std::size_t>((vertex[0] + 1) * size_[2] + vertex[2] + 1)].add(vertex[1]);
  }

  // Corners of the hulls of all planes across an axis, each plane's in turn.
  std::vector<std::vector<Point>> plane_hulls(std::size_t axis) const {
    std::vector<std::vector<Point>> found;
    for (std::int64_t plane = 0; plane < size_[axis]; ++plane) {
      std::vector<Point> corners;
      for (const Planar& corner : hull(lines(axis, static_cast<std::size_t>(plane)))) {
        corners.push_back(in_space(axis, plane - 1, corner));
      }
      found.push_back(corners);
    }
    return found;
  }

 private:
  Lines lines(std::size_t axis, std::size_t plane) const {
    const auto [z, y, x] = std::array<std::size_t, 3>{static_cast<std::size_t>(size_[0]),
                                                      static_cast<std::size_t>(size_[1]),
                                                      static_cast<std::size_t>(size_[2])};
    if (axis == 0) return {along_x_.data() + plane * y, 1, y};
    if (axis == 1) return {along_x_.data() + plane, y, z};
    return {along_y_.data() + plane, x, z};
  }

  static Point in_space(std::size_t axis, std::int64_t plane, const Planar& corner) {
    if (axis == 0) return {plane, corner[0] - 1, corner[1]};
    if (axis == 1) return {corner[0] - 1, plane, corner[1]};
    return {corner[0] - 1, corner[1], plane};
  }

  Point size_;
  std::vector<Span> along_x_;
  std::vector<Span> along_y_;
};

struct Diameters {
  Spacing across{};  // largest within a plane across z, y and x
  double largest = 0;
  std::vector<Point> corners;  // all corners of the mesh's convex hull are among them
};

inline Diameters diameters(const Rim& rim, const Spacing& spacing) {
  Diameters found;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    std::vector<Point> corners;
    for (const std::vector<Point>& plane : rim.plane_hulls(axis)) {
      found.across[axis] = std::max(found.across[axis], largest_distance(plane, spacing));
      corners.insert(corners.end(), plane.begin(), plane.end());
    }
    std::sort(corners.begin(), corners.end());
    corners.erase(std::unique(corners.begin(), corners.end()), corners.end());
    if (axis == 0) {
      found.corners = corners;
      continue;
    }
    std::vector<Point> shared;
    std::set_intersection(corners.begin(), corners.end(), found.corners.begin(),
                          found.corners.end(), std::back_inserter(shared));
    found.corners = shared;
  }
  found.largest = largest_distance(found.corners, spacing);
  return found;
}

}  // namespace radiogenomics
