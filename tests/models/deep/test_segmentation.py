from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.metrics.meandice import compute_dice
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from radiogenomics.core.errors import (
    DataError,
    GeometryError,
    RadiogenomicsWarning,
    SchemaError,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.imaging.mask_agreement import (
    agreement_table,
    mask_agreement,
    summarise_agreement,
)
from radiogenomics.models.deep import segmentation
from radiogenomics.models.deep.segmentation import LIVER_AND_TUMOUR, SegmentationNetwork
from radiogenomics.models.deep.segmentation_patches import (
    PatchSource,
    label_volumes,
    region_masks,
)
from radiogenomics.models.deep.segmentation_unet import SegmentationSettings, SegmentationUNet
from radiogenomics.models.deep.training_settings import Augmentation, TrainingSettings
from radiogenomics.simulate.planted_volumes import planted_volume

SMALL = SegmentationSettings(filters=(4, 8), residual_units=0, patches=3)
SHORT = TrainingSettings(
    epochs=2, batch_size=3, learning_rate=0.01, schedule="none", patience=None, device="cpu"
)


def simulated(first: int, count: int, *, side: int = 24) -> tuple[ScanArrays, np.ndarray]:
    """Portal scans of SIMULATED patients of two sites in HU −50 to 200, with liver and tumour."""
    volumes = [
        planted_volume(
            0.3 * (number % 5 - 2),
            seed=3,
            patient=number,
            shape=(side, side, side),
            phase="portal",
            site="AB"[number % 2],
        )
        for number in range(first, first + count)
    ]
    values = np.stack([np.clip((each.voxels + 50.0) / 250, 0, 1) for each in volumes])
    masks = {name: np.stack([each.mask(name) for each in volumes]) for name in LIVER_AND_TUMOUR}
    names = tuple(f"P{number}" for number in range(first, first + count))
    scans = ScanArrays(
        values[:, np.newaxis].astype(np.float32), names, ("portal",), volumes[0].spacing_mm
    )
    return scans, label_volumes(masks, LIVER_AND_TUMOUR)


@pytest.fixture(scope="module")
def few() -> tuple[ScanArrays, np.ndarray]:
    return simulated(0, 6, side=12)


@pytest.fixture(scope="module")
def drawer() -> SegmentationNetwork:
    """Learnt from twelve simulated patients, some seconds."""
    torch.set_num_threads(1)
    training = TrainingSettings(
        epochs=25, batch_size=4, learning_rate=0.01, schedule="cosine", clip=1.0, device="cpu"
    )
    network = SegmentationNetwork(settings=SegmentationSettings.tiny(), training=training)
    return network.fit(*simulated(0, 12))


@pytest.fixture(scope="module")
def others() -> tuple[ScanArrays, np.ndarray]:
    return simulated(100, 8)


def test_it_draws_the_liver_of_new_patients_and_untrained_it_does_not(
    drawer: SegmentationNetwork, others: tuple[ScanArrays, np.ndarray]
) -> None:
    scans, labels = others
    trained = drawer.dice(scans, labels)
    assert trained["liver"].min() > 0.8
    assert trained["liver"].mean() > 0.9
    untrained = deepcopy(drawer)
    for seed in range(3):
        torch.manual_seed(seed)
        untrained.network_ = SegmentationUNet(1, 3, SegmentationSettings.tiny())
        before = untrained.dice(scans, labels)
        assert before["liver"].mean() < 0.5
        assert trained["tumour"].mean() > 2 * before["tumour"].mean()


def test_what_it_draws_is_measured_in_mm(
    drawer: SegmentationNetwork, others: tuple[ScanArrays, np.ndarray]
) -> None:
    scans, labels = others
    drawn, drawn_by_hand = drawer.predict_masks(scans), region_masks(labels, LIVER_AND_TUMOUR)
    table = agreement_table(
        {
            patient: {
                region: mask_agreement(
                    drawn[region][row],
                    drawn_by_hand[region][row],
                    spacing_mm=scans.spacing_mm,
                    tolerance_mm=max(scans.spacing_mm),
                )
                for region in LIVER_AND_TUMOUR
            }
            for row, patient in enumerate(scans.patient_ids)
        }
    )
    ours = drawer.dice(scans, labels)
    for region in LIVER_AND_TUMOUR:
        theirs = table[table["region"] == region].set_index("patient_id")["dice"]
        assert np.allclose(theirs, ours[region], rtol=1e-12)
    summary = summarise_agreement(table).set_index(["region", "measure"])["median"]
    # A voxel is 11.7 mm at its longest.
    assert summary["liver", "mean_surface_mm"] < 6
    assert summary["liver", "surface_dice"] > 0.9


def test_dice_is_that_of_monai(
    drawer: SegmentationNetwork, others: tuple[ScanArrays, np.ndarray]
) -> None:
    scans, labels = others
    ours = drawer.dice(scans, labels)
    drawn = drawer.predict_masks(scans)
    for region, there in region_masks(labels, LIVER_AND_TUMOUR).items():
        pair = [torch.from_numpy(each)[:, None].float() for each in (drawn[region], there)]
        theirs = compute_dice(*pair, include_background=True, ignore_empty=False)
        assert np.allclose(ours[region], theirs[:, 0].numpy(), rtol=1e-6)
    assert drawer.score(scans, labels) == pytest.approx(ours.to_numpy().mean(), rel=1e-12)


def test_a_saved_network_draws_the_same(
    drawer: SegmentationNetwork, others: tuple[ScanArrays, np.ndarray], tmp_path: Path
) -> None:
    path = drawer.save(tmp_path / "liver.safetensors")
    again = SegmentationNetwork.load(path, device="cpu")
    assert np.array_equal(again.predict(others[0]), drawer.predict(others[0]))
    assert (again.values_, again.channels_, again.regions) == (
        (0, 1, 2),
        ("portal",),
        dict(LIVER_AND_TUMOUR),
    )
    card = path.with_suffix(".json")
    words = json.loads(card.read_text())
    assert not [name for name in drawer.validation_patients_ if f'"{name}"' in card.read_text()]
    for wrong in ({"kind": "encoder"}, {"regions": None}, {"settings": {"depth": 3}}):
        card.write_text(json.dumps({**words, **wrong}))
        with pytest.raises(SchemaError, match="expected"):
            SegmentationNetwork.load(path)
    card.write_text(json.dumps({**words, "settings": {**words["settings"], "filters": [8, 16]}}))
    with pytest.raises(SchemaError):
        SegmentationNetwork.load(path)


def test_the_same_seed_gives_the_same_network_and_leaves_torch_alone(
    few: tuple[ScanArrays, np.ndarray],
) -> None:
    model = SegmentationNetwork(settings=SMALL, training=SHORT, random_state=4)
    state = torch.get_rng_state()
    first = clone(model).fit(*few)
    assert torch.equal(torch.get_rng_state(), state)
    second, third = clone(model).fit(*few), clone(model).set_params(random_state=5).fit(*few)
    weights = [dict(each.network_.state_dict()) for each in (first, second, third)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert any(not torch.equal(weights[0][name], weights[2][name]) for name in weights[0])


def test_micro_batches_give_the_same_network(few: tuple[ScanArrays, np.ndarray]) -> None:
    training = replace(SHORT, validation_share=0.0)
    whole = SegmentationNetwork(settings=SMALL, training=training).fit(*few)
    parts = SegmentationNetwork(settings=SMALL, training=replace(training, micro_batch=1))
    parts.fit(*few)
    assert np.allclose(whole.history_["loss"], parts.history_["loss"], rtol=1e-5)
    # Weights that no output depends on are moved by rounding alone (Adam divides by the size of
    # gradients), so gradients are compared, in double precision.
    network, values = whole.network_.double(), torch.from_numpy(few[0].values.copy()).double()
    loss = segmentation._PatchLoss(PatchSource.draw(few[0], few[1], size=None, count=1, seed=0))
    gradients = []
    for batches in ([values], values.split(2)):
        network.zero_grad()
        segmentation._step(network, list(batches), lambda outputs: loss(outputs, np.arange(6)))
        gradients.append([weight.grad.clone() for weight in network.parameters()])
    for ours, theirs in zip(*gradients, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_an_interrupted_fit_goes_on_as_if_it_had_not(
    few: tuple[ScanArrays, np.ndarray], tmp_path: Path
) -> None:
    class Killed(Exception):
        pass

    class Killer:
        def write(self, step: int, values: object) -> None:
            if step == 2:
                raise Killed

        def rewind(self, step: int) -> None:
            pass

    model = SegmentationNetwork(settings=SMALL, training=replace(SHORT, epochs=4))
    whole = clone(model).fit(*few)
    with pytest.raises(Killed):
        clone(model).fit(*few, checkpoint_folder=tmp_path, log=Killer())
    again = clone(model).fit(*few, checkpoint_folder=tmp_path, resume=True)
    for ours, theirs in zip(whole.network_.parameters(), again.network_.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    scans, labels = few
    turned = np.ascontiguousarray(labels[::-1])
    with pytest.raises((SchemaError, StudyError)):
        clone(model).fit(scans, turned, checkpoint_folder=tmp_path, resume=True)


def test_patches_serve_as_whole_scans_do(few: tuple[ScanArrays, np.ndarray]) -> None:
    scans, labels = few
    settings = replace(SMALL, patch=(6, 8, 8), patches=4, filters=(8, 16))
    training = replace(SHORT, epochs=20, batch_size=8, validation_share=0.0)
    model = SegmentationNetwork(settings=settings, training=training).fit(scans, labels)
    assert model.predict(scans).shape == labels.shape
    assert model.dice(scans, labels)["liver"].mean() > 0.7


def test_patches_are_cut_where_their_labels_are(rng: np.random.Generator) -> None:
    codes = np.zeros((3, 7, 9, 8), dtype=np.uint8)
    codes[0, 2, 3, 4], codes[1, 5:, :2, :2] = 2, 1
    scans = ScanArrays(
        np.stack([codes, rng.normal(size=codes.shape)], axis=1).astype(np.float32),
        ("A", "B", "C"),
        ("labels", "noise"),
    )
    source = PatchSource.draw(scans, codes, size=(3, 4, 5), count=6, seed=1)
    rows = source.rows([0, 1, 2])
    assert len(rows) == 18
    assert source.at(rows).shape == (18, 2, 3, 4, 5)
    assert np.array_equal(source.at(rows)[:, 0], source.labels(rows))
    # Every second one of patients with a region shows it.
    assert source.labels(rows[0:12:2]).any(axis=(1, 2, 3)).all()
    assert source.patients(source.rows([2, 0])).tolist() == [0, 2]
    again = PatchSource.draw(scans, codes, size=(3, 4, 5), count=6, seed=1)
    assert np.array_equal(again.corners, source.corners)


def test_no_patient_is_in_both_parts(
    few: tuple[ScanArrays, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def spied(network, data, *given, **named):
        seen.append(data)
        return real(network, data, *given, **named)

    real = segmentation.train
    monkeypatch.setattr(segmentation, "train", spied)
    settings = replace(SMALL, patch=(6, 6, 6))
    training = replace(SHORT, validation_share=0.34)
    model = SegmentationNetwork(settings=settings, training=training).fit(*few)
    (data,) = seen
    learnt = set(data.source.patients(data.rows).tolist())
    held = set(data.source.patients(data.validation).tolist())
    assert len(learnt) == 4 and len(held) == 2 and not learnt & held
    assert len(data.rows) == 4 * 3
    names = few[0].patient_ids
    assert set(model.validation_patients_) == {names[row] for row in held}


@pytest.mark.parametrize("shape", [(1, 6, 7), (5, 9, 6), (8, 8, 8), (3, 17, 2)])
def test_scans_of_any_size_are_read(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    network = SegmentationUNet(2, 4, SegmentationSettings.tiny()).eval()
    assert network(torch.randn(1, 2, *shape)).shape == (1, 4, *shape)


def test_masks_are_painted_into_labels_and_back() -> None:
    masks = {
        "liver": np.array([[0, 1, 1, 0]]),
        "tumour": np.array([[0, 0, 2, 3]]),
        "spleen": np.array([[1, 0, 0, 0]]),
    }
    regions = {"liver": (1, 2), "tumour": (2,), "spleen": (7,)}
    labels = label_volumes(masks, regions)
    assert labels.tolist() == [[7, 1, 2, 2]]
    back = region_masks(labels, regions)
    # The tumour beyond the liver is liver now.
    assert back["liver"].tolist() == [[False, True, True, True]]
    assert back["tumour"].tolist() == [[False, False, True, True]]
    with pytest.raises(UnknownNameError, match="spleen"):
        label_volumes({"liver": masks["liver"], "tumour": masks["tumour"]}, regions)
    with pytest.raises(GeometryError, match="one shape"):
        label_volumes({**masks, "liver": np.zeros((2, 2))}, regions)


@pytest.mark.parametrize("regions", [{}, {"liver": ()}, {"liver": (0,)}, {"liver": (1.5,)}])
def test_regions_without_values_are_refused(
    few: tuple[ScanArrays, np.ndarray], regions: dict[str, tuple[int, ...]]
) -> None:
    with pytest.raises(SchemaError, match="values from 1 to 255"):
        SegmentationNetwork(regions, settings=SMALL, training=SHORT).fit(*few)


def test_labels_that_do_not_fit_are_refused(few: tuple[ScanArrays, np.ndarray]) -> None:
    scans, labels = few
    model = SegmentationNetwork(settings=SMALL, training=SHORT)
    with pytest.raises(GeometryError, match="same way"):
        model.fit(scans, labels[:, 1:])
    with pytest.raises(SchemaError, match="whole numbers"):
        model.fit(scans, labels.astype(float))
    with pytest.raises(SchemaError, match="found 9"):
        model.fit(scans, np.where(labels == 2, 9, labels))
    with pytest.raises(DataError, match="none of 2"):
        model.fit(scans, np.minimum(labels, 1))


def test_settings_that_do_not_fit_are_refused(few: tuple[ScanArrays, np.ndarray]) -> None:
    augmented = replace(SHORT, augment=Augmentation(flip=0.5))
    with pytest.raises(StudyError, match="masks not"):
        SegmentationNetwork(settings=SMALL, training=augmented).fit(*few)
    with pytest.raises(GeometryError, match="no larger"):
        large = replace(SMALL, patch=(13, 4, 4))
        SegmentationNetwork(settings=large, training=SHORT).fit(*few)
    for wrong in ({"filters": (4,)}, {"patch": (4, 4)}, {"overlap": 1.0}, {"patches": 0}):
        with pytest.raises(SchemaError, match="segmentation"):
            SegmentationSettings(**wrong)


def test_other_scans_than_it_learnt_from_are_refused(
    drawer: SegmentationNetwork, few: tuple[ScanArrays, np.ndarray]
) -> None:
    scans, labels = few
    arterial = ScanArrays(scans.values, scans.patient_ids, ("arterial",))
    with pytest.raises(SchemaError, match="portal"):
        drawer.predict(arterial)
    with pytest.warns(RadiogenomicsWarning, match="2 times"):
        drawer.predict(replace(scans, spacing_mm=tuple(np.multiply(drawer.spacing_mm_, 2))))
    with pytest.raises(NotFittedError):
        SegmentationNetwork().predict(scans)
    scans = replace(scans, spacing_mm=drawer.spacing_mm_)
    cut = deepcopy(drawer).set_params(settings=replace(drawer.settings, patch=(16, 16, 16)))
    with pytest.raises(GeometryError, match="or more"):
        cut.predict(scans)
    with pytest.raises(GeometryError, match="same way"):
        drawer.score(scans, labels[1:])


def test_nothing_to_draw_is_no_score() -> None:
    empty = np.zeros((2, 4, 4, 4), dtype=np.uint8)
    scans = ScanArrays(np.zeros((2, 1, 4, 4, 4), np.float32), ("A", "B"), ("portal",))
    model = SegmentationNetwork({"liver": (1,)}, settings=SMALL)
    model.network_, model.values_ = _Never(), (0, 1)
    model.channels_, model.spacing_mm_ = scans.channels, scans.spacing_mm
    assert model.dice(scans, empty)["liver"].isna().all()
    with pytest.raises(DataError, match="none to draw"):
        model.score(scans, empty)


class _Never(torch.nn.Module):
    """Finds nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, scans: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.ones_like(scans), torch.zeros_like(scans)], dim=1)
