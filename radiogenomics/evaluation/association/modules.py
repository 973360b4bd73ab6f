r"""Modules: columns that go together, each with one column that speaks for its members.

The tree of average linkage is grown from :math:`1 - |\rho|`, or from :math:`1 - \rho` where what
goes against each other shall stay apart, and cut at one height or at the height of each module. The
*eigen-column* of a module is the first principal component of its standardised members, of mean 0
and standard deviation 1. Nothing but the table itself is looked at, so that modules of features may
be held against modules of genes in the same patients.

References
----------
Sokal & Michener 1958, Univ. Kansas Sci. Bull. 38:1409 (average linkage); Langfelder & Horvath 2007,
doi:10.1186/1752-0509-1-54 (eigen-columns of modules).

Examples
--------
>>> rng = np.random.default_rng(0)
>>> table = pd.DataFrame(rng.normal(size=(60, 7)), columns=list("abcdefg"))
>>> for name in "bc":
...     table[name] = table["a"] + 0.3 * table[name]
>>> modules_of(table, kind="feature", smallest=3).table["member"].tolist()
['a', 'b', 'c']
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import (
    DataError,
    RadiogenomicsWarning,
    UnknownNameError,
    short_list,
)
from radiogenomics.evaluation.association.complete_tables import (
    Floats,
    numbers_of,
    require_numbers,
)
from radiogenomics.evaluation.association.module_tree import (
    average_tree,
    chance_height,
    groups_at,
    lasting_groups,
)
from radiogenomics.stats.association.units import Correlation, unit_columns

ModuleKind = Literal["feature", "gene"]

_COLUMNS = ("kind", "module", "member", "membership")
_MEMBERS = ("module", "member", "membership", "centre", "scale", "weight")


@dataclass(frozen=True, eq=False)
class Modules:
    """Modules as learnt in one cohort.

    Parameters
    ----------
    kind
        ``"feature"`` or ``"gene"``: what the columns are.
    members : DataFrame
        ``module, member, membership, centre, scale, weight``: membership is the correlation of the
        member with the eigen-column, the rest the constants that make the eigen-column.
    eigen : DataFrame
        Patients × modules.
    shares : Series
        Share of the variance of the members that the eigen-column explains, 0 to 1.
    looked_at, left_out : Index
        Columns that modules were sought among; those of them in no module.
    height : float
        At which the tree was cut, or above which nothing was joined; NaN where sets were given.
    """

    kind: ModuleKind
    members: pd.DataFrame
    eigen: pd.DataFrame
    shares: pd.Series
    looked_at: pd.Index
    left_out: pd.Index
    height: float

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the modules, the largest first."""
        return tuple(self.eigen.columns)

    @property
    def sizes(self) -> pd.Series:
        """Members of each module."""
        return self.members.groupby("module").size().reindex(self.names)

    @property
    def table(self) -> pd.DataFrame:
        """One row a member: ``kind, module, member, membership``, by falling membership."""
        return self.members.assign(kind=self.kind)[list(_COLUMNS)]

    def project(self, table: pd.DataFrame, *, most_missing: float = 0.0) -> pd.DataFrame:
        """Eigen-columns of other patients, by the constants learnt.

        A member that is absent counts as what the eigen-column would make of it. Nothing is learnt
        of the new patients: a shift between cohorts stays in.

        Parameters
        ----------
        table
            Patients × columns, the members among them, in the unit of the first cohort.
        most_missing
            Share of a module's members that may be absent, 0 to below 1.

        Returns
        -------
        DataFrame
            Patients × modules.

        Raises
        ------
        DataError
            More members are absent, or a value is missing; the message names the columns.
        """
        if not 0 <= most_missing < 1:
            raise DataError(
                f"most_missing: expected 0 to below 1; found {most_missing}. 0.2 allows a fifth."
            )
        found = self.members["member"].isin(table.columns)
        lacking = (~found).groupby(self.members["module"]).mean().reindex(self.names)
        wrong = lacking.index[lacking > most_missing]
        if len(wrong):
            absent = self.members.loc[~found & self.members["module"].isin(wrong), "member"]
            raise DataError(
                f"expected at most {most_missing:.0%} of the members of each module absent; found "
                f"more in {short_list(wrong)}: {short_list(absent.unique(), limit=20)}. Measure "
                "them, or allow for more."
            )
        used = self.members[found]
        values = _values_of(table, used["member"].to_numpy())
        place = self.eigen.columns.get_indexer(pd.Index(used["module"]))
        weights = np.zeros((len(used), len(self.names)))
        weights[np.arange(len(used)), place] = used["weight"]
        # Squared weights, times the variance of the component, add to 1 over all members.
        variance = (self.shares * self.sizes).to_numpy(dtype=float)
        kept = (weights**2).sum(axis=0) * variance
        standard = (values - used["centre"].to_numpy()) / used["scale"].to_numpy()
        return pd.DataFrame(standard @ weights / kept, table.index, self.eigen.columns)


