"""Locked linear surrogates: the same predictions from a record, patient by patient."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from radiogenomics.core.errors import AlignmentError, DataError, SchemaError, UnknownNameError
from radiogenomics.models.many_targets import LinearSurrogate, ManyPls, ManyRidge


@pytest.fixture(params=[ManyRidge(), ManyPls()], ids=["ridge", "pls"])
def fitted(request, cohort):
    return request.param.fit(cohort.X, cohort.Y)


def test_record_survives_json_to_the_last_digit(fitted, cohort):
    locked = fitted.lock()
    back = LinearSurrogate.from_record(json.loads(json.dumps(locked.to_record())))
    assert back.predict(cohort.new).equals(locked.predict(cohort.new))
    assert (back.learner, back.features, back.n) == (fitted.card.name, tuple(cohort.X), 60)
    assert back.to_record() == locked.to_record()


def test_locked_predicts_as_the_estimator_each_patient_alone(fitted, cohort):
    locked, new = fitted.lock(), cohort.new
    assert locked.predict(new).to_numpy() == pytest.approx(fitted.predict(new), rel=1e-12)
    alone = locked.predict(new.iloc[[3]])
    assert alone.to_numpy()[0] == pytest.approx(fitted.predict(new)[3], rel=1e-12)
    by_hand = locked.intercept + new.to_numpy() @ locked.coef.T
    assert by_hand == pytest.approx(fitted.predict(new), rel=1e-9)
    assert locked.coef == pytest.approx(fitted.coef_, rel=1e-12)
    assert locked.intercept == pytest.approx(fitted.intercept_, rel=1e-12)


def test_columns_are_found_by_name(fitted, cohort):
    mixed = cohort.new.iloc[:, ::-1].assign(other=np.nan)
    assert fitted.lock().predict(mixed).equals(fitted.lock().predict(cohort.new))


def test_some_targets_alone(fitted, cohort):
    some = fitted.lock(["t9", "t2"])
    assert list(some.predict(cohort.new)) == ["t9", "t2"]
    every = fitted.lock().predict(cohort.new)[["t9", "t2"]].to_numpy()
    assert some.predict(cohort.new).to_numpy() == pytest.approx(every, rel=1e-12)
    medians = cohort.Y[["t9", "t2"]].median()
    assert some.training["median"].to_numpy() == pytest.approx(medians)
    assert some.training["mean"].to_numpy() == pytest.approx(cohort.Y[["t9", "t2"]].mean())
    with pytest.raises(UnknownNameError, match="did you mean 't11'"):
        fitted.lock(["t111"])


def test_one_target_of_an_array(cohort):
    model = ManyRidge().fit(cohort.X.to_numpy(), cohort.Y["t11"].to_numpy())
    assert model.coef_.shape == (90,) and isinstance(model.intercept_, float)
    locked = model.lock()
    assert locked.features[:2] == ("x0", "x1") and locked.targets == ("y0",)


def test_refuses_patients_it_cannot_predict(fitted, cohort):
    locked, new = fitted.lock(), cohort.new
    with pytest.raises(AlignmentError, match=r"2 absent \(f1, f5\)"):
        locked.predict(new.drop(columns=["f1", "f5"]))
    with pytest.raises(AlignmentError, match="1 there twice"):
        locked.predict(new.assign(z=1.0).rename(columns={"z": "f2"}))
    with pytest.raises(DataError, match=r"20 missing or infinite values \(f4\)"):
        locked.predict(new.assign(f4=np.nan))
    with pytest.raises(DataError, match="numbers"):
        locked.predict(new.astype(object).assign(f4="x"))
    with pytest.raises(NotFittedError):
        ManyRidge().lock()


def test_refuses_records_that_do_not_fit_together(fitted):
    record = fitted.lock().to_record()
    with pytest.raises(SchemaError, match="format 1"):
        LinearSurrogate.from_record(record | {"format": 2})
    with pytest.raises(SchemaError, match="no weights"):
        LinearSurrogate.from_record({k: v for k, v in record.items() if k != "weights"})
    with pytest.raises(SchemaError, match=r"centre: expected finite numbers of shape \(90,\)"):
        LinearSurrogate.from_record(record | {"centre": record["centre"][:-1]})
    with pytest.raises(SchemaError, match="mean: expected finite"):
        LinearSurrogate.from_record(record | {"mean": [float("nan")] * 12})
    with pytest.raises(SchemaError, match="different names"):
        LinearSurrogate.from_record(record | {"targets": ["t0"] * 12})
    with pytest.raises(SchemaError, match="positive"):
        replace(fitted.lock(), scale=np.zeros(90))
