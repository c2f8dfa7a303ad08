"""`nertool explain`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import AsJson, ModelPath, note, print_json
from nertool.errors import CorpusError, NertoolError, did_you_mean
from nertool.files.output import open_output

if TYPE_CHECKING:
    from nertool.inputs.text import Text
    from nertool.model.model import Model


def explain(
    model: ModelPath,
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", help="A sentence, words divided by blanks; with --line, a CoNLL file."
        ),
    ],
    word: Annotated[
        str | None, typer.Option(help="Which word of the sentence: itself, or its number from 1.")
    ] = None,
    line: Annotated[
        int | None, typer.Option(min=1, help="Which line of the CoNLL file TEXT; its tag is y.")
    ] = None,
    class_: Annotated[
        str | None,
        typer.Option("--class", help="Explain this class or tag [default: what the network says]"),
    ] = None,
    member: Annotated[
        int, typer.Option(min=1, help="Which network, where the model has several.")
    ] = 1,
    full: Annotated[bool, typer.Option("--full", help="Show every number.")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one self-contained HTML page.")
    ] = None,
    play: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the lesson's page to play with, with this model."),
    ] = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Work one decision by hand: forward, backward, and why; with the computation graph.

    Examples:
        nertool explain runs/my "Ada Lovelace met Charles Babbage ." --word Lovelace
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
    # Said before numpy is loaded: the products here are small, and a second thread would only wait.
    for library in ("OPENBLAS", "MKL", "OMP"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

    from nertool.explain import explanation as explaining
    from nertool.model.storage import load_model

    loaded = load_model(model)
    if member > len(loaded.members):
        raise typer.BadParameter(
            f"--member: found {member}, expected at most {len(loaded.members)}: the model has no more"
        )
    gold = None
    if line is not None:
        laid_out, token, gold = _from_file(loaded, Path(text), line, report)
    else:
        laid_out, token = _from_sentence(text, word)
    if play is not None:
        from nertool.explain.play import model_numbers, play_page

        asked = None if line is None and word is None else token  # None: the least sure one
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


def _from_sentence(text: str, word: str | None) -> tuple[Text, int]:
    """Find a word of a sentence, by itself or by its number; None is the first."""
    import numpy as np

    from nertool.inputs.text import text_of

    words = text.split()
    if not words:
        raise typer.BadParameter("TEXT: found no word, expected a sentence")
    if word is None:
        return text_of([words], np.array([0, 1])), 0
    places = [i for i, own in enumerate(words) if own == word]
    if not places and re.fullmatch(r"\d+", word) and 1 <= int(word) <= len(words):
        places = [int(word) - 1]
    if not places:
        raise typer.BadParameter(
            f"--word: found {word}, expected a word of the sentence, or a number from 1 to "
            f"{len(words)}{did_you_mean(word, words)}"
        )
    if len(places) > 1:
        numbers = ", ".join(str(i + 1) for i in places)
        note(f"{word} stands at {numbers}: the first is explained; --word N takes another")
    return text_of([words], np.array([0, 1])), places[0]


def _from_file(
    model: Model, path: Path, line: int, report: Path | None
) -> tuple[Text, int, str | None]:
    """Read the token on a line of a CoNLL file, with its document, and its tag as the model has it."""
    import numpy as np

    from nertool.corpus.schemes import find_scheme, keep_labels, spans_of, tag_names, tags_of
    from nertool.formats.labelled import read_labelled, reading_of
    from nertool.inputs.text import Text

    settings = model.config.corpus
    with account(report, path) as ledger:
        corpus = read_labelled(path, "conll", reading_of(settings), ledger, note)
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
    """Return the tag that a class or tag is asked about: of a class, the tag that scores highest."""
    from nertool.corpus.schemes import split_tag
    from nertool.explain.explanation import explain, tag_scores

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
