import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from sklearn.base import clone

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.core.signature import Signature
from radiogenomics.omics import CoxSignature

GENES = ("KPNA2", "SMG5")


@pytest.fixture
def cohort(rng) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    n = 120
    patients = [f"P{i}" for i in range(n)]
    latent = rng.normal(size=n)
    genes = pd.DataFrame(
        {
            "KPNA2": 5 + 2 * (0.7 * latent + rng.normal(size=n)),
            "OTHER": rng.normal(size=n),
            "SMG5": 3 + 0.5 * (0.5 * latent + rng.normal(size=n)),
        },
        index=patients,
    )
    death = rng.exponential(20 * np.exp(-latent))
    censoring = rng.uniform(5, 60, size=n)
    time = pd.Series(np.minimum(death, censoring), index=patients)
    return genes, time, pd.Series(death <= censoring, index=patients)


def outcome(time: pd.Series, event: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"time": time, "event": event})


def test_weights_are_those_of_lifelines(cohort):
    genes, time, event = cohort
    fitted = CoxSignature(GENES).fit(genes, outcome(time, event))
    standard = (genes[list(GENES)] - genes[list(GENES)].mean()) / genes[list(GENES)].std(ddof=1)
    frame = standard.assign(time=time, event=event)
    reference = CoxPHFitter().fit(
        frame, "time", "event", fit_options={"precision": 1e-14, "r_precision": 1e-14}
    )
    np.testing.assert_allclose(fitted.signature_.weights, reference.params_, rtol=1e-6)
    np.testing.assert_allclose(fitted.cox_.se, reference.standard_errors_, rtol=1e-6)
    expected = reference.predict_log_partial_hazard(standard)
    np.testing.assert_allclose(fitted.predict(genes), expected, rtol=1e-6, atol=1e-9)


def test_signature_is_locked_and_scores_one_patient_alone(cohort):
    genes, time, event = cohort
    fitted = CoxSignature(GENES, unit="log2(FPKM+1)").fit(genes, outcome(time, event))
    locked = Signature.from_json(fitted.signature_.to_json())
    assert locked.locked and locked.direction == "risk" and locked.unit == "log2(FPKM+1)"
    alone = locked.score(genes.iloc[[7]])
    assert alone.iloc[0] == pytest.approx(fitted.predict(genes).iloc[7], rel=1e-12)


def test_median_cutoff_is_that_of_training_scores(cohort):
    genes, time, event = cohort
    train, test = slice(0, 80), slice(80, None)
    fitted = CoxSignature(GENES).fit(genes.iloc[train], outcome(time, event).iloc[train])
    training = fitted.predict(genes.iloc[train])
    assert fitted.signature_.cutoff == pytest.approx(np.median(training), abs=1e-12)
    assert fitted.classify(genes.iloc[train]).sum() == 40
    called = fitted.classify(genes.iloc[test])
    assert (called == (fitted.predict(genes.iloc[test]) > np.median(training))).all()


def test_units_of_a_gene_do_not_matter(cohort):
    genes, time, event = cohort
    one = CoxSignature(GENES).fit(genes, outcome(time, event)).predict(genes)
    scaled = genes.assign(KPNA2=genes["KPNA2"] * 100 - 7)
    np.testing.assert_allclose(
        CoxSignature(GENES).fit(scaled, outcome(time, event)).predict(scaled),
        one,
        rtol=1e-8,
        atol=1e-10,
    )


def test_patients_without_outcome_standardise_but_carry_no_weight(cohort):
    genes, time, event = cohort
    time, event = time.copy(), event.astype(float)
    time.iloc[:20] = event.iloc[:20] = np.nan
    fitted = CoxSignature(GENES).fit(genes, outcome(time, event))
    assert (fitted.cox_.n, fitted.cox_.events) == (100, int(event.sum()))
    np.testing.assert_allclose(fitted.signature_.centre, genes[list(GENES)].mean())
    known = genes.iloc[20:][list(GENES)]
    standard = ((known - genes[list(GENES)].mean()) / genes[list(GENES)].std()).assign(
        time=time, event=event
    )
    reference = CoxPHFitter().fit(
        standard, "time", "event", fit_options={"precision": 1e-14, "r_precision": 1e-14}
    )
    np.testing.assert_allclose(fitted.signature_.weights, reference.params_, rtol=1e-6)


