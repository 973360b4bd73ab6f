from __future__ import annotations

import json
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import (
    AlignmentError,
    ChecksumError,
    DataError,
    OutcomeError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.core.weight_file import read_weights, write_weights
from radiogenomics.evaluation import PatientKFold, cross_validate
from radiogenomics.models.deep.multi_instance import (
    Bags,
    MultiInstanceClassifier,
    TransformerSettings,
)

SLICES, SHIFT, WIDTH = 12, 4.0, 4
SMALL = TransformerSettings(width=16, depth=1, heads=2)
POOLED = TransformerSettings(width=16, depth=0, heads=1)


class OneInstance(MultiInstanceClassifier):
    """Takes rows of features for bags of one instance, so that general checks can be run."""

    def __init__(self, epochs=12, random_state=0):
        super().__init__(
            None,
            settings=POOLED,
            epochs=epochs,
            learning_rate=1e-2,
            validation_share=0,
            random_state=random_state,
        )

    def _bags_of(self, values):
        shape = len(values), 1
        return Bags(
            values[:, None].astype(np.float32),
            np.ones(shape, dtype=bool),
            np.zeros(shape, dtype=int),
            tuple(map(str, range(len(values)))),
            ("row",),
        )


@parametrize_with_checks([OneInstance()])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


def planted(rng, n, *, shift=SHIFT):
    """One slice of twelve, anywhere, differs in one feature where the label is 1."""
    y = np.arange(n) % 2
    values = rng.normal(size=(n, SLICES, WIDTH))
    place = rng.integers(SLICES, size=n)
    values[np.arange(n), place, 0] += shift * y
    half = SLICES // 2
    bags = Bags.from_arrays(
        {f"P{i}": {"arterial": own[:half], "t2": own[half:]} for i, own in enumerate(values)}
    )
    return bags, y, place


def fingerprints(rng, n):
    """Slices of one patient nearly alike, in numbers that differ, and a label that says nothing."""
    y = np.arange(n) % 2
    bags = Bags.from_arrays(
        {
            f"P{i}": {"t2": rng.normal(size=WIDTH) + 0.05 * rng.normal(size=(2 + i % 3, WIDTH))}
            for i in range(n)
        }
    )
    return bags, y


def easy(rng, n=24):
    """Both sequences, one of them missing in some patients, and a label that is plain to see."""
    y = np.arange(n) % 2
    made = {}
    for i, label in enumerate(y):
        made[f"P{i}"] = {
            "arterial": rng.normal(size=(1 + i % 3, WIDTH)) + 2.5 * label,
            "t2": rng.normal(size=(0 if i % 4 == 1 else 2, WIDTH)),
        }
    return Bags.from_arrays(made), y


def quick(bags, **changes):
    settings = {"settings": SMALL, "epochs": 8, "learning_rate": 5e-3, "device": "cpu"}
    return MultiInstanceClassifier(bags, **(settings | changes))


@pytest.fixture(scope="module")
def planted_fits():
    """Over seeds: AUC in 160 new patients, and the weight of the planted slice, by depth."""
    rows = []
    for seed in range(4):
        bags, y, place = planted(np.random.default_rng([7, seed]), 280)
        X, new = bags.table(), np.arange(120, 280)
        responders = new[y[new] == 1]
        for name, settings in (("transformer", SMALL), ("pooling", POOLED)):
            model = quick(bags, settings=settings, epochs=60, random_state=seed)
            model.fit(X.iloc[:120], y[:120])
            area = roc_auc_score(y[new], model.decision_function(X.iloc[new]))
            weights = model.attention_(X.iloc[responders])
            rows.append((name, area, weights[np.arange(len(responders)), place[responders]].mean()))
    return pd.DataFrame(rows, columns=["network", "auc", "weight"]).groupby("network")


@pytest.mark.parametrize("network", ["transformer", "pooling"])
def test_signal_in_one_slice_of_twelve_is_found(planted_fits, network):
    """Better than any score of the slices' mean can be.

    The mean over twelve slices moves by 4/12 with a deviation of 1/√12, so the best that an average
    allows is Φ(4/√12/√2) = 0.79; who looks at slices one by one can reach 0.98 (likelihood ratio).
    """
    found = planted_fits.get_group(network)["auc"]
    best_of_means = NormalDist().cdf(SHIFT / np.sqrt(SLICES) / np.sqrt(2))
    assert best_of_means == pytest.approx(0.793, abs=1e-3)
    low = found.mean() - stats.t.ppf(0.975, len(found) - 1) * found.sem()
    assert low > best_of_means + 0.05


def test_attention_is_on_the_planted_slice(planted_fits):
    """Without layers, in which instances inform each other, the weight is the slice's own."""
    weight = planted_fits.get_group("pooling")["weight"]
    assert (weight > 3 / SLICES).all()


def test_noise_gives_one_half_in_new_patients():
    """Each patient's slices can be told from others': dealt apart, they would give labels away."""
    areas = []
    for seed in range(20):
        bags, y = fingerprints(np.random.default_rng([11, seed]), 120)
        X = bags.table()
        model = quick(bags, epochs=10, random_state=seed).fit(X.iloc[:40], y[:40])
        areas.append(roc_auc_score(y[40:], model.decision_function(X.iloc[40:])))
    half_width = stats.t.ppf(0.975, len(areas) - 1) * stats.sem(areas)
    assert abs(np.mean(areas) - 0.5) < half_width < 0.05


def test_over_fits_eight_patients(rng):
    """Labels that say nothing are learnt by heart, with the loss a hundredth of its start."""
    bags, y = fingerprints(rng, 8)
    still = TransformerSettings(width=16, depth=1, heads=2, dropout=0.0)
    model = quick(bags, settings=still, epochs=150, validation_share=0, batch_size=8)
    loss = model.fit(bags.table(), y).history_["training_loss"]
    assert loss.iloc[-1] < loss.iloc[0] / 100
    assert model.score(bags.table(), y) == 1.0


def test_attention_probabilities_and_scores_fit_together(rng):
    bags, y = easy(rng)
    X, words = bags.table(), np.where(y == 1, "responder", "none")
    model = quick(bags).fit(X, words)
    assert model.classes_.tolist() == ["none", "responder"] and model.n_features_in_ == 1
    score, chance = model.decision_function(X), model.predict_proba(X)
    np.testing.assert_allclose(chance[:, 1], 1 / (1 + np.exp(-score)), rtol=1e-12)
    np.testing.assert_allclose(chance.sum(axis=1), 1, rtol=1e-12)
    assert (model.predict(X) == np.where(score > 0, "responder", "none")).all()
    weights = model.attention_(X)
    assert weights.shape == bags.real.shape
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-12)
    assert not weights[~bags.real].any() and (weights[bags.real] > 0).all()
    assert model.score(X, words) == (model.predict(X) == words).mean() > 0.9


