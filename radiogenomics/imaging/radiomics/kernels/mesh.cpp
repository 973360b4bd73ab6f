// Surface, volume, diameters and moments of a region's mesh; the same of an outline in a slice.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "mesh_cubes.hpp"
#include "mesh_hull.hpp"

namespace radiogenomics {
namespace {

namespace py = pybind11;

using InsideArray = py::array_t<bool, py::array::c_style>;
using SpacingArray = std::vector<double>;

// Sums of squared places of that many voxels along such axes stay within 64 bits.
constexpr std::int64_t longest_axis = 32766;
constexpr std::int64_t most_voxels = std::int64_t{1} << 32;

// Counts, sums and products of voxel indices (z, y, x), gathered a run along x at a time.
struct Moments {
  std::int64_t voxels = 0;
  Point sums{};
  std::array<Point, 3> products{};

  void add_run(std::int64_t z, std::int64_t y, std::int64_t first, std::int64_t last) {
    const std::int64_t n = last - first + 1;
    const std::int64_t sum = (first + last) * n / 2;
    const std::int64_t squares = squares_up_to(last) - squares_up_to(first - 1);
    voxels += n;
    const Point place{z * n, y * n, sum};
    for (std::size_t axis = 0; axis < 3; ++axis) sums[axis] += place[axis];
    products[0][0] += z * z * n;
    products[0][1] += z * y * n;
    products[0][2] += z * sum;
    products[1][1] += y * y * n;
    products[1][2] += y * sum;
    products[2][2] += squares;
  }

  void mirror() {
    products[1][0] = products[0][1];
    products[2][0] = products[0][2];
    products[2][1] = products[1][2];
  }

 private:
  static std::int64_t squares_up_to(std::int64_t n) { return n * (n + 1) * (2 * n + 1) / 6; }
};

struct Region {
  const std::uint8_t* voxels;
  Point shape;
  Spacing spacing;
};

// Marching cubes over a region in a border of zeros.
class Mesh {
 public:
  Mesh(const Region& region, bool open)
      : table_(cube_surfaces(open)),
        region_(region),
        outside_(static_cast<std::size_t>(region.shape[2])),
        rim_(region.shape) {
    for (std::int64_t z = -1; z < region.shape[0]; ++z) {
      for (std::int64_t y = -1; y < region.shape[1]; ++y) walk(z, y);
    }
    moments_.mirror();
  }

  const Moments& moments() const { return moments_; }
  const Rim& rim() const { return rim_; }

  double area() const {
    double total = 0;
    for (std::size_t code = 0; code < counts_.size(); ++code) {
      if (counts_[code] == 0) continue;
      double area = 0;
      for (const Triangle& triangle : table_[code].triangles) area += in_mm2(triangle);
      total += static_cast<double>(counts_[code]) * area;
    }
    return total;
  }

  // Seen from one voxel before the region's box, which matters where the mesh has holes.
  double volume() const {
    std::int64_t sum = determinants_;
    for (std::size_t axis = 0; axis < 3; ++axis) sum -= (lowest_[axis] - 1) * normal_[axis];
    return static_cast<double>(sum) / 48 * region_.spacing[0] * region_.spacing[1] *
           region_.spacing[2];
  }

 private:
  using Rows = std::array<const std::uint8_t*, 4>;

  const std::uint8_t* row(std::int64_t z, std::int64_t y) const {
    const bool exists = z >= 0 && z < region_.shape[0] && y >= 0 && y < region_.shape[1];
    return exists ? region_.voxels + (z * region_.shape[1] + y) * region_.shape[2]
                  : outside_.data();
  }

  // The four voxels at x, in the bits of the corners with an even number.
  static unsigned column(const Rows& rows, std::int64_t x) {
    return (rows[0][x] != 0 ? 1U : 0U) | (rows[1][x] != 0 ? 4U : 0U) |
           (rows[2][x] != 0 ? 16U : 0U) | (rows[3][x] != 0 ? 64U : 0U);
  }

  static bool all_equal(const Rows& rows, std::int64_t x, std::uint64_t eight) {
    for (const std::uint8_t* row : rows) {
      std::uint64_t word;
      std::memcpy(&word, row + x, sizeof word);
      if (word != eight) return false;
    }
    return true;
  }

  // All cubes whose first corner lies in row (z, y), from one before the row to its end.
  void walk(std::int64_t z, std::int64_t y) {
    const Rows rows{row(z, y), row(z, y + 1), row(z + 1, y), row(z + 1, y + 1)};
    const std::int64_t end = region_.shape[2];
    unsigned before = 0;
    for (std::int64_t x = 0; x < end;) {
      if (x + 8 <= end && ((before == 0 && all_equal(rows, x, 0)) ||
                           (before == 0x55 && all_equal(rows, x, 0x0101010101010101)))) {
        x += 8;
        continue;
      }
      const unsigned here = column(rows, x);
      visit(before | here << 1, {z, y, x - 1});
      before = here;
      ++x;
    }
    visit(before, {z, y, end - 1});
  }

