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
    """The result of a training.

    - path: the run folder. If `train` was called without one, this is a temporary folder, which is deleted
      together with this object. Call `save` to keep the model.
    - history: a record for each epoch, with its loss, and its scores on dev.
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
        """The best model's scores on dev, as fractions of 1; None without a dev part."""
        measures: dict[str, Any] | None = self.tagger.model.provenance.get("dev")
        return measures

    def save(self, path: PathLike, overwrite: bool = False) -> Path:
        """Copy the best model to a new folder, which `load` can read.

        Raises ModelError if the path exists and overwrite is False.
        """
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
    """Train a model in a run folder, as `nertool train` does.

    - config: the path of a YAML config; or a dict with the keys of a config, in which relative paths start
      from the working folder; or a Config; or the path of a labelled text, or a list of such paths, to let
      nertool choose the settings from the text.
    - run_dir: the run folder; None for a temporary folder.
    - on_epoch: a function that is called with the record of each epoch. An exception in it ends the training.
    - overwrite: replace an existing run.
    - workers: the number of networks to train in parallel, if there are several. They run in processes of
      their own, so a script must call train under `if __name__ == "__main__":`, as multiprocessing requires.

    Warns if the training diverged. Raises NertoolError for invalid input.
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
    """A model's scores on a labelled text. `print` shows them as a table.

    - scores: the counts from which the measures are computed.
    """

    scores: Scores

    @property
    def precision(self) -> float | None:
        """The share of the predicted entities that are correct; None if nothing was predicted."""
        return self.scores.overall.precision

    @property
    def recall(self) -> float | None:
        """The share of the gold entities that were found; None if there are none."""
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
    """Measure a model on a labelled text, as `nertool evaluate` does.

    - tagger: a Tagger, or the path of a model.
    - path: a labelled text in any format, a folder of such files, or a pattern.
    - format_name: the format of the text; auto detects it.

    Raises CorpusError, with file and line, if the text cannot be read.
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
    """Read a labelled file, or a brat folder, as documents with their entities.

    - format_name: the format, as in the option `--from`; auto detects it.
    - options: options for reading, such as token_column, tag_column, text_field, language and misaligned.
      They are the fields of nertool.corpus.record.Reading.

    Raises CorpusError, with file and line, if the file cannot be read; TypeError for an unknown option.
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
    """Convert labelled files to another format, as `nertool corpus convert` does.

    - to: the format of the output.
    - format_name, options: as in `read`.
    - scheme: the tag scheme of the output.
    - tokens: write the positions of tokens and sentences into JSON.

    Raises CorpusError, with file and line, if a file cannot be read.
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
