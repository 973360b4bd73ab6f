r"""Whether links found in one cohort hold in another.

Only the named pairs are looked at, so few tests are paid for. Links that were chosen because they
were strong are weaker elsewhere even when true (winner's curse): a smaller correlation in the
second cohort is expected, and the pooled one, which has the first in it, is too large. The second
cohort alone says whether there is a link.

The pooled correlation is the mean of Fisher's z of both cohorts with random effects, weights
:math:`1 / (1 / (n_i - 3 - k_i) + \tau^2)` beside :math:`k_i` covariates. With two cohorts
:math:`\tau^2` is hardly known, and the interval is too short where they differ. Fisher's variance
is that of Pearson's r; Spearman's is larger by some 6 % (more for strong correlations).

References
----------
Fisher 1921, Metron 1:3; DerSimonian & Laird 1986, doi:10.1016/0197-2456(86)90046-2; Fieller,
Hartley & Pearson 1957, doi:10.1093/biomet/44.3-4.470 (Spearman's variance); Ioannidis 2008,
doi:10.1097/EDE.0b013e31818131e7 (winner's curse).

Examples
--------
>>> rng = np.random.default_rng(0)
>>> feature = pd.DataFrame(rng.normal(size=(40, 2)), columns=["f1", "f2"])
>>> genes = pd.DataFrame({"A": feature["f1"] + rng.normal(size=40), "B": rng.normal(size=40)})
>>> links = pd.DataFrame({"feature": ["f1", "f2"], "target": ["A", "B"], "kind": "gene",
...                       "r_first": [0.6, 0.3], "n_first": 50})
>>> table = replication_table(links, SecondCohort(feature, {"gene": genes}))
>>> table[["target", "r_first", "r_second", "p_second", "pooled"]].round(3).values.tolist()
[['A', 0.6, 0.641, 0.0, 0.619], ['B', 0.3, -0.142, 0.808, 0.09]]
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtrc, stdtr

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, UnknownNameError, short_list
from radiogenomics.evaluation.alignment import require_same_patients
from radiogenomics.evaluation.association.complete_tables import (
    covariates_beside,
    numbers_of,
    require_numbers,
    varying,
)
from radiogenomics.stats.association.relabelling import check_orders
from radiogenomics.stats.association.units import Correlation, covariate_basis, unit_columns
from radiogenomics.stats.inputs import Floats, check_level
from radiogenomics.stats.meta_analysis import MetaAnalysis, PoolingMethod, meta_analysis
from radiogenomics.stats.multiplicity import adjust
from radiogenomics.stats.permutation import permutation_p

_GIVEN = ("feature", "target", "kind", "r_first", "n_first")
_COLUMNS = (
    "kind",
    "feature",
    "target",
    "r_first",
    "r_second",
    "n_first",
    "n_second",
    "same_direction",
    "p_second",
    "fdr_second",
    "pooled",
    "low",
    "high",
    "p",
    "i2",
)


@dataclass(frozen=True, eq=False)
class SecondCohort:
    """What a second cohort knows of features and their targets.

    Parameters
    ----------
    features
        Patients × features.
    targets
        Kind of target (``"gene"``, ``"set"``) → the same patients × targets: expression, or a score
        of each set.
    beside
        The same patients × covariates; correlations are then partial.
    method
        ``"spearman"`` or ``"pearson"``, as in the first cohort.

    Raises
    ------
    AlignmentError
        The tables have other patients or another order.
    """

    features: pd.DataFrame
    targets: Mapping[str, pd.DataFrame]
    beside: pd.DataFrame | None = None
    method: Correlation = "spearman"

    def __post_init__(self) -> None:
        """Check that all tables have the same patients."""
        for kind, table in self.targets.items():
            require_same_patients(self.features.index, table.index, what=f"features and {kind}s")


@dataclass(frozen=True)
class DirectionAgreement:
    """How many links point the same way in the second cohort.

    Attributes
    ----------
    pairs, agreeing : int
        Links tried, and those with the sign of the first cohort.
    p : float
        One-sided, by permutation of the patients of the second cohort.
    p_if_independent : float
        Of the sign test, which takes links for independent. They share features, genes and
        patients, so it is too small, often by orders of magnitude.
    """

    pairs: int
    agreeing: int
    p: float
    p_if_independent: float


def replication_table(
    links: pd.DataFrame,
    second: SecondCohort,
    *,
    first_covariates: int = 0,
    pooling: PoolingMethod = "reml",
    level: float = 0.95,
) -> pd.DataFrame:
    """Links of a first cohort, each in a second one and in both together.

    ``p_second`` is one-sided in the direction of the first cohort, by Student's t with n - 2 - k
    degrees of freedom beside k covariates; ``fdr_second`` (Benjamini-Hochberg) counts the pairs
    tried. ``pooled`` has the first cohort in it: see the top of this module.

    Parameters
    ----------
    links
        ``feature, target, kind, r_first, n_first``, one row a link; other columns are ignored.
    second
    first_covariates
        How many covariates the correlations of the first cohort are partial on.
    pooling
        As ``method`` of :func:`~radiogenomics.stats.meta_analysis.meta_analysis`.
    level
        Of the pooled interval.

    Returns
    -------
    DataFrame
        ``kind, feature, target, r_first, r_second, n_first, n_second, same_direction, p_second,
        fdr_second, pooled, low, high, p, i2`` in the order of `links`. What the second cohort lacks
        is named in a warning; its links keep their rows, with ``n_second`` 0 and else NaN or <NA>.

    Raises
    ------
    DataError, UnknownNameError
        Columns are missing, a link is there twice, r is 0 or not between -1 and 1, a cohort is too
        small, a column that is needed has gaps, or a kind of target has no table.
    """
    given = _checked_links(links, second, first_covariates=first_covariates)
    check_level(level)
    tried, feature, target, beside = _pairs(given, second)
    n, k = len(second.features), beside.shape[1]
    r = np.full(len(given), np.nan)
    r[tried] = np.clip(np.einsum("np,np->p", feature, target), -1.0, 1.0)
    first = given["r_first"].to_numpy(dtype=float)
    p_second = _one_sided(r * np.sign(first), n - 2 - k)
    freedom = given["n_first"].to_numpy(dtype=float) - 3 - first_covariates
    both = _pooled_z(np.stack([first, r]), freedom, max(n - 3 - k, 1), pooling, level)
    same = pd.Series(np.sign(r) == np.sign(first), given.index, dtype="boolean")
    table = given.assign(
        r_second=r,
        n_second=np.where(tried, n, 0),
        same_direction=same.mask(~tried),
        p_second=p_second,
        fdr_second=adjust(p_second),
    )
    return _with_pooled(table, both)[list(_COLUMNS)]


def _with_pooled(table: pd.DataFrame, both: MetaAnalysis) -> pd.DataFrame:
    ends = {"pooled": both.estimate, "low": both.low, "high": both.high}
    return table.assign(**{name: np.tanh(z) for name, z in ends.items()}, p=both.p, i2=both.i2)


def _pooled_z(
    r: Floats, first: Floats, second: int, pooling: PoolingMethod, level: float
) -> MetaAnalysis:
    """Fisher's z of both cohorts, by their degrees of freedom; NaN where one has no correlation."""
    # Ranks may agree wholly in a small cohort; Fisher's z would be infinite.
    z = np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15))
    z[:, np.isnan(r).any(axis=0)] = np.nan
    error = 1 / np.sqrt(np.stack([first, np.full(first.shape, float(second))]))
    return meta_analysis(z, error, method=pooling, level=level)


