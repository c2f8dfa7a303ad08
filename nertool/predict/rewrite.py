"""Pairs of formats for which `predict` writes the input's own lines with tags, faster than through records.

A format without an entry here goes through records. So a new format needs no change in this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nertool.catalogue import Format
from nertool.corpus.blocks import whole_sentences
from nertool.corpus.ledger import Ledger
from nertool.formats.conll.conllu import blank_faulty_sentences, ner_key
from nertool.formats.opening import Opened
from nertool.inputs.layout import needs_documents
from nertool.predict.blocks import whole_conllu, whole_sentence_lines
from nertool.predict.columns import ColumnsInput, read_text_blocks
from nertool.predict.request import PredictRequest
from nertool.predict.tasks.append_column import AppendColumnTask
from nertool.predict.tasks.mark_sentences import MarkSentencesTask
from nertool.predict.tasks.rewrite_columns import RewriteColumnsTask
from nertool.predict.tasks.rewrite_conllu import RewriteConlluTask
from nertool.predict.tasks.task import Task
from nertool.tagging.compiled import CompiledTagger

Tasks = Iterator[Task]


def rewrite_columns(
    opened: Opened, given: ColumnsInput, to: Format, tagger: CompiledTagger, request: PredictRequest
) -> Tasks | None:
    """Return the tasks that tag CoNLL columns line by line; None if the output needs records."""
    scheme = request.scheme or tagger.model.corpus_scheme
    source, (columns, rows, blocks) = opened.source, given
    plain = not request.details.needed and not request.replace_tags
    if rows is not None and plain and to.name in ("conll", "inline"):
        return (
            AppendColumnTask(block, source, rows, to.name == "inline", scheme) for block in blocks
        )
    if to.name != "conll":
        return None
    return (
        RewriteColumnsTask(block, source, columns, request.details, request.replace_tags, scheme)
        for block in blocks
    )


def rewrite_sentences(
    opened: Opened, to: Format, tagger: CompiledTagger, request: PredictRequest, ledger: Ledger
) -> Tasks | None:
    """Return the tasks that tag text with one sentence on each line; None if the output needs records.

    Every line is valid, so that nothing is entered in the ledger.
    """
    if request.details.needed or request.replace_tags:
        return None
    scheme = request.scheme or tagger.model.corpus_scheme
    blocks = read_text_blocks(opened, tagger, request)
    whole = whole_sentence_lines(
        blocks, needs_documents(tagger.model.config), tagger.document_tokens
    )
    return (MarkSentencesTask(block, to.name == "inline", scheme) for block in whole)


def rewrite_conllu(
    opened: Opened, to: Format, tagger: CompiledTagger, request: PredictRequest, ledger: Ledger
) -> Tasks | None:
    """Return the tasks that tag CoNLL-U in place.

    ledger: counts the sentences with a faulty row that are left out. Their lines are made blank.
    """
    scheme = request.scheme or tagger.model.corpus_scheme
    documents = needs_documents(tagger.model.config)
    given = read_text_blocks(opened, tagger, request)
    if request.on_error != "fail":
        sentences = whole_sentences(given)
        given = (blank_faulty_sentences(block, opened.source, ledger) for block in sentences)
    blocks = whole_conllu(given, opened.source, documents, tagger.document_tokens)
    key = request.ner_key or ner_key(opened.head.lines)
    return (RewriteConlluTask(b, opened.source, request.unlabelled, scheme, key) for b in blocks)


Rewrite = Callable[[Opened, Format, CompiledTagger, PredictRequest, Ledger], Tasks | None]

# (the input's format, the output's) → the function that returns the tasks
REWRITES: dict[tuple[str, str], Rewrite] = {
    ("text", "conll"): rewrite_sentences,
    ("text", "inline"): rewrite_sentences,
    ("conllu", "conllu"): rewrite_conllu,
}
