"""A recipe is data: each value says where it comes from, and a word that means nothing is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from radiogenomics.core.errors import RadiogenomicsError, SchemaError, UnknownNameError
from radiogenomics.study import read_study
from radiogenomics.study.registry import find_study, study_names

SOURCES = {"paper", "abstract", "code", "derived", "default"}
HEAD = {"kind", "study", "title", "question", "citation", "doi", "requires"}


def fields() -> dict[str, Any]:
    return yaml.safe_load(find_study("jtm2025_irs_ctmr").read_text(encoding="utf-8"))


def read(content: dict[str, Any], folder: Path):
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return read_study(path)


def leaves(content: Any, place: str = "") -> list[tuple[str, Any]]:
    """Everything below the sections that is not a mapping of further words."""
    if isinstance(content, dict) and "value" not in content:
        return [leaf for k, v in content.items() for leaf in leaves(v, f"{place}.{k}")]
    if isinstance(content, list):
        return [leaf for k, v in enumerate(content) for leaf in leaves(v, f"{place}.{k}")]
    return [(place, content)]


@pytest.mark.parametrize("name", study_names())
def test_every_value_of_a_shipped_recipe_says_where_it_comes_from(name):
    recipe = read_study(find_study(name))
    settings = recipe.settings()
    assert set(settings["provenance"]) <= SOURCES
    assert not settings["setting"].duplicated().any()
    content = yaml.safe_load(find_study(name).read_text(encoding="utf-8"))
    sections = [section for section in content if section not in HEAD]
    found = [leaf for section in sections for leaf in leaves(content[section], section)]
    unsourced = [place for place, leaf in found if not isinstance(leaf, dict)]
    assert all(place.endswith((".name", ".step", ".kind", ".rule")) for place in unsourced)
    assert len(found) - len(unsourced) == len(settings)


def test_what_the_paper_leaves_unsaid_is_not_claimed():
    settings = read_study(find_study("jtm2025_irs_ctmr")).settings().set_index("setting")
    open_values = settings.loc[["label.weights", "label.cutoff", "features.settings"]]
    assert set(open_values["provenance"]) == {"default"}
    assert open_values["note"].str.contains("not public").all()
    assert settings.loc["label.weights", "value"] == "open"
    assert settings.loc["features.steps.rank_selector.k", ["value", "provenance"]].tolist() == [
        "4",
        "abstract",
    ]


def put(place: str, value: Any):
    """Change of one value, by its place in the file."""

    def change(content: dict[str, Any]) -> None:
        *above, last = place.split(".")
        for word in above:
            content = content[int(word)] if isinstance(content, list) else content[word]
        content[last] = value

    return change


def sourced(value: Any) -> dict[str, Any]:
    return {"value": value, "source": "default"}


WRONG = [
    (put("evaluation.fold", sourced(5)), SchemaError, "evaluation.fold: .*did you mean folds"),
    (put("evaluation.folds", sourced(1)), SchemaError, "evaluation.folds.value: .*2; found 1"),
    (put("evaluation.permutations", sourced(0)), SchemaError, "permutations.value"),
    (put("evaluation.random_signatures", sourced(-1)), SchemaError, "random_signatures.value"),
    (put("model.learner", "svm"), SchemaError, "model.learner"),
    (put("model.learner", {"value": "svm"}), SchemaError, "model.learner.source: .*found none"),
    (put("model.learner.source", "papper"), SchemaError, "model.learner.source.*'papper'"),
    (put("label.cutoff", sourced("medain")), SchemaError, "label.cutoff.*'medain'"),
    (put("label.genes", sourced([])), SchemaError, "label.genes.value"),
    (put("response.responders_score", sourced("down")), SchemaError, "responders_score.*'down'"),
    (put("model.learner", sourced("swm")), UnknownNameError, "learner 'swm': did you mean 'svm'"),
    (
        put("model.comparators", sourced(["lr", "randomforest"])),
        UnknownNameError,
        "learner 'randomforest'",
    ),
    (
        put("features.settings", sourced("irss")),
        UnknownNameError,
        "settings 'irss': did you mean 'irs'",
    ),
    (
        put("features.steps.2.step", "rank_selecter"),
        UnknownNameError,
        "step 'rank_selecter': did you mean 'rank_selector'",
    ),
    (
        put("features.steps.2.parameters.max_corelation", sourced(0.5)),
        UnknownNameError,
        "parameter of step rank_selector 'max_corelation': did you mean 'max_correlation'",
    ),
    (
        put("features.steps.2.parameters.k", sourced("four")),
        SchemaError,
        "features.rank_selector.k: expected int.*'four'",
    ),
    (put("features.steps.2.parameters.k", sourced(2.5)), SchemaError, "rank_selector.k"),
    (put("features.steps.2.parameters.k", sourced(True)), SchemaError, "rank_selector.k"),
    (put("features.steps.2.parameters.k", 4), SchemaError, "features.steps.2.parameters.k"),
]


@pytest.mark.parametrize(("change", "error", "message"), WRONG)
def test_a_wrong_word_is_told_with_its_place(
    tmp_path, change, error: type[RadiogenomicsError], message
):
    content = fields()
    change(content)
    with pytest.raises(error, match=message):
        read(content, tmp_path)


def test_whole_numbers_do_for_a_fraction(tmp_path):
    content = fields()
    put("features.steps.2.parameters.max_correlation", sourced(1))(content)
    (step,) = [s for s in read(content, tmp_path).features.steps if s.step == "rank_selector"]
    assert step.parameters["max_correlation"].value == 1


def test_object_tags_and_code_are_refused(tmp_path):
    proof = tmp_path / "proof"
    path = tmp_path / "study.yaml"
    path.write_text(f"study: !!python/object/apply:os.system ['touch {proof}']\n")
    with pytest.raises(SchemaError, match="Object tags"):
        read_study(path)
    assert not proof.exists()


def test_a_recipe_is_frozen():
    recipe = read_study(find_study("jtm2025_irs_ctmr"))
    with pytest.raises(ValueError, match="frozen"):
        recipe.evaluation.folds.value = 2


def test_a_recipe_reads_as_a_table_and_markup_in_it_stays_text():
    recipe = read_study(find_study("jtm2025_irs_ctmr"))
    page = recipe.model_copy(update={"title": "<img src=x>"})._repr_html_()
    assert "Study jtm2025_irs_ctmr" in page and "label.genes" in page
    assert "<img" not in page and "&lt;img" in page
