"""Words of a prediction study: whether each builds or names something that is there.

What a recipe names is of two kinds. Steps, learners, blocks, models, time points, endpoints and
response categories are closed lists: another word is an error. Phases, regions and facts are words
of whoever writes the manifest: the usual ones are listed here, and one's own is declared by naming
it in the note of the value that uses it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from radiogenomics.core.errors import StudyError, UnknownNameError, short_list
from radiogenomics.imaging import settings_preset
from radiogenomics.imaging.deep import encoder_preset
from radiogenomics.imaging.regions import RING, WITHOUT
from radiogenomics.io.images.phase import PHASES
from radiogenomics.models.blocks import MARK
from radiogenomics.models.survival import survival_learner
from radiogenomics.study.prediction.inputs import BASELINE, follow_up_blocks
from radiogenomics.study.prediction.labels import (
    FactLabel,
    MarkersLabel,
    ResponseLabel,
    SignatureLabel,
    SurvivalLabel,
    TimeLabel,
)
from radiogenomics.study.prediction.schema import (
    TIME_POINTS,
    ChangeBlock,
    ClinicalBlock,
    ImageBlock,
    NetworkBlock,
    PredictionStudy,
)
from radiogenomics.study.prediction.words_of_networks import check_blind_networks, check_network
from radiogenomics.study.recipe import Sourced, Step
from radiogenomics.study.schema import Features
from radiogenomics.study.words import ICC_FILTER, STEPS, check_learner, check_step

RECIST = ("CR", "PR", "SD", "PD")
USUAL_PHASES = (
    *PHASES,
    "hepatobiliary",
    "T1",
    "T2",
    "dwi",
    "adc",
    "swi",
    "in_phase",
    "out_of_phase",
)
USUAL_MASKS = (
    "tumour",
    "viable_tumour",
    "liver",
    "spleen",
    "lung",
    "kidney",
    "aorta",
    "portal_vein",
)
MADE_REGIONS = ("liver_without_tumour", "tumour_ring_10mm", "tumour_ring_10mm_in_liver")
RESPONSES = ("response", "mrecist", "recist", "irecist")
USUAL_FACTS = (
    *RESPONSES,
    *("age", "sex", "site", "stage", "grade", "regimen", "treatment", "aetiology", "weeks"),
    *("recurrence", "progression", "size_cm", "size_mm", "multinodular", "up_to_seven", "milan"),
    *("afp", "albumin", "bilirubin", "platelets", "creatinine", "ascites", "encephalopathy"),
    *("albi", "albi_grade", "amap", "bclc", "bclc_a", "bclc_b", "bclc_c", "bclc_d", "ecog", "meld"),
    *("child_pugh", "child_pugh_a", "child_pugh_b", "child_pugh_c", "crafity", "clip", "okuda"),
    *("cirrhosis", "hepatitis_b", "hepatitis_c", "portal_vein_invasion", "extrahepatic_spread"),
    *("lung_metastasis", "bone_metastasis", "lymph_node_metastasis"),
)
ALIKE = 0.85
"""Similarity from which a fact that is not usual is taken for one that is, misspelt."""

Words = tuple[str, ...]


def check_prediction_words(study: PredictionStudy) -> None:
    """Raise unless every word of the recipe builds something and its parts name each other.

    Raises
    ------
    UnknownNameError
        A step, parameter, learner, preset, block, model, rival, time point, phase, region,
        endpoint, fact or category is not known; near matches are named.
    StudyError
        Time points stand in the wrong order, a name is given twice, shares do not sum to 1.
    """
    of_time = isinstance(study.label, TimeLabel)
    _check_time_points(study.time_points)
    for name, block in study.blocks.items():
        if MARK in name:
            raise StudyError(f"blocks: expected names without {MARK!r}; found {name!r}. Rename it.")
        images = isinstance(block, ImageBlock)
        _check_steps(block.steps, section=f"blocks.{name}", images=images, of_time=of_time)
        if isinstance(block, ImageBlock):
            check_scan_words(block, where=f"blocks.{name}", time_points=study.time_points)
            if block.kind == "radiomics":
                settings_preset(block.settings.value)
            else:
                encoder_preset(block.settings.value)
        if isinstance(block, NetworkBlock):
            check_scan_words(block, where=f"blocks.{name}", time_points=study.time_points)
            check_network(study, name)
        if isinstance(block, ChangeBlock):
            _check_change(study, name, block)
    rivals = [rival.name for rival in study.rivals]
    models = [model.name for model in study.models]
    _check_once([*models, *rivals])
    for model in study.models:
        for name in model.blocks.value:
            _known(f"block of model {model.name}", name, study.blocks)
        section = f"models.{model.name}"
        _check_steps(model.steps, section=section, images=False, of_time=of_time)
        if of_time:
            survival_learner(model.learner.value)
        else:
            check_learner(model.learner.value)
    check_blind_networks(study)
    _check_time(study)
    _check_readouts(study, rivals)
    _check_simulation(study, rivals)
    for place, given, words in _facts(study):
        _check_facts(place, given, words)
    _check_categories(study)


def check_scan_words(
    given: ImageBlock | NetworkBlock | Features, *, where: str, time_points: Words = TIME_POINTS
) -> None:
    """Raise unless time point, phase and region are usual words, or words that the recipe declares.

    Parameters
    ----------
    given
        A block of images or of a network, or the features of a surrogate study.
    where
        For the message.
    time_points
        Those of the recipe.

    Raises
    ------
    UnknownNameError
        One is not; near matches are named.
    """
    _known(f"time point of {where}", given.time_point.value, time_points)
    if isinstance(given, NetworkBlock):
        said: Sourced[Any] = given.phases
        phases = given.phases.value
    else:
        said, phases = given.phase, tuple(given.phase.value.split(","))
    for phase in phases:
        _known_or_declared(f"phase of {where}", phase.strip(), USUAL_PHASES, given=said)
    for mask in _masks_of(given.region.value):
        known = (*USUAL_MASKS, *MADE_REGIONS)
        _known_or_declared(f"region of {where}", mask, known, given=given.region)


def _masks_of(region: str) -> Words:
    """Masks that a region is made of, by the grammar of ``imaging.regions``."""
    found = RING.fullmatch(region)
    if found:
        return tuple(mask for mask in (found["region"], found["organ"]) if mask)
    found = WITHOUT.fullmatch(region)
    return (found["organ"], found["lesion"]) if found else (region,)


def _check_time_points(points: Words) -> None:
    if points[0] != BASELINE or len(set(points)) < len(points):
        raise StudyError(
            f"time_points: expected {BASELINE} first, then each later one once; found "
            f"{short_list(points)}. List them as they follow each other."
        )


def _facts(study: PredictionStudy) -> Iterator[tuple[str, Sourced[Any], Words]]:
    """Columns of the patients, and responses, that a recipe reads: where, value, words."""
    label, readouts = study.label, study.readouts
    if isinstance(label, ResponseLabel):
        yield "label.outcome", label.outcome, (label.outcome.value,)
    elif isinstance(label, FactLabel | SignatureLabel):
        yield "label.fact", label.fact, (label.fact.value,)
    elif isinstance(label, MarkersLabel) and label.assay.value is None:
        yield "label.markers", label.markers, label.markers.value
    for name, block in study.blocks.items():
        if isinstance(block, ClinicalBlock):
            yield f"blocks.{name}", block.facts, block.facts.value
        elif isinstance(block, ChangeBlock) and block.interval.value is not None:
            yield f"blocks.{name}.interval", block.interval, (block.interval.value,)
    for rival in study.rivals:
        yield f"rivals.{rival.name}", rival.fact, (rival.fact.value,)
    for readout in readouts.survival:
        where = f"readouts.survival.{readout.endpoint.value}.adjust_for"
        yield where, readout.adjust_for, readout.adjust_for.value
    if readouts.subgroups is not None:
        yield "readouts.subgroups", readouts.subgroups, readouts.subgroups.value
    for place, part in (
        ("response", readouts.response),
        ("pseudoprogression", readouts.pseudoprogression),
    ):
        if part is not None:
            yield f"readouts.{place}.outcome", part.outcome, (part.outcome.value,)


def _check_facts(place: str, given: Sourced[Any], words: Words) -> None:
    """Refuse what looks like a usual fact and is none: any other word may be a column."""
    for word in words:
        near = get_close_matches(word.casefold(), USUAL_FACTS, n=1, cutoff=ALIKE)
        if near:
            _known_or_declared(f"fact of {place}", word, USUAL_FACTS, given=given)


def _check_categories(study: PredictionStudy) -> None:
    """Refuse a response category that neither RECIST nor the rest of the recipe speaks of."""
    spoken = list(_categories(study))
    for place, outcome, given, words in spoken:
        own = place.partition(".")[0] if place.startswith("label") else place
        others = [
            word
            for elsewhere, of, _, named in spoken
            if of == outcome and not elsewhere.startswith((own, "readouts"))
            for word in named
        ]
        # A pathologist's words, or whether a tumour came back, are nobody's but the source's.
        if not (others or outcome in RESPONSES or set(words) & set(RECIST)):
            continue
        known = tuple(dict.fromkeys((*RECIST, *others)))
        for word in words:
            _known_or_declared(f"category of {place}", word, known, given=given)


def _categories(study: PredictionStudy) -> Iterator[tuple[str, str, Sourced[Any], Words]]:
    """Categories of responses that a recipe names: where, outcome, value, words."""
    label, readouts = study.label, study.readouts
    if isinstance(label, ResponseLabel):
        yield "label.positive", label.outcome.value, label.positive, label.positive.value
        if label.among.value is not None:
            yield "label.among", label.outcome.value, label.among, label.among.value
    if (response := readouts.response) is not None:
        words = response.responders.value
        yield "readouts.response", response.outcome.value, response.responders, words
    if (progression := readouts.pseudoprogression) is not None:
        words = progression.progressive.value
        place = "readouts.pseudoprogression"
        yield place, progression.outcome.value, progression.progressive, words
    for rival in study.rivals:
        words = tuple(word for group in rival.groups.value or () for word in group)
        yield f"rivals.{rival.name}.groups", rival.fact.value, rival.groups, words


def _check_steps(steps: Sequence[Step], *, section: str, images: bool, of_time: bool) -> None:
    for step in steps:
        given = {name: p.value for name, p in step.parameters.items()}
        check_step(step.step, given, section=section, of_time=of_time)
        if step.step == ICC_FILTER and not images:
            raise StudyError(
                f"{section}: expected {ICC_FILTER} among the steps of an image block, which may "
                "have a second reading; found it elsewhere, where it would do nothing. Move it."
            )
        if facts := getattr(STEPS[step.step](**given), "row_facts", ()):
            raise StudyError(
                f"{section}: expected steps that need the block's features alone; found "
                f"{step.step}, which needs {short_list(facts)}. Leave it out, or use a plan of "
                "`radiogenomics validate`."
            )


def _known(what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise UnknownNameError(what, name, known)


def _known_or_declared(
    what: str, word: str, known: Collection[str], *, given: Sourced[Any]
) -> None:
    """A word of one's own is declared in the note of its value, where nobody misspells it again."""
    if not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", given.note):
        _known(f"{what} (if it is your own, name it in the note)", word, known)


