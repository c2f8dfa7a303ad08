"""`nertool explain`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import (
    MAX_LINE,
    AsJson,
    ModelPath,
    note,
    one_blas_thread,
    print_json,
)
from nertool.cli.common.reading_options import with_reading_options
from nertool.errors import CorpusError, NertoolError, did_you_mean
from nertool.files.output import open_output

if TYPE_CHECKING:
    from nertool.formats.labelled import ReadingOptions
    from nertool.inputs.text import Text
    from nertool.model.model import Model


@with_reading_options(misaligned="the config's")
def explain(
    model: ModelPath,
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT",
            help="A text, which is tokenised as in predict, or - for stdin. With --line, a CoNLL file.",
        ),
    ],
    options: ReadingOptions,
    word: Annotated[
        str | None, typer.Option(help="The word to explain, or its number in the text, from 1.")
    ] = None,
    line: Annotated[
        int | None,
        typer.Option(
            min=1, max=MAX_LINE, help="The line of the CoNLL file TEXT to explain; its tag is y."
        ),
    ] = None,
    class_: Annotated[
        str | None,
        typer.Option("--class", help="The class or tag to explain [default: the predicted tag]"),
    ] = None,
    member: Annotated[
        int,
        typer.Option(min=1, max=100, help="The number of the network, if the model has several."),
    ] = 1,
    full: Annotated[bool, typer.Option("--full", help="Show every number.")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one self-contained HTML page.")
    ] = None,
    play: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the lesson's interactive page, with this model."),
    ] = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Show one decision step by step: forward pass, backward pass, each word's share, computation graph.

    Examples:
        nertool explain runs/my "Ada Lovelace met Charles Babbage." --word Lovelace
        nertool explain runs/my test.conll --line 7 --html explained.html
        nertool explain runs/my "Ada Lovelace met Charles Babbage ." --play play.html
    """
    only_play = play is not None and html is None and not as_json
    if (word is None) == (line is None) and (word is not None or not only_play):
        raise typer.BadParameter(
            "give --word for a word of the sentence TEXT, or --line for a line of the file TEXT"
        )
    if only_play and class_ is not None:
        raise typer.BadParameter("--class: the page of --play lets its reader choose; leave it out")
    if report is not None and line is None:
        raise typer.BadParameter("--report: an account is given of a file: use it with --line")
    one_blas_thread()

    from nertool.explain import explanation as explaining
    from nertool.model.load import load_model

    loaded = load_model(model)
    if member > len(loaded.members):
        raise typer.BadParameter(
            f"--member: found {member}, expected at most {len(loaded.members)}: the model has no more"
        )
    gold = None
    if line is not None:
        laid_out, token, gold = _from_file(loaded, Path(text), line, options, report)
    else:
        laid_out, token = _from_text(text, word, options)
    if play is not None:
        from nertool.explain.play import model_numbers, play_page

        asked = None if line is None and word is None else token  # None: the least certain token
        sentence = int(laid_out.sentences[token])
        written = play_page(model_numbers(loaded, laid_out, sentence, asked, member))
        with open_output(play) as out:
            out.write(written)
        note(f"to play with: {play}")
        if only_play:
            return
    tag = None if class_ is None else _tag_of(loaded, class_, laid_out, token, member)
    explanation = explaining.explain(loaded, laid_out, token, tag, gold, member)
    if html is not None:
        from nertool.explain.html import page

        with open_output(html) as out:
            out.write(page(explanation, full))
        note(f"explained: in {html}")
    if as_json:
        print_json(explaining.as_dict(explanation))
    elif html is None:
        from nertool.explain.text import lines_of

        for shown in lines_of(explanation, full):
            print(shown)


