from __future__ import annotations

from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torchsurv.loss import cox as torchsurv_cox

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.models.deep.cox_loss import cox_loss
from radiogenomics.stats.survival.cox import fit_cox

REFERENCE = Path(__file__).parents[2] / "reference"
TIES = ["efron", "breslow"]


@st.composite
def survival_data(draw, *, largest=30.0):
    """Few distinct times, so that they tie; one event at least."""
    n = draw(st.integers(1, 12))

    def each(values):
        return draw(st.lists(values, min_size=n, max_size=n))

    time = torch.tensor(each(st.integers(0, 5)), dtype=torch.float64)
    event = torch.tensor(each(st.booleans()))
    event[draw(st.integers(0, n - 1))] = True
    risk = torch.tensor(each(st.floats(-largest, largest)), dtype=torch.float64)
    return risk, time, event


def by_definition(risk, time, event, *, efron):
    """The sum over events, term by term, with 60 digits."""
    total = Decimal(0)
    with localcontext() as context:
        context.prec = 60
        hazard = [Decimal(float(r)).exp() for r in risk]
        for moment in sorted({float(t) for t, e in zip(time, event, strict=True) if e}):
            at_risk = sum(h for h, t in zip(hazard, time, strict=True) if t >= moment)
            tied = [i for i in range(len(risk)) if event[i] and float(time[i]) == moment]
            dying = sum(hazard[i] for i in tied)
            for k, i in enumerate(tied):
                share = Decimal(k) / len(tied) if efron else Decimal(0)
                total += (at_risk - share * dying).ln() - Decimal(float(risk[i]))
    return float(total)


def slopes(risk, time, event, **words):
    leaf = risk.clone().requires_grad_()
    cox_loss(leaf, time, event, **words).backward()
    return leaf.grad


