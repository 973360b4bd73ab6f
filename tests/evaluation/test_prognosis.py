import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test
from sksurv.metrics import concordance_index_censored

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    SchemaError,
    StudyError,
)
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import adjusted_hazard_ratio, concordance_metric, prognosis
from radiogenomics.stats import concordance, logrank


def simulate(rng, *, n: int = 100, effect: float = 0.8) -> tuple[pd.Series, SurvivalOutcome]:
    index = pd.Index([f"P{i}" for i in range(n)], name="patient_id")
    risk = pd.Series(rng.normal(3, 2, size=n), index=index)
    death = rng.exponential(20 * np.exp(-effect * (risk - 3) / 2))
    censoring = rng.uniform(5, 60, size=n)
    time = pd.Series(np.minimum(death, censoring), index=index)
    return risk, SurvivalOutcome("OS", time, pd.Series(death <= censoring, index=index))


@pytest.fixture
def cohort(rng) -> tuple[pd.Series, SurvivalOutcome]:
    return simulate(rng)


def by_name(metrics):
    return {metric.name: metric for metric in metrics}


def cox(covariate: pd.Series, outcome: SurvivalOutcome) -> pd.Series:
    frame = outcome.to_frame().assign(x=covariate.astype(float))
    options = {"precision": 1e-14, "r_precision": 1e-14}
    return CoxPHFitter().fit(frame, "time", "event", fit_options=options).summary.loc["x"]


def test_hazard_ratios_are_those_of_lifelines(cohort, rng):
    risk, outcome = cohort
    metrics, tables = prognosis(risk, outcome, split="external:X", cutoff=3.0, rng=rng)
    found = by_name(metrics)
    columns = ["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%"]
    for name, covariate in (
        ("hr_per_sd", (risk - risk.mean()) / risk.std(ddof=1)),
        ("hr_high_vs_low", risk > 3.0),
    ):
        expected = cox(covariate, outcome)
        metric = found[name]
        assert (metric.value, metric.low, metric.high) == pytest.approx(
            tuple(expected[columns]), rel=1e-6
        )
        assert (metric.chance, metric.n, metric.events) == (1.0, 100, outcome.n_events)
        row = tables["hazard_ratios"].set_index("hazard_ratio").loc[metric.value]
        assert row["p"] == pytest.approx(expected["p"], rel=1e-6)
        assert (row["split"], row["model"]) == ("external:X", "univariate")


def test_concordance_is_that_of_scikit_survival(cohort, rng):
    risk, outcome = cohort
    found = by_name(prognosis(risk, outcome, split="x", permutations=0, rng=rng)[0])["c_index"]
    assert found.value == pytest.approx(
        concordance_index_censored(outcome.event, outcome.time, risk)[0], abs=1e-12
    )
    assert found.p_permutation is None and found.low < found.value < found.high


def test_curves_and_logrank_are_those_of_lifelines(cohort, rng):
    risk, outcome = cohort
    high = risk > 3.0
    _, tables = prognosis(risk, outcome, split="x", cutoff=3.0, permutations=0, rng=rng)
    for name, member in (("predicted high", high), ("predicted low", ~high)):
        curve = tables["survival_curves"].groupby("group").get_group(name)
        fit = KaplanMeierFitter().fit(outcome.time[member], outcome.event[member])
        expected = fit.survival_function_["KM_estimate"]
        np.testing.assert_allclose(curve["time"], expected.index)
        np.testing.assert_allclose(curve["survival"], expected, atol=1e-12)
        assert curve["at_risk"].iloc[0] == member.sum()
        assert curve["censored"].sum() == (~outcome.event[member]).sum()
        bounds = fit.confidence_interval_.to_numpy()[1:]
        np.testing.assert_allclose(curve[["low", "high"]].iloc[1:], bounds, rtol=1e-6)
    expected = logrank_test(
        outcome.time[high], outcome.time[~high], outcome.event[high], outcome.event[~high]
    ).p_value
    row = tables["hazard_ratios"].set_index("term").loc["predicted high vs low"]
    assert row["p_logrank"] == pytest.approx(expected, rel=1e-9)


def test_permutation_p_is_counted_by_hand(cohort):
    risk, outcome = cohort
    found = by_name(
        prognosis(
            risk, outcome, split="x", cutoff=3.0, permutations=25, rng=np.random.default_rng(5)
        )[0]
    )
    orders = np.random.default_rng(5).permuted(np.tile(np.arange(100), (25, 1)), axis=1)
    null_c = [concordance(risk.to_numpy()[o], outcome.time, outcome.event).value for o in orders]
    null_hr = [cox(risk.set_axis(risk.index[np.argsort(o)]), outcome)["coef"] for o in orders]
    observed = cox(risk, outcome)["coef"]
    assert found["c_index"].p_permutation == pytest.approx(
        (1 + np.sum(np.array(null_c) >= found["c_index"].value)) / 26
    )
    assert found["hr_per_sd"].p_permutation == pytest.approx(
        (1 + np.sum(np.array(null_hr) >= observed)) / 26
    )


