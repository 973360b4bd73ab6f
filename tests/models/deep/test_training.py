"""Training against a plain loop of torch, and interrupted runs against whole ones, bit by bit."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from radiogenomics.core.errors import DataError, SchemaError, StudyError
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.models.deep.accumulation import accumulated_step
from radiogenomics.models.deep.augmentation import augmented
from radiogenomics.models.deep.cox_loss import cox_loss
from radiogenomics.models.deep.event_log import EventLog
from radiogenomics.models.deep.training import train
from radiogenomics.models.deep.training_data import TrainingData
from radiogenomics.models.deep.training_settings import Augmentation, TrainingSettings

N = 24
PLAIN = TrainingSettings(
    epochs=4, batch_size=8, learning_rate=0.01, schedule="none", validation_share=0.0
)
AUGMENT = Augmentation.everywhere(0.5)


@dataclass(frozen=True)
class Answer:
    outputs: dict[str, torch.Tensor]
    reconstruction: torch.Tensor | None = None


class TinyNet(nn.Module):
    """All that has a state: convolution, batch norm with running means, dropout, PReLU."""

    def __init__(self, width=4, dropout=0.3):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv3d(2, width, 3, padding=1),
            nn.BatchNorm3d(width),
            nn.PReLU(),
            nn.Dropout(dropout),
        )
        self.head = nn.Linear(width, 1)

    def forward(self, values):
        return Answer({"risk": self.head(self.body(values).mean(dim=(2, 3, 4)))})


class WeightedLoss(nn.Module):
    """A loss with a weight of its own, as of several tasks."""

    def __init__(self, target):
        super().__init__()
        self.spread = nn.Parameter(torch.zeros(()))
        self.target = target

    def forward(self, answer, rows):
        error = (answer.outputs["risk"][:, 0] - self.target[rows]) ** 2
        return torch.exp(-self.spread) * error.mean() + self.spread


def cohort():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(N, 2, 4, 4, 4)).astype(np.float32)
    scans = ScanArrays(values, tuple(map(str, range(N))), ("arterial", "portal"))
    target = torch.tensor(values.mean(axis=(1, 2, 3, 4)) * 5)
    return scans, target, values[:, 0, 0, 0, 0] > 0


def network(**sizes):
    torch.manual_seed(0)
    return TinyNet(**sizes)


def squared(target):
    return lambda answer, rows: (answer.outputs["risk"][:, 0] - target[rows]).square().mean()


def minus_error(scans, target):
    def score(net, rows):
        answer = net(torch.from_numpy(scans.at(rows).copy()))
        return -float((answer.outputs["risk"][:, 0] - target[rows]).abs().mean())

    return score


def fit(settings, *, net=None, events=None, loss=None, **more):
    scans, target, _ = cohort()
    data = TrainingData(scans, range(N), events=events)
    if settings.validation_share and "validate" not in more:
        more["validate"] = minus_error(scans, target)
    net = network() if net is None else net
    return train(net, data, squared(target) if loss is None else loss, settings=settings, **more)


def same(first, second):
    pd.testing.assert_frame_equal(first.history, second.history, check_exact=True)
    assert (first.best_epoch, first.stopped) == (second.best_epoch, second.stopped)
    assert np.array_equal(first.validation, second.validation)
    assert set(first.weights) == set(second.weights)
    for name, weight in first.weights.items():
        assert torch.equal(weight, second.weights[name])
        assert weight.dtype == second.weights[name].dtype


def test_is_the_plain_loop():
    scans, target, events = cohort()
    settings = replace(
        PLAIN, l1=1e-3, weight_decay=0.1, clip=0.05, augment=AUGMENT, schedule="cosine"
    )
    net = network(dropout=0.0)
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.1)
    losses = []
    data = TrainingData(scans, range(N), events=events)
    for epoch in range(1, 5):
        rate = 0.01 * (1 + math.cos(math.pi * (epoch - 1) / 4)) / 2
        optimiser.param_groups[0]["lr"] = rate
        losses.append(0.0)
        for rows in data.batches(8, seed=0, epoch=epoch):
            values = torch.from_numpy(scans.at(rows).copy())
            values = augmented(values, rows, augmentation=AUGMENT, seed=0, epoch=epoch)
            risk = net(values).outputs["risk"][:, 0]
            loss = (risk - target[rows]).square().mean()
            penalty = 1e-3 * sum(weight.abs().sum() for weight in net.parameters())
            optimiser.zero_grad()
            (loss + penalty).backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 0.05)
            optimiser.step()
            losses[-1] += float(loss.detach()) / 3
    record = fit(settings, net=network(dropout=0.0), events=events)
    assert np.allclose(record.history["loss"], losses, rtol=1e-6)
    for name, weight in net.state_dict().items():
        assert torch.allclose(record.weights[name], weight, rtol=1e-6, atol=1e-7)


def test_learns_eight_patients_by_heart():
    scans, target, _ = cohort()
    settings = replace(PLAIN, epochs=120, learning_rate=0.03)
    record = train(
        network(dropout=0.0),
        TrainingData(scans, range(8)),
        squared(target),
        settings=settings,
    )
    loss = record.history["loss"]
    assert loss.iloc[-1] < loss.iloc[0] / 20


FULL = replace(
    PLAIN,
    epochs=7,
    batch_size=6,
    weight_decay=0.01,
    l1=1e-4,
    clip=1.0,
    augment=AUGMENT,
    validation_share=0.25,
    patience=3,
    plateau_patience=0,
    checkpoint_every=2,
)


class KilledAt:
    """A log that stops everything at an epoch."""

    def __init__(self, epoch):
        self.epoch, self.steps = epoch, []

    def write(self, step, values):
        self.steps.append(step)
        if step == self.epoch:
            raise KeyboardInterrupt

    def rewind(self, step):
        self.steps.append(-step)


@pytest.mark.parametrize("schedule", ["plateau", "cosine", "none"])
@pytest.mark.parametrize("killed", [1, 5, 7])
def test_a_killed_run_goes_on_as_if_it_had_not_been(tmp_path, schedule, killed):
    settings = replace(FULL, schedule=schedule)
    _, target, events = cohort()
    losses = [WeightedLoss(target) for _ in range(3)]
    whole = fit(settings, events=events, loss=losses[0])
    with pytest.raises(KeyboardInterrupt):
        fit(
            settings,
            events=events,
            loss=losses[1],
            checkpoint_folder=tmp_path,
            log=KilledAt(killed),
        )
    # Before the first checkpoint there is nothing to go on from but the start.
    torch.manual_seed(99)
    fresh = TinyNet() if killed > 2 else network()
    log = KilledAt(None)
    resumed = fit(
        settings,
        net=fresh,
        events=events,
        loss=losses[2],
        checkpoint_folder=tmp_path,
        resume=True,
        log=log,
    )
    behind = (killed - 1) // 2 * 2
    assert log.steps[:2] == [-behind, behind + 1]
    same(whole, resumed)
    assert torch.equal(losses[0].spread, losses[2].spread)
    assert float(losses[0].spread.detach()) != 0


SCRIPT = """
import os, signal, sys
from dataclasses import replace
sys.path.insert(0, sys.argv[1])
import numpy as np, torch
import test_training as here

