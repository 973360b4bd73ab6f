from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.utils import concordance_index
from scipy.stats import chi2
from sklearn.base import clone
from sksurv.metrics import cumulative_dynamic_auc
from sksurv.util import Surv

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import cross_validate_survival
from radiogenomics.evaluation.survival_fold import predicted_survival
from radiogenomics.omics import SignatureDerivation, SubsetSearch, SurvivalScreen
from radiogenomics.study.derivation.cohorts import join, read_molecules
from radiogenomics.study.derivation.evidence import Judge, judge_derivation
from radiogenomics.study.derivation.plan import DerivationPlan
from radiogenomics.study.derivation.validation import (
    lock_baseline,
    validate_inside,
    validate_outside,
)
from radiogenomics.study.signature import mean_risk

QUICK = {"minimum_events": 10, "folds": 3, "repeats": 1, "permutations": 1, "random_signatures": 0}
OUTSIDE = "signature, external:{}"
INSIDE = "signature, cross-validation"


def plan_of(**values):
    return DerivationPlan.model_validate({**QUICK, **values})


def rule_of(size=2, reference=None):
    return SignatureDerivation(
        SurvivalScreen(alpha=1, k=20), SubsetSearch(size, size=size), minimum_events=10,
        reference=reference, name="made",
    )  # fmt: skip


@pytest.fixture(scope="module")
def parts(near, far):
    return [read_molecules(w.cohort, assay="rna", endpoint="OS") for w in (near, far)]


@pytest.fixture(scope="module")
def derived(parts):
    """Derivation from the first cohort, fitted; its cohorts."""
    discovery = join(parts[:1])
    unit = rule_of().set_params(unit=parts[0].unit)
    return unit.fit(discovery.expression, discovery.outcome.to_structured()), discovery


def made(like, name, *, n=300, hazard=1.0, beta=0.45, seed=0, links=("G2", "G6")):
    """A cohort with age, sex and stage, in which two genes carry the risk."""
    rng = np.random.default_rng([seed, n])
    ids = pd.Index([f"{name}{i}" for i in range(n)])
    genes = pd.DataFrame(rng.normal(6, 1, (n, 12)), ids, [f"G{i}" for i in range(12)])
    carried = genes[list(links)].sum(axis=1) - 6 * len(links)
    death = rng.exponential(20 / hazard * np.exp(-beta * carried))
    end = rng.uniform(10, 60, n)
    time, event = pd.Series(np.minimum(death, end), ids), pd.Series(death <= end, ids)
    patients = pd.DataFrame(
        {
            "age": rng.normal(60, 9, n).round(1),
            "sex": rng.choice(["female", "male"], n),
            "stage": rng.choice([1.0, 2.0, 3.0], n),
        },
        ids,
    )
    cohort = replace(like.cohort, id=name, patients=patients, assays={}, outcomes={}, scans=())
    outcome = SurvivalOutcome("OS", time, event)
    return replace(like, cohort=cohort, tumour=genes, normal=None, outcome=outcome)


def fitted_to(*cohorts, plan, reference=None):
    discovery = join(cohorts)
    rule = rule_of(reference=reference).set_params(unit=cohorts[0].unit)
    rule.fit(discovery.expression, discovery.outcome.to_structured())
    return rule, lock_baseline(rule, discovery, plan)


def cox(frame, *, columns, strata=None):
    data = frame[[*columns, "time", "event", *([strata] if strata else [])]].astype(
        dict.fromkeys(columns, float)
    )
    model = CoxPHFitter()
    model.fit(data, "time", "event", strata=strata, fit_options={"precision": 1e-12})
    return model


def survival_frame(part, risk):
    frame = part.outcome.to_frame().assign(risk=(risk - risk.mean()) / risk.std(ddof=1))
    return frame.join(part.cohort.patients)


def metric(found, name, split):
    value = found.metric(name, split=split)
    assert value is not None, [m.name for m in found.metrics]
    return value


