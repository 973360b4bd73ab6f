"""Which image features go with which genes and pathways, and which only seem to."""

from radiogenomics.evaluation.association.between_modules import module_links
from radiogenomics.evaluation.association.controls import control_table
from radiogenomics.evaluation.association.joint import JointLinks, joint_table
from radiogenomics.evaluation.association.likeness import likeness_table
from radiogenomics.evaluation.association.links import Kept
from radiogenomics.evaluation.association.map import MapSettings, RadiogenomicMap, associate
from radiogenomics.evaluation.association.modules import Modules, modules_from_sets, modules_of
from radiogenomics.evaluation.association.replication import (
    DirectionAgreement,
    SecondCohort,
    direction_agreement,
    replication_table,
)
from radiogenomics.evaluation.association.set_limits import SetLimits

__all__ = [
    "DirectionAgreement",
    "JointLinks",
    "Kept",
    "MapSettings",
    "Modules",
    "RadiogenomicMap",
    "SecondCohort",
    "SetLimits",
    "associate",
    "control_table",
    "direction_agreement",
    "joint_table",
    "likeness_table",
    "module_links",
    "modules_from_sets",
    "modules_of",
    "replication_table",
]
