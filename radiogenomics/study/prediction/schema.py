"""The recipe of a prediction study: blocks of features, models over them, read-outs, design."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from radiogenomics.core.schema import Record
from radiogenomics.features.longitudinal_change import Mode
from radiogenomics.study.prediction.labels import Names, PredictionLabel
from radiogenomics.study.recipe import Folds, NotNegative, Positive, Recipe, Sourced, Step

TIME_POINTS = ("baseline", "follow-up")
Share = Annotated[float, Field(ge=0, le=1)]
Voxels = tuple[Positive, Positive, Positive]
Discrimination = Annotated[float, Field(ge=0.5, le=1)]
Defect = Literal[
    "pooled_selection",
    "cv_percentile_interval",
    "apparent_percentile_interval",
    "test_set_tuning",
]


class Part(Record):
    """One cohort of the study's design.

    Parameters
    ----------
    patients, positives
        How many, and how many of class 1 (of a time to an event: events).
    sites
        Hospitals they come from.
    labelled
        False where the label was not measured: such a part is held against outcomes only.
    """

    patients: Sourced[Positive]
    positives: Sourced[Positive | None]
    sites: Sourced[Positive]
    labelled: Sourced[bool] | None = None


class ImageBlock(Record):
    """Features of one region in one kind of scan: the assay of the block's name, else extracted.

    Deep ones are those of a frozen encoder, which needs no other patient.

    Parameters
    ----------
    modality, phase, region, time_point
        Which scans and which mask; regions as for extraction (``tumour_ring_10mm_in_liver``).
    settings
        Extraction preset; of deep features the encoder's.
    features
        How many variables the study measured.
    reread
        Patients segmented again, for the ICC filter: the assay ``<block>_reading_2``.
    steps
        What happens to this block alone, inside the fold, before blocks are joined.
    """

    kind: Literal["radiomics", "deep"]
    modality: Sourced[Literal["CT", "MR", "PT", "US"]]
    phase: Sourced[str]
    region: Sourced[str]
    time_point: Sourced[str]
    settings: Sourced[str]
    features: Sourced[Positive]
    reread: Sourced[Positive | None]
    steps: tuple[Step, ...] = ()


class NetworkBlock(Record):
    """One number: what a network says that is trained on scans, inside the folds.

    Training patients get the word of networks that have not seen them (see
    :class:`~radiogenomics.models.deep.network_risk.NetworkRisk`), new ones that of a network
    trained on all; a log hazard where the label is a time, else the log-odds of class 1.

    Parameters
    ----------
    network
        A word of the library's networks, or ``multi_instance_transformer``.
    modality, phases, region, time_point
        Scans that are its channels, in order, or the sequences whose slices are its instances; the
        first has the mask.
    view
        Encoder preset whose view is cut: what of the scan is shown, and how bright. Of a
        multi-instance Transformer also the frozen encoder of its slices.
    voxels
        Size (z, y, x) of the view; z counts the slices where it has several.
    size
        The network as published, or the library's smallest one of its kind.
    epochs, batch_size, learning_rate
        Of its training; early stopping may end it sooner.
    cross_fits
        Networks by whom the training patients are scored, beside the one trained on all.
    steps
        What happens to its number, inside the fold, before blocks are joined.
    """

    kind: Literal["network"]
    network: Sourced[str]
    modality: Sourced[Literal["CT", "MR", "PT", "US"]]
    phases: Sourced[Names]
    region: Sourced[str]
    time_point: Sourced[str]
    view: Sourced[str]
    voxels: Sourced[Voxels]
    size: Sourced[Literal["paper", "tiny"]]
    epochs: Sourced[Positive]
    batch_size: Sourced[Positive]
    learning_rate: Sourced[Annotated[float, Field(gt=0)]]
    cross_fits: Sourced[Folds]
    steps: tuple[Step, ...] = ()


class ClinicalBlock(Record):
    """Facts about patients, numbers by the manifest's columns."""

    kind: Literal["clinical"]
    facts: Sourced[Names]
    steps: tuple[Step, ...] = ()


class ChangeBlock(Record):
    """Change of other blocks' features from one time point to the next, patient by patient.

    ``of`` names the blocks, earliest first; ``interval`` the fact with the weeks between first and
    last, for rates.
    """

    kind: Literal["change"]
    of: Sourced[Annotated[tuple[str, ...], Field(min_length=2)]]
    mode: Sourced[Mode]
    interval: Sourced[str | None]
    steps: tuple[Step, ...] = ()


AnyBlock = ImageBlock | NetworkBlock | ClinicalBlock | ChangeBlock
Block = Annotated[AnyBlock, Field(discriminator="kind")]


class Model(Record):
    """A learner behind joined blocks; the first model of a recipe is its headline."""

    name: str
    blocks: Sourced[Names]
    learner: Sourced[str]
    steps: tuple[Step, ...] = ()


class Rival(Record):
    """What nobody trains: a stage, a grade, a response category, a published score.

    Parameters
    ----------
    fact
        A column of the patients, or a response outcome.
    groups
        Values from the least to the most like class 1; open for numbers.
    rises
        Of numbers: whether class 1 or class 0 has the higher ones.
    """

    name: str
    fact: Sourced[str]
    groups: Sourced[tuple[tuple[str, ...], ...] | None]
    rises: Sourced[Literal["positive", "negative"]]


