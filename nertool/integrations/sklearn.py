"""A scikit-learn estimator. Needs the extra `sklearn`.

from nertool.sklearn import NerTagger

tagger = NerTagger(epochs=20).fit([["Ada", "left", "London"]], [["B-PER", "O", "B-LOC"]])
tagger.predict([["Paris"]])
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from nertool.api.document import Document
from nertool.api.functions import train
from nertool.api.tagger import PathLike, Tagger, load
from nertool.corpus.schemes import OUTSIDE, find_scheme
from nertool.errors import NertoolError
from nertool.evaluation.scores import score_tags
from nertool.model.save import save_model

Tokens = Sequence[str]
Span = tuple[int, int, str]

# The estimator's parameters that are keys of the config.
_KEYS = {
    "vectors": "vectors.path",
    "window": "windows.size",
    "hidden": "network.hidden",
    "epochs": "training.epochs",
    "alpha": "training.alpha",
    "batch_size": "training.batch_size",
    "seed": "seed",
}


class NerTagger(BaseEstimator):  # type: ignore[misc]
    """A named-entity recogniser as a scikit-learn estimator.

    X is a list of token lists, one per sentence, and y a list of tag lists (in any scheme). Or X is a list of
    texts, and y a list of lists of (start, end, label), in characters.

    config: further config keys, as a dict such as {"features": {"affixes": 6}}. None chooses a recipe for the
    text (docs/recipes.md). vectors: a file of word vectors. window, hidden, epochs, alpha, batch_size: as in
    the config; None for the value of the config or recipe.

    Attributes after fit: tagger_ (a nertool.Tagger), classes_ (the network's tags), history_ (a record per
    epoch), on_texts_ (whether X was a list of texts), scheme_ (the tag scheme of y and of the predicted
    tags).
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        vectors: PathLike | None = None,
        window: int | None = None,
        hidden: int | None = None,
        epochs: int | None = None,
        alpha: float | None = None,
        batch_size: int | None = None,
        seed: int = 1,
    ) -> None:
        self.config = config
        self.vectors = vectors
        self.window = window
        self.hidden = hidden
        self.epochs = epochs
        self.alpha = alpha
        self.batch_size = batch_size
        self.seed = seed

    def fit(self, X: Sequence[str] | Sequence[Tokens], y: Sequence[Sequence[Any]]) -> NerTagger:
        """Train on texts or token lists. Errors: ValueError if X and y don't fit together; NertoolError."""
        X, y = list(X), list(y)
        if len(X) != len(y):
            raise ValueError(f"found {len(X)} texts and {len(y)} lists of labels, expected as many")
        if not X:
            raise ValueError("found no text, expected at least one to learn from")
        self.on_texts_ = _are_texts(X)
        records = [
            _record(text, labels, i) for i, (text, labels) in enumerate(zip(X, y, strict=True))
        ]
        with tempfile.TemporaryDirectory(prefix="nertool-sklearn-") as folder:
            path = Path(folder) / "train.jsonl"
            lines = [json.dumps(record, ensure_ascii=True) for record in records]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            try:
                run = train(self._config(path))
            except NertoolError as error:
                raise type(error)(_in_X(str(error), path)) from None
            self.tagger_ = run.tagger
            self.history_ = run.history
        self.classes_ = np.array(self.tagger_.model.tags)
        self.scheme_ = "iob2" if self.on_texts_ else _scheme_of(y)
        return self

    def _config(self, path: Path) -> dict[str, Any]:
        tree: dict[str, Any] = {"recipe": "auto"} if self.config is None else {}
        for key, value in (self.config or {}).items():
            tree[key] = dict(value) if isinstance(value, Mapping) else value
        tree.setdefault("corpus", {}).update({"train": str(path), "format": "jsonl"})
        for name, key in _KEYS.items():
            value = getattr(self, name)
            section, _, entry = key.partition(".")
            if value is not None and entry:
                value = str(value) if isinstance(value, Path) else value
                tree.setdefault(section, {})[entry] = value
            elif value is not None:
                tree[section] = value
        return tree

    def predict(self, X: Sequence[str] | Sequence[Tokens]) -> list[list[Any]]:
        """Return a list of tags for each list of tokens, or a list of (start, end, label) for each text."""
        check_is_fitted(self, "tagger_")
        X = list(X)
        if _are_texts(X):
            return [[(e.start, e.end, e.label) for e in doc] for doc in self.tagger_.pipe(X)]  # type: ignore[arg-type]
        return [self._document(tokens).tags(self.scheme_) for tokens in X]

    def predict_proba(self, X: Sequence[str] | Sequence[Tokens]) -> list[NDArray[np.float64]]:
        """Return for each text an array (tokens, tags): each token's distribution over classes_.

        The distribution is conditional on the whole sentence. Probabilities below 0.001 are 0, and rows are
        normalised to add up to 1.
        """
        check_is_fitted(self, "tagger_")
        number = {tag: i for i, tag in enumerate(self.classes_.tolist())}
        out = []
        for text in X:
            document = self._document(text, marginals=True)
            p = np.zeros((len(document), len(number)))
            for sentence, details in zip(document.sentences, document.details, strict=True):
                for i, shares in zip(sentence, details["marginals"], strict=True):
                    for tag, share in shares.items():
                        p[i, number[tag]] = share
            out.append(p / p.sum(axis=1, keepdims=True) if len(p) else p)
        return out

    def score(self, X: Sequence[str] | Sequence[Tokens], y: Sequence[Sequence[Any]]) -> float:
        """Return the F1 of whole entities, computed as in conlleval."""
        X, y, predicted = list(X), list(y), self.predict(X)
        if not _are_texts(X):
            return _f1_of_tags(y, predicted)
        gold = {(i, *map(_plain, span)) for i, spans in enumerate(y) for span in spans}
        found = {(i, *span) for i, spans in enumerate(predicted) for span in spans}
        total = len(gold) + len(found)
        return 2 * len(gold & found) / total if total else 0.0

    def save(self, path: PathLike) -> None:
        """Write the model to a folder, for nertool.load and the command line."""
        check_is_fitted(self, "tagger_")
        save_model(self.tagger_.model, Path(path))

    @staticmethod
    def load(path: PathLike) -> Tagger:
        """Load a saved model, as nertool.load does."""
        return load(path)

    def _document(self, text: str | Tokens, marginals: bool = False) -> Document:
        if isinstance(text, str):
            return self.tagger_(text, marginals=marginals)
        return self.tagger_.tag_tokens([list(text)], marginals=marginals)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's estimator tags: X is text, not a two-dimensional array, and y is required."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.target_tags.required = True
        tags.no_validation = True
        return tags


