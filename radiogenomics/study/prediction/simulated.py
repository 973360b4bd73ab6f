"""A recipe of a prediction study turned into simulated cohorts with that study's design."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, StudyError, UnknownNameError
from radiogenomics.simulate.study_cohort import draw_study_cohort
from radiogenomics.simulate.study_design import (
    HIGHEST,
    BeyondLabel,
    CategoryLabel,
    EndpointDesign,
    LabelDesign,
    MarkerLabel,
    PartDesign,
    RivalDesign,
    StudyDesign,
    TimeLabel,
    WordLabel,
)
from radiogenomics.study.prediction.labels import (
    FactLabel,
    MarkersLabel,
    ResponseLabel,
    SignatureLabel,
    SurvivalLabel,
)
from radiogenomics.study.prediction.schema import (
    ChangeBlock,
    ClinicalBlock,
    PredictionStudy,
    Readouts,
)
from radiogenomics.study.prediction.simulated_features import image_designs
from radiogenomics.study.prediction.simulated_scans import write_part

RECIST = ("CR", "PR", "SD", "PD")
OPPOSITES = (
    ("high", "low"),
    ("present", "absent"),
    ("yes", "no"),
    ("positive", "negative"),
    ("true", "false"),
    ("1", "0"),
)
FEWEST_TRAINING, FEWEST_ELSEWHERE, FEWEST_OF_A_CLASS = 40, 24, 8
FEWEST_EVENTS = 12
USUAL_POSITIVE = 0.4
RESPONSE_AUC = 0.65
SAME_HOSPITALS = ("training", "internal", "validation", "temporal", "test")
FactKind = Literal["number", "binary", "words", "weeks"]


def simulate_study(
    recipe: PredictionStudy,
    out: Path | str,
    *,
    seed: int = 0,
    scale: float = 1.0,
    features: int | None = None,
    change: bool = True,
    effect: bool = True,
    jobs: int = 1,
) -> tuple[Path, ...]:
    """Write simulated cohorts with a recipe's design, in which its true model is as good as said.

    Deep features and networks read scans where the recipe simulates some, and then have no table.

    Parameters
    ----------
    recipe
        The study.
    out
        Folder for a folder a part; made where there is none.
    seed
        The same seed gives the same files of a study; another study's patients are others.
    scale
        Share of the patients, above 0 to 1; at least 40 in the first part and 24 in others where
        the study has as many.
    features
        Most variables of an image block.
    change
        False: later scans show nothing new.
    effect
        False: nothing is linked to the label.
    jobs
        Processes that make scans.

    Returns
    -------
    tuple of Path
        Manifests in the order of the design.

    Raises
    ------
    DataError
        The scale or the number of features is out of range, the truth cannot be met, or a part's
        folder holds something.
    StudyError
        The recipe says too little: no AUC of a rival, no survival of an endpoint it reads, no
        scans for its networks.
    """
    design = design_of(recipe, scale=scale, features=features, change=change, effect=effect)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    own, manifests = seed_of_study(recipe.study, seed), []
    for part in design.parts:
        drawn = draw_study_cohort(design, part, seed=own)
        named = replace(drawn, title=drawn.title.removesuffix(str(own)) + str(seed))
        written = write_part(recipe, named, out / part, design=design, seed=own, jobs=jobs)
        manifests.append(written)
    return tuple(manifests)


def seed_of_study(study: str, seed: int) -> int:
    """Seed of a study's patients: two studies of one design do not have the same.

    Examples
    --------
    >>> seed_of_study("long2025_itls_mri", 0) == seed_of_study("xu2025_os_ct", 0)
    False
    """
    return zlib.crc32(f"{study} {seed}".encode())


def design_of(
    recipe: PredictionStudy,
    *,
    scale: float = 1.0,
    features: int | None = None,
    change: bool = True,
    effect: bool = True,
) -> StudyDesign:
    """Turn a recipe into the design of its simulation; parameters as in ``simulate_study``."""
    if not 0 < scale <= 1:
        raise DataError(f"expected a scale above 0, to 1; found {scale}. Choose another one.")
    if features is not None and features < 1:
        raise DataError(f"expected 1 feature or more; found {features}. Choose more.")
    truth = recipe.simulation
    target = truth.auc.value
    if target > HIGHEST:
        warnings.warn(
            f"{recipe.study}: an AUC of {target:g} needs classes that do not overlap; the true "
            f"model has {HIGHEST}.",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    label = _label(recipe)
    parts = _parts(recipe, label, scale)
    away = truth.without_follow_up
    clinical = {n: b.facts.value for n, b in recipe.blocks.items() if isinstance(b, ClinicalBlock)}
    return StudyDesign(
        study=recipe.study,
        parts=parts,
        images=image_designs(
            recipe, next(iter(parts.values())).patients, scale=scale, most=features
        ),
        clinical=clinical,
        label=label,
        better=isinstance(label, BeyondLabel) or recipe.label.meaning.value == "better",
        target=min(target, HIGHEST),
        shares=_shares(recipe),
        informative=truth.informative.value,
        rivals=_rivals(recipe, label),
        endpoints=_endpoints(recipe),
        facts=_facts(recipe, clinical),
        without_follow_up=0.0 if away is None else away.value,
        change=change,
        effect=effect,
    )


def _parts(recipe: PredictionStudy, label: LabelDesign, scale: float) -> dict[str, PartDesign]:
    found: dict[str, PartDesign] = {}
    first: tuple[str, ...] = ()
    used = 0
    for name, part in recipe.design.items():
        size = part.patients.value
        least = FEWEST_ELSEWHERE if found else FEWEST_TRAINING
        patients = max(round(size * scale), min(size, least))
        count = min(part.sites.value, patients)
        shared = first[:count] if name.startswith(SAME_HOSPITALS) else ()
        own = tuple(f"hospital {used + n + 1}" for n in range(count - len(shared)))
        used += len(own)
        first = first or own
        known = part.positives.value
        positives = _positives(label, None if known is None else known / size, patients)
        labelled = part.labelled is None or part.labelled.value
        found[name] = PartDesign(patients, positives, (*shared, *own), labelled=labelled)
    return found


def _positives(label: LabelDesign, share: float | None, patients: int) -> int | None:
    """How many of class 1: as the study had, else as its rule gives, else 40 %."""
    if isinstance(label, BeyondLabel | TimeLabel) and share is None:
        return None
    by_median = isinstance(label, MarkerLabel) and None in label.cutoffs
    if by_median and isinstance(label, MarkerLabel) and len(label.markers) == 1:
        return patients // 2
    wanted = round((USUAL_POSITIVE if share is None else share) * patients)
    least = FEWEST_EVENTS if isinstance(label, TimeLabel) else FEWEST_OF_A_CLASS
    least = min(least, patients // 2)
    most = patients // 2 if by_median else patients - least
    return max(least, min(wanted, most))


def _label(recipe: PredictionStudy) -> LabelDesign:
    label = recipe.label
    if isinstance(label, ResponseLabel):
        positive = label.positive.value
        among = label.among.value or _categories(recipe, label.outcome.value, positive)
        negative = tuple(word for word in among if word not in positive)
        return CategoryLabel(label.outcome.value, positive, negative or _opposite(positive))
    if isinstance(label, SurvivalLabel):
        months = label.months.value
        return BeyondLabel(label.endpoint.value, None if months == "median" else months)
    if isinstance(label, MarkersLabel):
        cutoffs = tuple(None if cut == "median" else cut for cut in label.cutoffs.value)
        return MarkerLabel(label.assay.value, label.markers.value, cutoffs, label.low.value)
    if isinstance(label, FactLabel | SignatureLabel):
        positive = label.positive.value
        return WordLabel(label.fact.value, positive, _opposite(positive))
    return TimeLabel(label.endpoint.value)


def _categories(
    recipe: PredictionStudy, outcome: str, positive: tuple[str, ...]
) -> tuple[str, ...]:
    """All categories of an outcome that the recipe speaks of, or RECIST's."""
    if set(positive) <= set(RECIST):
        return RECIST
    words = list(positive)
    for rival in recipe.rivals:
        if rival.fact.value == outcome and rival.groups.value:
            words += [word for group in rival.groups.value for word in group]
    return tuple(dict.fromkeys(words))


