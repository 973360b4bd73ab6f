"""One decision tree, and averages of many."""

from __future__ import annotations

from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from radiogenomics.core.method import Method
from radiogenomics.models.learners.entry import SCOPE, Learner


def pruned_tree(random_state: int | None) -> Learner:
    """Build ``tree``."""
    return Learner(
        DecisionTreeClassifier(min_samples_leaf=5, random_state=random_state),
        ({"ccp_alpha": (0.05, 0.02, 0.01, 0.0)},),
        Method(
            name="tree",
            title="Decision tree with at least 5 patients a leaf, pruned by cost and complexity",
            scope=SCOPE,
            reference="Breiman, Friedman, Olshen and Stone, Classification and Regression Trees, "
            "Wadsworth 1984",
            limits="Another tree for a few other patients; coarse scores with many ties. Pruned "
            "to the root it ranks nobody.",
            learns=True,
        ),
    )


def random_forest(random_state: int | None) -> Learner:
    """Build ``rf``."""
    return Learner(
        RandomForestClassifier(n_estimators=100, random_state=random_state),
        ({"min_samples_leaf": (5,)},),
        Method(
            name="rf",
            title="Random forest of 100 trees with at least 5 patients a leaf",
            scope=SCOPE,
            reference="Breiman, Mach Learn 2001;45:5, doi:10.1023/A:1010933404324",
            limits="Little to gain from a forest on four features and tens of patients. One grid "
            "point: forests need little tuning, and it is the slowest learner here.",
            learns=True,
        ),
    )


def extra_trees(random_state: int | None) -> Learner:
    """Build ``et``."""
    return Learner(
        ExtraTreesClassifier(n_estimators=100, random_state=random_state),
        ({"min_samples_leaf": (5,)},),
        Method(
            name="et",
            title="100 extremely randomised trees with at least 5 patients a leaf",
            scope=SCOPE,
            reference="Geurts, Ernst and Wehenkel, Mach Learn 2006;63:3, "
            "doi:10.1007/s10994-006-6226-1",
            limits="Cuts are drawn at random, so trees spend many of them on features that say "
            "nothing. One grid point, as for rf.",
            learns=True,
        ),
    )


def bagged_trees(random_state: int | None) -> Learner:
    """Build ``bagging``."""
    return Learner(
        # A forest that tries every feature at each cut is bagging of trees, without the overhead.
        RandomForestClassifier(n_estimators=50, max_features=None, random_state=random_state),
        ({"min_samples_leaf": (5,)},),
        Method(
            name="bagging",
            title="50 bagged decision trees with at least 5 patients a leaf",
            scope=SCOPE,
            reference="Breiman, Mach Learn 1996;24:123, doi:10.1007/BF00058655",
            limits="Trees that see every feature are alike, so their average gains less than rf's. "
            "One grid point, as for rf.",
            learns=True,
        ),
    )
