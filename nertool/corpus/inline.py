r"""Inline annotation: a sentence a line, entities as [Ada Lovelace](PER).

A bracket or backslash of the text itself is written with a backslash before it: \[ \] \\.
A line `# id: name  part: train` heads a document; its fields are divided by two blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from nertool.corpus.columnar import Corpus, Interner, Span
from nertool.corpus.schemes import TagSpans, tag_names, tags_of
from nertool.corpus.text import tokenize
from nertool.errors import CorpusError

_ESCAPES = str.maketrans({"[": r"\[", "]": r"\]", "\\": r"\\"})
_PIECE = re.compile(
    r"(?P<escaped>\\[\[\]\\])"
    r"|\[(?P<text>(?:[^\[\]\\]|\\[\[\]\\])+)\]\((?P<label>[^()\s]+)\)"
    r"|(?P<stray>[\[\]\\])"
)
_HEADER = "# id:"


def mark_inline(text: str, spans: Iterable[Span]) -> str:
    """Mark entities in a text; spans count characters, and stand in order."""
    out = []
    at = 0
    for start, end, label in spans:
        out.append(text[at:start].translate(_ESCAPES))
        out.append(f"[{text[start:end].translate(_ESCAPES)}]({label})")
        at = end
    out.append(text[at:].translate(_ESCAPES))
    return "".join(out)


def to_inline(words: Sequence[str], spans: Iterable[Span]) -> str:
    """Write a sentence's words with blanks between and its entities marked; spans count words."""
    ends = [0]
    for word in words:
        ends.append(ends[-1] + len(word) + 1)
    in_text = [Span(ends[start], ends[end] - 1, label) for start, end, label in spans]
    return mark_inline(" ".join(words), in_text)


def from_inline(line: str, place: str) -> tuple[str, list[Span]]:
    """Return the plain text and its entities, in characters of it.

    Errors: CorpusError at `place` for a bracket that is neither an entity's nor escaped.
    """
    text: list[str] = []
    spans = []
    at = length = 0
    for match in _PIECE.finditer(line):
        before = line[at : match.start()]
        at = match.end()
        if match["stray"]:
            raise CorpusError(
                f'{place}: found a lone "{match["stray"]}" in column {match.start() + 1}, expected '
                f"[words](LABEL); write \\{match['stray']} if it belongs to the text"
            )
        piece = match["escaped"][1:] if match["escaped"] else re.sub(r"\\(.)", r"\1", match["text"])
        start = length + len(before)
        length = start + len(piece)
        if match["label"]:
            spans.append(Span(start, length, match["label"]))
        text += (before, piece)
    return "".join([*text, line[at:]]), spans


def parse_inline(lines: Iterable[str], source: str, part: str | None = None) -> Corpus:
    """Read annotated sentences, cut into tokens, as a corpus tagged in IOB2.

    part: read only the documents whose header names it. Errors: CorpusError with file:line for a
    stray bracket, an entity whose border lies within a token, or nothing to read.
    """
    words = Interner()
    word_ids: list[int] = []
    line_numbers: list[int] = []
    starts, documents = [0], [0]
    labels = Interner()
    found: list[tuple[int, int, int]] = []
    wanted = part is None
    for number, line in enumerate(lines, 1):
        if line.startswith(_HEADER):
            if len(starts) - 1 > documents[-1]:
                documents.append(len(starts) - 1)
            wanted = part is None or document_fields(line).get("part") == part
            continue
        if not wanted or not line or line.isspace():
            continue
        place = f"{source}:{number}"
        text, spans = from_inline(line, place)
        tokens = tokenize(text)
        first = len(word_ids)
        opening = {start: i for i, (start, _) in enumerate(tokens)}
        closing = {end: i for i, (_, end) in enumerate(tokens)}
        for start, end, label in spans:
            if start not in opening or end not in closing:
                raise CorpusError(
                    f'{place}: found the entity "{text[start:end]}" with a border inside a token, '
                    "expected whole tokens; move the border, or part the words by a blank"
                )
            found.append((first + opening[start], first + closing[end] + 1, labels[label]))
        word_ids += [words[text[a:b]] for a, b in tokens]
        line_numbers += [number] * len(tokens)
        starts.append(len(word_ids))
    if len(starts) - 1 > documents[-1]:
        documents.append(len(starts) - 1)
    if not word_ids:
        which = f"no document of part {part}" if part else "no sentence"
        raise CorpusError(f"{source}: found {which}, expected sentences with [words](LABEL)")

    sentence_starts = np.array(starts, dtype=np.int64)
    columns = np.array(found, dtype=np.int64).reshape(-1, 3)
    spans_found = TagSpans(
        columns[:, 0], columns[:, 1], columns[:, 2].astype(np.int32), list(labels)
    )
    tags = tag_names(list(labels), "iob2")
    return Corpus(
        source=source,
        words=list(words),
        word_ids=np.array(word_ids, dtype=np.int32),
        tags=tags,
        tag_ids=tags_of(spans_found, sentence_starts, tags, "iob2"),
        sentence_starts=sentence_starts,
        document_starts=np.array(documents, dtype=np.int64),
        line_numbers=np.array(line_numbers, dtype=np.int32),
        layout="inline annotation",
    )


def document_fields(header: str) -> dict[str, str]:
    """Read a document's header line: `# id: a01  part: train` gives {"id": "a01", "part": "train"}."""
    pairs = (
        entry.partition(":") for entry in re.split(r"\s{2,}", header.removeprefix("#").strip())
    )
    return {key.strip(): value.strip() for key, _, value in pairs}


def corpus_to_inline(corpus: Corpus, spans: TagSpans) -> Iterator[str]:
    """Yield a corpus' sentences in lines, words divided by blanks, a blank line between documents."""
    all_spans = iter([*spans.as_list(), Span(corpus.tokens, corpus.tokens, "")])
    span = next(all_spans)
    document_ends = set(corpus.document_starts[1:-1].tolist())
    for i, sentence in enumerate(corpus.sentence_words()):
        if i in document_ends:
            yield "\n"
        start, end = corpus.sentence_starts[i : i + 2].tolist()
        own = []
        while span.start < end:
            own.append(Span(span.start - start, span.end - start, span.label))
            span = next(all_spans)
        yield to_inline(sentence, own) + "\n"
