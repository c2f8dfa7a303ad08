"""`nertool export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nertool.cli.common.options import ModelPath, note, one_blas_thread


def export(
    model: ModelPath,
    output: Annotated[
        Path, typer.Argument(metavar="FILE.onnx", help="The file to write; - for standard output.")
    ],
) -> None:
    """Write a model as an ONNX graph, for other runtimes.

    The inputs are row numbers of words, the outputs are scores of tags. docs/onnx.md describes the graph, and
    how to use it. Needs the extra onnx.

    Examples:
        nertool export runs/my model.onnx
    """
    if output.suffix.lower() != ".onnx" and str(output) != "-":
        raise typer.BadParameter(f"{output}: expected a name that ends in .onnx")
    one_blas_thread()

    from nertool.errors import NertoolError
    from nertool.files.output import open_binary_output
    from nertool.integrations.onnx import export as exported
    from nertool.model.load import load_model

    loaded = load_model(model)
    try:
        graph = exported(loaded)
    except ImportError:
        raise NertoolError(
            "export needs the package onnx; install it with: pip install 'nertool[onnx]'"
        ) from None
    content = graph.SerializeToString()
    with open_binary_output(output) as out:
        out.write(content)
    inputs = ", ".join(entry.name for entry in graph.graph.input)
    note(f"{output}: {len(content) / 1e6:.1f} MB; given {inputs}, it returns scores")
