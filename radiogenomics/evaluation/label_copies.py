"""A label that hides among the features, as it does in tables that others have shared."""

from __future__ import annotations

import numpy as np
import pandas as pd

from radiogenomics.core.errors import LeakageError, short_list


def refuse_label_copies(features: pd.DataFrame, labels: pd.Series[float], *, where: str) -> None:
    """Raise LeakageError where a column is the label under another name.

    A column is one when it takes two values, one for each class, in every patient who has it and
    whose label is known; a measurement that merely separates the classes has more values.

    Parameters
    ----------
    features, labels
        Patients × variables; 0, 1 or NaN of the same patients.
    where
        Named in the message.

    Raises
    ------
    LeakageError
        There is such a column.

    Examples
    --------
    >>> table = pd.DataFrame({"size": [1.0, 2.0, 3.0], "perimeter": [1.0, 0.0, 1.0]})
    >>> refuse_label_copies(table[["size"]], pd.Series([1.0, 0.0, 1.0]), where="mine")
    """
    known = labels.notna().to_numpy()
    classes = labels.to_numpy(dtype=float)[known] == 1
    values = features.to_numpy(dtype=float)[known]
    if classes.all() or not classes.any() or not values.size:
        return
    measured = ~np.isnan(values)
    both = measured[classes].any(axis=0) & measured[~classes].any(axis=0)
    ones, zeros = values[classes][:, both], values[~classes][:, both]
    one, zero = np.nanmin(ones, axis=0), np.nanmin(zeros, axis=0)
    constant = (np.nanmax(ones, axis=0) == one) & (np.nanmax(zeros, axis=0) == zero)
    copies = features.columns[both][constant & (one != zero)]
    if len(copies):
        raise LeakageError(
            f"{where}: expected features that were measured without knowing the label; found "
            f"{len(copies)} that are the label under another name ({short_list(copies)}). Take the "
            "column out of the table, and check that names and columns of the file agree."
        )
