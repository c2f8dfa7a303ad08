"""The last step of training: fit the best model's outside_bias and temperature on dev."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nertool.corpus.columnar import Ids
from nertool.corpus.schemes import spans_of
from nertool.decoding.adjust import adjust
from nertool.decoding.viterbi import decode
from nertool.evaluation.scores import Scores, score_predictions
from nertool.evaluation.tables import as_dict
from nertool.files.sealed import SealedFolder, rewrite_header
from nertool.model.calibrate import calibration, correct_entities, fit_temperature, keep_calibration
from nertool.model.files import HEADER, model_folder
from nertool.model.load import load_model
from nertool.model.model import Model
from nertool.tagging.analyse import analyse
from nertool.tagging.compiled import CompiledTagger
from nertool.training.preparation.store import Part, Prepared, release_prepared


def calibrate_run(prepared: Prepared, run_dir: Path) -> None:
    """Fit the best model's bias and temperature on dev, and store them in the model. Without dev, do
    nothing."""
    dev = prepared.dev
    if dev is None:
        return
    release_prepared(prepared)
    model = load_model(run_dir)
    bias = best_bias(model, dev) if model.config.decoding.fit_bias else 0.0
    if bias:
        decoding = replace(model.config.decoding, outside_bias=bias)
        model = replace(model, config=replace(model.config, decoding=decoding))
    analysis = analyse(CompiledTagger(model), dev.text)
    if bias:
        keep_bias(run_dir, bias, _measured(analysis.tag_ids, model, dev))
    gold = spans_of(dev.gold_ids, dev.gold_tags, dev.sentence_starts)
    correct = correct_entities(analysis.spans, gold)
    temperature = fit_temperature(analysis, correct)
    keep_calibration(run_dir, calibration(analysis, correct, temperature))


BIASES = (-0.5, 0.5, 1.0, 1.5, 2.0)
_LEAST_GAIN = 60.0  # F1 points / √(entities of dev): about one standard error of F1
_AS_GOOD = 0.3  # F1 points: among the biases this close to the best, the smallest is chosen


def best_bias(model: Model, dev: Part) -> float:
    """Return the outside_bias with the best F1 on dev, or 0 if its gain may be chance.

    A model that reads text unlike its training text misses entities: its scores of O are too high.
    """
    decoding = replace(model.config.decoding, outside_bias=0.0, consistency=0.0)
    plain = replace(model, config=replace(model.config, decoding=decoding))
    scores = CompiledTagger(plain).scores(dev.text)
    lattice = model.lattice()

    def f1(bias: float) -> float:
        decoding = replace(model.config.decoding, outside_bias=bias)
        adjusted = adjust(scores, dev.text, decoding)
        tag_ids = decode(adjusted, dev.sentence_starts, decoding.method, lattice)
        return 100.0 * _measured(tag_ids, model, dev).f1

    entities = len(spans_of(dev.gold_ids, dev.gold_tags, dev.sentence_starts))
    found = {bias: f1(bias) for bias in BIASES}
    best = max(found.values())
    if best < f1(0.0) + _LEAST_GAIN / max(1, entities) ** 0.5:
        return 0.0
    return min((bias for bias in found if found[bias] >= best - _AS_GOOD), key=abs)


def _measured(tag_ids: Ids, model: Model, dev: Part) -> Scores:
    return score_predictions(
        tag_ids, model.tags, dev.gold_ids, dev.gold_tags, dev.scheme, dev.sentence_starts
    )


def keep_bias(run_dir: Path, bias: float, measured: Scores) -> None:
    """Write outside_bias into the model's config, and its scores on dev into the provenance.

    The header file is replaced in one step, so it is never half-written.
    """
    best = model_folder(run_dir)
    with SealedFolder(best) as opened:
        header = opened.header(HEADER)
    header["config"]["decoding"]["outside_bias"] = bias
    header["provenance"]["fitted_bias"] = bias
    header["provenance"]["dev"] = as_dict(measured)
    rewrite_header(best / HEADER, header)