def modules_of(
    table: pd.DataFrame,
    *,
    kind: ModuleKind,
    cut: float | None = None,
    smallest: int = 5,
    signed: bool = False,
    most: int = 5000,
    method: Correlation = "spearman",
) -> Modules:
    r"""Find modules among the columns of a table.

    Without ``cut``, each module has a height of its own: those groups of ``smallest`` members or
    more are kept that last longest on the way up the tree (``lasting_groups``), which ends where
    the :math:`|\rho|` of a single pair would have p = 0.001. Misleads where columns form a chain
    rather than groups, and with few patients: look at ``shares``, and whether another cohort has
    the modules too.

    Parameters
    ----------
    table
        Patients × columns, complete; genes on a logarithmic scale.
    kind
        ``"feature"`` or ``"gene"``.
    cut
        Height: members of a module have a mean correlation of about 1 - cut or more.
    smallest
        Members of the smallest module; columns of smaller groups are in none.
    signed
        Keep columns that go against each other apart: common for genes.
    most
        Of genes, so many of greatest variance are looked at, and no more: a tree of m columns takes
        some 25 m² bytes (5,000: 0.6 GB; 20,000: 10 GB). More features than that raise an error.
    method
        ``"spearman"`` or ``"pearson"``.

    Returns
    -------
    Modules
        Named F1, F2, ... or G1, G2, ... from the largest on.

    Raises
    ------
    DataError, UnknownNameError
        A column is incomplete or does not vary; there are fewer than two, or too many features; a
        cut, smallest size, kind or method that cannot be.
    """
    _check_options(kind, cut, smallest=smallest, signed=signed)
    columns = _looked_at(table, kind=kind, most=most)
    values = numbers_of(columns, what=f"{kind}s")
    units = unit_columns(values, method=method)
    height = chance_height(len(values)) if cut is None else cut
    find = lasting_groups if cut is None else groups_at
    groups = find(average_tree(units, signed=signed), height, smallest=smallest)
    if not groups:
        found = f"No module of {smallest} {kind}s or more among {columns.shape[1]}."
        warnings.warn(found, RadiogenomicsWarning, stacklevel=2)
    named = {f"{kind[0].upper()}{place}": group for place, group in enumerate(groups, 1)}
    return _learnt(columns, named, kind=kind, method=method, height=float(height))


def modules_from_sets(
    table: pd.DataFrame,
    sets: Mapping[str, Iterable[str]],
    *,
    kind: ModuleKind,
    smallest: int = 5,
    method: Correlation = "spearman",
) -> Modules:
    """Modules whose members are given: pathways, say, or families of features.

    Parameters
    ----------
    table, kind, method
        As in `modules_of`.
    sets
        Name → columns, a gene set's genes say. Those the table lacks are passed over.
    smallest
        Sets with fewer members in the table are passed over.

    Returns
    -------
    Modules
        In the order of `sets`; those passed over are missing from ``names``.

    Raises
    ------
    DataError
        No set has enough members, or a member's column is incomplete or does not vary.

    Examples
    --------
    >>> table = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [1.0, 3.0, 3.5], "c": [2.0, 1.0, 2.0]})
    >>> found = modules_from_sets(table, {"pair": ("a", "b", "x")}, kind="gene", smallest=2)
    >>> found.names, found.left_out.tolist()
    (('pair',), ['c'])
    """
    _check_options(kind, None, smallest=smallest, signed=False)
    places = {
        name: np.flatnonzero(table.columns.isin(list(columns))) for name, columns in sets.items()
    }
    named = {name: place for name, place in places.items() if place.size >= smallest}
    if not named:
        raise DataError(
            f"expected a set with {smallest} columns or more in the table; found none among "
            f"{len(sets)} ({short_list(sets)}). Check that both use the same names."
        )
    numbers_of(table.iloc[:, np.unique(np.concatenate(list(named.values())))], what=f"{kind}s")
    return _learnt(table, named, kind=kind, method=method, height=float("nan"))


