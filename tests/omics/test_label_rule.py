import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from radiogenomics.core.errors import SchemaError
from radiogenomics.omics import CoxSignature, SignatureLabel


@pytest.fixture
def target(rng) -> pd.DataFrame:
    n = 80
    gene = rng.normal(size=n)
    death, censoring = rng.exponential(20 * np.exp(-gene)), rng.uniform(5, 60, size=n)
    return pd.DataFrame(
        {
            "KPNA2": gene,
            "SMG5": rng.normal(size=n),
            "time": np.minimum(death, censoring),
            "event": (death <= censoring).astype(float),
        },
        index=[f"P{i}" for i in range(n)],
    )


def rule(**settings) -> SignatureLabel:
    return SignatureLabel(CoxSignature(("KPNA2", "SMG5"), **settings))


def test_labels_are_scores_above_the_training_median(target):
    fitted = rule().fit(target.iloc[:60])
    median = np.median(fitted.scores(target.iloc[:60]))
    np.testing.assert_array_equal(fitted.transform(target), fitted.scores(target) > median)
    assert fitted.transform(target.iloc[:60]).sum() == 30


def test_label_of_a_test_patient_ignores_that_patients_outcome(target):
    fitted = rule().fit(target.iloc[:60])
    before = fitted.scores(target)
    changed = target.copy()
    changed.loc[changed.index[60:], ["time", "event"]] = np.nan
    np.testing.assert_array_equal(fitted.scores(changed), before)


def test_patients_without_outcome_are_labelled(target):
    target.loc[target.index[:15], ["time", "event"]] = np.nan
    fitted = rule().fit(target)
    assert fitted.signature_.cox_.n == 65
    assert set(fitted.transform(target)[:15]) <= {0, 1}


def test_supplied_weights_need_no_outcome_columns(target):
    genes = target[["KPNA2", "SMG5"]]
    assert rule(weights=(1.0, 1.0)).fit(genes).transform(genes).sum() == 40
    np.testing.assert_array_equal(rule(weights=(1.0, 1.0)).strata(genes), np.zeros(80))


def test_fitted_weights_need_outcome_columns(target):
    with pytest.raises(SchemaError, match="no event"):
        rule().fit(target.drop(columns="event"))


def test_strata_are_seen_events(target):
    target.loc[target.index[:3], ["time", "event"]] = np.nan
    strata = rule().strata(target)
    assert strata.sum() == target["event"].sum() and not strata[:3].any()
    all_but_nine = target.assign(event=(np.arange(80) >= 9) * 1.0)
    np.testing.assert_array_equal(rule().strata(all_but_nine), np.zeros(80))


def test_the_signature_handed_in_stays_unfitted(target):
    signature = CoxSignature(("KPNA2", "SMG5"))
    clone(SignatureLabel(signature)).fit(target)
    assert not hasattr(signature, "signature_")
    with pytest.raises(NotFittedError):
        SignatureLabel(signature).transform(target)