def test_patients_are_scored_each_on_their_own(rng):
    bags, y = easy(rng, 90)
    X = bags.table()
    model = quick(bags, epochs=3).fit(X, y)
    together = model.decision_function(X)
    alone = [model.decision_function(X.iloc[[row]])[0] for row in range(len(X))]
    np.testing.assert_allclose(alone, together, rtol=1e-9)
    order = rng.permutation(len(X))
    np.testing.assert_allclose(model.decision_function(X.iloc[order]), together[order], rtol=1e-9)


def test_only_the_inner_training_part_teaches(rng):
    """Other features of all other patients change neither standardisation nor the first pass."""
    bags, y = easy(rng, 30)
    X = bags.table()
    first = quick(bags, epochs=1).fit(X.iloc[:20], y[:20])
    aside = set(first.validation_patients_)
    assert len(aside) == 4 and {y[int(name[1:])] for name in aside} == {0, 1}
    taught = [n for n, name in enumerate(bags.patient_ids) if n < 20 and name not in aside]
    changed = bags.features.copy()
    changed[[n for n in range(30) if n not in taught]] *= 50
    other = Bags(changed, bags.real, bags.sequence, bags.patient_ids, bags.sequences)
    second = quick(other, epochs=1).fit(X.iloc[:20], y[:20])
    for name, part in first.network_.state_dict().items():
        assert torch.equal(part, second.network_.state_dict()[name]), name
    instances = bags.features[taught][bags.real[taught]].astype(float)
    np.testing.assert_allclose(first.network_.mean, instances.mean(axis=0), atol=1e-6)


def test_stops_early_and_keeps_the_best_pass(rng):
    bags, y = fingerprints(rng, 40)
    X = bags.table()
    model = quick(bags, epochs=80, learning_rate=1e-2, patience=5).fit(X, y)
    losses = model.history_.set_index("epoch")["validation_loss"]
    assert model.best_epoch_ == losses.idxmin()
    assert len(losses) == model.best_epoch_ + 5 < 80
    aside = X.loc[list(model.validation_patients_)]
    label = y[aside["row"].astype(int)]
    loss = np.logaddexp(0, -np.where(label == 1, 1, -1) * model.decision_function(aside)).mean()
    assert loss == pytest.approx(losses.min(), rel=1e-6)


