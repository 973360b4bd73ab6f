// Kernels of the image filters and of resampling; arrays are (z, y, x).
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "filters_bspline.hpp"
#include "filters_convolution.hpp"
#include "filters_gaussian.hpp"

namespace radiogenomics {

namespace py = pybind11;

void bind_filters(py::module_& module) {
  constexpr const char* split_bands_doc =
      "Low and high pass along one axis where the filters lie wholly within the values:\n"
      "sum of filter[j] * values[k + taps - 1 - j], so the axis gets shorter by taps - 1.\n"
      "Of each place along the axis, the first `turned` taps are added last to first.";
  module.def("split_bands", &split_bands<float>, py::arg("values").noconvert(), py::arg("low"),
             py::arg("high"), py::arg("axis"), py::arg("turned"), py::arg("threads") = 1,
             split_bands_doc);
  module.def("split_bands", &split_bands<double>, py::arg("values"), py::arg("low"),
             py::arg("high"), py::arg("axis"), py::arg("turned"), py::arg("threads") = 1,
             split_bands_doc);
  module.def("bspline_resample", &bspline_resample, py::arg("values"), py::arg("z"), py::arg("y"),
             py::arg("x"), py::arg("threads") = 1,
             "Cubic B-spline at the grid of the positions z, y and x, counted in voxels of values.\n"
             "Mirrored at the border; 0 from half a voxel beyond the outermost centres on.");
  module.def("laplacian_of_gaussian", &laplacian_of_gaussian, py::arg("values"), py::arg("sigma"),
             py::arg("spacing"), py::arg("begin"), py::arg("end"), py::arg("threads") = 1,
             "Laplacian of Gaussian times sigma squared, from begin to end along each axis.");
}

}  // namespace radiogenomics