class Killed:
    def write(self, step, values):
        if step == 5:
            os.kill(os.getpid(), signal.SIGKILL)
    def rewind(self, step):
        pass

torch.set_num_threads(1)
_, _, events = here.cohort()
here.fit(here.FULL, events=events, checkpoint_folder=sys.argv[2], log=Killed())
"""


def test_a_process_that_is_really_killed_is_gone_on_from_in_another(tmp_path):
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, here, str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        timeout=600,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert [path.name for path in tmp_path.glob("*.safetensors")] == ["epoch_000004.safetensors"]
    _, _, events = cohort()
    resumed = fit(FULL, events=events, checkpoint_folder=tmp_path, resume=True)
    same(fit(FULL, events=events), resumed)


def test_a_finished_run_is_not_trained_further(tmp_path):
    whole = fit(FULL, checkpoint_folder=tmp_path)
    log = KilledAt(None)
    again = fit(FULL, checkpoint_folder=tmp_path, resume=True, log=log)
    assert len(log.steps) == 1
    same(whole, again)


def test_half_precision_with_a_scaler_goes_on_too(tmp_path):
    settings = replace(FULL, precision="fp16", epochs=4)
    whole = fit(settings)
    with pytest.raises(KeyboardInterrupt):
        fit(settings, checkpoint_folder=tmp_path, log=KilledAt(3))
    same(whole, fit(settings, checkpoint_folder=tmp_path, resume=True))


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_much_the_same(precision):
    settings = replace(PLAIN, epochs=6)
    full, half = (
        fit(replace(settings, precision=p), net=network(dropout=0.0)).history
        for p in ("fp32", precision)
    )
    assert not (full["loss"] == half["loss"]).any()
    assert np.allclose(full["loss"], half["loss"], rtol=0.05)
    assert np.allclose(full["gradient_norm"], half["gradient_norm"], rtol=0.05)


def test_a_step_that_overflows_is_left_out_and_counted():
    _, target, _ = cohort()

    def loss(answer, rows):
        # Gradients above 65504 / 65536 overflow at the first scale, and halve it.
        return squared(target)(answer, rows) * 300

    history = fit(replace(PLAIN, precision="fp16", epochs=10), loss=loss).history
    assert history["skipped"].iloc[0] > 0
    assert history["skipped"].iloc[-1] == 0
    assert np.isfinite(history["gradient_norm"].iloc[-1])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"settings": replace(FULL, learning_rate=0.5)}, "settings.learning_rate: 0.01 there, 0.5"),
        ({"settings": replace(FULL, augment=None)}, "settings.augment: nothing there, None here"),
        ({"recipe": {"network": "b"}}, "more.network: a there, b here"),
        ({"events": np.arange(N) % 2 == 0}, "data: "),
        ({"settings": replace(FULL, precision="bf16")}, "precision: fp32 there, bf16 here"),
    ],
    ids=["rate", "augment", "recipe", "data", "precision"],
)
def test_a_checkpoint_of_another_recipe_is_refused(tmp_path, changed, words):
    first = {"settings": replace(FULL, epochs=7), "recipe": {"network": "a"}}
    with pytest.raises(KeyboardInterrupt):
        fit(**first, checkpoint_folder=tmp_path, log=KilledAt(3))
    with pytest.raises(StudyError) as refused:
        fit(**(first | changed), checkpoint_folder=tmp_path, resume=True)
    assert words in str(refused.value)


def test_a_checkpoint_of_another_architecture_changes_nothing(tmp_path):
    fit(FULL, checkpoint_folder=tmp_path)
    other = network(width=5)
    before = {name: weight.clone() for name, weight in other.state_dict().items()}
    with pytest.raises(SchemaError, match=r"body.0.weight of \(4, 2, 3, 3, 3\), not \(5, 2, 3"):
        fit(FULL, net=other, checkpoint_folder=tmp_path, resume=True)
    assert all(torch.equal(before[name], weight) for name, weight in other.state_dict().items())


def test_how_often_checkpoints_are_written_may_change(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fit(FULL, checkpoint_folder=tmp_path, log=KilledAt(5))
    again = replace(FULL, checkpoint_every=1)
    same(fit(FULL), fit(again, checkpoint_folder=tmp_path, resume=True))


def test_a_folder_in_use_is_not_overwritten(tmp_path):
    fit(FULL, checkpoint_folder=tmp_path)
    with pytest.raises(StudyError, match="expected none of an earlier run; found epoch_0"):
        fit(FULL, checkpoint_folder=tmp_path)
    with pytest.raises(StudyError, match="expected a checkpoint_folder to go on from"):
        fit(FULL, resume=True)


class Poisoned(nn.Module):
    """Answers NaN for scans whose first voxel says so."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, values):
        first = values[:, 0, 0, 0, :1] * self.weight
        return {"risk": torch.where(first > 90, torch.nan, first), "map": values}


