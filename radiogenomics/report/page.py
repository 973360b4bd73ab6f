"""The page: template filled, every user string escaped, written whole or not at all."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from radiogenomics.core.evidence import Metric
from radiogenomics.report.content import ReportContent, read_content
from radiogenomics.report.drawings import headline_metrics
from radiogenomics.report.outlines import headlines, outline_of, roles, title_of
from radiogenomics.report.parts import estimate, p_value
from radiogenomics.report.sections import build_sections
from radiogenomics.report.vocabulary import (
    CROSS_VALIDATION,
    EXTERNAL,
    is_beyond_chance,
    reading,
    split_words,
    words_of,
)

REPORT = "report.html"


def render(folder: str | Path) -> Path:
    """Write ``report.html`` into the output folder of a run and return its path.

    The page opens offline: style and figures are inside it, it needs no script and asks the network
    for nothing. The same tables give the same bytes.

    Parameters
    ----------
    folder
        What ``radiogenomics run --out`` wrote; only ``summary.json`` must be there. Sections whose
        tables are absent are left out and named at the end.

    Raises
    ------
    MissingFileError
        There is no ``summary.json`` in the folder.
    SchemaError
        A file of the folder is not what its name says.
    """
    target = Path(folder) / REPORT
    page = render_page(read_content(folder))
    draft = target.with_name(f".{REPORT}.part")
    try:
        draft.write_text(page, encoding="utf-8", newline="\n")
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def render_page(content: ReportContent) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=PackageLoader("radiogenomics.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = build_sections(content)
    return environment.get_template("page.html").render(
        title=title_of(content),
        content=content,
        roles=roles(content),
        verdict=verdict_box(content),
        tiles=_tiles(headline_metrics(content), outline_of(content).risk),
        sections=sections,
    )


def verdict_box(content: ReportContent) -> Mapping[str, str]:
    """Tone, heading and sentence of the verdict.

    The tone follows the numbers, by the rule that made the verdict: green only when the headline
    metric is beyond chance, and neither that nor its opposite where no null was run.
    """
    judged = headlines(content)
    if not judged:
        return _box("open", outline_of(content).untested, content.verdict)
    if judged[0].p_permutation is None:
        return _box("open", "Not tested against chance", content.verdict)
    found = is_beyond_chance(judged[0])
    heading = "Distinguishable from chance" if found else "Not distinguishable from chance"
    return _box("found" if found else "chance", heading, content.verdict)


def _box(tone: str, heading: str, text: str) -> Mapping[str, str]:
    sentence = text.strip()
    stop = "" if sentence.endswith((".", "!", "?")) else "."
    return {"tone": tone, "heading": heading, "text": sentence[:1].upper() + sentence[1:] + stop}


def _tiles(metrics: Sequence[Metric], risk: str) -> list[Mapping[str, str]]:
    """Numbers for the top of the page; those of one title say in it where they are of."""
    tiles = [_tile(metric, risk) for metric in metrics]
    titles = Counter(tile["title"] for tile in tiles)
    return [
        {**tile, "title": f"{tile['title']}, {_whose(metric.split)}"}
        if titles[tile["title"]] > 1
        else tile
        for tile, metric in zip(tiles, metrics, strict=True)
    ]


def _whose(split: str) -> str:
    """Patients of a split in few words."""
    if split == CROSS_VALIDATION:
        return "out of fold"
    return f"in {split.removeprefix(EXTERNAL)}" if split.startswith(EXTERNAL) else split


def _tile(metric: Metric, risk: str) -> Mapping[str, str]:
    tone, says = reading(metric)
    return {
        "title": words_of(metric.name, risk=risk).title,
        "where": split_words(metric.split),
        "value": estimate(metric).partition(" ")[0],
        "interval": estimate(metric).partition(" ")[2].strip("()"),
        "p": p_value(metric.p_permutation),
        "tone": tone,
        "says": says,
    }
