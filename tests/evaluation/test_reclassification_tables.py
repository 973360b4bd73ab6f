from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    SchemaError,
)
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.reclassification import (
    reclassification_cross_table,
    reclassification_table,
    survival_reclassification_table,
)
from radiogenomics.stats.classification.reclassification import (
    integrated_discrimination,
    net_reclassification,
    net_reclassification_survival,
)

CUTS = [0.25, 0.5]
Frames = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture
def frames(rng) -> Frames:
    x, more = rng.normal(-0.5, 1, 140), rng.normal(size=140)
    label = (rng.random(140) < expit(x + 0.5 * more)).astype(float)
    frame = pd.DataFrame({"patient_id": [f"P{i}" for i in range(140)], "repeat": 0, "label": label})
    return frame.assign(score=expit(x)), frame.assign(score=expit(x + 0.5 * more))


def part(table: pd.DataFrame, measure: str, name: str) -> pd.Series:
    return table.set_index(["measure", "part"]).loc[(measure, name)]


def test_rows_are_the_statistics_in_any_order_of_patients(frames):
    first, second = frames
    found = reclassification_table(
        first, second.sample(frac=1, random_state=1), split="x", cutoffs=CUTS
    )
    pair = first["score"], second["score"], first["label"]
    results = {
        "NRI": net_reclassification(*pair),
        "NRI with classes": net_reclassification(*pair, cutoffs=CUTS),
        "IDI": integrated_discrimination(*pair),
    }
    assert len(found) == 9 and set(found["split"]) == {"x"}
    sizes = {"total": 140, "events": first["label"].sum(), "non-events": (1 - first["label"]).sum()}
    for measure, result in results.items():
        for name, n in sizes.items():
            row, expected = part(found, measure, name), getattr(result, name.replace("-", ""))
            numbers = [row[column] for column in ("value", "low", "high", "p")]
            assert numbers == pytest.approx(
                [expected.value, expected.low, expected.high, expected.p], rel=1e-9
            )
            assert row["n"] == n


def test_repeats_are_averaged_and_add_no_patients(frames):
    first, second = frames
    twice = [pd.concat([frame, frame.assign(repeat=1)]) for frame in frames]
    one = reclassification_table(first, second, split="x")
    pd.testing.assert_frame_equal(reclassification_table(*twice, split="x"), one)
    swapped = (
        pd.concat([first, second.assign(repeat=1)]),
        pd.concat([second, first.assign(repeat=1)]),
    )
    back = reclassification_table(*swapped, split="x")
    np.testing.assert_allclose(back["value"], 0, atol=1e-12)
    np.testing.assert_allclose(back["high"] - back["low"], one["high"] - one["low"], rtol=1e-9)


def test_cross_table_is_that_of_pandas_and_gives_the_nri(frames):
    first, second = frames
    table = reclassification_cross_table(first, second, cutoffs=CUTS)
    edges = [0, *CUTS, 1.01]
    for label in (0, 1):
        rows = first["label"] == label
        cut = [pd.cut(f.loc[rows, "score"], edges, right=False) for f in (first, second)]
        expected = pd.crosstab(*(c.cat.codes.to_numpy() for c in cut), dropna=False).to_numpy()
        found = table[table["label"] == label]
        assert found["n"].to_numpy().reshape(3, 3).tolist() == expected.tolist()
        assert found["share"].sum() == pytest.approx(1)
    assert table["first"].unique().tolist() == ["0 to 0.25", "0.25 to 0.5", "0.5 to 1"]
    events = table[table["label"] == 1]["share"].to_numpy().reshape(3, 3)
    nri = part(
        reclassification_table(first, second, split="x", cutoffs=CUTS), "NRI with classes", "events"
    )
    assert np.triu(events, 1).sum() - np.tril(events, -1).sum() == pytest.approx(nri["value"])


def test_survival_rows_are_the_statistics(frames, rng):
    ids = frames[0]["patient_id"]
    first, second = (pd.Series(f["score"].to_numpy(), ids) for f in frames)
    death, end = rng.exponential(20 / (0.2 + second)), rng.uniform(10, 60, len(ids))
    outcome = SurvivalOutcome(
        "OS", pd.Series(np.minimum(death, end), ids), pd.Series(death <= end, ids)
    )
    found = survival_reclassification_table(
        first, second, outcome=outcome, horizon=24, split="x", cutoffs=CUTS
    )
    expected = net_reclassification_survival(
        first, second, time=outcome.time, event=outcome.event, horizon=24, cutoffs=CUTS
    )
    assert found["measure"].unique().tolist() == ["NRI", "NRI with classes"]
    row = part(found, "NRI with classes", "non-events")
    numbers = [row[column] for column in ("value", "low", "high", "p")]
    other = expected.nonevents
    assert numbers == pytest.approx([other.value, other.low, other.high, other.p], rel=1e-9)
    with pytest.raises(AlignmentError, match="another order"):
        survival_reclassification_table(first, second[::-1], outcome=outcome, horizon=24, split="x")


def test_parts_that_moved_alike_have_no_interval(frames):
    first, _ = frames
    better = first.assign(score=(first["score"] + 0.001 * (2 * first["label"] - 1)).clip(0, 1))
    with pytest.warns(RadiogenomicsWarning, match="all moved alike"):
        table = reclassification_table(first, better, split="x")
    row = part(table, "NRI", "total")
    assert row["value"] == 2 and np.isnan([row["low"], row["high"], row["p"]]).all()


def test_other_patients_are_refused(frames):
    first, second = frames
    with pytest.raises(AlignmentError, match="1 on one side only"):
        reclassification_table(first, second.iloc[1:], split="x")
    with pytest.raises(AlignmentError, match="on one side only"):
        reclassification_table(
            first, second.assign(patient_id=second["patient_id"] + "x"), split="x"
        )
    with pytest.raises(AlignmentError, match="on one side only"):
        reclassification_table(first, second.assign(label=1 - second["label"]), split="x")
    with pytest.raises(AlignmentError, match="once a repeat; found 1 more"):
        reclassification_table(first, pd.concat([second, second.head(1)]), split="x")
    with pytest.raises(SchemaError, match="found no label"):
        reclassification_table(first, second.drop(columns="label"), split="x")


def test_bad_input_says_what_is_expected(frames):
    first, second = frames
    with pytest.raises(DataError, match="not decision values"):
        reclassification_table(first, second.assign(score=2.0), split="x")
    with pytest.raises(DataError, match="rising cut-offs"):
        reclassification_table(first, second, split="x", cutoffs=[0.5, 0.2])
    with pytest.raises(DataError, match="rising cut-offs"):
        reclassification_cross_table(first, second, cutoffs=[0, 0.2])
    with pytest.raises(OutcomeError, match="both classes"):
        reclassification_table(first.assign(label=1.0), second.assign(label=1.0), split="x")