def poisoned_cohort():
    scans, _, _ = cohort()
    values = scans.values.copy()
    values[[5, 17], 0, 0, 0, 0] = 99
    return ScanArrays(values, tuple(f"secret{n}" for n in range(N)), scans.channels)


def test_outputs_that_are_no_number_say_epoch_batch_and_rows():
    data = TrainingData(poisoned_cohort(), range(N))
    batches = data.batches(8, seed=0, epoch=1)
    hit = next(number for number, rows in enumerate(batches) if {5, 17} & set(rows))
    broken = [row for row in batches[hit] if row in (5, 17)]
    positions = [batches[hit].tolist().index(row) for row in broken]
    with pytest.raises(DataError) as stopped:
        train(Poisoned(), data, lambda out, rows: out["risk"].mean(), settings=PLAIN)
    text = str(stopped.value)
    assert text.startswith(f"epoch 1, batch {hit + 1} of 3: ")
    assert (
        f"{len(broken)} of 8 rows of the batch (positions {', '.join(map(str, positions))};" in text
    )
    assert f"rows {', '.join(map(str, broken))} of the scans" in text
    assert "secret" not in text


def test_a_loss_or_gradient_that_is_no_number_stops():
    _, target, _ = cohort()
    with pytest.raises(DataError, match="epoch 1, batch 1 of 3: expected a finite loss; found nan"):
        fit(PLAIN, loss=lambda answer, rows: answer.outputs["risk"].mean() * torch.nan)
    # The slope of a square root at nothing.
    with pytest.raises(DataError, match="epoch 1, batch 1 of 3: expected a finite gradient"):
        fit(PLAIN, loss=lambda answer, rows: (0 * answer.outputs["risk"]).sum().sqrt())
    with pytest.raises(DataError, match="epoch 1: expected a score"):
        fit(FULL, validate=lambda net, rows: math.nan)


