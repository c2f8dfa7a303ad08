"""Text tagged as it streams by, a block of sentences at a time: memory stays bounded.

Two kinds of text come in: CoNLL columns, which leave as the same lines with one more column, and
tokenised sentences, one a line, which leave with their entities marked inline.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain, pairwise
from operator import add
from typing import BinaryIO

import numpy as np

from nertool.corpus.blocks import Block, is_blank, read_blocks, whole_sentences
from nertool.corpus.columnar import Interner, Offsets, Span
from nertool.corpus.conll import (
    Columns,
    Layout,
    column_index,
    find_layout,
    is_document_start,
    is_hash_comment,
)
from nertool.corpus.inline import mark_inline, to_inline
from nertool.corpus.ledger import Ledger
from nertool.corpus.schemes import OUTSIDE, TagSpans, tag_names, tags_of
from nertool.embeddings.context import Setting, cut_documents
from nertool.embeddings.inputs import needs_documents
from nertool.errors import CorpusError
from nertool.tagging.compiled import CompiledTagger
from nertool.tagging.tagger import setting_of

_LOOK_AHEAD = 1000  # lines that the format is found from
_REMEMBERED = 200_000  # lines whose reading is kept
_WORD = re.compile(r"\S+")

Report = Callable[[str], None]


def tag_stream(
    tagger: CompiledTagger,
    stream: BinaryIO,
    source: str,
    form: str,
    to: str | None,
    scheme: str | None,
    token_column: int | None,
    report: Report,
    found: Columns | None = None,
    ledger: Ledger | None = None,
) -> Iterator[str]:
    """Yield the tagged text in pieces. form: conll or text; to: conll or inline, None for as it came.

    scheme: what the tags are written in, None for the training text's own. found: the columns, if
    they are known already. Errors: CorpusError with file:line.
    """
    settings = tagger.model.config.corpus
    ledger = ledger or Ledger()
    blocks = read_blocks(stream, source)
    scheme = scheme or tagger.model.corpus_scheme
    if form == "text":
        return _tag_text(tagger, blocks, to or "inline", scheme, ledger)
    layout = found.layout if found else None
    if layout is None:
        begun: list[Block] = []
        head: list[str] = []
        for block in blocks:
            begun.append(block)
            head += [line.removesuffix("\r") for line in block.lines]
            if len(head) >= _LOOK_AHEAD and find_layout(head, settings.comment):
                break
        blocks = chain(begun, blocks)
        layout = find_layout(head, settings.comment) or Layout(" ", 1)
    column = settings.token_column if token_column is None else token_column
    index = column_index(found.token if found else column, layout, "--token-column", source)
    comment = found.comment if found else settings.comment
    lines = Lines(layout, index, comment, found is not None and found.hash_comments)
    return _tag_conll(tagger, blocks, lines, source, to or "conll", scheme, report, ledger)


# What a line is that holds no token: a document's mark may have columns like the others, or not.
_BREAK, _DOCUMENT, _MARK, _PASSED = -1, -2, -3, -4


class Lines(dict[str, int]):
    """What each distinct line is, found once: its word's place in `words`, or one of the above.

    A line comes as it stands, with the CR that may end it.
    """

    def __init__(
        self, layout: Layout, column: int, comment: str, hash_comments: bool = False
    ) -> None:
        super().__init__()
        self.layout, self.column, self.comment = layout, column, comment
        self.hash_comments = hash_comments
        self.words = Interner()

    def __missing__(self, line: str) -> int:
        self[line] = kind = self._kind(line.removesuffix("\r"))
        return kind

    def _kind(self, line: str) -> int:
        if is_blank(line):
            return _BREAK
        if is_document_start(line):
            # With as many columns as the rest it gets one more, too; alone it stays alone.
            return _DOCUMENT if len(self.layout.split(line)) == self.layout.width > 1 else _MARK
        if self.comment and line.startswith(self.comment):
            return _PASSED
        fields = self.layout.split(line)
        if self.hash_comments and is_hash_comment(line, len(fields), self.layout.width):
            return _PASSED
        if len(fields) != self.layout.width:
            raise _FaultyLine(
                line,
                f"found {len(fields)} columns, expected {self.layout.width} as in the lines before; "
                "mend the line, or use --format text if this is no CoNLL file",
            )
        word = fields[self.column]
        if not word or word.isspace():
            raise _FaultyLine(line, "found an empty word, expected a token; mend the line")
        return self.words[word]

    def kinds(self, block: Block, source: str) -> np.ndarray:
        """Return what each line is: (n,) int32. Errors: CorpusError with the line's number."""
        if len(self) > _REMEMBERED:
            self.clear()
            self.words.clear()
        try:
            return np.fromiter(map(self.__getitem__, block.lines), np.int32, len(block.lines))
        except _FaultyLine as fault:
            at = next(
                i for i, line in enumerate(block.lines) if line.removesuffix("\r") == fault.line
            )
            raise CorpusError(f"{source}:{block.first + at}: {fault.what}") from None