def test_outside_is_what_lifelines_says_of_the_locked_score(parts, derived):
    fitted, discovery = derived
    far = parts[1]
    plan = plan_of()
    baseline = lock_baseline(fitted, discovery, plan)
    found = validate_outside(fitted.signature_, far, plan, baseline=baseline, seed=0)
    risk = fitted.signature_.score(far.tumour)
    frame = survival_frame(far, risk)
    c = metric(found, "signature_c_index", "external:far")
    assert c.value == pytest.approx(concordance_index(frame["time"], -risk, frame["event"]))
    assert c.low < c.value < c.high
    for name, values in (("hr_per_sd", frame["risk"]), ("hr_high_vs_low", None)):
        x = (risk > fitted.signature_.cutoff).astype(float) if values is None else values
        model = cox(frame.assign(x=x), columns=["x"])
        expected = np.exp([model.params_["x"], *model.confidence_intervals_.to_numpy()[0]])
        ours = metric(found, f"signature_{name}", "external:far")
        assert (ours.value, ours.low, ours.high) == pytest.approx(tuple(expected), rel=1e-7)
        assert ours.p_permutation is not None
    curves = found.tables["survival_curves"]
    high = risk > fitted.signature_.cutoff
    kaplan = KaplanMeierFitter().fit(frame["time"][high], frame["event"][high])
    ours = curves[curves["group"] == "predicted high"]
    np.testing.assert_allclose(
        ours["survival"], kaplan.survival_function_at_times(ours["time"]), rtol=1e-10
    )


def test_accuracy_over_time_is_that_of_scikit_survival(parts, derived):
    fitted, discovery = derived
    far = parts[1]
    risk = fitted.signature_.score(far.tumour)
    y = Surv.from_arrays(far.outcome.event, far.outcome.time)
    for plan in (plan_of(), plan_of(horizons=(6, 9))):
        baseline = lock_baseline(fitted, discovery, plan)
        found = validate_outside(fitted.signature_, far, plan, baseline=baseline, seed=0)
        table = found.tables["time_dependent_auc"]
        assert list(table) == ["split", "horizon", "auc", "low", "high", "n", "events"]
        assert set(table["split"]) == {OUTSIDE.format("far")}
        areas, mean = cumulative_dynamic_auc(y, y, risk, table["horizon"])
        np.testing.assert_allclose(table["auc"], areas, rtol=1e-9)
        integrated = metric(found, "signature_integrated_auc", "external:far")
        assert integrated.value == pytest.approx(mean, rel=1e-9)
        early = (far.outcome.time.to_numpy()[:, None] <= table["horizon"].to_numpy()).T
        assert table["events"].tolist() == (early & far.outcome.event.to_numpy()).sum(1).tolist()
    assert metric(found, "signature_auc_at_6_months", "external:far").value == pytest.approx(
        areas[0], rel=1e-9
    )


def test_the_locked_baseline_is_breslows_in_the_reference_cohort(parts):
    """Weights are those of the same Cox model, so the slope is 1 and there is one baseline each."""
    discovery = join(parts)
    rule = rule_of(reference="far")
    rule.fit(discovery.expression, discovery.outcome.to_structured())
    baseline = lock_baseline(rule, discovery, plan_of())
    assert baseline.slope == pytest.approx(1, abs=1e-8)
    assert baseline.cohort == "far"
    far = parts[1]
    score = rule.signature_.score(far.tumour).to_numpy()
    time, event = far.outcome.time.to_numpy(), far.outcome.event.to_numpy()
    assert len(set(time[event])) == event.sum()
    hazard = [
        sum(1 / np.exp(score[time >= t]).sum() for t in time[event] if t <= month)
        for month in baseline.horizons
    ]
    expected = np.exp(-np.outer(np.exp(score), hazard))
    months = list(baseline.horizons)
    found = baseline.survival(rule.signature_.score(far.tumour), months)
    assert list(found.columns) == months
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    assert baseline.last == time.max()


class Halved(SubsetSearch):
    """A search that offers weights shrunken to a half, as a penalised one does."""

    @property
    def weights_(self):
        return self.coef_ / 2


