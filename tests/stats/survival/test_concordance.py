from __future__ import annotations

from contextlib import nullcontext
from importlib import import_module
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.utils import concordance_index
from numpy.testing import assert_allclose
from scipy.special import expit, logit
from sksurv.metrics import concordance_index_censored

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats import concordance, concordance_batch
from radiogenomics.stats.survival.concordance import comparable_pairs

SCORES = ["x1", "x2", "x3", *(f"g{i}" for i in range(1, 13))]


@pytest.fixture(scope="module")
def risks(patients, genes) -> np.ndarray:
    return np.vstack([patients[["x1", "x2", "x3"]].to_numpy().T, genes])


def test_matches_r_survival_concordance(patients, risks, values):
    for name, risk in zip(SCORES, risks, strict=True):
        found = concordance(risk, patients["time"], patients["event"])
        assert found.value == pytest.approx(values("concordance", name, "value")[0], rel=1e-12)
        assert found.se**2 == pytest.approx(values("concordance", name, "variance")[0], rel=1e-10)
        assert found.n_comparable == values("concordance", name, "comparable")[0]
        assert found.n == len(patients)


@pytest.fixture(scope="module", params=["stratum", "fine"])
def strata(request, patients) -> tuple[str, np.ndarray]:
    """Three strata, and up to 24 of which many have no pair."""
    columns = ["stratum", "group", "x3"] if request.param == "fine" else ["stratum"]
    return request.param, patients[columns].astype(str).agg(" ".join, axis=1).to_numpy()


def test_within_strata_matches_r(strata, patients, risks, values):
    name, labels = strata
    batch = concordance_batch(risks, patients["time"], patients["event"], strata=labels)
    for score, risk, many in zip(SCORES, risks, batch, strict=True):
        found = concordance(risk, patients["time"], patients["event"], strata=labels)
        key = f"{name}_{score}"
        expected = values("concordance_strata", key, "value")[0]
        assert found.value == pytest.approx(expected, rel=1e-12)
        assert many == pytest.approx(expected, rel=1e-14)
        variance = values("concordance_strata", key, "variance")[0]
        assert found.se**2 == pytest.approx(variance, rel=1e-10)
        assert found.n_comparable == values("concordance_strata", key, "comparable")[0]
    counted = comparable_pairs(patients["time"], patients["event"], strata=labels)
    assert counted == found.n_comparable


def test_one_stratum_is_none(patients, risks):
    outcome = patients["time"], patients["event"]
    assert concordance(risks[0], *outcome, strata=np.ones(140)) == concordance(risks[0], *outcome)


def test_strata_without_a_pair_or_a_label_are_named(patients, risks):
    outcome = patients["time"], patients["event"]
    with pytest.warns(RadiogenomicsWarning, match="expected comparable pairs; found none"):
        alone = concordance(risks[0], *outcome, strata=np.arange(140))
    assert np.isnan(alone.value) and alone.n_comparable == 0
    assert np.isnan(concordance_batch(risks, *outcome, strata=np.arange(140))).all()
    with pytest.raises(DataError, match="one stratum per patient"):
        concordance(risks[0], *outcome, strata=["a"])
    with pytest.raises(DataError, match="1 missing"):
        comparable_pairs(*outcome, strata=[None, *"a" * 139])


def test_perfect_order_within_strata_counts_patients_of_each():
    time, labels = np.tile(np.arange(1, 11), 2), np.repeat(["a", "b"], 10)
    found = concordance(-time, time, np.ones(20), strata=labels)
    assert found.value == 1.0
    # Five pairs in each stratum can be formed without using a patient twice.
    assert found.low == pytest.approx(0.025 ** (1 / 10))


def test_interval_is_wald_on_the_logit(patients):
    found = concordance(patients["x1"], patients["time"], patients["event"], level=0.9)
    half = 1.6448536269514722 * found.se / (found.value * (1 - found.value))
    assert_allclose([found.low, found.high], expit(logit(found.value) + np.array([-half, half])))


def test_batch_is_exactly_the_single_value(patients, risks, values):
    batch = concordance_batch(risks, patients["time"], patients["event"])
    reference = [values("concordance", name, "value")[0] for name in SCORES]
    assert_allclose(batch, reference, rtol=1e-14)


