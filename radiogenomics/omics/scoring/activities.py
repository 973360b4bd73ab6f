r"""Activities of transcription factors and pathways from the genes that they move, by decoupler.

A network says which source (a transcription factor, a pathway) moves which target gene, and by its
weight w how strongly and in which direction. For one patient with genes x over all n genes:

- ``ulm``: the t statistic of the slope in :math:`x_g = a + b\,w_{g} + e_g`, each source by itself,
  with w = 0 for genes that are no target; n − 2 degrees of freedom.
- ``mlm``: the same of all k sources in one regression, :math:`x_g = a + \sum_s b_s w_{gs} + e_g`,
  so that sources with common targets share them; n − k − 1 degrees of freedom.
- ``zscore``: :math:`(\sum_g w_g x_g / \sum_g |w_g| - \bar x)\sqrt m / s` with m targets and
  :math:`\bar x` and s the mean and standard deviation of the patient's genes; standard normal.

Genes are the observations, and they correlate: p is a description, not an error rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    MissingExtraError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.method import Method
from radiogenomics.omics.scoring.expression import (
    checked_frame,
    finite_values,
    orientation_hint,
    refuse_flat,
)
from radiogenomics.omics.scoring.network import (
    checked_network,
    refuse_collinear,
    target_coverage,
)

Floats = NDArray[np.float64]
ActivityMethod = Literal["ulm", "mlm", "zscore"]


@dataclass(frozen=True, eq=False)
class Activities:
    """What :func:`activities` found.

    Parameters
    ----------
    scores
        Patients × sources; above 0 where the source is active.
    p
        Two-sided p of each score, same shape, not adjusted. (decoupler itself adjusts over the
        sources of a patient by Benjamini and Hochberg, but not for ``mlm``.)
    coverage
        ``source, targets`` (in the network), ``found`` (among the genes), ``scored``.
    """

    scores: pd.DataFrame
    p: pd.DataFrame
    coverage: pd.DataFrame


class ActivityScorer(TransformerMixin, BaseEstimator):
    """Activities of sources, on genes centred by the patients it was fitted on.

    On values as they are, what differs between genes in every patient (their mean expression)
    drowns what differs between patients. ``fit`` therefore learns the mean of each gene, and
    ``transform`` scores each patient against it and nothing else, so that a patient's score is the
    same alone and in any company.

    It misleads where targets were listed in another tissue, where two sources have nearly the same
    targets (``mlm`` then splits them by noise), and where a source only represses (all weights
    below 0) and ``zscore`` is used on values that are not centred.

    Parameters
    ----------
    network
        ``source, target, weight``, a row an edge.
    method
        ``"ulm"``, ``"mlm"`` or ``"zscore"``.
    smallest
        Targets that must be among the genes; sources with fewer are left out.
    centre
        Whether to take out each gene's mean among the patients of ``fit``. Without it nothing is
        learnt but the list of genes.

    Attributes
    ----------
    coverage_ : DataFrame
        As in :class:`Activities`.
    centre_ : ndarray
        Mean of each gene, or zeros.
    edges_ : DataFrame
        Edges of the sources that are scored, to genes that are there.
    genes_ : Index
        Genes that ``transform`` needs: all, as those that are no target are compared with.
    sources_ : Index
        Columns of the scores.

    Raises
    ------
    SchemaError, UnknownNameError
        The network lacks a column or names an edge twice, a weight is 0 or no finite number; there
        is no such method.
    AlignmentError
        No target is among the genes.
    DataError
        No source has enough targets; a value is missing; a patient has one value for all genes;
        ``mlm`` cannot tell sources apart.
    MissingExtraError
        decoupler is not installed (extra ``omics``).

    References
    ----------
    Badia-i-Mompel et al. 2022, doi:10.1093/bioadv/vbac016.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> genes = [f"G{n}" for n in range(40)]
    >>> log2 = pd.DataFrame(rng.normal(5, 1, (6, 40)), columns=genes)
    >>> log2.loc[0, genes[:8]] += 3
    >>> network = pd.DataFrame({"source": "MYC", "target": genes[:8], "weight": 1.0})
    >>> ActivityScorer(network).fit_transform(log2).idxmax().tolist()
    [0]
    """

    card: ClassVar[Method] = Method(
        name="source_activity",
        title="Transcription factor and pathway activities from their targets (decoupler)",
        scope="omics: scoring",
        reference="Badia-i-Mompel et al., Bioinform Adv 2022;2:vbac016, doi:10.1093/bioadv/vbac016",
        limits="Genes are taken as independent observations, so p is too small. Targets of one "
        "tissue may not be those of another. Needs other patients only where it centres genes.",
        learns=True,
    )

    def __init__(
        self,
        network: pd.DataFrame,
        *,
        method: ActivityMethod = "ulm",
        smallest: int = 5,
        centre: bool = True,
    ) -> None:
        self.network = network
        self.method = method
        self.smallest = smallest
        self.centre = centre

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Match network and genes, and learn the genes' means; ``y`` is not used."""
        _check_method(self.method, self.smallest)
        edges = checked_network(self.network)
        frame = checked_frame(X)
        if self.centre and len(frame) < 2:
            raise DataError(
                f"{self.card.name}: expected at least 2 patients to centre genes on; found "
                f"n_samples = {len(frame)}. Use more, or centre=False."
            )
        values = finite_values(frame, frame.columns, what=self.card.name)
        self.n_features_in_ = frame.shape[1]
        self.feature_names_in_ = frame.columns.to_numpy(dtype=object)
        self.genes_ = frame.columns
        self.coverage_ = target_coverage(edges, frame, smallest=self.smallest)
        self.sources_ = pd.Index(self.coverage_.loc[self.coverage_["scored"], "source"])
        kept = edges["source"].isin(self.sources_) & edges["target"].isin(self.genes_)
        self.edges_ = edges[kept].reset_index(drop=True)
        if self.method != "zscore":
            refuse_collinear(self.edges_, self.sources_, self.genes_, jointly=self.method == "mlm")
        self.centre_ = values.mean(axis=0) if self.centre else np.zeros(values.shape[1])
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Score each patient, alone.

        Parameters
        ----------
        X
            Patients × genes, log2, in the unit of ``fit``; genes in any order, others are left
            out.

        Returns
        -------
        DataFrame
            Patients × sources; above 0 where the source is active.
        """
        check_is_fitted(self)
        frame = checked_frame(X)
        absent = self.genes_[~self.genes_.isin(frame.columns)]
        if len(absent):
            raise AlignmentError(
                f"{self.card.name}: expected the {len(self.genes_):,} genes it was fitted on; "
                f"found {len(absent):,} absent ({short_list(absent)}). Fit again on the genes that "
                f"both have.{orientation_hint(self.genes_, frame)}"
            )
        values = finite_values(frame, self.genes_, what=self.card.name) - self.centre_
        refuse_flat(values, frame.index, what=self.card.name)
        return _scored(self, values, frame.index)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the sources, in the order of the scores."""
        check_is_fitted(self)
        return self.sources_.to_numpy(dtype=object)


