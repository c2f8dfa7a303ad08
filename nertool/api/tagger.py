"""The Tagger: text in, documents out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nertool.api.document import Document, documents_of
from nertool.corpus.annotated import Annotated, with_records
from nertool.corpus.columnar import Corpus, Offsets
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.files.limits import MAX_N_BEST, MAX_WORKERS
from nertool.formats.base import Writing
from nertool.formats.json.objects import record_of
from nertool.inputs.text import text_of
from nertool.model.load import load_model
from nertool.model.model import Model
from nertool.predict.tasks.records import RecordsTask
from nertool.predict.tasks.task import Worker
from nertool.predict.workers import Workers
from nertool.tagging.analyse import analyse
from nertool.tagging.annotate import Details, annotate
from nertool.tagging.compiled import CompiledTagger

if TYPE_CHECKING:
    from nertool.api.token_explanation import TokenExplanation

_SENTENCES = 2048  # sentences of a stream that are tagged together
_CHARACTERS = 1 << 18  # characters of a stream of texts that are tagged together, at most

Thresholds = float | Mapping[str, float]
PathLike = str | Path


@dataclass(frozen=True)
class TokenEntity:
    """An entity in a sentence of tokens, from token `start` to token `end` (exclusive).

    - label: the class of the entity.
    - text: its tokens, joined by spaces.
    - probability: the probability that exactly this entity is there.
    """

    start: int
    end: int
    label: str
    text: str
    probability: float


class Tagger:
    """A trained model that tags text. `nertool.load(path)` returns one.

    Call it with a text to get a Document:

        tagger = nertool.load("runs/quickstart")
        doc = tagger("Ada Lovelace met Charles Babbage in London.")
        doc.entities[0].text, doc.entities[0].label

    Threads can share a tagger. It can be copied, pickled, and used in forked processes. A copy has only the
    model, not the tables that tagging builds.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._compiled = CompiledTagger(model)

    def __reduce__(self) -> tuple[type[Tagger], tuple[Model]]:
        return Tagger, (self.model,)

    def __repr__(self) -> str:
        dev = self.model.provenance.get("dev") or {}
        f1 = dev.get("f1") if isinstance(dev, dict) else None
        networks = len(self.model.members) + len(self.model.first_stage)
        parts = [f"finds {', '.join(self.model.labels)}"]
        parts += [f"{networks} networks"] if networks > 1 else []
        parts += [f"F1 {100 * f1:.1f} on its dev text"] if isinstance(f1, float) else []
        return f"<Tagger: {'; '.join(parts)}>"

    @property
    def labels(self) -> list[str]:
        """The labels (classes) of the model."""
        return list(self.model.labels)

    def __call__(
        self,
        text: str,
        *,
        threshold: Thresholds = 0.0,
        n_best: int = 1,
        marginals: bool = False,
        language: str = "en",
    ) -> Document:
        """Find the entities in a text.

        - threshold: leave out entities with a lower probability; a number, or a dict with a number for each
          label.
        - n_best: add the n most probable analyses of each sentence to `details`.
        - marginals: add the distribution over the tags of each token to `details`.
        - language: the language of the text, used to split it into sentences.

        Raises TypeError if text is not a str.
        """
        if not isinstance(text, str):
            raise TypeError(
                f"found {_kind(text)}, expected a text (str); tag_tokens takes lists of tokens"
            )
        details = details_of(threshold, n_best, marginals)
        (document,) = self._tagged([Record(text, 1, lined=True)], details, language)
        return document

    def pipe(
        self,
        texts: Iterable[str | Mapping[str, Any]],
        *,
        workers: int = 1,
        batch_size: int = 256,
        text_field: str = "text",
        threshold: Thresholds = 0.0,
        n_best: int = 1,
        marginals: bool = False,
        language: str = "en",
    ) -> Iterator[Document]:
        """Tag a stream of texts: yield a Document for each, in order.

        The stream is read batch by batch, so it can have any length.

        - texts: strings, or dicts with the text under the key text_field. The other entries of a dict become
          the document's fields.
        - workers: the number of processes that tag in parallel.
        - batch_size: the number of texts that are tagged together.
        - threshold, n_best, marginals, language: as in a call.

        Raises TypeError for an item that is neither a str nor a dict, and CorpusError for a dict without a
        text.
        """
        details = details_of(threshold, n_best, marginals)
        reading = Reading(text_field=text_field, language=language, labelled=False)
        tasks = (
            RecordsTask(batch, "texts", "texts", reading, details, None, Writing())
            for batch in _batches(_records(texts, reading), max(1, batch_size))
        )
        if not 1 <= workers <= MAX_WORKERS:
            raise ValueError(
                f"found workers={workers}, expected a whole number from 1 to {MAX_WORKERS}"
            )
        with Workers(self._compiled, workers) as pool:
            for result in pool.run(tasks):
                assert result.piece is not None
                yield from documents_of(result.piece)

    def tag_tokens(
        self,
        sentences: Iterable[Sequence[str]],
        *,
        threshold: Thresholds = 0.0,
        n_best: int = 1,
        marginals: bool = False,
    ) -> Document:
        """Find the entities in one document that is already split into sentences and tokens.

        The text of the returned Document is the tokens joined by spaces, one sentence per line.

        - threshold, n_best, marginals: as in a call.

        Raises TypeError for a str in place of a list.
        """
        kept = _checked_sentences(sentences)
        laid_out = text_of(kept, np.array([0, len(kept)]))
        nothing = np.zeros(len(laid_out.word_ids), dtype=np.int32)
        corpus = Corpus(
            "tokens",
            list(laid_out.words),
            laid_out.word_ids,
            [],
            nothing[:0],
            laid_out.sentence_starts,
            laid_out.document_starts,
            nothing,
        )
        details = details_of(threshold, n_best, marginals)
        corpus = with_records(corpus, by_sentence=False)
        (document,) = documents_of(annotate(self._compiled, corpus, details, Ledger()))
        return document

    def explain(
        self, text: str, word: str | int, label: str | None = None, member: int = 1
    ) -> TokenExplanation:
        """Explain the tag of one token: forward pass, backward pass, and each word's share in the score.

        - word: a token of the text, or its index from 0.
        - label: the label or tag to explain; None for the predicted tag.
        - member: the number of the network in an ensemble, from 1.

        Raises ValueError for a word, label or member that does not exist.
        """
        document = self(text)
        words = [token.text for token in document.tokens]
        sentences = [[words[i] for i in sentence] for sentence in document.sentences]
        from nertool.api.token_explanation import explain_token  # a slow import that few calls need

        return explain_token(self.model, sentences, word, label, member)

    def tag(self, tokens: Sequence[str]) -> list[TokenEntity]:
        """Find the entities in one sentence of tokens; start and end count tokens.

        Raises TypeError for a str. For text, call the tagger itself, as in tagger("Ada met Charles.").
        """
        return next(iter(self.tag_sentences([tokens])))

    def tag_sentences(self, sentences: Iterable[Sequence[str]]) -> Iterator[list[TokenEntity]]:
        """Yield the entities of each sentence of tokens. Each sentence is tagged independently of the others.

        The stream can have any length: it is read in batches of about two thousand sentences. Raises
        TypeError as tag does.
        """
        if isinstance(sentences, str | bytes):
            raise TypeError(_not_a_text(sentences))
        return self._sentences_of(iter(sentences))

    def _sentences_of(self, stream: Iterator[Sequence[str]]) -> Iterator[list[TokenEntity]]:
        while batch := list(islice(stream, _SENTENCES)):
            kept = _checked_sentences(batch)
            yield from self._token_entities(kept, np.arange(len(kept) + 1))

    def tag_document(self, sentences: Sequence[Sequence[str]]) -> list[list[TokenEntity]]:
        """Find the entities in each sentence of one document.

        If the model was trained with document features, it also uses the rest of the document. Raises
        TypeError as tag does.
        """
        kept = _checked_sentences(sentences)
        return list(self._token_entities(kept, np.array([0, len(kept)])))

    def _token_entities(
        self, sentences: Sequence[Sequence[str]], document_starts: Offsets
    ) -> Iterator[list[TokenEntity]]:
        laid_out = text_of(sentences, document_starts)
        analysis = analyse(self._compiled, laid_out)
        p = analysis.probabilities().tolist()
        spans = analysis.spans.as_list()
        at = 0
        for first, sentence in zip(laid_out.sentence_starts.tolist(), sentences, strict=False):
            last = first + len(sentence)
            entities = []
            while at < len(spans) and spans[at].start < last:
                start, end, label = spans[at]
                text = " ".join(sentence[start - first : end - first])
                entities.append(TokenEntity(start - first, end - first, label, text, p[at]))
                at += 1
            yield entities

    def _tagged(self, records: list[Record], details: Details, language: str) -> Iterator[Document]:
        return documents_of(self._annotated(records, details, language))

    def _annotated(self, records: list[Record], details: Details, language: str) -> Annotated:
        """Return records as one annotated corpus, for integrations that need no Document."""
        reading = Reading(language=language, labelled=False)
        task = RecordsTask(records, "text", "text", reading, details, None, Writing())
        piece = task.run(Worker(self._compiled)).piece
        assert piece is not None
        return piece


