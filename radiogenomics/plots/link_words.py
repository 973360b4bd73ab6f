"""How figures of links write the names of image features, and which columns hold which quantity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.plots.style import require, shorten, unprefixed

FAMILIES = MappingProxyType(
    {
        "shape": "shape",
        "shape2d": "shape 2D",
        "firstorder": "first order",
        "glcm": "glcm",
        "gldm": "gldm",
        "glrlm": "glrlm",
        "glszm": "glszm",
        "gldzm": "gldzm",
        "ngtdm": "ngtdm",
        "ngldm": "ngldm",
    }
)
DEEP, OTHER = "deep", "other"
DEEP_WORDS = ("deep", "cnn", "resnet", "vit", "embedding", "latent")
SHORTER = (
    ("GrayLevel", "GL"),
    ("NonUniformity", "NonUnif"),
    ("Normalized", "Norm"),
    ("Emphasis", "Emph"),
    ("Dependence", "Dep"),
    ("MeanAbsoluteDeviation", "MeanAbsDev"),
    ("InterquartileRange", "IQR"),
    ("Difference", "Diff"),
    ("Correlation", "Corr"),
    ("Variance", "Var"),
    ("Average", "Avg"),
    ("Maximum", "Max"),
    ("Minimum", "Min"),
    ("Diameter", "Diam"),
    ("Percentage", "Perc"),
)
COLLECTIONS = frozenset(
    ("HALLMARK", "REACTOME", "KEGG", "BIOCARTA", "PID", "WP", "GOBP", "GOCC", "GOMF")
)
LABEL_LETTERS = 34
FOUND = 0.05


class FeatureWords(NamedTuple):
    """Parts of a feature's name; `source` (phase, modality, delta) and `image` may be empty."""

    source: str
    image: str
    family: str
    feature: str


class Quantity(NamedTuple):
    """Columns of one way to measure links, and how its axis is named."""

    target: str
    value: str
    p: str
    fdr: str
    family_wise: str
    words: str
    targets: str

    @property
    def columns(self) -> tuple[str, ...]:
        """All that a table must have."""
        return ("feature", self.target, self.value, self.p, self.fdr, self.family_wise)


QUANTITIES = MappingProxyType(
    {
        "nes": Quantity(
            "set", "nes", "p", "fdr", "p_family", "normalised enrichment score", "gene sets"
        ),
        "contrast_rho": Quantity(
            "set", "contrast_rho", "p_contrast", "fdr_contrast", "p_contrast_family",
            "rho with the set, against other genes", "gene sets",
        ),
        "rho": Quantity("gene", "rho", "p", "fdr", "p_family", "rank correlation", "genes"),
    }
)  # fmt: skip


def quantity_of(table: pd.DataFrame, value: str, *, what: str) -> tuple[Quantity, pd.DataFrame]:
    """Return the columns of a quantity and the rows that have it.

    Raises
    ------
    UnknownNameError
        The quantity is none of these tables.
    SchemaError
        A column is missing.
    DataError
        There is no row with a value, or a pair stands in the table twice.
    """
    if value not in QUANTITIES:
        raise UnknownNameError("quantity of links", value, QUANTITIES)
    quantity = QUANTITIES[value]
    require(table, quantity.columns, what=what)
    known = table[table[value].notna()]
    require(known, quantity.columns, what=f"{what}: rows with {value}")
    twice = known[known.duplicated(["feature", quantity.target])]
    if not twice.empty:
        first = twice.iloc[0]
        raise DataError(
            f"{what}: expected a feature and a {quantity.target} together once; found "
            f"{len(twice)} rows more, the first {first['feature']} with {first[quantity.target]}. "
            "Pass the links of one analysis."
        )
    return quantity, known


def feature_words(name: object) -> FeatureWords:
    """Take a feature's name apart.

    Examples
    --------
    >>> feature_words("arterial_wavelet-LLH_glcm_JointEntropy")
    FeatureWords(source='arterial', image='wavelet-LLH', family='glcm', feature='JointEntropy')
    >>> feature_words("deep_0127").family, feature_words("age").family
    ('deep', 'other')
    """
    whole = str(name)
    parts = whole.split("_")
    for place, part in enumerate(parts[:-1]):
        if part.lower() in FAMILIES:
            source, image = "_".join(parts[: max(0, place - 1)]), parts[place - 1] if place else ""
            return FeatureWords(source, image, FAMILIES[part.lower()], "_".join(parts[place + 1 :]))
    deep = any(word in whole.lower() for word in DEEP_WORDS)
    return FeatureWords("", "", DEEP if deep else OTHER, whole)


def feature_label(name: object, *, length: int = LABEL_LETTERS, family: bool = False) -> str:
    """Write a feature's name short: what is measured, then the image and where it is from.

    The image type *original* is left out; `family` writes the family in front.

    Examples
    --------
    >>> feature_label("original_gldm_SmallDependenceHighGrayLevelEmphasis", family=True)
    'gldm SmallDepHighGLEmph'
    >>> feature_label("delta_log-sigma-3-0-mm-3D_firstorder_90Percentile")
    '90Percentile · LoG 3 mm · delta'
    """
    words = feature_words(name)
    feature = words.feature
    if words.family not in (DEEP, OTHER):
        for long, short in SHORTER:
            feature = feature.replace(long, short)
        feature = f"{words.family} {feature}" if family else feature
    parts = (_image(words.image), words.source.replace("_", " "))
    place = "".join(f" · {part}" for part in parts if part)
    # What is measured is cut first, so that the image it is measured on stays whole.
    return shorten(shorten(feature, length=max(12, length - len(place))) + place, length=length)


def feature_labels(names: Iterable[object], *, length: int = LABEL_LETTERS) -> list[str]:
    """Short names that stay distinct: with the family, or nearly whole, where two would be one.

    Examples
    --------
    >>> feature_labels(["original_glcm_Contrast", "original_ngtdm_Contrast", "original_glcm_MCC"])
    ['glcm Contrast', 'ngtdm Contrast', 'MCC']
    """
    whole = list(names)
    labels = [feature_label(name, length=length) for name in whole]
    for longer in (
        [feature_label(name, length=length, family=True) for name in whole],
        [shorten(name, length=2 * length) for name in whole],
    ):
        counts = Counter(labels)
        pairs = zip(labels, longer, strict=True)
        labels = [label if counts[label] == 1 else other for label, other in pairs]
    return labels


def set_labels(names: Iterable[object], *, length: int = LABEL_LETTERS) -> list[str]:
    """Names of gene sets or genes as words, without the collection that all of them share.

    Examples
    --------
    >>> set_labels(["H|HALLMARK_E2F_TARGETS", "H|HALLMARK_HYPOXIA"]), set_labels(["KPNA2"])
    (['E2F TARGETS', 'HYPOXIA'], ['KPNA2'])
    """
    bare = unprefixed(names)
    heads = {name.partition("_")[0] for name in bare}
    shared = len(heads) == 1 and heads <= COLLECTIONS
    short = [name.partition("_")[2] if shared else name for name in bare]
    return [shorten(name.replace("_", " "), length=length) for name in short]


def _image(image: str) -> str:
    """Name of an image type, short."""
    if image == "original":
        return ""
    if image.startswith("log-sigma-"):
        width = image.removeprefix("log-sigma-").partition("-mm")[0].replace("-", ".", 1)
        return f"LoG {width.removesuffix('.0')} mm"
    return image.replace("wavelet-", "wav ").replace("lbp-", "LBP ")
