// Grey-level dependence (GLDM) and neighbourhood grey-tone difference (NGTDM) in one pass.
#include <cstdlib>
#include <iterator>

#include "levels.hpp"
#include "parallel.hpp"

namespace radiogenomics {
namespace {

namespace py = pybind11;

// Whole numbers only, so the sum over slabs is the same in any order: the differences of voxels
// with the same number of neighbours are summed before they are divided by it.
struct Tally {
  Tally(std::int64_t levels, std::int64_t neighbours)
      : columns(static_cast<std::size_t>(neighbours + 1)),
        dependence(static_cast<std::size_t>(levels + 1) * columns),
        voxels(dependence.size()),
        difference(dependence.size()) {}

  void add(const Tally& other) {
    for (std::size_t cell = 0; cell < dependence.size(); ++cell) {
      dependence[cell] += other.dependence[cell];
      voxels[cell] += other.voxels[cell];
      difference[cell] += other.difference[cell];
    }
  }

  std::size_t columns;
  std::vector<std::uint32_t> dependence;  // [level, neighbours within tolerance]
  std::vector<std::uint32_t> voxels;      // [level, neighbours]
  std::vector<std::uint64_t> difference;  // [level, neighbours]: |level x neighbours - their sum|
};

// What the voxels of one row have around them.
template <class Level, class Sum>
struct Surroundings {
  explicit Surroundings(std::int64_t voxels)
      : alike(static_cast<std::size_t>(voxels)), present(alike.size()), sum(alike.size()) {}

  void clear() {
    std::fill(alike.begin(), alike.end(), Level{0});
    std::fill(present.begin(), present.end(), Level{0});
    std::fill(sum.begin(), sum.end(), Sum{0});
  }

  std::vector<Level> alike;
  std::vector<Level> present;
  std::vector<Sum> sum;
};

template <class Level>
Level is_alike(Level here, Level there, Level tolerance) {
  const Level difference = static_cast<Level>(here > there ? here - there : there - here);
  return static_cast<Level>((difference <= tolerance) & (there != 0));
}

template <class Level, class Sum>
void look_around(const Level* here, const std::vector<std::int64_t>& steps, std::int64_t voxels,
                 Level tolerance, Surroundings<Level, Sum>& around) {
  Level* const alike = around.alike.data();
  Level* const present = around.present.data();
  Sum* const sum = around.sum.data();
  around.clear();
  for (const std::int64_t step : steps) {
    const Level* const ahead = here + step;
    const Level* const behind = here - step;
    for (std::int64_t x = 0; x < voxels; ++x) {
      alike[x] = static_cast<Level>(alike[x] + is_alike(here[x], ahead[x], tolerance) +
                                    is_alike(here[x], behind[x], tolerance));
      present[x] = static_cast<Level>(present[x] + (ahead[x] != 0) + (behind[x] != 0));
      sum[x] = static_cast<Sum>(sum[x] + ahead[x] + behind[x]);
    }
  }
}

template <class Level, class Sum>
void tally_row(const Level* here, std::int64_t voxels, const Surroundings<Level, Sum>& around,
               Tally& tally) {
  for (std::int64_t x = 0; x < voxels; ++x) {
    if (here[x] == 0) continue;
    const std::size_t row = here[x] * tally.columns;
    const std::size_t place = static_cast<std::size_t>(x);
    const std::size_t cell = row + around.present[place];
    const std::int64_t expected = std::int64_t{here[x]} * around.present[place];
    const std::int64_t found = around.sum[place];
    ++tally.dependence[row + around.alike[place]];
    ++tally.voxels[cell];
    tally.difference[cell] +=
        static_cast<std::uint64_t>(expected > found ? expected - found : found - expected);
  }
}

template <class Level, class Sum>
Tally count_neighbourhoods(const LevelView& view, const std::vector<Triple>& offsets,
                           std::int64_t tolerance, std::int64_t threads) {
  Triple margin{0, 0, 0};
  std::vector<Triple> met;
  std::copy_if(offsets.begin(), offsets.end(), std::back_inserter(met),
               [&](const Triple& offset) { return can_meet(offset, view.shape); });
  for (const Triple& offset : met) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      margin[axis] = std::max(margin[axis], std::abs(offset[axis]));
    }
  }
  const PaddedLevels<Level> levels(view, margin);
  std::vector<std::int64_t> steps;
  for (const Triple& offset : met) steps.push_back(levels.step(offset));