def _opposite(positive: tuple[str, ...]) -> tuple[str, ...]:
    word = positive[0]
    for one, other in (*OPPOSITES, *(pair[::-1] for pair in OPPOSITES)):
        if word.casefold() == one:
            return (other,)
    return (word.removeprefix("no ") if word.startswith("no ") else f"no {word}",)


def _shares(recipe: PredictionStudy) -> dict[str, float]:
    """Shares of blocks; what a change carries belongs to its last block."""
    found: dict[str, float] = {}
    for name, share in recipe.simulation.shares.items():
        block = recipe.blocks.get(name)
        carrier = block.of.value[-1] if isinstance(block, ChangeBlock) else name
        found[carrier] = found.get(carrier, 0.0) + share.value
    return found


def _rivals(recipe: PredictionStudy, label: LabelDesign) -> dict[str, RivalDesign]:
    """Rivals of the recipe, and responses that it reads and that are neither label nor rival."""
    known = recipe.simulation.rivals
    clinical = {
        fact
        for block in recipe.blocks.values()
        if isinstance(block, ClinicalBlock)
        for fact in block.facts.value
    }
    outcomes = _responses(recipe)
    found: dict[str, RivalDesign] = {}
    for name in known:
        if name not in {rival.name for rival in recipe.rivals}:
            raise UnknownNameError("rival", name, (rival.name for rival in recipe.rivals))
    for rival in recipe.rivals:
        fact, groups = rival.fact.value, rival.groups.value
        if isinstance(label, CategoryLabel) and label.outcome == fact:
            continue
        if rival.name not in known and fact not in clinical:
            raise StudyError(
                f"{recipe.study}: expected an AUC of {rival.name} in simulation, rivals; found "
                f"{', '.join(known) or 'none'}. Add it."
            )
        auc = min(known[rival.name].value, HIGHEST) if rival.name in known else 0.5
        words = {word for group in groups or () for word in group}
        response = fact in outcomes or (bool(words) and words <= set(RECIST))
        found[rival.name] = RivalDesign(fact, auc, groups, rival.rises.value, response)
    written = {rival.fact for rival in found.values()}
    if isinstance(label, CategoryLabel):
        written.add(label.outcome)
    better = recipe.label.meaning.value == "better"
    for outcome, first in outcomes.items():
        if outcome not in written:
            rest = tuple(word for word in RECIST if word not in first) or _opposite(first)
            groups = (rest, first) if better else (first, rest)
            found[f"{outcome} (response)"] = RivalDesign(
                outcome, RESPONSE_AUC, groups, outcome=True
            )
    return found