@pytest.fixture(scope="module")
def reference():
    """Risks and outcomes, and what R's coxph says of them."""
    folder = REFERENCE / "models"
    values = pd.read_csv(folder / "cox_loss.csv").set_index(["ties", "risk", "what"])["value"]
    return pd.read_csv(folder / "cox_loss_input.csv"), values.sort_index()


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("risk", ["flat", "mild", "few_values", "steep"])
def test_loss_and_gradient_match_r_coxph(reference, risk, ties):
    patients, values = reference
    time, event = torch.tensor(patients["time"]), torch.tensor(patients["event"])
    risks = torch.tensor(patients[risk], dtype=torch.float64)
    loss = cox_loss(risks, time, event, ties=ties, mean_over="none")
    assert_allclose(-loss.item(), values[ties, risk, "log_likelihood"].item(), rtol=1e-12)
    residuals = values[ties, risk, "residual"].to_numpy()
    found = slopes(risks, time, event, ties=ties, mean_over="none")
    assert_allclose(-found.numpy(), residuals, rtol=1e-9, atol=1e-11)
    mean = cox_loss(risks, time, event, ties=ties)
    assert mean.item() == pytest.approx(loss.item() / patients["event"].sum(), rel=1e-14)
    all_patients = cox_loss(risks, time, event, ties=ties, mean_over="patients")
    assert all_patients.item() == pytest.approx(loss.item() / len(patients), rel=1e-14)


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize(("model", "columns"), [("one", ["x1"]), ("three", ["x1", "x2", "x3"])])
def test_maximum_is_where_r_and_our_cox_regression_have_it(model, columns, ties):
    patients = pd.read_csv(REFERENCE / "stats" / "survival_input.csv")
    rows = pd.read_csv(REFERENCE / "stats" / "cox.csv")
    values = rows[rows["model"] == f"{model}_{ties}"].set_index("name")["value"]
    x = torch.tensor(patients[columns].to_numpy(), dtype=torch.float64)
    b = torch.tensor(np.atleast_1d(values["coef"]), dtype=torch.float64).requires_grad_()
    time, event = torch.tensor(patients["time"]), torch.tensor(patients["event"])
    loss = cox_loss(x @ b, time, event, ties=ties, mean_over="none")
    loss.backward()
    assert_allclose(-loss.item(), values["log_likelihood"], rtol=1e-12)
    assert_allclose(b.grad.numpy(), 0, atol=1e-8)
    fit = fit_cox(patients[columns], patients["time"], patients["event"], ties=ties)
    assert_allclose(-loss.item(), fit.log_likelihood, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:Ties in")
@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("tied", [True, False])
def test_agrees_with_torchsurv(rng, ties, tied):
    time = rng.exponential(10, 60)
    time = torch.from_numpy(np.ceil(time / 3) if tied else time)
    event = torch.from_numpy(rng.random(60) < 0.6)
    risk = torch.from_numpy(rng.normal(size=60)).requires_grad_()
    theirs = torchsurv_cox.neg_partial_log_likelihood(
        risk, event, time, ties_method=ties, reduction="sum"
    )
    theirs.backward()
    ours = cox_loss(risk.detach(), time, event, ties=ties, mean_over="none")
    # Theirs is computed in float32, whatever comes in.
    assert theirs.dtype == torch.float32
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-6)
    found = slopes(risk.detach(), time, event, ties=ties, mean_over="none")
    assert_allclose(found.numpy(), risk.grad.numpy(), atol=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(survival_data(largest=1e4), st.sampled_from(TIES))
def test_is_the_definition_for_risks_of_any_size(data, ties):
    risk, time, event = data
    expected = by_definition(risk, time, event, efron=ties == "efron")
    found = cox_loss(risk, time, event, ties=ties, mean_over="none")
    # Ten-thousands are subtracted from one another: 1e-16 of these is what float64 can hold.
    assert_allclose(found.item(), expected, rtol=1e-12, atol=1e-10)
    gradient = slopes(risk, time, event, ties=ties, mean_over="none")
    assert torch.isfinite(gradient).all()
    assert gradient.abs().max() <= len(risk)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(survival_data(), st.sampled_from(TIES), st.floats(-1e4, 1e4), st.randoms())
def test_only_differences_of_risks_and_the_order_of_times_count(data, ties, constant, random):
    risk, time, event = data
    loss = cox_loss(risk, time, event, ties=ties)
    assert loss >= 0
    # The constant costs digits of the risks before they come in, hence the tolerance.
    moved = cox_loss(risk + constant, time, event, ties=ties)
    assert_allclose(moved.item(), loss.item(), rtol=1e-9, atol=1e-9)
    order = random.sample(range(len(risk)), len(risk))
    shuffled = cox_loss(risk[order], time[order], event[order], ties=ties)
    assert_allclose(shuffled.item(), loss.item(), rtol=1e-12, atol=1e-12)
    warped = cox_loss(risk, torch.expm1(time), event, ties=ties)
    assert warped.item() == loss.item()
    gradient = slopes(risk, time, event, ties=ties)
    assert abs(gradient.sum().item()) < 1e-12
    assert_allclose(
        slopes(risk[order], time[order], event[order], ties=ties).numpy(),
        gradient[order].numpy(),
        rtol=1e-9,
        atol=1e-12,
    )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(survival_data())
def test_efron_is_at_most_breslow_and_equal_without_ties(data):
    risk, time, event = data
    efron, breslow = (cox_loss(risk, time, event, ties=ties).item() for ties in TIES)
    moments = time[event]
    if len(torch.unique(moments)) == len(moments):
        assert efron == pytest.approx(breslow, rel=1e-14, abs=1e-14)
    else:
        assert efron < breslow


@settings(max_examples=20, deadline=None, derandomize=True)
@given(survival_data(largest=5.0), st.sampled_from(TIES), st.sampled_from(["events", "patients"]))
def test_gradient_is_that_of_finite_differences(data, ties, mean_over):
    risk, time, event = data
    leaf = risk.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda r: cox_loss(r, time, event, ties=ties, mean_over=mean_over), (leaf,)
    )