def test_shrunken_weights_foretell_the_same_survival(parts, derived):
    """The slope undoes a scale of the weights, as those of a penalised model have."""
    fitted, discovery = derived
    search = Halved(2, size=2).set_params(splitter=None)
    halved = clone(fitted).set_params(search=search)
    halved.fit(discovery.expression, discovery.outcome.to_structured())
    assert halved.signature_.genes == fitted.signature_.genes
    one, two = (lock_baseline(rule, discovery, plan_of()) for rule in (fitted, halved))
    assert two.slope == pytest.approx(2 * one.slope, rel=1e-8)
    scores = [rule.signature_.score(parts[1].tumour) for rule in (fitted, halved)]
    foretold = (
        each.survival(score, [6, 9]) for each, score in zip((one, two), scores, strict=True)
    )
    np.testing.assert_allclose(*foretold, rtol=1e-8)


def test_calibration_by_hand(parts, derived):
    fitted, discovery = derived
    far = parts[1]
    plan = plan_of(horizons=(6, 9))
    baseline = lock_baseline(fitted, discovery, plan)
    found = validate_outside(fitted.signature_, far, plan, baseline=baseline, seed=0)
    risk = fitted.signature_.score(far.tumour)
    predicted = 1 - baseline.survival(risk, [6, 9])[9]
    time, event = far.outcome.time, far.outcome.event
    table = found.tables["survival_calibration"]
    assert list(table) == "split horizon group predicted observed low high n".split()
    rows = table[table["horizon"] == 9].set_index("group")
    assert len(rows) == 2
    for group, member in enumerate(
        (predicted <= predicted.median(), predicted > predicted.median())
    ):
        row, kaplan = rows.loc[group + 1], KaplanMeierFitter().fit(time[member], event[member])
        assert row["predicted"] == pytest.approx(predicted[member].mean())
        assert row["observed"] == pytest.approx(1 - kaplan.predict(9))
        assert row["n"] == member.sum()
        assert row["low"] < row["observed"] < row["high"]
    ratio = metric(found, "signature_observed_expected_at_9_months", "external:far")
    everyone = KaplanMeierFitter().fit(time, event)
    assert ratio.value == pytest.approx((1 - everyone.predict(9)) / predicted.mean())
    frame = pd.DataFrame({"x": risk, "time": time.clip(upper=9), "event": event & (time <= 9)})
    slope = metric(found, "signature_calibration_slope", "external:far")
    model = cox(frame, columns=["x"])
    expected = (model.params_["x"], *model.confidence_intervals_.to_numpy()[0])
    assert (slope.value, slope.low, slope.high) == pytest.approx(expected, rel=1e-6)
    ici = metric(found, "signature_ici_at_9_months", "external:far")
    assert 0 < ici.value < 0.5
    assert ici.chance is None


def test_horizons_are_quartiles_of_the_events_in_whole_months(parts):
    one = made(parts[0], "one", n=600)
    _, baseline = fitted_to(one, plan=plan_of())
    events = one.outcome.time[one.outcome.event]
    assert all(month == round(month) for month in baseline.horizons)
    np.testing.assert_allclose(baseline.horizons, events.quantile([0.25, 0.5, 0.75]), atol=1)


def test_a_cohort_of_the_same_law_is_calibrated_and_a_sicker_one_is_not(parts):
    plan = plan_of(horizons=(6, 12))
    rule, baseline = fitted_to(made(parts[0], "one", n=500), plan=plan)
    assert set(rule.signature_.genes) == {"G2", "G6"}
    same, sicker = (
        validate_outside(
            rule.signature_,
            made(parts[0], name, n=500, hazard=hazard, seed=2),
            plan,
            baseline=baseline,
            seed=0,
        )
        for name, hazard in (("same", 1.0), ("sicker", 2.0))
    )
    for horizon in (6, 12):
        name = f"signature_observed_expected_at_{horizon}_months"
        assert (
            metric(same, name, "external:same").low < 1 < metric(same, name, "external:same").high
        )
        assert metric(sicker, name, "external:sicker").low > 1
        ici = f"signature_ici_at_{horizon}_months"
        worse, good = metric(sicker, ici, "external:sicker"), metric(same, ici, "external:same")
        assert good.value < 0.06 < worse.value
    for found, split in ((same, "external:same"), (sicker, "external:sicker")):
        slope = metric(found, "signature_calibration_slope", split)
        assert slope.low < 1 < slope.high
        assert metric(found, "signature_integrated_auc", split).low > 0.6


