from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.metrics import log_loss, mean_squared_error
from torch import nn

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.models.deep.accumulation import head_outputs, reconstruction_error
from radiogenomics.models.deep.cox_loss import cox_loss
from radiogenomics.models.deep.multi_task import (
    MultiTaskLoss,
    MultiTaskTargets,
    binary_loss,
    number_loss,
)

HEADS = {"os": "cox", "pfs": "cox", "age": "number", "labels": "binary"}


def survival(rng, n, *, unknown=()):
    y = np.zeros(n, dtype=[("event", bool), ("time", float)])
    y["time"] = np.ceil(rng.exponential(20, n))
    y["event"] = rng.random(n) < 0.7
    y["event"][:2] = True
    y["time"][list(unknown)] = np.nan
    return y


@pytest.fixture
def targets(rng):
    """Of 24 patients, some of whom are unknown in each head but overall survival."""
    labels = (rng.random((24, 9)) < 0.4).astype(float)
    labels[rng.random(labels.shape) < 0.2] = np.nan
    age = rng.normal(size=24)
    age[3:6] = np.nan
    outcomes = {"os": survival(rng, 24), "pfs": survival(rng, 24, unknown=(5, 20))}
    return MultiTaskTargets.from_arrays(outcomes, {"age": age, "labels": labels})


@pytest.fixture
def outputs(rng):
    sizes = {"os": 1, "pfs": 1, "age": 1, "labels": 9}
    return {
        head: torch.from_numpy(rng.normal(size=(24, k))).requires_grad_()
        for head, k in sizes.items()
    }


def known_rows(outputs, targets, head):
    seen = ~torch.isnan(targets.times[head])
    return outputs[head][seen], targets.times[head][seen], targets.events[head][seen]


def test_parts_are_what_scikit_learn_says_of_the_known(outputs, targets):
    parts = MultiTaskLoss(HEADS).parts(outputs, targets)
    assert list(parts) == list(HEADS)
    labels, age = (targets.auxiliary[head].numpy() for head in ("labels", "age"))
    seen = ~np.isnan(labels)
    probability = torch.sigmoid(outputs["labels"]).detach().numpy()[seen]
    assert parts["labels"].item() == pytest.approx(log_loss(labels[seen], probability), rel=1e-12)
    seen = ~np.isnan(age)
    expected = mean_squared_error(age[seen], outputs["age"].detach().numpy()[seen])
    assert parts["age"].item() == pytest.approx(expected, rel=1e-12)
    assert parts["pfs"].item() == cox_loss(*known_rows(outputs, targets, "pfs")).item()
    assert parts["os"].item() == cox_loss(*known_rows(outputs, targets, "os")).item()


def test_the_unknown_has_neither_loss_nor_gradient(outputs, targets):
    MultiTaskLoss(HEADS)(outputs, targets).backward()
    for head in ("age", "labels"):
        unknown = torch.isnan(targets.auxiliary[head])
        assert unknown.any() and (outputs[head].grad[unknown] == 0).all()
        assert (outputs[head].grad[~unknown] != 0).all()
    assert (outputs["pfs"].grad[[5, 20]] == 0).all()


def test_additive_form_by_hand(outputs, targets):
    loss = MultiTaskLoss(HEADS)
    with torch.no_grad():
        loss.log_variance.copy_(torch.tensor([0.5, -1.0, 2.0, 0.0]))
    parts = [part.item() for part in loss.parts(outputs, targets).values()]
    s = loss.log_variance.detach().double().numpy()
    expected = (np.exp(-s) * parts + s).sum()
    assert loss(outputs, targets).item() == pytest.approx(expected, rel=1e-6)
    assert_allclose(list(loss.weights().values()), np.exp(-s), rtol=1e-6)


