"""Labels of two classes, for methods that know no others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radiogenomics.core.errors import OutcomeError


def two_classes(
    label: NDArray[np.generic],
    *,
    advice: str = "Only binary classification is supported: use other patients or another cut-off.",
) -> tuple[NDArray[np.generic], NDArray[np.intp]]:
    """Return both classes, sorted, and 0 or 1 for each patient.

    Parameters
    ----------
    label : ndarray of shape (n,)
        Class of each patient, none missing; numbers or text.
    advice : str
        What to do about other labels, for the message.

    Returns
    -------
    classes : ndarray of shape (2,)
    code : ndarray of int, shape (n,)
        Positions in `classes`.

    Raises
    ------
    OutcomeError
        There is one class, or there are more than two.

    Examples
    --------
    >>> classes, code = two_classes(np.array(["R", "NR", "R"]))
    >>> classes.tolist(), code.tolist()
    (['NR', 'R'], [1, 0, 1])
    """
    classes, code = np.unique(label, return_inverse=True)
    if len(classes) != 2:
        raise OutcomeError(
            f"expected a label of two classes; found {len(classes)} class(es) in {len(label)} "
            f"patients. {advice}"
        )
    return classes, code
