"""The last step of a training: how sure the best model is, set right on dev."""

from __future__ import annotations

from pathlib import Path

from nertool.corpus.schemes import spans_of
from nertool.model.calibrate import (
    calibration,
    correct_entities,
    fit_temperature,
    keep_calibration,
)
from nertool.model.storage import load_model
from nertool.tagging.analyse import analyse
from nertool.tagging.compiled import CompiledTagger
from nertool.training.preparation.store import Prepared


def calibrate_run(prepared: Prepared, run_dir: Path) -> None:
    """Find the best model's temperature on dev, and keep it in the model; nothing without a dev part."""
    dev = prepared.dev
    if dev is None:
        return
    model = load_model(run_dir)
    analysis = analyse(CompiledTagger(model), dev.text)
    gold = spans_of(dev.gold_ids, dev.gold_tags, dev.sentence_starts)
    correct = correct_entities(analysis.spans, gold)
    temperature = fit_temperature(analysis, correct)
    keep_calibration(run_dir, calibration(analysis, correct, temperature))
