r"""Loss of a network that predicts survival: the negative log partial likelihood of a batch.

With risks :math:`r_i` (log hazards up to a constant), :math:`S_t = \sum_{j: t_j \ge t} e^{r_j}`
over those still at risk and :math:`D_t` the same sum over the :math:`d_t` whose event is at t:

.. math:: \sum_t \Bigl[ \sum_{k=0}^{d_t - 1} \log(S_t - \tfrac{k}{d_t} D_t)
          - \sum_{i: t_i = t, e_i = 1} r_i \Bigr]

for Efron; Breslow leaves out the share :math:`k / d_t`. It is computed in logarithms and in
float64, whatever the risks come in, so that risks of 10 000 of either sign neither overflow nor
lose digits. A constant added to all risks changes nothing.

It misleads where a batch is small: patients are compared with those of their batch alone. Four
patients make at most 6 pairs, sixteen 120. See `radiogenomics.models.deep.accumulation` for risk
sets beyond what memory holds.

References
----------
Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; Breslow 1974, doi:10.2307/2529620; Efron 1977,
doi:10.1080/01621459.1977.10480613. As a loss of networks: Katzman et al. 2018,
doi:10.1186/s12874-018-0482-1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from radiogenomics.core.errors import DataError, OutcomeError

TIES = ("efron", "breslow")
MEANS = ("events", "patients", "none")


def cox_loss(
    risk: Tensor,
    time: Tensor,
    event: Tensor,
    *,
    ties: str = "efron",
    mean_over: str = "events",
    allow_no_events: bool = False,
) -> Tensor:
    """Negative log partial likelihood of a batch of patients. Formula: top of this module.

    Parameters
    ----------
    risk
        Shape (n,) or (n, 1); higher is worse. One that is not finite makes the loss NaN, as losses
        of torch do: who trains is to stop there.
    time, event
        Follow-up, 0 or more, and True or 1 where the event was seen then; shape (n,).
    ties
        ``"efron"`` or ``"breslow"``: what is done with events at one time.
    mean_over
        Divided by the number of ``"events"``, of ``"patients"`` (common in released code; batches
        with few events then count little), or by ``"none"``.
    allow_no_events
        Whether a batch without events gives a loss and a gradient of 0.

    Returns
    -------
    Scalar, 0 or more, float64 for risks in float64 and float32 otherwise.

    Raises
    ------
    OutcomeError
        A time is negative or not finite, an event not 0 or 1, or there is no event.
    DataError
        The shapes differ, or a word is unknown.

    Examples
    --------
    >>> risk = torch.zeros(3, requires_grad=True)
    >>> loss = cox_loss(risk, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1, 0, 1]))
    >>> loss.backward()
    >>> round(loss.item(), 4), [round(slope, 4) for slope in risk.grad.tolist()]
    (0.5493, [-0.3333, 0.1667, 0.1667])
    """
    values, seen = _check(risk, time, event, ties=ties, mean_over=mean_over)
    kind = single_at_least(risk).dtype
    events = int(seen.sum())
    # A NaN in no risk set would else not show, and its gradient of 0 times NaN spoil the weights.
    nothing = 0.0 * values.sum()
    if not events and allow_no_events:
        return nothing.to(kind)
    if not events:
        raise OutcomeError(
            f"expected at least one event in a batch; found none among {len(values)} patients. "
            "Draw batches that hold events, make them larger, or allow batches without events."
        )
    total = _negative_log_likelihood(values, time, seen, efron=ties == "efron") + nothing
    share = {"events": events, "patients": len(values), "none": 1}[mean_over]
    return (total / share).to(kind)


def single_at_least(values: Tensor) -> Tensor:
    """Return half precision as float32, and all else as it is: losses are summed in no less."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _negative_log_likelihood(risk: Tensor, time: Tensor, seen: Tensor, *, efron: bool) -> Tensor:
    order = torch.argsort(time, descending=True, stable=True)
    risk, seen = risk[order], seen[order]
    _, moment, patients = torch.unique_consecutive(
        time[order], return_inverse=True, return_counts=True
    )
    # All of one time are at risk together, whoever comes first in the order.
    at_risk = torch.logcumsumexp(risk, dim=0)[patients.cumsum(0) - 1]
    own, when = risk[seen], moment[seen]
    log_sum = at_risk[when]
    if efron:
        deaths = torch.bincount(when, minlength=len(patients))
        nth = torch.arange(len(when), device=when.device) - (deaths.cumsum(0) - deaths)[when]
        # D / S, from 0 to 1: so no sum over the tied is needed in logarithms.
        tied = torch.zeros_like(at_risk).index_add(0, when, torch.exp(own - log_sum))[when]
        log_sum = log_sum + torch.log1p(-(nth / deaths[when].to(tied.dtype)) * tied)
    return (log_sum - own).sum()


def _check(
    risk: Tensor, time: Tensor, event: Tensor, *, ties: str, mean_over: str
) -> tuple[Tensor, Tensor]:
    """Return risks as float64 of shape (n,) and events as booleans."""
    if ties not in TIES or mean_over not in MEANS:
        raise DataError(
            f"expected ties of {' or '.join(TIES)} and a mean over {', '.join(MEANS)}; "
            f"found {ties!r} and {mean_over!r}. Choose from these words."
        )
    values = risk.squeeze(1) if risk.ndim == 2 and risk.shape[1] == 1 else risk
    # Else (n, 1) against (n,) would broadcast to (n, n) without a word.
    if values.ndim != 1 or values.shape != time.shape or time.shape != event.shape or not len(time):
        raise DataError(
            "expected one risk, time and event a patient; found shapes "
            f"{tuple(risk.shape)}, {tuple(time.shape)} and {tuple(event.shape)}. "
            "Give the output of one head, and the outcomes of the same patients."
        )
    sound = torch.isfinite(time) & (time >= 0) & ((event == 0) | (event == 1))
    if not bool(sound.all()):
        raise OutcomeError(
            "expected finite follow-up times of 0 or more and events coded 0 and 1; found "
            f"{int((~sound).sum())} of {len(time)} patients otherwise, the first at position "
            f"{int(torch.nonzero(~sound)[0, 0])} of the batch. Leave out whose outcome is unknown."
        )
    return values.double(), event.bool()
