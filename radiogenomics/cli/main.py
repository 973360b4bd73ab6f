"""`radiogenomics`: each command is the twin of a Python function with the same words."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from radiogenomics.cli.biopsy import biopsy
from radiogenomics.cli.characterise import characterise
from radiogenomics.cli.compare_masks import compare_masks
from radiogenomics.cli.derive import derive
from radiogenomics.cli.encode import encode
from radiogenomics.cli.extract import extract
from radiogenomics.cli.ibsi import ibsi
from radiogenomics.cli.map import draw_map
from radiogenomics.cli.methods import methods
from radiogenomics.cli.options import AsJson, Jobs, Seed, weights_by_preset
from radiogenomics.cli.pretrain import pretrain
from radiogenomics.cli.score import score
from radiogenomics.cli.segment import segment
from radiogenomics.cli.study import compare, studies
from radiogenomics.cli.track import track
from radiogenomics.cli.train import train
from radiogenomics.cli.validate import validate
from radiogenomics.core.errors import RadiogenomicsError, RadiogenomicsWarning, StudyError
from radiogenomics.core.provenance import version

EXIT_BAD_INPUT = 2


class Without(StrEnum):
    """What a simulation may leave out."""

    CHANGE = "change"
    EFFECT = "effect"


app = typer.Typer(
    name="radiogenomics",
    help="Multi-omics radiogenomics: files → cohort → labels and features → evidence → report.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command(rich_help_panel="Work")(extract)
app.command(rich_help_panel="Work")(segment)
app.command(rich_help_panel="Work")(encode)
app.command(rich_help_panel="Work")(pretrain)
app.command(rich_help_panel="Work")(train)
app.command(rich_help_panel="Work")(validate)
app.command(rich_help_panel="Work")(derive)
app.command(rich_help_panel="Work")(characterise)
app.command("map", rich_help_panel="Work")(draw_map)
app.command(rich_help_panel="Work")(biopsy)
app.command(rich_help_panel="Work")(score)
app.command(rich_help_panel="Work")(track)
app.command(rich_help_panel="Look")(ibsi)
app.command(rich_help_panel="Look")(methods)
app.command(rich_help_panel="Look")(compare)
app.command("compare-masks", rich_help_panel="Look")(compare_masks)
app.add_typer(studies, name="study", rich_help_panel="Look")

DataRoot = Annotated[
    Path | None,
    typer.Option(
        help="Folder the manifests' files are relative to; beside the manifest if not given."
    ),
]
Scale = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="With --simulate: share of the paper's patients; not below 40 in training and 24 "
        "elsewhere, where the paper had as many.",
    ),
]
MostFeatures = Annotated[
    int | None,
    typer.Option(min=1, help="With --simulate: most variables of a block; the paper's if none."),
]
Permutations = Annotated[
    int | None, typer.Option(min=0, help="Of the cross-validation; the recipe's if not given.")
]
Small = Annotated[
    bool,
    typer.Option("--simulated", help="With --cohort: a simulated one, read by small networks."),
]
Weights = Annotated[
    list[str] | None,
    typer.Option(help="PRESET=FILE of an encoder of deep blocks; repeat it. Random if none."),
]


@app.command(rich_help_panel="Work")
def run(
    study: Annotated[str, typer.Argument(help="Recipe: a path, or the name of a shipped one.")],
    *,
    cohort: Annotated[
        list[str] | None, typer.Option(help="Manifest; repeat it: discovery first.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Output folder.")],
    simulate: Annotated[
        bool, typer.Option("--simulate", help="On simulated cohorts of the study's design.")
    ] = False,
    scale: Scale = 1.0,
    features: MostFeatures = None,
    without: Annotated[
        Without | None,
        typer.Option(help="With --simulate: take the longitudinal change, or any effect, out."),
    ] = None,
    complete_cases: Annotated[
        bool, typer.Option("--complete-cases", help="Leave out patients who lack a block.")
    ] = False,
    legacy: Annotated[
        bool, typer.Option("--legacy", help="Show how much the recipe's known defects flatter.")
    ] = False,
    permutations: Permutations = None,
    simulated: Small = False,
    weights: Weights = None,
    data_root: DataRoot = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Run a recipe on cohorts, or on simulated ones, and write its report."""
    from radiogenomics.study import run as run_study
    from radiogenomics.study import run_simulated

    only: dict[str, object] = {"--scale": scale != 1, "--features": features, "--without": without}
    if simulate:
        only = {"--data-root": data_root, "--complete-cases": complete_cases}
        only |= {"--simulated": simulated, "--weights": weights}
    _require_one_source(
        cohort, simulate=simulate, useless=[o for o, given in only.items() if given]
    )
    if simulate:
        work = partial(
            run_simulated,
            scale=scale,
            features=features,
            change=without is None,
            effect=without is not Without.EFFECT,
        )
    else:
        work = partial(
            run_study,
            cohort=cohort or [],
            data_root=data_root,
            complete_cases=complete_cases,
            simulated=simulated,
            weights=weights_by_preset(weights),
        )
    results = work(study, out=out, legacy=legacy, permutations=permutations, jobs=jobs, seed=seed)
    _show_run(results, as_json)


