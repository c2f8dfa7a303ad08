"""CoNLL columns: one token per line with its tag, and blank lines between sentences.

```
-DOCSTART- O

Ada B-PER
met O
Charles B-PER
Babbage I-PER
```

There may be any number of other columns. find.py detects the columns, and parse.py reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from nertool.corpus.blocks import is_blank
from nertool.corpus.columnar import Corpus, Ids
from nertool.corpus.ledger import Ledger
from nertool.corpus.schemes import tag_names, tags_of
from nertool.corpus.tokens import tokenize
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing, count_merged, token_probabilities
from nertool.formats.conll.find import (
    divided_by,
    holds_texts,
    looks_like_tag,
    other_blanks,
    tag_share,
)
from nertool.formats.conll.rows import DOCUMENT_START, find_layout, is_document_start, sign_name
from nertool.formats.foreign import unread_markup
from nertool.formats.head import Head
from nertool.formats.writable import LINE_SIGNS, check_labels, with_labels, with_words

_NOT_IN_LABEL = re.compile(r"[\t\n\r]+|^\s+|\s+$|\s*=\s")
# Parts of a word that would be read as a document mark, a comment or a byte-order mark.
_NOT_A_WORD = re.compile(
    r'^-(?=DOCSTART-(?:[,;|]|$))|^"(?=-DOCSTART-"(?:[,;]|$))|^#(?=begin document)|^#\s+(?=\w+\s*=)|^\ufeff+'
)


def detect(head: Head) -> str | None:
    """Recognise rows with an equal number of columns, and other signs of columns. Returns a description."""
    lines: Sequence[str] = head.lines
    if comment := head.reading.comment:
        lines = [line for line in lines if not line.startswith(comment)]
    if any(is_document_start(line) for line in lines):
        return "CoNLL columns (-DOCSTART-)"
    layout = find_layout(lines)
    if layout is None:
        return None
    tokens = [line for line in lines if not is_blank(line)]
    plain = [line for line in tokens if not line.startswith("#")]
    if not plain:
        return None
    width = layout.width
    rows = [layout.split(line) for line in plain]
    even = [row for row in rows if len(row) >= width and not any(row[width:])]
    all_even, several = len(even) == len(rows), len(rows) > 1
    described = f"CoNLL columns ({width} column{'s' * (width != 1)})"
    for sign in (*",;|", *other_blanks(plain)):
        if divided_by(sign, plain):
            return f"CoNLL columns separated by {sign_name(sign)}"
    # In a single row, only the last column counts: any word of a sentence may look like a tag (B-52, E-1043).
    candidates = range(1, width) if several else range(width - 1, width)
    tagged = max((tag_share([row[c] for row in even]) for c in candidates if c), default=0.0)
    if tagged < 0.9 and unread_markup(head.text, plain):
        return None
    if all_even and layout.delimiter == "\t":
        return None if tagged < 0.9 and holds_texts(rows, layout) else described
    if all_even and several and width == 1 and len(tokens) == len(plain) and not _are_texts(plain):
        return "CoNLL columns (a word a line)"
    if width > 1 and all_even and (tagged == 1 or (several and len(tokens) < len(lines))):
        return described
    # Some rows have a wrong number of columns. It is better to report them than to read them as plain text.
    if width > 1 and several and 2 * len(even) >= len(rows) and tagged >= 0.9:
        return described
    ends = sum(looks_like_tag(row[-1]) for row in rows)
    if several and len({len(row) for row in rows}) < 4 and ends > 0.9 * len(rows):
        return described
    return None


# The mean number of tokens of a row in Chinese and Japanese, whose words have 1 to 3, and in Thai, whose
# words have 3 to 6, since a letter with its marks is a token.
_TEXT_TOKENS, _TEXT_SYLLABLES = 5, 10
_TEXT_ENDS = 0.5  # the share of rows that have several tokens and end like sentences
_END = re.compile(r"[。！？…។။][」』”’）)\"']*$")
_SAMPLE = 200  # rows, and characters of a row


def _are_texts(rows: Sequence[str]) -> bool:
    """Tell whether rows without blanks are texts rather than words.

    Chinese, Japanese and Thai have no blanks between words, so that a whole sentence may be one piece.
    """
    sample = [row[:_SAMPLE].strip() for row in rows[:_SAMPLE]]
    if all(row.isascii() for row in sample):
        return False
    counts = [len(tokenize(row)) for row in sample]
    ends = sum(n > 1 and bool(_END.search(row)) for n, row in zip(counts, sample, strict=True))
    most = (
        _TEXT_TOKENS if any("\u3040" <= row[:1] <= "\u9fff" for row in sample) else _TEXT_SYLLABLES
    )
    return sum(counts) > most * len(sample) or ends >= _TEXT_ENDS * len(sample)


def conll_delimiter(corpus: Corpus, tags: Sequence[str]) -> str:
    """Return the delimiter for writing a corpus: a space, or a tab if a word or a tag contains a space."""
    return "\t" if any(" " in entry for entry in (*corpus.words, *tags)) else " "


def corpus_to_conll(
    corpus: Corpus,
    tags: Sequence[str],
    tag_ids: Ids,
    marks: bool | None = None,
    delimiter: str | None = None,
) -> Iterator[str]:
    """Yield a corpus as lines of a word and its tag.

    tags: the distinct tags. tag_ids (N,): the tag of each token. marks: whether a line -DOCSTART- begins each
    document. None: only if there are several. delimiter: what stands between columns. None: conll_delimiter
    chooses it.
    """
    delimiter = conll_delimiter(corpus, tags) if delimiter is None else delimiter
    marks = corpus.documents > 1 if marks is None else marks
    document_starts = set(corpus.document_starts[:-1].tolist()) if marks else set()
    at = 0
    for i, sentence in enumerate(corpus.sentence_words()):
        if i in document_starts:
            yield delimiter.join((DOCUMENT_START, "-X-", "O", "O")) + "\n\n"
        sentence_tags = [tags[tag] for tag in tag_ids[at : at + len(sentence)]]
        at += len(sentence)
        rows = zip(sentence, sentence_tags, strict=True)
        yield "".join([f"{word}{delimiter}{tag}\n" for word, tag in rows]) + "\n"


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write one word per line with its tag, and the probability of its entity if it is known."""
    for given in pieces:
        piece = with_labels(given, _NOT_IN_LABEL, ledger)
        check_labels(piece, writing.scheme)
        odd = [n for n in piece.spans.label_names if not any(c.isalpha() for c in n)]
        if odd:
            raise CorpusError(
                f'{piece.corpus.source}: found the label "{odd[0]}", which has no letter, so that its tags '
                "would not be taken for tags; rename it, or choose another format (jsonl)"
            )
        piece = with_words(piece, LINE_SIGNS, " ", ledger)
        piece = with_words(piece, _NOT_A_WORD, "", ledger)
        corpus = piece.corpus
        names = tag_names(piece.spans.label_names, writing.scheme)
        count_merged(piece, names, writing.scheme, ledger)
        tag_ids = tags_of(piece.spans, corpus.sentence_starts, names, writing.scheme)
        delimiter = conll_delimiter(corpus, names)
        if piece.probabilities is not None:
            sure = token_probabilities(piece)
            names = [f"{names[i]}{delimiter}{p}" for i, p in zip(tag_ids, sure, strict=True)]
            tag_ids = np.arange(len(names), dtype=np.int32)
        yield from corpus_to_conll(corpus, names, tag_ids, writing.marks, delimiter)
