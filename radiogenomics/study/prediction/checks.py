"""What a study's own design allows: patients for its variables, how wide chance is, its claims."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from radiogenomics.core.errors import StudyError, UnknownNameError, short_list
from radiogenomics.stats.design.chance_ranges import auc_chance_range
from radiogenomics.stats.design.claimed import auc_interval_at
from radiogenomics.stats.design.events_per_variable import events_per_variable
from radiogenomics.study.prediction.claims import (
    CROSS_VALIDATION,
    DESCRIBED,
    EXTERNAL,
    OF_GROUPS,
    Parts,
    count_of,
    metric_of,
    place_of,
    positives_are_events,
    size_of,
)
from radiogenomics.study.prediction.labels import (
    MarkersLabel,
    SignatureLabel,
    SurvivalLabel,
    TimeLabel,
)
from radiogenomics.study.prediction.schema import (
    AnyBlock,
    ChangeBlock,
    ClinicalBlock,
    CoxModel,
    ImageBlock,
    Model,
    NetworkBlock,
    Part,
    PredictionStudy,
    Rival,
)
from radiogenomics.study.schema import Study

COLUMNS = (
    *("quantity", "split", "claimed", "assumed", "source", "number"),
    *("low", "high", "chance_low", "chance_high", "note"),
)
TRUTH = "AUC of a true model as good as assumed"
EVENTS = "patients of the rarer class for each variable looked at"
NEEDED = "patients that so many variables would have needed"


def design_checks(study: PredictionStudy) -> pd.DataFrame:
    """Check the published design of a recipe, without any patient.

    Returns
    -------
    DataFrame
        ``quantity, split``; ``assumed``, the AUC that a row is computed for, with its ``source``,
        and ``claimed``, the same where it is published and no default of ours; ``number``, what
        a row without an interval is about; ``low, high, chance_low, chance_high, note``. For every
        part with a label how widely such an AUC scatters at its size, and where worthless scores
        fall; for the training part, patients a variable and the number that Riley's criteria ask
        for. Empty for a time to an event.

    References
    ----------
    Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747; Riley et al. 2019,
    doi:10.1002/sim.7992.
    """
    if isinstance(study.label, TimeLabel):
        return pd.DataFrame(columns=list(COLUMNS))
    given = study.simulation.auc
    parts = {name: part for name, part in study.design.items() if is_labelled(part)}
    rows = [_scatter(name, part, given.value) for name, part in parts.items()]
    rows += _variables(study, next(iter(study.design)), given.value)
    published = None if given.source == "default" else given.value
    about = {"claimed": published, "assumed": given.value, "source": given.source}
    table = pd.DataFrame([about | row for row in rows], columns=list(COLUMNS))
    return table.astype({"claimed": "float64"})


def is_labelled(part: Part) -> bool:
    """Whether the label was measured in a part of the design."""
    return part.labelled is None or part.labelled.value


def _classes(part: Part) -> tuple[int, int, str]:
    """Patients of class 1 and 0, and what is assumed of them."""
    size, positives = part.patients.value, part.positives.value
    if positives is None:
        return size // 2, size - size // 2, "; class 1 is not public, half of the patients assumed"
    return positives, size - positives, ""


def _scatter(name: str, part: Part, auc: float) -> dict[str, object]:
    positives, negatives, assumed = _classes(part)
    low, high = auc_interval_at(auc, positives, negatives)
    chance_low, chance_high = auc_chance_range(positives, negatives)
    return {
        "quantity": TRUTH,
        "split": name,
        "low": low,
        "high": high,
        "chance_low": chance_low,
        "chance_high": chance_high,
        "note": f"{positives} against {negatives} patients{assumed}",
    }


def _variables(study: PredictionStudy, name: str, auc: float) -> list[dict[str, object]]:
    positives, negatives, assumed = _classes(study.design[name])
    candidates = candidate_count(study, study.models[0])
    found = events_per_variable(positives, negatives, candidates=candidates, c_statistic=auc)
    where = f"{candidates} variables of {study.models[0].name}{assumed}"
    return [
        {"quantity": EVENTS, "split": name, "number": found.per_candidate, "note": where},
        {
            "quantity": NEEDED,
            "split": name,
            "number": float(found.needed.n),
            "note": f"{where}; for a regression without shrinkage",
        },
    ]


def candidate_count(study: PredictionStudy, model: Model) -> int:
    """Variables that a model looks at before anything is selected; a network gives one."""
    return sum(_width(study.blocks, name) for name in model.blocks.value)


def _width(blocks: Mapping[str, AnyBlock], name: str) -> int:
    block = blocks[name]
    if isinstance(block, NetworkBlock):
        return 1
    if isinstance(block, ClinicalBlock):
        return len(block.facts.value)
    if isinstance(block, ImageBlock):
        return block.features.value
    return _width(blocks, block.of.value[0])


@dataclass(frozen=True)
class Said:
    """What a recipe says that claims can contradict.

    Parameters
    ----------
    models
        Models, rivals and Cox models.
    parts
        Part of the design → its patients and positives, None where the recipe does not say.
    sites
        Part → hospitals.
    endpoints
        Those it reads.
    genes
        Of its signature or markers; None where it does not say.
    features
        Model → most variables it could be of; of all together under "".
    strengths
        How strong the simulated truth is, as far as that is published.
    elsewhere
        Words for splits that are no parts: of a surrogate, which names no cohorts.
    horizons
        Endpoint → months of its time-dependent AUC; None where none is read out by a plan.
    """

    models: Collection[str]
    parts: Parts = field(default_factory=dict)
    sites: Mapping[str, int] = field(default_factory=dict)
    endpoints: Collection[str] = ()
    genes: int | None = None
    features: Mapping[str, int] = field(default_factory=dict)
    strengths: Collection[Strength] = ()
    elsewhere: Collection[str] = (CROSS_VALIDATION,)
    horizons: Mapping[str, Collection[float]] | None = None


@dataclass(frozen=True)
class Strength:
    """A number of the simulation that is said to be published: setting, and what it is of.

    Of several claims it is that of the model and the part that ``note`` names, if it names any.
    """

    setting: str
    metric: str
    model: str
    value: float
    note: str = ""


def said_by(study: Study | PredictionStudy) -> Said:
    """Collect what a recipe says that claims can contradict."""
    if isinstance(study, Study):
        steps = [step.parameters.get("k") for step in study.features.steps]
        chosen = [given.value for given in steps if given is not None]
        return Said(
            models=(study.model.learner.value, *study.model.comparators.value, study.label.name),
            endpoints={study.label.endpoint.value, *study.prognosis.endpoints.value},
            genes=len(study.label.genes.value),
            features=dict.fromkeys(("", study.model.learner.value), min(chosen)) if chosen else {},
            elsewhere=(CROSS_VALIDATION, EXTERNAL),
        )
    label = study.label
    endpoints = {readout.endpoint.value for readout in study.readouts.survival}
    if isinstance(label, SurvivalLabel | TimeLabel):
        endpoints.add(label.endpoint.value)
    genes = label.genes.value if isinstance(label, SignatureLabel) else None
    if isinstance(label, MarkersLabel):
        genes = len(label.markers.value)
    blocks = study.blocks
    own = [name for name, block in blocks.items() if not isinstance(block, ChangeBlock)]
    features = {model.name: candidate_count(study, model) for model in study.models}
    named: tuple[Model | Rival | CoxModel, ...] = (
        *study.models,
        *study.rivals,
        *study.readouts.cox,
    )
    return Said(
        models=tuple(each.name for each in named),
        parts={n: (part.patients.value, part.positives.value) for n, part in study.design.items()},
        sites={name: part.sites.value for name, part in study.design.items()},
        endpoints=endpoints,
        genes=genes,
        features={**features, "": sum(_width(blocks, name) for name in own)},
        strengths=tuple(_strengths(study)),
        horizons={each.endpoint.value: each.horizons.value for each in study.readouts.survival},
    )


def _strengths(study: PredictionStudy) -> Iterator[Strength]:
    """AUCs, or concordances, of the simulation that are no defaults."""
    metric = "c_index" if isinstance(study.label, TimeLabel) else "auc"
    given = {study.models[0].name: ("simulation.auc", study.simulation.auc)}
    for name, auc in study.simulation.rivals.items():
        given[name] = (f"simulation.rivals.{name}", auc)
    for model, (setting, auc) in given.items():
        if auc.source != "default":
            yield Strength(setting, metric, model, auc.value, auc.note)


def check_claims(claims: pd.DataFrame, said: Said) -> None:
    """Refuse claims that contradict the recipe.

    Parameters
    ----------
    claims
        From :func:`read_claims`.
    said
        What the recipe says.

    Raises
    ------
    UnknownNameError
        A claim names a model, a part or an endpoint that the recipe does not have.
    StudyError
        A claim has another number of patients, positives, sites or genes than the recipe, more
        features than it looks at, more positives than patients, or a horizon that is not read
        out; or the simulation is as strong as nothing that is claimed.
    """
    parts = (*said.parts, *said.elsewhere)
    rows: list[Any] = list(claims.itertuples())
    for claim in rows:
        if claim.model and claim.model not in said.models:
            raise UnknownNameError("model or rival of the recipe", claim.model, said.models)
        for part in place_of(claim.split).parts:
            if part and part not in parts:
                raise UnknownNameError("part of the recipe's design", part, parts)
        endpoint = claim.metric.partition(":")[2]
        if endpoint and endpoint not in said.endpoints:
            raise UnknownNameError("endpoint of the recipe", endpoint, said.endpoints)
        _refuse_impossible(claim, said)
    against = [
        text
        for claim in rows
        for text in (*_counts_against(claim, said), *_described_against(claim, said))
    ]
    against += [text for strength in said.strengths for text in _strength_against(strength, claims)]
    if against:
        raise StudyError(
            f"expected claims with the recipe's own numbers; found {short_list(against)}. Correct "
            "claims.csv or study.yaml; leave split empty for a subgroup."
        )


def _counts_against(claim: Any, said: Said) -> Iterator[str]:
    """Patients and positives that are others in the recipe, or more than all of its parts."""
    place = place_of(claim.split)
    # Of a level of a fact, and of a label that not all have, there may be fewer.
    other_label = metric_of(claim.metric) == "auc" and ":" in claim.metric
    whole = not claim.split or bool(place.fact) or other_label
    counts: list[tuple[str, int | None, int | None]] = []
    patients, positives = size_of(said.parts, place.parts if claim.split else said.parts)
    if claim.metric in ("patients", "positives"):
        known = patients if claim.metric == "patients" else positives
        counts.append((claim.metric, int(claim.value), known))
        whole = False
    elif whole or claim.metric not in (*OF_GROUPS, *DESCRIBED):
        counts.append(("patients", count_of(claim.n), patients))
        if not positives_are_events(claim.metric) and claim.metric not in OF_GROUPS:
            counts.append(("positives", count_of(claim.positives), positives))
    for what, found, known in counts:
        if found is None or known is None or found == known or (whole and found < known):
            continue
        of = claim.split or "all parts together"
        yield f"{claim.metric} of {of} has {found} {what}, the recipe {known}"


def _refuse_impossible(claim: Any, said: Said) -> None:
    """Raise StudyError for more positives than patients, or a horizon that nothing reads out."""
    place, of = place_of(claim.split), claim.split or "all parts together"
    patients, _ = size_of(said.parts, place.parts if claim.split else said.parts)
    own = count_of(claim.n)
    most = patients if own is None else own
    counted = int(claim.value) if claim.metric == "positives" else count_of(claim.positives)
    if counted is not None and most is not None and counted > most:
        raise StudyError(
            f"claims: expected at most {most} positives of {claim.metric} of {of}, as patients; "
            f"found {counted}. Correct the number, or the part that it is of."
        )
    if metric_of(claim.metric) != "td_auc" or said.horizons is None:
        return
    months, _, endpoint = claim.metric.partition("@")[2].partition(":")
    known = said.horizons.get(endpoint, ())
    if float(months) not in set(map(float, known)):
        raise StudyError(
            f"claims: expected {claim.metric} at a horizon that readouts.survival has for "
            f"{endpoint} ({short_list(known) or 'none'}); found {months} months. Add it to the "
            "horizons of study.yaml, or correct the claim."
        )


def _described_against(claim: Any, said: Said) -> Iterator[str]:
    """Sites and genes that are others in the recipe, and features that nothing could give."""
    value, of = int(claim.value) if claim.metric in DESCRIBED else 0, claim.split or "all parts"
    if claim.metric == "sites" and said.sites:
        # Hospitals may be the same in several parts.
        least, most = max(said.sites.values()), sum(said.sites.values())
        if claim.split in said.sites:
            least = most = said.sites[claim.split]
        if not least <= value <= most:
            span = f"{least}" if least == most else f"{least} to {most}"
            yield f"{of} with {value} sites, the recipe {span}"
    if claim.metric == "genes" and said.genes not in (None, value):
        yield f"{value} genes, the recipe {said.genes}"
    if claim.metric == "features" and value > said.features.get(claim.model, value):
        of, most = claim.model or "all models", said.features[claim.model]
        yield f"{value} features of {of}, the recipe at most {most}"


def _strength_against(strength: Strength, claims: pd.DataFrame) -> Iterator[str]:
    """A simulated truth that is said to be published and is none of the claims."""
    named = [model for model in claims["model"] if model and model in strength.note]
    models = {max(named, key=len)} if named else {strength.model, ""}
    rows = claims[(claims["metric"] == strength.metric) & claims["model"].isin(models)]
    told = rows["split"].map(lambda split: bool(split) and split in strength.note)
    rows = rows[told] if told.any() else rows
    if strength.value not in set(rows["value"]):
        found = zip(rows["split"], rows["value"], strict=True)
        of = ", ".join(f"{split or 'no part'} {value:g}" for split, value in found)
        yield (
            f"{strength.setting} of {strength.value:g} beside a claimed {strength.metric} of "
            f"{of or 'nothing'} (its source must be default, or its note name another model)"
        )
