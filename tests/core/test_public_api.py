"""What ``import radiogenomics as rg`` promises."""

from __future__ import annotations

import inspect
import pickle
from importlib import import_module

import pytest

import radiogenomics as rg

# Public name → where it is defined. Extend by the names of the other rooms as they are public.
CORE_NAMES = {
    "Cohort": "radiogenomics.core.cohort",
    "Evidence": "radiogenomics.core.evidence",
    "FeatureTable": "radiogenomics.core.feature_table",
    "LabelSet": "radiogenomics.core.labels",
    "Metric": "radiogenomics.core.evidence",
    "ResponseOutcome": "radiogenomics.core.outcomes",
    "Scan": "radiogenomics.core.scan",
    "Signature": "radiogenomics.core.signature",
    "SignatureSet": "radiogenomics.core.signature",
    "SurvivalOutcome": "radiogenomics.core.outcomes",
    "Volume": "radiogenomics.core.scan",
}
OTHER_NAMES: dict[str, str] = {}
NAMES = CORE_NAMES | OTHER_NAMES


@pytest.mark.parametrize(("name", "home"), NAMES.items())
def test_public_name_is_what_its_module_defines(name: str, home: str) -> None:
    assert getattr(rg, name) is getattr(import_module(home), name)
    assert getattr(rg, name).__module__ == home


@pytest.mark.parametrize("name", NAMES)
def test_public_name_is_listed_and_documented(name: str) -> None:
    assert name in rg.__all__
    assert name in dir(rg)
    assert inspect.getdoc(getattr(rg, name))


@pytest.mark.parametrize("name", ["Cohort", "FeatureTable", "Signature", "LabelSet", "Evidence"])
def test_nouns_show_themselves_in_notebooks(name: str) -> None:
    assert callable(getattr(rg, name)._repr_html_)


def test_all_lists_each_name_once() -> None:
    assert len(rg.__all__) == len(set(rg.__all__))


def test_no_public_name_hides_behind_a_module_of_the_same_name() -> None:
    # Importing radiogenomics.x sets the attribute x of the package, whatever it was before.
    for name in NAMES:
        with pytest.raises(ModuleNotFoundError):
            import_module(f"radiogenomics.{name}")


def test_version_is_that_of_the_provenance() -> None:
    assert rg.__version__ == import_module("radiogenomics.core.provenance").version()


def test_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'radiogenomics' has no attribute 'Kohort'"):
        rg.Kohort  # noqa: B018
    assert not hasattr(rg, "__path_of_nothing__")


def test_classes_are_found_again_when_unpickled() -> None:
    for name in NAMES:
        assert pickle.loads(pickle.dumps(getattr(rg, name))) is getattr(rg, name)