@app.command(rich_help_panel="Work")
def demo(
    *,
    out: Annotated[Path, typer.Option(help="Output folder.")] = Path("radiogenomics-demo"),
    effect: Annotated[
        float, typer.Option(min=0, help="Strength of the truth; 0 is a null world.")
    ] = 1.0,
    jobs: Jobs = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Run the main job on two simulated cohorts, from files to report."""
    from radiogenomics.study import demo as run_demo

    _show_run(run_demo(out, effect=effect, jobs=jobs, seed=seed), as_json)


@app.command(rich_help_panel="Look")
def check(
    target: Annotated[
        str, typer.Argument(metavar="MANIFEST|STUDY", help="A path or a shipped name.")
    ],
    data_root: DataRoot = None,
    as_json: AsJson = False,
) -> None:
    """Check a manifest against its files, or a recipe against the library's words."""
    from radiogenomics.cli.show import audit_text, study_text
    from radiogenomics.io import Audit
    from radiogenomics.study import check as run_check

    found = run_check(target, data_root=data_root)
    if not isinstance(found, Audit):
        lines = (study_text(found), "", f"ok: {found.study}")
        typer.echo(json.dumps({"study": found.study, "ok": True}) if as_json else "\n".join(lines))
        return
    typer.echo(json.dumps(found.to_record(), indent=2) if as_json else audit_text(found))
    if not found.ok:
        raise typer.Exit(EXIT_BAD_INPUT)


@app.command(rich_help_panel="Work")
def report(
    folder: Annotated[Path, typer.Argument(help="Output folder of an earlier run.")],
    as_json: AsJson = False,
) -> None:
    """Draw the report of an earlier run again from its tables."""
    from radiogenomics.report import render

    path = render(folder)
    typer.echo(json.dumps({"report": str(path)}) if as_json else f"report: {path}")


@app.callback(invoke_without_command=True)
def options(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress messages.")] = False,
) -> None:
    """Set up what all commands share."""
    if show_version:
        typer.echo(version())
        raise typer.Exit
    logger = logging.getLogger("radiogenomics")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    warnings.showwarning = _once_each()


def _once_each() -> Callable[..., None]:
    """Return what shows our own warnings as one line, each once; others are for developers."""
    told: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *_: object) -> None:
        if issubclass(category, RadiogenomicsWarning) and str(message) not in told:
            told.add(str(message))
            typer.echo(f"warning: {message}", err=True)

    return show


def main() -> None:
    """Run the command line; an error of ours is one message and exit code 2."""
    try:
        app(prog_name=str(app.info.name))
    except RadiogenomicsError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(EXIT_BAD_INPUT)
    except OSError as error:
        place = f" at {error.filename}" if error.filename else ""
        typer.echo(
            f"error: expected a place to read and write{place}; found: {error.strerror}. "
            "Check the path, your rights and the space left.",
            err=True,
        )
        sys.exit(EXIT_BAD_INPUT)


def _require_one_source(
    cohort: list[str] | None, *, simulate: bool, useless: Sequence[str]
) -> None:
    """Raise StudyError unless there are cohorts or a simulation, with no option of the other."""
    if bool(cohort) == simulate:
        raise StudyError(
            "expected cohorts or --simulate; found "
            f"{'both' if simulate else 'neither'}. Name a manifest with --cohort, or simulate."
        )
    if useless:
        raise StudyError(
            f"expected options that a run with {'--simulate' if simulate else '--cohort'} knows; "
            f"found {', '.join(useless)}, which would do nothing there. Leave it out."
        )


def _show_run(results: object, as_json: bool) -> None:
    from radiogenomics.cli.show import results_text
    from radiogenomics.study import Results

    if isinstance(results, Results):
        typer.echo(json.dumps(results.summary(), indent=2) if as_json else results_text(results))