def test_supplied_weights_and_cutoff_need_no_outcome(cohort):
    genes, *_ = cohort
    fitted = CoxSignature(GENES, weights=(0.3, 0.4), cutoff=0.1).fit(genes)
    assert fitted.cox_ is None
    assert fitted.signature_.weights == (0.3, 0.4) and fitted.signature_.cutoff == 0.1
    z = (genes[list(GENES)] - genes[list(GENES)].mean()) / genes[list(GENES)].std()
    np.testing.assert_allclose(fitted.predict(genes), z @ [0.3, 0.4], rtol=1e-12, atol=1e-14)


def test_fitting_leaves_the_settings_alone(cohort):
    genes, time, event = cohort
    signature = CoxSignature(GENES, cutoff=0.2, name="X", minimum_events=5)
    settings = signature.get_params()
    signature.fit(genes, outcome(time, event))
    assert signature.get_params() == settings == clone(signature).get_params()


def test_absent_gene_is_named(cohort):
    genes, time, event = cohort
    with pytest.raises(UnknownNameError, match="SMG5"):
        CoxSignature(["KPNA2", "SMG-5"]).fit(genes, outcome(time, event))


def test_constant_gene_is_named(cohort):
    genes, time, event = cohort
    with pytest.raises(DataError, match="SMG5 constant"):
        CoxSignature(GENES).fit(genes.assign(SMG5=0.1), outcome(time, event))


def test_missing_value_names_the_patient(cohort):
    genes, time, event = cohort
    genes.loc["P3", "SMG5"] = np.nan
    with pytest.raises(DataError, match="P3"):
        CoxSignature(GENES).fit(genes, outcome(time, event))


def test_too_few_events_are_refused(cohort):
    genes, time, event = cohort
    few = event & (event.cumsum() <= 9)
    with pytest.raises(OutcomeError, match="at least 10 events .* found 9 in 120"):
        CoxSignature(GENES).fit(genes, outcome(time, few))
    assert CoxSignature(GENES, minimum_events=9).fit(genes, outcome(time, few)).cox_.events == 9


def test_separated_events_are_refused_and_say_what_to_do(cohort):
    genes, time, _ = cohort
    event = pd.Series(genes["KPNA2"] > genes["KPNA2"].median())
    time = pd.Series(np.where(event, 100 - genes["KPNA2"], 200.0), index=genes.index)
    with pytest.raises(OutcomeError, match="supply weights"):
        CoxSignature(["KPNA2"]).fit(genes, outcome(time, event))


def test_repeated_gene_is_refused(cohort):
    genes, time, event = cohort
    with pytest.raises(OutcomeError, match="repeat each other"):
        CoxSignature(["KPNA2", "TWIN"]).fit(
            genes.assign(TWIN=2 * genes["KPNA2"]), outcome(time, event)
        )


def test_weights_without_outcome_are_refused(cohort):
    with pytest.raises(OutcomeError, match="time and event"):
        CoxSignature(GENES).fit(cohort[0])


def test_outcome_of_other_patients_is_refused(cohort):
    genes, time, event = cohort
    with pytest.raises(AlignmentError, match="Align"):
        CoxSignature(GENES).fit(genes, outcome(time, event).iloc[::-1])


@pytest.mark.parametrize("weights", [(1.0,), (1.0, float("nan")), (0.0, 0.0)])
def test_unusable_weights_are_refused(cohort, weights):
    with pytest.raises(SchemaError, match="2 finite weights"):
        CoxSignature(GENES, weights=weights).fit(cohort[0])


def test_unknown_cutoff_word_is_refused(cohort):
    with pytest.raises(UnknownNameError, match="median"):
        CoxSignature(GENES, cutoff="medain").fit(cohort[0], outcome(*cohort[1:]))


def test_a_structured_target_says_the_same_as_a_frame(cohort):
    genes, time, event = cohort
    y = np.empty(len(time), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    by_frame = CoxSignature(GENES).fit(genes, outcome(time, event))
    assert CoxSignature(GENES).fit(genes, y).signature_.weights == by_frame.signature_.weights
    with pytest.raises(AlignmentError, match="119 outcomes for 120 patients"):
        CoxSignature(GENES).fit(genes, y[1:])
