"""Many instances a patient under one label: slices of several sequences, told by a Transformer."""

from radiogenomics.models.deep.multi_instance.bags import Bags
from radiogenomics.models.deep.multi_instance.estimator import MultiInstanceClassifier
from radiogenomics.models.deep.multi_instance.transformer import (
    MultiInstanceTransformer,
    TransformerSettings,
)

__all__ = ["Bags", "MultiInstanceClassifier", "MultiInstanceTransformer", "TransformerSettings"]
