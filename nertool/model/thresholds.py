"""The least probability that an entity of each class must have: tuned on dev and stored in the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nertool.errors import ModelError
from nertool.model.files import set_provenance
from nertool.model.model import Model

_KEY = "thresholds"


def keep_thresholds(folder: Path, found: dict[str, Any]) -> None:
    """Write thresholds into a saved model's header. found: {"labels": {label: probability}, …}."""
    set_provenance(folder, _KEY, found)


def thresholds_of(model: Model, source: Path) -> dict[str, float]:
    """Return a model's thresholds by label. Errors: ModelError if none were tuned."""
    found = (model.provenance.get(_KEY) or {}).get("labels")
    if not isinstance(found, dict):
        raise ModelError(
            f"{source}: found no thresholds in the model, expected some; run nertool evaluate {source} DEV "
            "--tune-thresholds first"
        )
    return {str(label): float(p) for label, p in found.items()}
