"""The headline learnt without each site in turn, and judged there."""

from __future__ import annotations

from radiogenomics.evaluation import LeaveOneSiteOut
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.inputs import sites_of
from radiogenomics.study.prediction.bench import Bench
from radiogenomics.study.prediction.readouts.remarks import warning
from radiogenomics.study.prediction.readouts.subgroups import subgroup_auc, subgroup_hazards
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.prediction.scored import Scored
from radiogenomics.study.recipe import Sourced

SPLIT, SITE = "leave-one-site-out", "site"
KEPT = ("learners", "concordances")


def left_out_sites(bench: Bench, *, threshold: float) -> Findings:
    """Score each site of the training cohort by a headline model that has seen the others only.

    Where the recipe asks for it. The nearest to external validation that one cohort allows; over
    all sites together, the levels of their models mix.

    Parameters
    ----------
    bench
        Of the training cohort.
    threshold
        Of the headline's scores.

    Returns
    -------
    Findings
        Rows of the split ``leave-one-site-out``: all sites in ``learners`` (``concordances`` where
        a time is foretold), each in ``subgroup_auc`` (``subgroups``). A warning where the cohort
        has one site.

    Raises
    ------
    DataError, OutcomeError
        Without one of the sites nothing can be learnt.
    """
    study, inputs = bench.study, bench.inputs
    asked = study.evaluation.leave_out_sites
    if asked is None or not asked.value:
        return Findings()
    sites = sites_of(inputs.cohort, inputs.features.index)
    if sites is None:
        return warning(f"{SPLIT}: {inputs.cohort.id} has no two sites; left out.")
    model = study.models[0]
    evidence = bench.task.cross_validate(
        bench.builder.build(model, scanned_once=bench.scanned_once),
        inputs.features[bench.builder.columns(model)],
        splitter=LeaveOneSiteOut(sites),
        name=model.name,
        jobs=bench.jobs,
    )
    predictions = {model.name: evidence.predictions}
    tables = bench.task.judge(inputs.cohort).tables(predictions, split=SPLIT, rivals=())
    whole = Findings(tables={name: tables[name] for name in KEPT if name in tables})
    part = Scored(inputs.cohort, SPLIT, predictions, threshold, study.label.meaning.value)
    each = _by_site(study)
    return merge([whole, subgroup_auc(each, [part]), subgroup_hazards(each, [part])])


def _by_site(study: PredictionStudy) -> PredictionStudy:
    """The recipe with sites as its only subgroups."""
    sites = Sourced[tuple[str, ...]](value=(SITE,), source="default")
    readouts = study.readouts.model_copy(update={"subgroups": sites})
    return study.model_copy(update={"readouts": readouts})