def details_of(threshold: Thresholds, n_best: int = 1, marginals: bool = False) -> Details:
    """Return what a call must compute besides entities, from its arguments. Errors: ValueError."""
    thresholds = threshold if isinstance(threshold, Mapping) else {"": float(threshold)}
    if not all(0 <= value <= 1 for value in thresholds.values()):
        raise ValueError(f"found the threshold {threshold}, expected numbers from 0 to 1")
    if not 1 <= n_best <= MAX_N_BEST:
        raise ValueError(f"found n_best={n_best}, expected a whole number from 1 to {MAX_N_BEST:,}")
    needed = any(thresholds.values())
    return Details(True, dict(thresholds) if needed else {}, n_best, marginals)


def _records(texts: Iterable[str | Mapping[str, Any]], reading: Reading) -> Iterator[Record]:
    """Yield each text, or dict with a text, as a record."""
    if isinstance(texts, str | bytes | Mapping):
        raise TypeError(f"found {_kind(texts)}, expected an iterable of texts; put it into a list")
    for number, item in enumerate(texts, 1):
        if isinstance(item, str):
            yield Record(item, number, lined=True)
        elif isinstance(item, Mapping):
            record = record_of(dict(item), number, f"text {number}", reading, Ledger(), None)
            assert record is not None
            yield record._replace(goes_on=False)
        else:
            raise TypeError(f"text {number}: found {_kind(item)}, expected a text (str) or a dict")


