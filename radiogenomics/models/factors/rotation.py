"""Move factors of blocks to the axes on which their prior finds them most probable."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from radiogenomics.stats.inputs import Floats

MOST_STEPS = 30


def best_rotation(
    second: Floats,
    moments: Floats,
    *,
    n_patients: int,
    sizes: np.ndarray,
    weights: Floats,
    least: float,
) -> Floats:
    r"""Return R such that factors :math:`R^{-1} z`, loadings :math:`R^\top w` have the best bound.

    The two together leave what the model says of the data untouched; what changes is

    .. math:: -\tfrac12 \operatorname{tr} R^{-1} S R^{-\top}
        + \left(\textstyle\sum_b \omega_b p_b - n\right) \log |R|
        - \tfrac12 \textstyle\sum_{bk} \omega_b p_b \log([R^\top M_b R]_{kk} / p_b + \epsilon)

    that is the prior of the factors, the entropies, and the loadings' prior at its best precision.
    EM alone turns factors slowly to where each reaches few blocks. Without a prior of loadings the
    best is a square root of :math:`S / n`: factors of unit variance.

    Parameters
    ----------
    second
        S, summed second moments of the factors, shape (K, K).
    moments
        :math:`M_b`, summed second moments of each block's loadings, shape (blocks, K, K); without
        rows: no prior.
    n_patients, sizes, weights
        n, and of each block :math:`p_b` and :math:`\omega_b`.
    least
        :math:`\epsilon`, smallest variance of loadings.

    References
    ----------
    Luttinen and Ilin, Neurocomputing 2010;73:1093, doi:10.1016/j.neucom.2009.11.018. Liu et
    al, Biometrika 1998;85:755 (without a prior).
    """
    n_factors = len(second)
    if not len(moments):
        return np.linalg.cholesky(second / n_patients)
    counts = weights * sizes
    still = np.eye(n_factors)
    scale = 1 / max(counts.sum(), 1.0)  # the optimiser's steps and tolerances want small numbers

    def loss(flat: Floats) -> tuple[float, Floats]:
        value, slope = _loss(
            flat.reshape(n_factors, n_factors),
            second,
            moments / sizes[:, None, None],
            counts=counts,
            n_patients=n_patients,
            least=least,
        )
        return scale * value, scale * slope.ravel()

    found = minimize(
        loss, still.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS}
    )
    return found.x.reshape(still.shape) if found.fun < loss(still.ravel())[0] else still


def _loss(
    rotation: Floats,
    second: Floats,
    mean_moments: Floats,
    *,
    counts: Floats,
    n_patients: int,
    least: float,
) -> tuple[float, Floats]:
    """Minus the bound's part that hangs on R, and its slope."""
    sign, volume = np.linalg.slogdet(rotation)
    if sign <= 0:
        return np.inf, np.zeros_like(rotation)
    surplus = float(counts.sum() - n_patients)
    back = np.linalg.inv(rotation)
    spread = back @ second @ back.T
    turned = mean_moments @ rotation
    squares = np.einsum("kl,bkl->bl", rotation, turned) + least
    value = np.trace(spread) / 2 - surplus * volume + (counts @ np.log(squares)).sum() / 2
    pull = np.einsum("bkl,bl->kl", turned, counts[:, None] / squares)
    return float(value), pull - back.T @ spread - surplus * back.T
