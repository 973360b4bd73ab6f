"""What every method of explanation hands back: contributions that add up to the model's output."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.inputs import Floats

TOLERANCE = 1e-6


class Contributions(NamedTuple):
    """What the arithmetic of a method gives, before it is named.

    Attributes
    ----------
    values : ndarray of shape (n, p)
        Contribution of each feature to the score of each patient.
    base : float
        Score where no feature is known: the mean over the background.
    """

    values: Floats
    base: float


@dataclass(frozen=True, eq=False)
class Explanation:
    r"""Contributions of features to the output of a model, patient by patient (SHAP values).

    The output of patient i is :math:`b + \sum_j \phi_{ij}`: the base value and what each feature
    adds to it. A positive contribution raises the output, so with a risk it is adverse. They
    explain the model, not the disease: a feature the model uses wrongly is explained faithfully,
    and features that go together share credit in ways that differ between methods.

    Parameters
    ----------
    values
        Contributions :math:`\phi`, shape (n, p), in the unit of the output.
    base
        Base value :math:`b`, in the unit of the output.
    output
        Output of the model, shape (n,).
    data
        Features as they reached the learner, shape (n, p): standardised, where a step did so.
    features
        Names, p.
    patients
        Identifiers, n.
    scale
        What the output is, in words, such as "log-odds of 1" or "risk".
    method
        How it was found, in words.

    Raises
    ------
    DataError
        Shapes do not fit, a number is not finite, or the contributions do not add up.

    References
    ----------
    Lundberg and Lee, NIPS 2017. Štrumbelj and Kononenko, Knowl Inf Syst 2014;41:647,
    doi:10.1007/s10115-013-0679-x.

    Examples
    --------
    >>> found = Explanation(values=np.array([[0.5, -0.2]]), base=1.0, output=np.array([1.3]),
    ...     data=np.array([[2.0, 7.0]]), features=("size", "rim"), patients=pd.Index(["P1"]),
    ...     scale="risk", method="linear")
    >>> found.global_importance()["feature"].tolist()
    ['size', 'rim']
    """

    values: Floats
    base: float
    output: Floats
    data: Floats
    features: tuple[str, ...]
    patients: pd.Index
    scale: str
    method: str

    def __post_init__(self) -> None:
        """Refuse parts that do not fit, and contributions that do not add up to the output."""
        shape = (len(self.patients), len(self.features))
        found = self.values.shape, self.data.shape, (*self.output.shape, shape[1])
        if any(part != shape for part in found):
            raise DataError(
                f"expected contributions and data of shape {shape} and {shape[0]} outputs; found "
                f"{self.values.shape}, {self.data.shape} and {self.output.shape}; align them."
            )
        if not (np.isfinite(self.values).all() and np.isfinite([*self.output, self.base]).all()):
            raise DataError(
                "expected finite contributions and outputs; found NaN or infinite ones. Impute "
                "missing features in a step before the learner."
            )
        gap = self.base + self.values.sum(axis=1) - self.output
        size = max(1.0, float(np.abs(self.output).max(initial=0.0)))
        if np.abs(gap).max(initial=0.0) > TOLERANCE * size:
            raise DataError(
                "expected contributions that add up, with the base value, to the output; found a "
                f"gap of {np.abs(gap).max():.3g}. The values belong to another model or scale."
            )

    def table(self) -> pd.DataFrame:
        """Tidy table, one row a patient and feature.

        Returns
        -------
        DataFrame
            ``patient, feature, value`` (of the feature), ``contribution, base, output, scale``;
            patients in their order, features in theirs.
        """
        n, p = self.values.shape
        return pd.DataFrame(
            {
                "patient": np.repeat(np.asarray(self.patients, dtype=object), p),
                "feature": np.tile(np.asarray(self.features, dtype=object), n),
                "value": self.data.ravel(),
                "contribution": self.values.ravel(),
                "base": self.base,
                "output": np.repeat(self.output, p),
                "scale": self.scale,
            }
        )

    def global_importance(self) -> pd.DataFrame:
        """Mean absolute contribution of each feature, largest first.

        It has no direction and no interval, and measures what moves the model's output, not what
        makes it right: see ``permutation_importance`` for that.

        Returns
        -------
        DataFrame
            ``feature, importance`` (unit of the output, 0 or more), ``share`` (of their sum).
        """
        importance = np.abs(self.values).mean(axis=0)
        total = importance.sum()
        frame = pd.DataFrame(
            {
                "feature": np.asarray(self.features, dtype=object),
                "importance": importance,
                "share": importance / total if total > 0 else importance,
            }
        )
        order = np.argsort(-importance, kind="stable")
        return frame.iloc[order].reset_index(drop=True)

    def patient(self, patient: object) -> pd.DataFrame:
        """Rows of :meth:`table` of one patient, largest absolute contribution first.

        Raises
        ------
        UnknownNameError
            The patient is not among those explained.
        """
        if patient not in self.patients:
            raise UnknownNameError("patient", str(patient), map(str, self.patients))
        rows = self.table()
        rows = rows[rows["patient"] == patient]
        order = np.argsort(-rows["contribution"].abs().to_numpy(), kind="stable")
        return rows.iloc[order].reset_index(drop=True)

    def with_units_of(self, X: pd.DataFrame) -> Explanation:
        """Return a copy whose ``data`` are the values in `X`, where a column has the same name.

        For showing millimetres in place of standard deviations. Contributions stay as they are;
        they do not depend on the unit a feature is shown in.

        Raises
        ------
        DataError
            `X` does not hold the same patients in the same order.
        """
        if not X.index.equals(self.patients):
            raise DataError(
                f"expected a table of the {len(self.patients)} patients explained, in their "
                f"order; found another index of length {len(X)}. Pass the X that was explained."
            )
        data = self.data.copy()
        for column, name in enumerate(self.features):
            if name in X.columns:
                data[:, column] = X[name].to_numpy(dtype=float)
        return replace(self, data=data)
