"""Whom weights have seen, by their card: told by name, by file, and refused where it would leak."""

from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import LeakageError
from radiogenomics.core.weight_file import write_weights
from radiogenomics.study.weights_seen import (
    differing_settings,
    require_unseen,
    seen_of,
    trained_words,
)

CARD = {
    "kind": "encoder",
    "architecture": "resnet18",
    "trained": "contrastive, 40 patients",
    "cohorts": ["source"],
    "inputs": {"source/patients": "aa", "source/scans": "bb"},
    "facts": ["afp"],
    "settings": {"window": [-100, 250], "normalise": "none", "view": "slice"},
}


@pytest.fixture
def weights(tmp_path):
    return write_weights(tmp_path / "own.safetensors", {"w": np.zeros(1, np.float32)}, CARD)


@pytest.mark.parametrize(
    ("cohorts", "hashes", "seen"),
    [
        (["other"], {"other/patients": "cc"}, ()),
        (["source"], {"source/patients": "cc"}, ("source",)),
        (["renamed", "other"], {"renamed/scans": "bb", "other/scans": "dd"}, ("renamed",)),
    ],
)
def test_a_cohort_is_known_by_its_name_or_a_file(weights, cohorts, hashes, seen):
    assert seen_of(weights, cohorts=cohorts, hashes=hashes) == seen
    if not seen:
        require_unseen({"resnet18_slice": weights}, cohorts=cohorts, hashes=hashes)
        return
    with pytest.raises(LeakageError, match=f"pre-trained on {seen[0]}. Pre-train it on other"):
        require_unseen({"resnet18_slice": weights}, cohorts=cohorts, hashes=hashes)


def test_weights_from_elsewhere_have_no_card(tmp_path):
    (tmp_path / "own.pt").write_bytes(b"")
    assert seen_of(tmp_path / "own.pt", cohorts=["source"], hashes={}) == ()
    assert differing_settings(tmp_path / "own.pt", {"window": None}) == ()


def test_the_card_says_what_they_were_trained_on_and_how_they_saw(weights):
    assert trained_words(weights) == "own.safetensors, contrastive, 40 patients, told afp"
    same = {"window": [-100, 250], "normalise": "none", "view": "slice"}
    assert differing_settings(weights, same) == ()
    other = same | {"window": None, "normalise": "image"}
    assert differing_settings(weights, other) == ("window", "normalise")