SCORES = (0.5, 0.7, 0.6, 0.7, 0.65, 0.9, 0.9)


def test_best_weights_are_those_of_the_best_epoch():
    def scripted(seen, kept):
        def validate(net, rows):
            assert not net.training
            seen.append({name: weight.clone() for name, weight in net.state_dict().items()})
            return kept[len(seen) - 1]

        return validate

    seen = []
    net = network()
    record = fit(FULL, net=net, validate=scripted(seen, SCORES))
    # Second epoch best; three more are no better; the sixth, which would be, is not reached.
    assert (record.best_epoch, record.stopped, len(record.history)) == (2, True, 5)
    assert record.history["score"].tolist() == list(SCORES[:5])
    assert not net.training
    for name, weight in record.weights.items():
        assert torch.equal(weight, seen[1][name])
        assert torch.equal(weight, net.state_dict()[name])
    assert not torch.equal(seen[1]["head.weight"], seen[4]["head.weight"])
    patient = fit(replace(FULL, patience=None), validate=scripted([], SCORES))
    assert (patient.best_epoch, patient.stopped, len(patient.history)) == (6, False, 7)


def test_plateau_lowers_the_rate_when_the_score_does_not_rise():
    settings = replace(
        FULL, schedule="plateau", plateau_patience=1, plateau_factor=0.1, patience=None
    )
    scores = iter([0.5, 0.6, 0.6, 0.5, 0.5, 0.5, 0.7])
    rates = fit(settings, validate=lambda net, rows: next(scores)).history["learning_rate"]
    # Two epochs in a row without a better score lower it from the next on.
    assert np.allclose(rates, [0.01, 0.01, 0.01, 0.01, 0.001, 0.001, 1e-4], rtol=1e-12)


def test_the_validation_part_is_not_learnt_from():
    _, target, _ = cohort()
    learnt, scored = set(), set()

    def loss(answer, rows):
        learnt.update(rows.tolist())
        return squared(target)(answer, rows)

    def validate(net, rows):
        scored.update(rows.tolist())
        return 0.5

    record = fit(FULL, loss=loss, validate=validate)
    assert scored == set(record.validation.tolist())
    assert learnt == set(range(N)) - scored
    assert len(scored) == N // 4


