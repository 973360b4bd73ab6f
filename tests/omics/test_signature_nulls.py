from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.utils import concordance_index

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.omics import (
    CoxSignature,
    out_of_fold_concordance,
    out_of_fold_scores,
    random_gene_sets,
)


def folds(n: int, k: int, rng: np.random.Generator) -> list[SimpleNamespace]:
    fold = rng.permutation(n) % k
    return [
        SimpleNamespace(train=np.flatnonzero(fold != i), test=np.flatnonzero(fold == i))
        for i in range(k)
    ]


@pytest.fixture
def outcome(rng) -> tuple[np.ndarray, np.ndarray]:
    time = rng.exponential(20, size=60)
    return np.round(time, 1) + 0.1, rng.random(60) < 0.7


def test_scores_are_those_of_lifelines_fitted_fold_by_fold(rng, outcome):
    time, event = outcome
    designs = rng.normal(5, 2, size=(3, 60, 2))
    splits = folds(60, 4, rng)
    found = out_of_fold_scores(designs, time, event, splits=splits, cutoff=0.0)
    for design, scores in zip(designs, found, strict=True):
        frame = pd.DataFrame(design, columns=["a", "b"]).assign(time=time, event=event)
        for split in splits:
            fit = CoxPHFitter().fit(
                frame.iloc[split.train],
                "time",
                "event",
                fit_options={"precision": 1e-14, "r_precision": 1e-14},
            )
            mean = frame.iloc[split.train][["a", "b"]].mean()
            expected = (frame.iloc[split.test][["a", "b"]] - mean) @ fit.params_
            np.testing.assert_allclose(scores[split.test], expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("cutoff", ["median", 0.3])
def test_margins_are_those_of_the_signature_fold_by_fold(rng, outcome, cutoff):
    time, event = outcome
    frame = pd.DataFrame(rng.normal(5, 2, size=(60, 2)), columns=["a", "b"])
    splits = folds(60, 4, rng)
    found = out_of_fold_scores(frame.to_numpy()[None], time, event, splits=splits, cutoff=cutoff)[0]
    for split in splits:
        train, test = frame.iloc[split.train], frame.iloc[split.test]
        fitted = CoxSignature(["a", "b"], cutoff=cutoff).fit(
            train, pd.DataFrame({"time": time, "event": event}).iloc[split.train]
        )
        np.testing.assert_allclose(
            found[split.test], fitted.decision_function(test), rtol=1e-9, atol=1e-12
        )
        np.testing.assert_array_equal(found[split.test] > 0, fitted.classify(test))


def test_unknown_cutoff_word_is_refused(rng, outcome):
    with pytest.raises(UnknownNameError, match="median"):
        out_of_fold_scores(
            rng.normal(size=(1, 60, 1)), *outcome, splits=folds(60, 3, rng), cutoff="mean"
        )


def test_concordance_is_the_mean_over_repeats(rng, outcome):
    time, event = outcome
    designs = rng.normal(size=(2, 60, 2))
    repeats = [folds(60, 3, rng), folds(60, 3, rng)]
    found = out_of_fold_concordance(designs, time, event, splits_by_repeat=repeats)
    for i in range(2):
        each = [
            concordance_index(
                time, -out_of_fold_scores(designs, time, event, splits=splits)[i], event
            )
            for splits in repeats
        ]
        assert found[i] == pytest.approx(np.mean(each), abs=1e-12)


def test_a_design_does_not_depend_on_its_neighbours(rng, outcome):
    designs = rng.normal(size=(5, 60, 2))
    splits = folds(60, 3, rng)
    together = out_of_fold_scores(designs, *outcome, splits=splits)
    alone = out_of_fold_scores(designs[3:4], *outcome, splits=splits)
    np.testing.assert_allclose(together[3], alone[0], rtol=1e-9, atol=1e-12)


def test_score_of_a_patient_ignores_this_patients_outcome(rng, outcome):
    time, event = outcome
    designs = rng.normal(size=(1, 60, 1))
    splits = folds(60, 3, rng)
    before = out_of_fold_scores(designs, time, event, splits=splits)
    patient = splits[0].test[0]
    time[patient], event[patient] = 500.0, not event[patient]
    after = out_of_fold_scores(designs, time, event, splits=splits)
    np.testing.assert_array_equal(after[:, splits[0].test], before[:, splits[0].test])
    assert not np.array_equal(after, before)


def test_fold_without_information_scores_zero(rng, outcome):
    design = rng.normal(size=(1, 60, 1))
    splits = folds(60, 3, rng)
    design[0, splits[1].train] = 4.0
    found = out_of_fold_scores(design, *outcome, splits=splits)[0]
    np.testing.assert_array_equal(found[splits[1].test], 0.0)


def test_noise_gives_concordance_near_one_half(rng, outcome):
    designs = rng.normal(size=(300, 60, 2))
    found = out_of_fold_concordance(designs, *outcome, splits_by_repeat=[folds(60, 5, rng)])
    # Out of fold, chance lies a little below one half, never above.
    assert 0.42 < found.mean() < 0.5 + 3 * found.std() / np.sqrt(300)


def test_signal_is_found(rng):
    risk = rng.normal(size=100)
    time = rng.exponential(10 * np.exp(-1.5 * risk))
    found = out_of_fold_concordance(
        risk[None, :, None], time, np.ones(100), splits_by_repeat=[folds(100, 5, rng)]
    )
    assert found[0] > 0.7


def test_folds_must_hold_everyone_once(rng, outcome):
    design = rng.normal(size=(1, 60, 1))
    with pytest.raises(DataError, match="each of 60 patients once"):
        out_of_fold_scores(design, *outcome, splits=folds(60, 3, rng)[:2])
    with pytest.raises(DataError, match="at least one repeat"):
        out_of_fold_concordance(design, *outcome, splits_by_repeat=[])


def test_patients_on_the_wrong_axis_are_refused(rng, outcome):
    with pytest.raises(DataError, match="second axis"):
        out_of_fold_scores(rng.normal(size=(1, 2, 60)), *outcome, splits=folds(60, 3, rng))


def test_random_sets_hold_distinct_genes_drawn_evenly(rng):
    sets = random_gene_sets(6, 3, 4000, rng=rng)
    assert sets.shape == (4000, 3)
    assert all(len(set(row)) == 3 for row in sets)
    # Each gene is in half of the sets: 2000, with a standard deviation below 32.
    np.testing.assert_allclose(np.bincount(sets.ravel()), 2000, atol=130)


def test_sets_larger_than_the_pool_are_refused(rng):
    with pytest.raises(DataError, match="1 to 6 genes"):
        random_gene_sets(6, 7, 1, rng=rng)
