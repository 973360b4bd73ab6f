"""What a training cohort says: every target foretold out of sample, and the surrogates locked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import clone

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.core.evidence import Metric
from radiogenomics.core.log import get_logger
from radiogenomics.evaluation.splits import PatientKFold, Split
from radiogenomics.evaluation.virtual_biopsy import VirtualBiopsy, virtual_biopsy
from radiogenomics.stats.permutation import permutations
from radiogenomics.study.association.sides import Sides
from radiogenomics.study.findings import Findings
from radiogenomics.study.foretelling.learners import (
    FilledFirst,
    HeldOut,
    held_out,
    learners_of,
    locked_folds,
)
from radiogenomics.study.foretelling.plan import MEAN_Z, BiopsyPlan
from radiogenomics.study.foretelling.surrogates import LEVELS, LockedBiopsy
from radiogenomics.study.foretelling.targets import (
    GENE,
    SET,
    TargetRules,
    filled_genes,
    target_rules,
)

STRONGEST, SPLIT = "strongest_biopsy", "cross-validation"


@dataclass(frozen=True, eq=False)
class Training:
    """What a training cohort says.

    Parameters
    ----------
    name
        Of the cohort.
    features, targets
        Patients × features, patients × targets that are locked.
    found
        Of all targets and learners.
    locked
        Surrogates of all patients.
    learner, estimator
        Name of the one that is judged, and what it is.
    splits
        Of the cross-validation.
    notes
        What was taken for granted.
    """

    name: str
    features: pd.DataFrame
    targets: pd.DataFrame
    found: VirtualBiopsy
    locked: LockedBiopsy
    learner: str
    estimator: FilledFirst
    splits: tuple[Split, ...]
    notes: tuple[str, ...]

    @property
    def predicted(self) -> pd.DataFrame:
        """Out-of-fold predictions of the targets that are locked."""
        return self.found.predictions[self.learner][list(self.targets)]

    @property
    def judged(self) -> pd.DataFrame:
        """Rows of the learner that is judged, the best foretold target first."""
        table = self.found.biopsy
        return table[table["learner"] == self.learner]

    def foretell_held_out(self, features: pd.DataFrame, *, jobs: int) -> HeldOut:
        """Foretell patients of the training cohort by surrogates that had not seen them.

        Parameters
        ----------
        features
            Their own, or those of another scan.
        jobs
            Processes.
        """
        folds = locked_folds(
            self.estimator, self.features, self.targets, splits=self.splits, jobs=jobs
        )
        explained = self.locked.explained
        return held_out(folds, self.features.index, features, explained=explained)


def learn(
    sides: Sides,
    *,
    gene_sets: Mapping[str, Sequence[str]],
    named: Sequence[str],
    plan: BiopsyPlan,
    seed: int,
    jobs: int,
) -> Training:
    """Cross-validate every learner on every target, and lock the one that was named beforehand.

    Parameters
    ----------
    sides, plan
        Features and expression of the same patients; a plan that so many patients allow.
    gene_sets, named
        Name → symbols, and single genes; with neither, every gene.
    seed, jobs
        Of folds, tuning and permutations; processes.

    Raises
    ------
    RadiogenomicsError
        A gene is not there, no set is measured, a target does not vary, a feature is infinite.
    """
    features, notes = _usable(sides, max_missing=plan.max_missing)
    genes = filled_genes(sides.genes, max_missing=plan.max_missing)
    rules = target_rules(
        genes, gene_sets=gene_sets, named=named, scorer=plan.scorer, limits=plan.limits
    )
    targets = rules.measured(genes)
    sizes = (features.shape[1], targets.shape[1], len(targets), plan.permutations)
    message = "%d image features foretell %d targets in %d patients, %d permutations"
    get_logger(__name__).info(message, *sizes)
    folds = PatientKFold(plan.folds, n_repeats=plan.repeats, random_state=seed)
    rng = np.random.default_rng([seed, 1])
    learners = learners_of(plan, seed=seed)
    found = virtual_biopsy(
        learners,
        features,
        targets,
        folds=folds,
        orders=permutations(len(targets), plan.permutations, rng, blocks=sides.strata),
        kinds={target.name: target.kind for target in rules.targets},
        level=plan.level,
        jobs=jobs,
    )
    kept, learner = _kept(found, plan, named=named), learners[plan.learner]
    locked = _locked(learner, features, targets[kept], rules.take(kept), found, sides.name, plan)
    return Training(
        name=sides.name,
        features=features,
        targets=targets[kept],
        found=found,
        locked=locked,
        learner=plan.learner,
        estimator=learner,
        splits=tuple(folds.split(features.index)),
        notes=(*notes, *_notes(rules, plan, kept=len(kept))),
    )


def training_findings(training: Training) -> Findings:
    """Tables of the training cohort, and the best R² beside what permuted patients give."""
    found, rows = training.found, training.judged
    null = pd.concat(
        [
            pd.DataFrame({"learner": name, "deal": np.arange(1, len(values) + 1), "value": values})
            for name, values in found.null_strongest.items()
        ],
        ignore_index=True,
    )
    best = rows.iloc[0]
    metric = Metric(
        STRONGEST,
        float(best["r2"]),
        float("nan"),
        float("nan"),
        chance=float(found.null_strongest[training.learner].mean()),
        n=int(best["n"]),
        split=SPLIT,
        p_permutation=float(best["p_family"]),
    )
    tables = {
        "biopsy": found.biopsy,
        "biopsy_null": null,
        "residuals": found.residuals,
        "predictions": _predictions(training),
        "targets": training.locked.target_table(),
        "levels": training.locked.level_table(),
    }
    return Findings(
        metrics=(metric,), tables=tables, notes=tuple(("info", note) for note in training.notes)
    )


def _predictions(training: Training) -> pd.DataFrame:
    """``patient_id, cohort, target, predicted, measured``, out of fold."""
    predicted = training.predicted
    count, names = predicted.shape[1], np.array(list(predicted), dtype=object)
    return pd.DataFrame(
        {
            "patient_id": np.tile(predicted.index.to_numpy(), count),
            "cohort": training.name,
            "target": np.repeat(names, len(predicted)),
            "predicted": predicted.to_numpy().ravel(order="F"),
            "measured": training.targets.loc[predicted.index].to_numpy().ravel(order="F"),
        }
    )


def _usable(sides: Sides, *, max_missing: float) -> tuple[pd.DataFrame, list[str]]:
    """Features that vary; what was left out is said, and what is filled within the folds."""
    values = sides.features.to_numpy(dtype=float)
    infinite = np.isinf(values).any(axis=0)
    if infinite.any():
        raise DataError(
            f"{sides.name}: expected finite features; found {int(infinite.sum())} with infinite "
            f"values ({short_list(sides.features.columns[infinite])}). Leave the cells empty, or "
            "the features out."
        )
    varies = (sides.features.nunique() > 1).to_numpy()
    if not varies.any():
        raise DataError(
            f"{sides.name}: expected image features that vary; found none of {len(varies)}. Check "
            "the table."
        )
    features = sides.features.loc[:, varies]
    notes = []
    if not varies.all():
        lost = sides.features.columns[~varies]
        notes.append(f"{len(lost)} image features do not vary: left out ({short_list(lost)})")
    missing = features.isna().mean()
    if missing.any():
        notes.append(
            f"{int((missing > 0).sum())} of {features.shape[1]} image features have missing values:"
            " medians of each training part stand for them; those that over "
            f"{max_missing:.0%} of its patients lack are not used"
        )
    return features, notes


def _kept(found: VirtualBiopsy, plan: BiopsyPlan, *, named: Sequence[str]) -> list[str]:
    """Targets that are locked: the best foretold, and single genes that were asked for."""
    table = found.biopsy
    ranked = list(table.loc[table["learner"] == plan.learner, "target"])
    chosen = set(ranked[: plan.kept]) | set(named)
    return [target for target in ranked if target in chosen]


def _locked(
    learner: FilledFirst, features: pd.DataFrame, targets: pd.DataFrame,
    rules: TargetRules, found: VirtualBiopsy, cohort: str, plan: BiopsyPlan,
) -> LockedBiopsy:  # fmt: skip
    """Lock the judged learner on all patients."""
    kept = list(targets)
    rows, widths = (
        table[table["learner"] == plan.learner].set_index("target", drop=False).loc[kept]
        for table in (found.biopsy, found.residuals)
    )
    values = targets.to_numpy(dtype=float)
    return LockedBiopsy(
        cohort=cohort,
        surrogate=clone(learner).fit(features, targets).lock(),
        rules=rules,
        biopsy=rows.reset_index(drop=True),
        half_width=widths["half_width"].to_numpy(dtype=float),
        deviation=values.std(axis=0, ddof=1),
        levels=np.percentile(values, LEVELS, axis=0).T,
        level=plan.level,
    )


def _notes(rules: TargetRules, plan: BiopsyPlan, *, kept: int) -> list[str]:
    counts = {kind: sum(t.kind == kind for t in rules.targets) for kind in (SET, GENE)}
    notes = []
    if counts[SET]:
        notes.append(
            "scores of gene sets are means of genes standardised by all patients of the training "
            "cohort, those held out among them"
            if rules.scorer == MEAN_Z
            else "scores of gene sets are singscores: each patient is scored alone, by ranks among "
            "all genes that were measured"
        )
    if kept < len(rules.targets):
        notes.append(
            f"the best foretold {kept} of {len(rules.targets)} targets are locked, and tables of "
            "patients speak of these; biopsy.csv has all"
        )
    return notes
