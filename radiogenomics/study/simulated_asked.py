"""How large a simulation is to be and what is left out of it, checked before anything is drawn."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, StudyError
from radiogenomics.study.prediction.inputs import BASELINE
from radiogenomics.study.prediction.schema import ImageBlock, NetworkBlock, PredictionStudy
from radiogenomics.study.prediction.simulated import FEWEST_ELSEWHERE, FEWEST_TRAINING
from radiogenomics.study.registry import AnyStudy


@dataclass(frozen=True)
class Asked:
    """What a simulation is asked for, as of :func:`radiogenomics.study.run_simulated`."""

    scale: float = 1.0
    features: int | None = None
    change: bool = True
    effect: bool = True

    def check(self, recipe: AnyStudy) -> None:
        """Refuse what a recipe cannot give, and tell what it does not follow.

        Raises
        ------
        DataError
            The scale is out of range.
        StudyError
            The recipe requires what is not there yet; the change alone is to be taken out of one
            that looks at one time point.
        """
        check_scale(self.scale)
        recipe.require_nothing()
        if self.effect and not self.change and not _looks_again(recipe):
            raise StudyError(
                f"{recipe.study}: expected a recipe with scans of several time points, to take the "
                f"change between them out; found scans at {BASELINE} alone. Leave out --without "
                "change, or take --without effect."
            )
        if isinstance(recipe, PredictionStudy):
            _tell_least(recipe, self.scale)
        elif self.scale != 1 or self.features is not None:
            warnings.warn(
                f"{recipe.study}: a surrogate study has simulated scans, of patients whose number "
                "is fixed; scale and features change nothing here.",
                RadiogenomicsWarning,
                stacklevel=3,
            )


def check_scale(scale: float) -> None:
    """Raise DataError unless it is a share of the patients."""
    if not 0 < scale <= 1:
        raise DataError(f"expected a scale above 0, to 1; found {scale}. Choose another one.")


def _looks_again(recipe: AnyStudy) -> bool:
    """Whether any block is of a later scan."""
    if not isinstance(recipe, PredictionStudy):
        return False
    scanned = [b for b in recipe.blocks.values() if isinstance(b, ImageBlock | NetworkBlock)]
    return any(block.time_point.value != BASELINE for block in scanned)


def _tell_least(recipe: PredictionStudy, scale: float) -> None:
    """Warn of parts that are larger than their share, as fewer patients could not be dealt."""
    training, raised = next(iter(recipe.design)), []
    for name, part in recipe.design.items():
        size = part.patients.value
        least = min(size, FEWEST_TRAINING if name == training else FEWEST_ELSEWHERE)
        if round(size * scale) < least:
            raised.append(f"{name} {least} instead of {round(size * scale)}")
    if raised:
        warnings.warn(
            f"{recipe.study}: at the scale {scale:g} parts have the fewest patients that are "
            f"simulated ({FEWEST_TRAINING} in training, {FEWEST_ELSEWHERE} elsewhere): "
            f"{', '.join(raised)}.",
            RadiogenomicsWarning,
            stacklevel=4,
        )