def test_covariates_and_subgroups_are_those_of_lifelines(parts):
    plan = plan_of(covariates=("age", "sex"), subgroups=("sex", "stage", "age"))
    rule, baseline = fitted_to(made(parts[0], "one"), plan=plan)
    other = made(parts[0], "two", n=240, seed=1)
    found = validate_outside(rule.signature_, other, plan, baseline=baseline, seed=0)
    frame = survival_frame(other, rule.signature_.score(other.tumour))
    frame["female"] = (frame["sex"] == "female").astype(float)
    beside = cox(frame, columns=["risk", "age", "female"])
    ours = metric(found, "signature_hr_per_sd_beside_covariates", "external:two")
    expected = np.exp([beside.params_["risk"], *beside.confidence_intervals_.loc["risk"]])
    assert (ours.value, ours.low, ours.high) == pytest.approx(tuple(expected), rel=1e-7)
    models = found.tables["hazard_ratios"]["model"]
    assert set(models) == {"univariate", "beside age, sex"}

    table = found.tables["subgroups"]
    names = "split subgroup level n events hazard_ratio low high p p_interaction".split()
    assert list(table) == names
    assert table["subgroup"].tolist()[0] == "all patients"
    assert (table["subgroup"] == "all patients").sum() == 1
    assert set(table.loc[table["subgroup"] == "stage", "level"]) == {"1", "2", "3"}
    median = f"{frame['age'].median():g}"
    old = table.loc[table["subgroup"] == "age", "level"].tolist()
    assert old == [f"≤ {median}", f"> {median}"]
    rows = table[table["subgroup"] == "sex"].set_index("level")
    for level, members in frame.groupby("sex"):
        alone = cox(members, columns=["risk"])
        assert rows.loc[level, "hazard_ratio"] == pytest.approx(np.exp(alone.params_["risk"]))
        assert rows.loc[level, "n"] == len(members)
    both = frame.assign(product=frame["risk"] * frame["female"])
    apart, alike = (
        cox(both, columns=columns).log_likelihood_
        for columns in (["risk", "female", "product"], ["risk", "female"])
    )
    p = chi2.sf(2 * (apart - alike), 1)
    assert rows["p_interaction"].tolist() == pytest.approx([p, p], rel=1e-6)
    old_age = table.loc[table["subgroup"] == "age", "n"]
    assert old_age.sum() == 240


def test_a_planted_interaction_is_seen(parts):
    """The genes foretell the survival of women only."""
    plan = plan_of(subgroups=("sex",))
    rule, baseline = fitted_to(made(parts[0], "one"), plan=plan)
    other = made(parts[0], "two", n=400, seed=1)
    men = (other.cohort.patients["sex"] == "male").to_numpy()
    genes = other.tumour.copy()
    genes[men] = np.random.default_rng(0).permutation(genes[men].to_numpy())
    other = replace(other, tumour=genes)
    found = validate_outside(rule.signature_, other, plan, baseline=baseline, seed=0)
    rows = found.tables["subgroups"].set_index("level")
    assert rows.loc["female", "low"] > 1
    assert rows.loc["male", "low"] < 1 < rows.loc["male", "high"]
    assert rows.loc["female", "p_interaction"] < 1e-6


def test_columns_that_a_cohort_lacks_are_named_once(parts):
    plan = plan_of(covariates=("age", "grade"), subgroups=("sex", "grade", "aetiology"))
    rule, baseline = fitted_to(made(parts[0], "one"), plan=plan)
    found = validate_outside(
        rule.signature_, made(parts[0], "two", seed=1), plan, baseline=baseline, seed=0
    )
    told = [text for level, text in found.notes if level == "warning"]
    assert told == [
        "two has no values of grade, aetiology: not adjusted for, and no subgroups by it."
    ]
    assert "beside age" in set(found.tables["hazard_ratios"]["model"])
    assert set(found.tables["subgroups"]["subgroup"]) == {"all patients", "sex"}
    none = validate_outside(
        rule.signature_,
        made(parts[0], "two", seed=1),
        plan_of(covariates=("grade",), subgroups=("grade",)),
        baseline=baseline,
        seed=0,
    )
    assert "subgroups" not in none.tables
    assert none.metric("signature_hr_per_sd_beside_covariates", split="external:two") is None