def _are_texts(X: Sequence[Any]) -> bool:
    """Tell whether X is a list of texts, rather than of token lists. Errors: TypeError for a mixture or other
    types."""
    texts = [isinstance(x, str) for x in X]
    if any(texts) and not all(texts):
        raise TypeError("found texts and token lists in one X, expected one of the two")
    for i, x in enumerate(X):
        if not isinstance(x, str) and not all(isinstance(token, str) for token in x):
            raise TypeError(f"X[{i}]: found no text, expected a str, or a list of str")
    return any(texts)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _record(text: str | Tokens, labels: Sequence[Any], number: int) -> dict[str, Any]:
    """Return a text and its labels as an object for JSON lines."""
    if isinstance(text, str):
        return {"text": text, "entities": [[_plain(value) for value in span] for span in labels]}
    if len(text) != len(labels):
        raise ValueError(
            f"X[{number}]: found {len(text)} tokens and {len(labels)} tags, expected as many"
        )
    return {"tokens": list(text), "tags": [str(tag) for tag in labels]}


def _scheme_of(y: Sequence[Sequence[str]]) -> str:
    """Return the tag scheme of lists of tags."""
    tags, ids, starts = _flat(y)
    return find_scheme(ids, tags, starts)


def _flat(y: Sequence[Sequence[str]]) -> tuple[list[str], NDArray[np.int32], NDArray[np.int64]]:
    names = sorted({str(tag) for tags in y for tag in tags} | {OUTSIDE})
    number = {name: i for i, name in enumerate(names)}
    ids = np.array([number[str(tag)] for tags in y for tag in tags], dtype=np.int32)
    return names, ids, np.cumsum([0, *map(len, y)])


def _f1_of_tags(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> float:
    names, ids, starts = _flat(gold)
    found_names, found, _ = _flat(predicted)
    return score_tags(ids, names, found, found_names, starts).f1


def _in_X(message: str, path: Path) -> str:
    """Rewrite a message about the temporary file as a message about X: line 1 is X[0]."""
    message = re.sub(
        re.escape(str(path)) + r":(\d+)", lambda line: f"X[{int(line[1]) - 1}]", message
    )
    return message.replace(str(path), "X")
