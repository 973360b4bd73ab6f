"""What a user may say about how a map is drawn."""

from __future__ import annotations

import pytest
import yaml

from radiogenomics.core.errors import MissingFileError, SchemaError
from radiogenomics.evaluation.association.map import MapSettings
from radiogenomics.study.association.plan import FORCED, MapPlan
from radiogenomics.study.plan import plan_from


def written(tmp_path, text):
    (tmp_path / "plan.yaml").write_text(text)
    return tmp_path / "plan.yaml"


def test_without_a_plan_the_map_is_that_of_the_library():
    assert plan_from(MapPlan, None) == MapPlan()
    assert MapPlan().settings(force=False, seed=0, threads=1) == MapSettings()


def test_words_reach_the_settings(tmp_path):
    text = "method: pearson\npermutations: 49\nsmallest: 3\nlargest: 90\nalpha: 0.1\n"
    found = plan_from(MapPlan, written(tmp_path, text)).settings(force=True, seed=7, threads=2)
    assert (found.method, found.permutations, found.seed, found.threads) == ("pearson", 49, 7, 2)
    assert found.limits[:2] == (3, 90) and found.alpha == found.kept.alpha == 0.1
    assert found.fewest == FORCED


def test_the_recipe_of_an_earlier_map_is_a_plan(tmp_path, everything):
    earlier = everything / "study.yaml"
    assert plan_from(MapPlan, earlier).permutations == 99
    content = yaml.safe_load(earlier.read_text())
    assert MapPlan(**content["plan"]) == plan_from(MapPlan, earlier)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("permutation: 99", "did you mean permutations"),
        ("permutations: 5", "permutations"),
        ("method: kendall", "method"),
        ("smallest: 50\nlargest: 10", "expected smallest up to largest genes.*found 50 and 10"),
        ("alpha: 0", "alpha"),
        ("min_coverage: 2", "min_coverage"),
    ],
)
def test_wrong_words_are_named(tmp_path, text, message):
    with pytest.raises(SchemaError, match=f"(?s)plan.yaml.*{message}"):
        plan_from(MapPlan, written(tmp_path, text))


def test_a_plan_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere\.yaml"):
        plan_from(MapPlan, tmp_path / "nowhere.yaml")