def test_what_rests_on_too_few_events_is_left_out_with_a_note(parts):
    plan = plan_of(covariates=("sparse",), subgroups=("rare", "names"))
    rule, baseline = fitted_to(made(parts[0], "one"), plan=plan)
    other = made(parts[0], "two", n=80, seed=1)
    patients = other.cohort.patients.assign(
        rare=["few"] * 6 + ["many"] * 74,
        sparse=[1.0, 2.0] * 4 + [np.nan] * 72,
        names=other.tumour.index,
    )
    other = replace(other, cohort=replace(other.cohort, patients=patients))
    with pytest.warns(RadiogenomicsWarning, match="lack a covariate"):
        found = validate_outside(rule.signature_, other, plan, baseline=baseline, seed=0)
    levels = found.tables["subgroups"]
    assert levels["level"].tolist() == ["", "many"]
    told = "\n".join(text for level, text in found.notes if level == "warning")
    assert "rare: few (" in told
    assert "events, fewer than 10" in told
    assert "subgroups by names left out" in told
    assert "the model beside covariates left out" in told
    assert metric(found, "signature_c_index", "external:two").n == 80


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda part: replace(part, tumour=part.tumour.drop(columns="G2")), "G2 not measured"),
        (
            lambda part: replace(
                part,
                outcome=SurvivalOutcome("OS", part.outcome.time, part.outcome.event & False),
            ),
            "0 events of OS, below 10",
        ),
        (
            lambda part: replace(
                part,
                tumour=part.tumour.iloc[:9],
                outcome=SurvivalOutcome(
                    "OS", part.outcome.time.iloc[:9], pd.Series(True, part.tumour.index[:9])
                ),
                unit="another",
            ),
            "9 patients, in another unit",
        ),
    ],
    ids=["a gene", "events", "patients"],
)
def test_a_cohort_that_cannot_judge_says_why(parts, change, reason):
    plan = plan_of(minimum_events=10 if "9 pat" not in reason else 5)
    rule, baseline = fitted_to(made(parts[0], "one"), plan=plan)
    part = change(made(parts[0], "two", seed=1))
    found = validate_outside(rule.signature_, part, plan, baseline=baseline, seed=0)
    assert (found.metrics, dict(found.tables)) == ((), {})
    assert found.notes[0][0] == "warning"
    assert found.notes[0][1].startswith(f"external:two: not validated: {reason}")


def test_another_unit_is_standardised_without_outcomes(parts):
    plan = plan_of()
    rule, baseline = fitted_to(made(parts[0], "one"), plan=plan)
    other = made(parts[0], "two", seed=1)
    scaled = replace(other, tumour=other.tumour * 3 + 2, unit="array")
    plain, moved = (
        validate_outside(rule.signature_, part, plan, baseline=baseline, seed=0)
        for part in (other, scaled)
    )
    assert any("standardised on this cohort" in text for _, text in moved.notes)
    for name in ("signature_integrated_auc", "signature_calibration_slope"):
        one, two = (metric(found, name, "external:two").value for found in (plain, moved))
        assert two == pytest.approx(one, rel=0.1)


