"""ComBat that learns on training patients and is applied to patients it has never seen."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from radiogenomics.core.errors import (
    DataError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.core.method import Method
from radiogenomics.features.empirical_bayes import (
    SiteEffect,
    shrink_nonparametric,
    shrink_parametric,
    shrink_shift,
)
from radiogenomics.features.site_model import (
    Bools,
    CovariateCoding,
    Floats,
    counted,
    fit_with_gaps,
    refuse_confounding,
)
from radiogenomics.features.site_table import SiteTable, as_table, check_columns, take_apart

# Spread below this share of the largest value is rounding.
_ROUNDING = 1e-12
_UNSEEN = ("error", "pooled")


class ComBat(TransformerMixin, BaseEstimator):
    r"""Remove what sites (scanners, batches) add to features and by what they stretch them.

    A value of feature g in patient j of site i is modelled as
    :math:`x_{ijg} = \alpha_g + c_j\beta_g + \gamma_{ig} + \delta_{ig} \varepsilon_{ijg}` with
    covariates :math:`c`. Features are standardised to
    :math:`z = (x - \hat\alpha - c\hat\beta) / \hat\sigma`, each site's mean and variance of z are
    shrunk towards those of all features (empirical Bayes), and

    .. math::
        x^* = \frac{\hat\sigma_g}{\sqrt{\delta^*_{ig}}} (z - \gamma^*_{ig})
              + \hat\alpha_g + c_j\hat\beta_g .

    All hats and stars come from the training patients and stay as they are: a new patient of a
    known site is adjusted alone, without outcome and without other new patients. On the training
    patients the result is that of R's ``sva::ComBat``.

    The site travels in X as the column ``@site``, covariates as further ``@`` columns; those named
    here are dropped from the output and any other left-over ``@`` column is refused. Missing values
    stay missing and are passed over. As in sva, the pooled variance divides by n without and by
    n - 1 with missing values.

    Misleads where site and biology go together. Without covariates it then removes biology as if it
    were scanner. Handing the *outcome* in as a covariate to prevent this leaks it into the features
    (Nygaard et al.), and new patients have none: covariates are known before the outcome is. Site
    parameters learnt from few patients carry those patients' noise to new ones: see
    :func:`radiogenomics.evaluation.site_probe.site_probe`.

    Parameters
    ----------
    batch
        Name of the site column; its position when X is an array without names.
    covariates
        Columns whose effect is kept, as names or positions. Numbers are numbers; anything else is
        levels (write stage as text to have levels).
    parametric
        Whether effects have a normal and an inverse gamma prior; else their own distribution over
        the features is the prior, at a cost of the square of the number of features.
    mean_only
        Remove shifts, leave variances. Needed when a site has one training patient.
    reference
        Site that stays exactly as it is and to which the others are brought; None for their mean.
    unseen
        What to do with patients of a site that had no training patient: ``"error"``, or
        ``"pooled"``: take the site as average, which leaves these patients unadjusted, and warn.
    shrink
        False takes each feature's own site mean and variance, without empirical Bayes.
    tolerance
        Relative change at which the parametric iterations stop; the default is that of sva.

    Attributes
    ----------
    sites_ : ndarray, shape (n_sites,)
        Training sites, sorted.
    grand_mean_, pooled_variance_ : ndarray, shape (n_features,)
        In the feature's unit, and its square; 0 and 1 for features that are not adjusted.
    covariate_effects_ : ndarray, shape (n_columns, n_features)
        Of a standard deviation of a number, or of a level against the first.
    gamma_star_, delta_star_ : ndarray, shape (n_sites, n_features)
        Shift in pooled standard deviations and variance in pooled variances.
    adjusted_ : ndarray of bool, shape (n_features,)
        False for features that are left as they are, because in some site all values are the same
        or too few are present, or because covariates leave no spread; a warning counts those that
        vary.

    Raises
    ------
    DataError
        Fewer than two sites, a site of one patient (unless ``mean_only``), a patient without site
        or covariate, a covariate that cannot be told from the sites, or an unseen site.
    SchemaError
        A column is absent or doubled, or another ``@`` column is left over.

    References
    ----------
    Johnson, Li & Rabinovic 2007, doi:10.1093/biostatistics/kxj037; Nygaard, Rødland & Hovig 2016,
    doi:10.1093/biostatistics/kxv027 (covariates that are the outcome).

    Examples
    --------
    >>> X = pd.DataFrame({"@site": list("AAABBB"), "f": [1.0, 2, 3, 11, 12, 13]})
    >>> X["g"] = [2.0, 0, 4, 1, 9, 5]
    >>> harmonise = ComBat(shrink=False).fit(X)
    >>> harmonise.transform(X)[:, 0].round(2)
    array([6.18, 7.  , 7.82, 6.18, 7.  , 7.82])
    >>> new = pd.DataFrame({"@site": ["B"], "f": [14.0], "g": [5.0]})
    >>> harmonise.transform(new).round(2)
    array([[8.63, 3.5 ]])
    """

    card: ClassVar[Method] = Method(
        name="combat",
        title="ComBat with site parameters learnt on training patients",
        scope="features: harmonisation",
        reference="Johnson et al., Biostatistics 2007;8:118, doi:10.1093/biostatistics/kxj037",
        limits="Removes biology that goes with site. Cannot adjust a site without training "
        "patients; from sites of few patients it carries their noise to new ones.",
        learns=True,
    )

    def __init__(
        self,
        batch: str | int = "@site",
        covariates: Sequence[str | int] = (),
        *,
        parametric: bool = True,
        mean_only: bool = False,
        reference: Any = None,
        unseen: str = "error",
        shrink: bool = True,
        tolerance: float = 1e-4,
    ) -> None:
        self.batch = batch
        self.covariates = covariates
        self.parametric = parametric
        self.mean_only = mean_only
        self.reference = reference
        self.unseen = unseen
        self.shrink = shrink
        self.tolerance = tolerance

    @property
    def row_facts(self) -> tuple[str, ...]:
        """Names of the ``@`` columns that this step needs and drops."""
        return tuple(name for name in (self.batch, *self.covariates) if isinstance(name, str))

    def fit(self, X: Any, y: Any = None) -> ComBat:
        """Learn the effects of the training sites; ``y`` is not used."""
        self._check_parameters()
        parts, values = self._read(X, reset=True)
        self.feature_positions_ = parts.positions
        code, members = self._learn_sites(parts.site)
        self.codings_ = tuple(
            CovariateCoding.learn(str(name), column)
            for name, column in zip(self.covariates, parts.covariates, strict=True)
        )
        coded = self._encode(parts.covariates)
        refuse_confounding(members, [c.name for c in self.codings_], coded)
        design = np.hstack([members, *coded])
        if len(values) <= design.shape[1]:
            raise DataError(
                "expected more training patients than sites and covariate columns together "
                f"({design.shape[1]}); found {len(values)}. Merge sites or drop covariates."
            )
        standard = self._standardise(design, values, members)
        self._learn_effects(standard, code)
        return self

    def transform(self, X: Any) -> Floats:
        """Adjust patients, each by the training parameters of its own site."""
        check_is_fitted(self)
        parts, values = self._read(X, reset=False)
        code = self._known_sites(parts.site)
        known = np.flatnonzero(code >= 0)
        expected = np.tile(self.grand_mean_, (len(values), 1))
        if self.codings_:
            coded = self._encode([column.iloc[known] for column in parts.covariates])
            expected[known] += np.hstack(coded) @ self.covariate_effects_
        adjusted = values.copy()
        scale = np.sqrt(self.pooled_variance_)
        for i, name in enumerate(self.sites_):
            rows = np.flatnonzero(code == i)
            if len(rows) and name != self.reference:
                shifted = values[rows] - expected[rows] - scale * self.gamma_star_[i]
                adjusted[rows] = shifted / np.sqrt(self.delta_star_[i]) + expected[rows]
        adjusted[:, ~self.adjusted_] = values[:, ~self.adjusted_]
        return adjusted

    def _encode(self, columns: Sequence[pd.Series[Any]]) -> list[Floats]:
        pairs = zip(self.codings_, columns, strict=True)
        return [coding.encode(column) for coding, column in pairs]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the features, without the columns that are dropped."""
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            given = [f"x{i}" for i in range(self.n_features_in_)]
            names = np.asarray(given if input_features is None else input_features, dtype=object)
        return names[self.feature_positions_]

    def _check_parameters(self) -> None:
        if self.unseen not in _UNSEEN:
            raise UnknownNameError("way with unseen sites", str(self.unseen), _UNSEEN)
        if not 0 < self.tolerance < 1:
            raise DataError(
                f"tolerance: expected above 0 and below 1; found {self.tolerance}. "
                "It is a relative change, for example 1e-4."
            )
        if isinstance(self.covariates, str):
            raise DataError(
                f"covariates: expected a sequence of columns; found the text {self.covariates!r}. "
                "Write (name,) for one."
            )
        check_columns((self.batch, *self.covariates))

    def _read(self, X: Any, *, reset: bool) -> tuple[SiteTable, Floats]:
        """Take the table apart; also return the features as numbers."""
        table = as_table(X)
        named = table if table is X else table.to_numpy()
        validate_data(self, named, reset=reset, skip_check_array=True)
        parts = take_apart(table, (self.batch, *self.covariates))
        if len(parts.positions) < 1 + self.shrink:
            raise DataError(
                f"expected at least {1 + self.shrink} feature(s) beside site and covariates "
                f"(empirical Bayes learns from the others); found {len(parts.positions)} "
                f"(n_features={table.shape[1]}). Use shrink=False for one."
            )
        values = check_array(
            parts.features,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            ensure_min_samples=2 if reset else 1,
            estimator=self,
        )
        return parts, values

    def _learn_sites(self, site: pd.Series[Any]) -> tuple[np.ndarray, Floats]:
        """Set ``sites_``; return each patient's site as a number, and indicator columns."""
        code, sites = pd.factorize(site.astype(object), sort=True)
        counts = pd.Series(np.bincount(code), index=sites)
        if len(sites) < 2:
            raise DataError(
                f"expected at least 2 sites to harmonise; found {counted(counts)}. "
                "Leave this step out, or train on more sites."
            )
        if self.reference is not None and self.reference not in sites:
            raise UnknownNameError("reference site", str(self.reference), map(str, sites))
        single = counts[counts == 1]
        if len(single) and (not self.mean_only or self.reference in single.index):
            raise DataError(
                f"expected at least 2 training patients of each site; found {counted(single)}. "
                "A variance needs two: merge sites, leave these out, or use mean_only=True "
                "(without such a site as the reference)."
            )
        self.sites_ = np.asarray(pd.Index(sites).infer_objects())
        return code, (code[:, None] == np.arange(len(sites))).astype(float)

    def _known_sites(self, site: pd.Series[Any]) -> np.ndarray:
        """Each patient's place in ``sites_``, -1 where it has none and that is allowed."""
        site = site.astype(object)
        code = pd.Index(self.sites_, dtype=object).get_indexer(site)
        strange = site[code < 0].value_counts()
        if len(strange) and self.unseen == "error":
            raise DataError(
                f"expected patients of the {len(self.sites_)} training sites; found "
                f"{counted(strange)} of unseen sites. Train on patients of these sites too, or "
                'leave them unadjusted with unseen="pooled".'
            )
        if len(strange):
            warnings.warn(
                f"ComBat: {counted(strange)} of unseen sites are left unadjusted.",
                RadiogenomicsWarning,
                stacklevel=3,
            )
        return code

    def _standardise(self, design: Floats, values: Floats, members: Floats) -> Floats:
        """Set mean, covariate effects and variance; return z, with NaN in unadjusted features."""
        n_sites = members.shape[1]
        coefficients, estimable = fit_with_gaps(design, values)
        if self.reference is None:
            rows = np.ones(len(values), dtype=bool)
            grand_mean = members.mean(axis=0) @ coefficients[:n_sites]
        else:
            i = int(np.flatnonzero(self.sites_ == self.reference)[0])
            rows = members[:, i] > 0
            grand_mean = coefficients[i]
        squares = np.square(values[rows] - design[rows] @ coefficients)
        count = (~np.isnan(squares)).sum(axis=0)
        size = np.fmax.reduce(np.abs(values), axis=0)
        spread = np.sqrt(np.nansum(squares, axis=0) / np.maximum(count, 1))
        sites = [values[member] for member in members.astype(bool).T]
        self.adjusted_ = estimable & (spread > _ROUNDING * size) & self._varies(sites, size)
        _warn_unadjusted(values, self.adjusted_, size)
        gaps = bool(np.isnan(values[:, self.adjusted_]).any())
        variance = np.nansum(squares, axis=0) / np.maximum(count - gaps, 1)
        self.pooled_variance_ = np.where(self.adjusted_, variance, 1.0)
        self.grand_mean_ = np.where(self.adjusted_, grand_mean, 0.0)
        self.covariate_effects_ = np.where(self.adjusted_, coefficients[n_sites:], 0.0)
        standard = values - self.grand_mean_ - design[:, n_sites:] @ self.covariate_effects_
        standard /= np.sqrt(self.pooled_variance_)
        return standard[:, self.adjusted_]

    def _varies(self, sites: list[Floats], size: Floats) -> Bools:
        """Whether each feature has enough values in each site, and not all the same."""
        enough = np.ones(len(size), dtype=bool)
        for values in sites:
            count = (~np.isnan(values)).sum(axis=0)
            span = np.fmax.reduce(values, axis=0) - np.fmin.reduce(values, axis=0)
            # One value, which is enough for a mean, has no span.
            alone = (count == 1) & self.mean_only
            enough &= alone | (count >= 2) & (span > _ROUNDING * size)
        return enough

    def _learn_effects(self, standard: Floats, code: np.ndarray) -> None:
        """Set the effects of all sites, shrunk; none for unadjusted features and the reference."""
        shape = (len(self.sites_), len(self.adjusted_))
        self.gamma_star_, self.delta_star_ = np.zeros(shape), np.ones(shape)
        if not self.adjusted_.any():
            return
        if self.shrink and self.adjusted_.sum() == 1:
            raise DataError(
                "expected at least 2 features that can be adjusted, since empirical Bayes learns "
                f"from the others; found 1 of {len(self.adjusted_)}. Use shrink=False."
            )
        for i, name in enumerate(self.sites_):
            if name != self.reference:
                effect = self._site_effect(standard[code == i])
                self.gamma_star_[i, self.adjusted_] = effect.shift
                self.delta_star_[i, self.adjusted_] = effect.variance

    def _site_effect(self, standard: Floats) -> SiteEffect:
        count = (~np.isnan(standard)).sum(axis=0).astype(float)
        mean = np.nansum(standard, axis=0) / count
        within = np.nansum(np.square(standard - mean), axis=0)
        variance = np.ones_like(mean) if self.mean_only else within / (count - 1)
        effect = SiteEffect(mean, variance)
        if not self.shrink:
            return effect
        if not self.parametric:
            return shrink_nonparametric(effect, within, count)
        if self.mean_only:
            return shrink_shift(effect)
        return shrink_parametric(effect, count, tolerance=self.tolerance)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _warn_unadjusted(values: Floats, adjusted: Bools, size: Floats) -> None:
    span = np.fmax.reduce(values, axis=0) - np.fmin.reduce(values, axis=0)
    left = int((~adjusted & (span > _ROUNDING * size)).sum())
    if left:
        warnings.warn(
            f"ComBat: {left} of {len(adjusted)} features vary but are left unadjusted: in some "
            "site their values are all the same or too few, or covariates explain them fully. "
            "Drop them, or merge sites; see adjusted_.",
            RadiogenomicsWarning,
            stacklevel=4,
        )
