"""Words with their tags: word/TAG, word|TAG, word_TAG or word|POS|TAG, one sentence per line.

```
Ada/B-PER Lovelace/I-PER met/O me/O ./O
Charles/B-PER left/O ./O
```

The tag follows the last separator. Blank lines separate documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from nertool.corpus.annotated import views, with_records
from nertool.corpus.ledger import Ledger, pass_over
from nertool.corpus.record import Reading, Record, joined
from nertool.corpus.schemes import checked_tag
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing, tags_in
from nertool.formats.conll.find import looks_like_tag
from nertool.formats.head import Head
from nertool.formats.plain.lines import numbered_lines
from nertool.formats.writable import check_labels, with_labels, with_words

_SIGNS = "|/_"
_NOT_IN_LABEL = re.compile(r"[\s/|]+")
_NOT_IN_WORD = re.compile(r"\s+")
_MARK = re.compile("^\ufeff+")  # a byte-order mark, at the file's beginning
_BARE = re.compile(r"[A-Z][A-Z_]*\Z")


def detect(head: Head) -> str | None:
    """Recognise lines in which at least 80 % of the words end with the same separator and a tag.

    At least one of the tags must be O.
    """
    lines = [words for line in head.lines[:200] if (words := line.split())]
    if len(lines) > 1 and all(len(words) == 1 for words in lines):
        return None  # one word per line: it is unclear whether each line is a sentence
    sign = _sign([word for words in lines for word in words[:200]])
    return None if sign is None else f"words with their tags, as in word{sign}TAG"


def _sign(words: Sequence[str]) -> str | None:
    if len(words) < 2:
        return None
    for sign in _SIGNS:
        tags = [word.rpartition(sign)[2] for word in words if word.rpartition(sign)[0]]
        alike = sum(looks_like_tag(tag) or bool(_BARE.match(tag)) for tag in tags)
        if "O" in tags and alike >= 0.8 * len(words):
            return sign
    return None


def _written_sign(entries: Sequence[str]) -> str:
    """Return the first separator that precedes a tag in every word: "/" in x|y/O, because y/O is no tag."""
    for sign in _SIGNS:
        cut = [entry.rpartition(sign) for entry in entries]
        if all(word and (looks_like_tag(tag) or _BARE.match(tag)) for word, _, tag in cut):
            return sign
    return "/"


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each line as a record.

    Errors: CorpusError with file:line for a word without a tag.
    """
    goes_on = False
    sign: str | None = None
    parts = 0
    for number, line, _ in numbered_lines(stream, source):
        entries = line.split()
        if not entries:
            goes_on = False
            continue
        if sign is None:
            sign = _sign(entries) or _written_sign(entries)
            # In word|POS|TAG, all words have the same number of separators.
            counts = {entry.count(sign) for entry in entries}
            parts = counts.pop() if len(counts) == 1 and sign == "|" else 1
        place = f"{source}:{number}"
        try:
            words, tags = _parts(entries, sign, parts, reading, place)
        except CorpusError as fault:
            pass_over(fault, place, reading.pass_over_faulty, ledger, "lines that can't be read")
            continue
        text, places = joined(words)
        labels = tags if reading.with_labels else None
        yield Record(text, number, tags=labels, tokens=places, goes_on=goes_on, own_text=False)
        goes_on = True


def _parts(
    entries: Sequence[str], sign: str, parts: int, reading: Reading, place: str
) -> tuple[list[str], list[str]]:
    """Return the words and tags of a line's entries. parts: the number of separators to split at."""
    words, tags = [], []
    for entry in entries:
        word, _, tag = entry.rpartition(sign)
        word = word.rsplit(sign, parts - 1)[0] if parts > 1 else word
        try:
            if not word:
                raise CorpusError(f'found "{entry}", expected word{sign}TAG; correct the line')
            if tag != reading.outside:
                tag = checked_tag(tag, reading.class_name)
        except CorpusError as error:
            raise CorpusError(f"{place}: {error}") from None
        words.append(word)
        tags.append(tag)
    return words, tags


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write one sentence per line as word/TAG, with a blank line between documents."""
    first = True
    for given in pieces:
        piece = with_words(with_labels(given, _NOT_IN_LABEL, ledger), _NOT_IN_WORD, "_", ledger)
        piece = with_words(piece, _MARK, "", ledger)
        check_labels(piece, writing.scheme)
        tags = tags_in(piece, writing.scheme, ledger)
        corpus = with_records(piece.corpus, by_sentence=False)
        before = None
        for view in views(piece._replace(corpus=corpus)):
            if view.document != before:
                yield "" if first else "\n"
                before, first = view.document, False
            ids = corpus.word_ids[view.first : view.first + len(view.words)].tolist()
            entries = [f"{corpus.words[n]}/{tags[view.first + i]}" for i, n in enumerate(ids)]
            for start, end in view.sentences:
                yield " ".join(entries[start:end]) + "\n"
