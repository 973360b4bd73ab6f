// Zones of one grey level (GLSZM, GLDZM): connected components by union-find in one pass.
#include <utility>

#include "levels.hpp"

namespace radiogenomics {
namespace {

namespace py = pybind11;

struct Zone {
  std::uint32_t parent;
  std::uint32_t level;
  std::uint32_t size;
};

// Provisional zones; of joined ones the earliest stands for all, so zones keep raster order.
class Zones {
 public:
  // Memory is asked for once, for a zone a voxel; what stays unused is never touched.
  Zones(std::int64_t voxels, bool with_distances) : with_distances_(with_distances) {
    zones_.reserve(static_cast<std::size_t>(voxels));
    if (with_distances_) nearest_.reserve(static_cast<std::size_t>(voxels));
  }

  // Makes room for one more zone a voxel of the row to come.
  void expect(std::int64_t voxels) {
    const std::size_t room = opened_ + static_cast<std::size_t>(voxels);
    zones_.resize(room);
    if (with_distances_) nearest_.resize(room, std::numeric_limits<std::int64_t>::max());
  }

  // The zone that would be opened next; `kept` says whether it is.
  std::uint32_t propose(std::uint32_t level, bool kept) {
    const std::uint32_t zone = opened_;
    zones_[zone] = {zone, level, 0};
    opened_ += kept;
    return zone;
  }

  void add_voxel(std::uint32_t zone) { ++zones_[zone].size; }
  void add_distance(std::uint32_t zone, std::int64_t distance) {
    nearest_[zone] = std::min(nearest_[zone], distance);
  }

  void join(std::uint32_t a, std::uint32_t b) {
    a = root(a);
    b = root(b);
    zones_[std::max(a, b)].parent = std::min(a, b);
    joined_ += a != b;
  }

  std::int64_t count() const { return opened_ - joined_; }

  // Gathers in each root what its zones hold.
  void settle() {
    for (std::uint32_t zone = 0; zone < opened_; ++zone) {
      const std::uint32_t base = root(zone);
      if (base == zone) continue;
      zones_[base].size += zones_[zone].size;
      if (with_distances_) add_distance(base, nearest_[zone]);
    }
  }

  // Level, size and, where there are distances, the smallest of them.
  void write(std::int64_t* cell) const {
    for (std::uint32_t zone = 0; zone < opened_; ++zone) {
      if (zones_[zone].parent != zone) continue;
      *cell++ = zones_[zone].level;
      *cell++ = zones_[zone].size;
      if (with_distances_) *cell++ = nearest_[zone];
    }
  }

 private:
  std::uint32_t root(std::uint32_t zone) {
    while (zones_[zone].parent != zone) {
      zones_[zone].parent = zones_[zones_[zone].parent].parent;
      zone = zones_[zone].parent;
    }
    return zone;
  }

  bool with_distances_;
  std::uint32_t opened_ = 0;
  std::uint32_t joined_ = 0;
  std::vector<Zone> zones_;
  std::vector<std::int64_t> nearest_;
};

// The steps back to the neighbours already visited, each once; at most 13.
std::vector<Triple> steps_back(const std::vector<Triple>& offsets) {
  std::vector<Triple> steps;
  for (const Triple& offset : offsets) steps.push_back(forward(offset));
  std::sort(steps.begin(), steps.end());
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  return steps;
}

// For each set of neighbours of the voxel's level (bit k: step k back), the few that must be
// joined: neighbours that are neighbours of each other are in one zone already. Found when first
// asked for.
class Joints {
 public:
  explicit Joints(const std::vector<Triple>& steps)
      : touching_(steps.size()), known_(std::size_t{1} << steps.size()) {
    for (std::size_t a = 0; a < steps.size(); ++a) {
      for (std::size_t b = 0; b < steps.size(); ++b) {
        const Triple apart{steps[a][0] - steps[b][0], steps[a][1] - steps[b][1],
                           steps[a][2] - steps[b][2]};
        const bool touch = std::find(steps.begin(), steps.end(), forward(apart)) != steps.end();
        touching_[a] |= std::uint32_t{touch} << b;
      }
    }
  }

  std::uint32_t operator()(std::uint32_t set) {
    if (set != 0 && known_[set] == 0) known_[set] = static_cast<std::uint16_t>(one_each(set));
    return known_[set];
  }

 private:
  // The lowest neighbour of each group that hangs together.
  std::uint32_t one_each(std::uint32_t set) const {
    std::uint32_t lowest = 0;
    while (set) {
      std::uint32_t group = set & (~set + 1);
      lowest |= group;
      for (std::uint32_t grown = 0; grown != group;) {
        grown = group;
        for (std::size_t a = 0; a < touching_.size(); ++a) {
          if (group >> a & 1u) group |= touching_[a] & set;
        }
      }
      set &= ~group;
    }
    return lowest;
  }

  std::vector<std::uint32_t> touching_;
  std::vector<std::uint16_t> known_;
};

template <class Level>
void find_alike(const PaddedLevels<Level>& levels, const Level* here,
                const std::vector<Triple>& steps, std::int64_t voxels, std::uint16_t* alike) {
  std::fill_n(alike, voxels, std::uint16_t{0});
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const Level* behind = here - levels.step(steps[k]);
    const auto bit = static_cast<std::uint16_t>(1u << k);
    for (std::int64_t x = 0; x < voxels; ++x) {
      alike[x] = static_cast<std::uint16_t>(alike[x] | (here[x] == behind[x] ? bit : 0));
    }
  }
}

template <class Level>
class Walk {
 public:
  Walk(const LevelView& view, const std::vector<Triple>& offsets, const std::int64_t* distances)
      : levels_(view, {1, 1, 1}),
        steps_(steps_back(offsets)),
        joints_(steps_),
        distances_(distances),
        stride_(view.shape[2] + 2),
        rows_(view.shape[1] + 2),
        zone_of_(static_cast<std::size_t>(2 * rows_ * stride_)),
        zones_(view.size(), distances != nullptr) {}