class Evaluation(Record):
    """How out-of-sample predictions are made, what chance would give, where scores are cut.

    ``null_of`` asks for the null of every model; the headline's alone where it is not given.
    ``leave_out_sites`` asks for the headline learnt without each site in turn, and judged there.
    """

    folds: Sourced[Folds]
    repeats: Sourced[Positive]
    inner_folds: Sourced[Folds]
    permutations: Sourced[NotNegative]
    null_of: Sourced[Literal["headline", "all"]] | None = None
    outcome_permutations: Sourced[Positive]
    threshold: Sourced[Share | Literal["youden", "median"]]
    minimum_events: Sourced[Positive]
    without_follow_up: Sourced[Literal["baseline_model", "exclude"]]
    leave_out_sites: Sourced[bool] | None = None


class SurvivalReadout(Record):
    """An endpoint that the score is held against; months of its time-dependent AUC."""

    endpoint: Sourced[str]
    horizons: Sourced[tuple[Annotated[float, Field(gt=0)], ...]]
    adjust_for: Sourced[tuple[str, ...]]


class CoxModel(Record):
    """A Cox model of ``score`` and rivals, by name, fitted on the training cohort's predictions."""

    name: str
    terms: Sourced[Names]


class ResponseReadout(Record):
    """A response that high and low scores are compared in."""

    outcome: Sourced[str]
    responders: Sourced[Names]


class Pseudoprogression(Record):
    """Which response categories are progression, to be held against a score of responders."""

    outcome: Sourced[str]
    progressive: Sourced[Names]


class Readouts(Record):
    """What is asked of the headline model's score beside its discrimination."""

    survival: tuple[SurvivalReadout, ...] = ()
    cox: tuple[CoxModel, ...] = ()
    nomogram: Sourced[str] | None = None
    response: ResponseReadout | None = None
    subgroups: Sourced[tuple[str, ...]] | None = None
    pseudoprogression: Pseudoprogression | None = None
    explained_patients: Sourced[NotNegative] | None = None


class SimulatedSurvival(Record):
    """Survival of a simulated cohort.

    Parameters
    ----------
    endpoint, median
        Its name, and the median in months; open of CSS beside OS, whose times it has.
    hazard_ratio
        Of class 0 against class 1 where class 1 is better, else the other way round; open where
        the label is made from this endpoint, and where the label's own makes the difference.
    censored
        Share of patients who leave before the event.
    """

    endpoint: Sourced[str]
    median: Sourced[Annotated[float, Field(gt=0)] | None]
    hazard_ratio: Sourced[Annotated[float, Field(gt=0)] | None]
    censored: Sourced[Share]


class SimulatedScans(Record):
    """Scans of a simulated cohort, and small networks for them, so that a laptop is enough.

    Parameters
    ----------
    voxels
        Of a whole scan (z, y, x); it spans 200 × 220 × 280 mm whatever their number.
    view
        Of what encoders and networks are shown, instead of the preset's and the block's; z is not
        read of single slices.
    size, epochs, learning_rate
        Of networks, instead of the block's; small ones trained shortly need longer steps.
    correlation
        How well the best linear reading of the lesions tells what the blocks carry.
    """

    voxels: Sourced[Voxels]
    view: Sourced[Voxels]
    size: Sourced[Literal["paper", "tiny"]]
    epochs: Sourced[Positive]
    learning_rate: Sourced[Annotated[float, Field(gt=0)]] | None = None
    correlation: Sourced[Annotated[float, Field(gt=0, lt=1)]]


class Simulation(Record):
    """How strong the truth of a simulated cohort is.

    Parameters
    ----------
    auc
        AUC of the true model of all blocks: the published one. C-index for a time to an event.
    shares
        Block → share of the squared separation of classes that it alone carries; they sum to 1.
        What a change block carries belongs to its later block.
    informative
        Features of each block that carry it.
    rivals
        Rival → its AUC.
    survival
        Endpoints.
    without_follow_up
        Share of patients who were not scanned again.
    scans
        Of recipes whose deep blocks are drawn from scans; all other blocks are tables.
    """

    auc: Sourced[Discrimination]
    shares: dict[str, Sourced[Share]]
    informative: Sourced[Positive]
    rivals: dict[str, Sourced[Discrimination]] = Field(default_factory=dict)
    survival: tuple[SimulatedSurvival, ...] = ()
    without_follow_up: Sourced[Share] | None = None
    scans: SimulatedScans | None = None


class PredictionStudy(Recipe):
    """A frozen recipe of a prediction study; the first part of its design is for training.

    ``time_points`` are the words that blocks may have for when a scan was made, earliest first.
    """

    kind: Literal["prediction"]
    time_points: Names = TIME_POINTS
    design: dict[str, Part]
    label: PredictionLabel
    blocks: dict[str, Block]
    models: Annotated[tuple[Model, ...], Field(min_length=1)]
    rivals: tuple[Rival, ...] = ()
    evaluation: Evaluation
    readouts: Readouts
    legacy: Sourced[tuple[Defect, ...]]
    simulation: Simulation
