"""Calibration of probabilities: of the entities with probability 0.8, four in five should be correct.

All scores are divided by one temperature τ, which is fitted on dev (Guo et al. 2017). This changes the
probabilities, but neither the order of tag sequences nor the predicted entities. The temperature is stored
in the model's header, under provenance.calibration.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.ledger import counted
from nertool.corpus.schemes import TagSpans
from nertool.decoding.decoded import Decoded
from nertool.model.files import set_provenance
from nertool.model.model import Model

BINS = 15
_LEAST = 30  # with fewer entities, a temperature would be fitted to chance
_RANGE = (0.05, 20.0)


def correct_entities(found: TagSpans, gold: TagSpans) -> NDArray[np.bool_]:
    """Return whether each predicted entity is one of the gold entities, (n,)."""
    known = set(gold.as_list())
    return np.array([span in known for span in found.as_list()], dtype=bool)


def calibration_error(probabilities: NDArray[np.float64], right: NDArray[np.bool_]) -> float | None:
    """Return the expected calibration error, or None if there are no entities.

    It is the mean difference between the probability and the share of correct entities, over BINS bins of
    equal width, each weighted by its number of entities.
    """
    if not len(probabilities):
        return None
    bins = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    n = np.bincount(bins, minlength=BINS)
    gaps = np.bincount(bins, weights=probabilities - right, minlength=BINS)
    return float(np.abs(gaps).sum() / n.sum())


def fit_temperature(found: Decoded, correct: NDArray[np.bool_]) -> float:
    """Return the temperature with the greatest likelihood of `correct` (n,), or 1 if it can't be fitted.

    The result is 1 with fewer than 30 entities, or if all or none of them are correct.
    """
    from scipy.optimize import minimize_scalar

    if len(correct) < _LEAST or correct.all() or not correct.any():
        return 1.0

    def loss(log_temperature: float) -> float:
        p = replace(found, temperature=float(np.exp(log_temperature))).probabilities()
        p = np.clip(p, 1e-9, 1 - 1e-9)
        return float(-np.log(np.where(correct, p, 1 - p)).mean())

    best = minimize_scalar(loss, bounds=np.log(_RANGE), method="bounded", options={"xatol": 1e-3})
    return float(np.exp(best.x)) if best.fun < loss(0.0) else 1.0


def calibration(found: Decoded, correct: NDArray[np.bool_], temperature: float) -> dict[str, Any]:
    """Return a temperature and the expected calibration errors without and with it, for JSON.

    correct (n,): whether each entity of the decoded text is correct.
    """
    before, after = (
        calibration_error(replace(found, temperature=t).probabilities(), correct)
        for t in (1.0, temperature)
    )
    return {
        "temperature": round(temperature, 4),
        "entities": len(correct),
        "ece_before": before,
        "ece_after": after,
    }


def temperature_of(model: Model) -> float:
    """Return the temperature of a model, or 1 if it was not calibrated."""
    found = (model.provenance.get("calibration") or {}).get("temperature", 1.0)
    return float(found) if isinstance(found, int | float) and found > 0 else 1.0


def keep_calibration(folder: Path, found: dict[str, Any]) -> None:
    """Write a calibration into a saved model's header, which is complete at every moment."""
    set_provenance(folder, "calibration", found)


def describe(found: dict[str, Any]) -> str:
    """Return a line of text that describes a calibration."""
    if found["ece_after"] is None:
        return "calibration: not measured, since the model found no entity"
    before, after = (100 * found[key] for key in ("ece_before", "ece_after"))
    return (
        f"calibration error of {counted(found['entities'], 'entities')}: {before:.1f} % without temperature "
        f"scaling, {after:.1f} % with temperature {found['temperature']:.2f}"
    )
