"""What clinicians compute by hand: response criteria and liver scores, one patient at a time.

Functions, not estimators: no number here needs another patient.
"""

from __future__ import annotations

from radiogenomics.clinical.afp_strata import AfpStratum, afp_stratum
from radiogenomics.clinical.albi import Albi, albi_score
from radiogenomics.clinical.amap import Amap, amap_score
from radiogenomics.clinical.assessment import Assessment, ResponseCourse
from radiogenomics.clinical.bclc import bclc_stage
from radiogenomics.clinical.best_response import (
    Progression,
    ResponseRules,
    best_response,
    durable_benefit,
    progression,
)
from radiogenomics.clinical.child_pugh import ChildPugh, child_pugh_score
from radiogenomics.clinical.clip import clip_score
from radiogenomics.clinical.crafity import Crafity, crafity_score
from radiogenomics.clinical.irecist import irecist
from radiogenomics.clinical.meld import meld_3_score, meld_na_score, meld_score
from radiogenomics.clinical.milan import milan_criteria
from radiogenomics.clinical.mrecist import mrecist
from radiogenomics.clinical.okuda import okuda_stage
from radiogenomics.clinical.recist import recist
from radiogenomics.clinical.response_rates import (
    response_courses,
    response_outcomes,
    response_rates,
    response_summary,
)
from radiogenomics.clinical.units import (
    albumin_to_g_dl,
    albumin_to_g_l,
    bilirubin_to_mg_dl,
    bilirubin_to_umol_l,
    creatinine_to_mg_dl,
    creatinine_to_umol_l,
    crp_to_mg_dl,
    crp_to_mg_l,
)
from radiogenomics.clinical.up_to_seven import UpToSeven, up_to_seven

__all__ = [
    "AfpStratum",
    "Albi",
    "Amap",
    "Assessment",
    "ChildPugh",
    "Crafity",
    "Progression",
    "ResponseCourse",
    "ResponseRules",
    "UpToSeven",
    "afp_stratum",
    "albi_score",
    "albumin_to_g_dl",
    "albumin_to_g_l",
    "amap_score",
    "bclc_stage",
    "best_response",
    "bilirubin_to_mg_dl",
    "bilirubin_to_umol_l",
    "child_pugh_score",
    "clip_score",
    "crafity_score",
    "creatinine_to_mg_dl",
    "creatinine_to_umol_l",
    "crp_to_mg_dl",
    "crp_to_mg_l",
    "durable_benefit",
    "irecist",
    "meld_3_score",
    "meld_na_score",
    "meld_score",
    "milan_criteria",
    "mrecist",
    "okuda_stage",
    "progression",
    "recist",
    "response_courses",
    "response_outcomes",
    "response_rates",
    "response_summary",
    "up_to_seven",
]