def direction_agreement(
    links: pd.DataFrame, second: SecondCohort, *, orders: ArrayLike
) -> DirectionAgreement:
    """Test whether more links than by chance have their sign again in a second cohort.

    The null changes the places of the patients of the features in the second cohort: what goes
    together among features and among genes stays, so that links which are one link told many times
    count as one. Covariates are taken out before; signs need no more.

    Parameters
    ----------
    links, second
        As in `replication_table`; links the second cohort cannot try do not count.
    orders : array-like of int, shape (count, n)
        Permutations of the patients of the second cohort.

    Returns
    -------
    DirectionAgreement

    Raises
    ------
    DataError
        As `replication_table`; no link can be tried; orders are no permutations.
    """
    given = _checked_links(links, second, first_covariates=0)
    rows = check_orders(orders, len(second.features))
    tried, feature, target, _ = _pairs(given, second)
    if not tried.any():
        raise DataError(
            f"expected a link that the second cohort can try; found none of {len(given)}. Measure "
            "their features and targets."
        )
    sign = np.sign(given.loc[tried, "r_first"].to_numpy(dtype=float))
    directed = target * sign
    null = np.array([(np.einsum("np,np->p", feature[order], directed) > 0).sum() for order in rows])
    agreeing = int((np.einsum("np,np->p", feature, directed) > 0).sum())
    pairs = int(tried.sum())
    return DirectionAgreement(
        pairs, agreeing, permutation_p(agreeing, null), _at_least(agreeing, pairs)
    )


