"""Regressions of thousands of targets at once, each tuned on its own."""

from radiogenomics.models.many_targets.kernel import ManyKernelRidge
from radiogenomics.models.many_targets.linear_surrogate import LinearSurrogate
from radiogenomics.models.many_targets.pls import ManyPls
from radiogenomics.models.many_targets.ridge import ManyRidge

__all__ = ["LinearSurrogate", "ManyKernelRidge", "ManyPls", "ManyRidge"]
