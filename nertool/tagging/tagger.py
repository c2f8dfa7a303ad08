"""Words in, entities out: the Python API's Tagger, and text tagged a piece at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from nertool.corpus.columnar import Offsets
from nertool.inputs.text import text_of
from nertool.model.model import Model
from nertool.model.storage import load_model
from nertool.tagging.analyse import analyse
from nertool.tagging.compiled import CompiledTagger

_SENTENCES = 2048  # sentences of a stream that are tagged together


@dataclass(frozen=True)
class Entity:
    """Tokens `start` up to, not including, `end` are a `label`; text: those tokens, with blanks between.

    probability: that just this entity stands there, over all tag sequences that the scheme allows.
    """

    start: int
    end: int
    label: str
    text: str
    probability: float


class Tagger:
    """A trained model, ready to tag. `nertool.load(path)` makes one."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._compiled = CompiledTagger(model)

    @property
    def labels(self) -> list[str]:
        """The classes that the model knows."""
        return list(self.model.labels)

    def tag(self, tokens: Sequence[str]) -> list[Entity]:
        """Find the entities of one sentence, given as its words."""
        return next(iter(self.tag_sentences([tokens])))

    def tag_sentences(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[Entity]]:
        """Find the entities of each sentence, in order, each read by itself; a long stream is taken a
        piece at a time."""
        stream = iter(sentences)
        while piece := list(islice(stream, _SENTENCES)):
            yield from self._tag_piece(piece, np.arange(len(piece) + 1))

    def tag_document(self, sentences: Sequence[Sequence[str]]) -> list[list[Entity]]:
        """Find the entities of each sentence of one document: what it says elsewhere helps to tell
        what a name is, if the model was trained to use it."""
        return list(self._tag_piece(sentences, np.array([0, len(sentences)])))

    def _tag_piece(
        self, sentences: Sequence[Sequence[str]], document_starts: Offsets
    ) -> Iterator[list[Entity]]:
        laid_out = text_of(sentences, document_starts)
        starts = laid_out.sentence_starts
        analysis = analyse(self._compiled, laid_out)
        p = analysis.probabilities().tolist()
        spans = analysis.spans.as_list()
        at = 0
        for first, sentence in zip(starts.tolist(), sentences, strict=False):
            last = first + len(sentence)
            entities = []
            while at < len(spans) and spans[at].start < last:
                start, end, label = spans[at]
                text = " ".join(sentence[start - first : end - first])
                entities.append(Entity(start - first, end - first, label, text, p[at]))
                at += 1
            yield entities


def load(path: str | Path) -> Tagger:
    """Load a model folder, or the best model of a run folder. Errors: ModelError."""
    return Tagger(load_model(Path(path)))
