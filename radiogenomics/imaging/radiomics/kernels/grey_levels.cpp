// Values into bins.
#include <cmath>

#include "levels.hpp"

namespace radiogenomics {
namespace {

namespace py = pybind11;

using Values = py::array_t<double, py::array::c_style>;
using Bins = py::array_t<std::uint16_t>;

// Number of edges at or below a value. Most edges lie evenly, so the place is computed and moved by
// one where rounding asks for it; a search is left for edges that do not.
class Binner {
 public:
  Binner(const double* edges, std::int64_t count) : edges_(edges, edges + count) {
    const double width =
        count > 1 ? (edges_.back() - edges_.front()) / static_cast<double>(count - 1) : 0.0;
    scale_ = width > 0.0 && std::isfinite(width) ? 1.0 / width : 0.0;
  }

  std::uint16_t operator()(double value) const {
    const std::size_t guess = nearby(value);
    if (holds(guess, value)) return static_cast<std::uint16_t>(guess);
    const auto place = std::upper_bound(edges_.begin(), edges_.end(), value);
    return static_cast<std::uint16_t>(place - edges_.begin());
  }

 private:
  std::size_t nearby(double value) const {
    const double steps = (value - edges_.front()) * scale_;
    const double last = static_cast<double>(edges_.size() - 1);
    if (!(steps >= 0.0)) return 0;
    if (steps >= last) return edges_.size();
    const std::size_t guess = static_cast<std::size_t>(steps) + 1;
    return guess + (value >= edges_[guess]) - (value < edges_[guess - 1]);
  }

  bool holds(std::size_t bin, double value) const {
    return (bin == 0 || value >= edges_[bin - 1]) && (bin == edges_.size() || value < edges_[bin]);
  }

  std::vector<double> edges_;
  double scale_ = 0.0;
};

void require_ascending(const Values& edges) {
  if (edges.ndim() != 1 || edges.size() < 1 || edges.size() > highest_level) {
    throw std::invalid_argument("edges: expected one axis of 1 to 65535 edges; found " +
                                std::to_string(edges.ndim()) + " axes and " +
                                std::to_string(edges.size()) + " edges; use wider bins");
  }
  const double* first = edges.data();
  const double* last = first + edges.size();
  if (std::any_of(first, last, [](double edge) { return std::isnan(edge); }) ||
      !std::is_sorted(first, last)) {
    throw std::invalid_argument(
        "edges: expected ascending numbers; found a NaN or a smaller edge "
        "after a larger one; sort them");
  }
}

Bins bin_levels(const Values& values, const Values& edges) {
  if (values.ndim() != 1) {
    throw std::invalid_argument("values: expected one axis; found " +
                                std::to_string(values.ndim()) + "; pass the voxels of the region");
  }
  require_ascending(edges);
  const Binner bin_of(edges.data(), edges.size());
  const std::int64_t count = values.size();
  Bins bins(count);
  std::uint16_t* const target = bins.mutable_data();
  const double* const source = values.data();
  bool complete = true;
  {
    const py::gil_scoped_release release;
    for (std::int64_t i = 0; i < count; ++i) {
      complete &= source[i] == source[i];
      target[i] = bin_of(source[i]);
    }
  }
  if (!complete) {
    throw std::invalid_argument(
        "values: expected numbers; found NaN; leave such voxels out of the "
        "region");
  }
  return bins;
}

}  // namespace

void bind_grey_levels(py::module_& module) {
  module.def("bin_levels", &bin_levels, py::arg("values"), py::arg("edges"),
             "Bin of each value, as numpy.digitize(values, edges): the number of edges at or below "
             "it. Edges ascend and need not be even.");
}

}  // namespace radiogenomics