  void visit(unsigned code, const Point& cube) {
    if (code == 0 || code == 0xFF) return;
    const CubeSurface& surface = table_[code];
    ++counts_[code];
    determinants_ += surface.determinant + 2 * dot(cube, surface.normal);
    for (std::size_t axis = 0; axis < 3; ++axis) normal_[axis] += surface.normal[axis];
    add_vertices(code, {2 * cube[0], 2 * cube[1], 2 * cube[2]});
    note_run(code, cube);
  }

  // Each edge of the grid meets the pivot of exactly one cube.
  void add_vertices(unsigned code, const Point& at) {
    const bool pivot = holds(code, pivot_corner);
    if (pivot != holds(code, 7)) add_vertex({at[0] + 2, at[1] + 2, at[2] + 1});
    if (pivot != holds(code, 4)) add_vertex({at[0] + 2, at[1] + 1, at[2]});
    if (pivot != holds(code, 2)) add_vertex({at[0] + 1, at[1] + 2, at[2]});
  }

  void add_vertex(const Point& vertex) {
    rim_.add(vertex);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      lowest_[axis] = std::min(lowest_[axis], vertex[axis]);
    }
  }

  void note_run(unsigned code, const Point& cube) {
    if (holds(code, pivot_corner) == holds(code, 7)) return;
    if (holds(code, 7)) {
      run_start_ = cube[2] + 1;
    } else {
      moments_.add_run(cube[0] + 1, cube[1] + 1, run_start_, cube[2]);
    }
  }

  double in_mm2(const Triangle& triangle) const {
    const Point normal = normal_of(triangle);
    const Spacing& s = region_.spacing;
    const double z = static_cast<double>(normal[0]) * s[1] * s[2];
    const double y = static_cast<double>(normal[1]) * s[0] * s[2];
    const double x = static_cast<double>(normal[2]) * s[0] * s[1];
    return std::sqrt(z * z + y * y + x * x) / 8;
  }

  const CubeTable& table_;
  Region region_;
  std::vector<std::uint8_t> outside_;
  Rim rim_;
  Moments moments_;
  std::array<std::int64_t, 256> counts_{};
  std::int64_t determinants_ = 0;
  Point normal_{};
  Point lowest_{longest_axis * 2, longest_axis * 2, longest_axis * 2};
  std::int64_t run_start_ = 0;
};

// Marching squares over a slice in a border of zeros; of two pixels that meet at a corner only,
// each has an outline of its own.
class Outline {
 public:
  explicit Outline(const Region& slice) : slice_(slice), rim_(slice.shape) {
    for (std::int64_t y = -1; y < slice.shape[1]; ++y) {
      for (std::int64_t x = -1; x < slice.shape[2]; ++x) visit(y, x);
    }
    moments_.mirror();
  }

  const Moments& moments() const { return moments_; }
  const Rim& rim() const { return rim_; }

  double perimeter() const {
    const double y = slice_.spacing[1];
    const double x = slice_.spacing[2];
    return static_cast<double>(along_y_) * y + static_cast<double>(along_x_) * x +
           static_cast<double>(oblique_) * std::sqrt(y * y + x * x) / 2;
  }

  double surface() const {
    return static_cast<double>(eighths_) / 8 * slice_.spacing[1] * slice_.spacing[2];
  }

 private:
  bool pixel(std::int64_t y, std::int64_t x) const {
    const bool exists = y >= 0 && y < slice_.shape[1] && x >= 0 && x < slice_.shape[2];
    return exists && slice_.voxels[y * slice_.shape[2] + x] != 0;
  }

  void visit(std::int64_t y, std::int64_t x) {
    const bool corner = pixel(y, x);
    const bool right = pixel(y, x + 1);
    const bool below = pixel(y + 1, x);
    const bool opposite = pixel(y + 1, x + 1);
    add_lines(corner + right + below + opposite, corner == right, corner == below);
    if (below != opposite) rim_.add({0, 2 * y + 2, 2 * x + 1});
    if (below != corner) rim_.add({0, 2 * y + 1, 2 * x});
    if (!below && opposite) run_start_ = x + 1;
    if (below && !opposite) moments_.add_run(0, y + 1, run_start_, x);
  }

  void add_lines(int inside, bool row_alike, bool column_alike) {
    if (inside == 4) eighths_ += 8;
    if (inside == 1 || inside == 3) {
      ++oblique_;
      eighths_ += inside == 1 ? 1 : 7;
    }
    if (inside != 2) return;
    if (!row_alike && !column_alike) {
      oblique_ += 2;
      eighths_ += 2;
    } else {
      ++(row_alike ? along_x_ : along_y_);
      eighths_ += 4;
    }
  }