def _responses(recipe: PredictionStudy) -> dict[str, tuple[str, ...]]:
    """Response outcomes that are read → categories of those who do well."""
    found: dict[str, tuple[str, ...]] = {}
    readouts = recipe.readouts
    if readouts.response is not None:
        found[readouts.response.outcome.value] = readouts.response.responders.value
    if readouts.pseudoprogression is not None:
        bad = readouts.pseudoprogression.progressive.value
        well = tuple(word for word in RECIST if word not in bad)
        found.setdefault(readouts.pseudoprogression.outcome.value, well)
    return found


def _endpoints(recipe: PredictionStudy) -> dict[str, EndpointDesign]:
    found = {}
    for one in recipe.simulation.survival:
        found[one.endpoint.value] = EndpointDesign(
            one.median.value, one.hazard_ratio.value, one.censored.value
        )
    for readout in recipe.readouts.survival:
        if readout.endpoint.value not in found:
            raise StudyError(
                f"{recipe.study}: expected survival of {readout.endpoint.value} in simulation; "
                f"found {', '.join(found) or 'none'}. Add it."
            )
    return found


def _facts(recipe: PredictionStudy, clinical: Mapping[str, tuple[str, ...]]) -> dict[str, FactKind]:
    """Facts that the recipe reads beside clinical blocks, rivals and the label."""
    found: dict[str, FactKind] = {}
    for block in recipe.blocks.values():
        if isinstance(block, ChangeBlock) and block.interval.value is not None:
            found[block.interval.value] = "weeks"
    readouts: Readouts = recipe.readouts
    for readout in readouts.survival:
        found |= dict.fromkeys(readout.adjust_for.value, "number")
    numbers = {*found, *(fact for facts in clinical.values() for fact in facts)}
    if readouts.subgroups is not None:
        for fact in readouts.subgroups.value:
            found[fact] = "binary" if fact in numbers else "words"
    return found