def test_agrees_with_scikit_survival_where_times_are_distinct(rng):
    time, event = rng.permutation(600) + 1.0, rng.random(600) < 0.4
    # Long enough that the one-byte counter of the batch carries over, with and without ties.
    risks = np.vstack([rng.normal(size=(3, 600)), rng.integers(0, 4, (3, 600))])
    batch = concordance_batch(risks, time, event)
    for risk, value in zip(risks, batch, strict=True):
        assert value == pytest.approx(concordance_index_censored(event, time, risk)[0], rel=1e-12)
        assert value == pytest.approx(concordance_index(time, -risk, event), rel=1e-12)
        assert concordance(risk, time, event).value == pytest.approx(value, rel=1e-12)


def test_chunks_do_not_show(patients, risks, monkeypatch):
    whole = concordance_batch(risks, patients["time"], patients["event"])
    single = concordance(risks[1], patients["time"], patients["event"])
    module = import_module("radiogenomics.stats.survival.concordance")
    for name, size in (("_WIDTH", 4), ("_ROWS", 9), ("_PAIRS_AT_ONCE", 1000)):
        monkeypatch.setattr(module, name, size)
    assert_allclose(
        concordance_batch(risks, patients["time"], patients["event"]), whole, rtol=1e-14
    )
    again = concordance(risks[1], patients["time"], patients["event"])
    assert again.se == pytest.approx(single.se, rel=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(2, 14))
@settings(max_examples=60, deadline=None)
def test_counts_pairs_as_the_definition_says(seed, n):
    rng = np.random.default_rng(seed)
    time, event, risk = rng.integers(0, 5, n), rng.random(n) < 0.6, rng.integers(0, 4, n)
    event[0], time[0] = True, time[0] + 1
    score = pairs = 0.0
    for i, j in combinations(range(n), 2):
        first, other = (i, j) if (time[i], ~event[i]) <= (time[j], ~event[j]) else (j, i)
        tied = time[i] == time[j]
        if not event[first] or (tied and event[other]):
            continue
        pairs += 1
        score += 1.0 * (risk[first] > risk[other]) + 0.5 * (risk[first] == risk[other])
    with pytest.warns(RadiogenomicsWarning) if pairs == 0 else nullcontext():
        found = concordance(risk, time, event)
    batch = concordance_batch(risk[None], time, event)[0]
    assert comparable_pairs(time, event) == pairs
    assert found.n_comparable == pairs
    if pairs == 0:
        assert np.isnan([found.value, found.se, found.low, found.high, batch]).all()
    else:
        assert found.value == pytest.approx(score / pairs, abs=1e-12)
        assert batch == pytest.approx(score / pairs, abs=1e-12)
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert found.low < found.high
        reverse = concordance(-risk, time, event)
        assert reverse.value == pytest.approx(1 - found.value, abs=1e-12)
        assert reverse.low == pytest.approx(1 - found.high, abs=1e-9)


def test_no_comparable_pair_warns():
    with pytest.warns(RadiogenomicsWarning, match="expected comparable pairs; found none"):
        found = concordance([1, 2, 3], [1, 2, 3], [0, 0, 1])
    assert np.isnan(found.value) and found.n_comparable == 0


def test_perfect_order_has_a_one_sided_interval():
    time = np.arange(1, 21)
    found = concordance(-time, time, np.ones(20))
    assert (found.value, found.high) == (1.0, 1.0)
    # Ten pairs can be formed without using a patient twice.
    assert found.low == pytest.approx(0.025 ** (1 / 10))


def test_interval_covers_the_truth(rng):
    # Two exponential survival times with hazard ratio exp(b d): P(first fails first) = expit(b d).
    covered = 0
    x = rng.normal(size=(4000, 2))
    truth = expit(np.abs(x[:, 0] - x[:, 1])).mean()
    for _ in range(200):
        risk = rng.normal(size=80)
        found = concordance(risk, rng.exponential(np.exp(-risk)), np.ones(80))
        covered += found.low <= truth <= found.high
    assert 0.89 <= covered / 200 <= 0.99


def test_missing_risk(patients, risks):
    holed = risks[:2].copy()
    holed[0, 5] = np.nan
    batch = concordance_batch(holed, patients["time"], patients["event"])
    assert np.isnan(batch[0])
    assert batch[1] == concordance_batch(risks[1:2], patients["time"], patients["event"])[0]
    with pytest.raises(DataError, match="1 missing"):
        concordance(holed[0], patients["time"], patients["event"])


def test_impossible_input_says_what_to_do(patients, risks):
    with pytest.raises(DataError, match="one score a row"):
        concordance_batch(risks.T, patients["time"], patients["event"])
    with pytest.raises(OutcomeError, match="one length"):
        concordance(risks[0], patients["time"], patients["event"][:-1])


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)