def _from_text(text: str, word: str | None, options: ReadingOptions) -> tuple[Text, int]:
    """Tokenise a text as predict does, and find a token by its word or its number; None is the first
    token."""
    from io import BytesIO

    from nertool.catalogue import AUTO, FORMATS
    from nertool.corpus.ledger import Ledger
    from nertool.corpus.record import Reading
    from nertool.files.safe import open_input
    from nertool.formats.foreign import foreign_document
    from nertool.formats.opening import open_stream
    from nertool.formats.read import read_opened
    from nertool.tagging.annotate import text_of_corpus

    content, source = text.encode("utf-8", "surrogateescape"), "TEXT"
    if text == "-":
        with open_input(Path("-")) as (stream, source):
            content = stream.read()
    if not content.strip():
        raise typer.BadParameter(f"{source}: found no word, expected a text")
    plain = tuple(known for known in FORMATS if known.name in ("text", "raw"))
    # A text on the command line is taken literally, including angle brackets.
    typed = "raw" if text != "-" and foreign_document(text) else AUTO
    opened = open_stream(BytesIO(content), source, typed, formats=plain)
    reading = options.reading(Reading(labelled=False))
    corpus = read_opened(opened, reading, Ledger(), lambda line: None)
    if word is None:
        return text_of_corpus(corpus), 0
    words = [corpus.words[i] for i in corpus.word_ids.tolist()]
    places = [i for i, own in enumerate(words) if own == word]
    if not places and re.fullmatch(r"\d+", word) and 1 <= int(word) <= len(words):
        places = [int(word) - 1]
    if not places:
        known = "" if len(words) > 40 else f" ({' '.join(words)})"
        raise typer.BadParameter(
            f"--word: found {word}, expected a word of the text{known}, or a number from 1 to "
            f"{len(words)}{did_you_mean(word, words)}"
        )
    if len(places) > 1:
        numbers = ", ".join(str(i + 1) for i in places)
        note(f"{word} stands at {numbers}: the first is explained; --word N takes another")
    return text_of_corpus(corpus), places[0]


def _from_file(
    model: Model, path: Path, line: int, options: ReadingOptions, report: Path | None
) -> tuple[Text, int, str | None]:
    """Read the token on a line of a CoNLL file, with its document, and its tag in the model's scheme."""
    import numpy as np

    from nertool.corpus.schemes import find_scheme, keep_labels, spans_of, tag_names, tags_of
    from nertool.formats.labelled import read_labelled, reading_of
    from nertool.inputs.text import Text

    settings = model.config.corpus
    with account(report, path) as ledger:
        form = "conll" if options.format_name == "auto" else options.format_name
        reading = options.reading(reading_of(settings))
        corpus = read_labelled(path, form, reading, ledger, note)
    if settings.labels:
        corpus = keep_labels(corpus, settings.labels, note)
    found = np.flatnonzero(corpus.line_numbers == line)
    if not len(found):
        raise CorpusError(
            f"{corpus.source}:{line}: found no token on this line, expected a word and its tag"
        )
    starts = corpus.sentence_starts
    scheme = find_scheme(corpus.tag_ids, corpus.tags, starts)
    spans = spans_of(corpus.tag_ids, corpus.tags, starts)
    own = model.config.decoding.scheme
    names = tag_names(spans.label_names, own)
    token = int(found[0])
    gold = names[tags_of(spans, starts, names, own)[token]]
    note(f"{corpus.place(token)}: tag {corpus.tags[corpus.tag_ids[token]]} (scheme {scheme})")
    if gold not in model.tags:
        note(f"the model does not know the tag {gold}: y is taken from what is explained")
    laid_out = Text(corpus.words, corpus.word_ids, starts, corpus.document_starts)
    return laid_out, token, gold if gold in model.tags else None


def _tag_of(model: Model, name: str, laid_out: Text, token: int, member: int) -> str:
    """Return the tag that `name` means. For a class, that is the one of its tags with the highest score."""
    from nertool.corpus.schemes import split_tag
    from nertool.explain.explanation import explain
    from nertool.explain.pieces import tag_scores

    if name in model.tags:
        return name
    own = [i for i, tag in enumerate(model.tags) if split_tag(tag)[1] == name]
    if not own:
        known = ["O", *model.labels]
        raise NertoolError(
            f"--class: found {name}, expected one of {', '.join(known)}{did_you_mean(name, known)}"
        )
    s = tag_scores(explain(model, laid_out, token, member=member).steps.s)
    return model.tags[max(own, key=lambda i: float(s[i]))]
