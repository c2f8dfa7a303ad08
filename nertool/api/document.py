"""The documents of the Python API: a text with its tokens, sentences and entities."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nertool.corpus.annotated import Annotated, RecordView, views, with_records
from nertool.corpus.schemes import OUTSIDE, SCHEMES
from nertool.formats.json.objects import plain_object
from nertool.pages.page import escaped

_HUES = (210, 30, 120, 280, 0, 60, 170, 330)  # colours of the labels, in their order


@dataclass(frozen=True)
class Token:
    """A token of a document.

    The token is text[start:end] of the document's text; start and end count characters.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Entity:
    """A named entity in a document's text.

    - text: the characters from start to end (exclusive) of the document's text.
    - label: the class of the entity.
    - probability: the probability that exactly this entity is there; None if it was read from a file.
    - tokens: the indices of its tokens in the document, as a range.
    """

    text: str
    label: str
    start: int
    end: int
    probability: float | None
    tokens: range

    def __str__(self) -> str:
        return f"{self.text} ({self.label})"


@dataclass(frozen=True)
class Document:
    """A text with its tokens, sentences and entities.

    - text: the text, unchanged.
    - tokens: its tokens, in order.
    - sentences: a range of token indices for each sentence.
    - entities: its entities, in order, without overlaps.
    - fields: the other fields of the record from which the text was read.
    - details: a dict for each sentence, if n_best or marginals were requested. n_best has the most probable
      analyses with their probabilities; their entities count tokens of the sentence. marginals has each
      token's distribution over the tags.
    """

    text: str
    tokens: list[Token]
    sentences: list[range]
    entities: list[Entity]
    fields: dict[str, Any] = field(default_factory=dict)
    details: list[dict[str, Any]] = field(default_factory=list)
    _view: RecordView | None = field(default=None, repr=False, compare=False)

    def __iter__(self) -> Iterator[Entity]:
        """Yield the entities."""
        return iter(self.entities)

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.tokens)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        text = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        found = ", ".join(map(str, self.entities[:8])) + (", ..." if len(self.entities) > 8 else "")
        return f"<Document {json.dumps(text, ensure_ascii=False)}: {found or 'no entities'}>"

    def to_dict(self, tokens: bool = False) -> dict[str, Any]:
        """Return the document as `nertool predict --to jsonl` writes it: fields, text and entities.

        With tokens=True, it also has the positions of tokens and sentences.
        """
        assert self._view is not None
        return plain_object(self._view, tokens)

    def to_json(self, tokens: bool = False) -> str:
        """Return the result of to_dict as one line of JSON, without a line end."""
        return json.dumps(self.to_dict(tokens), ensure_ascii=False)

    def tags(self, scheme: str = "iob2") -> list[str]:
        """Return the tag of each token in a tag scheme: io, iob1, iob2 or bioes.

        Raises ValueError for another scheme.
        """
        if scheme not in SCHEMES:
            raise ValueError(f"found the scheme {scheme!r}, expected one of {', '.join(SCHEMES)}")
        out = [OUTSIDE] * len(self.tokens)
        before: Entity | None = None
        for entity in self.entities:
            first, last = entity.tokens[0], entity.tokens[-1]
            joins = before is not None and before.tokens.stop == first
            beside = joins and before is not None and before.label == entity.label
            for i in entity.tokens:
                out[i] = f"{_prefix(scheme, i == first, i == last, beside)}{entity.label}"
            before = entity
        return out

    def to_conll(self, scheme: str = "iob2") -> str:
        """Return the document in CoNLL columns: one token and its tag per line, a blank line after each
        sentence."""
        tags = self.tags(scheme)
        lines = []
        for sentence in self.sentences:
            lines += [f"{self.tokens[i].text} {tags[i]}\n" for i in sentence]
            lines.append("\n")
        return "".join(lines)

    def _repr_html_(self) -> str:
        """Return the text with its entities marked, for notebooks."""
        hues = {
            label: _HUES[i % 8] for i, label in enumerate(sorted({e.label for e in self.entities}))
        }
        out, at = [], 0
        for entity in self.entities:
            style = f"background:hsl({hues[entity.label]} 75% 50% / .22);border-radius:.25em"
            sure = "" if entity.probability is None else f"{100 * entity.probability:.0f} %"
            out.append(escaped(self.text[at : entity.start]))
            out.append(
                f'<mark style="{style};padding:.1em .25em;color:inherit" title="{sure}">'
                f"{escaped(entity.text)}"
                f'<small style="opacity:.7;margin-left:.4em">{escaped(entity.label)}</small></mark>'
            )
            at = entity.end
        out.append(escaped(self.text[at:]))
        return f'<div style="white-space:pre-wrap;line-height:1.8">{"".join(out)}</div>'


def _prefix(scheme: str, first: bool, last: bool, beside: bool) -> str:
    """Return the prefix before an entity's label. beside: an entity of the same class ends directly before
    it."""
    if scheme == "bioes":
        return {(True, True): "S-", (True, False): "B-", (False, True): "E-"}.get(
            (first, last), "I-"
        )
    if scheme == "io":
        return "I-"
    return "B-" if first and (scheme == "iob2" or beside) else "I-"


def documents_of(annotated: Annotated) -> Iterator[Document]:
    """Yield each record of an annotated corpus as a document."""
    corpus = with_records(annotated.corpus, by_sentence=False)
    for view in views(annotated._replace(corpus=corpus)):
        yield document_of(view)


def document_of(view: RecordView) -> Document:
    """Return a record as a document."""
    tokens = [
        Token(word, start, end) for word, (start, end) in zip(view.words, view.places, strict=True)
    ]
    entities = [
        Entity(
            view.text[e.start : e.end],
            e.label,
            e.start,
            e.end,
            e.probability,
            range(e.token_start, e.token_end),
        )
        for e in view.entities
    ]
    sentences = [range(a, b) for a, b in view.sentences]
    return Document(view.text, tokens, sentences, entities, view.fields, list(view.extras), view)