@pytest.mark.parametrize("given", [True, False])
def test_learnt_weights_move_to_the_analytic_optimum(rng, given):
    """Each head a constant, squared error: the best is the mean, and s the log of the variance."""
    values = {head: rng.normal(1, sd, 40) for head, sd in [("a", 0.2), ("b", 1.5), ("c", 5.0)]}
    targets = MultiTaskTargets.from_arrays({}, values)
    loss = MultiTaskLoss(dict.fromkeys(values, "number")).double()
    constants = nn.ParameterDict({head: nn.Parameter(torch.zeros(1).double()) for head in values})
    # The released code gave the optimiser no more than the network.
    own = list(loss.parameters()) if given else []
    optimiser = torch.optim.LBFGS(
        [*constants.parameters(), *own],
        max_iter=200,
        tolerance_grad=1e-10,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimiser.zero_grad()
        total = loss({head: constants[head].expand(40, 1) for head in values}, targets)
        total.backward()
        return total

    optimiser.step(closure)
    variance = np.array([value.var() for value in values.values()])
    found = [constants[head].item() for head in values]
    assert_allclose(found, [value.mean() for value in values.values()], atol=1e-6)
    if given:
        assert_allclose(loss.log_variance.detach().numpy(), np.log(variance), atol=1e-6)
        assert closure().item() == pytest.approx((1 + np.log(variance)).sum(), rel=1e-9)
    else:
        assert loss.log_variance.tolist() == [0, 0, 0]
        assert closure().item() == pytest.approx(variance.sum(), rel=1e-9)


def test_weights_that_are_not_learnt_stay(outputs, targets):
    loss = MultiTaskLoss(HEADS, learned=False)
    total = loss(outputs, targets)
    total.backward()
    assert [p for p in loss.parameters() if p.requires_grad] == []
    assert loss.log_variance.grad is None
    expected = sum(part.item() for part in loss.parts(outputs, targets).values())
    assert total.item() == pytest.approx(expected, rel=1e-12)


def test_released_form_by_hand(outputs, targets):
    torch.manual_seed(3)
    network = nn.Linear(30, 4)
    loss = MultiTaskLoss.as_released(HEADS, "os")
    words = {"ties": "breslow", "mean_over": "patients"}
    os = cox_loss(*known_rows(outputs, targets, "os"), **words)
    pfs = cox_loss(*known_rows(outputs, targets, "pfs"), **words)
    others = (
        pfs
        + number_loss(outputs["age"], targets.auxiliary["age"])
        + binary_loss(outputs["labels"], targets.auxiliary["labels"])
    )
    size = sum(
        np.abs(weight.detach().numpy().astype(float)).sum() for weight in network.parameters()
    )
    expected = others.item() * np.log10(size) * os.item()
    total = loss(outputs, targets, network)
    assert total.item() == pytest.approx(expected, rel=1e-6)
    total.backward()
    # d log10(sum |w|) / dw = sign(w) / (sum |w| ln 10)
    slope = others.item() * os.item() / (size * np.log(10)) * network.weight.detach().sign()
    assert_allclose(network.weight.grad.numpy(), slope.numpy(), rtol=1e-5)


def test_released_form_learns_nothing_from_a_batch_without_events(outputs, targets):
    rows = np.flatnonzero(~targets.events["os"].numpy())
    network = nn.Linear(3, 1)
    part = {head: said[rows] for head, said in outputs.items()}
    total = MultiTaskLoss.as_released(HEADS, "os")(part, targets[rows], network)
    total.backward()
    assert total.item() == 0
    assert all((said.grad == 0).all() for said in outputs.values() if said.grad is not None)


def test_reconstruction_is_the_l1_loss(rng):
    volumes = torch.from_numpy(rng.normal(size=(5, 3, 4, 4, 4)))
    for channels in (1, 3):
        drawn = torch.from_numpy(rng.normal(size=(5, channels, 4, 4, 4)))
        found = SimpleNamespace(outputs={"os": torch.zeros(5, 1)}, reconstruction=drawn)
        read = head_outputs(found, volumes)
        assert read["reconstruction"].shape == (5, 1)
        loss = MultiTaskLoss({"reconstruction": "reconstruction"})
        targets = MultiTaskTargets.from_arrays({"os": survival(rng, 5)})
        expected = nn.functional.l1_loss(drawn.expand_as(volumes), volumes)
        assert loss(read, targets).item() == pytest.approx(expected.item(), rel=1e-6)


def test_head_that_is_unknown_in_a_batch_takes_no_part(outputs, targets):
    loss = MultiTaskLoss({"os": "cox", "age": "number"}, allow_no_events=True)
    rows = [3, 4, 5]
    part = {head: said[rows] for head, said in outputs.items()}
    targets.events["os"][rows] = False
    targets.events["os"][3] = True
    total = loss(part, targets[rows])
    total.backward()
    assert list(loss.parts(part, targets[rows])) == ["os"]
    assert loss.log_variance.grad[1] == 0 and loss.log_variance.grad[0] != 0
    assert outputs["age"].grad is None


def test_batch_in_which_nothing_is_known(outputs, targets):
    heads, rows = {"pfs": "cox", "age": "number"}, [5]
    part = {head: outputs[head][rows] for head in heads}
    with pytest.raises(DataError, match="one risk, time and event"):
        MultiTaskLoss(heads)(part, targets[rows])
    with pytest.raises(OutcomeError, match="nothing of age among 1 patients"):
        MultiTaskLoss({"age": "number"})(part, targets[rows])
    total = MultiTaskLoss(heads, allow_no_events=True)(part, targets[rows])
    total.backward()
    assert total.item() == 0
    assert (outputs["pfs"].grad == 0).all() and (outputs["age"].grad == 0).all()


def test_survival_head_without_events_is_an_error_unless_allowed(outputs, targets):
    rows = np.flatnonzero(~targets.events["os"].numpy())
    part = {head: said[rows] for head, said in outputs.items()}
    with pytest.raises(OutcomeError, match="none among"):
        MultiTaskLoss({"os": "cox"})(part, targets[rows])


def test_targets_of_rows_are_those_of_the_patients(rng):
    y = survival(rng, 6)
    targets = MultiTaskTargets.from_arrays({"os": y}, {"sex": np.arange(6.0) % 2})
    part = targets[np.array([4, 1, 4])]
    assert len(targets) == 6 and len(part) == 3
    assert part.times["os"].tolist() == y["time"][[4, 1, 4]].tolist()
    assert part.events["os"].tolist() == y["event"][[4, 1, 4]].tolist()
    assert part.auxiliary["sex"].tolist() == [[0], [1], [0]]
    assert len(targets[torch.tensor([0, 2])]) == 2
    assert len(targets[[]]) == 0
    assert part.to("cpu").times["os"].dtype == torch.float64


def test_times_that_differ_by_rounding_tie():
    y = np.array([(True, 0.1 + 0.2), (True, 0.3)], dtype=[("event", bool), ("time", float)])
    times = MultiTaskTargets.from_arrays({"os": y}).times["os"]
    assert times[0] == times[1]


@pytest.mark.parametrize("rows", [[0.5], [-1], [6], [True, False, True, False, True, False]])
def test_positions_that_are_none_are_refused(rng, rows):
    with pytest.raises(AlignmentError, match="below 6"):
        MultiTaskTargets.from_arrays({"os": survival(rng, 6)})[rows]


def test_bad_targets_are_refused(rng):
    y = survival(rng, 6)
    with pytest.raises(AlignmentError, match="found lengths"):
        MultiTaskTargets.from_arrays({"os": y}, {"age": [1.0]})
    with pytest.raises(AlignmentError, match="Align them by patient"):
        MultiTaskTargets.from_arrays({})
    with pytest.raises(DataError, match="'age'.*1 infinite"):
        MultiTaskTargets.from_arrays({"os": y}, {"age": [np.inf, 1, 1, 1, 1, 1]})
    with pytest.raises(DataError, match="6 unknown"):
        MultiTaskTargets.from_arrays({"os": y}, {"age": [np.nan] * 6})
    with pytest.raises(DataError, match="'age'.* as numbers"):
        MultiTaskTargets.from_arrays({"os": y}, {"age": list("abcdef")})
    with pytest.raises(OutcomeError, match="structured array"):
        MultiTaskTargets.from_arrays({"os": [1.0, 2.0]})
    y["event"] = False
    with pytest.raises(OutcomeError, match="at least one event"):
        MultiTaskTargets.from_arrays({"os": y})


def test_bad_heads_are_refused(outputs, targets):
    with pytest.raises(UnknownNameError, match="did you mean 'cox'"):
        MultiTaskLoss({"os": "coxx"})
    with pytest.raises(UnknownNameError, match="form of a loss"):
        MultiTaskLoss({"os": "cox"}, form="product")
    for heads, main in [({}, None), ({"age": "number", "sex": "binary"}, "age")]:
        with pytest.raises(SchemaError, match="expected heads"):
            MultiTaskLoss(heads, form="legacy_product", main=main)
    with pytest.raises(SchemaError, match="main one of survival beside others"):
        MultiTaskLoss.as_released({"os": "cox"}, "os")
    with pytest.raises(SchemaError, match="head 'afp'"):
        MultiTaskLoss({"afp": "number"})(outputs, targets)
    with pytest.raises(SchemaError, match="expected the network"):
        MultiTaskLoss.as_released(HEADS, "os")(outputs, targets)


def test_outputs_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match=r"\(2, 1\) and \(2,\)"):
        number_loss(torch.zeros(2, 1), torch.zeros(2))
    with pytest.raises(DataError, match="none of 2"):
        binary_loss(torch.zeros(2, 1), torch.full((2, 1), torch.nan))
    with pytest.raises(DataError, match="labels 0, 1 and NaN"):
        binary_loss(torch.zeros(2, 1), torch.tensor([[1.0], [2.0]]))
    with pytest.raises(DataError, match="strides of the network"):
        reconstruction_error(torch.zeros(2, 1, 4, 4, 4), torch.zeros(2, 3, 5, 4, 4))
    with pytest.raises(DataError, match="one channel"):
        reconstruction_error(torch.zeros(2, 2, 4, 4, 4), torch.zeros(2, 3, 4, 4, 4))
