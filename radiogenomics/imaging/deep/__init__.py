"""Scan → deep features, one patient at a time: views of scans and frozen encoders.

Names are loaded when first used: views and settings need no torch, and a process that only cuts
scans need not wait for it.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import Any

_HOMES = MappingProxyType(
    {
        "BACKBONES": "backbones",
        "Backbone": "backbones",
        "Crop": "crops",
        "ENCODER_PRESETS": "presets",
        "Encoder": "encoder",
        "EncoderSettings": "presets",
        "build_backbone": "backbones",
        "crop_scan": "crops",
        "deep_features": "encode",
        "encoder_preset": "presets",
        "hub_weights": "foreign_weights",
        "load_encoder": "encoder",
        "load_weights": "foreign_weights",
        "read_foreign": "foreign_weights",
        "scan_arrays": "crops",
    }
)

__all__ = [*sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
