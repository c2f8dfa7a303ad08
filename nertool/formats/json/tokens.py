"""Read the tokens and sentences of a JSON record, as positions in its text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger
from nertool.corpus.sentences import sentence_bounds
from nertool.errors import CorpusError


def further_keys(tokens: Sequence[Any]) -> list[str]:
    """Return the keys of token objects that nertool ignores, such as Prodigy's disabled and style."""
    keys: set[str] = set()
    for token in tokens:
        if isinstance(token, dict):
            keys.update(token)
    return sorted(keys - {"text", "start", "end", "id", "ws"})


def count_outside(text: str, tokens: Sequence[tuple[int, int]], place: str, ledger: Ledger) -> None:
    """Count a text that has words outside its tokens: these words are not read."""
    inside = sum(end - start for start, end in tokens)
    if inside == len("".join(text.split())):
        return  # the tokens are as long as the text without whitespace: the usual case
    at, left = 0, ""
    for start, end in [*tokens, (len(text), len(text))]:
        left = left or text[at:start].strip()
        at = end
    if left:
        ledger.alter(
            place, "texts with words outside all tokens, of which the tokens are used", left[:60]
        )


def token_places(tokens: Any, text: str, place: str) -> list[tuple[int, int]] | None:
    """Read the positions of tokens: [start, end], or {"start", "end"} as Prodigy writes them.

    None if the tokens are not given by position. Errors: CorpusError for positions outside the text or out of
    order.
    """
    if not isinstance(tokens, list) or any(isinstance(token, str) for token in tokens):
        return None
    places = []
    at = 0
    for token in tokens:
        if type(token) is list and len(token) == 2:
            start, end = token
        elif isinstance(token, dict):
            start, end = token.get("start"), token.get("end")
        else:
            return None
        if type(start) is not int or type(end) is not int or not at <= start < end <= len(text):
            raise CorpusError(
                f"{place}: found a token at {start}–{end}, expected places within the text, each after "
                "the one before"
            )
        places.append((start, end))
        at = end
    return places


def sentence_starts(
    sentences: Any, tokens: Sequence[tuple[int, int]], text: str, place: str, words_alone: int
) -> list[int] | None:
    """Read the number of each sentence's first token. None if the record has no sentences.

    spaCy also numbers tokens of whitespace. The result does not, because they are not words. words_alone: the
    number of tokens that are words. Errors: CorpusError for numbers that are not ascending from 0.
    """
    if sentences is None:
        return None
    rising = isinstance(sentences, list) and all(type(at) is int for at in sentences)
    if (
        not rising
        or sorted(sentences) != sentences
        or sentences[:1] not in ([], [0])
        or max(sentences, default=0) > len(tokens)
    ):
        raise CorpusError(
            f'{place}: "sentences": expected the numbers of their first tokens, from 0 and rising'
        )
    if words_alone == len(tokens):
        return list(sentences)
    words = [not text[start:end].isspace() for start, end in tokens]
    before = list(accumulate(words, initial=0))
    return [before[at] for at in sentences]


def found_sentences(
    text: str, tokens: Sequence[tuple[int, int]], spans: Sequence[Span], language: str
) -> list[int]:
    """Detect the sentences of a text with given tokens. Returns the number of each sentence's first token.

    A boundary within an entity is ignored.
    """
    starts = [start for start, _ in tokens]
    bounds = [
        bound
        for bound in sentence_bounds(text, language)[1:-1]
        if not any(span.start < bound < span.end for span in spans)
    ]
    return list(dict.fromkeys([0, *(bisect_left(starts, bound) for bound in bounds)]))
