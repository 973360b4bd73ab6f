"""What a paper claims beside what a run obtained, from the run's folder."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from radiogenomics.core.errors import MissingFileError, SchemaError, short_list
from radiogenomics.study.prediction.claims_compared import COMPARED
from radiogenomics.study.simulated_run import RESULT

SUMMARY = "summary.json"
COUNTS = ("n", "positives")
WORDS = ("metric", "model", "split", "size_note", "held_against", "verdict", "where")


def compare(folder: str | Path) -> pd.DataFrame:
    """Put claimed beside obtained, with how wide chance is at the paper's sample size.

    Parameters
    ----------
    folder
        Output folder of a run, or the folder of ``run --simulate`` around it.

    Returns
    -------
    DataFrame
        One row a claim; the columns of :func:`radiogenomics.study.prediction.claims.compared`.

    Raises
    ------
    MissingFileError
        There is no run.
    SchemaError
        The run's recipe has no claims, or was no prediction study; or the table is another one.
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
            f"expected claims beside the numbers of the run in {place}; found none. Run a "
            "prediction study that has a claims.csv."
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
