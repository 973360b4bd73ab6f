"""Files → nouns → files. No science."""

from radiogenomics.io.audit import Audit, audit
from radiogenomics.io.cohort import input_hashes, load_cohort
from radiogenomics.io.findings import Finding
from radiogenomics.io.gene_sets import read_gmt, write_gmt
from radiogenomics.io.hgnc import HGNC_ADDRESS, read_hgnc
from radiogenomics.io.manifest import Manifest, read_manifest
from radiogenomics.io.segment_scan import SegmentedScan, segment
from radiogenomics.io.segmentations import read_region_mapping, read_segmentation
from radiogenomics.io.segmenters import MonaiBundle, NnUNet, TotalSegmentator
from radiogenomics.io.signature_matrix import read_signature_matrix
from radiogenomics.io.signatures import read_signature, write_signature
from radiogenomics.io.store import output_folder, pseudonym

__all__ = [
    "HGNC_ADDRESS",
    "Audit",
    "Finding",
    "Manifest",
    "MonaiBundle",
    "NnUNet",
    "SegmentedScan",
    "TotalSegmentator",
    "audit",
    "input_hashes",
    "load_cohort",
    "output_folder",
    "pseudonym",
    "read_gmt",
    "read_hgnc",
    "read_manifest",
    "read_region_mapping",
    "read_segmentation",
    "read_signature",
    "read_signature_matrix",
    "segment",
    "write_gmt",
    "write_signature",
]
