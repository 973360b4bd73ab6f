"""What a paper claims beside what a run obtained, from the run's folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from radiogenomics.core.errors import MissingFileError, SchemaError, short_list
from radiogenomics.study.findings import Findings
from radiogenomics.study.prediction.claims_compared import COMPARED, compared
from radiogenomics.study.prognosis import SPLIT
from radiogenomics.study.results import Results
from radiogenomics.study.schema import Study

# As run_simulated and demo call the folder beside their data.
SUMMARY, RESULT = "summary.json", "result"
COUNTS = ("n", "positives")
WORDS = ("metric", "model", "split", "bound", "size_note", "held_against", "verdict", "where")
OF_SIGNATURE = "signature_"
OF_SURROGATE: Mapping[str, str] = MappingProxyType(
    {
        "auc": "auc",
        "auc_response": "auc_response",
        "c_index": "c_index",
        "hr_high_vs_low": "hazard_ratio",
        "brier": "brier",
    }
)
FIXED_SIZE = (
    "claims of a surrogate study: run --simulate draws the demonstration's 160 patients with CT "
    "and 120 with MR, whatever the paper had. Claimed beside obtained says nothing here of what "
    "the paper's own numbers of patients allow."
)
NOT_THE_PAPERS = "; of simulated patients, not as many as the paper had"


def compare(folder: str | Path) -> pd.DataFrame:
    """Put claimed beside obtained, with how wide chance is at the paper's sample size.

    Parameters
    ----------
    folder
        Output folder of a run, or the folder of ``run --simulate`` around it.

    Returns
    -------
    DataFrame
        One row a claim; the columns of
        :func:`radiogenomics.study.prediction.claims_compared.compared`.

    Raises
    ------
    MissingFileError
        There is no run.
    SchemaError
        The run's recipe has no claims; or the table is another one.
    """
    place = Path(folder)
    if not (place / SUMMARY).is_file() and (place / RESULT / SUMMARY).is_file():
        place = place / RESULT
    if not (place / SUMMARY).is_file():
        raise MissingFileError(
            f"expected the output folder of a run at {place}; found no {SUMMARY}. Run a recipe "
            "first."
        )
    table = place / "tables" / "claims.csv"
    if not table.is_file():
        raise SchemaError(
            f"expected claims beside the numbers of the run in {place}; found none. Run a recipe "
            "that has a claims.csv."
        )
    found = pd.read_csv(table)
    if lacking := [name for name in COMPARED if name not in found]:
        raise SchemaError(
            f"{table}: expected the columns {', '.join(COMPARED)}; found none of "
            f"{short_list(lacking)}. Run the recipe again."
        )
    words = dict.fromkeys(WORDS, "")
    kinds = dict.fromkeys(WORDS, "object") | dict.fromkeys(COUNTS, "Int64")
    return found.astype(kinds).fillna(words)


def surrogate_with_claims(results: Results, study: Study, claims: pd.DataFrame) -> Results:
    """Return the results of a surrogate study with its claims beside what was obtained.

    Its recipe names no cohorts, so claims that name none are held against the external one. What
    was simulated is simulated at a fixed size: a note says so.
    """
    findings = results.findings
    table = compared(claims, obtained_of_surrogate(findings, study), apart=True)
    notes = findings.notes
    if results.simulated and len(table):
        held = table["obtained"].notna()
        table["verdict"] = table["verdict"].where(~held, table["verdict"] + NOT_THE_PAPERS)
        notes = (*notes, ("info", FIXED_SIZE))
    tables = {**findings.tables, "claims": table}
    return replace(results, findings=replace(findings, tables=tables, notes=notes))


def obtained_of_surrogate(findings: Findings, study: Study) -> pd.DataFrame:
    """Every number of a surrogate's run that a paper might have claimed.

    Returns
    -------
    DataFrame
        ``metric, model, split, value, low, high``: of the learner and its comparators by their
        words, of the molecular signature by the name of the label.
    """
    rows = [*_numbers(findings, study), *_comparators(findings)]
    return pd.DataFrame(rows, columns=["metric", "model", "split", "value", "low", "high"])


def _numbers(findings: Findings, study: Study) -> Iterator[tuple[object, ...]]:
    for metric in findings.metrics:
        name, colon, endpoint = metric.name.partition(":")
        bare = name.removeprefix(OF_SIGNATURE)
        model = study.model.learner.value if bare == name else study.label.name
        if bare in OF_SURROGATE:
            word = f"{OF_SURROGATE[bare]}{colon}{endpoint}"
            yield word, model, metric.split, metric.value, metric.low, metric.high


def _comparators(findings: Findings) -> Iterator[tuple[object, ...]]:
    table = findings.tables.get("learners", pd.DataFrame())
    for row in table.to_dict("records"):
        if not row["headline"]:
            yield "auc", row["learner"], SPLIT, row["auc"], row["low"], row["high"]
