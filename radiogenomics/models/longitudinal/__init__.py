"""Models of several time points, some of which patients may lack."""

from radiogenomics.models.longitudinal.baseline_fallback import BaselineFallback

__all__ = ["BaselineFallback"]
