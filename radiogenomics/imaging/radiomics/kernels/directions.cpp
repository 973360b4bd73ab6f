// Grey-level co-occurrence (GLCM) and run lengths (GLRLM), one matrix a direction.
#include <type_traits>
#include <unordered_set>

#include "levels.hpp"
#include "parallel.hpp"

namespace radiogenomics {
namespace {

namespace py = pybind11;

struct Matrices {
  std::int64_t* pairs = nullptr;  // [level, level of the voxel one step on]
  std::int64_t* runs = nullptr;   // [level, length - 1]
};

// How far runs have come, for the rows of the plane in hand and of the plane before it.
template <class Level>
class RunPlanes {
 public:
  explicit RunPlanes(const Triple& shape)
      : stride_(shape[2] + 2),
        rows_(shape[1] + 2),
        cells_(static_cast<std::size_t>(2 * stride_ * rows_)) {}

  Level* row(std::int64_t z, std::int64_t y) {
    return cells_.data() + ((z & 1) * rows_ + y + 1) * stride_ + 1;
  }

 private:
  std::int64_t stride_;
  std::int64_t rows_;
  std::vector<Level> cells_;
};

// Counts by level and level, or by length and level. Neighbours in a row count in two copies by
// turns, since a count that was written just now is slow to read again.
class Table {
 public:
  Table(std::uint32_t rows, std::uint32_t columns)
      : rows_(rows),
        columns_(columns),
        even_(std::size_t{rows} * columns),
        odd_(std::size_t{rows} * columns) {}

  std::uint32_t rows() const { return rows_; }
  std::uint32_t* even() { return even_.data(); }
  std::uint32_t* odd() { return odd_.data(); }

  std::int64_t at(std::uint32_t row, std::uint32_t column) const {
    const std::size_t cell = std::size_t{row} * columns_ + column;
    return std::int64_t{even_[cell]} + odd_[cell];
  }

 private:
  std::uint32_t rows_;
  std::uint32_t columns_;
  std::vector<std::uint32_t> even_;
  std::vector<std::uint32_t> odd_;
};

// Level 0 gathers what is no voxel of the region, length 0 the voxels behind which no run ends.
struct Tally {
  explicit Tally(const LevelView& levels)
      : width(static_cast<std::uint32_t>(levels.count + 1)),
        pairs(width, width),
        ends(static_cast<std::uint32_t>(levels.longest_axis() + 1), width) {}

  std::uint32_t width;
  Table pairs;  // [level, level one step on]
  Table ends;   // [length, level]
};

// Levels and lengths of 8 bits make places of 16.
template <class Level>
using Cell = std::conditional_t<sizeof(Level) == 1, std::uint16_t, std::uint32_t>;

// Where in the tables each voxel of a row is counted.
template <class Level>
struct Cells {
  explicit Cells(std::int64_t voxels)
      : pair(static_cast<std::size_t>(voxels)), end(static_cast<std::size_t>(voxels)) {}

