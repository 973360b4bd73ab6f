"""What is asked of an expression table before anything is computed from it."""

from __future__ import annotations

import pandas as pd

from radiogenomics.omics.checks.orientation import check_orientation
from radiogenomics.omics.checks.units import check_unit
from radiogenomics.omics.identifiers.hgnc import GeneNames
from radiogenomics.omics.units import require_whole_library


def check_expression(
    values: pd.DataFrame,
    unit: str,
    *,
    known: GeneNames | None = None,
    libraries_known: bool = False,
    what: str = "expression",
) -> None:
    """Refuse a table that is turned, in another unit, or holds counts that cannot be scaled.

    Parameters
    ----------
    values, unit
        Samples × genes; unit as declared.
    known
        The gene names; those built in when not given.
    libraries_known
        Whether the library sizes of counts are stated, so that a few genes will do.
    what
        Name of the table for the messages.

    Raises
    ------
    DataError
        Genes are rows, the values cannot be in that unit, or counts are of a few genes.
    UnknownNameError
        The unit is not one of expression.

    Examples
    --------
    >>> check_expression(pd.DataFrame({"KPNA2": [3.1], "SMG5": [0.2]}), "log2(TPM+1)")
    """
    check_orientation(values, known=known, what=what)
    check_unit(values, unit, what=what)
    if not libraries_known:
        require_whole_library(values, unit, what=what)
