"""Run `nertool suggest`: read texts, tag them, choose some, and write these with the predicted entities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from nertool.catalogue import Format, find_format
from nertool.corpus.annotated import Annotated
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger, counted
from nertool.errors import CorpusError
from nertool.formats.base import Writing
from nertool.formats.opening import Report, open_text
from nertool.formats.read import read_corpus
from nertool.formats.write import write_output
from nertool.model.model import Model
from nertool.predict.paths import Input
from nertool.predict.request import PredictRequest
from nertool.predict.tag import annotated_pieces
from nertool.predict.workers import Workers
from nertool.suggest.choose import Candidate, Shortlist, diverse, shortlist_length, text_key
from nertool.suggest.texts import in_sentences
from nertool.tagging.compiled import CompiledTagger

SCORE = "suggest_score"  # the field of a text's score, in formats that can hold further fields


@dataclass(frozen=True)
class SuggestRequest:
    """The inputs and options of `suggest`.

    predict: inputs, output and options as for `predict`. n: the number of texts to choose. by_sentence: treat
    each sentence as a text, not each record. exclude: files whose texts are skipped.
    """

    predict: PredictRequest
    n: int = 100
    by_sentence: bool = False
    exclude: Sequence[Path] = ()


def suggest(
    model: Model, request: SuggestRequest, inputs: Sequence[Input], ledger: Ledger, report: Report
) -> None:
    """Choose texts, and write them with the predicted entities, the most useful text first.

    Errors: CorpusError with file:line for faulty input, and CorpusError if there is no text to choose from.
    """
    predict = request.predict
    skipped = _texts_of(request, ledger, report)
    shortlist = Shortlist(shortlist_length(request.n), skipped)
    to: Format | None = predict.to_format
    details = replace(predict.details, probabilities=True, entropy=True)
    asked = replace(predict, details=details)
    with Workers(CompiledTagger(model), predict.workers) as workers:
        for entry in inputs:
            comment = predict.reading.comment or model.config.corpus.comment
            reading = replace(predict.reading, comment=comment)
            with open_text(entry.path, predict.format_name, reading) as opened:
                to = to or find_format(opened.format.written_as)
                for piece in annotated_pieces(opened, asked, workers, ledger, report):
                    shortlist.add(in_sentences(piece) if request.by_sentence else piece)
    if not shortlist.seen:
        names = ", ".join(predict.inputs)
        why = " that --exclude does not name" if shortlist.passed else ""
        raise CorpusError(f"{names}: found no text{why}, expected texts to choose from")
    assert to is not None
    chosen = diverse(shortlist.candidates(), request.n)
    writing = Writing(
        predict.scheme or model.corpus_scheme, by_sentence=True, source=predict.with_source
    )
    pieces = _with_scores(chosen, "probabilities" in to.keeps and not to.probabilities_on_request)
    write_output(to, pieces, writing, ledger, predict.output)
    _tell(shortlist, chosen, report)


def _texts_of(request: SuggestRequest, ledger: Ledger, report: Report) -> frozenset[str]:
    """Return the keys of the texts to skip: all records and sentences of the files of --exclude."""
    found: set[str] = set()
    predict = request.predict
    for path in request.exclude:
        corpus = read_corpus(path, "auto", predict.unlabelled, Ledger(), report)
        found.update(text_key(words) for words in corpus.sentence_words())
        found.update(_record_keys(corpus))
    return frozenset(found)


def _record_keys(corpus: Corpus) -> Iterator[str]:
    if corpus.records is None:
        return
    starts = corpus.sentence_starts[corpus.records.starts].tolist()
    for a, b in pairwise(starts):
        yield text_key(corpus.words[i] for i in corpus.word_ids[a:b].tolist())


def _with_scores(chosen: Sequence[Candidate], probabilities: bool) -> Iterator[Annotated]:
    """Yield the chosen texts, each with its score as a field."""
    for candidate in chosen:
        piece = candidate.piece
        records = piece.corpus.records
        assert records is not None
        fields = [{**own, SCORE: round(candidate.score, 4)} for own in records.fields]
        corpus = replace(piece.corpus, records=replace(records, fields=fields))
        yield piece._replace(
            corpus=corpus, probabilities=piece.probabilities if probabilities else None
        )


def _tell(shortlist: Shortlist, chosen: Sequence[Candidate], report: Report) -> None:
    """Report the number of texts, and compare the mean scores of the chosen texts and of all texts."""
    if shortlist.passed:
        report(f"passed over, since --exclude names them: {counted(shortlist.passed, 'texts')}")
    mean = sum(c.score for c in chosen) / max(len(chosen), 1)
    tokens = sum(c.tokens for c in chosen)
    report(
        f"chosen: {counted(len(chosen), 'texts')} of {shortlist.seen:,}, {counted(tokens, 'tokens')}; "
        f"mean score {mean:.2f}, of all texts {shortlist.total / shortlist.seen:.2f}"
    )
