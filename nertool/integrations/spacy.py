"""A component for spaCy's pipelines: `nlp.add_pipe("nertool", config={"model": "runs/my"})`.

It sets `doc.ents`, and the span group `nertool` with the entities' probabilities as scores. spaCy finds the
component through the entry point `spacy_factories`, if nertool is installed in the same environment.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.scorer import get_ner_prf
from spacy.tokens import Doc, Span, SpanGroup

from nertool.corpus.annotated import RecordView, views
from nertool.corpus.build import build_corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.corpus.sentences import sentence_bounds
from nertool.errors import ModelError
from nertool.model.load import load_model
from nertool.model.model import Model
from nertool.model.save import save_model
from nertool.tagging.annotate import Details, annotate
from nertool.tagging.compiled import CompiledTagger

_FOLDER = "model"  # subfolder of a saved component


class Nertool(Pipe):
    """The pipeline component.

    Each Doc is treated as a document of its own, with spaCy's tokens. Its sentences are used if another
    component has set them.

    model: a run folder, a model folder or a model in one file; it is loaded when it is first needed.
    span_group: the key of the group in doc.spans. threshold: entities with a lower probability are left out.
    overwrite_ents: replace entities that are already in doc.ents. Otherwise they stay, and entities that
    overlap them are in the span group only. A saved pipeline contains the model.
    """

    def __init__(
        self,
        nlp: Language,
        name: str = "nertool",
        *,
        model: str | None = None,
        span_group: str = "nertool",
        threshold: float = 0.0,
        overwrite_ents: bool = False,
        scorer: Callable[..., dict[str, Any]] | None = None,
    ) -> None:
        self.name, self.scorer = name, scorer
        self._path, self._language = model, nlp.lang or "en"
        self._span_group, self._overwrite = span_group, overwrite_ents
        self._details = Details(True, {"": threshold} if threshold else {})
        self._tagger: CompiledTagger | None = None

    @property
    def tagger(self) -> CompiledTagger:
        """The model, ready to tag. Errors: ModelError if there is none."""
        if self._tagger is None:
            if self._path is None:
                raise ModelError(
                    f'{self.name}: found no model, expected config={{"model": "runs/my"}}, a run folder or '
                    "model folder"
                )
            self._tagger = CompiledTagger(load_model(Path(self._path)))
        return self._tagger

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of the model; empty if it can't be loaded, since spaCy asks before it loads a saved
        component."""
        try:
            return tuple(self.tagger.model.labels)
        except ModelError:
            return ()

    def __call__(self, doc: Doc) -> Doc:
        """Set the entities of a document."""
        try:
            self._tag([doc])
        except Exception as error:
            self.get_error_handler()(self.name, self, [doc], error)
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Set the entities of a stream of documents; batch_size documents are tagged together."""
        docs = iter(stream)
        while batch := list(islice(docs, batch_size)):
            try:
                self._tag(batch)
                yield from batch
            except Exception as error:
                self.get_error_handler()(self.name, self, batch, error)

    def initialize(self, get_examples: Any, *, nlp: Any = None) -> None:
        """Load the model. It is not trained here, but by `nertool train`."""
        _ = self.tagger

    def _tag(self, docs: list[Doc]) -> None:
        words = [[token.i for token in doc if not token.is_space] for doc in docs]
        records = [_record(doc, own, self._language) for doc, own in zip(docs, words, strict=True)]
        reading = Reading(labelled=False)
        corpus = build_corpus(records, self.name, "spaCy's documents", reading, Ledger())
        annotated = annotate(self.tagger, corpus, self._details, Ledger())
        for doc, own, view in zip(docs, words, views(annotated, tokens=False), strict=True):
            self._set(doc, own, view)

    def _set(self, doc: Doc, words: list[int], view: RecordView) -> None:
        spans = [
            Span(doc, words[e.token_start], words[e.token_end - 1] + 1, label=e.label)
            for e in view.entities
        ]
        scores = [e.probability for e in view.entities]
        doc.spans[self._span_group] = SpanGroup(
            doc, name=self._span_group, spans=spans, attrs={"scores": scores}
        )
        there = [] if self._overwrite else list(doc.ents)
        taken = {i for span in there for i in range(span.start, span.end)}
        doc.ents = [*there, *(s for s in spans if taken.isdisjoint(range(s.start, s.end)))]

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Save the model into a folder."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        save_model(self.tagger.model, folder / _FOLDER)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Nertool:
        """Load the model that to_disk saved."""
        self._use(load_model(Path(path) / _FOLDER))
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return the model's folder as a zip file."""
        out = io.BytesIO()
        with tempfile.TemporaryDirectory(prefix="nertool-model-") as folder:
            save_model(self.tagger.model, Path(folder) / _FOLDER)
            with zipfile.ZipFile(out, "w") as archive:
                for file in sorted((Path(folder) / _FOLDER).iterdir()):
                    archive.write(file, f"{_FOLDER}/{file.name}")
        return out.getvalue()

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Nertool:
        """Load the model that to_bytes returned."""
        with tempfile.TemporaryDirectory(prefix="nertool-model-") as folder:
            path = Path(folder) / "model.zip"
            path.write_bytes(bytes_data)
            self._use(load_model(path))
        return self

    def _use(self, model: Model) -> None:
        self._tagger = CompiledTagger(model)


def _record(doc: Doc, words: list[int], language: str) -> Record:
    """Return a document as a record, without its whitespace tokens."""
    starts = [doc[i].idx for i in words]
    tokens = [(start, start + len(doc[i])) for start, i in zip(starts, words, strict=True)]
    if doc.has_annotation("SENT_START"):
        firsts = [bisect_left(words, sentence.start) for sentence in doc.sents]
    else:
        bounds = sentence_bounds(doc.text, language)
        firsts = [bisect_left(starts, bound) for bound in bounds[:-1]]
    sentences = [first for first in dict.fromkeys([0, *firsts]) if first < len(words)]
    return Record(doc.text, 1, tokens=tokens, sentences=sentences or [0])


def _score(examples: Iterable[Any], **kwargs: Any) -> dict[str, Any]:
    scores: dict[str, Any] = get_ner_prf(examples)
    return scores


@Language.factory(
    "nertool",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={
        "model": None,
        "span_group": "nertool",
        "threshold": 0.0,
        "overwrite_ents": False,
    },
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_nertool(
    nlp: Language,
    name: str,
    model: str | None,
    span_group: str,
    threshold: float,
    overwrite_ents: bool,
) -> Nertool:
    """Create the component for nlp.add_pipe."""
    return Nertool(
        nlp,
        name,
        model=model,
        span_group=span_group,
        threshold=threshold,
        overwrite_ents=overwrite_ents,
        scorer=_score,
    )
