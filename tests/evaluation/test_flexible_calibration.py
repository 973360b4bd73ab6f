from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.evaluation.flexible_calibration import (
    flexible_calibration_metrics,
    flexible_calibration_table,
)
from radiogenomics.stats.restricted_cubic_spline import default_knots, rcs_basis


@pytest.fixture
def predictions(rng) -> pd.DataFrame:
    x = rng.normal(-0.3, 1, 260)
    label = (rng.random(260) < expit(0.7 * x + 0.2)).astype(float)
    ids = [f"P{i}" for i in range(260)]
    return pd.DataFrame({"patient_id": ids, "repeat": 0, "label": label, "score": expit(x)})


def test_curve_and_ici_are_those_of_statsmodels(predictions):
    position = logit(predictions["score"])
    knots = default_knots(position, 3)
    fit = sm.Logit(predictions["label"], sm.add_constant(rcs_basis(position, knots)))
    fit = fit.fit(disp=0, tol=1e-14, method="newton")
    table = flexible_calibration_table(predictions)
    asked = sm.add_constant(rcs_basis(logit(table["predicted"]), knots))
    centre = asked @ fit.params.to_numpy()
    half = 1.959963984540054 * np.sqrt(
        np.einsum("ij,jk,ik->i", asked, fit.cov_params().to_numpy(), asked)
    )
    for column, expected in (("observed", centre), ("low", centre - half), ("high", centre + half)):
        np.testing.assert_allclose(table[column], expit(expected), rtol=1e-8)
    ici, ece = flexible_calibration_metrics(predictions, split="x")
    assert ici.value == pytest.approx(np.abs(fit.predict() - predictions["score"]).mean(), rel=1e-8)
    assert (ici.name, ece.name, ici.n, ici.events) == (
        "ici",
        "ece",
        260,
        int(predictions["label"].sum()),
    )
    assert np.isnan(ici.low) and ici.chance is None


def test_repeats_are_averaged_and_do_not_narrow_the_band(predictions):
    twice = pd.concat([predictions, predictions.assign(repeat=1)])
    once, again = flexible_calibration_table(predictions), flexible_calibration_table(twice)
    np.testing.assert_allclose(again, once, rtol=1e-12)
    other = predictions.assign(repeat=1, score=predictions["score"] ** 2)
    both = flexible_calibration_metrics(pd.concat([predictions, other]), split="x")
    single = [flexible_calibration_metrics(frame, split="x") for frame in (predictions, other)]
    for place, metric in enumerate(both):
        assert metric.value == pytest.approx(np.mean([found[place].value for found in single]))


def test_worse_calibration_is_larger(predictions):
    extreme = predictions.assign(score=expit(3 * logit(predictions["score"])))
    for good, bad in zip(
        flexible_calibration_metrics(predictions, split="x"),
        flexible_calibration_metrics(extreme, split="x"),
        strict=True,
    ):
        assert bad.value > good.value + 0.05


def test_bad_input_says_what_is_expected(predictions):
    with pytest.raises(DataError, match="not decision values"):
        flexible_calibration_table(predictions.assign(score=predictions["score"] * 4))
    with pytest.raises(DataError, match="hardly differ"):
        flexible_calibration_table(predictions.assign(score=0.3))
    with pytest.raises(OutcomeError, match="both classes"):
        flexible_calibration_metrics(predictions.assign(label=0.0), split="x")
    with pytest.raises(OutcomeError, match="separate them"):
        flexible_calibration_table(
            predictions.assign(label=(predictions["score"] > 0.5).astype(float))
        )
