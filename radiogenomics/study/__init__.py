"""Recipes and compositions: the only room that joins all stages."""

from radiogenomics.study.association.draw import draw_map as map
from radiogenomics.study.characterisation.characterise import characterise
from radiogenomics.study.check import check
from radiogenomics.study.compare import compare
from radiogenomics.study.compare_masks import MaskComparison, compare_masks
from radiogenomics.study.demo import demo
from radiogenomics.study.derivation.derive import derive
from radiogenomics.study.derivation.signature import derive_signature
from radiogenomics.study.encode import Encoding, encode
from radiogenomics.study.extract import Extraction, extract
from radiogenomics.study.foretelling.biopsies import virtual_biopsies as biopsy
from radiogenomics.study.gallery import gallery
from radiogenomics.study.ibsi import IbsiCompliance, ibsi_compliance
from radiogenomics.study.methods import methods
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.pretrain import Pretraining, pretrain
from radiogenomics.study.registry import read_study
from radiogenomics.study.registry import study_list as list
from radiogenomics.study.registry import study_show as show
from radiogenomics.study.results import Results
from radiogenomics.study.run import run, run_cohorts
from radiogenomics.study.schema import Study
from radiogenomics.study.score import Scores, score
from radiogenomics.study.segment import Segmented, segment
from radiogenomics.study.simulated_run import run_simulated
from radiogenomics.study.track import Tracking, track
from radiogenomics.study.train import Trained, train
from radiogenomics.study.validate import validate, validate_tables

__all__ = [
    "Encoding",
    "Extraction",
    "IbsiCompliance",
    "MaskComparison",
    "PredictionStudy",
    "Pretraining",
    "Results",
    "Scores",
    "Segmented",
    "Study",
    "Tracking",
    "Trained",
    "biopsy",
    "characterise",
    "check",
    "compare",
    "compare_masks",
    "demo",
    "derive",
    "derive_signature",
    "encode",
    "extract",
    "gallery",
    "ibsi_compliance",
    "list",
    "map",
    "methods",
    "pretrain",
    "read_study",
    "run",
    "run_cohorts",
    "run_simulated",
    "score",
    "segment",
    "show",
    "track",
    "train",
    "validate",
    "validate_tables",
]
