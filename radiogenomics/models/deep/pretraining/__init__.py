"""Pre-training of our own: backbones learn from scans without the label that is wanted later."""

from radiogenomics.models.deep.pretraining.contrastive import Contrastive, nt_xent
from radiogenomics.models.deep.pretraining.masked_volume import MaskedVolume
from radiogenomics.models.deep.pretraining.pretrain import TASKS, Pretrained, pretrain
from radiogenomics.models.deep.pretraining.source_task import SourceTask

__all__ = [
    "TASKS",
    "Contrastive",
    "MaskedVolume",
    "Pretrained",
    "SourceTask",
    "nt_xent",
    "pretrain",
]