def _checked_links(
    links: pd.DataFrame, second: SecondCohort, *, first_covariates: int
) -> pd.DataFrame:
    lacking = [name for name in _GIVEN if name not in links.columns]
    if lacking or not len(links):
        raise DataError(
            f"links: expected rows with {', '.join(_GIVEN)}; found {len(links)} rows without "
            f"{short_list(lacking) or 'any link'}. Take them from the first cohort's map."
        )
    given = links[list(_GIVEN)].reset_index(drop=True)
    for kind in given["kind"].unique():
        if kind not in second.targets:
            raise UnknownNameError("kind of target in the second cohort", kind, second.targets)
    twice = given.duplicated(["feature", "target", "kind"])
    if twice.any():
        raise DataError(
            f"links: expected each once; found {int(twice.sum())} again, the first "
            f"{given.loc[twice, 'feature'].iloc[0]} with {given.loc[twice, 'target'].iloc[0]}. "
            "Keep one of each."
        )
    r, n = (given[name].to_numpy(dtype=float, na_value=np.nan) for name in ("r_first", "n_first"))
    wrong = ~((np.abs(r) < 1) & (r != 0) & (n >= 4 + first_covariates))
    if wrong.any():
        raise DataError(
            "links: expected r_first between -1 and 1, not 0, of at least "
            f"{4 + first_covariates} patients; found {int(wrong.sum())} others, the first "
            f"{r[wrong][0]} of {n[wrong][0]:g}. A link without a direction cannot be repeated."
        )
    return given


def _pairs(
    given: pd.DataFrame, second: SecondCohort
) -> tuple[NDArray[np.bool_], Floats, Floats, Floats]:
    """Which links can be tried, unit columns of either side of those, and of covariates."""
    patients = second.features.index
    covariates = covariates_beside(second.beside, patients, method=second.method)
    basis = covariate_basis(covariates, len(patients))
    if len(patients) < 4 + basis.shape[1]:
        raise DataError(
            f"expected a second cohort of at least {4 + basis.shape[1]} patients; found "
            f"{len(patients)}. A handful of patients repeats nothing."
        )
    feature = _usable(second.features, given["feature"], what="feature")
    tried = given["feature"].isin(feature.columns).to_numpy()
    right = np.zeros((len(patients), len(given)))
    for kind, rows in given.groupby("kind").groups.items():
        names = given.loc[rows, "target"]
        target = _usable(second.targets[str(kind)], names, what=str(kind))
        place = target.columns.get_indexer(pd.Index(names))
        tried[rows] &= place >= 0
        if target.shape[1]:
            units = unit_columns(target, method=second.method, beside=covariates)
            right[:, rows] = units[:, place]
    place = feature.columns.get_indexer(pd.Index(given["feature"]))[tried]
    left = np.empty((len(patients), 0))
    if tried.any():
        left = unit_columns(feature, method=second.method, beside=covariates)[:, place]
    return tried, left, right[:, tried], basis


def _usable(table: pd.DataFrame, names: pd.Series, *, what: str) -> pd.DataFrame:
    """Columns of these names that are there and vary, with a warning for the others."""
    wanted = pd.Index(names.unique())
    there = wanted.intersection(table.columns, sort=False)
    found = table[there]
    require_numbers(found, what=f"{what}s of the second cohort")
    values = found.to_numpy(dtype=float, na_value=np.nan)
    dull = np.isfinite(values).all(axis=0) & ~varying(values)
    lacking = wanted.difference(there, sort=False)
    if len(lacking) or dull.any():
        warnings.warn(
            f"The second cohort lacks {len(lacking)} of {len(wanted)} {what}s "
            f"({short_list(lacking) or 'none'}), and {int(dull.sum())} do not vary in it "
            f"({short_list(there[dull]) or 'none'}); their links are not tried.",
            RadiogenomicsWarning,
            stacklevel=4,
        )
    kept: pd.DataFrame = found.loc[:, ~dull]
    numbers_of(kept, what=f"{what}s of the second cohort")
    return kept


def _one_sided(directed: Floats, freedom: int) -> Floats:
    """P of correlations against 0, for those above it."""
    with np.errstate(divide="ignore"):
        t = directed * np.sqrt(freedom / ((1 - directed) * (1 + directed)))
    return np.asarray(stdtr(freedom, -t))


def _at_least(agreeing: int, pairs: int) -> float:
    """Chance of as many heads or more in so many tosses."""
    return float(bdtrc(agreeing - 1, pairs, 0.5))
