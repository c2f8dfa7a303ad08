"""The explanation of one token's tag, for programs, people and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nertool.corpus.schemes import split_tag
from nertool.errors import did_you_mean
from nertool.explain.explanation import Explanation, as_dict, explain
from nertool.explain.html import page
from nertool.explain.pieces import tag_scores
from nertool.explain.text import lines_of
from nertool.inputs.text import Text, text_of
from nertool.model.model import Model


class TokenExplanation:
    """The explanation of a token's tag. Print it, show it in a notebook, or use its `explanation`."""

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation

    def __str__(self) -> str:
        return "\n".join(lines_of(self.explanation, False))

    def __repr__(self) -> str:
        known = self.explanation
        return f"<TokenExplanation: {known.sentence[known.token]} is {known.tag}>"

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as a dict for JSON, as `nertool explain --json` prints it."""
        return as_dict(self.explanation)

    def to_html(self, full: bool = False) -> str:
        """Return a self-contained HTML page, with every number if full is True."""
        return page(self.explanation, full)

    def _repr_html_(self) -> str:
        """Return the page in an iframe, for notebooks."""
        source = self.to_html().replace("&", "&amp;").replace('"', "&quot;")
        return f'<iframe srcdoc="{source}" style="width:100%;height:40em;border:0"></iframe>'


def explain_token(
    model: Model,
    sentences: Sequence[Sequence[str]],
    word: str | int,
    label: str | None,
    member: int,
) -> TokenExplanation:
    """Explain a token of a document that is split into sentences. See Tagger.explain."""
    words = [token for sentence in sentences for token in sentence]
    if isinstance(word, str):
        if word not in words:
            raise ValueError(f"found no token {word!r}{did_you_mean(word, words)}")
        word = words.index(word)
    if not 0 <= word < len(words):
        raise ValueError(f"found token number {word}, expected one from 0 to {len(words) - 1}")
    if not 1 <= member <= len(model.members):
        raise ValueError(f"found member {member}, expected one from 1 to {len(model.members)}")
    text = text_of(sentences, np.array([0, len(sentences)]))
    tag = None if label is None else tag_of(model, label, text, word, member)
    return TokenExplanation(explain(model, text, word, tag, None, member))


def tag_of(model: Model, label: str, text: Text, token: int, member: int) -> str:
    """Return the tag that `label` names. For a label, that is the one of its tags with the highest score."""
    if label in model.tags:
        return label
    tags = [i for i, tag in enumerate(model.tags) if split_tag(tag)[1] == label]
    if not tags:
        known = ["O", *model.labels]
        raise ValueError(
            f"found the label {label}, expected one of {', '.join(known)}{did_you_mean(label, known)}"
        )
    s = tag_scores(explain(model, text, token, member=member).steps.s)
    return model.tags[max(tags, key=lambda i: float(s[i]))]
