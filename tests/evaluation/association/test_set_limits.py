"""Which gene sets the limits let in."""

from __future__ import annotations

import pandas as pd

from radiogenomics.evaluation.association.set_limits import SetLimits


def test_limits_count_what_is_measured_of_a_set_once() -> None:
    genes = pd.Index([f"G{i}" for i in range(6)])
    sets = {"in": ["G4", "G0", "G4"], "few": ["G1", "X"], "thin": ["G1", "G2", "X", "Y", "Z"]}
    found = list(SetLimits(2, 3, 0.5).measured({**sets, "all": genes}, genes))
    assert [(each.name, each.listed, each.fits) for each in found] == [
        ("in", 2, True), ("few", 2, False), ("thin", 5, False), ("all", 6, False),
    ]  # fmt: skip
    assert found[0].places.tolist() == [4, 0]
    (whole,) = SetLimits(2, 500, 0.5).measured({"all": genes}, genes)
    assert not whole.fits