  const std::int64_t neighbours = 2 * static_cast<std::int64_t>(offsets.size());
  const Triple& shape = view.shape;
  std::vector<Tally> slabs(static_cast<std::size_t>(threads), Tally(view.count, neighbours));
  for_each_task(threads, threads, [&](std::int64_t slab) {
    Tally& tally = slabs[static_cast<std::size_t>(slab)];
    Surroundings<Level, Sum> around(shape[2]);
    for (std::int64_t z = shape[0] * slab / threads; z < shape[0] * (slab + 1) / threads; ++z) {
      for (std::int64_t y = 0; y < shape[1]; ++y) {
        const Extent extent = levels.extent(z, y);
        if (extent.empty()) continue;
        const Level* here = levels.row(z, y) + extent.begin;
        const std::int64_t voxels = extent.end - extent.begin;
        look_around(here, steps, voxels, static_cast<Level>(tolerance), around);
        tally_row(here, voxels, around, tally);
      }
    }
  });
  for (std::size_t slab = 1; slab < slabs.size(); ++slab) slabs[0].add(slabs[slab]);
  return slabs[0];
}

Tally count_in_few_bits(const LevelView& view, const std::vector<Triple>& offsets,
                        std::int64_t tolerance, std::int64_t threads) {
  const py::gil_scoped_release release;
  const std::int64_t neighbours = 2 * static_cast<std::int64_t>(offsets.size());
  const std::int64_t sum = neighbours * view.count;
  if (std::max(neighbours, view.count) <= std::numeric_limits<std::uint8_t>::max() &&
      sum <= std::numeric_limits<std::uint16_t>::max()) {
    return count_neighbourhoods<std::uint8_t, std::uint16_t>(view, offsets, tolerance, threads);
  }
  return count_neighbourhoods<std::uint16_t, std::uint32_t>(view, offsets, tolerance, threads);
}

py::tuple dependence_and_tone(const LevelArray& levels, std::int64_t count,
                              const OffsetArray& offsets, std::int64_t tolerance,
                              std::int64_t threads, bool isolated) {
  const LevelView view = view_levels(levels, count);
  const std::vector<Triple> steps = read_offsets(offsets);
  if (tolerance < 0) {
    throw std::invalid_argument("tolerance: expected at least 0 levels; found " +
                                std::to_string(tolerance) + "; pass 0 for equal levels only");
  }
  const std::int64_t columns = 2 * static_cast<std::int64_t>(steps.size()) + 1;
  threads = checked_threads(threads, std::min<std::int64_t>(view.shape[0], 64));
  require_cells(threads, count + 1, columns);

  CountArray dependence({count, columns});
  CountArray voxels(count);
  py::array_t<double> difference(count);
  const Tally tally = count_in_few_bits(view, steps, std::min(tolerance, count), threads);
  auto dependence_at = dependence.mutable_unchecked<2>();
  for (std::int64_t level = 0; level < count; ++level) {
    const std::size_t row = static_cast<std::size_t>(level + 1) * tally.columns;
    std::int64_t counted = isolated ? tally.voxels[row] : 0;
    double total = 0.0;
    dependence_at(level, 0) = tally.dependence[row];
    for (std::int64_t column = 1; column < columns; ++column) {
      const std::size_t cell = row + static_cast<std::size_t>(column);
      dependence_at(level, column) = tally.dependence[cell];
      counted += tally.voxels[cell];
      total += static_cast<double>(tally.difference[cell]) / static_cast<double>(column);
    }
    voxels.mutable_at(level) = counted;
    difference.mutable_at(level) = total;
  }
  return py::make_tuple(dependence, voxels, difference);
}

}  // namespace

void bind_neighbourhoods(py::module_& module) {
  module.def("dependence_and_tone", &dependence_and_tone, py::arg("levels"), py::arg("count"),
             py::arg("offsets"), py::arg("tolerance") = 0, py::arg("threads") = 1,
             py::arg("isolated") = true,
             "GLDM ([level, neighbours within tolerance]) and NGTDM (voxels and summed difference "
             "from the mean of the neighbours, by level). Neighbours lie one offset ahead and one "
             "behind. Voxels without neighbours differ by 0 and are counted (pyradiomics) unless "
             "isolated is false (IBSI).");
}

}  // namespace radiogenomics