def test_torch_and_numpy_generators_of_the_caller_are_left_alone():
    torch.manual_seed(5)
    first = fit(FULL, net=network())
    torch.manual_seed(6)
    np.random.seed(6)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    net = network()
    torch.set_rng_state(before[0])
    same(first, fit(FULL, net=net))
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
    assert not fit(replace(FULL, seed=1)).history.equals(first.history)


def cox(scans, events):
    time = torch.tensor(scans.values[:, 1].sum(axis=(1, 2, 3)).argsort() + 1.0)
    seen = torch.tensor(events)

    def loss(outputs, rows):
        said = outputs if isinstance(outputs, dict) else outputs.outputs
        return cox_loss(said["risk"], time[rows], seen[rows])

    return loss


def without_batch_norm(dropout):
    net = network(dropout=dropout)
    net.body[1] = nn.Identity()
    return net


def test_micro_batches_make_the_same_cox_gradient():
    scans, _, events = cohort()
    settings = replace(PLAIN, micro_batch=3, clip=0.5)
    loss, sizes = cox(scans, events), []

    def step(net, batches, loss_of_outputs):
        sizes.append([len(batch) for batch in batches])
        accumulated_step(net, batches, loss_of_outputs)

    whole = fit(
        replace(settings, micro_batch=None), net=without_batch_norm(0.0), events=events, loss=loss
    )
    parts = fit(settings, net=without_batch_norm(0.0), events=events, loss=loss, step=step)
    assert sizes[0] == [3, 3, 2]
    for column in ("loss", "gradient_norm"):
        assert np.allclose(whole.history[column], parts.history[column], rtol=1e-5)
    with pytest.raises(StudyError, match="a step that accumulates over 3 micro-batches"):
        fit(settings)


def test_micro_batches_with_dropout_go_on_after_a_kill(tmp_path):
    scans, _, events = cohort()
    settings = replace(FULL, micro_batch=2, epochs=4, validation_share=0.0)

    def run(**more):
        loss, net = cox(scans, events), without_batch_norm(0.4)
        return fit(settings, net=net, events=events, loss=loss, step=accumulated_step, **more)

    with pytest.raises(KeyboardInterrupt):
        run(checkpoint_folder=tmp_path, log=KilledAt(3))
    same(run(), run(checkpoint_folder=tmp_path, resume=True))


def test_weights_of_the_loss_have_a_rate_of_their_own():
    _, target, _ = cohort()
    for rate in (1e-4, 1e-2):
        loss = WeightedLoss(target)
        fit(replace(PLAIN, epochs=1, batch_size=N, loss_learning_rate=rate), loss=loss)
        # The first step of Adam is as long as its rate.
        assert math.isclose(abs(float(loss.spread.detach())), rate, rel_tol=1e-5)


def test_what_does_not_fit_together_is_refused():
    scans, target, _ = cohort()
    with pytest.raises(StudyError, match="expected rows put aside for validation; found 0"):
        fit(PLAIN, validate=minus_error(scans, target))
    with pytest.raises(StudyError, match="expected no rows put aside for validation; found 6"):
        fit(FULL, validate=None)
    with pytest.raises(StudyError, match="another type: body.0.weight"):
        fit(PLAIN, net=network().double())
    with pytest.raises(StudyError, match="found 0 to train"):
        fit(PLAIN, net=network().requires_grad_(False))


def test_a_frozen_part_stays_as_it_is():
    net = network()
    net.head.requires_grad_(False)
    before = net.head.weight.clone()
    record = fit(replace(PLAIN, weight_decay=0.1, l1=0.1), net=net)
    assert torch.equal(record.weights["head.weight"], before)
    assert not torch.equal(record.weights["body.0.weight"], network().body[0].weight)


def test_log_holds_the_history(tmp_path):
    log = EventLog(tmp_path, clock=lambda: 0.0)
    history = fit(FULL, log=log).history
    logged = pd.DataFrame(log.lines()).drop(columns="time").rename(columns={"step": "epoch"})
    pd.testing.assert_frame_equal(logged[history.columns], history, check_exact=True)