class _FaultyLine(Exception):
    """A line that can't be read; where it stands is known to whoever holds the block."""

    def __init__(self, line: str, what: str) -> None:
        self.line, self.what = line, what


def _tag_conll(
    tagger: CompiledTagger,
    blocks: Iterator[Block],
    lines: Lines,
    source: str,
    to: str,
    scheme: str,
    report: Report,
    ledger: Ledger,
) -> Iterator[str]:
    """Tag CoNLL lines in blocks that end where sentences do, or documents if the model reads those."""
    names = tag_names(tagger.model.labels, scheme)
    left_out = 0
    pieces = whole_sentences(blocks)
    if needs_documents(tagger.model.config):
        pieces = whole_documents(pieces, lambda block: last_document(lines.kinds(block, source)))
    for block in pieces:
        kinds = lines.kinds(block, source)
        is_token = kinds >= 0
        sentence_starts, document_starts = _starts(kinds)
        # The words that this block holds, out of all that were met.
        met, word_ids = np.unique(kinds[is_token], return_inverse=True)
        known = list(lines.words)
        words = [known[i] for i in met]
        setting = Setting(words, word_ids.astype(np.int32), sentence_starts, document_starts)
        spans = tagger.spans(setting)
        _count(ledger, sentence_starts, spans)
        if to == "inline":
            left_out += sum(not is_blank(block.lines[i]) for i in np.flatnonzero(~is_token))
            tokens = [words[i] for i in word_ids]
            sentences = [tokens[a:b] for a, b in pairwise(sentence_starts.tolist())]
            yield "".join(
                to_inline(sentence, own) + "\n"
                for sentence, own in zip(
                    sentences, _by_sentence(spans, sentence_starts), strict=True
                )
            )
            continue
        column = np.full(len(kinds), len(names), dtype=np.int32)  # one past the tags: no column
        column[kinds == _DOCUMENT] = names.index(OUTSIDE)
        column[is_token] = tags_of(spans, sentence_starts, names, scheme)
        cells = [*(lines.layout.delimiter + name for name in names), ""]
        yield block.joined(_with_column(block, map(cells.__getitem__, column.tolist())))
    if left_out:
        report(
            f"{source}: {left_out:,} document marks and comments left out: inline has no place for them"
        )


def _starts(kinds: np.ndarray) -> tuple[Offsets, Offsets]:
    """Return where sentences (in tokens) and documents (in sentences) start, from what each line is."""
    is_token = kinds >= 0
    marks = (kinds == _DOCUMENT) | (kinds == _MARK)
    breaks = np.cumsum((kinds == _BREAK) | marks)[is_token]
    sentence_starts = np.append(np.flatnonzero(np.diff(breaks, prepend=-1)), len(breaks))
    documents = np.cumsum(marks)[is_token][sentence_starts[:-1]]  # of each sentence
    document_starts = np.append(np.flatnonzero(np.diff(documents, prepend=-1)), len(documents))
    return sentence_starts, document_starts


