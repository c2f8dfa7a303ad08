"""Read what to compare from files: a model with labelled texts, or gold files with predicted files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nertool.config.inputs import CorpusConfig
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.corpus.schemes import keep_labels
from nertool.evaluation.comparison import Comparison, compare_files, merged
from nertool.evaluation.evaluate import calibration_of, compare_with_model
from nertool.formats.labelled import ReadingOptions, read_labelled, reading_of
from nertool.formats.paths import texts_hash
from nertool.model.load import load_model
from nertool.model.model import Model
from nertool.model.provenance import describe_refit
from nertool.tagging.compiled import CompiledTagger

Report = Callable[[str], None]


@dataclass(frozen=True)
class Evaluated:
    """A comparison. If a model made the predictions: this model, and its calibration on the text."""

    comparison: Comparison
    model: Model | None = None
    calibration: dict[str, Any] | None = None


def read_for_model(
    model: Model,
    path: Path | Sequence[Path],
    options: ReadingOptions,
    ledger: Ledger,
    report: Report,
) -> Corpus:
    """Read a labelled text with the settings of a model's config, and keep only the model's classes."""
    return read_text(path, model.config.corpus, options, ledger, report)


def read_text(
    path: Path | Sequence[Path],
    settings: CorpusConfig,
    options: ReadingOptions,
    ledger: Ledger,
    report: Report,
) -> Corpus:
    """Read a labelled text from one or several files. Options take precedence over a config's settings."""
    reading = options.reading(reading_of(settings))
    corpus = read_labelled(path, options.format_name, reading, ledger, report)
    return keep_labels(corpus, settings.labels, report) if settings.labels else corpus


def evaluate_model(
    path: Path,
    texts: Sequence[Path | Sequence[Path]],
    options: ReadingOptions,
    ledger: Ledger,
    report: Report,
    gold_probabilities: bool = False,
) -> Evaluated:
    """Tag labelled texts with a model, and compare the tags with the gold. Errors: CorpusError, ModelError.

    texts: a path for each text, or several paths for a text in several files.
    gold_probabilities: also compute the model's probability of each gold entity.
    """
    model = load_model(path)
    if told := describe_refit(model.provenance):
        report(told)
    tagger = CompiledTagger(model)
    parts, raw = [], []
    for text in texts:
        if told := trained_on(model, text, options.format_name):
            report(told)
        corpus = read_for_model(model, text, options, ledger, report)
        comparison, uncalibrated = compare_with_model(tagger, corpus, report, gold_probabilities)
        parts.append(comparison)
        raw.append(uncalibrated)
    comparison = merged(parts)
    return Evaluated(comparison, model, calibration_of(model, comparison, raw))


def trained_on(model: Model, text: Path | Sequence[Path], format_name: str = "auto") -> str:
    """Return a warning if a model was trained on exactly this text, by its hash; "" otherwise."""
    paths = [text] if isinstance(text, Path) else [*text]
    if not all(path.is_file() for path in paths):
        return ""  # such as standard input, which can be read only once
    known = model.provenance.get("sha256") or {}
    found = texts_hash(paths, format_name)
    refit = (
        " (the final fit, training.refit, added dev)" if known.get("corpus.dev") == found else ""
    )
    if found != known.get("corpus.train") and not (refit and model.provenance.get("refit")):
        return ""
    named = ", ".join(map(str, paths))
    return (
        f"WARNING: {named}: the model was trained on this text{refit}: the scores say nothing of new text; "
        "measure on text that it has not seen"
    )


def evaluate_files(
    gold: Path, predicted: Path | None, options: ReadingOptions, ledger: Ledger, report: Report
) -> Evaluated:
    """Compare a gold file with a predicted file, or two columns of one file. Errors: CorpusError.

    predicted: None if the gold file has both. Then the gold tags are in the last column but one, and the
    predicted tags in the last, unless options name other columns.
    """
    usual = options.reading(Reading(misaligned="error", needs_labels=True))
    if predicted is None:
        first, last = options.tag_column, options.predicted_column
        one = replace(usual, tag_column=-2 if first is None else first)
        other = replace(usual, tag_column=-1 if last is None else last)
        form = "conll" if options.format_name == "auto" else options.format_name
        ours, theirs = (read_labelled(gold, form, how, ledger, report) for how in (one, other))
    else:
        other = replace(usual, tag_column=options.predicted_column)
        ours, theirs = (
            read_labelled(path, options.format_name, how, ledger, report)
            for path, how in ((gold, usual), (predicted, other))
        )
    return Evaluated(compare_files(ours, theirs, report))
