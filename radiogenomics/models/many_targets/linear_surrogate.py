"""Linear regressions of many targets, and how they are locked and written down."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.models.many_targets.per_target import TunedPerTarget
from radiogenomics.models.many_targets.prepared import Positions, Reader, foretell_chosen
from radiogenomics.stats.inputs import Floats, as_floats

FORMAT = 1
_OF_FEATURES = ("centre", "scale")
_OF_TARGETS = ("mean", "median")


class Spectrum(NamedTuple):
    """Singular value decomposition of a standardised training part.

    Attributes
    ----------
    vectors : ndarray of shape (n, r)
        Left singular vectors.
    values : ndarray of shape (r,)
        Squared singular values, largest first, none of them 0.
    rotation : ndarray of shape (p, r)
        Right singular vectors times singular values: rows times it are what readers call scores.
    """

    vectors: Floats
    values: Floats
    rotation: Floats

    @classmethod
    def of(cls, rows: Floats) -> Spectrum:
        """Decompose standardised rows, shape (n, p)."""
        varying = rows.any(axis=0)  # rounding would give the others a weight
        vectors, sizes, right = np.linalg.svd(rows[:, varying], full_matrices=False)
        kept = sizes > np.finfo(float).eps * max(rows.shape) * sizes.max(initial=0.0)
        rotation = np.zeros((rows.shape[1], int(kept.sum())))
        rotation[varying] = right[kept].T * sizes[kept]
        return cls(vectors[:, kept], sizes[kept] ** 2, rotation)


class LinearPerTarget(TunedPerTarget):
    """Regressions whose predictions are weighted sums of standardised features."""

    coef_: Floats
    intercept_: Any

    def lock(self, targets: Iterable[str] | None = None) -> LinearSurrogate:
        """Return all that predicting new patients needs, and nothing of the training patients.

        Parameters
        ----------
        targets
            Names of those to keep; all by default.

        Raises
        ------
        UnknownNameError
            A target was not learnt.
        """
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            names = [f"x{i}" for i in range(self.n_features_in_)]
        every = LinearSurrogate(
            learner=self.card.name,
            features=tuple(map(str, names)),
            targets=self.target_names_,
            centre=self.centre_,
            scale=self.scale_,
            weights=self._weights.T,
            mean=self.target_mean_,
            median=self.target_median_,
            n=self.n_patients_,
        )
        return every if targets is None else every.take(targets)

    @abstractmethod
    def _reading(self, spectrum: Spectrum, scores: Floats) -> Reader:
        """From a decomposed training part to rows of these scores."""

    def _reader(self, rows: Floats, asked: Floats) -> Reader:
        spectrum = Spectrum.of(rows)
        return self._reading(spectrum, asked @ spectrum.rotation)

    def _learn(self, rows: Floats, targets: Floats, chosen: Positions) -> None:
        spectrum = Spectrum.of(rows)
        # Weights are what is foretold of rows that have a single feature each, at 1.
        reader = self._reading(spectrum, spectrum.rotation)
        self._weights = foretell_chosen(reader, targets, chosen)
        coef = (self._weights / self.scale_[:, None]).T
        intercept = self.target_mean_ - coef @ self.centre_
        self.coef_ = coef[0] if self._single else coef
        self.intercept_ = float(intercept[0]) if self._single else intercept

    def _deviations(self, rows: Floats) -> Floats:
        return rows @ self._weights


@dataclass(frozen=True, eq=False)
class LinearSurrogate:
    """A locked surrogate: predicts targets of any patient from features, each patient alone.

    A prediction is the training mean of the target plus the weighted sum of features, each less its
    training mean over its training standard deviation. It is only as good as the features are the
    same thing: from another scanner, engine or segmentation they may not be.

    Parameters
    ----------
    learner
        Recipe word of what learnt it.
    features, targets
        Names, shape (p,) and (targets,).
    centre, scale
        Of the features in training, shape (p,).
    weights
        Change of the prediction per standard deviation of a feature, shape (targets, p).
    mean, median
        Of the targets in training, shape (targets,): what R² is held against, and the cut between
        low and high.
    n
        Rows in training.

    Raises
    ------
    SchemaError
        Shapes do not fit, a name is there twice, or a number is not finite.

    Examples
    --------
    >>> from radiogenomics.models.many_targets.ridge import ManyRidge
    >>> X = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 3)), columns=list("abc"))
    >>> locked = ManyRidge().fit(X, pd.DataFrame({"hypoxia": X["b"] * 2})).lock()
    >>> LinearSurrogate.from_record(locked.to_record()).predict(X).shape
    (40, 1)
    """

    learner: str
    features: tuple[str, ...]
    targets: tuple[str, ...]
    centre: Floats
    scale: Floats
    weights: Floats
    mean: Floats
    median: Floats
    n: int

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        for what, names in (("features", self.features), ("targets", self.targets)):
            if not names or len(set(names)) < len(names):
                raise SchemaError(
                    f"{what}: expected one or more different names; found {len(names)}, of which "
                    f"{len(set(names))} differ. Name the columns before the fit."
                )
        p, t = len(self.features), len(self.targets)
        expected = dict.fromkeys(_OF_FEATURES, (p,)) | dict.fromkeys(_OF_TARGETS, (t,))
        for name, shape in (expected | {"weights": (t, p)}).items():
            values = getattr(self, name)
            if values.shape != shape or not np.isfinite(values).all():
                raise SchemaError(
                    f"{name}: expected finite numbers of shape {shape}; found shape "
                    f"{values.shape}. Take the record as to_record wrote it."
                )
        if not (self.scale > 0).all():
            raise SchemaError("scale: expected positive numbers; found others. Mend the record.")

    @property
    def coef(self) -> Floats:
        """Change of the predictions per unit of a feature, shape (targets, p)."""
        return self.weights / self.scale

    @property
    def intercept(self) -> Floats:
        """Predictions where all features are 0, shape (targets,)."""
        return self.mean - self.coef @ self.centre

    @property
    def training(self) -> pd.DataFrame:
        """``mean, median`` of each target in training."""
        return pd.DataFrame(
            {"mean": self.mean, "median": self.median}, index=pd.Index(self.targets, name="target")
        )

    def take(self, targets: Iterable[str]) -> LinearSurrogate:
        """Return the surrogate of these targets alone, in their order.

        Raises
        ------
        UnknownNameError
            A target is not among those learnt.
        """
        asked = tuple(targets)
        place = {name: position for position, name in enumerate(self.targets)}
        for name in asked:
            if name not in place:
                raise UnknownNameError("target of the surrogate", name, self.targets)
        kept = [place[name] for name in asked]
        return LinearSurrogate(
            **{name: getattr(self, name) for name in ("learner", "features", "n", *_OF_FEATURES)},
            targets=asked,
            **{name: getattr(self, name)[kept] for name in ("weights", *_OF_TARGETS)},
        )

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Predict patients, shape (n, targets), in units of the targets.

        Columns are found by name; others than the surrogate's are not looked at.

        Raises
        ------
        AlignmentError
            A feature is absent, or there twice.
        DataError
            A value is missing, infinite or not a number.
        """
        absent = [name for name in self.features if name not in features.columns]
        doubled = features.columns[features.columns.duplicated()].intersection(self.features)
        if absent or len(doubled):
            raise AlignmentError(
                f"expected each of the {len(self.features)} features of the surrogate once; found "
                f"{len(absent)} absent ({short_list(absent)}) and {len(doubled)} there twice. "
                "Extract them with the same settings and names."
            )
        table = features[list(self.features)]
        values = as_floats(table, "features")
        bad = ~np.isfinite(values)
        if bad.any():
            which = short_list(table.columns[bad.any(axis=0)])
            raise DataError(
                f"expected finite features; found {int(bad.sum())} missing or infinite values "
                f"({which}). Extract them anew, or leave these patients out."
            )
        found = self.mean + ((values - self.centre) / self.scale) @ self.weights.T
        return pd.DataFrame(found, index=features.index, columns=list(self.targets))

    def to_record(self) -> dict[str, Any]:
        """Return it as numbers, text and lists, ready for JSON; nothing is rounded."""
        arrays = ("weights", *_OF_FEATURES, *_OF_TARGETS)
        return {
            "format": FORMAT,
            "learner": self.learner,
            "n": self.n,
            "features": list(self.features),
            "targets": list(self.targets),
            **{name: getattr(self, name).tolist() for name in arrays},
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> LinearSurrogate:
        """Read back what :meth:`to_record` wrote.

        Raises
        ------
        SchemaError
            It is of another format, lacks a field, or holds what does not fit together.
        """
        arrays = ("weights", *_OF_FEATURES, *_OF_TARGETS)
        wanted = ("learner", "n", "features", "targets", *arrays)
        absent = [name for name in wanted if name not in record]
        if record.get("format") != FORMAT or absent:
            raise SchemaError(
                f"expected a surrogate of format {FORMAT} with all its fields; found format "
                f"{record.get('format')} and no {short_list(absent) or 'field amiss'}. Lock the "
                "surrogate anew."
            )
        return cls(
            learner=str(record["learner"]),
            features=tuple(map(str, record["features"])),
            targets=tuple(map(str, record["targets"])),
            n=int(record["n"]),
            **{name: as_floats(record[name], name) for name in arrays},
        )