  Zones run() {
    const Triple& shape = levels_.shape();
    std::vector<std::uint16_t> alike(static_cast<std::size_t>(shape[2]));
    for (std::int64_t z = 0; z < shape[0]; ++z) {
      for (std::int64_t y = 0; y < shape[1]; ++y) {
        const Extent extent = levels_.extent(z, y);
        if (extent.empty()) continue;
        const std::int64_t voxels = extent.end - extent.begin;
        find_alike(levels_, levels_.row(z, y) + extent.begin, steps_, voxels, alike.data());
        zones_.expect(voxels);
        visit_row(z, y, extent, alike.data());
      }
    }
    zones_.settle();
    return std::move(zones_);
  }

 private:
  // Zones of the plane in hand and of the one before it.
  std::uint32_t* zone_row(std::int64_t z, std::int64_t y) {
    return zone_of_.data() + ((z & 1) * rows_ + y + 1) * stride_ + 1;
  }

  void visit_row(std::int64_t z, std::int64_t y, const Extent& extent, const std::uint16_t* alike) {
    const Level* here = levels_.row(z, y);
    std::uint32_t* zone_here = zone_row(z, y);
    std::array<const std::uint32_t*, no_joint + 1> zone_behind{};
    zone_behind[no_joint] = zone_here;
    for (std::size_t k = 0; k < steps_.size(); ++k) {
      zone_behind[k] = zone_row(z - steps_[k][0], y - steps_[k][1]) - steps_[k][2];
    }
    const Triple& shape = levels_.shape();
    const std::int64_t* distance =
        distances_ ? distances_ + (z * shape[1] + y) * shape[2] : nullptr;
    for (std::int64_t x = extent.begin; x < extent.end; ++x) {
      if (here[x] == 0) continue;
      std::uint32_t joint = joints_(alike[x - extent.begin]);
      const std::uint32_t fresh = zones_.propose(here[x], joint == 0);
      const std::uint32_t behind = zone_behind[lowest(joint)][x];
      const std::uint32_t zone = joint ? behind : fresh;
      for (joint &= joint - 1; joint; joint &= joint - 1) {
        zones_.join(zone, zone_behind[lowest(joint)][x]);
      }
      zone_here[x] = zone;
      zones_.add_voxel(zone);
      if (distance) zones_.add_distance(zone, distance[x]);
    }
  }

  static constexpr std::uint32_t no_joint = 13;

  static std::uint32_t lowest(std::uint32_t set) {
    return static_cast<std::uint32_t>(__builtin_ctz(set | 1u << no_joint));
  }

  PaddedLevels<Level> levels_;
  std::vector<Triple> steps_;
  Joints joints_;
  const std::int64_t* distances_;
  std::int64_t stride_;
  std::int64_t rows_;
  std::vector<std::uint32_t> zone_of_;
  Zones zones_;
};

Zones find_zones(const LevelView& view, const std::vector<Triple>& steps,
                 const std::int64_t* distances) {
  const py::gil_scoped_release release;
  if (view.count <= std::numeric_limits<std::uint8_t>::max()) {
    return Walk<std::uint8_t>(view, steps, distances).run();
  }
  return Walk<std::uint16_t>(view, steps, distances).run();
}

CountArray zone_table(const LevelArray& levels, std::int64_t count, const OffsetArray& offsets,
                      const std::int64_t* distances) {
  const LevelView view = view_levels(levels, count);
  const std::vector<Triple> steps = read_offsets(offsets);
  require_adjacent(steps);
  const Zones found = find_zones(view, steps, distances);
  CountArray table({found.count(), std::int64_t{distances ? 3 : 2}});
  found.write(table.mutable_data());
  return table;
}

CountArray zones(const LevelArray& levels, std::int64_t count, const OffsetArray& offsets) {
  return zone_table(levels, count, offsets, nullptr);
}

using DistanceArray = py::array_t<std::int64_t, py::array::c_style>;

CountArray zone_distances(const LevelArray& levels, std::int64_t count, const OffsetArray& offsets,
                          const DistanceArray& distance) {
  if (distance.ndim() != 3 || levels.ndim() != 3 ||
      !std::equal(levels.shape(), levels.shape() + 3, distance.shape())) {
    throw std::invalid_argument(
        "distance: expected one number a voxel in the shape of levels; "
        "found another shape; pass the distance map of the same crop");
  }
  return zone_table(levels, count, offsets, distance.data());
}

}  // namespace

void bind_zones(py::module_& module) {
  module.def("zones", &zones, py::arg("levels"), py::arg("count"), py::arg("offsets"),
             "Level and size of each zone [zone, 2], in order of first voxels. Offsets name the "
             "neighbours that connect; both signs are meant.");
  module.def("zone_distances", &zone_distances, py::arg("levels"), py::arg("count"),
             py::arg("offsets"), py::arg("distance"),
             "Level, size and smallest distance of each zone [zone, 3].");
}

}  // namespace radiogenomics
