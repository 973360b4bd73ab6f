"""Cross-fitted risks against a loop by hand, and inside the models that join them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.models.deep.multi_instance.bags import Bags
from radiogenomics.models.deep.multi_instance.estimator import MultiInstanceClassifier
from radiogenomics.models.deep.network_risk import NetworkRisk
from radiogenomics.models.per_block import PerBlock
from radiogenomics.models.survival.cox import CoxModel
from radiogenomics.models.survival.model import deal_folds
from radiogenomics.models.survival.tuned import TunedSurvival
from radiogenomics.models.tuned import TunedClassifier
from radiogenomics.stats.survival.concordance import concordance_batch

from . import network_worlds as worlds


def c_index(risk, y):
    return float(concordance_batch(np.ravel(risk)[None], y["time"], y["event"])[0])


def standardised(model, X, part):
    aside = X[X.index.isin(model.validation_patients_)]
    own = model.predict(aside)
    return (model.predict(part) - own.mean()) / own.std()


def test_equals_the_loop_by_hand():
    scans, y, _ = worlds.cohort(36)
    X = scans.table()
    network = worlds.network(scans, epochs=2)
    risk = NetworkRisk(network, n_splits=3, random_state=4)
    found = risk.fit_transform(X, y)
    fold = deal_folds(y["event"], 3, random_state=4)
    by_hand = np.empty(36)
    for number in range(3):
        model = clone(network).fit(X[fold != number], y[fold != number])
        by_hand[fold == number] = standardised(model, X, X[fold == number])
    np.testing.assert_array_equal(found[:, 0], by_hand)
    whole = clone(network).fit(X, y)
    np.testing.assert_array_equal(risk.transform(X)[:, 0], standardised(whole, X, X))
    np.testing.assert_array_equal(clone(risk).fit(X, y).transform(X), risk.transform(X))


def test_cross_fitted_risks_are_not_those_learnt_by_heart():
    found = []
    for seed in range(4):
        scans, y, _ = worlds.cohort(24, seed=seed, effect=0.0)
        X = scans.table()
        network = worlds.network(scans, epochs=20, validation_share=0.0)
        risk = NetworkRisk(network, n_splits=2)
        found.append((c_index(risk.fit_transform(X, y), y), c_index(risk.transform(X), y)))
    cross_fitted, by_heart = np.array(found).T
    low, high = stats.t.interval(0.99, 3, cross_fitted.mean(), stats.sem(cross_fitted))
    assert low < 0.5 < high
    assert by_heart.min() > cross_fitted.max() + 0.1


def test_a_patient_has_no_say_in_the_own_risk_or_in_those_of_the_fold():
    scans, y, _ = worlds.cohort(30)
    X = scans.table()
    risk = NetworkRisk(worlds.network(scans, epochs=2), n_splits=2)
    before = risk.fit_transform(X, y)[:, 0]
    who = np.flatnonzero(risk.fold_ == 0)[0]
    moved = y.copy()
    moved["time"][who] += 50.0
    other = NetworkRisk(worlds.network(worlds.altered(scans, [who]), epochs=2), n_splits=2)
    after = other.fit_transform(X, moved)[:, 0]
    fold = risk.fold_ == 0
    fold[who] = False
    np.testing.assert_array_equal(before[fold], after[fold])
    assert not (before[risk.fold_ == 1] == after[risk.fold_ == 1]).any()


def test_a_patient_drawn_twice_is_scored_in_one_fold():
    scans, y, _ = worlds.cohort(20)
    drawn = np.array([*range(20), 3, 3, 7])
    risk = NetworkRisk(worlds.network(scans), n_splits=4)
    found = risk.fit_transform(scans.table().iloc[drawn], y[drawn])[:, 0]
    assert len({risk.fold_[3], *risk.fold_[20:22]}) == 1
    assert found[3] == found[20] == found[21]


def blocks(scans):
    rng = np.random.default_rng(1)
    X = scans.table()
    facts = {"clinical|age": rng.normal(size=len(X)), "clinical|afp": rng.normal(size=len(X))}
    return pd.DataFrame({"ct|row": X["row"], **facts}, index=X.index)


def test_goes_into_blocks_with_clinical_facts_before_a_cox_model():
    scans, y, _ = worlds.cohort(60)
    X = blocks(scans)
    risk = NetworkRisk(worlds.network(scans, epochs=8), n_splits=2)
    pipeline = Pipeline([("blocks", PerBlock({"ct": [("network", risk)]})), ("cox", CoxModel())])
    pipeline.fit(X.iloc[:45], y[:45])
    assert list(pipeline[0].names_) == ["ct|risk", "clinical|age", "clinical|afp"]
    behind = pipeline[0].steps_["ct"][0][1].out_of_fold_
    by_hand = CoxModel().fit(np.column_stack([behind, X.iloc[:45, 1:]]), y[:45])
    np.testing.assert_allclose(pipeline[-1].coef_, by_hand.coef_, rtol=1e-9)
    assert pipeline[-1].coef_[0] > 0
    assert c_index(pipeline.predict(X.iloc[45:]), y[45:]) > 0.7


def test_a_transformer_of_bags_is_cross_fitted_as_by_hand():
    rng = np.random.default_rng(3)
    label = np.arange(24) % 2
    bags = Bags.from_arrays(
        {f"P{n}": {"t2": rng.normal(size=(3, 4)) + 2 * y} for n, y in enumerate(label)}
    )
    X = bags.table()
    network = MultiInstanceClassifier(bags, epochs=3, device="cpu")
    risk = NetworkRisk(network, n_splits=2, random_state=1)
    found = risk.fit_transform(X, label)[:, 0]
    by_hand = np.empty(24)
    for number in range(2):
        train, test = risk.fold_ != number, risk.fold_ == number
        model = clone(network).fit(X[train], label[train])
        aside = model.decision_function(X[X.index.isin(model.validation_patients_)])
        by_hand[test] = (model.decision_function(X[test]) - aside.mean()) / aside.std()
    np.testing.assert_allclose(found, by_hand, rtol=1e-12)
    assert risk.transform(X.iloc[:5]).shape == (5, 1)


def test_has_the_threads_it_is_given_and_gives_them_back():
    scans, y, _ = worlds.cohort(20)
    seen = []

    class Watched(type(worlds.network(scans))):
        def fit(self, X, y):
            seen.append(torch.get_num_threads())
            return super().fit(X, y)

    watched = Watched(**worlds.network(scans).get_params())
    before = torch.get_num_threads()
    NetworkRisk(watched, n_splits=2, threads=before + 2).fit_transform(scans.table(), y)
    assert seen == [before + 2] * 3
    assert torch.get_num_threads() == before


def test_goes_into_the_tuner_of_survival_models():
    scans, y, _ = worlds.cohort(40)
    X = blocks(scans)
    risk = NetworkRisk(worlds.network(scans, validation_share=0.5), n_splits=2)
    steps = [("blocks", PerBlock({"ct": [("network", risk)]})), ("cox", CoxModel())]
    model = TunedSurvival(Pipeline(steps), {"penalty": [10.0, 1.0]}, n_splits=2).fit(X, y)
    assert model.predict_survival(X, [0.0, 0.1]).shape == (40, 2)
    assert list(model.selected_features_) == ["ct|risk", "clinical|age", "clinical|afp"]


def test_goes_into_the_tuner_of_classifiers():
    scans, _, score = worlds.cohort(40)
    label = pd.Series(score > 0, index=scans.table().index)
    risk = NetworkRisk(worlds.classifier(scans, epochs=4), n_splits=2)
    steps = [("network", risk), ("logistic", LogisticRegression())]
    model = TunedClassifier(Pipeline(steps), {"C": [1.0]}, n_splits=2)
    assert model.fit(scans.table(), label).score(scans.table(), label) > 0.7


def test_refuses_what_it_cannot_cross_fit():
    scans, y, _ = worlds.cohort(12)
    X = scans.table()
    with pytest.raises(SchemaError, match="found CoxModel"):
        NetworkRisk(CoxModel()).fit(X, y)
    with pytest.raises(DataError, match="1 folds of 12"):
        NetworkRisk(worlds.network(scans), n_splits=1).fit_transform(X, y)
    with pytest.raises(DataError, match="13 folds of 12"):
        NetworkRisk(worlds.network(scans), n_splits=13).fit_transform(X, y)


def outer_concordance(scans, y, seed):
    """Concordance of network and two noise facts, each patient scored by a model without them."""
    X = blocks(scans)
    risk = NetworkRisk(worlds.network(scans, epochs=2, random_state=seed), n_splits=2)
    model = Pipeline([("blocks", PerBlock({"ct": [("network", risk)]})), ("cox", CoxModel(1.0))])
    fold = deal_folds(y["event"], 2, random_state=seed)
    found = np.empty(len(y))
    for number in range(2):
        fitted = clone(model).fit(X[fold != number], y[fold != number])
        found[fold == number] = fitted.predict(X[fold == number])
    return float(concordance_batch(found[None], y["time"], y["event"], strata=fold)[0])


def test_canary_network_and_cox_find_nothing_in_noise():
    found = []
    for seed in range(8):
        scans, y, _ = worlds.cohort(60, seed=100 + seed, effect=0.0)
        found.append(outer_concordance(scans, y, seed))
    low, high = stats.t.interval(0.99, 7, np.mean(found), stats.sem(found))
    assert low < 0.5 < high
    assert high - low < 0.25
