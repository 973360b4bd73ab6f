// What marching cubes lays through eight voxels, for each of the 256 ways they can be inside.
//
// Lorensen & Cline, Comput Graph 1987;21:163, doi:10.1145/37402.37422. The tables follow from three
// rules, the `open` one so that surfaces are those of pyradiomics 3.0.1:
// 1. Vertices halve the edges between an inside and an outside corner. On each face of the cube a
//    line cuts off each group of adjacent corners that are inside; so, where two such corners face
//    each other across a diagonal, each is cut off alone. With an `open` mesh those corners are cut
//    off that are unlike the pivot, one fixed corner: two cubes may disagree about the face that
//    they share, and then leave a hole there.
// 2. The lines join into closed loops with the inside on one side.
// 3. A loop is cut into a fan of triangles around one of its vertices: the one with the largest
//    area; in a loop of seven vertices, the one with the largest triangle.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace radiogenomics {

// (z, y, x) in half voxels from the first corner.
using Point = std::array<std::int64_t, 3>;
using Triangle = std::array<Point, 3>;
using Loop = std::vector<Point>;

// Corner c of a cube lies at (c >> 2 & 1, c >> 1 & 1, c & 1); bit c of a code tells if it is inside.
constexpr int pivot_corner = 6;

struct CubeSurface {
  std::vector<Triangle> triangles;  // counter-clockwise seen from outside the region
  std::int64_t determinant = 0;     // sum of a . (b x c)
  Point normal{};                   // sum of (b - a) x (c - a)
};

inline Point minus(const Point& a, const Point& b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}

inline Point cross(const Point& a, const Point& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

inline std::int64_t dot(const Point& a, const Point& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

inline Point normal_of(const Triangle& t) { return cross(minus(t[1], t[0]), minus(t[2], t[0])); }

inline double doubled_area(const Triangle& t) {
  const Point normal = normal_of(t);
  return std::sqrt(static_cast<double>(dot(normal, normal)));
}

inline bool holds(unsigned code, int corner) { return (code >> corner & 1U) != 0; }

// Midpoint of two corners, a number below 27 with a digit of base 3 for each axis.
inline int midpoint(int a, int b) {
  return 9 * ((a >> 2 & 1) + (b >> 2 & 1)) + 3 * ((a >> 1 & 1) + (b >> 1 & 1)) + (a & 1) + (b & 1);
}

inline Point place(int midpoint) { return {midpoint / 9, midpoint / 3 % 3, midpoint % 3}; }

// The corners of the six faces, counter-clockwise seen from outside the cube.
inline std::array<std::array<int, 4>, 6> faces() {
  std::array<std::array<int, 4>, 6> found{};
  for (int axis = 0; axis < 3; ++axis) {
    const int along = 4 >> axis;
    const int u = 4 >> (axis + 1) % 3;
    const int v = 4 >> (axis + 2) % 3;
    found[static_cast<std::size_t>(2 * axis)] = {0, v, u + v, u};
    found[static_cast<std::size_t>(2 * axis + 1)] = {along, along + u, along + u + v, along + v};
  }
  return found;
}

// Rule 1: to each vertex the next one on its loop; -1 where there is no vertex.
inline std::array<int, 27> successors(unsigned inside) {
  std::array<int, 27> next;
  next.fill(-1);
  for (const auto& face : faces()) {
    for (std::size_t k = 0; k < 4; ++k) {
      if (holds(inside, face[k]) || !holds(inside, face[(k + 1) % 4])) continue;
      std::size_t last = k + 1;
      while (holds(inside, face[(last + 1) % 4])) ++last;
      next[static_cast<std::size_t>(midpoint(face[k], face[(k + 1) % 4]))] =
          midpoint(face[last % 4], face[(last + 1) % 4]);
    }
  }
  return next;
}

// Rule 2.
inline std::vector<Loop> loops(unsigned inside) {
  std::array<int, 27> next = successors(inside);
  std::vector<Loop> found;
  for (int start = 0; start < 27; ++start) {
    Loop loop;
    for (int vertex = start; next[static_cast<std::size_t>(vertex)] >= 0;) {
      loop.push_back(place(vertex));
      const int following = next[static_cast<std::size_t>(vertex)];
      next[static_cast<std::size_t>(vertex)] = -1;
      vertex = following;
    }
    if (!loop.empty()) found.push_back(loop);
  }
  return found;
}

inline std::vector<Triangle> fan(const Loop& loop, std::size_t apex) {
  std::vector<Triangle> triangles;
  const std::size_t n = loop.size();
  for (std::size_t k = 1; k + 1 < n; ++k) {
    triangles.push_back({loop[apex], loop[(apex + k) % n], loop[(apex + k + 1) % n]});
  }
  return triangles;
}

// Rule 3.
inline std::vector<Triangle> best_fan(const Loop& loop) {
  std::vector<Triangle> best;
  double highest = -1;
  for (std::size_t apex = 0; apex < loop.size(); ++apex) {
    const std::vector<Triangle> candidate = fan(loop, apex);
    double total = 0;
    double largest = 0;
    for (const Triangle& triangle : candidate) {
      total += doubled_area(triangle);
      largest = std::fmax(largest, doubled_area(triangle));
    }
    const double score = loop.size() == 7 ? largest : total;
    if (score > highest) {
      highest = score;
      best = candidate;
    }
  }
  return best;
}

inline CubeSurface cube_surface(unsigned code, bool open) {
  const bool flipped = open && holds(code, pivot_corner);
  CubeSurface surface;
  for (const Loop& loop : loops(flipped ? ~code & 0xFFU : code)) {
    for (Triangle triangle : best_fan(loop)) {
      if (flipped) std::swap(triangle[1], triangle[2]);
      const Point normal = normal_of(triangle);
      for (std::size_t axis = 0; axis < 3; ++axis) surface.normal[axis] += normal[axis];
      surface.determinant += dot(triangle[0], cross(triangle[1], triangle[2]));
      surface.triangles.push_back(triangle);
    }
  }
  return surface;
}

using CubeTable = std::array<CubeSurface, 256>;

inline CubeTable make_table(bool open) {
  CubeTable table;
  for (unsigned code = 0; code < table.size(); ++code) table[code] = cube_surface(code, open);
  return table;
}

inline const CubeTable& cube_surfaces(bool open) {
  static const CubeTable with_holes = make_table(true);
  static const CubeTable watertight = make_table(false);
  return open ? with_holes : watertight;
}

}  // namespace radiogenomics
