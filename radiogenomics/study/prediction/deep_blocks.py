"""Deep blocks of a run, before and beside it: what is asked for, whether it can be, what to say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import (
    MissingExtraError,
    StudyError,
    UnknownNameError,
    short_list,
)
from radiogenomics.imaging.deep import ENCODER_PRESETS, encoder_preset
from radiogenomics.study.encode import for_modality
from radiogenomics.study.prediction.inputs import Notes, PredictionInputs
from radiogenomics.study.prediction.schema import ImageBlock, NetworkBlock, PredictionStudy
from radiogenomics.study.prediction.words_of_networks import MULTI_INSTANCE
from radiogenomics.study.weights_seen import differing_settings, trained_words

LEAST_ASIDE = 8
"""Patients below whom nobody is put aside to say when a network has learnt enough."""
SHARE_ASIDE = 0.2


def check_deep(
    study: PredictionStudy,
    cohorts: Sequence[Cohort],
    *,
    simulated: bool,
    weights: Mapping[str, str | Path],
) -> None:
    """Refuse before hours are spent what is asked of deep blocks and cannot be.

    Raises
    ------
    UnknownNameError
        Weights of a preset that does not exist.
    StudyError
        Weights that nothing would read; patients who are not simulated in a run that says so.
    MissingExtraError
        torch is not installed, and a block needs it.
    """
    real = [cohort.id for cohort in cohorts if not cohort.simulated]
    if simulated and real:
        raise StudyError(
            f"expected simulated cohorts, whose scans are small; found {short_list(real)}, which "
            "are not. Run the recipe as it is."
        )
    encoders = {preset for _, preset in _encoders(study, cohorts)}
    for preset in weights:
        if preset not in ENCODER_PRESETS:
            raise UnknownNameError("encoder settings", preset, ENCODER_PRESETS)
        if preset not in encoders:
            raise StudyError(
                f"{study.study}: expected weights of encoders that a block reads scans with "
                f"({short_list(sorted(encoders)) or 'none'}); found some of {preset}. Leave them "
                "out."
            )
    if encoders or _networks(study):
        _require_torch()


def deep_notes(
    study: PredictionStudy,
    cohorts: Sequence[Cohort],
    *,
    simulated: bool,
    weights: Mapping[str, str | Path],
) -> Notes:
    """Say which encoders know nothing, and which networks are smaller than the recipe says."""
    notes: list[tuple[str, str]] = [
        ("info", f"{preset}: weights {trained_words(file)}.") for preset, file in weights.items()
    ]
    blind = [name for name, preset in _encoders(study, cohorts) if preset not in weights]
    if blind:
        text = (
            f"{', '.join(blind)}: read by an encoder with random weights, which has seen no image "
            "before. Name a file with --weights PRESET=FILE."
        )
        notes.append(("warning", text))
    notes += _unlike(study, cohorts, weights)
    scans = study.simulation.scans
    if simulated and scans is not None and (encoders_or_networks := _deep(study)):
        z, y, x = scans.view.value
        text = f"{', '.join(encoders_or_networks)}: simulated scans, seen in {z} × {y} × {x} voxels"
        if networks := _networks(study):
            text += (
                f"; {', '.join(networks)} of the size {scans.size.value!r}, trained for "
                f"{scans.epochs.value} epochs at most, instead of what the recipe says"
            )
        notes.append(("info", f"{text}."))
    return tuple(notes)


def _unlike(
    study: PredictionStudy, cohorts: Sequence[Cohort], weights: Mapping[str, str | Path]
) -> Iterator[tuple[str, str]]:
    """Say which blocks show an encoder what it was not trained on."""
    for name, preset in _encoders(study, cohorts):
        block = study.blocks[name]
        if preset not in weights or not isinstance(block, ImageBlock | NetworkBlock):
            continue
        seen = for_modality(encoder_preset(preset), block.modality.value)
        other = differing_settings(weights[preset], seen.to_json())
        if other:
            text = f"{name}: its view differs from the one that the weights of {preset} were"
            yield "warning", f"{text} trained on in {', '.join(other)}."


def share_aside(study: PredictionStudy, block: NetworkBlock, patients: int) -> float:
    """Share of a network's patients who say when to stop; 0 where that would be a handful.

    Parameters
    ----------
    study, block
        Which folds there are, one within another: the smallest part that learns is theirs.
    patients
        Of the training cohort.
    """
    plan = study.evaluation
    learning = float(patients)
    for folds in (plan.folds.value, plan.inner_folds.value, block.cross_fits.value):
        learning *= 1 - 1 / folds
    return SHARE_ASIDE if learning * SHARE_ASIDE >= LEAST_ASIDE else 0.0


def stopping_notes(study: PredictionStudy, patients: int) -> Notes:
    """Name the networks that are trained to the last epoch, as too few could say when to stop."""
    names = [
        name
        for name, block in study.blocks.items()
        if isinstance(block, NetworkBlock) and not share_aside(study, block, patients)
    ]
    if not names:
        return ()
    text = (
        f"{', '.join(names)}: trained to the last epoch, as the innermost folds have too few "
        "patients to put some aside who say when to stop."
    )
    return (("info", text),)


def require_readable_views(study: PredictionStudy, inputs: PredictionInputs) -> None:
    """Refuse views that a network cannot read; StudyError says which."""
    if inputs.scans:
        # Needs torch, which only recipes with networks do.
        from radiogenomics.study.prediction.networks import require_readable

        require_readable(study, inputs)


def _deep(study: PredictionStudy) -> list[str]:
    return [
        name
        for name, block in study.blocks.items()
        if isinstance(block, NetworkBlock)
        or (isinstance(block, ImageBlock) and block.kind == "deep")
    ]


def _networks(study: PredictionStudy) -> list[str]:
    return [name for name, block in study.blocks.items() if isinstance(block, NetworkBlock)]


def _encoders(study: PredictionStudy, cohorts: Collection[Cohort]) -> Iterator[tuple[str, str]]:
    """Blocks that a frozen encoder reads in some cohort, and its preset."""
    for name, block in study.blocks.items():
        if isinstance(block, NetworkBlock) and block.network.value == MULTI_INSTANCE:
            yield name, block.view.value
        elif isinstance(block, ImageBlock) and block.kind == "deep":
            if any(name not in cohort.assays for cohort in cohorts):
                yield name, block.settings.value


def _require_torch() -> None:
    try:
        import radiogenomics.study.prediction.networks  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "expected torch and MONAI for deep blocks; found them missing. Install them with "
            "pip install 'radiogenomics[deep]'."
        ) from error
