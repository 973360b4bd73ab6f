from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.evaluation.baseline_text import p_text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, "<0.001"),
        (0.00099, "<0.001"),
        (0.001, "0.001"),
        (0.0496, "0.050"),
        (0.9994, ">0.999"),
        (0.9985, "0.999"),
        (1.0, ">0.999"),
        (np.nan, "–"),
    ],
)
def test_p_is_never_written_as_0_or_1(p: float, text: str) -> None:
    assert p_text(p) == text
