"""Strata of α-fetoprotein."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.clinical.measurements import AFP_NG_ML, Labels, Numbers, read_together
from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method

CUTS_NG_ML = (20.0, 200.0, 400.0)

CARD = Method(
    name="afp_strata",
    title="Strata of α-fetoprotein",
    scope="clinical: tumour marker",
    reference="400 ng/ml: CLIP investigators 1998, Hepatology 28:751, doi:10.1002/hep.510280322; "
    "20 and 200 ng/ml: limits of surveillance and diagnosis in common use",
    limits="Cut-offs are conventions; the marker is continuous and spans six decades, so model its "
    "logarithm where you can. Assays differ, and active hepatitis raises it.",
    learns=False,
)


class AfpStratum(NamedTuple):
    """Stratum of each patient.

    Parameters
    ----------
    rank
        0 below the first cut-off, and one more for each cut-off reached; NaN where missing.
    label
        ``<20``, ``20-<200``, ``200-<400``, ``>=400``; None where missing.
    """

    rank: Numbers
    label: Labels


def afp_stratum(afp_ng_ml: ArrayLike, *, cuts_ng_ml: Sequence[float] = CUTS_NG_ML) -> AfpStratum:
    """Stratum of α-fetoprotein; a value at a cut-off belongs to the stratum above it.

    Some publications write above 400 where others write at least 400; it matters for the few
    patients with exactly that value.

    Parameters
    ----------
    afp_ng_ml
        In ng/ml, the same number in µg/l; single value, array or Series. Values in IU/ml cannot be
        told from these.
    cuts_ng_ml
        Increasing and positive; ``[400]`` for two strata.

    Raises
    ------
    DataError
        A value is negative (a logarithm?) or beyond belief, or the cut-offs do not increase.

    Warns
    -----
    RadiogenomicsWarning
        Patients have no value.

    Examples
    --------
    >>> afp_stratum([3, 400], cuts_ng_ml=[400]).label.tolist()
    ['<400', '>=400']
    """
    cuts = np.asarray(cuts_ng_ml, dtype=float)
    if cuts.ndim != 1 or cuts.size == 0 or not (np.diff(cuts, prepend=0) > 0).all():
        raise DataError(
            f"cuts_ng_ml: expected positive numbers that increase; found {list(cuts_ng_ml)}. "
            "Write [400] for two strata."
        )
    inputs = read_together("AFP stratum", (AFP_NG_ML, afp_ng_ml))
    (afp,) = inputs.arrays
    rank = np.where(inputs.missing, np.nan, (afp[:, np.newaxis] >= cuts).sum(axis=1))
    inputs.warn_of(inputs.missing)
    words = [f"{cut:g}" for cut in cuts]
    between = [f"{low}-<{high}" for low, high in zip(words, words[1:], strict=False)]
    names = (f"<{words[0]}", *between, f">={words[-1]}")
    return AfpStratum(inputs.numbers(rank), inputs.labels(rank, names))
