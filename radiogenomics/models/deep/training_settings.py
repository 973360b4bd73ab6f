"""How networks are trained: the numbers of a recipe, checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Self

from radiogenomics.core.errors import SchemaError, UnknownNameError

SCHEDULES = ("none", "plateau", "cosine")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


@dataclass(frozen=True)
class Augmentation:
    """How often a scan is changed before the network sees it, and how much.

    Each change is made or not by itself, a turn in each of its planes.

    Parameters
    ----------
    contrast, rotate90, flip, zoom
        Probabilities, 0 to 1: brightness bent by a power, quarter turns (half turns between axes of
        different length) in the planes of z with x and of z with y, mirror images along one or more
        axes, enlargement about the centre. Single slices are turned in their own plane.
    gamma
        Smallest and largest power; below 1 brightens.
    zooms
        Smallest and largest enlargement; what falls short is filled with the edge.

    Raises
    ------
    SchemaError
        A number outside its range.

    Examples
    --------
    >>> Augmentation.everywhere(0.55).flip
    0.55
    """

    contrast: float = 0.0
    rotate90: float = 0.0
    flip: float = 0.0
    zoom: float = 0.0
    gamma: tuple[float, float] = (0.5, 4.5)
    zooms: tuple[float, float] = (0.9, 1.1)

    def __post_init__(self) -> None:
        """Refuse what is no probability, and ranges upside down."""
        for name in ("contrast", "rotate90", "flip", "zoom"):
            _require(0 <= getattr(self, name) <= 1, f"augment: {name}", "0 to 1", self)
        for name in ("gamma", "zooms"):
            low, high = getattr(self, name)
            _require(0 < low <= high < 10, f"augment: {name}", "two numbers, 0 < a <= b < 10", self)

    @classmethod
    def everywhere(cls, probability: float) -> Self:
        """All four changes, each with this probability.

        The code of Ensemble-DL (npj Precision Oncology 2025;9:185) has 0.55 for its first two
        networks and 0.25 for the transformer.
        """
        return cls(probability, probability, probability, probability)


@dataclass(frozen=True)
class TrainingSettings:
    """All that is chosen about training a network, except the network and its loss.

    Parameters
    ----------
    epochs
        Most passes over the training part.
    batch_size
        Patients in a step; a few more where otherwise a batch had no event.
    micro_batch
        Patients in memory at once, for steps that accumulate; None: the whole batch.
    learning_rate
        Of Adam.
    loss_learning_rate
        Of weights that the loss itself has; None: that of the network.
    weight_decay
        Shrinkage of all weights in each step, apart from the gradient (AdamW); 0 is Adam.
    l1
        Weight of the sum of absolute weights in what is minimised.
    schedule
        ``none``; ``plateau``: the learning rate is multiplied by ``plateau_factor`` when the score
        of the validation part (without one: the training loss) has not bettered for more than
        ``plateau_patience`` epochs; ``cosine``: it falls to 0 over ``epochs``.
    plateau_factor, plateau_patience
        See ``schedule``.
    patience
        Epochs without a better validation score after which training stops; None: never.
    minimum_delta
        By how much a score must be higher to be better.
    clip
        Longest gradient (Euclidean norm over all weights); None: as long as it is.
    precision
        ``auto``: bf16 on a GPU that has it, else fp16 on a GPU, fp32 on CPU.
    augment
        Changes of training scans; None: none.
    validation_share
        Share of patients put aside for early stopping, 0 to below 1.
    checkpoint_every
        Epochs between checkpoints; one is written at the end, too.
    seed
        Seed of split, batches, augmentation and dropout.
    device
        ``auto``: a GPU where there is one; ``cpu``; ``cuda``; ``cuda:N``.

    Raises
    ------
    SchemaError
        A number outside its range.
    UnknownNameError
        A schedule or precision that does not exist.

    Examples
    --------
    >>> TrainingSettings(epochs=20, augment=Augmentation.everywhere(0.25)).learning_rate
    0.0001
    """

    epochs: int = 250
    batch_size: int = 16
    micro_batch: int | None = None
    learning_rate: float = 1e-4
    loss_learning_rate: float | None = None
    weight_decay: float = 0.0
    l1: float = 0.0
    schedule: str = "plateau"
    plateau_factor: float = 0.5
    plateau_patience: int = 10
    patience: int | None = 30
    minimum_delta: float = 0.0
    clip: float | None = None
    precision: str = "auto"
    augment: Augmentation | None = None
    validation_share: float = 0.2
    checkpoint_every: int = 1
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        for kind, word, known in (
            ("schedule", self.schedule, SCHEDULES),
            ("precision", self.precision, PRECISIONS),
        ):
            if word not in known:
                raise UnknownNameError(kind, word, known)
        counts = ("epochs", "batch_size", "micro_batch", "checkpoint_every", "patience")
        self._require_all(counts, "1 or more", lambda value: value >= 1 and value == int(value))
        self._require_all(
            ("seed", "plateau_patience"), "0 or more", lambda v: v >= 0 and v == int(v)
        )
        positive = ("learning_rate", "loss_learning_rate", "clip")
        self._require_all(positive, "above 0", lambda value: 0 < value < 1e9)
        self._require_all(
            ("weight_decay", "l1", "minimum_delta"), "0 or more", lambda v: 0 <= v < 1e9
        )
        self._require_all(("plateau_factor",), "between 0 and 1", lambda value: 0 < value < 1)
        self._require_all(("validation_share",), "0 to below 1", lambda value: 0 <= value < 1)

    def _require_all(self, names: Iterable[str], expected: str, right: Any) -> None:
        for name in names:
            value = getattr(self, name)
            _require(value is None or right(value), name, expected, self)

    def words(self) -> dict[str, Any]:
        """Return all settings as what JSON can hold."""
        return asdict(self)


def _require(right: bool, name: str, expected: str, settings: object) -> None:
    if not right:
        field = name.rsplit(" ", 1)[-1]
        raise SchemaError(
            f"{name}: expected {expected}; found {getattr(settings, field)}. Mend the settings."
        )
