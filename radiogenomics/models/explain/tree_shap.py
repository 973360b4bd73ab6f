r"""Exact contributions of trees and sums of trees, leaf by leaf.

With a background, the value of a set S of features is the mean score over the background with the
features in S set to the patient's (*interventional*). Against one background patient a leaf of
value v is worth, to each of the a features that only the explained patient's values open,
:math:`v (a - 1)!\, b! / (a + b)!`, and to each of the b that only the other's do,
:math:`-v\, a!\, (b - 1)! / (a + b)!`; patients who meet the same conditions are counted once. The
background has to come from training patients.

Without one, features outside S are sent down both branches in proportion to the training patients
who went there (*path-dependent*). Each leaf is then a product over features, and the mean over
orders an integral of a polynomial, taken exactly by Gauss-Legendre quadrature. This value function
mixes in some dependence between features, in a way that is not easily said: prefer a background.

Lundberg et al., Nat Mach Intell 2020;2:56, doi:10.1038/s42256-019-0138-9.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import comb

from radiogenomics.core.errors import DataError
from radiogenomics.models.explain.explanation import Contributions
from radiogenomics.models.explain.tree_tables import LEAF, TreeEnsemble, TreeTable
from radiogenomics.stats.inputs import Bools, Floats

# Up to so many features on the way to a leaf, patients are told apart by one integer, or counted
# in a table of all patterns.
_LONGEST_CODE = 60
_LONGEST_TABLE = 11


class _Leaf(NamedTuple):
    """A leaf and what it asks of a patient: one row for each feature on the way to it."""

    value: float
    features: NDArray[np.intp]
    asks: Bools
    """Whether a patient meets all a feature is asked on the way, shape (k, n)."""
    shares: Floats
    """Share of the training patients who do, given the rest of the way, shape (k,)."""


def tree_shap(values: Floats, background: Floats | None, *, trees: TreeEnsemble) -> Contributions:
    """SHAP values of a sum of trees, exactly.

    Interventional with a background, path-dependent without; the formulas are at the head of this
    module. Features the trees never ask get 0. A scale that bends the sum, such as the probability
    of boosted trees, is not explained.

    Parameters
    ----------
    values : ndarray of shape (n, p)
        Patients to explain.
    background : ndarray of shape (m, p) or None
        Training patients; None for path-dependent values.
    trees : TreeEnsemble

    Returns
    -------
    Contributions
        In the unit of the leaves: log-odds, probability or risk; positive raises it.

    Raises
    ------
    DataError
        The background is empty, or absent and the trees do not know their training patients.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from radiogenomics.models.explain.tree_tables import read_trees
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> model = DecisionTreeRegressor().fit(X, [0.0, 0.0, 0.0, 4.0])
    >>> tree_shap(X[3:], X, trees=read_trees(model, model.predict, X)).values
    array([[1.5, 1.5]])
    """
    if background is None:
        return _by_path(values, trees)
    if len(background) == 0:
        raise DataError(
            "expected a background of at least one training patient; found none. Pass the "
            "training patients."
        )
    phi = np.zeros(values.shape)
    rows = trees.rounded(np.concatenate([values, background]))
    for tree in trees.trees:
        for leaf in _leaves(tree, rows):
            _add_against(phi, leaf, len(values))
    return Contributions(phi / len(background), float(trees.predict(background).mean()))


def _by_path(values: Floats, trees: TreeEnsemble) -> Contributions:
    if any(tree.cover is None for tree in trees.trees):
        raise DataError(
            "expected trees that know how many training patients went where; found some that do "
            "not. Pass a background of training patients."
        )
    phi = np.zeros(values.shape)
    rows = trees.rounded(values)
    for tree in trees.trees:
        for leaf in _leaves(tree, rows):
            _add_by_path(phi, leaf)
    return Contributions(phi, trees.offset + sum(map(_mean_in_training, trees.trees)))


def _leaves(tree: TreeTable, rows: NDArray[np.floating]) -> Iterator[_Leaf]:
    """Walk down to every leaf that tells patients apart, with what is asked on the way."""
    nothing = np.empty((0, len(rows)), dtype=bool)
    stack = [(0, (), nothing, ())]
    while stack:
        node, features, asks, shares = stack.pop()
        if tree.left[node] == LEAF:
            if features and tree.value[node] != 0:
                columns = np.array(features, dtype=np.intp)
                yield _Leaf(float(tree.value[node]), columns, asks, np.array(shares))
            continue
        feature = int(tree.feature[node])
        goes_left = rows[:, feature] <= tree.threshold[node]
        for child, passes in ((tree.left[node], goes_left), (tree.right[node], ~goes_left)):
            share = 1.0 if tree.cover is None else float(tree.cover[child] / tree.cover[node])
            if feature in features:
                place = features.index(feature)
                narrowed = asks.copy()
                narrowed[place] &= passes
                narrower = (*shares[:place], shares[place] * share, *shares[place + 1 :])
                stack.append((child, features, narrowed, narrower))
            else:
                longer = np.concatenate([asks, passes[None]])
                stack.append((child, (*features, feature), longer, (*shares, share)))


def _mean_in_training(tree: TreeTable) -> float:
    leaves = tree.left == LEAF
    return float(tree.value[leaves] @ tree.cover[leaves] / tree.cover[0])


def _add_against(phi: Floats, leaf: _Leaf, n: int) -> None:
    """Add what a leaf is worth, summed over the background, which stands behind the first n."""
    mine, group, _ = _patterns(leaf.asks[:, :n])
    others, _, counts = _patterns(leaf.asks[:, n:])
    met, lacking, shut = mine.astype(float), (~mine).astype(float), (~others).astype(float)
    # A leaf counts where each of its features lets at least one of the two through: then the
    # patient alone opens all that shut the other out, and the other all that the patient lacks.
    open_ = np.where(lacking @ shut.T > 0, 0.0, leaf.value * counts)
    gains, losses = _orders(len(leaf.features))
    a, b = shut.sum(axis=1).astype(int), lacking.sum(axis=1).astype(int)
    added = met * ((open_ * gains[b][:, a]) @ shut)
    added -= lacking * (open_ * losses[b][:, a]).sum(axis=1)[:, None]
    phi[:, leaf.features] += added[group]


@cache
def _orders(k: int) -> tuple[Floats, Floats]:
    """(a-1)! b! / (a+b)! and a! (b-1)! / (a+b)!, 0 where undefined, at [b, a] up to k."""
    b, a = np.indices((k + 1, k + 1), dtype=float)
    whole = 1 / comb(a + b, a)
    return whole / np.where(a > 0, a, np.inf), whole / np.where(b > 0, b, np.inf)


@cache
def _quadrature(k: int) -> tuple[Floats, Floats]:
    """Points between 0 and 1, and weights, exact for polynomials below degree k."""
    points, weights = np.polynomial.legendre.leggauss(k // 2 + 1)
    return (points + 1) / 2, weights / 2


def _add_by_path(phi: Floats, leaf: _Leaf) -> None:
    """Add what a leaf is worth, features left out being shared out as in training."""
    mine, group, _ = _patterns(leaf.asks)
    u, weights = _quadrature(len(leaf.features))
    # Each feature is in with probability u: it lets the patient through if met, else the share.
    present = u * mine[:, :, None] + (1 - u) * leaf.shares[:, None]
    others = present.prod(axis=1, keepdims=True) / present
    added = leaf.value * (mine - leaf.shares) * (others @ weights)
    phi[:, leaf.features] += added[group]


def _patterns(asks: Bools) -> tuple[Bools, NDArray[np.intp], NDArray[np.intp]]:
    """Distinct columns as rows, which of them each patient has, and how many have each."""
    k = len(asks)
    if k > _LONGEST_CODE:
        found, group, counts = np.unique(asks.T, axis=0, return_inverse=True, return_counts=True)
        return found, group, counts
    code = (2 ** np.arange(k)) @ asks
    if k > _LONGEST_TABLE:
        codes, group, counts = np.unique(code, return_inverse=True, return_counts=True)
    else:
        held = np.bincount(code, minlength=2**k)
        codes = np.flatnonzero(held)
        group, counts = (np.cumsum(held > 0) - 1)[code], held[codes]
    return (codes[:, None] >> np.arange(k)) & 1 > 0, group, counts