def test_direction_matters_unless_asked_otherwise(rng):
    risk, outcome = simulate(rng, effect=1.0)
    reverse, _ = prognosis(-risk, outcome, split="x", permutations=200, rng=rng)
    assert by_name(reverse)["hr_per_sd"].value < 1
    assert min(m.p_permutation for m in reverse) > 0.9
    both, _ = prognosis(
        -risk, outcome, split="x", permutations=200, rng=rng, alternative="two-sided"
    )
    assert max(m.p_permutation for m in both) < 0.02


def test_p_values_of_unrelated_risks_are_uniform(rng):
    p = {"hr_per_sd": [], "hr_high_vs_low": [], "c_index": []}
    for _ in range(120):
        risk, outcome = simulate(rng, n=40, effect=0.0)
        metrics, _ = prognosis(risk, outcome, split="x", cutoff=3.0, permutations=19, rng=rng)
        for metric in metrics:
            p[metric.name].append(metric.p_permutation)
    for values in p.values():
        # Multiples of 1/20, uniform: their mean is within 4 errors of 0.525.
        assert np.mean(values) == pytest.approx(0.525, abs=4 * 0.29 / np.sqrt(120))
        assert np.mean(np.array(values) <= 0.05) < 0.13


def test_ready_classes_stand_in_for_a_cutoff(cohort, rng):
    risk, outcome = cohort
    by_cutoff = prognosis(risk, outcome, split="x", cutoff=3.0, permutations=0, rng=rng)
    by_class = prognosis(risk, outcome, split="x", high=risk > 3.0, permutations=0, rng=rng)
    assert by_cutoff[0] == by_class[0]
    with pytest.raises(StudyError, match="found both"):
        prognosis(risk, outcome, split="x", cutoff=3.0, high=risk > 3.0, rng=rng)
    with pytest.raises(AlignmentError, match="classes and risk"):
        prognosis(risk, outcome, split="x", high=(risk > 3.0).iloc[::-1], rng=rng)


@pytest.mark.parametrize(("cutoff", "who"), [(100.0, "none"), (-100.0, "all")])
def test_empty_group_is_said_and_left_out(cohort, rng, cutoff, who):
    risk, outcome = cohort
    with pytest.warns(RadiogenomicsWarning, match=f"calls {who} of 100 patients high"):
        metrics, tables = prognosis(
            risk, outcome, split="x", cutoff=cutoff, permutations=9, rng=rng
        )
    assert set(by_name(metrics)) == {"hr_per_sd", "c_index"}
    assert "survival_curves" not in tables


def test_group_without_events_is_said_and_left_out(rng):
    risk, outcome = simulate(rng)
    low = risk < risk.quantile(0.1)
    outcome = SurvivalOutcome("OS", outcome.time, outcome.event & ~low)
    with pytest.warns(RadiogenomicsWarning, match="hr_high_vs_low is left out"):
        metrics, tables = prognosis(risk, outcome, split="x", high=~low, permutations=9, rng=rng)
    assert "hr_high_vs_low" not in by_name(metrics)
    assert set(tables["survival_curves"]["group"]) == {"predicted high", "predicted low"}


def test_risk_and_outcome_must_name_the_same_patients(cohort, rng):
    risk, outcome = cohort
    with pytest.raises(AlignmentError, match="another order"):
        prognosis(risk.iloc[::-1], outcome, split="x", rng=rng)
    with pytest.raises(AlignmentError, match=r"1 on one side only \(P99\)"):
        prognosis(risk.iloc[:-1], outcome, split="x", rng=rng)


def test_unusable_risks_are_refused(cohort, rng):
    risk, outcome = cohort
    with pytest.raises(DataError, match="all equal"):
        prognosis(risk * 0, outcome, split="x", rng=rng)
    with pytest.raises(DataError, match="2 missing of 100"):
        prognosis(risk.mask(np.arange(100) < 2), outcome, split="x", rng=rng)


def test_few_events_are_refused(cohort, rng):
    risk, outcome = cohort
    few = SurvivalOutcome("OS", outcome.time, outcome.event & (outcome.event.cumsum() <= 9))
    with pytest.raises(OutcomeError, match="at least 10 events; found 9"):
        prognosis(risk, few, split="x", rng=rng)
    assert prognosis(risk, few, split="x", rng=rng, permutations=0, minimum_events=9)[0]


def test_concordance_is_averaged_over_repeats(cohort, rng):
    risk, outcome = cohort
    repeats = [risk + rng.normal(size=100) for _ in range(3)]
    predictions = pd.concat(
        pd.DataFrame({"patient_id": r.index, "repeat": i, "score": r}).sample(
            frac=1, random_state=i
        )
        for i, r in enumerate(repeats)
    )
    each = [concordance(r, outcome.time, outcome.event) for r in repeats]
    value = np.mean([c.value for c in each])
    found = concordance_metric(predictions, outcome, split="x", null=[0.5, value, 0.99], name="c")
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.p_permutation == pytest.approx(3 / 4)
    se = np.sqrt(np.mean([c.se**2 for c in each]))
    odds = value / (1 - value) * np.exp(-1.959963984540054 * se / (value * (1 - value)))
    assert found.low == pytest.approx(odds / (1 + odds), rel=1e-9)


