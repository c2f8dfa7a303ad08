"""The functions of the Python API: load, train, evaluate, read, convert."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from nertool.api.document import Document, documents_of
from nertool.api.tagger import PathLike, Tagger, load
from nertool.config.file import read_config_file
from nertool.config.records import Config
from nertool.config.values import raw_from_dict
from nertool.corpus.annotated import labelled
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.corpus.schemes import keep_labels
from nertool.errors import ModelError
from nertool.evaluation.evaluate import compare_with_model
from nertool.evaluation.scores import Scores
from nertool.evaluation.tables import as_dict, as_table
from nertool.formats.base import Writing
from nertool.formats.convert import convert as convert_files
from nertool.formats.labelled import read_labelled, reading_of
from nertool.formats.read import read_corpus
from nertool.model.files import model_folder
from nertool.tagging.compiled import CompiledTagger
from nertool.training.divergence import Watch
from nertool.training.recipe import resolve
from nertool.training.run import begin_run, check_free, prepared_for, run_training, writing_run
from nertool.training.trainer import EpochRecord


@dataclass(frozen=True)
class Run:
    """A training that is done.

    path: the run folder; the folder of a run that was given none is deleted with this object, so
    `save` its model first. history: a record for each epoch, with its loss, and its scores on dev.
    """

    path: Path
    history: list[EpochRecord]
    _temporary: tempfile.TemporaryDirectory[str] | None = None

    @cached_property
    def tagger(self) -> Tagger:
        """The best model, ready to tag."""
        return load(self.path)

    @property
    def scores(self) -> dict[str, Any] | None:
        """The best model's measures on dev, as fractions of 1; None without a dev text."""
        measures: dict[str, Any] | None = self.tagger.model.provenance.get("dev")
        return measures

    def save(self, path: PathLike, overwrite: bool = False) -> Path:
        """Copy the best model's folder to a path, which `load` takes. Errors: ModelError if it exists."""
        path = Path(path)
        if path.exists() and not overwrite:
            raise ModelError(f"{path}: already there, expected a new name; or set overwrite=True")
        if path.exists():
            shutil.rmtree(path)
        shutil.copytree(model_folder(self.path), path)
        return path

    def __repr__(self) -> str:
        f1 = (self.scores or {}).get("f1")
        said = "" if f1 is None else f", F1 {100 * f1:.2f} on dev"
        return f"<Run: {len(self.history)} epochs{said}, in {self.path}>"


def train(
    config: Config | Mapping[str, Any] | PathLike | Sequence[PathLike],
    run_dir: PathLike | None = None,
    *,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    overwrite: bool = False,
    workers: int = 1,
) -> Run:
    """Train as `nertool train` does, into a run folder.

    config: the path of a YAML file; or of a labelled text, or a list of them, for the recipe that suits
    it; a dict of the
    YAML file's keys (paths in it are taken from the working folder); or a Config. run_dir: None for a
    temporary folder. on_epoch: called with each epoch's record; what it raises ends the training.
    workers: how many networks to train in parallel, if there are several. They have processes of their
    own: a script that trains them does so below
    `if __name__ == "__main__":`, as multiprocessing asks. Warns of a training that diverged. Errors:
    NertoolError.
    """
    settings = _config_of(config)
    temporary = None
    if run_dir is None:
        temporary = tempfile.TemporaryDirectory(prefix="nertool-run-")
        run_dir = temporary.name
    folder = Path(run_dir)
    check_free(folder, overwrite)
    history = []
    with writing_run(folder):
        check_free(folder, overwrite)
        prepared = prepared_for(settings, folder, "nertool prepare", lambda line: None, overwrite)
        begin_run(settings, folder)
        watch = Watch(settings, prepared.tags)
        for name, record in run_training(settings, prepared, folder, workers):
            history.append(record)
            watch.see(name, record)
            if on_epoch is not None:
                on_epoch(record)
    for sign in watch.signs():
        warnings.warn(f"nertool.train: {sign}", stacklevel=2)
    return Run(folder, history, temporary)


def _config_of(config: Config | Mapping[str, Any] | PathLike | Sequence[PathLike]) -> Config:
    if isinstance(config, Config):
        return config
    if not isinstance(config, Mapping):
        paths = [config] if isinstance(config, str | os.PathLike) else [*config]
        if len(paths) == 1 and Path(paths[0]).suffix in (".yaml", ".yml"):
            return resolve(read_config_file(Path(paths[0])))
        config = {"recipe": "auto", "corpus": {"train": [str(path) for path in paths]}}
    return resolve(raw_from_dict(config, "config"))


@dataclass(frozen=True)
class Evaluation:
    """A model's scores on a labelled text: `print` it for a table. scores: the counts behind it."""

    scores: Scores

    @property
    def precision(self) -> float | None:
        """The share of the predicted entities that is right; None if nothing was predicted."""
        return self.scores.overall.precision

    @property
    def recall(self) -> float | None:
        """The share of the gold entities that was found; None if there are none."""
        return self.scores.overall.recall

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 0 where it is undefined."""
        return self.scores.f1

    def to_dict(self) -> dict[str, Any]:
        """Return all measures as fractions of 1, ready for JSON."""
        return as_dict(self.scores)

    def __str__(self) -> str:
        return as_table(self.to_dict())

    def __repr__(self) -> str:
        return f"<Evaluation: F1 {100 * self.f1:.2f}>"


def evaluate(tagger: Tagger | PathLike, path: PathLike, format_name: str = "auto") -> Evaluation:
    """Tag a labelled text, and compare, as `nertool evaluate` does.

    tagger: a Tagger, or the path of a model. path: a labelled text in any format, a folder of such files,
    or a pattern. Errors: CorpusError with file:line.
    """
    model = tagger.model if isinstance(tagger, Tagger) else load(tagger).model
    settings = model.config.corpus
    corpus = read_labelled(
        Path(path), format_name, reading_of(settings), Ledger(), lambda line: None
    )
    if settings.labels:
        corpus = keep_labels(corpus, settings.labels, lambda line: None)
    comparison, _ = compare_with_model(CompiledTagger(model), corpus)
    return Evaluation(comparison.scores)


def read(path: PathLike, format_name: str = "auto", **options: Any) -> list[Document]:
    """Read a file (or a folder in brat's format) as documents, with the entities that it is labelled with.

    format_name: as `--from`. options: how it is read, such as token_column, tag_column, text_field,
    language, misaligned (see nertool.corpus.record.Reading). Errors: CorpusError with file:line;
    TypeError for an option that there is not.
    """
    reading = Reading(**options)
    corpus = read_corpus(Path(path), format_name, reading, Ledger())
    return list(documents_of(labelled(corpus)))


def convert(
    inputs: PathLike | Iterable[PathLike],
    output: PathLike,
    to: str,
    format_name: str = "auto",
    *,
    scheme: str = "iob2",
    tokens: bool = True,
    **options: Any,
) -> None:
    """Write labelled files in another format, as `nertool corpus convert` does.

    to: the output's format. scheme: of the output's tags. tokens: JSON has the places of tokens and
    sentences. format_name, options: as in `read`. Errors: CorpusError with file:line.
    """
    paths = [inputs] if isinstance(inputs, str | Path) else inputs
    convert_files(
        [Path(path) for path in paths],
        format_name,
        to,
        Reading(**options),
        replace(Writing(scheme), exact=tokens),
        False,
        Path(output),
        Ledger(),
        lambda line: None,
    )