def test_horizons_beyond_the_follow_up_are_left_out_in_words(parts):
    plan = plan_of(horizons=(12, 300))
    one = made(parts[0], "one")
    rule, baseline = fitted_to(one, plan=plan)
    with pytest.warns(RadiogenomicsWarning, match="300 months"):
        found = validate_outside(
            rule.signature_, made(parts[0], "two", seed=1), plan, baseline=baseline, seed=0
        )
    assert set(found.tables["survival_calibration"]["horizon"]) == {12}
    told = [text for _, text in found.notes]
    assert any("calibration at 300.0 months left out: the baseline of one" in t for t in told)
    short = made(parts[0], "short", seed=2)
    cut = short.outcome.time.clip(upper=8)
    short = replace(
        short,
        outcome=SurvivalOutcome("OS", cut, short.outcome.event & (short.outcome.time <= 8)),
    )
    found = validate_outside(
        rule.signature_, short, plan_of(horizons=(12,)), baseline=baseline, seed=0
    )
    told = "\n".join(text for _, text in found.notes)
    assert "time-dependent AUC left out" in told
    assert "calibration left out: expected times" in told


def test_permutations_stay_within_sites(parts):
    """A score that knows the site and nothing else is concordant, and so is it within sites."""
    plan = plan_of(horizons=(3,))
    rule, baseline = fitted_to(made(parts[0], "one"), plan=plan)
    p = []
    for seed in range(6):
        other = made(parts[0], "two", n=120, beta=0.0, seed=seed)
        rng = np.random.default_rng(seed)
        ill = rng.random(120) < 0.5
        genes = other.tumour.copy()
        genes.loc[ill, ["G2", "G6"]] += 1.2
        time = pd.Series(rng.exponential(np.where(ill, 6, 40)), genes.index)
        outcome = SurvivalOutcome("OS", time, pd.Series(True, genes.index))
        known = other.cohort.patients
        for patients in (known.assign(site=np.where(ill, "a", "b")), known):
            cohort = replace(other.cohort, patients=patients)
            part = replace(other, tumour=genes, outcome=outcome, cohort=cohort)
            found = validate_outside(rule.signature_, part, plan, baseline=baseline, seed=seed)
            p.append(metric(found, "signature_c_index", "external:two").p_permutation)
    assert max(p[1::2]) < 0.01
    assert 0.2 < np.mean(p[::2]) < 0.8


@pytest.fixture(scope="module")
def inside(parts):
    """Out-of-fold risks of two cohorts, with covariates in the second only for stage."""
    cohorts = [made(parts[0], "one", n=160), made(parts[0], "two", n=140, hazard=2, seed=1)]
    lacking = cohorts[0].cohort.patients.drop(columns="stage")
    cohorts[0] = replace(cohorts[0], cohort=replace(cohorts[0].cohort, patients=lacking))
    discovery = join(cohorts)
    plan = plan_of(covariates=("age", "stage"), subgroups=("sex", "stage"), horizons=(12, 24))
    judge = Judge(discovery, plan, tuple(discovery.genes.columns), None, 0, 1)
    evidence = cross_validate_survival(
        rule_of(), discovery.expression, discovery.outcome, splitter=judge.splitter, name="made"
    )
    return cohorts, judge, mean_risk(evidence, discovery.outcome.patient_ids)


def test_inside_every_cohort_is_judged_alone_or_as_a_stratum(inside):
    cohorts, judge, risk = inside
    found = validate_inside(risk, judge)
    for part in cohorts:
        name = part.cohort.id
        own = risk.loc[[f"{name}:{patient}" for patient in part.tumour.index]]
        y = Surv.from_arrays(part.outcome.event, part.outcome.time)
        areas, mean = cumulative_dynamic_auc(y, y, own, [12, 24])
        table = found.tables["time_dependent_auc"]
        rows = table[table["split"] == f"{INSIDE}: {name}"]
        np.testing.assert_allclose(rows["auc"], areas, rtol=1e-9)
        ours = metric(found, f"signature_integrated_auc:{name}", "cross-validation")
        assert ours.value == pytest.approx(mean, rel=1e-9)
        frame = survival_frame(part, own.set_axis(part.tumour.index))
        alone = cox(frame, columns=["risk"])
        rows = found.tables["subgroups"]
        first = rows[(rows["split"] == f"{INSIDE}: {name}") & (rows["subgroup"] == "all patients")]
        assert first["hazard_ratio"].item() == pytest.approx(np.exp(alone.params_["risk"]))
    frame = judge.discovery.outcome.to_frame().assign(
        risk=(risk - risk.mean()) / risk.std(ddof=1),
        cohort=judge.discovery.cohorts,
        age=pd.concat([part.cohort.patients["age"] for part in cohorts]).to_numpy(),
    )
    stratified = cox(frame, columns=["risk", "age"], strata="cohort")
    ours = metric(found, "signature_hr_per_sd_beside_covariates", "cross-validation")
    assert ours.value == pytest.approx(np.exp(stratified.params_["risk"]), rel=1e-7)
    assert ours.n == 300
    by_stage = found.tables["subgroups"].query("subgroup == 'stage'")
    assert set(by_stage["split"]) == {f"{INSIDE}: two"}
    told = [text for level, text in found.notes if level == "warning"]
    assert told == ["one has no values of stage: not adjusted for, and no subgroups by it."]


