from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import OutcomeError
from radiogenomics.core.two_classes import two_classes


@pytest.mark.parametrize("label", [[1, 1, 1], ["a", "b", "c"]])
def test_other_than_two_classes_is_refused_with_the_advice_of_who_asks(label):
    found = f"found {len(set(label))} class\\(es\\) in 3 patients"
    with pytest.raises(OutcomeError, match=f"{found}. Only binary classification is supported"):
        two_classes(np.array(label))
    with pytest.raises(OutcomeError, match=f"{found}. Give numbers.$"):
        two_classes(np.array(label), advice="Give numbers.")
