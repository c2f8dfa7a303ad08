"""`nertool corpus convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nertool.cli.options import SCHEMES, check_choice, note
from nertool.files import open_input, open_output

FORMATS = ("conll", "inline")


def convert(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Labelled texts; - for stdin.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write [default: stdout]")
    ] = None,
    form: Annotated[
        str, typer.Option("--from", metavar="|".join(FORMATS), help="The inputs' format.")
    ] = "conll",
    to: Annotated[
        str, typer.Option(metavar="|".join(FORMATS), help="The output's format.")
    ] = "conll",
    scheme: Annotated[
        str, typer.Option(metavar="|".join(SCHEMES), help="The tag scheme of CoNLL output.")
    ] = "iob2",
    part: Annotated[
        str | None,
        typer.Option(help="Only documents whose header says so, such as part: train (inline)."),
    ] = None,
    token_column: Annotated[int, typer.Option(help="The words' column (conll).")] = 0,
    tag_column: Annotated[int, typer.Option(help="The tags' column (conll).")] = -1,
) -> None:
    """Convert labelled text between CoNLL columns and [inline](MISC) annotation, and between schemes."""
    check_choice("--from", form, FORMATS)
    check_choice("--to", to, FORMATS)
    check_choice("--scheme", scheme, SCHEMES)
    if part is not None and form != "inline":
        raise typer.BadParameter("--part: only inline documents have headers; give --from inline")

    from nertool.corpus.conll import Columns, corpus_to_conll, decode_lines, parse_conll
    from nertool.corpus.inline import corpus_to_inline, parse_inline
    from nertool.corpus.schemes import spans_of, tag_names, tags_of

    with open_output(output) as out:
        for path in inputs:
            with open_input(path) as (stream, source):
                lines = decode_lines(stream, source)
                if form == "inline":
                    corpus = parse_inline(lines, source, part)
                else:
                    corpus = parse_conll(lines, Columns(token_column, tag_column), source)
            spans = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
            note(
                f"{source}: {corpus.tokens:,} tokens, {corpus.sentences:,} sentences, "
                f"{corpus.documents:,} documents, {len(spans):,} entities ({corpus.layout})"
            )
            if form == "conll" and corpus.columns > 2:
                note(f"{source}: {corpus.columns - 2} other columns left out")
            if to == "inline":
                out.writelines(corpus_to_inline(corpus, spans))
                continue
            tags = tag_names(spans.label_names, scheme)
            tag_ids = tags_of(spans, corpus.sentence_starts, tags, scheme)
            lost = len(spans) - len(spans_of(tag_ids, tags, corpus.sentence_starts))
            if lost:
                note(
                    f"WARNING: {source}: {lost:,} entities run into a neighbour of their class in {scheme}"
                )
            out.writelines(corpus_to_conll(corpus, tags, tag_ids))
