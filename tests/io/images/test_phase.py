from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.io.images import (
    Header,
    check_phase,
    guess_phase,
    organ_means,
    read_image,
    read_mask,
)

# Unenhanced values and enhancement of 171 livers: Goshima 2006, see guess_phase.
UNENHANCED = {"aorta": 42, "portal_vein": 40, "liver": 58, "spleen": 49}
ARTERIAL = {"aorta": 42 + 318, "portal_vein": 40 + 90, "liver": 58 + 20, "spleen": 49 + 102}
PORTAL = {"aorta": 42 + 121, "portal_vein": 40 + 130, "liver": 58 + 61, "spleen": 49 + 78}


@pytest.mark.parametrize(
    ("words", "phase"),
    [
        ("Abdomen late arterial 1.25mm", "arterial"),
        ("Leber arteriell", "arterial"),
        ("FOIE ARTERIEL", "arterial"),
        ("C/A/P PORTAL VENOUS", "portal"),
        ("Portovenös 3.0 B30f", "portal"),
        ("temps veineux", "portal"),
        ("LIVER PVP_AX", "portal"),
        ("Delayed 5 min", "delayed"),
        ("Spätphase", "delayed"),
        ("phase tardive", "delayed"),
        ("Nativ 5.0", "none"),
        ("Thorax w/o contrast", "none"),
        ("ABD NON-CON", "none"),
        ("ohne KM", "none"),
        # What must not be read into it:
        ("Recon 3: LIVER 2 PHASE (C/A/P)", None),
        ("CT Abdomen AP", None),
        ("Abdomen with and without contrast", None),
        ("arterial and portal venous", None),
        ("Cartilage, pedal party", None),
        ("", None),
    ],
)
def test_words_in_several_spellings(words: str, phase: str | None) -> None:
    guess = guess_phase(Header("CT", words))
    assert guess.phase == phase
    assert guess.confidence == ("none" if phase is None else "medium")


@pytest.mark.parametrize(
    ("means", "phase"), [(UNENHANCED, "none"), (ARTERIAL, "arterial"), (PORTAL, "portal")]
)
def test_published_organ_values_fall_into_their_phase(means: dict, phase: str) -> None:
    guess = guess_phase(Header("CT"), means)
    assert (guess.phase, guess.confidence) == (phase, "medium")
    assert guess_phase(Header("MR"), means).phase is None


def test_witnesses_that_agree_and_that_do_not() -> None:
    assert guess_phase(Header("CT", "portal"), PORTAL).confidence == "high"
    assert guess_phase(Header("CT", seconds_after_contrast=70.0)).phase == "portal"
    assert guess_phase(Header("CT", seconds_after_contrast=70.0)).confidence == "low"
    torn = guess_phase(Header("CT", "arterial"), PORTAL)
    assert torn.phase is None
    assert len(torn.reasons) == 2
    assert guess_phase(Header("CT"), {"liver": 90.0}) == guess_phase(Header("CT"))
    assert guess_phase(Header("CT", seconds_after_contrast=5000.0)).reasons == ()


@pytest.mark.parametrize("declared", ["arterial", "A", "late arterial", "none", "native"])
def test_contradiction_warns(declared: str) -> None:
    with pytest.warns(RadiogenomicsWarning, match=f"p1: expected the declared phase '{declared}'"):
        check_phase(declared, guess_phase(Header("CT", "portal venous")), what="p1")