def _batches(records: Iterator[Record], most: int) -> Iterator[list[Record]]:
    """Yield records in lists of at most `most` records, and of bounded length in characters."""
    batch: list[Record] = []
    length = 0
    for record in records:
        batch.append(record)
        length += len(record.text)
        if len(batch) == most or length >= _CHARACTERS:
            yield batch
            batch, length = [], 0
    if batch:
        yield batch


def _checked_sentences(sentences: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    """Check that all tokens are strings; return the sentences as a list. Errors: TypeError."""
    if isinstance(sentences, str | bytes):
        raise TypeError(_not_a_text(sentences))
    kept = list(sentences)
    for sentence in kept:
        if isinstance(sentence, str | bytes) or not isinstance(sentence, Iterable):
            raise TypeError(_not_a_text(sentence))
    kept = [s if isinstance(s, Sequence) else list(s) for s in kept]
    for sentence in kept:
        for token in sentence:
            if not isinstance(token, str):
                raise TypeError(f"found the token {token!r}, {_kind(token)}, expected a str")
    return kept


def _not_a_text(found: object) -> str:
    return (
        f"found {_kind(found)}, expected a list of tokens; call the tagger itself with a text: "
        "tagger(text), or split it into tokens"
    )


def _kind(found: object) -> str:
    return f"a {type(found).__name__}"


def load(path: PathLike) -> Tagger:
    """Load a model.

    The path is a model folder, a run folder (its best model is loaded), a model in one file (.nertool), or a
    zip file of a model folder.

    Raises ModelError if the path is not a complete model; TypeError if it is not a path.
    """
    if not isinstance(path, str | Path):
        raise TypeError(f"path: found {path!r}, expected the path of a model, as a str or a Path")
    return Tagger(load_model(Path(path)))