def last_document(kinds: np.ndarray) -> int:
    """Return the line after the last token that is not of the last document, or part of one; 0 if
    there is none."""
    sentence_starts, document_starts = _starts(kinds)
    *_, last, _ = [0, *cut_documents(sentence_starts, document_starts)]
    if not last:
        return 0
    before = int(np.flatnonzero(kinds >= 0)[sentence_starts[last] - 1])
    return before + 1


def whole_documents(blocks: Iterator[Block], cut: Callable[[Block], int]) -> Iterator[Block]:
    """Cut blocks anew, so that no document lies in two. cut: finds the line of a block before which
    all documents are sure to be whole (0: none is)."""
    held: Block | None = None
    for block in blocks:
        if held:
            returns = held.returns or block.returns
            block = Block(held.lines + block.lines, held.first, block.ended, held.mark, returns)
        end = cut(block)
        if end:
            yield block._replace(lines=block.lines[:end], ended=True)
            block = block._replace(lines=block.lines[end:], first=block.first + end, mark=False)
        held = block
    if held and held.lines:
        yield held


def _with_column(block: Block, cells: Iterator[str]) -> Iterator[str]:
    """Put a cell at the end of each line, before the CR that may end it."""
    if not block.returns:
        return map(add, block.lines, cells)
    return (
        f"{line[:-1]}{cell}\r" if line.endswith("\r") else line + cell
        for line, cell in zip(block.lines, cells, strict=True)
    )


def _by_sentence(spans: TagSpans, sentence_starts: np.ndarray) -> Iterator[list[Span]]:
    """Yield each sentence's entities, in tokens of the sentence."""
    found = spans.as_list()
    bounds = pairwise(np.searchsorted(spans.starts, sentence_starts).tolist())
    for first, (a, b) in zip(sentence_starts.tolist(), bounds, strict=False):
        yield [Span(start - first, end - first, label) for start, end, label in found[a:b]]


def _count(ledger: Ledger, sentence_starts: np.ndarray, spans: TagSpans) -> None:
    ledger.read["sentences"] += int((np.diff(sentence_starts) > 0).sum())
    ledger.read["tokens"] += int(sentence_starts[-1])
    ledger.read["entities found"] += len(spans)


def _tag_text(
    tagger: CompiledTagger, blocks: Iterator[Block], to: str, scheme: str, ledger: Ledger
) -> Iterator[str]:
    """Tag lines that are sentences, words divided by white space, in blocks of whole lines.

    To a model that reads documents the text is one.
    """
    names = tag_names(tagger.model.labels, scheme)
    if needs_documents(tagger.model.config):
        blocks = whole_documents(blocks, _last_part)
    for block in blocks:
        places = [[match.span() for match in _WORD.finditer(line)] for line in block.lines]
        sentences = [
            [line[a:b] for a, b in spots] for line, spots in zip(block.lines, places, strict=True)
        ]
        setting = setting_of(sentences, np.array([0, len(sentences)]))
        starts = setting.sentence_starts
        spans = tagger.spans(setting)
        _count(ledger, starts, spans)
        if to == "conll":
            tags = [names[i] for i in tags_of(spans, starts, names, scheme)]
            for first, sentence in zip(starts.tolist(), sentences, strict=False):
                pairs = zip(sentence, tags[first : first + len(sentence)], strict=True)
                yield "".join([f"{word} {tag}\n" for word, tag in pairs]) + "\n"
            continue
        marked = []
        for line, spots, own in zip(block.lines, places, _by_sentence(spans, starts), strict=True):
            marks = [Span(spots[a][0], spots[b - 1][1], label) for a, b, label in own]
            marked.append(mark_inline(line, marks))
        yield block.joined(iter(marked))


def _last_part(block: Block) -> int:
    """Return the line where the last part of a document starts that has a sentence on each line."""
    lengths = [len(_WORD.findall(line)) for line in block.lines]
    sentence_starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    *_, last, _ = cut_documents(sentence_starts, np.array([0, len(lengths)]))
    return int(last)
