"""Explanations of networks: heat maps over scans, and whether to believe them."""

from radiogenomics.models.deep.explain.attention import (
    attention_rollout,
    attention_weights,
    patches_to_voxels,
    planes_to_voxels,
)
from radiogenomics.models.deep.explain.grad_cam import grad_cam, last_convolution
from radiogenomics.models.deep.explain.occlusion import occlusion
from radiogenomics.models.deep.explain.sanity import (
    SanityCheck,
    sanity_check,
    structural_similarity,
)
from radiogenomics.models.deep.explain.scan_space import onto_scan
from radiogenomics.models.deep.explain.target import Target

__all__ = [
    "SanityCheck",
    "Target",
    "attention_rollout",
    "attention_weights",
    "grad_cam",
    "last_convolution",
    "occlusion",
    "onto_scan",
    "patches_to_voxels",
    "planes_to_voxels",
    "sanity_check",
    "structural_similarity",
]
