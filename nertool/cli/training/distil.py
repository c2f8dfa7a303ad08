"""`nertool distil`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.account import ReportPath
from nertool.cli.common.options import AsJson, ModelPath, Overrides, Seed, Workers, cores
from nertool.cli.common.reading_options import as_overrides, with_reading_options
from nertool.cli.common.train_options import VectorsFile
from nertool.cli.training.train import Overwrite, Resume, check_options, train_into

if TYPE_CHECKING:
    from nertool.config.records import Config
    from nertool.formats.labelled import ReadingOptions

Texts = Annotated[
    list[Path] | None,
    typer.Option(
        "--on",
        metavar="TEXT",
        help="Unlabelled text for the teacher to tag, in any format that predict reads (repeatable).",
    ),
]
Gold = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Labelled text to learn from as well (corpus.train; repeatable).",
    ),
]
Dev = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Labelled text to choose the best epoch (corpus.dev; repeatable).",
    ),
]
Student = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="CONFIG",
        help="The student's config [default: the teacher's, with one network and no first stage].",
    ),
]


@with_reading_options(misaligned="the config's")
def distil(
    teacher: ModelPath,
    options: ReadingOptions,
    texts: Texts = None,
    train: Gold = None,
    dev: Dev = None,
    config: Student = None,
    overrides: Overrides = None,
    vectors: VectorsFile = None,
    run_dir: Annotated[
        Path | None,
        typer.Option(
            help="The run folder [default: runs/NAME-student, after the teacher's folder]."
        ),
    ] = None,
    seed: Seed = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    workers: Workers = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Train a small, fast model (the student) on the predictions of a large one (the teacher).

    By default, the student is a single network with the teacher's settings. Its targets are the teacher's
    probabilities. On labelled text, these are mixed with the labels (distillation.share).

    Examples:
        nertool distil runs/large --on raw.txt --train train.conll --dev dev.conll --run-dir runs/small
    """
    check_options(resume, overwrite)
    if not texts and not train:
        raise typer.BadParameter("expected text to learn from: --on TEXT, --train FILE, or both")
    overrides = [*(overrides or ()), *as_overrides(options)]
    settings = student_config(
        teacher, config, texts or [], train or [], dev or [], vectors, overrides, seed
    )
    source = run_dir or Path("runs") / f"{teacher.resolve().name}-student"
    train_into(
        settings,
        source,
        f"nertool prepare {source / 'config.yaml'} --run-dir {source}",
        source / "config.yaml",
        resume=resume,
        overwrite=overwrite,
        workers=workers or cores(),
        report=report,
        as_json=as_json,
    )


def student_config(
    teacher: Path,
    config: Path | None,
    texts: list[Path],
    train: list[Path],
    dev: list[Path],
    vectors: Path | None,
    overrides: list[str] | None,
    seed: int | None,
) -> Config:
    """Return the student's config: a file's, or the teacher's with one network, with the options' values."""
    from nertool.config.file import read_config_file, read_overrides
    from nertool.config.records import Config, config_to_dict
    from nertool.config.values import RawValue, build_config, raw_from_dict
    from nertool.errors import OverrideError
    from nertool.training.run import config_of

    if config is not None:
        raw = read_config_file(config)
    else:
        tree = config_to_dict(config_of(teacher))
        for section, key, value in _STUDENT:
            tree[section][key] = value
        tree["first_stage"] = config_to_dict(Config())["first_stage"]
        raw = raw_from_dict(tree, str(teacher))
    asked = {
        "corpus.train": [str(path) for path in train] or None,
        "corpus.dev": [str(path) for path in dev] or None,
        "vectors.path": vectors and str(vectors),
        "seed": seed,
        "distillation.teacher": str(teacher),
        "distillation.texts": [str(path) for path in texts] or None,
    }
    given = {key for key, value in asked.items() if value is not None}
    if config is None:
        given |= {
            "corpus.train",
            "corpus.dev",
        }  # the teacher's own text is used only if it is named
    raw |= {key: RawValue(asked[key], "the command line", Path()) for key in given}
    try:
        return build_config({**raw, **read_overrides(overrides or [])})
    except OverrideError as error:
        raise typer.BadParameter(str(error)) from None


# Keys of the teacher's config that the student does not take over, in addition to the first stage.
_STUDENT = (
    ("corpus", "test", None),
    ("corpus", "held_out", 0.0),
    ("vectors", "more", None),
    ("vectors", "more_for", "all"),
    ("network", "members", 1),
    ("training", "refit", False),
    ("training", "start", None),
)
