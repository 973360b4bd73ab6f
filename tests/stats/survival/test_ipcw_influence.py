from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.stats.survival.ipcw_influence import (
    WEIGHTS,
    censoring_influence,
    ipcw_weights,
    standard_error,
)
from radiogenomics.stats.survival.kaplan_meier import kaplan_meier


@pytest.mark.parametrize("width", [0.0, 5.0], ids=["untied", "tied"])
def test_weights_are_a_decomposition_of_the_kaplan_meier_curve(
    rng: np.random.Generator, width: float
) -> None:
    death, end = rng.exponential(20, 80), rng.uniform(1, 40, 80)
    time, event = np.minimum(death, end), death <= end
    time = np.ceil(time / width) * width if width else time
    times = np.array([5.0, 12.0, 20.0])
    case, control = ipcw_weights(time, event, times)
    survival = kaplan_meier(time, event).at(times)
    np.testing.assert_allclose(control.mean(axis=1), survival, rtol=1e-12)
    np.testing.assert_allclose(case.mean(axis=1), 1 - survival, rtol=1e-12)
    # The influence on the curve is Greenwood's variance, exactly, when it is the derivative.
    step = censoring_influence(control, time, event, times=times, weights="jackknife")
    influence = control - survival[:, None] + step
    np.testing.assert_allclose(
        np.square(influence).sum(axis=1) / 80**2, greenwood(time, event, times), rtol=1e-10
    )
    usual = censoring_influence(control, time, event, times=times, weights="martingale")
    assert not np.allclose(usual, step, rtol=1e-6)


def greenwood(time: np.ndarray, event: np.ndarray, times: np.ndarray) -> np.ndarray:
    found = []
    for t in times:
        total = 0.0
        for u in np.unique(time[event & (time <= t)]):
            d, at_risk = (event & (time == u)).sum(), (time >= u).sum()
            total += d / (at_risk * (at_risk - d))
        found.append(kaplan_meier(time, event).at([t])[0] ** 2 * total)
    return np.array(found)


def test_nothing_is_added_where_nobody_is_censored_or_g_is_known(rng: np.random.Generator) -> None:
    time, event = rng.exponential(10, 30), np.ones(30, dtype=bool)
    terms = rng.random((1, 30))
    for weights in WEIGHTS:
        found = censoring_influence(terms, time, event, times=np.array([8.0]), weights=weights)
        assert not found.any()
    event[:10] = False
    assert not censoring_influence(terms, time, event, times=np.array([8.0]), weights="known").any()


@pytest.mark.parametrize("weights", ["jackknife", "martingale"])
def test_influences_sum_to_zero(rng: np.random.Generator, weights: str) -> None:
    death, end = rng.exponential(20, 60), rng.uniform(1, 40, 60)
    time, event = np.ceil(np.minimum(death, end)), death <= end
    times = np.array([6.0, 15.0])
    case, control = ipcw_weights(time, event, times)
    found = censoring_influence(case + control, time, event, times=times, weights=weights)
    np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-10)


def test_unknown_treatment_names_the_known() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'martingale'"):
        censoring_influence(
            np.zeros((1, 2)),
            np.array([1.0, 2.0]),
            np.array([True, False]),
            times=np.array([1.0]),
            weights="martingal",
        )


def test_standard_error_is_that_of_a_mean(rng: np.random.Generator) -> None:
    values = rng.normal(size=(3, 50))
    expected = values.std(axis=1, ddof=1) / np.sqrt(50)
    np.testing.assert_allclose(standard_error(values), expected, rtol=1e-12)
