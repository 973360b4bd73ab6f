"""Cells that go with an outcome of bulk samples, in the manner of Scissor."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import anndata
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.core.method import Method
from radiogenomics.omics.scoring.expression import checked_frame
from radiogenomics.omics.single_cell.bulk_correlation import sample_cell_correlation
from radiogenomics.omics.single_cell.cells import distinct_genes, log_values
from radiogenomics.stats.inputs import as_floats, check_labels, survival_target
from radiogenomics.stats.linear_models.network_choice import NetworkChoice, choose_network_penalty
from radiogenomics.stats.linear_models.network_penalty import normalised_laplacian
from radiogenomics.stats.linear_models.penalised_losses import FAMILIES
from radiogenomics.stats.permutation import permutation_p

Floats = NDArray[np.float64]

ALPHAS = (0.005, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of the l1 penalty that are tried, as published."""
POSITIVE, NEGATIVE, NONE = "positive", "negative", "none"
# Penalties in a row without a better cross-validated loss that end a path.
_PATIENCE = 8


@dataclass(frozen=True, eq=False)
class Reliability:
    """Whether cells predict the outcome better than they predict a permuted one.

    Parameters
    ----------
    gain
        Share of the cross-validated loss that the cells save; 0 or less is nothing.
    null
        The same under permuted outcomes, each with a penalty of its own.
    p
        (1 + as good or better) / (1 + permutations).
    """

    gain: float
    null: Floats
    p: float


