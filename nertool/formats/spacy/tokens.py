"""Convert between records and spaCy's documents as JSON (Doc.to_json), with tokens as spaCy needs them.

In spaCy, a text is the concatenation of its tokens, each followed by one space or by nothing. So other
whitespace, such as a line end, is a token of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

SPACY = "spacy"  # the key under which a document's other annotation is kept


class SpacyTokens(NamedTuple):
    """A text's tokens as spaCy needs them.

    tokens: (start, end, whether a space follows). They cover the whole text. numbers: for each token that is
    a word, its index in `tokens`.
    """

    tokens: list[tuple[int, int, bool]]
    numbers: list[int]


def spacy_tokens(text: str, places: Sequence[tuple[int, int]]) -> SpacyTokens:
    """Convert tokens to spaCy's: what lies between them becomes tokens, too.

    One space belongs to the token before it. The other characters between two tokens are one token. places:
    (start, end) of each token in the text.
    """
    tokens: list[tuple[int, int, bool]] = []
    numbers = []
    at = 0
    nexts = [*(start for start, _ in places), len(text)][1:]
    for (start, end), following in zip(places, nexts, strict=True):
        if start > at:
            tokens.append((at, start, False))
        numbers.append(len(tokens))
        blank = end < following and text[end] == " "
        tokens.append((start, end, blank))
        at = end + blank
    if at < len(text):
        tokens.append((at, len(text), False))
    return SpacyTokens(tokens, numbers)


def first_tokens(cut: SpacyTokens, sentences: Sequence[tuple[int, int]]) -> list[int]:
    """Return the number of each sentence's first token. Whitespace before the first word belongs to it."""
    return [0 if i == 0 else cut.numbers[start] for i, (start, _) in enumerate(sentences)]


def is_doc(value: dict[str, Any]) -> bool:
    """Tell whether a JSON object is a document as Doc.to_json returns it."""
    tokens = value.get("tokens")
    if not isinstance(value.get("text"), str):
        return False
    if "ents" in value:
        return True
    first = tokens[0] if isinstance(tokens, list) and tokens else None
    return isinstance(first, dict) and {"id", "start", "end"} <= first.keys() and "sents" in value


def from_doc(value: dict[str, Any]) -> dict[str, Any]:
    """Convert a document of Doc.to_json to the usual keys of records.

    Annotation that nertool does not use, such as lemmas and span groups, is kept under the key "spacy".
    """
    known = ("text", "ents", "tokens", "sents")
    out: dict[str, Any] = {"text": value["text"]}
    kept: dict[str, Any] = {}
    if isinstance(value.get("cats"), dict) and value["cats"]:
        kept["cats"] = value["cats"]
    if isinstance(value.get("spans"), dict):
        kept["spans"] = value["spans"]
    tokens = value.get("tokens")
    if isinstance(tokens, list) and tokens and all(isinstance(t, dict) for t in tokens):
        out["tokens"] = [{"start": t.get("start"), "end": t.get("end")} for t in tokens]
        if any(set(token) - {"id", "start", "end"} for token in tokens):
            kept["tokens"] = tokens
        sentences = _starts(out["tokens"], value.get("sents"))
        if sentences:
            out["sentences"] = [0, *sentences[1:]]
    rest = {k: v for k, v in value.items() if k not in (*known, *kept)}
    if "ents" in value:
        out["entities"] = value["ents"]
    return {**rest, **({SPACY: kept} if kept else {}), **out}


def _starts(tokens: list[dict[str, Any]], sents: Any) -> list[int] | None:
    """Return the number of each sentence's first token, or None if the sentences don't match the tokens."""
    number = {token["start"]: i for i, token in enumerate(tokens)}
    if not isinstance(sents, list) or not all(isinstance(s, dict) for s in sents):
        return None
    found = [number.get(sent.get("start")) for sent in sents]
    whole = [i for i in found if i is not None]
    return whole if len(whole) == len(found) and whole == sorted(whole) else None
