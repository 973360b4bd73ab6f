from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.linear_models.elastic_net import elastic_net_path
from radiogenomics.stats.linear_models.elastic_net_choice import choose_penalty

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "stats"
CHOICES = pd.read_csv(REFERENCE / "elastic_net_choices.csv")
CV = pd.read_csv(REFERENCE / "elastic_net_cv.csv")
KEY = ["case", "family", "alpha"]
KIND = {"binomial": "label", "gaussian": "score", "cox": "time", "cox_tied": "tied"}


@pytest.mark.parametrize("row", CHOICES.itertuples(index=False), ids=lambda r: str(tuple(r[:3])))
def test_agrees_with_cv_glmnet(row):
    table = pd.read_csv(REFERENCE / f"elastic_net_{row.case}.csv")
    x, y = table.filter(regex=r"^X\d").to_numpy(), table[KIND[row.family]]
    event = table["event"] if row.family.startswith("cox") else None
    family = row.family.split("_")[0]
    penalties = elastic_net_path(x, y, event, family=family, l1_ratio=row.alpha).lambdas
    found = choose_penalty(
        x,
        y,
        event,
        family=family,
        folds=table["fold"],
        l1_ratio=row.alpha,
        lambdas=penalties[: row.length],
    )
    expected = CV[(CV[KEY] == row[:3]).all(axis=1)]
    at = expected["index"].to_numpy() - 1
    np.testing.assert_allclose(found.mean[at], expected["mean"], rtol=1e-7)
    np.testing.assert_allclose(found.se[at], expected["se"], rtol=3e-7)
    assert found.path.lambdas[found.at_min] == pytest.approx(row.min, rel=2e-8)
    assert found.path.lambdas[found.at_1se] == pytest.approx(row.one_se, rel=2e-8)


def test_patients_take_the_place_of_small_folds(rng):
    x = rng.normal(size=(20, 3))
    y = x[:, 0] + rng.normal(size=20)
    found = choose_penalty(x, y, family="gaussian", folds=np.arange(20), lambdas=[0.3, 0.1])
    left_out = [
        elastic_net_path(
            np.delete(x, i, axis=0), np.delete(y, i), family="gaussian", lambdas=[0.3, 0.1]
        ).predict(x[i : i + 1])[0]
        for i in range(20)
    ]
    errors = (y[:, None] - np.array(left_out)) ** 2
    np.testing.assert_allclose(found.mean, errors.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.se, errors.std(axis=0, ddof=1) / np.sqrt(20), rtol=1e-12)
    pairs = choose_penalty(x, y, family="gaussian", folds=np.arange(20) % 10, lambdas=[0.3, 0.1])
    assert not np.allclose(pairs.se, found.se)


def test_names_of_folds_do_not_matter(rng):
    x = rng.normal(size=(40, 5))
    y = (rng.random(40) < 0.5).astype(int)
    numbers = rng.integers(0, 4, size=40)
    first = choose_penalty(x, y, family="binomial", folds=numbers)
    second = choose_penalty(x, y, family="binomial", folds=np.array(list("dbca"))[numbers])
    np.testing.assert_allclose(first.mean, second.mean, rtol=1e-12)


@pytest.mark.parametrize(
    ("family", "y", "folds", "error", "message"),
    [
        ("gaussian", np.arange(6), np.zeros(6), DataError, "at least two"),
        ("gaussian", np.arange(6), [0, 1], DataError, "one fold per patient"),
        ("binomial", [0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1], OutcomeError, "both classes"),
        ("cox", np.arange(1, 7), [0, 0, 0, 1, 1, 1], OutcomeError, "event"),
    ],
)
def test_folds_that_cannot_be_used(family, y, folds, error, message):
    x = np.arange(12.0).reshape(6, 2) ** 2
    event = np.array([1, 1, 1, 0, 0, 0]) if family == "cox" else None
    with pytest.raises(error, match=message):
        choose_penalty(x, y, event, family=family, folds=folds)


def test_a_fold_without_events_is_refused(rng):
    event = np.array([1, 1, 0, 0, 1, 1])
    with pytest.raises(OutcomeError, match="an event in every fold"):
        choose_penalty(
            rng.normal(size=(6, 2)),
            np.arange(6) + 1,
            event,
            family="cox",
            folds=[0, 0, 1, 1, 2, 2],
        )