@pytest.mark.parametrize("ties", TIES)
def test_float32_loses_nothing_at_ten_thousand(ties):
    time = torch.tensor([1.0, 1.0, 2.0, 2.0, 3.0, 4.0])
    event = torch.tensor([True, True, False, True, True, False])
    risk = torch.tensor([1e4, 1e4 - 1, -1e4, 1 - 1e4, -1e4, 2 - 1e4])
    assert risk.dtype == torch.float32
    loss = cox_loss(risk, time, event, ties=ties, mean_over="none")
    assert loss.dtype == torch.float32
    expected = by_definition(risk, time, event, efron=ties == "efron")
    assert_allclose(loss.item(), expected, rtol=1e-7)
    exact = slopes(risk.double(), time, event, ties=ties)
    assert_allclose(slopes(risk, time, event, ties=ties).numpy(), exact.numpy(), rtol=1e-6)


def test_worst_order_costs_the_whole_distance():
    # The first to die is 20 000 below the other: log(e^0 + e^20000) - 0.
    loss = cox_loss(
        torch.tensor([-1e4, 1e4], dtype=torch.float64),
        torch.tensor([1.0, 2.0]),
        torch.tensor([1, 0]),
    )
    assert loss.item() == 2e4


def test_half_precision_comes_back_as_float32(rng):
    risk = torch.from_numpy(rng.normal(size=20)).bfloat16()
    time, event = torch.arange(20.0), torch.ones(20)
    loss = cox_loss(risk, time, event)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(cox_loss(risk.double(), time, event).item(), rel=1e-7)
    assert slopes(risk, time, event).dtype == torch.bfloat16


def test_column_of_risks_is_read_as_one_a_patient(rng):
    risk = torch.from_numpy(rng.normal(size=9))
    time, event = torch.arange(9), torch.ones(9, dtype=torch.bool)
    assert cox_loss(risk[:, None], time, event).item() == cox_loss(risk, time, event).item()


def test_no_event_is_an_error_or_a_nought_that_trains_nothing():
    risk = torch.tensor([0.3, -0.2], requires_grad=True)
    time, event = torch.tensor([1.0, 2.0]), torch.zeros(2)
    with pytest.raises(OutcomeError, match="none among 2 patients"):
        cox_loss(risk, time, event)
    loss = cox_loss(risk, time, event, allow_no_events=True)
    loss.backward()
    assert loss.item() == 0 and loss.dtype == torch.float32
    assert risk.grad.tolist() == [0, 0]


def test_one_patient_has_nobody_to_be_compared_with():
    assert slopes(torch.tensor([3.0]), torch.tensor([1.0]), torch.tensor([1])).tolist() == [0]


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("place", [0, 2])
def test_risk_that_is_not_finite_shows_in_the_loss_wherever_it_stands(value, place):
    # The first patient is in no risk set.
    risk = torch.tensor([0.1, 0.2, 0.3])
    risk[place] = value
    loss = cox_loss(risk, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0, 1, 1]))
    assert torch.isnan(loss)


@pytest.mark.parametrize(
    ("time", "event", "words"),
    [
        ([1.0, torch.nan], [1, 0], "1 of 2 patients otherwise, the first at position 1"),
        ([-1.0, 2.0], [1, 0], "the first at position 0"),
        ([1.0, torch.inf], [1, 0], "finite follow-up"),
        ([1.0, 2.0], [1, 2], "events coded 0 and 1"),
    ],
)
def test_impossible_outcomes_are_refused(time, event, words):
    with pytest.raises(OutcomeError, match=words):
        cox_loss(torch.zeros(2), torch.tensor(time), torch.tensor(event))


@pytest.mark.parametrize("shape", [(3,), (2, 2), (1, 2), ()])
def test_other_shapes_are_refused_rather_than_broadcast(shape):
    with pytest.raises(DataError, match="one risk, time and event a patient"):
        cox_loss(torch.zeros(shape), torch.tensor([1.0, 2.0]), torch.tensor([1, 0]))


@pytest.mark.parametrize("words", [{"ties": "exact"}, {"mean_over": "batch"}])
def test_unknown_words_are_refused(words):
    with pytest.raises(DataError, match="Choose from these words"):
        cox_loss(torch.zeros(2), torch.tensor([1.0, 2.0]), torch.tensor([1, 0]), **words)
