"""Sites and other facts about patients in a validation: tried before the long work, then probed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, short_list
from radiogenomics.core.row_facts import MARK
from radiogenomics.evaluation.site_probe import RAW, site_probe
from radiogenomics.evaluation.splits import PatientKFold, naming
from radiogenomics.features import MedianImputer
from radiogenomics.io.labelled_table import LabelledTable
from radiogenomics.models import surrogate
from radiogenomics.models.steps import Steps, apply_steps, checked_rows, fit_steps
from radiogenomics.study.findings import Findings

SITE = f"{MARK}site"
HARMONISED = "harmonised"
# Halves of the probe need two patients of a site to learn from and two to tell.
FEWEST = 4
SIGNIFICANCE = 0.05


class PlannedHarmoniser(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The steps of a plan up to the one that uses the sites, for patients without labels.

    Parameters
    ----------
    steps
        Named, unfitted transformers; each sees the row facts that it names, and no other.
    """

    def __init__(self, steps: Steps) -> None:
        self.steps = steps

    def fit(self, X: pd.DataFrame, y: Any = None) -> PlannedHarmoniser:
        """Fit the steps one after the other; ``y`` is not used."""
        rows = checked_rows(self, X, reset=True)
        unread = np.zeros(len(rows.values))
        self.fitted_, _ = fit_steps(self.steps, rows, unread, names=self.feature_names_in_)
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Send patients through the fitted steps."""
        rows = checked_rows(self, X, reset=False)
        return apply_steps(self.fitted_, rows, names=self.feature_names_in_)


def rehearse_sites(
    steps: Steps,
    train: LabelledTable,
    external: Sequence[LabelledTable],
    *,
    splitter: PatientKFold,
    inner_folds: int,
) -> None:
    """Fit the steps that use facts about patients in every fold, inner ones too, and outside.

    A site that a training part lacks, or has one patient of, would stop a validation that has been
    at work for hours. Nothing behind these steps is fitted here, so it stops at once, and the
    message says where.

    Parameters
    ----------
    steps
        Of the plan, up to the last one that uses a fact; none is no work.
    train, external
        With their facts.
    splitter, inner_folds
        Of the cross-validation to come.

    Raises
    ------
    DataError
        A step could not be fitted or applied; the message names the fold or the table, and, of
        ComBat, the site.
    """
    if not steps:
        return
    seed = splitter.random_state
    model = surrogate(_filled(steps), "nb", n_splits=inner_folds, random_state=seed)
    features, labels = train.features, train.labels.to_numpy()
    with warnings.catch_warnings():
        # The work itself warns of the same.
        warnings.simplefilter("ignore", RadiogenomicsWarning)
        for split in splitter.split(features.index, labels):
            with naming(split):
                model.fit(features.iloc[split.train], labels[split.train])
                model.predict(features.iloc[split.test])
        with naming(train.name):
            model.fit(features, labels)
        for table in external:
            with naming(table.name):
                model.predict(table.features[features.columns])


def probe_sites(
    train: LabelledTable,
    sites: pd.Series[str] | None,
    steps: Steps,
    *,
    rng: np.random.Generator,
    jobs: int,
) -> Findings:
    """Ask whether held-out patients still show their site, before and after harmonisation.

    Parameters
    ----------
    train
        Training table; its facts go to the steps.
    sites
        Of its patients; nothing is done without.
    steps
        Of the plan, up to the one that uses ``@site``, or none; those that need a label are left
        out.

    Returns
    -------
    Findings
        Table ``site_probe`` (:func:`~radiogenomics.evaluation.site_probe`: variants ``raw`` and
        ``harmonised``) and one note that says it in words. A probe that cannot be done is a note.
    """
    if sites is None:
        return Findings()
    counts = sites.value_counts()
    small = sorted(counts.index[counts < FEWEST], key=str)
    kept = sites[~sites.isin(small)]
    left_out = (
        f" Left out, with fewer than {FEWEST} patients: {short_list(small)}." if small else ""
    )
    if kept.nunique() < 2:
        text = f"site probe: not done, as fewer than two sites have {FEWEST} patients or more."
        return Findings(notes=(("info", text),))
    free = [step for step in steps if not _needs_label(step[1])]
    harmonisers = {HARMONISED: PlannedHarmoniser(_filled(free))} if free else {}
    try:
        table = site_probe(
            train.features.loc[kept.index], kept, harmonisers=harmonisers, rng=rng, jobs=jobs
        )
    except DataError as error:
        return Findings(notes=(("warning", f"site probe: not done. {error}"),))
    level, text = _in_words(table)
    return Findings(
        tables={"site_probe": table.assign(cohort=train.name)},
        notes=((level, f"{text}{left_out}"),),
    )


def _in_words(table: pd.DataFrame) -> tuple[str, str]:
    """Level and text of the note, from the AUC among held-out patients."""
    told = table.query("learnt_on == 'held_out' and metric == 'auc'").set_index("variant")
    parts = [
        f"{'before' if row.Index == RAW else 'after'} harmonisation with AUC {row.value:.2f} "
        f"(p {row.p:.2g})"
        for row in told.itertuples()
    ]
    last = told.iloc[-1]
    head = (
        f"site probe: {last['sites']} sites of {last['patients']} patients, whom harmonisation had "
        f"not seen, are told {' and '.join(parts)}; chance is 0.5"
    )
    if last["p"] > SIGNIFICANCE or last["value"] <= last["chance"]:
        return "info", f"{head}."
    if len(told) == 1:
        return (
            "warning",
            f"{head}. No step of the plan harmonises: a label may be told by its site.",
        )
    return "warning", f"{head}. Harmonisation has left, or brought, a mark of the site."


def _filled(steps: Steps) -> Steps:
    """Fill gaps behind steps that leave them, as what follows takes none."""
    return [*steps, ("gaps_filled", MedianImputer(max_missing=1.0))]


def _needs_label(step: Any) -> bool:
    return bool(step.__sklearn_tags__().target_tags.required)
