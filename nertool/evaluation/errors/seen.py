"""Determine which entities occur in a model's training text, by their words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nertool.corpus.columnar import Corpus
from nertool.corpus.invisible import normal_form
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.corpus.schemes import keep_labels, spans_of
from nertool.errors import CorpusError
from nertool.formats.labelled import read_labelled, reading_of
from nertool.formats.paths import texts_hash
from nertool.model.model import Model

SEEN = "seen"
OTHER_CLASS = "seen in another class"
NEVER = "never seen"


@dataclass(frozen=True)
class Seen:
    """The counts of entities in a training text, by words and class, and by words alone.

    Words are in their normal form (see corpus/invisible.py), joined by blanks.
    """

    by_class: Counter[tuple[str, str]]
    by_words: Counter[str]

    def status(self, text: str, label: str) -> str:
        """Return SEEN if the training text has these words as an entity of this class, OTHER_CLASS if only as
        one of another class, or NEVER."""
        if self.by_class[normal_form(text), label]:
            return SEEN
        return OTHER_CLASS if self.times(text) else NEVER

    def times(self, text: str) -> int:
        """Return how often these words are an entity of the training text, of any class."""
        return self.by_words[normal_form(text)]


def seen_in(corpus: Corpus) -> Seen:
    """Count the entities of a training text."""
    by_class: Counter[tuple[str, str]] = Counter()
    words, ids = corpus.words, corpus.word_ids.tolist()
    for start, end, label in spans_of(
        corpus.tag_ids, corpus.tags, corpus.sentence_starts
    ).as_list():
        by_class[normal_form(" ".join([words[i] for i in ids[start:end]])), label] += 1
    by_words: Counter[str] = Counter()
    for (text, _), n in by_class.items():
        by_words[text] += n
    return Seen(by_class, by_words)


def read_training_text(
    path: Path | None, model: Model | None, ledger: Ledger, report: Callable[[str], None]
) -> Seen | None:
    """Count the entities of the training text.

    path: the training text; None: the text that the model was trained on, if it still exists unchanged. If
    there is no such text, this is reported, and None is returned. Errors: CorpusError for a file that can't
    be read.
    """
    reading = reading_of(model.config.corpus) if model else Reading(needs_labels=True)
    labels = model.config.corpus.labels if model else None
    texts = [path] if path else None
    if texts is None:
        if model is None or not (texts := list(model.config.corpus.train or ())):
            report(
                "seen and unseen entities: not distinguished; --train FILE names the training text"
            )
            return None
        expected = (model.provenance.get("sha256") or {}).get("corpus.train")
        if not expected or _hash(texts, model.config.corpus.format) != expected:
            named = ", ".join(map(str, texts))
            report(
                f"seen and unseen entities: not distinguished, since {named} is not there or has "
                "changed since the training; --train FILE names the training text"
            )
            return None
    corpus = read_labelled(texts, "auto", reading, ledger, report)
    return seen_in(keep_labels(corpus, labels, report) if labels else corpus)


def _hash(texts: list[Path], format_name: str) -> str | None:
    try:
        return texts_hash(texts, format_name)
    except CorpusError:  # a pattern that no longer matches a file
        return None
