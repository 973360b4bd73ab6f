"""The signature's high/low class as a target that is learnt inside the fold."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import SchemaError
from radiogenomics.omics.labels.target import OUTCOME_COLUMNS, event_strata
from radiogenomics.omics.signature.cox_signature import CoxSignature


class SignatureLabel(BaseEstimator):
    """Target rule: fit a signature on the training patients, call every patient high or low.

    Weights, standardisation and cut-off come from the training part alone, so the label of a test
    patient never depends on that patient's outcome or on other test patients. Patients without an
    outcome (NaN) are labelled too; they only take no part in the Cox model.

    Parameters
    ----------
    signature
        Unfitted signature; it is cloned, never changed.

    Attributes
    ----------
    signature_ : CoxSignature
        Fitted on the training patients.

    Examples
    --------
    >>> target = pd.DataFrame({"A": [1.0, 2.0, 3.0, 4.0]}, index=["P1", "P2", "P3", "P4"])
    >>> rule = SignatureLabel(CoxSignature(["A"], weights=[1.0])).fit(target)
    >>> rule.transform(target).tolist()
    [0, 0, 1, 1]
    """

    def __init__(self, signature: CoxSignature) -> None:
        self.signature = signature

    def fit(self, target: pd.DataFrame, y: None = None) -> Self:
        """Fit the signature.

        Parameters
        ----------
        target
            Patients × the signature's genes, ``time`` (months) and ``event``; the last two may be
            NaN, and may be absent when the signature's weights are supplied.

        Raises
        ------
        SchemaError
            ``time`` or ``event`` is absent although weights must be fitted.
        """
        absent = [column for column in OUTCOME_COLUMNS if column not in target]
        if absent and self.signature.weights is None:
            raise SchemaError(
                f"{self.signature.name}: expected columns time and event beside the genes; found "
                f"no {' or '.join(absent)}. Join the outcome, or supply weights."
            )
        outcome = None if absent else target[list(OUTCOME_COLUMNS)]
        self.signature_ = clone(self.signature).fit(target, outcome)
        return self

    def transform(self, target: pd.DataFrame) -> np.ndarray:
        """Return 1 (high) or 0 (low) for each patient, shape (n,)."""
        check_is_fitted(self, "signature_")
        return self.signature_.classify(target).to_numpy(dtype=int)

    def scores(self, target: pd.DataFrame) -> np.ndarray:
        """Return the risk behind the label, shape (n,); higher is worse."""
        check_is_fitted(self, "signature_")
        return self.signature_.predict(target).to_numpy(dtype=float)

    def strata(self, target: pd.DataFrame) -> np.ndarray:
        """Return what folds should balance before any label is learnt: seen events, shape (n,)."""
        return event_strata(target)
