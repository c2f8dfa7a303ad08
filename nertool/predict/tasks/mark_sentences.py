"""Tag text with one sentence on each line: write the lines with their entities marked, or CoNLL columns."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from nertool.corpus.blocks import Block
from nertool.corpus.columnar import Span
from nertool.corpus.schemes import tag_names, tags_of
from nertool.formats.markup.inline import mark_inline
from nertool.inputs.text import text_of
from nertool.predict.tasks.task import Result, Worker, by_sentence, counts_of
from nertool.tagging.analyse import analyse

_WORD = re.compile(r"\S+")


class MarkSentencesTask(NamedTuple):
    """Lines of one document. Each is a sentence whose words are separated by white space.

    inline: mark the entities in the lines; otherwise write CoNLL columns with tags of `scheme`.
    """

    block: Block
    inline: bool
    scheme: str

    def run(self, worker: Worker) -> Result:
        """Tag the lines. Any line is valid."""
        lines = self.block.lines
        sentences = [line.split() for line in lines]
        text = text_of(sentences, np.array([0, len(sentences)]), worker.tagger.document_tokens)
        starts = text.sentence_starts
        spans = analyse(worker.tagger, text).spans
        ledger = counts_of(starts, spans)
        if not self.inline:
            names = tag_names(worker.tagger.model.labels, self.scheme)
            tags = [names[i] for i in tags_of(spans, starts, names, self.scheme)]
            rows = []
            for first, sentence in zip(starts.tolist(), sentences, strict=False):
                pairs = zip(sentence, tags[first : first + len(sentence)], strict=True)
                rows += [*(f"{word} {tag}\n" for word, tag in pairs), "\n"]
            return Result("".join(rows), None, ledger)
        for i, entities in enumerate(by_sentence(spans, starts)):
            if entities or "[" in lines[i] or "]" in lines[i] or "\\" in lines[i]:
                words = [match.span() for match in _WORD.finditer(lines[i])]
                marks = [Span(words[a][0], words[b - 1][1], label) for a, b, label in entities]
                lines[i] = mark_inline(lines[i], marks)
        return Result(self.block.joined(iter(lines)), None, ledger)
