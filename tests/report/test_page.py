"""The page: whole, offline, escaped, the same twice."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from radiogenomics.core.errors import MissingFileError
from radiogenomics.report import read_content, render
from radiogenomics.report.section_words import SECTIONS

EVIL = "<script>alert('x')</script>"
VOID = {"meta", "img", "br", "line", "circle", "link", "hr"}


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails on tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def attributes(self, tag: str, name: str) -> list[str]:
        return [a[name] or "" for t, a in self.tags if t == tag and name in a]

    def figures(self) -> list[str]:
        sources = self.attributes("img", "src")
        return [base64.b64decode(s.split(",", 1)[1]).decode() for s in sources]


def copy_of(run: Path, folder: Path) -> Path:
    return Path(shutil.copytree(run, folder / "copy"))


@pytest.fixture(scope="module")
def page(finished_run: Path) -> Page:
    return Page(render(finished_run).read_text(encoding="utf-8"))


def test_sections_stand_in_order_and_in_the_contents(page: Page) -> None:
    anchors = [a for a in page.attributes("section", "id") if a != "verdict"]
    assert anchors == list(SECTIONS)
    assert [h[1:] for h in page.attributes("a", "href") if h.startswith("#")][1:] == [
        "verdict",
        *SECTIONS,
    ]


def test_nothing_is_asked_of_the_network(page: Page) -> None:
    used = {tag for tag, _ in page.tags}
    assert not used & {"script", "link", "iframe", "object", "embed", "form", "base"}
    assert all(s.startswith("data:image/svg+xml;base64,") for s in page.attributes("img", "src"))
    links = page.attributes("a", "href")
    assert all(link.startswith(("#", "tables/")) for link in links)
    attributes = {name for _, attrs in page.tags for name in attrs}
    assert not {name for name in attributes if name.startswith("on")}
    assert "http" not in "".join(page.attributes("style", "href"))
    policy = page.attributes("meta", "content")[-1]
    assert policy.startswith("default-src 'none'")


def test_every_figure_is_sound_svg_without_outside_reference(page: Page) -> None:
    figures = page.figures()
    assert len(figures) > 12
    for svg in figures:
        root = ET.fromstring(svg)
        assert root.tag.endswith("svg")
        for element in root.iter():
            assert not element.tag.endswith("script")
            for name, value in element.attrib.items():
                if name.endswith("href"):
                    assert value.startswith("#")


def test_every_link_to_a_table_leads_to_one(page: Page, finished_run: Path) -> None:
    linked = {link for link in page.attributes("a", "href") if link.startswith("tables/")}
    assert linked
    assert all((finished_run / link).is_file() for link in linked)
    captions = sum(1 for tag, _ in page.tags if tag == "figcaption")
    assert captions == len(page.attributes("img", "src"))


def test_page_can_be_read_without_seeing_it(page: Page) -> None:
    assert all(len(alt) > 20 for alt in page.attributes("img", "alt"))
    assert len(page.attributes("img", "alt")) == len(page.attributes("img", "src"))
    count = [tag for tag, _ in page.tags]
    assert count.count("h1") == 1
    assert count.count("caption") == count.count("table")
    assert page.attributes("html", "lang") == ["en-GB"]
    assert set(page.attributes("th", "scope")) == {"col", "rowgroup"}


def test_every_metric_is_in_the_performance_table(page: Page, finished_run: Path) -> None:
    summary = json.loads((finished_run / "summary.json").read_text())
    text = "".join(page.words)
    for metric in summary["metrics"]:
        assert metric["name"] in page.words
        assert f"{metric['value']:.2f}".replace("-", "−") in text


def test_settings_show_where_they_come_from(page: Page) -> None:
    badges = [
        a["class"] for tag, a in page.tags if tag == "span" and "badge" in str(a.get("class"))
    ]
    assert badges == [f"badge {x}" for x in ("abstract", "default", "paper", "code", "derived")]


def test_simulated_cohorts_are_called_so(
    page: Page, finished_run: Path, tmp_path: Path, undrawn: None
) -> None:
    assert "SIMULATED DATA" in page.words
    folder = copy_of(finished_run, tmp_path)
    summary = json.loads((folder / "summary.json").read_text())
    del summary["simulated"]
    (folder / "summary.json").write_text(json.dumps(summary))
    assert "SIMULATED DATA" not in render(folder).read_text()
    flow = pd.read_csv(folder / "tables/cohort_flow.csv")
    flow.assign(simulated=flow["cohort"] == "simulated_mr").to_csv(
        folder / "tables/cohort_flow.csv", index=False
    )
    assert read_content(folder).simulated == ("simulated_mr",)
    assert "SIMULATED DATA" in render(folder).read_text()


def test_same_tables_give_the_same_bytes(finished_run: Path, tmp_path: Path) -> None:
    first = render(finished_run).read_bytes()
    again = render(copy_of(finished_run, tmp_path)).read_bytes()
    assert hashlib.sha256(first).digest() == hashlib.sha256(again).digest()
    assert not re.search(rb"20\d\d-\d\d-\d\dT", first)


def test_user_strings_are_escaped_everywhere(finished_run: Path, tmp_path: Path) -> None:
    folder = copy_of(finished_run, tmp_path)
    names = {
        "simulated_ct": EVIL,
        "simulated_mr": '"><img src=x onerror=alert(1)>',
        "rf": "$x_{<b>",
    }
    for path in (folder / "tables").glob("*.csv"):
        table = pd.read_csv(path)
        for column in ("cohort", "feature", "text", "note", "term", "learner", "gene", "group"):
            if column in table:
                table[column] = table[column].map(lambda x: names.get(x, f"{x} {EVIL}"))
        if "split" in table:
            table["split"] = table["split"].str.replace("simulated_mr", names["simulated_mr"])
        table.to_csv(path, index=False)
    text = (folder / "summary.json").read_text()
    summary = json.loads(text)
    summary |= {"study": EVIL, "verdict": EVIL, "cohorts": [EVIL, names["simulated_mr"]]}
    for metric in summary["metrics"]:
        metric["split"] = metric["split"].replace("simulated_mr", names["simulated_mr"])
        metric["name"] = metric["name"].replace("KPNA2", EVIL)
    (folder / "summary.json").write_text(json.dumps(summary))
    recipe = (
        f'title: "{EVIL}"\nquestion: "{EVIL}"\ncitation: \'</style>{EVIL.replace(chr(39), "")}\'\n'
    )
    (folder / "study.yaml").write_text(recipe)
    page = Page(render(folder).read_text(encoding="utf-8"))
    assert "script" not in {tag for tag, _ in page.tags}
    assert not {name for _, attrs in page.tags for name in attrs if name.startswith("on")}
    assert all(s.startswith("data:image/svg") for s in page.attributes("img", "src"))
    assert "".join(page.words).count(EVIL) > 10
    for svg in page.figures():
        assert not [e for e in ET.fromstring(svg).iter() if e.tag.endswith("script")]
    assert any("&lt;script&gt;" in svg for svg in page.figures())


def test_failed_rendering_leaves_the_old_page(
    finished_run: Path, tmp_path: Path, undrawn: None
) -> None:
    folder = copy_of(finished_run, tmp_path)
    old = render(folder).read_bytes()
    (folder / "summary.json").unlink()
    with pytest.raises(MissingFileError, match=r"summary\.json"):
        render(folder)
    assert (folder / "report.html").read_bytes() == old
    assert not list(folder.glob(".report*"))


def test_the_site_probe_stands_in_the_performance(finished_run: Path, tmp_path: Path) -> None:
    folder = copy_of(finished_run, tmp_path)
    row = {"variant": "harmonised", "learnt_on": "held_out", "metric": "auc", "value": 0.613}
    row |= {"low": 0.58, "high": 0.64, "chance": 0.5, "p": 0.01, "patients": 90, "sites": 3}
    pd.DataFrame([row]).to_csv(folder / "tables" / "site_probe.csv", index=False)
    text = " ".join(Page(render(folder).read_text(encoding="utf-8")).words)
    assert "Site probe" in text and " 0.61 " in text