class PhenotypeLinkedCells(BaseEstimator):
    r"""Cells whose likeness to bulk samples goes with the samples' outcome.

    The correlation of bulk sample i with cell j after joint quantile normalisation, :math:`x_{ij}`
    (standardised over samples), predicts the outcome in a regression that minimises

    .. math:: \ell(\beta) + \lambda\Big(\alpha \sum_j |\beta_j|
              + \tfrac{1 - \alpha}{2}\, \beta^T L \beta\Big),

    L being the normalised Laplacian of the cells' neighbour graph, and :math:`\ell` minus the mean
    log (partial) likelihood: Cox, logistic or linear. λ is the one of least cross-validated loss; α
    is the first of ``alphas`` at which fewer than ``cutoff`` of the cells are in at that λ. Cells
    with :math:`\beta_j > 0` are *positive*: bulk samples like them die earlier, are of class 1, or
    have larger values; those with :math:`\beta_j < 0` *negative*.

    Differences from the R package: conditions for the minimum hold to 1e-9; a path ends where too
    many cells are in, so that a second minimum of the loss beyond is not seen; folds are balanced
    by the outcome; if no α is sparse enough, the last gives its best solution below ``cutoff``,
    with a warning.

    Misleads: bulk is a mixture, and a cell is chosen for what goes with its programme in bulk,
    composition included; cells alike compete, so one that is left out may be as relevant; a few
    patients' cells stand for all. Cells are always chosen if λ says so: look at
    :meth:`reliability` first. Time and memory are those of dense matrices of the cells that are in:
    above some thousands of cells take a sample of them.

    Parameters
    ----------
    family
        ``"cox"``, ``"binomial"`` or ``"gaussian"``.
    alphas
        Shares of the l1 penalty, above 0 to 1, tried in rising order.
    cutoff
        Share of the cells that may be chosen, above 0 to 1.
    n_lambdas
        Penalties on a path.
    folds
        Of the cross-validation.
    min_shared
        Genes that bulk and cells must share.
    random_state
        Seed of the folds.

    Attributes
    ----------
    coef_ : Series
        Coefficient of each cell per unit of correlation; 0 for those not chosen.
    link_ : Series
        ``"positive"``, ``"negative"`` or ``"none"`` of each cell.
    alpha_, lambda_ : float
        Those chosen.
    gain_ : float
        Share of the cross-validated loss that the cells save; optimistic, see :meth:`reliability`.
    violation_ : float
        Breach of the conditions for a minimum, over the steepest derivative.
    path_ : DataFrame
        A row an α tried: ``alpha, penalty, gain, positive, negative, share, accepted``.
    correlation_ : DataFrame
        Samples × cells.

    Raises
    ------
    AlignmentError
        Samples and outcomes, or genes of bulk and cells, do not fit.
    DataError
        Cells are not normalised or have no graph, bulk is not logarithmic, a parameter is out of
        range.
    OutcomeError
        The outcome cannot be analysed, or has fewer events or samples of a class than folds.

    References
    ----------
    Sun et al. 2022, doi:10.1038/s41587-021-01091-3.
    """

    card: ClassVar[Method] = Method(
        name="phenotype_linked",
        title="Cells linked to an outcome of bulk samples (in the manner of Scissor)",
        scope="omics: single cell",
        reference="Sun et al., Nat Biotechnol 2022;40:527, doi:10.1038/s41587-021-01091-3",
        limits="Bulk is a mixture: composition and programme are not told apart. Similar cells "
        "compete. Cells are chosen in noise too: test reliability.",
        learns=True,
    )

    def __init__(
        self,
        family: str = "cox",
        *,
        alphas: Sequence[float] = ALPHAS,
        cutoff: float = 0.2,
        n_lambdas: int = 50,
        folds: int = 10,
        min_shared: int = 100,
        random_state: int | None = 0,
    ) -> None:
        self.family = family
        self.alphas = alphas
        self.cutoff = cutoff
        self.n_lambdas = n_lambdas
        self.folds = folds
        self.min_shared = min_shared
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any, *, cells: anndata.AnnData) -> Self:
        """Choose cells.

        Parameters
        ----------
        X
            Bulk samples × genes, log2.
        y
            Structured event and time, labels 0 and 1, or numbers; one a sample.
        cells
            Normalised cells × genes with ``obsp["connectivities"]``; see
            :func:`~.embed.embed_cells`.
        """
        self._check_parameters()
        target, event = self._outcome(y, len(checked_frame(X)))
        graph = _neighbours(cells)
        correlation = sample_cell_correlation(
            X, log_values(cells), distinct_genes(cells), min_shared=self.min_shared
        ).set_axis(cells.obs_names, axis=1)
        self.correlation_, self._target, self._event = correlation, target, event
        self._laplacian = normalised_laplacian(graph)
        self._fold = self._deal(np.random.default_rng(self.random_state))
        self._most = max(1, math.ceil(self.cutoff * cells.n_obs))
        rows, accepted = [], False
        for alpha in sorted(self.alphas):
            choice = self._choose(alpha, correlation.to_numpy())
            coef = choice.path.coef[choice.at_min]
            accepted = np.count_nonzero(coef) < self._most
            rows.append(_row(alpha, choice, coef, accepted))
            if accepted:
                break
        self.path_ = pd.DataFrame(rows)
        self._keep(choice, float(alpha), accepted)
        return self

    def reliability(
        self, *, n_permutations: int = 99, rng: np.random.Generator | None = None
    ) -> Reliability:
        """Compare the cross-validated gain with that under permuted outcomes.

        Outcomes are dealt anew to the samples, and the penalty is chosen again for each, so that
        the optimism of the choice is on both sides. α is that of the fit, and not chosen again.

        Parameters
        ----------
        n_permutations
            At least 1; each costs as much as one α of the fit.
        rng
            Source of randomness.
        """
        check_is_fitted(self)
        if n_permutations < 1:
            raise DataError(
                f"n_permutations: expected 1 or more; found {n_permutations}. 99 is usual."
            )
        source = np.random.default_rng() if rng is None else rng
        values = self.correlation_.to_numpy()
        null = np.array(
            [
                self._best(self._choose(self.alpha_, source.permutation(values, axis=0)))[1]
                for _ in range(n_permutations)
            ]
        )
        return Reliability(self.gain_, null, permutation_p(self.gain_, null))

    def _choose(self, alpha: float, values: Floats) -> NetworkChoice:
        return choose_network_penalty(
            values,
            self._target,
            self._event,
            family=self.family,
            laplacian=self._laplacian,
            l1_ratio=alpha,
            folds=self._fold,
            n_lambdas=self.n_lambdas,
            max_inside=self._most,
            patience=_PATIENCE,
        )

    def _best(self, choice: NetworkChoice) -> tuple[int, float]:
        """Position and gain of the best solution that is sparse enough."""
        sparse_enough = np.count_nonzero(choice.path.coef, axis=1) < self._most
        at = int(np.argmin(np.where(sparse_enough, choice.mean, np.inf)))
        return at, choice.gain(at)

    def _keep(self, choice: NetworkChoice, alpha: float, accepted: bool) -> None:
        at, self.gain_ = self._best(choice)
        cells = self.correlation_.columns
        self.coef_ = pd.Series(choice.path.coef[at], cells, name="coef")
        sign = np.sign(self.coef_.to_numpy()).astype(int)
        self.link_ = pd.Series(np.array([NONE, POSITIVE, NEGATIVE])[sign], cells, name="link")
        self.alpha_, self.lambda_ = alpha, float(choice.path.lambdas[at])
        self.violation_ = float(choice.path.violation[at])
        if not accepted:
            warnings.warn(
                f"phenotype-linked cells: expected fewer than {self.cutoff:.0%} of the cells at "
                f"the least cross-validated loss; found more at every alpha up to {alpha:g}. Took "
                f"the best solution below that, with {np.count_nonzero(sign)} cells; try larger "
                "alphas.",
                RadiogenomicsWarning,
                stacklevel=3,
            )
        elif not sign.any():
            warnings.warn(
                "phenotype-linked cells: expected cells that predict the outcome of bulk samples; "
                f"found none: no choice of cells has a lower cross-validated loss (α = {alpha:g}). "
                "Nothing is linked in these data.",
                RadiogenomicsWarning,
                stacklevel=3,
            )

    def _outcome(self, y: Any, n: int) -> tuple[Floats, Floats | None]:
        event = None
        if self.family == "cox":
            time, died = survival_target(y)
            target, event = np.asarray(time, dtype=float), died.astype(float)
            least = int(event.sum())
        elif self.family == "binomial":
            target = check_labels(y).astype(float)
            least = int(min(target.sum(), (1 - target).sum()))
        else:
            target = as_floats(y, "target values")
            least = len(target)
        if len(target) != n:
            raise AlignmentError(
                f"phenotype-linked cells: expected an outcome of each of {n} bulk samples; found "
                f"{len(target)}. Align the two."
            )
        if least < self.folds:
            raise OutcomeError(
                f"phenotype-linked cells: expected at least one event, or sample of each class, "
                f"in each of {self.folds} folds; found {least}. Use fewer folds or more samples."
            )
        return target, event

    def _deal(self, rng: np.random.Generator) -> NDArray[np.intp]:
        """Folds that are even in events, classes or numbers."""
        key = self._target if self._event is None else self._event
        order = np.lexsort((rng.permutation(len(key)), key))
        fold = np.empty(len(key), dtype=np.intp)
        fold[order] = np.arange(len(key)) % self.folds
        return fold

    def _check_parameters(self) -> None:
        if self.family not in FAMILIES:
            raise UnknownNameError("family", str(self.family), FAMILIES)
        alphas = np.asarray(self.alphas, dtype=float)
        if not alphas.size or not ((alphas > 0) & (alphas <= 1)).all() or not 0 < self.cutoff <= 1:
            raise DataError(
                "phenotype-linked cells: expected alphas and a cutoff above 0, at most 1; found "
                f"{self.alphas} and {self.cutoff}. The published ones are {ALPHAS} and 0.2."
            )
        if self.folds < 2 or self.n_lambdas < 2:
            raise DataError(
                "phenotype-linked cells: expected 2 or more folds and penalties; found "
                f"{self.folds} and {self.n_lambdas}. 10 and 50 are usual."
            )


def _neighbours(cells: anndata.AnnData) -> sparse.csr_matrix:
    """Who is a neighbour of whom, as published without weights."""
    if "connectivities" not in cells.obsp:
        raise DataError(
            "phenotype-linked cells: expected a graph in obsp['connectivities']; found "
            f"{', '.join(cells.obsp) or 'none'}. Call embed_cells (until='neighbours') first."
        )
    graph = sparse.csr_matrix(cells.obsp["connectivities"])
    either = (graph + graph.T) > 0
    return sparse.csr_matrix(either.astype(float))


def _row(alpha: float, choice: NetworkChoice, coef: Floats, accepted: bool) -> dict[str, Any]:
    return {
        "alpha": alpha,
        "penalty": choice.path.lambdas[choice.at_min],
        "gain": choice.gain(choice.at_min),
        "positive": int((coef > 0).sum()),
        "negative": int((coef < 0).sum()),
        "share": np.count_nonzero(coef) / len(coef),
        "accepted": accepted,
    }
