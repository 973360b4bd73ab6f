"""Plans of every kind are read by one rule."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from radiogenomics.core.errors import MissingFileError, SchemaError
from radiogenomics.core.schema import Record
from radiogenomics.study.association.plan import MapPlan
from radiogenomics.study.derivation.plan import DerivationPlan
from radiogenomics.study.foretelling.plan import BiopsyPlan
from radiogenomics.study.plan import ValidationPlan, plan_from, read_plan

KINDS = (MapPlan, DerivationPlan, BiopsyPlan, ValidationPlan)


@pytest.fixture
def plan(tmp_path: Path):
    def written(content: object) -> Path:
        path = tmp_path / "plan.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path

    return written


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_stands_alone_or_under_its_word(kind: type[Record], plan):
    for content in ({"permutations": 37}, {"question": "?", "plan": {"permutations": 37}}):
        found = plan_from(kind, plan(content))
        assert type(found) is kind
        assert found == kind.model_validate({"permutations": 37}) != kind()
    assert plan_from(kind, None) == kind()
    assert plan_from(kind, plan({"plan": kind().model_dump(mode="json")})) == kind()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_is_named(kind: type[Record], plan, tmp_path):
    for content in ({"permutation": 37}, {"plan": {"permutation": 37}}):
        with pytest.raises(SchemaError, match=r"(?s)plan\.yaml.*did you mean permutations"):
            plan_from(kind, plan(content))
    with pytest.raises(SchemaError, match="plan: unknown word"):
        plan_from(kind, plan({"plan": "mine.yaml"}))
    with pytest.raises(MissingFileError, match=r"nowhere\.yaml"):
        plan_from(kind, tmp_path / "nowhere.yaml")


def test_a_plan_of_validation_is_one_of_them(plan):
    assert read_plan(None) == ValidationPlan()
    assert read_plan(str(plan({"learner": "lr"}))).learner == "lr"
