"""Patients with any of the blocks, read through factors that were learnt before."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.models.blocks import with_absent_blocks
from radiogenomics.models.factors.projection import FactorModel
from radiogenomics.models.factors.scaling import Scales
from radiogenomics.stats.inputs import Floats

TOP = 20


class BlockPrediction(NamedTuple):
    """An absent block as the other blocks foretell it, in its own units.

    Attributes
    ----------
    mean, sd
        Patients × variables of the block in use: expectation and standard deviation.
    """

    mean: pd.DataFrame
    sd: pd.DataFrame


class FactorReader(TransformerMixin, BaseEstimator):
    """Base of what has learnt factors of blocks: all that it can say of patients, new or not.

    Attributes
    ----------
    n_factors_ : int
        K.
    blocks_ : dict of str to ndarray
        Positions of the columns of each block.
    scales_ : Scales
        Variables in use, their means and deviations, and the blocks' weights.
    model_ : FactorModel
        Loadings, centres and noise of the variables in use, standardised.
    """

    n_factors_: int
    blocks_: dict[str, np.ndarray]
    scales_: Scales
    model_: FactorModel

    def transform(self, X: Any) -> Floats:
        """Posterior means of the factors of patients with any of the blocks, shape (n, K).

        Raises
        ------
        DataError
            A patient has no value of the variables in use.
        """
        return self._posterior(X)[0]

    def posterior_sd(self, X: Any) -> pd.DataFrame:
        """Posterior standard deviations of the factors, patients × factors, between 0 and 1.

        1: what was observed of the patient says nothing of the factor.
        """
        covariance = self._posterior(X)[1]
        sd = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        return pd.DataFrame(
            sd, index=getattr(X, "index", None), columns=self.get_feature_names_out()
        )

    def predict_block(self, X: Any, block: str) -> BlockPrediction:
        r"""Foretell a block of patients from their other blocks; its own values are not looked at.

        With :math:`\hat z, V` from the other blocks, the mean is :math:`W_b \hat z + \mu_b` and the
        variance :math:`w_j^\top V w_j + \psi_j`, brought to the variables' own units.

        Parameters
        ----------
        X
            Patients with at least one of the other blocks; the block itself may lack.
        block
            Which.

        Raises
        ------
        DataError
            A patient has nothing observed of the other blocks.
        UnknownNameError
            There is no such block in use.
        """
        check_is_fitted(self)
        if block not in self.scales_.blocks:
            raise UnknownNameError("block", block, self.scales_.blocks)
        asked = self.scales_.places(block)
        standardised = self._standardised(self._without(X, block))
        standardised[:, asked] = np.nan
        require_values(standardised, f"a block other than {block!r}")
        mean, variance = self.model_.expected(*self.model_.posterior(standardised), asked)
        centre, sd = self.scales_.mean[asked], self.scales_.sd[asked]
        index, columns = getattr(X, "index", None), self._names()[self.scales_.columns[asked]]
        return BlockPrediction(
            pd.DataFrame(mean * sd + centre, index=index, columns=columns),
            pd.DataFrame(np.sqrt(variance) * sd, index=index, columns=columns),
        )

    def score_samples(self, X: Any) -> Floats:
        r"""Log density of each patient's observed values in their own units, shape (n,).

        That of a Gaussian with the covariance :math:`W W^\top + \Psi`, without weights.
        """
        standardised = self._standardised(X)
        seen = ~np.isnan(standardised)
        return self.model_.log_likelihood(standardised) - seen @ np.log(self.scales_.sd)

    def score(self, X: Any, y: Any = None) -> float:
        """Mean of :meth:`score_samples`; ``y`` is not looked at."""
        return float(self.score_samples(X).mean())

    @property
    def weights_(self) -> pd.DataFrame:
        """:meth:`top_weights` of the twenty largest."""
        return self.top_weights()

    def top_weights(self, count: int = TOP) -> pd.DataFrame:
        """Variables of the largest loadings of each factor and block.

        Parameters
        ----------
        count
            Variables of each factor and block, at most.

        Returns
        -------
        DataFrame
            Columns factor, block, variable, weight: loading of the standardised variable, the
            largest in size first.
        """
        check_is_fitted(self)
        names, parts = self._names()[self.scales_.columns], []
        for number, factor in enumerate(self.get_feature_names_out()):
            loading = self.model_.loadings[:, number]
            for block in self.scales_.blocks:
                places = self.scales_.places(block)
                top = places[np.argsort(-np.abs(loading[places]), kind="stable")[:count]]
                parts.append(
                    pd.DataFrame(
                        {
                            "factor": factor,
                            "block": block,
                            "variable": names[top],
                            "weight": loading[top],
                        }
                    )
                )
        return pd.concat(parts, ignore_index=True)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the factors, ``factor1`` and so on; ``input_features`` is not looked at."""
        check_is_fitted(self)
        return np.array([f"factor{i + 1}" for i in range(self.n_factors_)], dtype=object)

    def _posterior(self, X: Any) -> tuple[Floats, Floats]:
        standardised = self._standardised(X)
        require_values(standardised, "any of the variables in use")
        return self.model_.posterior(standardised)

    def _standardised(self, X: Any) -> Floats:
        """Check new patients, who may lack whole blocks, and return the variables in use."""
        check_is_fitted(self)
        refuse_row_facts(X)
        names = getattr(self, "feature_names_in_", None)
        values = validate_data(
            self,
            with_absent_blocks(X, names, self.blocks_),
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            reset=False,
        )
        return self.scales_.standardised(values)

    def _without(self, X: Any, block: str) -> Any:
        """Return the table with NaN for a block, whether or not it has columns of it."""
        names = getattr(self, "feature_names_in_", None)
        if names is None or not isinstance(X, pd.DataFrame):
            return X
        own = names[self.blocks_[block]]
        others = X.drop(columns=own, errors="ignore")
        blank = pd.DataFrame(np.nan, index=X.index, columns=own)
        joined = pd.concat([others, blank], axis=1)
        known = [name for name in names if name in joined.columns]
        return joined[[*known, *joined.columns.difference(known, sort=False)]]

    def _names(self) -> np.ndarray:
        """Names of the table's columns, or their numbers as ``x0``, ``x1``."""
        bare = np.array([f"x{i}" for i in range(self.n_features_in_)], dtype=object)
        return getattr(self, "feature_names_in_", bare)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def require_values(standardised: Floats, what: str) -> None:
    """Raise DataError, saying how many, where patients have nothing observed."""
    bare = np.isnan(standardised).all(axis=1)
    if bare.any():
        raise DataError(
            f"expected a value of {what} for each patient; found {int(bare.sum())} of {len(bare)} "
            f"patients with none, the first in row {int(np.flatnonzero(bare)[0])}. Drop these "
            "patients."
        )