@pytest.mark.parametrize("declared", ["portal", "P", "PVP", "venous", "hepatobiliary", ""])
def test_agreement_and_unknown_words_do_not(declared: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_phase(declared, guess_phase(Header("CT", "portal venous"), PORTAL))
        check_phase(declared, guess_phase(Header("CT")))


def test_agent_counts_only_without_other_witnesses() -> None:
    alone = guess_phase(Header("CT", contrast=False))
    assert (alone.phase, alone.confidence) == ("none", "low")
    assert guess_phase(Header("CT", "portal", contrast=False)).phase == "portal"
    assert guess_phase(Header("CT", contrast=True)).phase is None
    dynamic = guess_phase(Header("MR", contrast=False, temporal_position=2))
    assert dynamic.phase is None
    assert dynamic.reasons == ("acquisition 2 of a dynamic series",)


def test_organs_rule_out_what_they_cannot_decide() -> None:
    guess = guess_phase(Header("CT"), {"liver": 110.0, "spleen": 115.0})
    assert guess.phase is None
    assert "none" in guess.ruled_out
    with pytest.warns(RadiogenomicsWarning, match="does not look so"):
        check_phase("native", guess)


def test_organ_means_leave_lesions_out(rng: np.random.Generator) -> None:
    voxels = rng.normal(60, 1, (10, 20, 20))
    liver = np.ones(voxels.shape, dtype=np.uint8)
    lesion, left, right = (np.zeros_like(liver) for _ in range(3))
    lesion[:5] = 1
    voxels[:5] = 500
    left[8, :10], right[8, 10:] = 1, 1
    means = organ_means(
        voxels, {"Liver": liver, "tumour": lesion, "kidney_left": left, "kidney_right": right}
    )
    assert means["liver"] == pytest.approx(voxels[5:].mean())
    assert means["kidney"] == pytest.approx(voxels[8].mean())
    assert organ_means(voxels, {"livertumor1": lesion}) == {}
    lesion[:], lesion[0, 0, :9] = 0, 1
    assert organ_means(voxels, {"spleen": lesion}) == {}


@pytest.mark.real
def test_portal_venous_ircadb_rules_out_the_other_ends(data_root: Path) -> None:
    root = data_root / "imaging" / "liver" / "3Dircadb1.17"
    image = read_image(root / "PATIENT_DICOM.tar.xz")
    masks = {
        name: read_mask(root / "MASKS_DICOM.zip" / "MASKS_DICOM" / name, image=image)
        for name in ("liver", "livertumor1", "livertumor2", "portalvein")
    }
    millilitres = {
        name: mask.sum() * np.prod(image.spacing_mm) / 1000 for name, mask in masks.items()
    }
    assert millilitres["liver"] == pytest.approx(1861, abs=0.5)
    assert set(np.unique(masks["liver"])) == {0, 1}
    guess = guess_phase(image.header, organ_means(image.voxels, masks))
    assert guess.phase in (None, "portal")
    assert guess.ruled_out >= {"none", "delayed"}
    with pytest.warns(RadiogenomicsWarning, match="declared phase 'delayed'"):
        check_phase("delayed", guess)


@pytest.mark.real
def test_real_headers_and_organs(data_root: Path) -> None:
    liver = data_root / "imaging" / "liver"
    tace = read_image(liver / "HCC-TACE-Seg_HCC_048" / "HCC048_portal_venous_dicom.tar.xz")
    assert tace.voxels.shape == (89, 512, 512)
    assert guess_phase(tace.header).phase is None  # "2 PHASE (C/A/P)" names chest and abdomen
    root = liver / "totalsegmentator_example"
    unenhanced = read_image(root / "example_ct_sm.nii.gz")
    assert _guess(unenhanced, read_mask(root / "example_seg.nii.gz", image=unenhanced)) == "none"
    enhanced = read_image(root / "example_ct_dicom.zip")
    with pytest.warns(RadiogenomicsWarning, match="resampled"):
        labels = read_mask(root / "example_seg_dicom.nii.gz", image=enhanced, repair="resample")
    # 97 s after the injection.
    assert _guess(enhanced, labels) == "portal"


def _guess(image, labels) -> str | None:
    organs = {"spleen": 1, "liver": 5, "aorta": 52, "portal_vein": 64}
    masks = {organ: labels == number for organ, number in organs.items()}
    return guess_phase(image.header, organ_means(image.voxels, masks)).phase
