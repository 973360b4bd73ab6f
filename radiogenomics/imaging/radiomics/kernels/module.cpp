// The one extension module; each file of this folder binds its own kernels.
#include <pybind11/pybind11.h>

namespace radiogenomics {
void bind_directions(pybind11::module_& module);      // co-occurrence and runs
void bind_neighbourhoods(pybind11::module_& module);  // dependence and tone difference
void bind_zones(pybind11::module_& module);           // zones of one grey level
void bind_grey_levels(pybind11::module_& module);     // binning
void bind_mesh(pybind11::module_& module);            // surface, volume, diameters
void bind_filters(pybind11::module_& module);         // wavelet, recursive Gaussian, B-spline
}  // namespace radiogenomics

PYBIND11_MODULE(_kernels, module) {
  module.doc() = "Compiled kernels of radiogenomics.imaging; arrays in, arrays out.";
  radiogenomics::bind_directions(module);
  radiogenomics::bind_neighbourhoods(module);
  radiogenomics::bind_zones(module);
  radiogenomics::bind_grey_levels(module);
  radiogenomics::bind_mesh(module);
  radiogenomics::bind_filters(module);
}