def _check_once(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StudyError(
            f"expected a name of its own for each model and rival; found {short_list(twice)} "
            "twice. Rename one."
        )


def _check_change(study: PredictionStudy, name: str, block: ChangeBlock) -> None:
    for point in block.of.value:
        _known(f"block that {name} is the change of", point, study.blocks)
        if not isinstance(study.blocks[point], ImageBlock):
            raise StudyError(
                f"blocks.{name}: expected the change of image blocks; found {point!r}, which is "
                "none. Name blocks of images."
            )
    images = [part for p in block.of.value if isinstance(part := study.blocks[p], ImageBlock)]
    points = [image.time_point.value for image in images]
    for point in points:
        _known(f"time point that {name} is the change to", point, study.time_points)
    order = [study.time_points.index(point) for point in points]
    if any(later <= earlier for earlier, later in pairwise(order)):
        raise StudyError(
            f"blocks.{name}: expected time points earliest first, each once, as in time_points "
            f"({short_list(study.time_points)}); found {short_list(points)}. Put them in that "
            "order, or correct the time points of the blocks."
        )
    if block.mode.value == "rate" and block.interval.value is None:
        raise StudyError(
            f"blocks.{name}: expected the fact with the weeks between time points for a rate; "
            "found none. Name it in interval."
        )


def _check_time(study: PredictionStudy) -> None:
    """Raise where a recipe of a time to an event asks for what only classes have."""
    classes_only = {
        "blocks of later scans": bool(follow_up_blocks(study)),
        "readouts.explained_patients": study.readouts.explained_patients is not None,
        "legacy": bool(study.legacy.value),
        "evaluation.threshold": study.evaluation.threshold.value == "youden",
    }
    if not isinstance(study.label, TimeLabel):
        return
    if found := [what for what, there in classes_only.items() if there]:
        raise StudyError(
            "a time to an event: expected baseline scans, no defects or single patients to explain "
            f"and a threshold of median or a number; found {short_list(found)}. These need two "
            "classes: change them, or take the rule survival_beyond."
        )


def _check_readouts(study: PredictionStudy, rivals: list[str]) -> None:
    cox = [model.name for model in study.readouts.cox]
    for model in study.readouts.cox:
        for term in model.terms.value:
            _known(f"term of the Cox model {model.name}", term, ["score", *rivals])
    if study.readouts.nomogram is not None:
        _known("Cox model of the nomogram", study.readouts.nomogram.value, cox)
    simulated = [each.endpoint.value for each in study.simulation.survival]
    for readout in study.readouts.survival:
        name = readout.endpoint.value
        _known("endpoint of readouts.survival in simulation.survival", name, simulated)


def _check_simulation(study: PredictionStudy, rivals: list[str]) -> None:
    simulation = study.simulation
    for name in simulation.shares:
        _known("block of simulation.shares", name, study.blocks)
    for name in simulation.rivals:
        _known("rival of simulation.rivals", name, rivals)
    total = sum(share.value for share in simulation.shares.values())
    if abs(total - 1) > 1e-6:
        raise StudyError(
            f"simulation.shares: expected shares that sum to 1; found {total:g}. Correct them."
        )
    label, survival = study.label, [s.endpoint.value for s in simulation.survival]
    if isinstance(label, SurvivalLabel | TimeLabel):
        _known("endpoint of the label in simulation.survival", label.endpoint.value, survival)
    if not isinstance(label, MarkersLabel):
        return
    if len(label.cutoffs.value) != len(label.markers.value):
        raise StudyError(
            f"label: expected one cut-off for each marker; found {len(label.cutoffs.value)} for "
            f"{len(label.markers.value)}. List them in the same order."
        )
    for name in label.low.value:
        _known("marker of the label that must be low", name, label.markers.value)