def test_a_risk_that_only_knows_the_site_has_one_half_within_sites(rng):
    site = pd.Series(np.repeat(["north", "south"], 80), [f"P{i}" for i in range(160)])
    death = rng.exponential(np.where(site == "north", 5.0, 40.0))
    outcome = SurvivalOutcome("OS", pd.Series(death, site.index), pd.Series(1, site.index))
    known = pd.DataFrame(
        {"patient_id": site.index, "repeat": 0, "score": (site == "north").to_numpy() * 1.0}
    )
    # Of 160 * 159 / 2 pairs 80 * 80 are of two sites, and right in 40 / 45 of them; others tie.
    truth = 0.5 + (40 / 45 - 0.5) * 6400 / 12720
    found = concordance_metric(known, outcome, split="x")
    assert 0.6 < found.low < truth < found.high
    assert concordance_metric(known, outcome, split="x", strata=site).value == 0.5


def test_strata_follow_the_patients_and_are_of_all(cohort):
    risk, outcome = cohort
    site = pd.Series(np.arange(100) % 3, risk.index)
    given = pd.DataFrame({"patient_id": risk.index, "repeat": 0, "score": risk.to_numpy()})
    direct = concordance(risk, outcome.time, outcome.event, strata=site)
    shuffled = given.sample(frac=1, random_state=3)
    found = concordance_metric(shuffled, outcome, split="x", strata=site[::-1])
    assert found.value == pytest.approx(direct.value, abs=1e-12)
    assert found.high == pytest.approx(direct.high, abs=1e-12)
    with pytest.raises(AlignmentError, match=r"one stratum a patient; found 1 without \(P0\)"):
        concordance_metric(given, outcome, split="x", strata=site.iloc[1:])
    with pytest.raises(AlignmentError, match=r"0 without .* and 1 repeated \(P0\)"):
        concordance_metric(given, outcome, split="x", strata=pd.concat([site, site.iloc[:1]]))
    with pytest.raises(OutcomeError, match="x: expected patients of one stratum of whom one"):
        concordance_metric(given, outcome, split="x", strata=pd.Series(risk.index, risk.index))


def test_predictions_that_lack_something_are_refused(cohort):
    risk, outcome = cohort
    given = pd.DataFrame({"patient_id": risk.index, "repeat": 0, "score": risk.to_numpy()})
    with pytest.raises(SchemaError, match="found 100 rows and no score"):
        concordance_metric(given.drop(columns="score"), outcome, split="x")
    with pytest.raises(SchemaError, match="1 patients more than once"):
        concordance_metric(pd.concat([given, given.iloc[:1]]), outcome, split="x")


def test_patient_without_outcome_is_refused(cohort):
    risk, outcome = cohort
    predictions = pd.DataFrame({"patient_id": ["P0", "X"], "repeat": 0, "score": [1.0, 2.0]})
    with pytest.raises(AlignmentError, match="X"):
        concordance_metric(predictions, outcome, split="x")


def test_strata_have_baselines_of_their_own(rng):
    """One hospital's patients live ten times as long: pooled, that hides what the risk says."""
    names = [f"P{i}" for i in range(120)]
    site = pd.Series(np.repeat(["a", "b"], 60), index=names, name="site")
    risk = pd.Series(rng.normal(size=120), index=names)
    death = rng.exponential(np.where(site == "a", 4, 40) * np.exp(-risk))
    end = rng.uniform(1, 60, 120)
    outcome = SurvivalOutcome(
        "OS", pd.Series(np.minimum(death, end), names), pd.Series(death <= end, names)
    )
    given = {"split": "x", "cutoff": 0.0, "permutations": 9, "blocks": site}
    metrics, tables = prognosis(risk, outcome, strata=site, rng=np.random.default_rng(1), **given)
    per_sd, groups, c_index = metrics
    frame = outcome.to_frame().assign(x=(risk - risk.mean()) / risk.std(), site=site)
    options = {"precision": 1e-14, "r_precision": 1e-14}
    theirs = CoxPHFitter(strata=["site"]).fit(frame, "time", "event", fit_options=options)
    assert per_sd.value == pytest.approx(theirs.summary.loc["x", "exp(coef)"], rel=1e-8)
    c = concordance(risk, outcome.time, outcome.event, strata=site)
    assert c_index.value == pytest.approx(c.value)
    rows = tables["hazard_ratios"]
    assert set(rows["model"]) == {"stratified by site"}
    tested = logrank(outcome.time, outcome.event, risk > 0, strata=site)
    assert rows["p_logrank"].iloc[1] == pytest.approx(tested.p)
    assert "survival_curves" not in tables
    pooled, _ = prognosis(risk, outcome, rng=np.random.default_rng(1), **given)
    assert pooled[0].value < per_sd.value
    table = adjusted_hazard_ratio(
        risk, outcome, pd.DataFrame({"age": rng.normal(size=120)}, names), split="x", strata=site
    )
    assert table["hazard_ratio"].iloc[0] > pooled[0].value