def activities(
    values: pd.DataFrame,
    network: pd.DataFrame,
    *,
    method: ActivityMethod = "ulm",
    smallest: int = 5,
) -> Activities:
    """Score sources in each patient alone, on the values as they are.

    Nothing is learnt from other patients. Where activities are compared between patients, centre
    the genes on the training patients by :class:`ActivityScorer`, which has the formulas, limits
    and errors, too.

    Parameters
    ----------
    values
        Patients × genes, log2 (or any value that is comparable between genes, as a log fold
        change).
    network
        ``source, target, weight``, a row an edge.
    method, smallest
        As in :class:`ActivityScorer`.

    Examples
    --------
    >>> one = pd.DataFrame([[3.0, 2.5, 0.2, -0.1, 0.4]], index=["P1"], columns=list("ABCDE"))
    >>> edges = pd.DataFrame({"source": "TF", "target": ["A", "B"], "weight": 1.0})
    >>> found = activities(one, edges, smallest=2)
    >>> found.scores.round(3)
           TF
    P1  9.771
    >>> found.p.round(4)
            TF
    P1  0.0023
    """
    scorer = ActivityScorer(network, method=method, smallest=smallest, centre=False).fit(values)
    scores = scorer.transform(values)
    size = np.abs(scores)
    if method == "zscore":
        p = 2 * stats.norm.sf(size)
    else:
        fitted = 1 if method == "ulm" else len(scorer.sources_)
        p = 2 * stats.t.sf(size, len(scorer.genes_) - fitted - 1)
    table = pd.DataFrame(p, index=scores.index, columns=scores.columns)
    return Activities(scores, table, scorer.coverage_)


def _check_method(method: str, smallest: int) -> None:
    if method not in get_args(ActivityMethod):
        raise UnknownNameError("method of activities", str(method), get_args(ActivityMethod))
    if smallest < 1:
        raise DataError(f"smallest: expected 1 target or more; found {smallest}. Mend it.")


def _scored(scorer: ActivityScorer, values: Floats, patients: pd.Index) -> pd.DataFrame:
    run = getattr(_decoupler().mt, scorer.method)
    # decoupler drops genes that are 0 in all patients at hand unless told not to: a patient's
    # score would then hang on the company.
    found, _ = run(
        pd.DataFrame(values, columns=scorer.genes_),
        scorer.edges_,
        tmin=scorer.smallest,
        empty=False,
    )
    scores = found.loc[:, scorer.sources_].to_numpy()
    if not np.isfinite(scores).all():
        raise DataError(
            f"{scorer.card.name}: expected a score for each patient and source; found "
            f"{int((~np.isfinite(scores)).sum())} that are not defined, as where the weights "
            "explain all of a patient's genes. Use all genes that were measured."
        )
    return pd.DataFrame(scores, index=patients, columns=scorer.get_feature_names_out())


def _decoupler() -> ModuleType:
    try:
        import decoupler
    except ImportError as error:
        raise MissingExtraError(
            "expected decoupler for activities; found it not installed. Install "
            "radiogenomics[omics]."
        ) from error
    return decoupler
