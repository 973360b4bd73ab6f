"""Which cells a bulk sample is made of; each sample alone, on a linear scale."""

from radiogenomics.omics.deconvolution.deconvolver import Deconvolution, MatrixDeconvolver
from radiogenomics.omics.deconvolution.estimate import EstimateScores, tumour_purity
from radiogenomics.omics.deconvolution.nnls import NnlsDeconvolver
from radiogenomics.omics.deconvolution.nu_svr import NuSvrDeconvolver
from radiogenomics.omics.deconvolution.reference import CellReference, cell_reference

__all__ = [
    "CellReference",
    "Deconvolution",
    "EstimateScores",
    "MatrixDeconvolver",
    "NnlsDeconvolver",
    "NuSvrDeconvolver",
    "cell_reference",
    "tumour_purity",
]
