"""Factors that blocks of variables share, learnt and read off with blocks missing."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.models.blocks import Blocks, block_positions
from radiogenomics.models.factors.fit import (
    Learnt,
    Search,
    effective_weights,
    learn_by_bic,
    learn_factors,
    learn_relevant,
)
from radiogenomics.models.factors.projection import explained_shares, mean_squares
from radiogenomics.models.factors.reader import FactorReader, require_values
from radiogenomics.models.factors.record import factors_from_record, record_of_factors
from radiogenomics.models.factors.scaling import first_weights, learn_scales
from radiogenomics.stats.inputs import Floats

RELEVANCE, BIC = "relevance", "bic"
ARD = "ard"
EFFECTIVE, SINGULAR = "effective", "singular"
NONE = "none"
TOGETHER = "all"


class BlockFactors(FactorReader):
    r"""Learn few factors behind many variables of several blocks, and find them in new patients.

    Of a patient, a standardised variable j of block b is

    .. math:: x_j = w_j^\top z + \mu_j + e_j, \quad z \sim N(0, I_K), \quad e_j \sim N(0, \psi_j)

    with K factors z, loadings :math:`w_j`, and a noise variance of its own. Factors are what makes
    variables go together, within a block or across blocks; :math:`\psi_j` is what a variable has to
    itself. Whatever was not observed, a value or a whole block, drops out of the likelihood:
    nothing is imputed, in training or afterwards. So a new patient with any of the blocks has
    posterior factors, :math:`V = (I + \sum_j \omega_j w_j w_j^\top / \psi_j)^{-1}` and
    :math:`\hat z = V \sum_j \omega_j w_j (x_j - \mu_j) / \psi_j` over the observed variables, and
    through them an expectation of the blocks that are absent.

    *Relevance.* With ``shrinkage="ard"`` loadings have a prior :math:`w_{jk} \sim N(0,
    1/\alpha_{bk})`, one precision for each block and factor, and
    :math:`\alpha_{bk} = 1 / (\overline{E[w_{jk}^2]} + 10^{-6})`, the mean being over the block's
    variables and the expectation over their Gaussian posteriors: where a factor does not reach a
    block its loadings go to zero, as in group factor analysis and MOFA. The bound of the likelihood
    that is climbed never falls. With ``"none"``, and no weights, it is the observed likelihood
    itself, and one complete block gives what ``sklearn.decomposition.FactorAnalysis`` gives; with
    more variables than patients that fits noise.

    *Weights.* The likelihood takes the noise of variables for independent, which that of texture
    features or genes is not: hundreds that err together would count as hundreds of witnesses. So
    what a block of :math:`p_b` variables says of the factors is multiplied by
    :math:`\omega_b = m_b / p_b \le 1`, with :math:`m_b` the number of independent variables that
    its noise counts for:

    .. math:: 1/m_b = \lVert R_b \rVert^2 / p_b^2 - 1 / (n_b - K_b)

    R being the correlations of what a rough first search leaves of the block in its :math:`n_b`
    patients, and the last term what chance adds for the :math:`K_b` factors that reach it. This is
    learnt twice over. The first search has the weights of multiple factor analysis,
    :math:`\min_c \lambda_c / \lambda_b` of the largest eigenvalues of blocks' correlations, but no
    less than :math:`(1 + \sqrt{p_b / n_b})^{-2}`, one over that of pure noise; ``"singular"`` stays
    with these. Multiplying a block by a constant would do nothing, as its noise would follow. With
    40 factors in the simulations below and room for 25, RNA foretold from images had an
    out-of-sample :math:`R^2` of 0.01 and 94 % of values inside 95 % intervals; without weights
    the genes drowned the rest: −0.20 and 89 %.

    A factor is a direction that varies, be it biology, a scanner or a batch. Each factor's sign is
    that of its largest loading. Posterior deviations do not know how uncertain the loadings are.
    Before a block is foretold for new patients, see on held-out ones that it can be.

    *How many.* ``"relevance"`` starts with ``max_factors`` and keeps those that explain
    ``least_share`` of a block's variance; ``"bic"`` fits each number and takes the lowest
    :math:`-2\ell + d \log n`. Of 40 simulated cohorts (60 or 130 patients, blocks of 200, 1000 and
    50 variables, one in five missing, 6 or 13 factors, some weak) the first found the right number
    in 33 and was off by one in 7; the second was right in 5 of 20, and found too few elsewhere.
    Of pure noise the first kept one or two factors in 6 of 10; with ``least_share=0.02`` none in
    10, but then weak factors were lost and 18 of the 40 were right.

    Parameters
    ----------
    blocks
        Block → columns, ``"prefix"``, or None for one block of everything; see
        :func:`radiogenomics.models.blocks.block_positions`.
    n_factors : int, "relevance" or "bic"
        K, or how to find it.
    max_factors
        Most factors that are tried where the number is found; at most patients less one and
        variables.
    least_share
        See above; between 0 and 1.
    weighting : {"effective", "singular", "none"}
        As above, or 1 for each block.
    shrinkage : {"ard", "none"}
        Of loadings, as above.
    most_variable : int or mapping, optional
        Keep the variables of the largest variance, this many of each block, or block → how many.
    least_noise
        Smallest noise variance of a standardised variable, above 0 and below 1.
    max_iter
        Rounds of the EM algorithm at most.
    tol
        Gain of the bound per patient below which it stops.

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
    block_weights_ : dict of str to float
        :math:`\omega_b`.
    explained_variance_ : DataFrame
        Columns factor, block, share: :math:`1 - \sum (r - w_k \hat z_k)^2 / \sum r^2` over the
        observed training values :math:`r = x - \mu` of a block. Factor ``"all"``: all together.
        Factors are ordered by their shares, summed over blocks. Shares are of training and so
        optimistic.
    likelihoods_ : ndarray
        The bound after each round with the final number of factors: weighted log-likelihood of
        the observed, standardised values, less the divergence of the loadings from their prior.
    n_iter_ : int
        Rounds with the final number of factors.
    converged_ : bool
        Whether the last gained less than ``tol``.

    Raises
    ------
    DataError
        A patient has no value in use, a block has none, there are fewer patients or variables than
        factors ask for, or a parameter is senseless.

    Warns
    -----
    RadiogenomicsWarning
        The search stopped before the bound stood still, no factor matters, or something does not
        vary.

    References
    ----------
    Rubin and Thayer, Psychometrika 1982;47:69. Klami et al, IEEE Trans
    Neural Netw Learn Syst 2015;26:2136 (group factor analysis). Argelaguet et al, Mol Syst Biol
    2018;14:e8124, doi:10.15252/msb.20178124 (MOFA). Luttinen and Ilin, Neurocomputing 2010;73:1093
    (turning factors to climb faster). Escofier and Pagès, Comput Stat Data Anal 1994;18:121.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shared = rng.normal(size=(80, 1))
    >>> ct, rna = shared + rng.normal(size=(80, 5)), shared + rng.normal(size=(80, 9))
    >>> ct[:20] = np.nan
    >>> model = BlockFactors({"ct": range(5), "rna": range(5, 14)}).fit(np.hstack([ct, rna]))
    >>> model.n_factors_, model.transform(np.hstack([ct, rna])).shape
    (1, (80, 1))
    >>> only_ct = np.hstack([[[2.0] * 5], [[np.nan] * 9]])
    >>> bool((model.predict_block(only_ct, "rna").mean > 1).all(axis=None))
    True
    """

    card: ClassVar[Method] = Method(
        name="block_factors",
        title="Factors shared by blocks of variables, for patients with any of the blocks",
        scope="models: factors",
        reference="Argelaguet et al, Mol Syst Biol 2018;14:e8124, doi:10.15252/msb.20178124",
        limits="A factor is what varies, be it biology or batch. Noise of variables is taken for "
        "independent; deviations do not know that loadings are uncertain.",
        learns=True,
    )

    def __init__(
        self,
        blocks: Blocks = None,
        n_factors: int | str = RELEVANCE,
        *,
        max_factors: int = 25,
        least_share: float = 0.01,
        weighting: str = EFFECTIVE,
        shrinkage: str = ARD,
        most_variable: int | Mapping[str, int] | None = None,
        least_noise: float = 0.01,
        max_iter: int = 500,
        tol: float = 1e-4,
    ) -> None:
        self.blocks = blocks
        self.n_factors = n_factors
        self.max_factors = max_factors
        self.least_share = least_share
        self.weighting = weighting
        self.shrinkage = shrinkage
        self.most_variable = most_variable
        self.least_noise = least_noise
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Any, y: Any = None) -> BlockFactors:
        """Learn scales, weights and factors; ``y`` is not looked at."""
        self._check_parameters()
        refuse_row_facts(X)
        values = validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2
        )
        names = getattr(self, "feature_names_in_", None)
        self.blocks_ = block_positions(self.blocks, names, n_columns=values.shape[1])
        if isinstance(self.most_variable, Mapping):
            for block in self.most_variable:
                self._require_block(block)
        self.scales_ = learn_scales(values, self.blocks_, most_variable=self.most_variable)
        standardised = self.scales_.standardised(values)
        require_values(standardised, "any of the variables in use")
        with threadpool_limits(1, user_api="blas"):  # threads of such small products wait
            learnt = self._learn(standardised)
        self._say_how_it_ended(learnt)
        self._order(learnt, standardised)
        self.likelihoods_, self.converged_ = learnt.bounds, learnt.converged
        self.n_iter_ = len(learnt.bounds)
        return self

    def to_record(self) -> dict[str, Any]:
        """Return all that projecting patients needs, as numbers and texts that JSON can hold."""
        check_is_fitted(self)
        return record_of_factors(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> BlockFactors:
        """Return the locked model of a record: it projects as the one it was taken from.

        Raises
        ------
        SchemaError
            A field is missing, foreign, or of another length than the others.
        """
        fitted = cls()
        factors_from_record(fitted, record)
        return fitted

    def _learn(self, standardised: Floats) -> Learnt:
        """Weigh the blocks, then search as many factors as asked for."""
        most = self._most_factors(*standardised.shape)
        search = Search(self.shrinkage == ARD, self.least_noise, self.max_iter, self.tol)
        block, weight = self.scales_.block, self.scales_.weight
        if self.weighting != NONE:
            weight = first_weights(standardised, block)
        if self.weighting == EFFECTIVE:
            weight = effective_weights(
                standardised, block, weight, most=most, search=search, share=self.least_share
            )
        self.scales_ = replace(self.scales_, weight=weight)
        self.block_weights_ = dict(zip(self.scales_.blocks, weight.tolist(), strict=True))
        data = standardised, block, weight
        if self.n_factors == RELEVANCE:
            return learn_relevant(*data, most=most, search=search, least_share=self.least_share)
        if self.n_factors == BIC:
            return learn_by_bic(*data, most=most, search=search)
        return learn_factors(*data, n_factors=most, search=search)

    def _most_factors(self, n: int, p: int) -> int:
        most = min(n - 1, p)
        if isinstance(self.n_factors, str):
            return min(most, self.max_factors)
        if self.n_factors > most:
            raise DataError(
                f"n_factors: expected at most {most}, one less than patients and no more than "
                f"variables; found {self.n_factors} for n_samples = {n} patients and {p} "
                "variable(s) in use. Ask for fewer."
            )
        return self.n_factors

    def _order(self, learnt: Learnt, standardised: Floats) -> None:
        """Sort factors by what they explain, sign them, and tell their shares."""
        block = self.scales_.block
        mean, _ = learnt.model.posterior(standardised)
        shares = explained_shares(standardised, learnt.model, mean, block=block)
        order = np.argsort(-shares[:-1].sum(axis=1), kind="stable")
        loadings = learnt.model.loadings[:, order]
        largest = loadings[np.abs(loadings).argmax(axis=0), np.arange(len(order))]
        self.model_ = learnt.model.reordered(order, np.where(largest < 0, -1.0, 1.0))
        self.n_factors_ = len(order)
        factors = [*self.get_feature_names_out(), TOGETHER]
        self.explained_variance_ = pd.DataFrame(
            {
                "factor": np.repeat(np.array(factors, dtype=object), len(self.scales_.blocks)),
                "block": list(self.scales_.blocks) * len(factors),
                "share": shares[[*order, -1]].ravel(),
            }
        )

    def _say_how_it_ended(self, learnt: Learnt) -> None:
        if not learnt.converged:
            warnings.warn(
                f"the factors still changed after {len(learnt.bounds)} rounds. Raise max_iter, or "
                "tol.",
                RadiogenomicsWarning,
                stacklevel=3,
            )
        shares = mean_squares(learnt.model.loadings, self.scales_.block)
        if self.n_factors == RELEVANCE and shares.max() < self.least_share:
            warnings.warn(
                f"no factor explains {self.least_share:.1%} of a block: the strongest is kept, but "
                "the variables look independent.",
                RadiogenomicsWarning,
                stacklevel=3,
            )

    def _require_block(self, block: Any) -> None:
        if block not in self.blocks_:
            raise UnknownNameError("block", block, self.blocks_)

    def _check_parameters(self) -> None:
        choices = (
            ("weighting", self.weighting, (EFFECTIVE, SINGULAR, NONE)),
            ("shrinkage", self.shrinkage, (ARD, NONE)),
        )
        for kind, word, known in choices:
            if word not in known:
                raise UnknownNameError(kind, word, known)
        if isinstance(self.n_factors, str) and self.n_factors not in (RELEVANCE, BIC):
            raise UnknownNameError("way to find n_factors", self.n_factors, (RELEVANCE, BIC))
        if self.n_factors == RELEVANCE and self.shrinkage == NONE:
            raise DataError(
                "n_factors: expected a number or 'bic' without shrinkage; found 'relevance', which "
                "rests on it. Give one of the two, or shrinkage='ard'."
            )
        many = self.most_variable
        counts = {
            "n_factors": 1 if isinstance(self.n_factors, str) else self.n_factors,
            "max_factors": self.max_factors,
            "max_iter": self.max_iter,
            "most_variable": min(many.values(), default=1) if isinstance(many, Mapping) else many,
        }
        for name, count in counts.items():
            if count is not None and count < 1:
                raise DataError(f"{name}: expected at least 1; found {count}. Give more.")
        if not (0 < self.least_noise < 1 and 0 <= self.least_share < 1 and self.tol >= 0):
            raise DataError(
                "expected least_noise in (0, 1), least_share in [0, 1) and tol of at least 0; "
                f"found {self.least_noise}, {self.least_share} and {self.tol}. Mend them."
            )
