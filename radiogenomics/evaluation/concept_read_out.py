"""What a network's features know of what is known already: radiomics, TLS, pathway scores.

Two questions of each table of concepts. Which known columns does each feature resemble
(:func:`~radiogenomics.evaluation.association.likeness.likeness_table`, a description)? And can a
concept be read from all features together, in patients whom the reader has not seen
(:func:`~radiogenomics.evaluation.virtual_biopsy.virtual_biopsy`, with permuted patients as null)?

The network must not have learnt from these patients: features of those it knows by heart tell apart
whatever it was taught. That a concept can be read does not mean that the network uses it (Alain and
Bengio 2016, arXiv:1610.01644): a random network of the same shape is the reading to hold beside.
And what goes with tumour volume is read wherever volume is: put volume among the concepts.

Examples
--------
>>> from sklearn.linear_model import RidgeCV
>>> from radiogenomics.evaluation.splits import PatientKFold
>>> rng = np.random.default_rng(0)
>>> patients = pd.Index([f"P{n}" for n in range(60)])
>>> deep = pd.DataFrame(rng.normal(size=(60, 4)), patients).rename(columns="d{}".format)
>>> tls = pd.DataFrame({"tls": (deep["d1"] + rng.normal(size=60) > 0) * 1.0}).iloc[:50]
>>> sets = pd.DataFrame({"il6": deep["d2"], "other": rng.normal(size=60)}, patients)
>>> found = concept_read_out(
...     deep, {"pathology": tls, "pathways": sets}, RidgeCV(),
...     folds=PatientKFold(5), permutations=19, rng=rng, count=1,
... )
>>> found.read[["source", "concept", "rho", "p", "n"]].round(2).to_numpy()
array([['pathology', 'tls', 0.39, 0.1, 50],
       ['pathways', 'il6', 1.0, 0.05, 60],
       ['pathways', 'other', 0.21, 0.75, 60]], dtype=object)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from radiogenomics.core.errors import AlignmentError, StudyError, short_list
from radiogenomics.evaluation.association.likeness import likeness_table
from radiogenomics.evaluation.fold import Splitter
from radiogenomics.evaluation.virtual_biopsy import virtual_biopsy
from radiogenomics.stats.permutation import permutations as draw_permutations

_READER = "reader"


@dataclass(frozen=True, eq=False)
class ConceptReadOut:
    """What features know of concepts.

    Parameters
    ----------
    likeness
        ``feature, rank, similar, rho, source``: the columns of each source that a feature resembles
        most.
    read
        ``source, concept, r2, rho, rho_low, rho_high, auc, auc_low, auc_high, p, fdr, p_family,
        n``, out of sample, within a source the best first. ``fdr`` and ``p_family`` count the
        concepts of one source.
    """

    likeness: pd.DataFrame
    read: pd.DataFrame


def concept_read_out(
    features: pd.DataFrame,
    concepts: Mapping[str, pd.DataFrame],
    reader: BaseEstimator,
    *,
    folds: Splitter,
    rng: np.random.Generator,
    permutations: int = 199,
    strata: pd.Series[str] | None = None,
    count: int = 5,
    jobs: int = 1,
) -> ConceptReadOut:
    """Hold features against every concept, one by one and all together.

    Parameters
    ----------
    features
        Patients × features, complete: an embedding, or a table of an encoder.
    concepts
        Name of a source → patients × concepts, complete, 0 and 1 or numbers. A source may know
        some of the patients only.
    reader
        Regressor of several targets, unfitted; ``models.many_targets.ManyRidge`` is quick where
        permutations are many.
    folds
        Deals patients to test parts of 4 or more.
    rng, permutations, strata
        Of whole patients, within strata (sites) only; no p is below 1 / (1 + permutations).
    count, jobs
        Columns that a feature is likened to, of each source; processes.

    Raises
    ------
    StudyError
        There is no source of concepts, or too few patients for the folds.
    AlignmentError
        A source or the strata have patients without features, or patients stand twice.
    DataError, OutcomeError
        A column is incomplete or does not vary among the patients of a source.
    """
    if not concepts:
        raise StudyError("concepts: expected one or more sources; found none. Name a table.")
    alike, read = [], []
    for source, table in concepts.items():
        _require_known(table.index, features.index, what=f"{source}, features")
        blocks = None
        if strata is not None:
            _require_known(table.index, strata.index, what=f"{source}, strata")
            blocks = strata.loc[table.index]
        seen = features.loc[table.index]
        alike.append(likeness_table(seen, table, count=count, source=source))
        orders = draw_permutations(len(table), permutations, rng, blocks=blocks)
        told = virtual_biopsy(
            {_READER: reader}, seen, table, folds=folds, orders=orders, kinds="score", jobs=jobs
        ).biopsy
        told = told.drop(columns=["kind", "learner"]).rename(columns={"target": "concept"})
        told.insert(0, "source", source)
        read.append(told)
    return ConceptReadOut(pd.concat(alike, ignore_index=True), pd.concat(read, ignore_index=True))


def _require_known(patients: pd.Index, known: pd.Index, *, what: str) -> None:
    """Raise unless all patients of a source stand once on both sides."""
    strangers = patients.difference(known)
    if len(strangers) or patients.has_duplicates or known.has_duplicates:
        raise AlignmentError(
            f"{what}: expected patients who stand once, there too; found "
            f"{len(strangers)} others ({short_list(strangers) or 'none'}) or names that stand "
            "twice. Keep the patients of both."
        )
