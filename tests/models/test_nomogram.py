"""Points and probabilities are those of rms::nomogram; what is odd is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from radiogenomics.core.errors import (
    DataError,
    RadiogenomicsWarning,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.models.nomogram import Nomogram
from radiogenomics.models.nomogram_axes import Axis, round_ticks
from radiogenomics.models.survival import CoxModel, LassoCox

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "models"
COLUMNS = ["age", "afp", "male", "stage_B", "stage_C", "rad"]
LEVELS = {"stage": {"A": None, "B": "stage_B", "C": "stage_C"}}
VALUES = {"age": range(30, 91, 10), "afp": range(-1, 7), "rad": np.arange(-3, 4)}
HORIZONS = [6, 12, 24]


@pytest.fixture(scope="module")
def patients() -> pd.DataFrame:
    """150 patients; of three, `rad` lies beyond the axis that VALUES gives it."""
    table = pd.read_csv(REFERENCE / "survival_input.csv")
    for level in "BC":
        table[f"stage_{level}"] = (table["stage"] == level).astype(float)
    return table


@pytest.fixture(scope="module")
def outcome(patients) -> np.ndarray:
    y = np.empty(len(patients), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = patients["event"] == 1, patients["time"]
    return y


@pytest.fixture(scope="module")
def cox(patients, outcome) -> Nomogram:
    model = CoxModel().fit(patients[COLUMNS], outcome)
    return Nomogram.from_cox(model, patients, levels=LEVELS, values=VALUES)


@pytest.fixture(scope="module")
def logistic(patients) -> Nomogram:
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    model.fit(patients[COLUMNS], patients["time"] > 12)
    return Nomogram.from_logistic(model, patients, levels=LEVELS, values=VALUES, outcome="response")


@pytest.mark.parametrize("kind", ["cox", "logistic"])
def test_points_are_those_of_rms(kind, request):
    table = request.getfixturevalue(kind).points_table()
    reference = pd.read_csv(REFERENCE / "nomogram_points.csv").query("kind == @kind")
    assert table["variable"].tolist() == reference["variable"].tolist()
    words = [v if isinstance(v, str) else f"{v:g}" for v in table["value"]]
    assert words == reference["value"].tolist()
    np.testing.assert_allclose(table["points"], reference["points"], atol=1e-11)


def test_totals_have_the_probabilities_of_rms(cox, logistic):
    reference = pd.read_csv(REFERENCE / "nomogram_totals.csv")
    found = pd.concat(
        [
            cox.probability_table(HORIZONS, total_points=reference["total_points"]),
            logistic.probability_table(total_points=reference["total_points"]),
        ]
    )
    assert found["outcome"].nunique() == 4
    for name, part in found.groupby("outcome"):
        np.testing.assert_allclose(part["probability"], reference[name], rtol=1e-11)


def test_patients_have_the_probabilities_of_rms(cox, logistic, patients):
    reference = pd.read_csv(REFERENCE / "nomogram_patients.csv")
    with pytest.warns(RadiogenomicsWarning, match="rad: 3 of 150 patients lie beyond the axis"):
        survival = cox.score(patients, [6, 24])
    for month in (6, 24):
        found = survival.probability[f"{month}-month survival"]
        np.testing.assert_allclose(found, reference[f"survival_{month}"], rtol=1e-11)
    with pytest.warns(RadiogenomicsWarning):
        response = logistic.score(patients).probability["response"]
    np.testing.assert_allclose(response, reference["response"], rtol=1e-11)


def test_reading_by_hand_gives_what_the_model_says(cox, patients, outcome):
    """Look each value up in the table, add, look the total up: the model's own survival."""
    table = cox.points_table().set_index(["variable", "value"])["points"]
    read = table[[("age", 60.0), ("afp", 3.0), ("male", 1.0), ("stage", "B"), ("rad", 2.0)]]
    patient = pd.DataFrame({"age": [60], "afp": [3], "male": [1], "stage": ["B"], "rad": [2]})
    score = cox.score(patient, HORIZONS)
    assert score.total.tolist() == [pytest.approx(read.sum())]
    chances = cox.probability_table(HORIZONS, total_points=[read.sum()])["probability"]
    model = CoxModel().fit(patients[COLUMNS], outcome)
    row = pd.DataFrame([[60, 3, 1, 1, 0, 2]], columns=COLUMNS)
    expected = model.predict_survival(row, HORIZONS)[0]
    np.testing.assert_allclose(chances, expected, rtol=1e-12)
    np.testing.assert_allclose(score.probability.to_numpy()[0], expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ["cox", "logistic"])
def test_axes_of_probabilities_are_the_tables_turned_round(kind, request):
    nomogram = request.getfixturevalue(kind)
    horizons = HORIZONS if kind == "cox" else ()
    axes = nomogram.probability_axes(horizons)
    for name, part in axes.groupby("outcome"):
        table = nomogram.probability_table(horizons, total_points=part["total_points"])
        back = table[table["outcome"] == name]
        np.testing.assert_allclose(back["probability"], part["probability"], rtol=1e-9)
        assert part["total_points"].between(-1e-9, nomogram.max_total + 1e-9).all()
        assert len(part) >= 3


def test_probability_axis_has_ticks_in_a_narrow_range():
    size = Axis("size", values=(0.0, 1.0), effects=(0.0, 0.2), slope=0.2)
    narrow = Nomogram((size,), intercept=0.05)
    found = narrow.probability_axes()["probability"]
    assert len(found) >= 4
    assert found.between(0.51, 0.57).all()
    assert narrow.probability_axes(probabilities=[0.55, 0.9])["probability"].tolist() == [0.55]
    with pytest.raises(DataError, match="can reach, 0.512 to 0.562; found none"):
        narrow.probability_axes(probabilities=[0.9])


