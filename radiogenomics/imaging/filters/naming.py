"""Names of image types, which become the first part of a feature's name."""

from __future__ import annotations


def image_type(*words: object) -> str:
    """Join words and numbers by dashes; an underscore would end the image type.

    Whole floats keep their ``.0`` as in pyradiomics, and ``None`` is left out.

    Examples
    --------
    >>> image_type("gabor", "sigma", 5.0, "mm", None, "mean")
    'gabor-sigma-5-0-mm-mean'
    """
    return "-".join(str(word).replace(".", "-") for word in words if word is not None)
