"""Titles and leads of the page of a prediction study, in the order in which they are read."""

from __future__ import annotations

from types import MappingProxyType

from radiogenomics.report.section_words import DERIVATION_SECTIONS, SECTIONS, Sections

PREDICTION_SECTIONS: Sections = MappingProxyType(
    {
        "asked": SECTIONS["asked"],
        "cohorts": (
            "Cohorts and follow-up",
            "The first cohort is learnt from and scored out of fold; in all others model and "
            "threshold are locked.",
        ),
        "performance": SECTIONS["performance"],
        "models": (
            "Models beside each other",
            "AUC and C-index: ½ is chance, 1 tells everybody apart. The first model was named "
            "beforehand; only the paired test says whether it does better than another on the "
            "same patients.",
        ),
        "curves": SECTIONS["roc"],
        "use": (
            "Calibration, use and threshold",
            "Whether a predicted 30 % happens in 30 of 100 (on the diagonal it does), whether "
            "going by the prediction does more good than treating all or nobody, and what the "
            "locked threshold gives.",
        ),
        "nulls": (
            "Null distributions",
            "Grey: what the same procedure finds when labels are shuffled among patients. The "
            "orange line is what it found with the truth in place.",
        ),
        "outcomes": (
            "Survival by the score",
            "High risk is what the locked threshold says. Hazard ratios above 1, and AUC over "
            "time above ½, mean that those called worse did worse; 1 and ½ are chance.",
        ),
        "cox": (
            "Survival models and nomogram",
            "The score with and without what it competes with. C-index: ½ is chance. The models "
            "were fitted on out-of-fold scores of the first cohort and are locked in the others.",
        ),
        "subgroup_auc": (
            "AUC in subgroups",
            "The AUC within kinds of patients; ½ is chance. Only the test of interaction compares "
            "them: found in one and not in another need not mean different.",
        ),
        "subgroups": DERIVATION_SECTIONS["subgroups"],
        "responders": (
            "Response by the score",
            "Share of responders among patients of high and of low score. Equal shares mean that "
            "the score says nothing of response.",
        ),
        "pseudoprogression": (
            "Pseudoprogression",
            "Patients who progressed by the response criteria: what the score called them, and "
            "what happened. A score that sees further than the criteria tells who of them lives "
            "on; among so few, so does luck.",
        ),
        "inside": (
            "What the model looks at",
            "How often training parts chose a feature, and what each adds to the score of a "
            "patient: right of 0 it raises the score. This explains the model, not the disease.",
        ),
        "claims": (
            "Claimed beside obtained",
            "Orange: the published number on the interval (pale) that so many patients allow; "
            "blue: what came out here, in other patients. Where only grey is reached, a worthless "
            "score does as well.",
        ),
        "design_checks": (
            "Design checks",
            "What the published design allows, before anybody is looked at: how widely an AUC as "
            "good as assumed scatters among so many, where worthless scores fall, and how few "
            "patients there are for each variable.",
        ),
        "flattery": (
            "What known defects would add",
            "The same patients, once honestly and once with each defect switched on. Hollow: what "
            "it finds where labels are shuffled; whatever lies right of ½ there it makes up.",
        ),
        "settings": SECTIONS["settings"],
        "provenance": SECTIONS["provenance"],
        "remarks": SECTIONS["remarks"],
    }
)
"""Of a prediction study: anchor → title and lead."""
