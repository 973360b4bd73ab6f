"""Small scans whose lesions are brighter in those of class 1, and blocks that read them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from radiogenomics.core.scan import Scan, Volume

PHASES = ("arterial", "portal")
SHAPE = (10, 16, 16)


def paper(value):
    return {"value": value, "source": "paper"}


def network_block(**changes):
    said = {
        "network": "vit",
        "modality": "CT",
        "phases": list(PHASES),
        "region": "tumour",
        "time_point": "baseline",
        "view": "efficientnet_b1_volume",
        "voxels": [8, 8, 8],
        "size": "tiny",
        "epochs": 3,
        "batch_size": 8,
        "learning_rate": 0.02,
        "cross_fits": 2,
    } | changes
    return {"kind": "network", **{name: paper(value) for name, value in said.items()}}


def deep_block(**changes):
    said = {
        "modality": "CT",
        "phase": "arterial",
        "region": "tumour",
        "time_point": "baseline",
        "settings": "resnet18_slice",
        "features": 512,
        "reread": None,
    } | changes
    return {"kind": "deep", **{name: paper(value) for name, value in said.items()}}


def model(name, blocks, learner="lr"):
    return {"name": name, "blocks": paper(blocks), "learner": paper(learner)}


def volume(rng, brighter):
    """Voxels of 3 × 2 × 2 mm, liver-like, with a lesion of 6 voxels a side."""
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[2:8, 5:11, 5:11] = 1
    voxels = rng.normal(60, 8, SHAPE) + mask * (20 + brighter)
    return partial(Volume, voxels, {"tumour": mask}, spacing_mm=(3.0, 2.0, 2.0))


def with_scans(cohort, *, effect=40.0, phases=PHASES, seed=0, modality="CT"):
    """The cohort with scans in which responders' lesions are brighter by ``effect`` HU."""
    rng = np.random.default_rng(seed)
    better = cohort.response("response").grouped(("CR", "PR"))
    scans = [
        Scan(patient, modality, volume(rng, effect * better[patient]), phase, regions=("tumour",))
        for patient in cohort.patient_ids
        for phase in phases
    ]
    return replace(cohort, scans=tuple(scans))


def without(cohort, leave_out):
    """The cohort without some scans."""
    return replace(cohort, scans=tuple(scan for scan in cohort.scans if not leave_out(scan)))
