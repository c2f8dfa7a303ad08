"""Tag tokenised sentences, one a line, which leave with their entities marked."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from nertool.corpus.blocks import Block
from nertool.corpus.columnar import Span
from nertool.corpus.schemes import tag_names, tags_of
from nertool.formats.markup.inline import mark_inline
from nertool.inputs.text import text_of
from nertool.predict.tasks.task import Done, Worker, by_sentence, ledger_of
from nertool.tagging.analyse import analyse

_WORD = re.compile(r"\S+")


class SentencesTask(NamedTuple):
    """Lines that are sentences, words divided by white space, to be tagged; all of one document."""

    block: Block
    to: str
    scheme: str

    def run(self, worker: Worker) -> Done:
        lines = self.block.lines
        sentences = [line.split() for line in lines]
        text = text_of(sentences, np.array([0, len(sentences)]))
        starts = text.sentence_starts
        spans = analyse(worker.tagger, text).spans
        ledger = ledger_of(starts, spans)
        if self.to == "conll":
            names = tag_names(worker.tagger.model.labels, self.scheme)
            tags = [names[i] for i in tags_of(spans, starts, names, self.scheme)]
            columns = []
            for first, sentence in zip(starts.tolist(), sentences, strict=False):
                pairs = zip(sentence, tags[first : first + len(sentence)], strict=True)
                columns += [*(f"{word} {tag}\n" for word, tag in pairs), "\n"]
            return Done("".join(columns), None, ledger)
        for i, own in enumerate(by_sentence(spans, starts)):
            if own or "[" in lines[i] or "]" in lines[i] or "\\" in lines[i]:
                spots = [match.span() for match in _WORD.finditer(lines[i])]
                marks = [Span(spots[a][0], spots[b - 1][1], label) for a, b, label in own]
                lines[i] = mark_inline(lines[i], marks)
        return Done(self.block.joined(iter(lines)), None, ledger)
