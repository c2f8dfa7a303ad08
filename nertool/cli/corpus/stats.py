"""`nertool corpus stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import (
    AsJson,
    print_json,
)
from nertool.cli.common.reading_options import with_reading_options
from nertool.cli.corpus.texts import Inputs, read_parts

if TYPE_CHECKING:
    from nertool.formats.labelled import ReadingOptions


@with_reading_options(misaligned="drop")
def stats(
    inputs: Inputs,
    options: ReadingOptions,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Count documents, sentences, words, and entities by class and length.

    Examples:
        nertool corpus stats train.conll dev.conll
    """
    from nertool.corpus.parts.stats import as_text
    from nertool.corpus.parts.stats import stats as numbers_of

    with account(report, *inputs) as ledger:
        parts, _ = read_parts(inputs, options, ledger)
        numbers = [numbers_of(part) for part in parts]
        if as_json:
            print_json(numbers)
        else:
            print("\n\n".join(map(as_text, numbers)))
