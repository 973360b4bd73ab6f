"""Networks of a recipe: an estimator for each block, and whether it can read its scans.

What it imports needs torch: only what runs a recipe with networks imports this.
"""

from __future__ import annotations

from radiogenomics.core.errors import GeometryError, StudyError
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.models.deep.devices import pick_device, seeded
from radiogenomics.models.deep.multi_instance.bags import Bags
from radiogenomics.models.deep.multi_instance.estimator import MultiInstanceClassifier
from radiogenomics.models.deep.multi_instance.transformer import TransformerSettings
from radiogenomics.models.deep.network_classifier import NetworkClassifier
from radiogenomics.models.deep.network_risk import NetworkRisk
from radiogenomics.models.deep.networks import build_network, tiny_settings
from radiogenomics.models.deep.survival_network import SurvivalNetwork
from radiogenomics.models.deep.training_settings import TrainingSettings
from radiogenomics.study.prediction.deep_blocks import SHARE_ASIDE
from radiogenomics.study.prediction.inputs import PredictionInputs
from radiogenomics.study.prediction.schema import NetworkBlock, PredictionStudy

TINY = "tiny"
TINY_TRANSFORMER = TransformerSettings(width=16, depth=1, heads=2)
# Processes that share a machine have fewer threads each, and on fewer the same seed gives another
# network: what a run finds must not depend on how many processes it had.
THREADS = 1

Learner = SurvivalNetwork | NetworkClassifier | MultiInstanceClassifier


def network_of(
    block: NetworkBlock,
    scans: ScanArrays | Bags,
    *,
    of_time: bool,
    random_state: int,
    aside: float = SHARE_ASIDE,
    device: str = "auto",
) -> Learner:
    """Return the unfitted network of a block; StudyError where it cannot learn the label.

    Parameters
    ----------
    block, scans
        What to train, and on what.
    of_time
        Whether the label is a time to an event instead of two classes.
    random_state
        Seed of first weights, who is put aside, batches and dropout.
    aside
        Share of the patients who say when to stop, and teach nothing.
    device
        ``auto`` (a GPU where there is one), ``cpu`` or ``cuda``.
    """
    tiny, word = block.size.value == TINY, block.network.value
    rate, batch = block.learning_rate.value, block.batch_size.value
    if isinstance(scans, Bags):
        if of_time:
            raise StudyError(
                f"expected another network for a time to an event; found {word}, which tells two "
                "classes. Choose another, or the rule survival_beyond."
            )
        return MultiInstanceClassifier(
            scans,
            settings=TINY_TRANSFORMER if tiny else None,
            epochs=block.epochs.value,
            batch_size=batch,
            learning_rate=rate,
            validation_share=aside,
            device=device,
            random_state=random_state,
        )
    training = TrainingSettings(
        epochs=block.epochs.value,
        batch_size=batch,
        learning_rate=rate,
        validation_share=aside,
        device=device,
    )
    kind = SurvivalNetwork if of_time else NetworkClassifier
    return kind(
        scans,
        word,
        network_settings=tiny_settings(word) if tiny else None,
        training=training,
        random_state=random_state,
    )


def network_risk(
    block: NetworkBlock,
    scans: ScanArrays | Bags,
    *,
    of_time: bool,
    random_state: int,
    aside: float = SHARE_ASIDE,
) -> NetworkRisk:
    """Return the step that makes one number of a block's scans, learnt inside the folds."""
    return NetworkRisk(
        network_of(block, scans, of_time=of_time, random_state=random_state, aside=aside),
        n_splits=block.cross_fits.value,
        random_state=random_state,
        threads=THREADS,
    )


def require_readable(study: PredictionStudy, inputs: PredictionInputs) -> None:
    """Refuse views that a network cannot read, before hours are spent on the others.

    Raises
    ------
    StudyError
        There is such a network.
    """
    for name, block in study.blocks.items():
        scans = inputs.scans.get(name)
        if not isinstance(block, NetworkBlock) or not isinstance(scans, ScanArrays):
            continue
        word, tiny = block.network.value, block.size.value == TINY
        try:
            with seeded(0, 0, pick_device("cpu")):
                build_network(
                    word,
                    channels=len(scans.channels),
                    shape=scans.shape,
                    heads={"main": 1},
                    settings=tiny_settings(word) if tiny else None,
                )
        except GeometryError as error:
            raise StudyError(f"blocks.{name}: {error}") from error