def test_inside_without_own_baselines_calibration_is_left_out_and_says_why(inside):
    _, judge, risk = inside
    found = validate_inside(risk, judge)
    assert "survival_calibration" not in found.tables
    assert any(
        level == "info" and "calibration left out: at no month" in text
        for level, text in found.notes
    )


def test_inside_survival_of_the_folds_own_baselines_is_calibrated_in_each_cohort(inside):
    cohorts, judge, risk = inside
    rule = SignatureDerivation(
        SurvivalScreen(alpha=1, k=12), SubsetSearch(2, size=2), minimum_events=10, name="made"
    )
    discovery = judge.discovery
    evidence = cross_validate_survival(
        rule, discovery.expression, discovery.outcome,
        splitter=judge.splitter, name="made", horizons=(12, 24),
    )  # fmt: skip
    survival = predicted_survival(evidence, discovery.outcome.patient_ids)
    found = validate_inside(risk, judge, survival=survival)
    table = found.tables["survival_calibration"]
    assert set(table["split"]) == {f"{INSIDE}: one", f"{INSIDE}: two"}
    for part in cohorts:
        name = part.cohort.id
        own = survival.loc[[f"{name}:{patient}" for patient in part.tumour.index], 24]
        kaplan = KaplanMeierFitter().fit(part.outcome.time, part.outcome.event)
        ratio = metric(
            found, f"signature_observed_expected_at_24_months:{name}", "cross-validation"
        )
        assert ratio.value == pytest.approx((1 - kaplan.predict(24)) / (1 - own).mean())
        assert ratio.low < 1 < ratio.high
    assert not [text for level, text in found.notes if "calibration left out" in text]


def test_one_cohort_inside_needs_no_name_and_no_number_stands_twice(parts, derived):
    fitted, discovery = derived
    plan = plan_of(covariates=("age",), subgroups=("sex",))
    judge = Judge(discovery, plan, tuple(discovery.genes.columns), None, 0, 1)
    evidence = cross_validate_survival(
        rule_of(), discovery.expression, discovery.outcome, splitter=judge.splitter, name="x"
    )
    risk = mean_risk(evidence, discovery.outcome.patient_ids)
    found = validate_inside(risk, judge)
    assert set(found.tables["time_dependent_auc"]["split"]) == {INSIDE}
    assert metric(found, "signature_integrated_auc", "cross-validation").n == len(risk)
    baseline = lock_baseline(fitted, discovery, plan)
    outside = validate_outside(fitted.signature_, parts[1], plan, baseline=baseline, seed=0)
    everything = [*judge_derivation(rule_of(), judge).metrics, *found.metrics, *outside.metrics]
    names = [(m.name, m.split) for m in everything]
    assert len(set(names)) == len(names)


def test_the_same_seed_gives_the_same_findings(parts, derived):
    fitted, discovery = derived
    plan = plan_of(covariates=("age",), subgroups=("sex",))
    baseline = lock_baseline(fitted, discovery, plan)
    one, two, other = (
        validate_outside(fitted.signature_, parts[1], plan, baseline=baseline, seed=seed)
        for seed in (1, 1, 2)
    )
    assert [repr(m) for m in one.metrics] == [repr(m) for m in two.metrics]
    assert one.notes == two.notes
    values = [[m.value for m in found.metrics] for found in (one, other)]
    np.testing.assert_array_equal(*values)
