import pytest

from radiogenomics.core.errors import StudyError
from radiogenomics.core.evidence import Metric
from radiogenomics.evaluation import verdict


def metric(value, low, high, p, *, name="auc", chance=0.5) -> Metric:
    return Metric(name, value, low, high, chance, 120, "cross-validation", p, 60)


@pytest.mark.parametrize(
    ("low", "high", "p", "found"),
    [
        (0.55, 0.75, 0.01, True),
        (0.55, 0.75, 0.05, True),
        (0.55, 0.75, 0.06, False),  # the interval alone claims nothing
        (0.48, 0.75, 0.01, False),  # nor does the p-value
        (0.20, 0.40, 0.01, False),  # below chance is not a finding
    ],
)
def test_found_needs_both_p_and_interval(low, high, p, found):
    result = verdict(metric((low + high) / 2, low, high, p))
    assert result.found is found
    assert ("is not distinguishable" in result.text) is not found


def test_sentence_carries_its_numbers():
    text = verdict(metric(0.65, 0.55, 0.75, 0.012), subject="the signature").text
    assert text == (
        "the signature is distinguishable from chance (AUC 0.650, 95 % interval 0.550–0.750, "
        "permutation p 0.012, n 120)"
    )


def test_hazard_ratio_is_held_against_one():
    assert verdict(metric(1.4, 1.1, 1.8, 0.01, name="hr_per_sd", chance=1.0)).found
    text = verdict(metric(0.6, 0.55, 0.7, 0.01, name="signature_c_index")).text
    assert "C-index 0.600" in text


def test_lower_is_better_for_brier():
    assert verdict(metric(0.2, 0.18, 0.22, 0.01, name="brier", chance=0.25)).found
    assert not verdict(metric(0.3, 0.28, 0.32, 0.01, name="brier", chance=0.25)).found


@pytest.mark.parametrize("low", [0.45, 0.6])
def test_without_a_null_it_says_that_chance_was_not_tested(low):
    result = verdict(metric(0.7, low, 0.8, None), subject="the signature")
    assert not result.found
    assert result.text == (
        f"the signature was not tested against chance (AUC 0.700, 95 % interval {low:.3f}–0.800, "
        "no permutation test, n 120)"
    )


def test_metric_without_chance_is_refused():
    with pytest.raises(StudyError, match="chance level"):
        verdict(metric(0.7, 0.6, 0.8, 0.01, chance=None))
