"""The last step of a training: how sure the best model is, set right on dev."""

from __future__ import annotations

from pathlib import Path

from nertool.corpus.schemes import spans_of
from nertool.inputs.text import Setting
from nertool.model.calibrate import calibration, fit_temperature, keep_calibration, tagged
from nertool.model.storage import load_model
from nertool.tagging.compiled import CompiledTagger
from nertool.training.preparation.prepared import Prepared


def calibrate_run(prepared: Prepared, run_dir: Path) -> None:
    """Find the best model's temperature on dev, and keep it in the model; nothing without a dev part."""
    dev = prepared.dev
    if dev is None:
        return
    model = load_model(run_dir)
    tagger = CompiledTagger(model)
    setting = Setting(dev.words, dev.word_ids, dev.sentence_starts, dev.document_starts)
    scores = tagger.scores(setting)
    tag_ids = tagger.decode(scores, dev.sentence_starts)
    gold = spans_of(dev.gold_ids, dev.gold_tags, dev.sentence_starts)
    text = tagged(model, scores, tag_ids, dev.sentence_starts, gold)
    found = calibration(text, tagger.lattice, fit_temperature(text, tagger.lattice))
    keep_calibration(run_dir, found)
