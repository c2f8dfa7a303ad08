"""`nertool compress` and `nertool pack`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nertool.cli.common.options import AsJson, ModelPath, check_choice, note, print_json
from nertool.cli.common.reading_options import with_reading_options

if TYPE_CHECKING:
    from nertool.formats.labelled import ReadingOptions
    from nertool.model.model import Model

AS_THEY_ARE = "as-is"
KINDS = ("int8", "codes", "float16", AS_THEY_ARE)

Target = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER|FILE",
        help="A new folder, or one file if the name ends in .nertool.",
    ),
]


@with_reading_options(misaligned="the config's")
def compress(
    model: ModelPath,
    output: Target,
    options: ReadingOptions,
    rows: Annotated[
        str,
        typer.Option(
            metavar="|".join(KINDS),
            help="How the rows of word vectors and of other large tables are stored. int8 (with one "
            "scale per row) takes a quarter of the space of float32, float16 half of it. codes stores "
            "the rows of rare words in 2 to 20 bytes. as-is changes nothing.",
        ),
    ] = "int8",
    top: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=10**9,
            metavar="N",
            help="Keep the words of the training text, and the N most frequent words of the vectors. "
            "With --rows codes, the other words are also kept, as codes, and the default is 10000 "
            "[default: all].",
        ),
    ] = None,
    dev: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Labelled text to measure both models on [default: the model's dev part, if the file "
            "exists].",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a model smaller. Prints size, loading time and F1 on dev, before and after.

    Examples:
        nertool compress runs/my -o my.nertool
        nertool compress runs/my --top 50000 -o small.nertool --dev dev.conll
    """
    check_choice("--rows", rows, KINDS)
    check_target(model, output)

    from nertool.errors import ModelError
    from nertool.model.compress import compress_model
    from nertool.model.load import load_model
    from nertool.model.save import save_model

    before = load_model(model)
    try:
        smaller = compress_model(before, None if rows == AS_THEY_ARE else rows, top)
    except ValueError as error:
        raise ModelError(f"{model}: {error}") from None
    text = dev or _dev_of(before)
    # Measured before anything is written, since the text may be invalid.
    facts = {"before": _facts(model, text, options)}
    save_model(smaller, output)
    facts["after"] = _facts(output, text, options)
    if as_json:
        print_json({"output": str(output), "dev": text and str(text), **facts})
        return
    print(_table(facts))
    if text is None:
        note("no dev F1: the model's dev part is not there; name a labelled text with --dev")
    note(f"kept in {output}")


def pack(model: ModelPath, output: Target) -> None:
    """Copy a model into one file. Every command takes this file in place of a model folder.

    The file is an uncompressed zip of the model's folder, and is read in place.

    Examples:
        nertool pack runs/my -o my.nertool
    """
    from nertool.model.files import ONE_FILE, pack_model
    from nertool.model.load import load_model

    if output.suffix != ONE_FILE:
        raise typer.BadParameter(
            f"--output: found {output}, expected a name that ends in {ONE_FILE}"
        )
    check_target(model, output)
    load_model(model)
    pack_model(model, output)
    note(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


def check_target(source: Path, output: Path) -> None:
    """Refuse an output that would overwrite the input, or a folder that is not empty."""
    from nertool.files.folders import free_folder
    from nertool.model.files import ONE_FILE

    real, read = os.path.realpath(output), os.path.realpath(source)
    if os.path.commonpath([real, read]) in (real, read):
        raise typer.BadParameter(
            f"--output: {output} is, or lies in, what is read; choose another name"
        )
    if output.suffix != ONE_FILE:
        free_folder(output)


def _dev_of(model: Model) -> tuple[Path, ...] | None:
    from nertool.formats.paths import is_pattern

    paths = model.config.corpus.dev
    return paths if paths and all(is_pattern(path) or path.exists() for path in paths) else None


def _facts(
    path: Path, text: Path | tuple[Path, ...] | None, options: ReadingOptions
) -> dict[str, Any]:
    """Measure a model: bytes, words, seconds to load, and F1 on a text if one is given."""
    from time import perf_counter

    from nertool.corpus.ledger import Ledger
    from nertool.evaluation.inputs import evaluate_model
    from nertool.evaluation.tables import as_dict
    from nertool.inputs.encoder import SPECIAL_ROWS
    from nertool.model.files import open_model
    from nertool.model.load import load_model

    start = perf_counter()
    model = load_model(path)
    seconds = perf_counter() - start
    with open_model(path, verify=False) as opened:
        size = sum(opened.sizes().values())
    f1 = None
    if text is not None:
        found = evaluate_model(path, [text], options, Ledger(), lambda line: None)
        f1 = as_dict(found.comparison.scores)["f1"]
    networks = (*model.first_stage, *model.members)
    words = max(len(member.L) for member in networks) - SPECIAL_ROWS
    return {"bytes": size, "words": words, "load_seconds": round(seconds, 3), "dev_f1": f1}


def _table(facts: dict[str, dict[str, Any]]) -> str:
    def shown(name: str, unit: str, form: str, scale: float) -> str:
        values = [facts[when][name] for when in ("before", "after")]
        cells = ["–" if value is None else format(value * scale, form) for value in values]
        return f"{unit:12}" + "".join(f"{cell:>12}" for cell in cells)

    return "\n".join(
        [
            f"{'':12}{'before':>12}{'after':>12}",
            shown("bytes", "size, MB", ".2f", 1e-6),
            shown("words", "words", ",.0f", 1),
            shown("load_seconds", "load, s", ".2f", 1),
            shown("dev_f1", "dev F1", ".2f", 100),
        ]
    )