def _check_options(kind: str, cut: float | None, *, smallest: int, signed: bool) -> None:
    if kind not in get_args(ModuleKind):
        raise UnknownNameError("kind of module", kind, get_args(ModuleKind))
    top = 2 if signed else 1
    if smallest < 2 or (cut is not None and not 0 < cut < top):
        raise DataError(
            f"expected a smallest module of 2 members or more and a cut between 0 and {top}; found "
            f"{smallest} and {cut}. 5 and none serve."
        )


def _looked_at(table: pd.DataFrame, *, kind: ModuleKind, most: int) -> pd.DataFrame:
    """The columns to grow a tree from: all features, or the most variable genes."""
    if table.shape[1] < 2 or len(table) < 4:
        raise DataError(
            f"expected 2 columns or more of 4 patients or more; found {table.shape[1]} of "
            f"{len(table)}. Modules need columns to compare."
        )
    if table.shape[1] <= most:
        return table
    if kind == "feature":
        raise DataError(
            f"expected up to {most} features; found {table.shape[1]}. Take out near-copies first, "
            "or raise most where memory allows."
        )
    require_numbers(table, what="genes")
    variance = table.var(axis=0).to_numpy(dtype=float)
    # Columns with gaps have a variance too; numbers_of names them if they are among the chosen.
    kept = np.sort(np.argsort(-variance, kind="stable")[:most])
    return table.iloc[:, kept]


def _values_of(table: pd.DataFrame, members: NDArray[np.object_]) -> Floats:
    """Values of members, in their order, in a table that has each once and complete."""
    wanted = table.loc[:, table.columns.isin(members)]
    require_numbers(wanted, what="members")
    values = wanted[list(members)].to_numpy(dtype=float, na_value=np.nan)
    gaps = ~np.isfinite(values).all(axis=0)
    if gaps.any():
        raise DataError(
            f"expected complete, finite members; found gaps in {int(gaps.sum())} "
            f"({short_list(np.unique(members[gaps]))}). Impute them."
        )
    return values


def _learnt(
    table: pd.DataFrame,
    named: Mapping[str, NDArray[np.intp]],
    *,
    kind: ModuleKind,
    method: Correlation,
    height: float,
) -> Modules:
    eigen: dict[str, Floats] = {}
    shares: dict[str, float] = {}
    members: list[pd.DataFrame] = []
    for name, place in named.items():
        values = table.iloc[:, place].to_numpy(dtype=float)
        centre, scale = values.mean(axis=0), values.std(axis=0, ddof=1)
        weight, score, shares[name] = _first_component((values - centre) / scale)
        membership = unit_columns(values, method=method).T @ unit_columns(
            score[:, None], method=method
        )
        found = {"module": name, "member": table.columns[place], "membership": membership[:, 0]}
        rows = pd.DataFrame(found | {"centre": centre, "scale": scale, "weight": weight})
        # Rounding must not order equal members.
        order = np.argsort(-np.abs(membership[:, 0]).round(12), kind="stable")
        members.append(rows.iloc[order])
        eigen[name] = score
    both = pd.concat(members, ignore_index=True) if members else pd.DataFrame(columns=_MEMBERS)
    return Modules(
        kind=kind,
        members=both,
        eigen=pd.DataFrame(eigen, table.index),
        shares=pd.Series(shares, dtype=float),
        looked_at=table.columns,
        left_out=table.columns[~table.columns.isin(both["member"])],
        height=height,
    )


def _first_component(standard: Floats) -> tuple[Floats, Floats, float]:
    """Weights and scores of variance 1, and the share of variance explained.

    The score goes with the mean of the members where its weights add to more than 0.
    """
    _, sizes, axes = np.linalg.svd(standard, full_matrices=False)
    axis = axes[0]
    total = axis.sum()
    # Members that balance say nothing of the sign: then the largest weight decides.
    balanced = abs(total) < 1e-9 * np.abs(axis).sum()
    axis = axis * np.sign(axis[np.argmax(np.abs(axis))] if balanced else total)
    deviation = sizes[0] / np.sqrt(len(standard) - 1)
    weight = axis / deviation
    return weight, standard @ weight, float(sizes[0] ** 2 / (sizes**2).sum())
