"""Finding and reading recipes and manifests: a path first, then the names that ship."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import radiogenomics
from radiogenomics.core.errors import MissingFileError, StudyError, UnknownNameError
from radiogenomics.core.schema import parse, read_yaml
from radiogenomics.study.prediction.check_words import check_prediction_words, check_scan_words
from radiogenomics.study.prediction.checks import check_claims, said_by
from radiogenomics.study.prediction.claims import read_claims
from radiogenomics.study.prediction.schema import ImageBlock, NetworkBlock, PredictionStudy
from radiogenomics.study.schema import Study
from radiogenomics.study.words import check_words

AnyStudy = Study | PredictionStudy
KINDS = ("surrogate", "prediction")
CLAIMS = "claims.csv"
DISCRIMINATIONS = ("auc", "auc_response", "c_index", "accuracy")
FIXED_SIZE = "runs, fixed size"
PACKAGE = Path(radiogenomics.__file__).parent


def shipped(folder: str) -> Path:
    """Folder of recipes (``analyses``) or manifests (``data_manifests``).

    In an installed package it lies beside the modules; in a checkout, beside the package.
    """
    installed = PACKAGE / "_shipped" / folder
    return installed if installed.is_dir() else PACKAGE.parent / folder


def find_study(name: str | Path) -> Path:
    """Return the path of a ``study.yaml`` from a file, a folder or a shipped name.

    Of a shipped name its beginning is enough, where no other begins so.

    Raises
    ------
    UnknownNameError
        There is none.
    StudyError
        Several shipped names begin so.
    """
    path = Path(name)
    candidates = [path, path / "study.yaml"]
    if _may_be_shipped(path, "analyses"):
        candidates.append(shipped("analyses") / path.name / "study.yaml")
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    begun = [full for full in study_names() if path.name and full.startswith(path.name)]
    if begun and _may_be_shipped(path, "analyses"):
        if len(begun) > 1:
            raise StudyError(
                f"expected the name of one study; found {path.name!r}, with which "
                f"{len(begun)} begin: {', '.join(begun)}. Write more of it."
            )
        return shipped("analyses") / begun[0] / "study.yaml"
    raise UnknownNameError("study", str(name), study_names())


def find_manifest(name: str | Path) -> Path:
    """Return the path of a manifest from a file or a shipped name."""
    path = Path(name)
    candidates = [path]
    if _may_be_shipped(path, "data_manifests"):
        candidates.append(shipped("data_manifests") / f"{path.name.removesuffix('.yaml')}.yaml")
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    if path.suffix in (".yaml", ".yml"):
        raise MissingFileError(
            f"expected a manifest at {path}; found none. Check the path, or name a shipped one: "
            f"{', '.join(manifest_names())}."
        )
    raise UnknownNameError("manifest", str(name), manifest_names())


def _may_be_shipped(path: Path, folder: str) -> bool:
    """True for a bare name and ``folder/name``; a path elsewhere means that file and no other."""
    return str(path.parent) in (".", folder)


def read_study(path: Path) -> AnyStudy:
    """Read ``study.yaml`` and check each word, including the steps' parameters.

    Raises
    ------
    MissingFileError, SchemaError, UnknownNameError, StudyError
        The file is absent, a field is wrong, or a step, parameter or learner is not known; parts of
        the recipe, or its claims, contradict each other.
    """
    content, where = read_yaml(path), f"{path.parent.name}/{path.name}"
    kind = str(content.get("kind", "none"))
    if kind not in KINDS:
        raise UnknownNameError(f"kind of recipe in {where}", kind, KINDS)
    study: AnyStudy
    if kind == "prediction":
        study = parse(PredictionStudy, content, where=where)
        check_prediction_words(study)
    else:
        study = parse(Study, content, where=where)
        check_words(study)
        check_scan_words(study.features, where="features")
    claims = path.with_name(CLAIMS)
    if claims.is_file():
        check_claims(read_claims(claims), said_by(study))
    return study


def study_names() -> tuple[str, ...]:
    """Names of the recipes that ship with the package."""
    return tuple(sorted(path.parent.name for path in shipped("analyses").glob("*/study.yaml")))


def manifest_names() -> tuple[str, ...]:
    """Names of the manifests that ship with the package."""
    return tuple(sorted(path.stem for path in shipped("data_manifests").glob("*.yaml")))


def study_list() -> pd.DataFrame:
    """Shipped recipes as a table: modality, label, model, published claim, status."""
    rows = [_listed(name) for name in study_names()]
    return pd.DataFrame(rows).set_index("study")


def _listed(name: str) -> dict[str, str]:
    study, claims = read_study(find_study(name)), study_claims(name)
    return {
        "study": name,
        "modality": modality_of(study),
        "label": study.label.name,
        "model": model_of(study),
        "claim": headline_claim(study, claims),
        "status": status_of(study),
    }


def status_of(study: AnyStudy) -> str:
    """Whether a recipe runs; simulated patients of a surrogate are not as many as the paper had."""
    if study.requires:
        return f"requires: {', '.join(study.requires)}"
    return FIXED_SIZE if isinstance(study, Study) else "runs"


def modality_of(study: AnyStudy) -> str:
    """Kinds of scans that a recipe looks at."""
    if isinstance(study, Study):
        return study.features.modality.value or "any"
    blocks = study.blocks.values()
    scanned = (block for block in blocks if isinstance(block, ImageBlock | NetworkBlock))
    return ", ".join(dict.fromkeys(block.modality.value for block in scanned)) or "none"


def model_of(study: AnyStudy) -> str:
    """Learner of the headline model."""
    return study.model.learner.value if isinstance(study, Study) else study.models[0].learner.value


def headline_claim(study: AnyStudy, claims: pd.DataFrame) -> str:
    """The published discrimination in one line: of the headline model, as far outside as stated.

    Several numbers of the same patients, or of patients that are not told apart, are a range; a
    number that is a bound keeps its sign.
    """
    found = claims[claims["metric"].isin(DISCRIMINATIONS)]
    if isinstance(study, PredictionStudy):
        found = found[found["model"].isin([study.models[0].name, ""])]
        outside = found[found["split"].isin(list(study.design)[1:])]
        found = found if outside.empty else outside
    if found.empty:
        return "none public"
    same = found[found["metric"] == found["metric"].iloc[0]]
    metric, split = same[["metric", "split"]].iloc[-1]
    last = same[same["split"] == split].sort_values("value", kind="stable")
    ends = [f"{row.bound}{row.value:g}" for row in last.iloc[[0, -1]].itertuples()]
    place = f" ({split})" if split else ""
    return f"{metric.replace('_', '-')} {'-'.join(dict.fromkeys(ends))}{place}"


def study_claims(name: str | Path) -> pd.DataFrame:
    """Return the published numbers of a study, checked; see ``study.prediction.claims``."""
    path = find_study(name).with_name(CLAIMS)
    if not path.is_file():
        raise MissingFileError(
            f"expected the published numbers at {path}; found none. Add claims.csv."
        )
    return read_claims(path)


def study_show(study: str | Path) -> AnyStudy:
    """Return a recipe; its ``settings()`` is a table of every value and where it comes from."""
    return read_study(find_study(study))