def test_default_values_are_round_numbers_or_the_few_there_are(patients, outcome):
    model = CoxModel().fit(patients[COLUMNS], outcome)
    table = Nomogram.from_cox(model, patients, levels=LEVELS).points_table()
    shown = table.groupby("variable", sort=False)["value"].apply(list)
    assert shown["male"] == [0.0, 1.0]
    for name in ("age", "afp", "rad"):
        assert shown[name][0] <= patients[name].min()
        assert shown[name][-1] >= patients[name].max()
        assert np.ptp(np.diff(shown[name])) < 1e-9
    assert table["points"].max() == pytest.approx(100)
    assert table.groupby("variable")["points"].min().abs().max() < 1e-12


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 100, range(0, 101, 10)),
        (0.1, 0.9, np.arange(0.1, 0.95, 0.1)),
        (-3.2, 3.1, range(-4, 5)),
        (1e6, 9e6, np.arange(1, 10) * 1e6),
        (-0.004, -0.001, np.arange(-0.004, -0.0009, 0.0005)),
    ],
)
def test_round_ticks(low, high, expected):
    np.testing.assert_allclose(round_ticks(low, high), list(expected), rtol=1e-12)


def test_round_ticks_reach_both_ends(rng):
    for _ in range(300):
        low = rng.normal() * 10.0 ** rng.integers(-6, 6)
        high = low + rng.exponential() * 10.0 ** rng.integers(-6, 6) * max(1e-6, abs(low))
        ticks = round_ticks(low, high)
        room = 1e-8 * (high - low) + 1e-12 * abs(low)
        assert ticks[0] <= low + room
        assert ticks[-1] >= high - room
        assert 4 <= len(ticks) <= 13


def test_coefficients_of_zero_get_no_axis(patients, outcome):
    scaled = patients[COLUMNS].assign(nothing=np.linspace(0, 1, 150))
    model = LassoCox(share=0.5).fit(scaled, outcome)
    dropped = [name for name, coef in zip(scaled, model.coef_, strict=True) if coef == 0]
    assert dropped
    drawn = Nomogram.from_cox(model, scaled)
    assert not set(dropped) & {axis.name for axis in drawn.axes}
    expected = model.predict_survival(scaled, [12])[:, 0]
    np.testing.assert_allclose(drawn.score(scaled, [12]).probability.iloc[:, 0], expected)
    with pytest.raises(DataError, match="expected a variable with an effect"):
        Nomogram.from_cox(LassoCox(share=1.0).fit(scaled, outcome), scaled)


def test_score_refuses_what_it_cannot_read(cox, patients):
    fine = patients.iloc[:5]
    with pytest.raises(SchemaError, match="found no.*afp"):
        cox.score(fine.drop(columns="afp"), [12])
    with pytest.raises(UnknownNameError, match="level of stage 'D'"):
        cox.score(fine.assign(stage="D"), [12])
    with pytest.raises(DataError, match="age: expected a value for every patient; found 5 missing"):
        cox.score(fine.assign(age=np.nan), [12])
    with pytest.raises(DataError, match="age"):
        cox.score(fine.assign(age="old"), [12])
    for horizons in ([], [12, 12]):
        with pytest.raises(DataError, match="horizons"):
            cox.score(fine, horizons)
    with pytest.raises(DataError, match="expected times from 0 to 58 months"):
        cox.score(fine, [59])
    assert cox.score(fine.iloc[:0], [12]).total.empty


def test_logistic_nomogram_has_no_horizons(logistic, patients):
    with pytest.raises(DataError, match="no horizons"):
        logistic.probability_table([12])


def test_models_that_cannot_be_drawn_are_refused(patients, outcome):
    bare = CoxModel().fit(patients[COLUMNS].to_numpy(), outcome)
    with pytest.raises(SchemaError, match="names of its features"):
        Nomogram.from_cox(bare, patients)
    model = CoxModel().fit(patients[COLUMNS], outcome)
    with pytest.raises(SchemaError, match="stage_D"):
        Nomogram.from_cox(model, patients, levels={"stage": {"A": None, "D": "stage_D"}})
    with pytest.raises(SchemaError, match="found no size"):
        Nomogram.from_cox(model, patients, values={"size": [1, 2]})
    with pytest.raises(SchemaError, match="found no rad"):
        Nomogram.from_cox(model, patients.drop(columns="rad"), levels=LEVELS)
    with pytest.raises(DataError, match="age: expected at least two different values"):
        Nomogram.from_cox(model, patients.assign(age=60.0))
    with pytest.raises(DataError, match="afp: expected finite values; found 1"):
        Nomogram.from_cox(model, patients.assign(afp=[np.nan] + [1.0] * 149))
    three = LogisticRegression().fit(patients[["age"]], patients["stage"])
    with pytest.raises(DataError, match="two classes; found 3"):
        Nomogram.from_logistic(three, patients)


def test_survival_before_the_first_event_has_no_axis(patients, outcome):
    y = outcome.copy()
    y["time"] += 5
    drawn = Nomogram.from_cox(CoxModel().fit(patients[COLUMNS], y), patients, levels=LEVELS)
    assert (drawn.probability_table([3])["probability"] == 1).all()
    with pytest.raises(DataError, match="3-month survival: expected probabilities"):
        drawn.probability_axes([3])
