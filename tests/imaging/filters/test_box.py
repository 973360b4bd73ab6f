"""A filter gives inside a box what it gives there on the whole image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiogenomics.imaging.filters import (
    Filter,
    Gabor,
    Laws,
    Mean,
    NonseparableWavelet,
    Riesz,
    SampledLoG,
    SeparableWavelet,
)
from radiogenomics.imaging.filters.boundary import Boundary

SHAPE = (7, 10, 9)
BOUNDARIES = ("zero", "nearest", "periodic", "mirror")


def filters(boundary: Boundary, flat_axis: int | None) -> tuple[Filter, ...]:
    laws, bands = ("E5L3S5", "LHL") if flat_axis is None else ("E5S3", "LH")
    log = SampledLoG(sigma_mm=(1.5,), boundary=boundary)
    order = (0, 1, 0) if flat_axis != 1 else (0, 0, 1)
    return (
        Mean(support=3, boundary=boundary),
        log,
        Laws(kernels=(laws,), rotation_invariant=True, energy_distance=2, boundary=boundary),
        Gabor(
            sigma_mm=1,
            wavelength_mm=3,
            theta_step=90,
            orthogonal_planes=True,
            boundary=boundary,
        ),
        SeparableWavelet(
            wavelet="db2",
            decompositions=(bands,),
            level=2,
            rotation_invariant=True,
            boundary=boundary,
        ),
        NonseparableWavelet(levels=(2,), boundary=boundary),
        Riesz(orders=(order,), base=log),
    )


@st.composite
def boxes(draw: st.DrawFn) -> tuple[slice, ...]:
    starts = [draw(st.integers(0, size - 1)) for size in SHAPE]
    return tuple(
        slice(start, draw(st.integers(start + 1, size)))
        for start, size in zip(starts, SHAPE, strict=True)
    )


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    box=boxes(),
    boundary=st.sampled_from(BOUNDARIES),
    flat_axis=st.sampled_from([None, 0, 1]),
    seed=st.integers(0, 99),
)
def test_response_does_not_depend_on_the_box(
    box: tuple[slice, slice, slice], boundary: Boundary, flat_axis: int | None, seed: int
) -> None:
    pytest.importorskip("pywt")
    image = np.random.default_rng(seed).normal(size=SHAPE)
    spacing_mm = (2.0, 1.0, 1.5)
    z, y, x = (slice(0, size) for size in SHAPE)
    for kind in filters(boundary, flat_axis):
        ((_, whole),) = kind.responses(
            image, spacing_mm=spacing_mm, box=(z, y, x), flat_axis=flat_axis
        )
        ((_, part),) = kind.responses(image, spacing_mm=spacing_mm, box=box, flat_axis=flat_axis)
        assert part.dtype == np.float64
        np.testing.assert_allclose(part, whole[box], rtol=0, atol=1e-12, err_msg=kind.kind)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_image_of_one_voxel_has_a_response(boundary: Boundary) -> None:
    pytest.importorskip("pywt")
    one = (slice(0, 1),) * 3
    for kind in filters(boundary, None):
        ((_, response),) = kind.responses(np.full((1, 1, 1), 7.0), spacing_mm=(1, 1, 1), box=one)
        assert response.shape == (1, 1, 1)
        assert np.isfinite(response).all()