def test_nobody_is_set_aside_when_the_passes_are_fixed(rng):
    bags, y = easy(rng)
    model = quick(bags, epochs=3, validation_share=0).fit(bags.table(), y)
    assert model.validation_patients_ == () and model.best_epoch_ == 3
    assert model.history_["validation_loss"].isna().all()


def test_a_seed_gives_one_network_and_leaves_the_global_one_alone(rng):
    bags, y = easy(rng)
    X = bags.table()
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = quick(bags, random_state=5, epochs=3).fit(X, y).decision_function(X)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    again = quick(bags, random_state=5, epochs=3).fit(X, y).decision_function(X)
    other = quick(bags, random_state=6, epochs=3).fit(X, y).decision_function(X)
    assert np.array_equal(first, again) and not np.allclose(first, other)


def test_goes_through_cross_validation_with_a_joined_block(rng):
    """In folds of patients, with other columns beside the rows."""
    bags, y = easy(rng, 36)
    X = bags.table().rename(columns={"row": "slices|row"}).assign(**{"clinical|age": 60.0})
    evidence = cross_validate(
        quick(bags, random_state=1),
        X,
        pd.Series(y, index=X.index),
        splitter=PatientKFold(3, random_state=2),
        name="slices",
    )
    found = evidence.predictions
    assert sorted(found["patient_id"]) == sorted(bags.patient_ids)
    assert roc_auc_score(found["label"], found["score"]) > 0.9


def test_goes_through_pipelines_grids_and_clones(rng):
    bags, y = easy(rng, 30)
    X = bags.table()
    model = quick(bags, epochs=4)
    assert clone(model).bags is bags
    grid = GridSearchCV(
        Pipeline([("model", model)]), {"model__weight_decay": [0.0, 0.1]}, cv=StratifiedKFold(2)
    )
    grid.fit(X, y)
    assert grid.predict_proba(X).shape == (30, 2)
    plain = clone(model).fit(X.to_numpy(), y)
    np.testing.assert_array_equal(
        plain.decision_function(X.to_numpy()), clone(model).fit(X, y).decision_function(X)
    )


def test_a_file_gives_the_same_network_and_holds_no_code(rng, tmp_path):
    bags, y = easy(rng)
    X, words = bags.table(), np.where(y == 1, "responder", "none")
    model = quick(bags, epochs=2, learning_rate=2e-3).fit(X, words)
    path = model.save(tmp_path / "net.safetensors")
    assert sorted(part.name for part in tmp_path.iterdir()) == ["net.json", "net.safetensors"]
    found = MultiInstanceClassifier.load(path, bags=bags)
    assert np.array_equal(found.decision_function(X), model.decision_function(X))
    assert np.array_equal(found.predict(X), model.predict(X))
    assert (found.settings, found.epochs, found.learning_rate) == (SMALL, 2, 2e-3)
    later = Bags.from_arrays(
        {"Q1": {"t2": rng.normal(size=(20, WIDTH))}}, sequences=("arterial", "t2")
    )
    joined = quick(bags.join(later)).set_params(epochs=2, learning_rate=2e-3).fit(X, words)
    elsewhere = MultiInstanceClassifier.load(path, bags=later).decision_function(later.table())
    expected = joined.decision_function(joined.bags.table().loc[["Q1"]])
    np.testing.assert_allclose(elsewhere, expected, rtol=1e-9)


def test_files_of_other_networks_are_refused(rng, tmp_path):
    bags, y = easy(rng)
    path = quick(bags, epochs=1).fit(bags.table(), y).save(tmp_path / "net.safetensors")
    arrays, card = read_weights(path)
    for name, change, words in (
        ("other", {"architecture": "unet"}, "found network 'unet'"),
        ("less", {"fitting": None}, "expected the card of a"),
        ("strange", {"settings": card["settings"] | {"breadth": 3}}, "breadth"),
        ("wide", {"n_features": 9}, "found 3 missing, left over or of another shape"),
    ):
        changed = write_weights(tmp_path / f"{name}.safetensors", arrays, card | change)
        with pytest.raises(SchemaError, match=words):
            MultiInstanceClassifier.load(changed, bags=bags)
    lacking = {key: array for key, array in arrays.items() if key != "head.bias"}
    short = write_weights(tmp_path / "short.safetensors", lacking, card)
    with pytest.raises(SchemaError, match="head.bias"):
        MultiInstanceClassifier.load(short, bags=bags)
    with pytest.raises(SchemaError, match=r"named \*.safetensors"):
        quick(bags, epochs=1).fit(bags.table(), y).save(tmp_path / "net.pkl")
    words = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(words | {"sha256": "0" * 64}))
    with pytest.raises(ChecksumError):
        MultiInstanceClassifier.load(path, bags=bags)