  Region slice_;
  Rim rim_;
  Moments moments_;
  std::int64_t along_y_ = 0;
  std::int64_t along_x_ = 0;
  std::int64_t oblique_ = 0;
  std::int64_t eighths_ = 0;
  std::int64_t run_start_ = 0;
};

void require_spacing(const SpacingArray& spacing, std::size_t axes) {
  bool valid = spacing.size() == axes;
  for (const double size : spacing) valid = valid && std::isfinite(size) && size > 0;
  if (!valid) {
    throw std::invalid_argument("spacing: expected a positive size for each of " +
                                std::to_string(axes) + " axes; found another number of them, or "
                                "one that is not positive; pass the voxel size in mm");
  }
}

Region read_region(const InsideArray& inside, const SpacingArray& spacing, int axes) {
  if (inside.ndim() != axes) {
    throw std::invalid_argument("inside: expected " + std::to_string(axes) + " axes; found " +
                                std::to_string(inside.ndim()) + "; pass one region");
  }
  require_spacing(spacing, static_cast<std::size_t>(axes));
  Region region{reinterpret_cast<const std::uint8_t*>(inside.data()), {1, 1, 1}, {1, 1, 1}};
  std::int64_t size = 1;
  for (int axis = 0; axis < axes; ++axis) {
    const auto at = static_cast<std::size_t>(3 - axes + axis);
    region.shape[at] = inside.shape(axis);
    region.spacing[at] = spacing[static_cast<std::size_t>(axis)];
    if (region.shape[at] < 1 || region.shape[at] > longest_axis) {
      throw std::invalid_argument("inside: expected 1 to 32766 voxels along each axis; found " +
                                  std::to_string(region.shape[at]) + "; crop to the region first");
    }
    size *= region.shape[at];
  }
  if (size > most_voxels) {
    throw std::invalid_argument("inside: expected at most 2^32 voxels; found " +
                                std::to_string(size) + "; crop to the region first");
  }
  return region;
}

void require_voxels(const Moments& moments) {
  if (moments.voxels == 0) {
    throw std::invalid_argument("inside: expected at least one voxel; found none; check the mask");
  }
}

py::array_t<std::int64_t> as_rows(const std::vector<Point>& points) {
  py::array_t<std::int64_t> rows({static_cast<py::ssize_t>(points.size()), py::ssize_t{3}});
  if (!points.empty()) std::memcpy(rows.mutable_data(), points.data(), sizeof(Point) * points.size());
  return rows;
}

py::dict measure_mesh(const InsideArray& inside, const SpacingArray& spacing, bool open) {
  const Region region = read_region(inside, spacing, 3);
  py::gil_scoped_release release;
  const Mesh mesh(region, open);
  require_voxels(mesh.moments());
  const Diameters found = diameters(mesh.rim(), region.spacing);
  const double area = mesh.area();
  const double volume = mesh.volume();
  py::gil_scoped_acquire acquire;
  using namespace py::literals;
  return py::dict("area"_a = area, "volume"_a = volume, "slice_diameter"_a = found.across[0],
                  "column_diameter"_a = found.across[1], "row_diameter"_a = found.across[2],
                  "diameter"_a = found.largest, "corners"_a = as_rows(found.corners),
                  "voxels"_a = mesh.moments().voxels, "sums"_a = mesh.moments().sums,
                  "products"_a = mesh.moments().products);
}

py::dict measure_outline(const InsideArray& inside, const SpacingArray& spacing) {
  const Region slice = read_region(inside, spacing, 2);
  py::gil_scoped_release release;
  const Outline outline(slice);
  require_voxels(outline.moments());
  const double diameter = diameters(outline.rim(), slice.spacing).largest;
  py::gil_scoped_acquire acquire;
  using namespace py::literals;
  return py::dict("perimeter"_a = outline.perimeter(), "surface"_a = outline.surface(),
                  "diameter"_a = diameter, "voxels"_a = outline.moments().voxels,
                  "sums"_a = outline.moments().sums, "products"_a = outline.moments().products);
}

}  // namespace

void bind_mesh(py::module_& module) {
  module.def("mesh", &measure_mesh, py::arg("inside"), py::arg("spacing_mm"), py::arg("open"),
             "Marching-cubes mesh of a region (z, y, x), open as that of pyradiomics or watertight: "
             "area, volume, diameters within planes across z, y and x and in space, candidates for "
             "hull corners in half voxels, and count, sums and products of voxel indices.");
  module.def("outline", &measure_outline, py::arg("inside"), py::arg("spacing_mm"),
             "Marching-squares outline of a slice (y, x): perimeter, surface, diameter, and "
             "count, sums and products of pixel indices (0, y, x).");
}

}  // namespace radiogenomics
