"""The tree of columns that go together, and the groups it is cut into."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.special import stdtrit

from radiogenomics.evaluation.association.complete_tables import Floats

Group = NDArray[np.intp]

# Nothing is joined above the height where a single pair would have a two-sided p of this.
_CHANCE = 0.001


def average_tree(units: Floats, *, signed: bool) -> Floats:
    r"""Average linkage of unit columns by :math:`1 - |r|`, or :math:`1 - r` where signed.

    Parameters
    ----------
    units : ndarray of shape (n, columns)
        As ``unit_columns`` makes them.
    signed
        Whether columns that go against each other are far apart.

    Returns
    -------
    ndarray of shape (columns - 1, 4)
        As ``scipy.cluster.hierarchy.linkage``: the two parts, height and size of each merge.

    Examples
    --------
    >>> units = np.array([[1.0, 1.0, 0.0], [-1.0, -1.0, 1.0], [0.0, 0.0, -1.0]]) / np.sqrt(2)
    >>> average_tree(units, signed=False)[:, 2].round(3)
    array([0. , 0.5])
    """
    r = units.T @ units
    distance = np.subtract(1.0, r if signed else np.abs(r, out=r), out=r)
    np.fill_diagonal(distance, 0.0)
    return np.asarray(linkage(squareform(np.maximum(distance, 0.0), checks=False), "average"))


def chance_height(patients: int) -> float:
    """Height of a pair of columns whose correlation has p = 0.001.

    Examples
    --------
    >>> chance_height(130)
    0.715
    """
    t = stdtrit(patients - 2, 1 - _CHANCE / 2)
    return float(1 - t / np.sqrt(patients - 2 + t**2))


def groups_at(tree: Floats, height: float, *, smallest: int) -> list[Group]:
    """Groups of one height, of ``smallest`` columns or more, the largest first.

    Examples
    --------
    >>> tree = np.array([[0, 1, 0.1, 2], [2, 3, 0.4, 2], [4, 5, 0.9, 4]])
    >>> [group.tolist() for group in groups_at(tree, 0.5, smallest=2)]
    [[0, 1], [2, 3]]
    """
    labels = fcluster(tree, height, criterion="distance")
    order = np.argsort(labels, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return _largest_first([part for part in parts if part.size >= smallest])


def lasting_groups(tree: Floats, height: float, *, smallest: int) -> list[Group]:
    """Groups that last longest on the way up the tree, each with a height of its own.

    A group is there from the height at which it has ``smallest`` columns, or two groups become one,
    up to the height at which it meets another group, or `height`; columns that join meanwhile are
    its own. Of a group and those it came from, that is kept whose size times the height it lasts,
    summed, is larger.

    References
    ----------
    Campello et al. 2015, doi:10.1145/2733381 (the sum, there over densities); Langfelder et al.
    2008, doi:10.1093/bioinformatics/btm563 (why one height for all misses modules).

    Examples
    --------
    >>> tree = np.array([[0, 1, 0.1, 2], [2, 3, 0.4, 2], [4, 5, 0.5, 4]])
    >>> [group.tolist() for group in lasting_groups(tree, 0.8, smallest=2)]
    [[0, 1, 2, 3]]
    """
    columns = len(tree) + 1
    made, sizes = np.r_[np.zeros(columns), tree[:, 2]], np.r_[np.ones(columns), tree[:, 3]]
    there: dict[int, _Lasting] = {}
    for node, (left, right, top) in enumerate(tree[:, :3], columns):
        if top > height:
            break
        parts = [part for part in (int(left), int(right)) if part in there]
        met = [there.pop(part).after(sizes[part] * (top - made[part])) for part in parts]
        if len(met) == 1:
            there[node] = met[0]
        elif met or sizes[node] >= smallest:
            choices = [group.choice(part) for group, part in zip(met, parts, strict=True)]
            there[node] = _Lasting(
                0.0, sum(worth for worth, _ in choices), sum((kept for _, kept in choices), ())
            )
    ends = [
        group.after(sizes[node] * (height - made[node])).choice(node)
        for node, group in there.items()
    ]
    return _largest_first([_columns_below(tree, node) for _, kept in ends for node in kept])


class _Lasting(NamedTuple):
    """A group on the way up: its size times height so far, and the best of what it came from."""

    worth: float
    within: float
    kept: tuple[int, ...]

    def after(self, more: float) -> _Lasting:
        """The group when it has lasted longer, by so many columns times height."""
        return self._replace(worth=self.worth + more)

    def choice(self, node: int) -> tuple[float, tuple[int, ...]]:
        """Itself, by its node, or what it came from, whichever is worth more."""
        return (self.worth, (node,)) if self.worth >= self.within else (self.within, self.kept)


def _columns_below(tree: Floats, node: int) -> Group:
    """Positions of the columns that a merge holds, rising."""
    columns, open_nodes, found = len(tree) + 1, [node], []
    while open_nodes:
        part = open_nodes.pop()
        if part < columns:
            found.append(part)
        else:
            open_nodes += tree[part - columns, :2].astype(int).tolist()
    return np.sort(np.array(found, dtype=np.intp))


def _largest_first(groups: list[Group]) -> list[Group]:
    """By falling size; of equal ones, the one with the earliest column first."""
    return sorted(groups, key=lambda group: (-group.size, group[0]))
