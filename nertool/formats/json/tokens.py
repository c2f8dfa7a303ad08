"""The tokens and sentences that a JSON record gives: their places in its text."""

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
    """Return the keys of tokens that are not read, such as Prodigy's disabled and style."""
    keys: set[str] = set()
    for token in tokens:
        if isinstance(token, dict):
            keys.update(token)
    return sorted(keys - {"text", "start", "end", "id", "ws"})


def count_outside(text: str, tokens: Sequence[tuple[int, int]], place: str, ledger: Ledger) -> None:
    """Count words that are no token: of such a text, the tokens alone are read."""
    inside = sum(end - start for start, end in tokens)
    if inside == len("".join(text.split())):
        return  # as long as all that is no blank; a token that holds blanks takes the long way
    at, left = 0, ""
    for start, end in [*tokens, (len(text), len(text))]:
        left = left or text[at:start].strip()
        at = end
    if left:
        ledger.alter(
            place, "texts with words outside all tokens, of which the tokens are used", left[:60]
        )


def token_places(tokens: Any, text: str, place: str) -> list[tuple[int, int]] | None:
    """Read the places of tokens: [start, end] each, or {"start", "end"} as Prodigy writes them."""
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
    """Read the numbers of the sentences' first tokens. spaCy has tokens of blanks alone, which are counted
    there, and not in the result: they are no words."""
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
    """Return the number of each sentence's first token, for tokens that come without sentences."""
    starts = [start for start, _ in tokens]
    bounds = [
        bound
        for bound in sentence_bounds(text, language)[1:-1]
        if not any(span.start < bound < span.end for span in spans)
    ]
    return list(dict.fromkeys([0, *(bisect_left(starts, bound) for bound in bounds)]))
