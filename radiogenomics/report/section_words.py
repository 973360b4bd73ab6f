"""Titles and leads of the sections of each kind of page, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Sections = Mapping[str, tuple[str, str]]

SECTIONS: Sections = MappingProxyType(
    {
        "asked": ("What was asked", ""),
        "flow": (
            "Cohort flow",
            "Who was there to be studied. A patient counts in an analysis only with every table "
            "it needs.",
        ),
        "signature": (
            "The genes and the signature",
            "What the molecules say on their own, before any image is looked at.",
        ),
        "labels": (
            "Label distribution",
            "Score of each patient by the locked signature, and the class it gives. In "
            "cross-validation weights and cut-off are learnt anew in each training part, so the "
            "class of a patient near the cut-off may vary.",
        ),
        "performance": (
            "Performance",
            "A number counts as beyond chance only when its whole 95 % interval lies on the better "
            "side of chance and shuffled truth gives as much in at most one permutation of twenty.",
        ),
        "learners": (
            "Learners compared",
            "Whether the choice of learner mattered. The best of several, picked afterwards, looks "
            "better than it is.",
        ),
        "roc": (
            "ROC",
            "Sensitivity against its price in false alarms, from predictions of patients held out.",
        ),
        "calibration": (
            "Calibration",
            "Whether a predicted 30 % happens in 30 of 100. On the diagonal it does; below it, "
            "predictions are too high.",
        ),
        "utility": (
            "Clinical utility",
            "Net benefit of treating by the prediction, beside treating everybody and nobody, over "
            "the probabilities at which one would treat. It asks for calibrated probabilities.",
        ),
        "nulls": (
            "Null distributions",
            "Grey: what the same procedure finds when the truth is shuffled among patients, or "
            "when random genes stand in for the signature's. The orange line is what it found with "
            "the truth in place.",
        ),
        "selection": (
            "Selected features",
            "Features are chosen again in every training part. One that comes and goes depends on "
            "who happened to be in it.",
        ),
        "prognosis": (
            "Prognosis in the discovery cohort",
            "Survival of patients by what was predicted while they were held out: by the molecular "
            "signature, by the image surrogate, or by both. High is higher risk.",
        ),
        "external": (
            "External validation",
            "The locked model and its locked cut-off in patients who took no part in making them.",
        ),
        "settings": (
            "Settings",
            "Where each value comes from. A default stands in for what is not public: it is our "
            "choice, not the study's.",
        ),
        "provenance": (
            "Provenance",
            "Two results with the same hashes, versions and seed come from the same work.",
        ),
        "remarks": ("Warnings and remarks", ""),
    }
)
"""Of a study with images or a signature of its own: anchor → title and lead."""

DERIVATION_SECTIONS: Sections = MappingProxyType(
    {
        "asked": SECTIONS["asked"],
        "flow": (
            "Cohort flow",
            "Patients with expression and follow-up. Events, not patients, are what a derivation "
            "lives on.",
        ),
        "candidates": (
            "Candidate genes",
            "Which genes may enter, by filters that do not look at survival: grey by each filter "
            "alone, blue by it and all above it.",
        ),
        "screen": (
            "Survival screen",
            "Each candidate alone against survival. Of so many genes some stand high by chance: "
            "the screen narrows the search and proves nothing.",
        ),
        "search": (
            "Search",
            "What was looked at among the genes that the screen kept. The best of many fits its "
            "own patients too well, which is why the evidence below repeats the whole search.",
        ),
        "signature": (
            "The signature",
            "Genes, weights, constants and cut-off as they are locked, from all patients derived "
            "from: how well it fits them is no evidence.",
        ),
        "labels": (
            "Risk in the patients derived from",
            "Score of each patient by the locked signature, and the class it gives. In "
            "cross-validation genes, weights and cut-off are found anew in each training part, so "
            "the class of a patient near the cut-off may vary.",
        ),
        "performance": (
            "Performance",
            f"{SECTIONS['performance'][1]} In cross-validation screen, search and weights are "
            "repeated in every training part.",
        ),
        "nulls": (
            "Against chance",
            "Grey: what the same derivation finds when outcomes are shuffled among patients, and "
            "what signatures of random candidates, as large as those of the folds, reach without a "
            "search. The orange line is what was found.",
        ),
        "stability": (
            "Stability of the genes",
            "Whether the same genes come back: in repeats of the whole derivation in other "
            "patients, and in the training parts of the cross-validation. Genes of one programme "
            "stand in for each other, so a rare one is not wrong, but one of several that would "
            "do.",
        ),
        "prognosis": (
            "Prognosis, out of fold",
            "Survival of the patients derived from, by the risk they were given while they were "
            "held out of screen, search and weights. High is higher risk.",
        ),
        "accuracy": (
            "Accuracy and calibration over time",
            "How well the risk tells those who have the event by a time from those who have not, "
            "and whether predicted risks happen as often as foretold: out of fold where the "
            "signature was derived, locked elsewhere.",
        ),
        "subgroups": (
            "Subgroups",
            "The risk within kinds of patients. Only the test of interaction compares them: a "
            "hazard ratio found in one and not in another need not differ between them.",
        ),
        "external": (
            "External validation",
            "The locked signature and its locked cut-off in patients who took no part in making "
            "them.",
        ),
        "protein": (
            "Protein",
            "The genes of the signature, and the risk, read from proteins: hazard ratio per "
            "standard deviation.",
        ),
        "biology": (
            "High against low",
            "Programmes, cell types and genes between patients called high and those called low, "
            "each cohort alone. These describe; they do not say what causes what.",
        ),
        "response": (
            "Response to treatment",
            "Whether a score that was fixed beforehand tells responders from others: above ½, "
            "responders score higher. A signature of prognosis need not tell them.",
        ),
        "cells": (
            "Cells that express the genes",
            "Share of cells of each type in which a gene is read (area), and its mean expression "
            "(shade).",
        ),
        "settings": (
            "Settings",
            "What the plan asked for. Where it says nothing, the value is a default of ours.",
        ),
        "provenance": SECTIONS["provenance"],
        "remarks": SECTIONS["remarks"],
    }
)
"""Of a derivation: anchor → title and lead."""

CHARACTERISATION_SECTIONS: Sections = MappingProxyType(
    {
        "asked": SECTIONS["asked"],
        "flow": ("Cohort flow", "Patients who could be scored, and those with an event."),
        "signature": ("The signature", "Genes, weights, constants and cut-off as they were given."),
        "labels": (
            "Scores",
            "Score of each patient, and who is called high: above the locked cut-off of a "
            "signature, above the median of the cohort by a set of genes.",
        ),
        "performance": SECTIONS["performance"],
        "nulls": (
            "Null distributions",
            "Grey: what shuffled truth, or as many random genes, give. The orange line is what was "
            "found.",
        ),
        "survival": (
            "Prognosis",
            "Survival by the scores, in each cohort and in all together, where the model is "
            "stratified by cohort. Hazard ratios above 1: a higher score does worse.",
        ),
        "accuracy": (
            "Accuracy and calibration over time",
            "How well the locked risk tells those who have the event by a time from those who have "
            "not, and whether predicted risks happen as often as foretold.",
        ),
        "subgroups": DERIVATION_SECTIONS["subgroups"],
        "biology": DERIVATION_SECTIONS["biology"],
        "response": DERIVATION_SECTIONS["response"],
        "protein": DERIVATION_SECTIONS["protein"],
        "cells": DERIVATION_SECTIONS["cells"],
        "settings": DERIVATION_SECTIONS["settings"],
        "provenance": SECTIONS["provenance"],
        "remarks": SECTIONS["remarks"],
    }
)
"""Of a locked signature held against cohorts: anchor → title and lead."""


MAP_SECTIONS: Sections = MappingProxyType(
    {
        "map_asked": SECTIONS["asked"],
        "map_flow": ("Who is in the map", "Patients of each table, and those who are in all."),
        "map": (
            "What was tested, and what chance gives",
            "Grey: the strongest link anywhere when the patients of the image features change "
            "places. Only what stands beyond it could not be had by looking long enough.",
        ),
        "controls": (
            "Negative controls",
            "The same counts where nothing can be found. A map whose controls find as much says "
            "nothing.",
        ),
        "pathways": (
            "Features and pathways",
            "Gene sets against all other genes. Patients are permuted, so that a set of genes that "
            "go together is not found for that. An interval knows nothing of its link being among "
            "the strongest: p decides.",
        ),
        "links": (
            "Features and genes",
            "Correlations, beside covariates where there are any. The FDR is over all pairs; p is "
            "family-wise: over all pairs, over the genes of the feature, over the features of the "
            "gene.",
        ),
        "vanished": (
            "What covariates take away",
            "Links that are found without covariates and are nothing beside them: volume, purity "
            "or site made them.",
        ),
        "replication": (
            "In a second cohort",
            "The strongest links tried again. The first correlation is flattered by having been "
            "chosen, and the pooled one has it inside; p is one-sided, in its direction, and of "
            "the second cohort alone.",
        ),
        "modules": (
            "Modules",
            "Features that go together, and genes that go together, found without each other. A "
            "module stands for links that are one link told many times.",
        ),
        "joint": (
            "Both tables as wholes",
            "Whether patients who are alike in images are alike in expression, and how far a "
            "combination of features foretells one of genes in patients held out.",
        ),
        "likeness": (
            "Features explained",
            "What a deep feature is like: the features of other tables that go with it most, and "
            "the pathway that does. A description, no test.",
        ),
        "settings": DERIVATION_SECTIONS["settings"],
        "provenance": SECTIONS["provenance"],
        "remarks": SECTIONS["remarks"],
    }
)
"""Of a radiogenomic map: anchor → title and lead."""

BIOPSY_SECTIONS: Sections = MappingProxyType(
    {
        "asked": SECTIONS["asked"],
        "flow": (
            "Patients",
            "Those with features and expression are learnt from; whoever has features can be "
            "foretold.",
        ),
        "biopsy": (
            "How well images foretell",
            "In patients held out: 0 is no better than to foretell the mean of the others, 1 would "
            "replace the measurement. A small R² beyond chance is real and still of little use "
            "for one patient.",
        ),
        "chance": (
            "Against chance",
            "Grey: the best R² of all targets when the patients of the expression change places "
            "and everything is learnt and tuned again. Many targets are tried, so that the best of "
            "them does well by chance alone.",
        ),
        "performance": (
            "Headline numbers",
            "The best of all targets, whose family-wise p counts that it was chosen; and how it "
            "does where nothing was learnt.",
        ),
        "foretellers": (
            "Learners beside each other",
            "The first was named beforehand, is judged and locked. The others are shown; to take "
            "the best of them for each target would flatter it.",
        ),
        "transport": (
            "Held against measurements elsewhere",
            "The locked surrogates in patients from whom nothing was learnt. Rank correlation and "
            "AUC do not mind another level or unit; R², slope and concordance do.",
        ),
        "cards": (
            "Single patients",
            "What a scan suggests of one patient, from which features, and how surely. The line is "
            "as wide as errors in patients held out; pathways that images do not foretell beyond "
            "chance are grey and say nothing.",
        ),
        "settings": DERIVATION_SECTIONS["settings"],
        "provenance": SECTIONS["provenance"],
        "remarks": SECTIONS["remarks"],
    }
)
"""Of a virtual biopsy: anchor → title and lead."""
