"""Text tagged as it streams by, a block of sentences at a time: memory stays bounded.

Two kinds of text come in: CoNLL columns, which leave as the same lines with one more column, and
tokenised sentences, one a line, which leave with their entities marked inline.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import BinaryIO, NamedTuple

from nertool.corpus.columnar import Span
from nertool.corpus.conll import (
    Layout,
    column_index,
    find_layout,
    is_blank,
    is_document_start,
)
from nertool.corpus.inline import mark_inline, to_inline
from nertool.corpus.schemes import split_tag
from nertool.errors import CorpusError
from nertool.tagging.model import Model
from nertool.tagging.tagger import columns, written_tags

FORMATS = ("conll", "text")
OUTPUTS = ("conll", "inline")

_BLOCK = 20_000  # tokens that are read before they are tagged together
_LOOK_AHEAD = 1000  # lines that the format is found from
_WORD = re.compile(r"\S+")


class Line(NamedTuple):
    """A line, and what ended it: LF, CRLF, or nothing at the end of a file."""

    text: str
    ending: str


Report = Callable[[str], None]


def read_lines(stream: BinaryIO, source: str) -> Iterator[Line]:
    """Yield a stream's lines with their ends kept, so that they can leave as they came.

    A byte-order mark stays outside the text. Errors: CorpusError for bytes that are not UTF-8.
    """
    for number, raw in enumerate(stream, 1):
        if number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise CorpusError(
                f"{source}:{number}: found the byte 0x{raw[error.start]:02x}, expected UTF-8 text; "
                "convert the file, for example with: iconv -f latin1 -t utf-8"
            ) from None
        bare = text.removesuffix("\n").removesuffix("\r")
        yield Line(bare, text[len(bare) :])


def tag_stream(
    model: Model,
    lines: Iterator[Line],
    source: str,
    form: str,
    to: str | None,
    scheme: str | None,
    token_column: int | None,
    report: Report,
) -> Iterator[str]:
    """Yield the tagged text in pieces. form: conll, text or auto; to: conll or inline, None for as it came.

    scheme: what the tags are written in, None for the training text's own. Errors: CorpusError
    with file:line.
    """
    head = list(islice(lines, _LOOK_AHEAD))
    settings = model.config.corpus
    if form == "auto":
        form, why = find_format([line.text for line in head], settings.comment)
        report(f"{source}: read as {why}")
    lines = chain(head, lines)
    scheme = scheme or model.corpus_scheme
    if form == "text":
        return _tag_text(model, lines, to or "inline", scheme)
    layout = find_layout((line.text for line in head), settings.comment) or Layout(" ", 1)
    column = settings.token_column if token_column is None else token_column
    index = column_index(column, layout, "--token-column", source)
    where = _Where(layout, index, settings.comment, source)
    return _tag_conll(model, lines, where, to or "conll", scheme)


def find_format(lines: list[str], comment: str = "") -> tuple[str, str]:
    """Tell whether text is in CoNLL columns or a sentence a line; say what it was taken for."""
    if any(is_document_start(line) for line in lines):
        return "conll", "CoNLL columns (-DOCSTART-); --format text if it is not"
    layout = find_layout(lines, comment)
    tokens = [line for line in lines if not is_blank(line)]
    if layout is None:
        return "text", "text, a sentence a line (there is none)"
    widths = {len(layout.split(line)) for line in tokens}
    even = len(widths) == 1
    several = len(tokens) > 1
    if layout.delimiter == "\t" and even:
        return "conll", f"CoNLL columns ({layout}); --format text if it is not"
    if even and several and layout.width == 1:
        return "conll", "CoNLL columns (a word a line); --format text if it is not"
    tag_like = even and all(_looks_like_tag(layout.split(line)[-1]) for line in tokens)
    if even and layout.width > 1 and (tag_like or (several and len(tokens) < len(lines))):
        return "conll", f"CoNLL columns ({layout}); --format text if it is not"
    return "text", "text, a sentence a line, words divided by blanks; --format conll if it is not"


def _looks_like_tag(field: str) -> bool:
    return field == "O" or (split_tag(field)[1] != field and field.partition("-")[0] in "BIESLUM")


class _Where(NamedTuple):
    """How CoNLL lines are read: their layout, the words' column, the comments' prefix, and the source."""

    layout: Layout
    column: int
    comment: str
    source: str


def _tag_conll(
    model: Model, lines: Iterable[Line], where: _Where, to: str, scheme: str
) -> Iterator[str]:
    """Tag CoNLL lines in blocks that end where sentences do."""
    block: list[Line] = []
    tokens = 0
    first = 1
    for line in lines:
        block.append(line)
        if is_blank(line.text):
            if tokens >= _BLOCK:
                yield _tag_conll_block(model, block, first, where, to, scheme)
                first += len(block)
                block, tokens = [], 0
        else:
            tokens += 1
    if block:
        yield _tag_conll_block(model, block, first, where, to, scheme)


def _tag_conll_block(
    model: Model, block: list[Line], first: int, where: _Where, to: str, scheme: str
) -> str:
    """Tag a block of lines, of which the first has the number `first` in the file."""
    width, split, comment = where.layout.width, where.layout.split, where.comment
    sentences: list[list[str]] = [[]]
    token_lines: list[int] = []
    document_lines: list[int] = []
    for i, (text, _) in enumerate(block):
        if is_blank(text) or is_document_start(text):
            if sentences[-1]:
                sentences.append([])
            if text and is_document_start(text) and len(split(text)) == width > 1:
                document_lines.append(i)
            continue
        if comment and text.startswith(comment):
            continue
        fields = split(text)
        if len(fields) != width:
            raise CorpusError(
                f"{where.source}:{first + i}: found {len(fields)} columns, expected {width} as in the "
                "lines before; mend the line, or use --format text if this is no CoNLL file"
            )
        word = fields[where.column]
        if not word or word.isspace():
            raise CorpusError(
                f"{where.source}:{first + i}: found an empty word, expected a token; mend the line"
            )
        sentences[-1].append(word)
        token_lines.append(i)
    words, word_ids, starts = columns(sentences)
    spans = model.spans(words, word_ids, starts)
    if to == "inline":
        return _inline_sentences(sentences, starts.tolist(), spans.as_list())
    tags = written_tags(model, spans, starts, scheme)
    out = [text for text, _ in block]
    for i, tag in zip(token_lines, tags, strict=True):
        out[i] += where.layout.delimiter + tag
    for i in document_lines:
        out[i] += where.layout.delimiter + "O"
    return "".join([text + ending for text, (_, ending) in zip(out, block, strict=True)])


def _inline_sentences(sentences: list[list[str]], starts: list[int], spans: list[Span]) -> str:
    out = []
    at = 0
    for first, sentence in zip(starts, sentences, strict=False):
        entities = []
        while at < len(spans) and spans[at].start < first + len(sentence):
            start, end, label = spans[at]
            entities.append(Span(start - first, end - first, label))
            at += 1
        if sentence:
            out.append(to_inline(sentence, entities) + "\n")
    return "".join(out)


def _tag_text(model: Model, lines: Iterable[Line], to: str, scheme: str) -> Iterator[str]:
    """Tag lines that are sentences, words divided by white space, in blocks of whole lines."""
    block: list[Line] = []
    letters = 0
    for line in lines:
        block.append(line)
        letters += len(line.text)
        if letters > 5 * _BLOCK:  # a token is some five letters
            yield _tag_text_block(model, block, to, scheme)
            block, letters = [], 0
    if block:
        yield _tag_text_block(model, block, to, scheme)


def _tag_text_block(model: Model, block: list[Line], to: str, scheme: str) -> str:
    places = [[match.span() for match in _WORD.finditer(line.text)] for line in block]
    sentences = [
        [line.text[a:b] for a, b in spans] for line, spans in zip(block, places, strict=True)
    ]
    words, word_ids, starts = columns(sentences)
    spans = model.spans(words, word_ids, starts)
    if to == "conll":
        tags = written_tags(model, spans, starts, scheme)
        rows = [
            [f"{word} {tag}\n" for word, tag in zip(sentence, tags[first:], strict=False)]
            for first, sentence in zip(starts.tolist(), sentences, strict=False)
        ]
        return "".join("".join(row) + "\n" for row in rows)
    found = spans.as_list()
    at = 0
    out = []
    for first, line, spots in zip(starts.tolist(), block, places, strict=False):
        marks = []
        while at < len(found) and found[at].start < first + len(spots):
            start, end, label = found[at]
            marks.append(Span(spots[start - first][0], spots[end - 1 - first][1], label))
            at += 1
        out.append(mark_inline(line.text, marks) + line.ending)
    return "".join(out)
