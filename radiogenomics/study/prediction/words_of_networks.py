"""Words of networks and encoders in a recipe; torch is not needed to check them."""

from __future__ import annotations

from radiogenomics.core.errors import StudyError, UnknownNameError, short_list
from radiogenomics.imaging.deep import encoder_preset
from radiogenomics.study.prediction.inputs import BASELINE
from radiogenomics.study.prediction.labels import TimeLabel
from radiogenomics.study.prediction.schema import (
    ImageBlock,
    NetworkBlock,
    PredictionStudy,
)

MULTI_INSTANCE = "multi_instance_transformer"
NETWORK_WORDS = (
    "efficientnet_b1",
    "residual_autoencoder",
    "multi_plane_transformer",
    "resnet50",
    "densenet121",
    "vit",
    "swin_unetr",
    "autoencoder_only",
    MULTI_INSTANCE,
)
"""Those of ``models.deep.networks``, and the one that learns from slices."""
SLICES = "slices"


def check_network(study: PredictionStudy, name: str) -> None:
    """Raise unless a network block's words name something, and fit its label and its scans.

    Raises
    ------
    UnknownNameError
        There is no such network or view.
    StudyError
        A phase stands twice; the network tells classes and the label is a time; its view has no
        slices, and these are what it learns from.
    """
    block = study.blocks[name]
    if not isinstance(block, NetworkBlock):
        return
    word, phases = block.network.value, block.phases.value
    if word not in NETWORK_WORDS:
        raise UnknownNameError(f"network of blocks.{name}", word, NETWORK_WORDS)
    view = encoder_preset(block.view.value).view
    if len(set(phases)) < len(phases):
        raise StudyError(
            f"blocks.{name}: expected each phase once; found {', '.join(phases)}. Correct them."
        )
    if word == MULTI_INSTANCE and isinstance(study.label, TimeLabel):
        raise StudyError(
            f"blocks.{name}: expected another network for a time to an event; found {word}, which "
            "tells two classes. Choose another, or the rule survival_beyond."
        )
    if word == MULTI_INSTANCE and view != SLICES:
        raise StudyError(
            f"blocks.{name}: expected a view of {SLICES}, which {word} learns from; found "
            f"{block.view.value}, a view of the kind {view}. Choose another preset."
        )
    if word != MULTI_INSTANCE and view == "slice":
        raise StudyError(
            f"blocks.{name}: expected a view in 3D, which {word} reads; found "
            f"{block.view.value}, a single slice. Choose another preset."
        )


def check_blind_networks(study: PredictionStudy) -> None:
    """Raise where a model could not score who was not scanned again.

    Other blocks of later scans are imputed then; of a scan that there is not, a network says
    nothing.

    Raises
    ------
    StudyError
        All blocks of a model are of later scans, one is a network, and patients without these scans
        stay.
    """
    if study.evaluation.without_follow_up.value == "exclude":
        return
    for model in study.models:
        blocks = [study.blocks[name] for name in model.blocks.value]
        scanned = [b for b in blocks if isinstance(b, ImageBlock | NetworkBlock)]
        later = [block for block in scanned if block.time_point.value != BASELINE]
        if len(later) == len(blocks) and any(isinstance(b, NetworkBlock) for b in later):
            raise StudyError(
                f"models.{model.name}: expected a baseline block beside networks of later scans, "
                f"for patients without these; found {short_list(model.blocks.value)} alone. Add "
                "one, or exclude these patients in evaluation.without_follow_up."
            )
