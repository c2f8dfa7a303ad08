"""`nertool info`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nertool.cli.common.options import AsJson, ModelPath, one_blas_thread, print_json

if TYPE_CHECKING:
    from nertool.model.model import Model


def info(
    model: ModelPath,
    speed: Annotated[
        bool,
        typer.Option(
            "--speed",
            help="Measure the time to load the model, and the tagging speed of one thread.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show a model's classes, how it was trained, its scores on dev, and its size.

    Examples:
        nertool info runs/my
        nertool info runs/my --speed
        nertool info runs/my --json
    """
    from nertool.model.files import open_model
    from nertool.model.load import load_model

    one_blas_thread()
    begun = time.perf_counter()
    loaded = load_model(model)
    seconds = time.perf_counter() - begun
    with open_model(model, verify=False) as opened:
        facts = facts_of(loaded, opened.path, opened.sizes())
    if speed:
        facts["seconds_to_load"] = round(seconds, 3)
        facts["tokens_per_second"] = round(_tokens_per_second(loaded))
    if as_json:
        print_json(facts)
        return
    for line in _lines(facts):
        print(line)


_SENTENCE = 25  # words of the sentences that are tagged to measure the speed
LEAST_SECONDS = 1.0  # how long the speed is measured


def _tokens_per_second(model: Model) -> float:
    """Measure how many tokens per second one thread tags.

    The sentences consist of words of the model, drawn with a fixed seed.
    """
    import numpy as np

    from nertool.inputs.text import text_of
    from nertool.tagging.analyse import analyse
    from nertool.tagging.compiled import CompiledTagger

    tagger = CompiledTagger(model)
    words = list(model.members[0].encoder.words)
    # A file of vectors begins with the frequent words, which make up most of a text.
    rng = np.random.default_rng(0)
    ranks = (len(words) ** rng.random((400, _SENTENCE)) - 1).astype(int)
    text = text_of([[words[i] for i in row] for row in ranks.tolist()], np.arange(0, 401, 20))
    analyse(tagger, text)
    done, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < LEAST_SECONDS:
        analyse(tagger, text)
        done += len(text.word_ids)
    return done / spent


def facts_of(model: Model, folder: Path, sizes: dict[str, int]) -> dict[str, Any]:
    """Return the facts about a model, ready for JSON. sizes: its files' sizes in bytes, by name."""
    config, provenance = model.config, model.provenance
    networks = (*model.first_stage, *model.members)
    return {
        "folder": str(folder),
        "labels": model.labels,
        "tag_scheme": model.corpus_scheme,
        "members": len(model.members),
        "first_stage": len(model.first_stage),
        "window": config.windows.size,
        "hidden": config.network.hidden,
        "parameters": sum(int(a.size) for net in networks for a in net.parameters.values()),
        "words_with_vectors": max(len(net.L) for net in networks),
        "features": [
            field.name
            for field in fields(config.features)
            if getattr(config.features, field.name) and field.name != "gazetteer_width"
        ],
        "coverage": provenance.get("coverage"),
        "decoding": config.decoding.method,
        "train_text": _named(config.corpus.train),
        "dev_text": _named(config.corpus.dev),
        "vectors": str(config.vectors.path) if config.vectors.path else None,
        "trained_with": provenance.get("nertool"),
        "seed": provenance.get("seed"),
        "epoch": provenance.get("epoch"),
        "dev": provenance.get("dev"),
        "refit": provenance.get("refit"),
        "thresholds": (provenance.get("thresholds") or {}).get("labels"),
        "calibration": provenance.get("calibration"),
        "bytes": sum(sizes.values()),
        "files": sizes,
    }


def _named(paths: Sequence[Path] | None) -> str | None:
    """Return the texts of a part as a string, or None if there are none."""
    return ", ".join(map(str, paths)) if paths else None


def _lines(facts: dict[str, Any]) -> list[str]:
    """Format the facts as lines of text."""
    from nertool.model.provenance import describe_refit

    networks = f"{facts['members']} network" + "s" * (facts["members"] != 1)
    if facts["first_stage"]:
        several = facts["first_stage"] > 1
        networks += ", after a first stage" + several * f" of {facts['first_stage']} networks"
    lines = [
        f"{facts['folder']}: a model of nertool {facts['trained_with'] or '(unknown version)'}",
        f"finds       {', '.join(facts['labels'])} (tags written in {facts['tag_scheme']})",
        f"networks    {networks}: window {facts['window']}, {facts['hidden']} hidden units, "
        f"{facts['parameters']:,} parameters",
        f"vocabulary  {facts['words_with_vectors']:,} words with a vector",
        f"features    {', '.join(facts['features']) or 'only word vectors'}",
        f"trained     on {facts['train_text'] or 'a teacher alone'}, with "
        f"{facts['vectors'] or 'random vectors'}, seed {facts['seed']}, "
        f"best epoch {_epochs(facts['epoch'])}",
        f"size        {facts['bytes'] / 1e6:.1f} MB in {len(facts['files'])} files",
    ]
    if "tokens_per_second" in facts:
        lines.append(
            f"speed       loaded in {facts['seconds_to_load']:.2f} s; one thread tags "
            f"{facts['tokens_per_second']:,} tokens a second"
        )
    if told := describe_refit({"refit": facts["refit"]}):
        lines.append(f"refit       {told.removeprefix('refit: ')}")
    if facts["thresholds"]:
        shown = ", ".join(f"{label} {value:g}" for label, value in facts["thresholds"].items())
        lines.append(f"thresholds  {shown} (predict --min-probability tuned)")
    dev = facts["dev"]
    if not dev:
        return [*lines, "dev         none: it was trained without a dev text"]
    from nertool.evaluation.tables import as_table

    return [*lines, "", "On its dev text:", "", as_table(dev)]


def _epochs(epoch: int | list[int] | None) -> str:
    if isinstance(epoch, list):
        return ", ".join(map(str, epoch))
    return "unknown" if epoch is None else str(epoch)
