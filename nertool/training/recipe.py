"""The recipe `auto`: a config's keys, chosen from what the training text is like. Keys that are set win.

Every choice is one that was robust over the texts of benchmarks/suite.py (news, wiki, tweets,
contracts, abstracts, three languages), not the best one on any of them; docs/recipes.md has the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nertool.config.records import Config
from nertool.config.values import RawValue, build_config, key_types
from nertool.corpus.ledger import Ledger, counted
from nertool.corpus.parts.hold_out import why_not_documents
from nertool.corpus.schemes import spans_of
from nertool.inputs.encoder import Encoder, coverage
from nertool.training.preparation.encode import read_part
from nertool.training.preparation.store import need_regular_inputs
from nertool.vectors.files.load import load_vectors


@dataclass(frozen=True)
class Statistics:
    """What the recipe looks at. documents: 0 where they can't be used, for the reason no_documents;
    coverage: the share of the training tokens that have a vector, None without vectors; has_dev: whether
    there is a dev part."""

    tokens: int
    documents: int
    classes: int
    entities: int
    coverage: float | None
    has_dev: bool = True
    no_documents: str = "documents are not marked"


CHOSEN = "recipe: auto"  # the place of a key that the recipe chooses
HELD_OUT = 0.1  # of a text that comes without dev
FEW_ENTITIES = 2_500  # so few that they are tried in one another's places
GOOD_COVERAGE = 0.8  # GloVe has 0.89 or more of English texts, 0.70 of German, 0.53 of Swahili
FEW_TOKENS = 150_000  # with fewer, most words of other text are unknown to the memory
TINY, SMALL = 20_000, 50_000  # tokens: an epoch of so few has few batches, so that more are needed
# Tokens: n-grams gain on texts of so many, and affixes alone do as well on smaller ones.
NGRAMS_FROM = 60_000
QUICK = 100_000  # tokens: five networks of so few are trained within a minute
_SECONDS_FOR_MOST = 300  # with less, what an ensemble of five gains is not worth its time


@dataclass(frozen=True)
class Effort:
    """How much is spent on training: members, epochs and hidden units; folds of the first stage.

    patience: train up to twice as many epochs, while dev F1 rises within so many of them.
    """

    members: int
    epochs: int
    hidden: int = 256
    folds: int = 0
    patience: int = 0

    def seconds(self, tokens: int) -> float:
        """Estimate the seconds on two cores; a nominal speed, so that the choice is the same anywhere."""
        per_second = 100_000 if self.members > 1 else 70_000
        passes = self.members * self.epochs + (self.folds + 1) * 4 * bool(self.folds)
        return 6 + tokens * passes * (1.0 if self.hidden > 128 else 0.6) / per_second


MOST = Effort(members=5, epochs=10, folds=5)
FOR_FEW_TOKENS = Effort(5, 8, patience=4)
EFFORTS = (Effort(3, 8), Effort(2, 6), Effort(1, 6), Effort(1, 6, hidden=128))


def seconds_of(budget: str) -> int:
    """Return the seconds of a budget such as 30s, 2m or 1h."""
    return int(budget[:-1]) * {"s": 1, "m": 60, "h": 3600}[budget[-1]]


def effort_for(text: Statistics, budget: str) -> Effort:
    """Return the greatest effort within a budget; the least one where none is. Without a dev part the
    final fit takes as long again."""
    seconds = seconds_of(budget)
    most = MOST if text.documents else Effort(MOST.members, MOST.epochs)
    usual: tuple[Effort, ...] = EFFORTS
    if text.tokens < QUICK:
        usual = (FOR_FEW_TOKENS, *usual)
        most = replace(most, patience=FOR_FEW_TOKENS.patience)
    efforts = (most, *usual) if seconds >= _SECONDS_FOR_MOST else usual
    fits = 1 if text.has_dev else 2
    affordable = [own for own in efforts if fits * _seconds(text, own) <= seconds]
    return affordable[0] if affordable else efforts[-1]


def _seconds(text: Statistics, effort: Effort) -> float:
    """Estimate the seconds of an effort with the number of epochs that a text of this size gets."""
    epochs, _ = epochs_and_batch_size(text, effort)
    return replace(effort, epochs=epochs).seconds(text.tokens)


def epochs_and_batch_size(text: Statistics, effort: Effort) -> tuple[int, int]:
    """Return how many epochs to train, and how many windows a batch has: enough steps for a small text.

    Measured on dev: the support sample (5,000 tokens) 82.9 with 8 epochs of 512 windows, 87.2 with 24
    epochs of 64; batches of 128 and 256 gain nothing on texts of 28,000 tokens and more. AnEM (61,000
    tokens, rare entities of 11 classes) 65.3 with 8 epochs of 512, 68.7 with up to 16 and a patience of 4
    (seeds 1 and 2); wikigold, SEC contracts, Swahili and WNUT-17 change within what seeds do.
    """
    if text.tokens < TINY:
        return 3 * effort.epochs, 64
    if effort.patience:
        return 2 * effort.epochs, 512
    if text.tokens < SMALL:
        return effort.epochs + effort.epochs // 2, 512
    return effort.epochs, 512


def recipe(text: Statistics, budget: str) -> dict[str, Any]:
    """Choose the keys for a text, as {"section.key": value}; those not named keep their defaults."""
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
        keys |= {"first_stage.folds": effort.folds, "first_stage.epochs": 6}
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


def statistics(config: Config) -> Statistics:
    """Look at the training text and the vectors that a config names.

    Errors: CorpusError and VectorsError with their place; OSError as it comes.
    """
    assert config.corpus.train is not None
    train = read_part(config, config.corpus.train, "train", _silent, Ledger())
    spans = spans_of(train.tag_ids, train.tags, train.sentence_starts)
    no_documents = why_not_documents(train)
    covered = None
    if config.vectors.path:
        words = load_vectors(config.vectors.path, config.vectors.limit).words
        covered = coverage(Encoder(words, []), train).share
    return Statistics(
        tokens=train.tokens,
        documents=0 if no_documents else train.documents,
        classes=len(spans.label_names),
        entities=len(spans),
        coverage=covered,
        has_dev=config.corpus.dev is not None,
        no_documents=no_documents or "",
    )


def reasons(text: Statistics, config: Config) -> list[str]:
    """Say in three lines what the text is like, and what was chosen for it."""
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
    """Say how many epochs are trained."""
    epochs, patience = counted(config.training.epochs, "epochs"), config.training.patience
    return f"at most {epochs}, until {patience} bring no gain" if patience else epochs


def _documents_by(text: Statistics, config: Config) -> str:
    """Say whether documents are marked, and whether the network reads more than the sentence."""
    keys = [f"features.{n}" for n in ("document", "neighbours", "document_vector")]
    keys = [key for key in keys if getattr(config.features, key.removeprefix("features."))]
    keys += ["first_stage.folds"] * bool(config.first_stage.folds)
    keys += ["decoding.consistency"] * bool(config.decoding.consistency)
    if text.documents:
        documents = counted(text.documents, "documents")
        return f"{documents}: " + ("features of the whole document" if keys else "not used")
    if keys:
        return f"{text.no_documents}, but {', '.join(keys)} {'reads' if len(keys) == 1 else 'read'} them"
    return f"{text.no_documents}: each sentence is treated separately"


def _words_by(text: Statistics, config: Config) -> str:
    """Say where words' vectors come from, and which features a word has besides."""
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
    """Build a config; with recipe: auto, choose the keys that are not set, and say why.

    The result has recipe: plain, because all its keys are known: training by it again repeats the run, also
    where the text has changed. So does the config that nertool init writes, to the bit.
    """
    return replace(build_config(with_recipe(raw, report)), recipe="plain", budget="2m")


def with_recipe(
    raw: Mapping[str, RawValue], report: Callable[[str], None] = lambda line: None
) -> dict[str, RawValue]:
    """Return the keys that are set, and with recipe: auto those that are chosen, each with its place."""
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


def _silent(line: str) -> None:
    """Take a finding that is told when the text is encoded."""
