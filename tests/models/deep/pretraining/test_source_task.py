"""Tables of what is known as heads: their loss by hand, unknown values, and what is learnt."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import pearsonr

from radiogenomics.core.errors import AlignmentError, DataError, StudyError
from radiogenomics.models.deep.checkpoints import tensors_like
from radiogenomics.models.deep.pretraining import SourceTask, pretrain
from radiogenomics.models.deep.pretraining.exercise import Lesson, Reader
from radiogenomics.models.deep.training_settings import TrainingSettings

SETTINGS = TrainingSettings(epochs=1, batch_size=4)


def table_of(scans, **columns):
    return pd.DataFrame(columns, index=pd.Index(scans.patient_ids, name="patient_id"))


def built(backbone, scans, targets, *, task=None, aside=0):
    rows = np.arange(len(scans))
    lesson = Lesson(scans, rows[aside:], rows[:aside], targets, SETTINGS)
    torch.manual_seed(0)
    return (task or SourceTask()).exercise(Reader(backbone, scans), lesson)


def cross_entropy(logit, truth):
    return np.log1p(np.exp(logit)) - truth * logit


def test_loss_is_that_of_each_column_by_hand(tiny, lesions):
    scans, _ = lesions(6)
    age = np.array([50.0, np.nan, 60.0, 70.0, 40.0, 65.0])
    targets = table_of(
        scans,
        age=age,
        sex=["f", "m", None, "m", "f", "f"],
        stage=pd.Categorical(["A", "B", "C", "A", None, "B"]),
        cirrhosis=[True, False, True, True, False, False],
    )
    exercise = built(tiny(), scans, targets, aside=2)
    rows = np.array([5, 1, 2, 4])
    values = torch.from_numpy(scans.at(rows).copy())
    with torch.no_grad():
        exercise.network.eval()
        said = {name: o.double().numpy() for name, o in exercise.network(values).items()}
        found = exercise.loss(exercise.network(values), rows).item()
        score = exercise.validate(exercise.network, rows)
    learnt = age[2:]
    scaled = (age - learnt.mean()) / learnt.std()
    expected = np.mean([(said["age"][i, 0] - scaled[rows[i]]) ** 2 for i in (0, 2, 3)])
    male = {5: 0, 1: 1, 4: 0}
    expected += np.mean([cross_entropy(said["sex"][i, 0], male[rows[i]]) for i in (0, 1, 3)])
    stages = {5: "B", 1: "B", 2: "C"}
    expected += np.mean(
        [
            cross_entropy(said["stage"][i, k], stages[rows[i]] == word)
            for i in (0, 1, 2)
            for k, word in enumerate("ABC")
        ]
    )
    yes = {5: 0, 1: 0, 2: 1, 4: 0}
    expected += np.mean([cross_entropy(said["cirrhosis"][i, 0], yes[rows[i]]) for i in range(4)])
    assert found == pytest.approx(expected, rel=1e-5)
    assert score == pytest.approx(-expected, rel=1e-5)


def test_unknown_values_teach_nothing(tiny, lesions):
    scans, brightness = lesions(6)
    known = table_of(scans, a=brightness, b=[1.0, 2.0, 3.0, np.nan, np.nan, np.nan])
    exercise = built(tiny(), scans, known)
    exercise.loss(
        exercise.network(torch.from_numpy(scans.at([3, 4]).copy())), np.array([3, 4])
    ).backward()
    heads = dict(zip(("a", "b"), exercise.network.heads.layers, strict=True))
    assert float(heads["a"].weight.grad.abs().sum()) > 0
    assert heads["b"].weight.grad is None


def test_rows_are_matched_by_patient(tiny, lesions):
    scans, brightness = lesions(8)
    targets = table_of(scans, brightness=brightness)
    strangers = pd.DataFrame({"brightness": [99.0]}, index=["X"])
    first = pretrain(tiny(), scans, SourceTask(), settings=SETTINGS, targets=targets)
    other = pd.concat([targets.iloc[::-1], strangers])
    second = pretrain(tiny(), scans, SourceTask(), settings=SETTINGS, targets=other)
    for name, array in first.arrays.items():
        assert np.array_equal(array, second.arrays[name])


@pytest.mark.parametrize("learned_weights", [False, True])
def test_features_tell_the_trait_of_new_patients(tiny, lesions, learned_weights):
    scans, brightness = lesions(48)
    targets = table_of(scans, brightness=brightness, bright=np.where(brightness > 0, "yes", "no"))
    settings = TrainingSettings(epochs=25, batch_size=8, learning_rate=0.01)
    task = SourceTask(learned_weights=learned_weights)
    backbone = tiny()
    found = pretrain(backbone, scans, task, settings=settings, targets=targets)
    backbone.load_state_dict(tensors_like(backbone, found.arrays))
    fresh, truth = lesions(60, seed=7, prefix="Q")
    with torch.no_grad():
        features = backbone.eval()(torch.from_numpy(fresh.at(range(60)).copy())).numpy()
    design = np.column_stack([np.ones(60), features])
    weights, *_ = np.linalg.lstsq(design[:40], truth[:40], rcond=None)
    assert pearsonr(design[40:] @ weights, truth[40:]).statistic > 0.9


def test_refuses_tables_that_do_not_fit(tiny, lesions):
    scans, brightness = lesions(8)
    good = table_of(scans, brightness=brightness)

    def run(targets):
        pretrain(tiny(), scans, "source_task", settings=SETTINGS, targets=targets)

    with pytest.raises(StudyError, match="expected targets"):
        run(None)
    with pytest.raises(StudyError, match="expected targets"):
        run(good[[]])
    with pytest.raises(AlignmentError, match="found none for 2"):
        run(good.iloc[:6])
    with pytest.raises(AlignmentError, match="1 twice"):
        run(pd.concat([good, good.iloc[:1]]))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0] * 8, "numbers that differ"),
        ([np.nan] * 8, "0 known"),
        ([1.0, np.inf, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], "1 infinite"),
        (["a"] * 8, "two or more classes"),
        ([None] * 8, "found none"),
        ([True] * 8, "two or more classes"),
    ],
)
def test_refuses_columns_that_cannot_be_learnt(tiny, lesions, values, message):
    scans, _ = lesions(8)
    targets = table_of(scans, trait=pd.Series(values, dtype=None).to_numpy())
    with pytest.raises(DataError, match=message):
        built(tiny(), scans, targets, aside=2)


@pytest.mark.parametrize("put_aside", [[None, None], ["c", None]])
def test_refuses_a_column_that_nobody_put_aside_has(tiny, lesions, put_aside):
    scans, _ = lesions(8)
    targets = table_of(scans, trait=[*put_aside, "a", "b", "a", "b", "a", "b"])
    with pytest.raises(DataError, match="2 patients put aside"):
        built(tiny(), scans, targets, aside=2)
