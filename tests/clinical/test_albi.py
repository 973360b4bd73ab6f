"""ALBI against the written-out formula and its cut-offs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from radiogenomics.clinical.albi import CARD, albi_score


def test_score_by_hand() -> None:
    # 0.66 * log10(20) - 0.085 * 35 = 0.858680 - 2.975
    assert albi_score(bilirubin_umol_l=20, albumin_g_l=35).score == pytest.approx(
        0.66 * (1 + math.log10(2)) - 2.975, rel=1e-14
    )
    assert albi_score(bilirubin_umol_l=100, albumin_g_l=20).score == pytest.approx(
        0.66 * 2 - 1.7, rel=1e-14
    )


@pytest.mark.parametrize(
    ("cut", "up_to", "above"),
    [
        (-2.60, ("1", "1"), ("2", "2a")),
        (-2.270, ("2", "2a"), ("2", "2b")),
        (-1.39, ("2", "2b"), ("3", "3")),
    ],
)
def test_grades_on_both_sides_of_each_cut_off(cut, up_to, above) -> None:
    albumin = (0.66 - cut) / 0.085  # bilirubin 10 µmol/l has the logarithm 1
    found = albi_score(bilirubin_umol_l=10, albumin_g_l=[albumin + 1e-9, albumin - 1e-9])
    assert list(zip(found.grade, found.modified_grade, strict=True)) == [up_to, above]


def test_worse_with_bilirubin_better_with_albumin(rng: np.random.Generator) -> None:
    bilirubin, albumin = rng.uniform(5, 300, 200), rng.uniform(15, 50, 200)
    base = albi_score(bilirubin_umol_l=bilirubin, albumin_g_l=albumin).score
    assert (albi_score(bilirubin_umol_l=bilirubin * 1.1, albumin_g_l=albumin).score > base).all()
    assert (albi_score(bilirubin_umol_l=bilirubin, albumin_g_l=albumin + 1).score < base).all()


def test_card_says_that_nothing_is_learnt() -> None:
    assert not CARD.learns
