"""Several columns of one gene made one, by a stated rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from radiogenomics.core.errors import AlignmentError, SchemaError, UnknownNameError, short_list
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts

_RULES = ("error", "first", "mean")
_LEARNT = ("max_mean", "max_variance")


def collapse_repeated(
    values: pd.DataFrame, rule: Literal["error", "first", "mean"] = "error"
) -> pd.DataFrame:
    """Leave one column a gene, each sample on its own.

    The mean is that of the values as they are: of logarithms it is the geometric mean, and of
    counts it is not what the gene's reads would be (these add up). Missing values are left out of
    it. To choose the strongest column, which depends on the other samples, fit a
    :class:`RepeatedGeneSelector` instead.

    Parameters
    ----------
    values
        Samples × genes.
    rule
        ``error``, ``first`` (column as it stands in the file) or ``mean``.

    Returns
    -------
    DataFrame
        Samples × genes, each gene once, in the order of their first columns.

    Raises
    ------
    AlignmentError
        A gene has several columns and the rule is ``error``.
    UnknownNameError
        The rule is none of these.

    Examples
    --------
    >>> values = pd.DataFrame([[2.0, 5.0, 4.0]], columns=["SMG5", "KPNA2", "SMG5"])
    >>> collapse_repeated(values, "mean").to_dict("list")
    {'SMG5': [3.0], 'KPNA2': [5.0]}
    """
    if rule not in _RULES:
        raise UnknownNameError("rule for repeated genes", str(rule), (*_RULES, *_LEARNT))
    columns = values.columns
    doubled = columns[columns.duplicated()].unique()
    if not len(doubled):
        return values
    if rule == "error":
        raise AlignmentError(
            f"expected one column a gene; found {len(doubled)} genes with several "
            f"({short_list(doubled)}). Say first or mean, or fit a RepeatedGeneSelector before "
            "the columns are renamed."
        )
    if rule == "first":
        return values.loc[:, ~columns.duplicated()]
    return values.T.groupby(level=0, sort=False).mean().T


class RepeatedGeneSelector(SelectorMixin, BaseEstimator):
    """Of several columns of a gene keep the one that was strongest, or most variable, in training.

    The usual rule for probe sets. Which column that is depends on the samples, so it is learnt on
    the training part and holds for everyone after. Ties go to the earlier column. What is kept is
    called by the gene's symbol.

    Parameters
    ----------
    symbols
        Name of a column → symbol of its gene, for example ``symbol`` by ``given`` of
        :func:`map_genes`; a column that is not in it, or has none, stands for itself.
    rule
        ``max_mean`` or ``max_variance``, over the training samples, missing values left out.

    Attributes
    ----------
    support_ : ndarray of bool, shape (n_features_in_,)
        True where the column is kept.
    strength_ : ndarray, shape (n_features_in_,)
        Mean or variance of each column, in its unit or the unit squared.
    symbols_ : ndarray of str, shape (n_features_in_,)
        What each column stands for.

    Raises
    ------
    UnknownNameError
        The rule is neither.
    SchemaError
        ``symbols`` are given and the columns have no names.

    References
    ----------
    Miller et al. 2011, doi:10.1186/1471-2105-12-322 (the rules compared).

    Examples
    --------
    >>> train = pd.DataFrame([[1.0, 4.0, 3.0], [2.0, 6.0, 3.0]], columns=["p1", "p2", "KPNA2"])
    >>> selector = RepeatedGeneSelector({"p1": "SMG5", "p2": "SMG5"})
    >>> selector.set_output(transform="pandas").fit_transform(train).to_dict("list")
    {'SMG5': [4.0, 6.0], 'KPNA2': [3.0, 3.0]}
    """

    card: ClassVar[Method] = Method(
        name="repeated_gene_selector",
        title="One column a gene: the strongest or most variable in training",
        scope="omics: identifiers",
        reference="Miller et al., BMC Bioinformatics 2011;12:322, doi:10.1186/1471-2105-12-322",
        limits="The most variable column may be the noisiest. Columns of one gene that do not "
        "correlate measure different transcripts: look at them first.",
        learns=True,
    )

    def __init__(self, symbols: Mapping[str, str] | None = None, rule: str = "max_mean") -> None:
        self.symbols = symbols
        self.rule = rule

    def fit(self, X: Any, y: Any = None) -> RepeatedGeneSelector:
        """Learn which columns to keep; ``y`` is not used."""
        if self.rule not in _LEARNT:
            raise UnknownNameError("rule for repeated genes", str(self.rule), _LEARNT)
        refuse_row_facts(X)
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        self.symbols_ = self._symbols(values.shape[1])
        here = ~np.isnan(values)
        count = here.sum(axis=0)
        strength = np.where(here, values, 0).sum(axis=0) / np.maximum(count, 1)
        if self.rule == "max_variance":
            squares = (np.where(here, values - strength, 0) ** 2).sum(axis=0)
            strength = squares / np.maximum(count - 1, 1)
        self.strength_ = np.where(count > 0, strength, -np.inf)
        order = np.argsort(-self.strength_, kind="stable")
        kept = order[~pd.Index(self.symbols_[order]).duplicated()]
        self.support_ = np.zeros(values.shape[1], dtype=bool)
        self.support_[kept] = True
        return self

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Symbols of the kept columns."""
        check_is_fitted(self)
        _check_feature_names_in(self, input_features)
        return self.symbols_[self.support_]

    def _symbols(self, n: int) -> np.ndarray:
        given = getattr(self, "feature_names_in_", None)
        if given is None and self.symbols:
            raise SchemaError(
                "expected columns with names, as symbols are given by name; found an array "
                "without. Pass a DataFrame."
            )
        if given is None:
            given = [f"x{position}" for position in range(n)]
        known = self.symbols or {}
        meant = [known.get(name) for name in given]
        named = [own if pd.isna(new) else new for own, new in zip(given, meant, strict=True)]
        return np.array(named, dtype=object)

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