def test_other_bags_than_were_fitted_are_refused(rng):
    bags, y = easy(rng)
    model = quick(bags, epochs=1).fit(bags.table(), y)
    wide = Bags.from_arrays({"Q1": {"arterial": np.ones((2, 9)), "t2": np.ones((1, 9))}})
    other = Bags.from_arrays({"Q1": {"dwi": np.ones((2, WIDTH))}})
    for strange in (wide, other):
        with pytest.raises(SchemaError, match="expected bags of arterial, t2 with 4 features"):
            model.set_params(bags=strange).predict(strange.table())


def test_a_patient_in_two_rows_is_refused(rng):
    bags, y = easy(rng)
    X = bags.table()
    twice = pd.concat([X, X.iloc[:2]])
    with pytest.raises(AlignmentError, match="each patient in one row; found 2 of 26"):
        quick(bags).fit(twice, np.append(y, y[:2]))
    model = quick(bags, epochs=1).fit(X, y)
    with pytest.raises(AlignmentError, match="each patient in one row"):
        model.predict(twice)


def test_rows_that_are_not_there_are_refused(rng):
    bags, y = easy(rng)
    X = bags.table()
    with pytest.raises(AlignmentError, match="expected row numbers of 24 patients, 0 to 23"):
        quick(bags).fit(X + 5, y)
    with pytest.raises(AlignmentError, match="neither scaled nor imputed"):
        quick(bags).fit((X - X.mean()) / X.std(), y)
    with pytest.raises(ValueError, match="NaN"):
        quick(bags).fit(X.mask(X["row"] == 3), y)
    with pytest.raises(SchemaError, match="expected one column 'row'"):
        quick(bags).fit(X.rename(columns={"row": "age"}), y)
    with pytest.raises(SchemaError, match="expected one column 'row'"):
        quick(bags).fit(np.column_stack([X, X]), y)
    with pytest.raises(AlignmentError, match="X and y in one order"):
        quick(bags).fit(X, pd.Series(y, index=X.index)[::-1])


def test_labels_that_cannot_be_learnt_are_refused(rng):
    bags, y = easy(rng)
    X = bags.table()
    with pytest.raises(OutcomeError, match="found 1 class"):
        quick(bags).fit(X, np.ones(24))
    with pytest.raises(OutcomeError, match="found 3 class"):
        quick(bags).fit(X, np.arange(24) % 3)
    with pytest.raises(OutcomeError, match="two patients of each class.*found 1"):
        quick(bags).fit(X, np.arange(24) == 3)
    quick(bags, epochs=1, validation_share=0).fit(X, np.arange(24) == 3)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        quick(bags).fit(X, y[:-1])


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"epochs": 0}, DataError, "at least 1"),
        ({"patience": 0}, DataError, "at least 1"),
        ({"learning_rate": float("nan")}, DataError, "learning_rate above 0"),
        ({"weight_decay": -1.0}, DataError, "weight_decay of at least 0"),
        ({"validation_share": 1.0}, DataError, "validation_share: expected 0 to below 1"),
        ({"device": "gpu"}, UnknownNameError, "unknown device 'gpu'"),
    ],
    ids=["epochs", "patience", "rate", "decay", "share", "device"],
)
def test_impossible_parameters_are_refused(rng, change, error, words):
    bags, y = easy(rng)
    with pytest.raises(error, match=words):
        quick(bags, **change).fit(bags.table(), y)


def test_losses_that_are_not_finite_stop_and_say_where(rng):
    """Steps so large that weights overflow; the first to meet them are named."""
    bags, y = easy(rng)
    with pytest.raises(DataError, match=r"not in pass \d+, first at the patients in rows \d+"):
        quick(bags, learning_rate=1e30, weight_decay=0.0).fit(bags.table(), y)
