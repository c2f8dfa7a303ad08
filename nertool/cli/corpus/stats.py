"""`nertool corpus stats`."""

from __future__ import annotations

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import (
    AsJson,
    Comment,
    Delimiter,
    FromFormat,
    Language,
    Misaligned,
    SkipFaulty,
    TagColumn,
    TagNames,
    TextField,
    TokenColumn,
    print_json,
    reading_as,
)
from nertool.cli.corpus.texts import Inputs, read_parts


def stats(
    inputs: Inputs,
    format_name: FromFormat = "auto",
    token_column: TokenColumn = None,
    tag_column: TagColumn = None,
    delimiter: Delimiter = None,
    comment: Comment = "",
    tag_names: TagNames = None,
    text_field: TextField = "text",
    misaligned: Misaligned = "drop",
    language: Language = "en",
    on_error: SkipFaulty = "fail",
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Count documents, sentences, words, and entities by class and length.

    Examples:
        nertool corpus stats train.conll dev.conll
    """
    reading = reading_as(
        format_name, token_column, tag_column, tag_names, misaligned, language, on_error,
        delimiter=delimiter, comment=comment, text_field=text_field,
    )  # fmt: skip

    from nertool.corpus.stats import as_text
    from nertool.corpus.stats import stats as numbers_of

    with account(report, *inputs) as ledger:
        parts, _ = read_parts(inputs, format_name, reading, ledger)
        numbers = [numbers_of(part) for part in parts]
        if as_json:
            print_json(numbers)
        else:
            print("\n\n".join(map(as_text, numbers)))
