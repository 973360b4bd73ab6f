"""Small cohorts whose scans know survival, or do not, and networks small enough to train."""

from __future__ import annotations

import numpy as np

from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.models.deep.network_classifier import NetworkClassifier
from radiogenomics.models.deep.networks import tiny_settings
from radiogenomics.models.deep.survival_network import SurvivalNetwork
from radiogenomics.models.deep.training_settings import TrainingSettings

SIZE = 8


def survival_array(event, time):
    y = np.empty(len(time), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    return y


def scans_of(values, prefix="P"):
    return ScanArrays(
        np.asarray(values, dtype=np.float32),
        tuple(f"{prefix}{n}" for n in range(len(values))),
        tuple(f"phase{n}" for n in range(np.shape(values)[1])),
    )


def cohort(n, *, seed=0, effect=2.0, size=SIZE, channels=1):
    """Scans whose brightness is a score, and survival that it drives (effect 0: does not)."""
    rng = np.random.default_rng([83, seed])
    score = rng.normal(size=n)
    values = rng.normal(size=(n, channels, size, size, size)) + score[:, None, None, None, None]
    death = rng.exponential(np.exp(-effect * score))
    followed = rng.exponential(3 * np.median(death), size=n)
    y = survival_array(death <= followed, np.minimum(death, followed))
    return scans_of(values), y, score


def training(**others):
    words = {"epochs": 1, "learning_rate": 0.01, "validation_share": 0.25, "device": "cpu"}
    return TrainingSettings(**(words | others))


def network(scans, word="vit", *, random_state=0, kind=SurvivalNetwork, more=None, **words):
    return kind(
        scans,
        word,
        network_settings=tiny_settings(word),
        training=training(**words),
        random_state=random_state,
        **(more or {}),
    )


def classifier(scans, word="vit", **words):
    return network(scans, word, kind=NetworkClassifier, **words)


def altered(scans, who):
    """The same scans, but those of some patients are others."""
    values = scans.values.copy()
    values[who] = -7.0 - values[who][:, :, ::-1]
    return ScanArrays(values, scans.patient_ids, scans.channels)


def same_weights(first, second):
    ours, theirs = first.network_.state_dict(), second.network_.state_dict()
    return ours.keys() == theirs.keys() and all((ours[k] == theirs[k]).all() for k in ours)
