"""The options for reading text, which are the same in every command that reads text.

A command has a parameter `options: ReadingOptions` and the decorator `@with_reading_options()`, which
replaces the parameter by the options --from, --token-column and so on.
"""

from __future__ import annotations

import functools
import inspect
import json
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from nertool.catalogue import FORMATS, INPUT_FORMATS, MISALIGNED, OFFSETS
from nertool.cli.common.help import INPUT
from nertool.cli.common.options import check_choice

if TYPE_CHECKING:
    from nertool.formats.labelled import ReadingOptions

_PLAIN = ", ".join(
    f"{known.name} ({known.title})" for known in FORMATS if known.reads and not known.labelled
)


def _format_option(*names: str) -> Any:
    return Annotated[
        str,
        typer.Option(
            *names,
            metavar="|".join(INPUT_FORMATS),
            rich_help_panel=INPUT,
            help=f"The format of the inputs. auto detects it. Formats of plain text are {_PLAIN}.",
        ),
    ]


_WHICH = "its number from 0 (-1 is the last), or its name in a header [default: detected]."
TokenColumn = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", rich_help_panel=INPUT, help=f"The column of the words: {_WHICH}"
    ),
]
TagColumn = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", rich_help_panel=INPUT, help=f"The column of the tags: {_WHICH}"),
]
TagNames = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,…",
        rich_help_panel=INPUT,
        help="The names of tags that are written as numbers, in the order of the numbers: O,B-PER,I-PER.",
    ),
]
ClassName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel=INPUT,
        help="The class of all entities, for texts whose tags are only B, I and O.",
    ),
]
Outside = Annotated[
    str | None,
    typer.Option(
        metavar="TAG",
        rich_help_panel=INPUT,
        help="The tag of words that are in no entity, such as OTHER [default: O].",
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel=INPUT,
        help="The encoding of the inputs, such as latin-1 or cp1252 [default: UTF-8].",
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        metavar="tab|space|comma|semicolon|bar|TEXT",
        rich_help_panel=INPUT,
        help="The separator between columns [default: detected].",
    ),
]
Comment = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=INPUT,
        help="In columns, leave out lines that begin with this text, such as '# '.",
    ),
]
TextField = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=INPUT,
        help="The key or column of the text in JSON, CSV and Parquet [default: text].",
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=INPUT,
        help="The language of running text, such as de or hi. It is used to split the text into "
        "sentences [default: en].",
    ),
]
Offsets = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(OFFSETS),
        rich_help_panel=INPUT,
        help="The unit of the positions of entities: characters, utf16 (units of UTF-16, as in JavaScript "
        "and Java) or bytes (of UTF-8). auto: the unit that fits the entities [default: auto].",
    ),
]
Misaligned = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(MISALIGNED),
        rich_help_panel=INPUT,
        help="What to do with entities that begin or end inside a token. error: stop. snap: widen them to "
        "whole tokens. drop: leave them out.",
    ),
]
SkipFaulty = Annotated[
    str | None,
    typer.Option(
        "--on-error",
        metavar="fail|skip",
        rich_help_panel=INPUT,
        help="What to do with input that can't be read. fail: stop. skip: leave out the record (in columns, "
        "the sentence), and count it [default: fail].",
    ),
]

# All options by parameter name. Those of the second group concern only labels.
_OF_TEXT: dict[str, Any] = {
    "format_name": _format_option("--from", "--format"),
    "token_column": TokenColumn,
    "tag_column": TagColumn,
    "delimiter": Delimiter,
    "comment": Comment,
    "text_field": TextField,
    "language": Language,
    "outside": Outside,
    "encoding": Encoding,
    "on_error": SkipFaulty,
}
_OF_LABELS: dict[str, Any] = {
    "tag_names": TagNames,
    "class_name": ClassName,
    "offsets": Offsets,
    "misaligned": Misaligned,
}
# The options' keys in a config's section corpus.
_KEYS = {**{name: name for name in (*_OF_TEXT, *_OF_LABELS)}, "format_name": "format"}

Command = Callable[..., Any]
_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def with_reading_options(
    *without: str, labelled: bool = True, misaligned: str = "error", from_is_format: bool = True
) -> Callable[[Command], Command]:
    """Replace a command's parameter `options` by the reading options.

    without: names of options that the command defines itself, or can't have. labelled: whether the command
    reads labels. misaligned: the default that the help names. from_is_format: make --from another spelling of
    --format. A command that uses --from for something else sets it to False.
    """
    kinds = {**_OF_TEXT, **(_OF_LABELS if labelled else {})}
    if not from_is_format:
        kinds["format_name"] = _format_option("--format")
    kinds = {name: kind for name, kind in kinds.items() if name not in without}

    def decorate(function: Command) -> Command:
        written = {k: v for k, v in function.__annotations__.items() if k != "options"}
        hints = get_type_hints(
            SimpleNamespace(__annotations__=written), function.__globals__, include_extras=True
        )
        parameters: list[inspect.Parameter] = []
        for name, parameter in inspect.signature(function).parameters.items():
            if name == "options":
                parameters += [_parameter(n, k, misaligned) for n, k in kinds.items()]
            else:
                parameters.append(parameter.replace(annotation=hints[name], kind=_KEYWORD))

        @functools.wraps(function)
        def command(**values: Any) -> Any:
            given = {name: values.pop(name) for name in kinds if name in values}
            return function(**values, options=read_options(**given))

        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        return command

    return decorate


def _parameter(name: str, kind: Any, misaligned: str) -> inspect.Parameter:
    if name == "misaligned":
        option = kind.__metadata__[0]
        text = f"{option.help} [default: {misaligned}]"
        kind = Annotated[
            str | None, typer.Option(metavar=option.metavar, rich_help_panel=INPUT, help=text)
        ]
    default = "auto" if name == "format_name" else None
    return inspect.Parameter(name, _KEYWORD, default=default, annotation=kind)


def column_of(text: str | None) -> int | str | None:
    """Parse a column's number or name."""
    try:
        return int(text) if text is not None else None
    except ValueError:
        return text


def read_options(
    format_name: str = "auto",
    token_column: str | None = None,
    tag_column: str | None = None,
    tag_names: str | None = None,
    misaligned: str | None = None,
    on_error: str | None = None,
    offsets: str | None = None,
    **others: str | None,
) -> ReadingOptions:
    """Return the options' values as one record. An invalid value is wrong usage."""
    check_choice(_typed("--from", "--format"), format_name, INPUT_FORMATS)
    check_choice("--misaligned", misaligned, MISALIGNED)
    check_choice("--on-error", on_error, ("fail", "skip"))
    check_choice("--offsets", offsets, OFFSETS)

    from nertool.formats.labelled import ReadingOptions

    return ReadingOptions(
        format_name=format_name,
        token_column=column_of(token_column),
        tag_column=column_of(tag_column),
        tag_names=tuple(tag_names.split(",")) if tag_names else None,
        misaligned=misaligned,
        on_error=on_error,
        offsets=offsets,
        **others,
    )


def _typed(name: str, alias: str) -> str:
    """Return the spelling of an option that the command line has, for error messages."""
    words = [word.partition("=")[0] for word in sys.argv[1:]]
    return alias if alias in words and name not in words else name


def as_overrides(options: ReadingOptions) -> list[str]:
    """Return the options in the form of --set: corpus.format="conll"."""
    values = {name: getattr(options, name) for name in _KEYS}
    values["format_name"] = None if options.format_name == "auto" else options.format_name
    return [
        f"corpus.{_KEYS[name]}={json.dumps(value, ensure_ascii=False)}"
        for name, value in values.items()
        if value is not None
    ]
