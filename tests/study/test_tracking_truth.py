"""Responses of simulated patients from their scans, beside the categories that made the scans.

Seed 2 was looked at when the rule of the viable part was settled; it is not among those here.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from radiogenomics.core.scan import Volume
from radiogenomics.imaging.enhancement import with_viable
from radiogenomics.simulate import hcc_cohort
from radiogenomics.study.tracking import track_response

pytestmark = pytest.mark.slow

PATIENTS, POINTS = 40, ("baseline", "follow-up")


def scanned(modality: str, seed: int) -> list[tuple[str, Volume, Volume]]:
    """Simulated category, scan before and scan after of each patient."""
    rng = np.random.default_rng(seed)
    cohort = hcc_cohort(
        PATIENTS, n_genes=150, time_points=POINTS, modality=modality, rng=rng
    ).cohort
    truth = cohort.response("response").category
    scans = {(scan.patient_id, scan.time_point): scan for scan in cohort.scans}
    return [(truth[p], *(scans[p, point].load() for point in POINTS)) for p in truth.index]


def judged(first: Volume, later: Volume, **options) -> str:
    found = track_response({0.0: first, 2.0: later}, **options)
    return str(found.course.table["overall"].iloc[0])


def right(pairs: list[tuple[str, str]]) -> tuple[int, int, int]:
    """Patients called right; complete responses called so, and how many there are."""
    complete = [found for truth, found in pairs if truth == "CR"]
    return sum(t == f for t, f in pairs), complete.count("CR"), len(complete)


def test_registered_scans_are_judged_as_they_were_simulated(record_property):
    """Nobody is refused, and every complete response is seen, which whole lesions do not show."""
    scans = scanned("CT", 1)
    viable = [
        (truth, judged(*map(with_viable, pair), organ="liver", measured="viable"))
        for truth, *pair in scans
    ]
    whole = [(t, judged(*pair, transform=None, criterion="recist")) for t, *pair in scans]
    for name, pairs in (("viable part", viable), ("whole lesions", whole)):
        record_property(f"{name}: right, complete seen, complete", str(right(pairs)))
        record_property(f"{name}: wrong", str(Counter(p for p in pairs if p[0] != p[1])))
    assert right(viable)[0] >= 38
    assert right(viable)[1:] == (5, 5)
    assert right(whole)[1] == 0


@pytest.mark.parametrize(("modality", "least"), [("CT", 110), ("MR", 102)])
def test_viable_part_in_other_cohorts(modality, least, record_property):
    """Scans as they lie, of three cohorts of 40; the unit of MR is its own."""
    pairs = [
        (truth, judged(*map(with_viable, pair), transform=None, measured="viable"))
        for seed in (3, 4, 5)
        for truth, *pair in scanned(modality, seed)
    ]
    record_property("right, complete seen, complete", str(right(pairs)))
    record_property("wrong", str(Counter(pair for pair in pairs if pair[0] != pair[1])))
    assert right(pairs)[0] >= least
