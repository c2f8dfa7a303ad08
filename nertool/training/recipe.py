"""The recipe `auto`: it chooses config keys from statistics of the training text. Keys that are set win.

Every choice was robust over the texts of benchmarks/suite.py (news, wiki, tweets, contracts, abstracts, three
languages). None is tuned to be the best on one of them. docs/recipes.md has the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nertool.config.records import Config
from nertool.config.values import RawValue, build_config, key_types
from nertool.corpus.ledger import counted
from nertool.training.effort import FIRST_STAGE_EPOCHS, TINY, effort_for, epochs_and_batch_size
from nertool.training.preparation.store import need_regular_inputs
from nertool.training.statistics import Statistics, statistics

CHOSEN = "recipe: auto"  # the place of a key that the recipe chooses
HELD_OUT = 0.1  # of a text that comes without dev
FEW_ENTITIES = 2_500  # texts with fewer entities get training.replace_entities
GOOD_COVERAGE = 0.8  # GloVe covers 0.89 or more of English texts, 0.70 of German, 0.53 of Swahili
FEW_TOKENS = 150_000  # with fewer, most words of other text are unknown to the memory
# Tokens. N-gram features gain on texts of at least this size. On smaller texts affixes alone do as well.
NGRAMS_FROM = 60_000


def recipe(text: Statistics, budget: str) -> dict[str, Any]:
    """Choose the config keys for a text, as {"section.key": value}. Keys that are left out keep their
    defaults."""
    effort = effort_for(text, budget)
    epochs, batch_size = epochs_and_batch_size(text, effort)
    keys: dict[str, Any] = {
        "features.shape": 8,
        "features.affixes": 6,
        "features.memory": True,
        "network.hidden": effort.hidden,
        "network.activation": "relu",
        "network.output": "softmax",
        "network.members": effort.members,
        "training.epochs": epochs,
        "training.batch_size": batch_size,
        "training.dropout_input": 0.2,
        "training.dropout_hidden": 0.3,
        "training.average": 4,
        "decoding.fit_bias": True,
    }
    if text.documents:
        keys |= {
            "features.sentence": 5,
            "features.document": 5,
            "features.neighbours": True,
            "features.document_vector": True,
            "decoding.consistency": 0.2,
        }
    if effort.folds:
        keys |= {
            "first_stage.folds": effort.folds,
            "first_stage.epochs": FIRST_STAGE_EPOCHS,
            "first_stage.members": effort.first_stages,
            "first_stage.window": 7,
            "first_stage.max_pooling": True,
        }
    if effort.patience and text.tokens >= TINY:
        keys["training.patience"] = effort.patience
    if text.coverage is None or text.coverage < GOOD_COVERAGE:
        keys["training.word_dropout"] = 0.25
        if text.tokens >= NGRAMS_FROM:
            keys["features.ngrams"] = 32
    elif text.tokens < FEW_TOKENS:
        keys |= {"training.word_dropout": 1.0, "features.clusters": 4}
    if text.entities < FEW_ENTITIES:
        keys |= {"training.replace_entities": 0.2}
    if not text.has_dev:
        keys |= {"corpus.held_out": HELD_OUT, "training.refit": True}
    return keys


def reasons(text: Statistics, config: Config) -> list[str]:
    """Describe in three lines what the text is like and what was chosen for it."""
    network = config.network
    return [
        f"recipe: {_documents_by(text, config)}",
        f"recipe: {_words_by(text, config)}",
        f"recipe: {counted(text.tokens, 'tokens')}, {counted(text.entities, 'entities')} of "
        f"{text.classes} {'class' if text.classes == 1 else 'classes'}, budget {config.budget}: "
        f"{counted(network.members, 'networks')} with {network.hidden} hidden units, "
        f"{_epochs_of(config)}",
    ]


def _epochs_of(config: Config) -> str:
    """Describe how many epochs are trained."""
    epochs, patience = counted(config.training.epochs, "epochs"), config.training.patience
    return f"at most {epochs}, until {patience} bring no gain" if patience else epochs


def _documents_by(text: Statistics, config: Config) -> str:
    """Describe whether documents are marked, and whether the network reads more than the sentence."""
    keys = [f"features.{n}" for n in ("document", "neighbours", "document_vector")]
    keys = [key for key in keys if getattr(config.features, key.removeprefix("features."))]
    keys += ["decoding.consistency"] * bool(config.decoding.consistency)
    first = bool(config.first_stage.folds)
    if text.documents:
        used = ["features of the whole document"] * bool(keys) + ["a first stage"] * first
        return f"{counted(text.documents, 'documents')}: {' and '.join(used) or 'not used'}"
    if first and not keys and text.runs_on:
        recur = f"{text.no_documents}, but rare words recur nearby ({text.recurrence:.2f})"
        return f"{recur}: a first stage reads the other occurrences of a word"
    keys += ["first_stage.folds"] * first
    if keys:
        return f"{text.no_documents}, but {', '.join(keys)} {'reads' if len(keys) == 1 else 'read'} them"
    return f"{text.no_documents}: each sentence is treated separately"


def _words_by(text: Statistics, config: Config) -> str:
    """Describe where the word vectors come from, and which other features a word has."""
    if text.coverage is not None:
        vectors = f"vectors for {100 * text.coverage:.1f} % of the tokens"
        vectors += ", and others from the raw text" if config.vectors.raw_text else ""
    elif config.vectors.raw_text:
        vectors = "vectors from the raw text"
    else:
        vectors = "no vectors, so that words start from random ones"
    features = ("caps", "shape", "affixes", "ngrams", "clusters", "memory", "gazetteers")
    names = [name for name in features if getattr(config.features, name)]
    return f"{vectors}; features of a word: {', '.join(names) or 'none'}"


def resolve(
    raw: Mapping[str, RawValue], report: Callable[[str], None] = lambda line: None
) -> Config:
    """Build a config. With recipe: auto, choose the keys that are not set, and report why.

    The result has recipe: plain, because it sets every key. Training with it again repeats the run, even if
    the text has changed. The config that nertool init writes gives the same model, bit for bit.
    """
    return replace(build_config(with_recipe(raw, report)), recipe="plain", budget="2m")


def with_recipe(
    raw: Mapping[str, RawValue], report: Callable[[str], None] = lambda line: None
) -> dict[str, RawValue]:
    """Return the keys that are set and, with recipe: auto, the chosen ones, each with its place."""
    config = build_config(raw)
    if config.recipe == "plain" or config.corpus.train is None or key_types().keys() <= raw.keys():
        return dict(raw)
    need_regular_inputs(config)
    text = statistics(config)
    chosen = recipe(text, config.budget)
    added = {
        key: RawValue(value, CHOSEN, Path()) for key, value in chosen.items() if key not in raw
    }
    for line in reasons(text, build_config({**raw, **added})):
        report(line)
    return {**raw, **added}
