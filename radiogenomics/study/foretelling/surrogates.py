"""Locked surrogates as a file: what foretells targets from images, and how well it did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    MissingFileError,
    RadiogenomicsError,
    SchemaError,
    short_list,
)
from radiogenomics.evaluation.virtual_biopsy import COLUMNS
from radiogenomics.models.many_targets import LinearSurrogate
from radiogenomics.stats.inputs import Floats
from radiogenomics.study.foretelling.learners import FilledSurrogate
from radiogenomics.study.foretelling.targets import Target, TargetRules

FILE = "surrogates.json"
KIND = "radiogenomics surrogates"
FORMAT = 1
LEVELS = np.arange(0, 100.1, 2.5)
"""Percentiles of the training cohort that are kept of each target."""
_FIELDS = (
    "cohort", "n", "level", "scorer", "min_coverage", "targets", "constants", "biopsy",
    "half_width", "deviation", "levels", "medians", "surrogate",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class LockedBiopsy:
    """Everything that a virtual biopsy of new patients needs; no patient is in it.

    Parameters
    ----------
    cohort
        Where it was learnt.
    surrogate
        Predicts the targets from features.
    rules
        How the targets are measured where there is expression.
    biopsy
        How well each was foretold out of sample, in the columns of the table ``biopsy``.
    half_width
        Of the interval of a new patient, of each target, shape (targets,).
    deviation
        Standard deviation of what was measured in training, shape (targets,).
    levels
        Percentiles 0, 2.5, ..., 100 of what was measured in training, shape (targets, 41).
    level
        That the intervals hold.
    """

    cohort: str
    surrogate: FilledSurrogate
    rules: TargetRules
    biopsy: pd.DataFrame
    half_width: Floats
    deviation: Floats
    levels: Floats
    level: float

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        targets, p = self.surrogate.linear.targets, len(self.surrogate.linear.features)
        named = (list(self.rules.names), list(self.biopsy["target"]))
        shapes = {
            "medians": (self.surrogate.medians, (p,)),
            "half_width": (self.half_width, (len(targets),)),
            "deviation": (self.deviation, (len(targets),)),
            "levels": (self.levels, (len(targets), len(LEVELS))),
        }
        odd = [
            name
            for name, (values, shape) in shapes.items()
            if values.shape != shape or not np.isfinite(values).all()
        ]
        odd += [] if (self.deviation > 0).all() and (self.half_width >= 0).all() else ["deviation"]
        if odd or any(names != list(targets) for names in named):
            raise SchemaError(
                f"surrogates: expected constants of the same {len(targets)} targets throughout; "
                f"found others in {short_list(odd) or 'targets or biopsy'}. Lock them anew."
            )

    @property
    def targets(self) -> tuple[str, ...]:
        """Names, the best foretold first."""
        return self.surrogate.linear.targets

    @property
    def found(self) -> list[str]:
        """Targets that images foretell beyond chance, family-wise."""
        rows = self.biopsy[(self.biopsy["p_family"] <= 0.05) & (self.biopsy["r2"] > 0)]
        return list(rows["target"])

    @property
    def explained(self) -> list[str]:
        """Targets whose features are told: those beyond chance, else the best foretold alone."""
        return self.found or list(self.targets[:1])

    def percentile(self, target: str, predicted: Floats) -> Floats:
        """Place of predicted levels among what was measured in training, 0 to 100."""
        own = self.levels[self.targets.index(target)]
        return np.asarray(np.interp(predicted, own, LEVELS))

    def target_table(self) -> pd.DataFrame:
        """``target, kind, genes, measured, mean, sd, median, half_width, level``."""
        linear = self.surrogate.linear
        return pd.DataFrame(
            {
                "target": self.targets,
                "kind": [target.kind for target in self.rules.targets],
                "genes": [target.listed for target in self.rules.targets],
                "measured": [len(target.genes) for target in self.rules.targets],
                "mean": linear.mean,
                "sd": self.deviation,
                "median": linear.median,
                "half_width": self.half_width,
                "confidence": self.level,
            }
        )

    def level_table(self) -> pd.DataFrame:
        """``target, percentile, measured``: percentiles of what was measured in training."""
        count = len(LEVELS)
        return pd.DataFrame(
            {
                "target": np.repeat(np.array(self.targets, dtype=object), count),
                "percentile": np.tile(LEVELS, len(self.targets)),
                "measured": self.levels.ravel(),
            }
        )

    def to_json(self) -> str:
        """Write it as JSON; nothing is rounded."""
        linear = self.surrogate.linear
        record = {
            "kind": KIND,
            "format": FORMAT,
            "cohort": self.cohort,
            "n": linear.n,
            "level": self.level,
            "scorer": self.rules.scorer,
            "min_coverage": self.rules.min_coverage,
            "targets": [target._asdict() for target in self.rules.targets],
            "constants": {gene: list(pair) for gene, pair in self.rules.constants.items()},
            "biopsy": self.biopsy[list(COLUMNS)].to_dict(orient="records"),
            "half_width": self.half_width.tolist(),
            "deviation": self.deviation.tolist(),
            "levels": self.levels.tolist(),
            "medians": self.surrogate.medians.tolist(),
            "surrogate": linear.to_record(),
        }
        return json.dumps(_without_nan(record), allow_nan=False, ensure_ascii=False) + "\n"

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> LockedBiopsy:
        """Read back what :meth:`to_json` wrote.

        Raises
        ------
        SchemaError
            A field is absent, or the numbers do not fit together.
        """
        absent = [name for name in _FIELDS if name not in record]
        if absent:
            raise SchemaError(
                f"expected surrogates with all their fields; found no {short_list(absent)}. "
                "Lock them anew."
            )
        rules = TargetRules(
            str(record["scorer"]),
            tuple(_target(each) for each in record["targets"]),
            {gene: (float(c), float(s)) for gene, (c, s) in record["constants"].items()},
            float(record["min_coverage"]),
        )
        return cls(
            cohort=str(record["cohort"]),
            surrogate=FilledSurrogate(
                LinearSurrogate.from_record(record["surrogate"]), _floats(record["medians"])
            ),
            rules=rules,
            biopsy=pd.DataFrame(record["biopsy"], columns=list(COLUMNS)),
            half_width=_floats(record["half_width"]),
            deviation=_floats(record["deviation"]),
            levels=_floats(record["levels"]),
            level=float(record["level"]),
        )


def read_surrogates(path: str | Path) -> LockedBiopsy:
    """Read the surrogates that a virtual biopsy locked.

    Raises
    ------
    MissingFileError
        There is no such file.
    SchemaError
        It is something else, of another format, or does not fit together.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(
            f"expected surrogates at {path}; found none. Name the {FILE} that `radiogenomics "
            "biopsy` wrote."
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(record, dict) or record.get("kind") != KIND:
            found = record.get("kind") if isinstance(record, dict) else type(record).__name__
            raise SchemaError(f"found {found or 'an object of another kind'}")
        if record.get("format") != FORMAT:
            raise SchemaError(f"found format {record.get('format')}, where {FORMAT} is known")
        return LockedBiopsy.from_record(record)
    except RadiogenomicsError as error:
        problem = str(error)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        problem = f"found something else ({error})"
    raise SchemaError(
        f"{path.name}: expected the {FILE} that `radiogenomics biopsy` wrote; {problem}."
    )


def _target(record: Mapping[str, Any]) -> Target:
    genes = tuple(map(str, record["genes"]))
    return Target(str(record["name"]), str(record["kind"]), genes, int(record["listed"]))


def _floats(values: Any) -> Floats:
    return np.asarray(values, dtype=float)


def _without_nan(value: Any) -> Any:
    """What JSON can hold: null for a number that there is not, as an AUC of one class."""
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