  std::vector<Cell<Level>> pair;
  std::vector<Cell<Level>> end;
};

// One row of the recurrence: a voxel goes on with the run one step behind it, or starts its own.
template <class Level>
void follow_runs(const Level* behind, const Level* here, const Level* length_behind, Level* length,
                 std::int64_t voxels) {
  for (std::int64_t x = 0; x < voxels; ++x) {
    const auto same = static_cast<Level>(-(behind[x] == here[x]));
    const auto inside = static_cast<Level>(-(here[x] != 0));
    length[x] = static_cast<Level>(((length_behind[x] & same) + 1) & inside);
  }
}

// Runs are counted where they end, which is where two unlike levels meet.
template <class Level>
void find_cells(const Level* behind, const Level* here, const Level* length_behind,
                std::int64_t voxels, std::uint32_t levels, Cells<Level>& cells) {
  using Place = Cell<Level>;
  const auto width = static_cast<Place>(levels);
  Place* const pair = cells.pair.data();
  Place* const end = cells.end.data();
  for (std::int64_t x = 0; x < voxels; ++x) {
    const auto ends = static_cast<Level>(-(behind[x] != here[x]));
    const auto length = static_cast<Level>(length_behind[x] & ends);
    pair[x] = static_cast<Place>(Place{behind[x]} * width + here[x]);
    end[x] = static_cast<Place>(Place{length} * width + behind[x]);
  }
}

template <class Place>
void count(const std::vector<Place>& places, std::int64_t voxels, Table& table) {
  const Place* const place = places.data();
  std::uint32_t* const even = table.even();
  std::uint32_t* const odd = table.odd();
  for (std::int64_t x = 0; x + 1 < voxels; x += 2) {
    ++even[place[x]];
    ++odd[place[x + 1]];
  }
  if (voxels % 2) ++even[place[voxels - 1]];
}

template <class Level>
void walk_direction(const PaddedLevels<Level>& levels, const Triple& step, Tally& tally) {
  const Triple& shape = levels.shape();
  RunPlanes<Level> lengths(shape);
  Cells<Level> cells(shape[2] + 2);
  for (std::int64_t z = 0; z < shape[0] + step[0]; ++z) {
    for (std::int64_t y = std::min<std::int64_t>(0, step[1]);
         y < shape[1] + std::max<std::int64_t>(0, step[1]); ++y) {
      const Extent extent =
          united(levels.extent(z, y), levels.extent(z - step[0], y - step[1]).shifted(step[2]));
      if (extent.empty()) continue;
      const std::int64_t from = extent.begin;
      const std::int64_t voxels = extent.end - extent.begin;
      const Level* here = levels.row(z, y) + from;
      const Level* behind = here - levels.step(step);
      Level* length = lengths.row(z, y) + from;
      const Level* length_behind = lengths.row(z - step[0], y - step[1]) + from - step[2];
      follow_runs(behind, here, length_behind, length, voxels);
      find_cells(behind, here, length_behind, voxels, tally.width, cells);
      count(cells.pair, voxels, tally.pairs);
      count(cells.end, voxels, tally.ends);
    }
  }
}

// True where each line along the step holds at most one voxel of the region.
template <class Level>
bool lines_hold_one(const PaddedLevels<Level>& levels, const Triple& step) {
  const Triple& shape = levels.shape();
  std::unordered_set<std::int64_t> seen;
  for (std::int64_t z = 0; z < shape[0]; ++z) {
    for (std::int64_t y = 0; y < shape[1]; ++y) {
      const Level* row = levels.row(z, y);
      const Extent extent = levels.extent(z, y);
      for (std::int64_t x = extent.begin; x < extent.end; ++x) {
        if (row[x] == 0) continue;
        const Triple voxel{z, y, x};
        std::int64_t back = most_voxels;
        for (std::size_t axis = 0; axis < 3; ++axis) {
          if (step[axis] > 0) back = std::min(back, voxel[axis]);
          if (step[axis] < 0) back = std::min(back, shape[axis] - 1 - voxel[axis]);
        }
        const std::int64_t start =
            ((z - back * step[0]) * shape[1] + y - back * step[1]) * shape[2] + x - back * step[2];
        if (!seen.insert(start).second) return false;
      }
    }
  }
  return true;
}

void write_pairs(const Tally& tally, bool flipped, std::int64_t* pairs) {
  for (std::uint32_t i = 1; i < tally.width; ++i) {
    for (std::uint32_t j = 1; j < tally.width; ++j) {
      *pairs++ = flipped ? tally.pairs.at(j, i) : tally.pairs.at(i, j);
    }
  }
}

// Returns whether there is a run of more than one voxel.
bool write_runs(const Tally& tally, std::int64_t* runs) {
  bool long_run = false;
  for (std::uint32_t level = 1; level < tally.width; ++level) {
    for (std::uint32_t length = 1; length < tally.ends.rows(); ++length) {
      *runs = tally.ends.at(length, level);
      long_run |= length > 1 && *runs > 0;
      ++runs;
    }
  }
  return long_run;
}

template <class Level>
void pairs_and_runs(const LevelView& view, const std::vector<Triple>& steps, bool lone_lines,
                    std::int64_t threads, const std::vector<Matrices>& out) {
  const PaddedLevels<Level> levels(view, {1, 1, 1});
  for_each_task(static_cast<std::int64_t>(steps.size()), threads, [&](std::int64_t task) {
    const Triple& step = steps[static_cast<std::size_t>(task)];
    const Matrices& matrices = out[static_cast<std::size_t>(task)];
    Tally tally(view);
    walk_direction(levels, forward(step), tally);
    if (matrices.pairs) write_pairs(tally, forward(step) != step, matrices.pairs);
    if (!matrices.runs) return;
    const bool long_run = write_runs(tally, matrices.runs);
    if (!lone_lines && !long_run && lines_hold_one(levels, step)) {
      std::fill_n(matrices.runs, view.count * view.longest_axis(), std::int64_t{0});
    }
  });
}

template <class Level>
void pairs_at_distance(const LevelView& view, const std::vector<Triple>& steps,
                       std::int64_t threads, const std::vector<Matrices>& out) {
  const PaddedLevels<Level> levels(view, {0, 0, 0});
  const Triple& shape = view.shape;
  const std::int64_t width = view.count + 1;
  for_each_task(static_cast<std::int64_t>(steps.size()), threads, [&](std::int64_t task) {
    const Triple& step = steps[static_cast<std::size_t>(task)];
    if (!can_meet(step, shape)) return;
    std::vector<std::uint32_t> pairs(static_cast<std::size_t>(width * width));
    for (std::int64_t z = 0; z < shape[0]; ++z) {
      for (std::int64_t y = 0; y < shape[1]; ++y) {
        const Extent extent =
            common(levels.extent(z, y), levels.extent(z + step[0], y + step[1]).shifted(-step[2]));
        if (extent.empty()) continue;
        const Level* here = levels.row(z, y);
        const Level* ahead = here + levels.step(step);
        for (std::int64_t x = extent.begin; x < extent.end; ++x) {
          ++pairs[static_cast<std::size_t>(here[x]) * static_cast<std::size_t>(width) + ahead[x]];
        }
      }
    }
    std::int64_t* target = out[static_cast<std::size_t>(task)].pairs;
    for (std::int64_t i = 1; i < width; ++i) {
      target = std::copy_n(pairs.begin() + i * width + 1, width - 1, target);
    }
  });
}

CountArray zeros(std::int64_t tables, std::int64_t rows, std::int64_t columns) {
  require_cells(tables, rows, columns);
  CountArray array({tables, rows, columns});
  std::fill_n(array.mutable_data(), array.size(), std::int64_t{0});
  return array;
}

std::int64_t* table(CountArray& array, std::size_t index) {
  return array.mutable_data() + static_cast<std::int64_t>(index) * array.shape(1) * array.shape(2);
}

std::vector<Matrices> matrices_of(std::size_t directions, CountArray* pairs, CountArray* runs) {
  std::vector<Matrices> matrices(directions);
  for (std::size_t direction = 0; direction < directions; ++direction) {
    if (pairs) matrices[direction].pairs = table(*pairs, direction);
    if (runs) matrices[direction].runs = table(*runs, direction);
  }
  return matrices;
}

void walk(const LevelView& view, const std::vector<Triple>& steps, bool lone_lines,
          std::int64_t threads, const std::vector<Matrices>& out) {
  const py::gil_scoped_release release;
  // Run lengths share the type of the levels, so both must fit.
  const std::int64_t largest = std::max(view.count, view.longest_axis() + 1);
  if (largest <= std::numeric_limits<std::uint8_t>::max()) {
    pairs_and_runs<std::uint8_t>(view, steps, lone_lines, threads, out);
  } else if (largest <= std::numeric_limits<std::uint16_t>::max()) {
    pairs_and_runs<std::uint16_t>(view, steps, lone_lines, threads, out);
  } else {
    pairs_and_runs<std::uint32_t>(view, steps, lone_lines, threads, out);
  }
}

py::tuple cooccurrence_and_runs(const LevelArray& levels, std::int64_t count,
                                const OffsetArray& offsets, std::int64_t threads, bool lone_lines) {
  const LevelView view = view_levels(levels, count);
  const std::vector<Triple> steps = read_offsets(offsets);
  require_adjacent(steps);
  const auto directions = static_cast<std::int64_t>(steps.size());
  threads = checked_threads(threads, directions);
  CountArray pairs = zeros(directions, count, count);
  CountArray runs = zeros(directions, count, view.longest_axis());
  walk(view, steps, lone_lines, threads, matrices_of(steps.size(), &pairs, &runs));
  return py::make_tuple(pairs, runs);
}

CountArray runs(const LevelArray& levels, std::int64_t count, const OffsetArray& offsets,
                std::int64_t threads, bool lone_lines) {
  const LevelView view = view_levels(levels, count);
  const std::vector<Triple> steps = read_offsets(offsets);
  require_adjacent(steps);
  const auto directions = static_cast<std::int64_t>(steps.size());
  threads = checked_threads(threads, directions);
  require_cells(1, count + 1, count + 1);
  CountArray runs = zeros(directions, count, view.longest_axis());
  walk(view, steps, lone_lines, threads, matrices_of(steps.size(), nullptr, &runs));
  return runs;
}

CountArray cooccurrence(const LevelArray& levels, std::int64_t count, const OffsetArray& offsets,
                        std::int64_t threads) {
  const LevelView view = view_levels(levels, count);
  const std::vector<Triple> steps = read_offsets(offsets);
  const auto directions = static_cast<std::int64_t>(steps.size());
  threads = checked_threads(threads, directions);
  CountArray pairs = zeros(directions, count, count);
  const std::vector<Matrices> out = matrices_of(steps.size(), &pairs, nullptr);
  const py::gil_scoped_release release;
  if (count <= std::numeric_limits<std::uint8_t>::max()) {
    pairs_at_distance<std::uint8_t>(view, steps, threads, out);
  } else {
    pairs_at_distance<std::uint16_t>(view, steps, threads, out);
  }
  return pairs;
}

}  // namespace

void bind_directions(py::module_& module) {
  module.def("cooccurrence_and_runs", &cooccurrence_and_runs, py::arg("levels"), py::arg("count"),
             py::arg("offsets"), py::arg("threads") = 1, py::arg("lone_lines") = false,
             "GLCM (one way, [direction, level, level one step on]) and GLRLM ([direction, level, "
             "length - 1]) of adjacent voxels in one pass. A direction whose every line holds at "
             "most one voxel has no runs (pyradiomics) unless lone_lines.");
  module.def("cooccurrence", &cooccurrence, py::arg("levels"), py::arg("count"), py::arg("offsets"),
             py::arg("threads") = 1,
             "GLCM (one way, [direction, level, level one step on]) for steps of any length.");
  module.def("runs", &runs, py::arg("levels"), py::arg("count"), py::arg("offsets"),
             py::arg("threads") = 1, py::arg("lone_lines") = false,
             "GLRLM [direction, level, length - 1] along adjacent voxels; lone_lines as in "
             "cooccurrence_and_runs.");
}

}  // namespace radiogenomics
