"""Train on one text in memory and tag another, for cross-validation and learning curves.

One network is trained for all epochs of the config, without a dev part and without a first stage, in a
temporary folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from nertool.config.learning import DistillationConfig
from nertool.config.records import Config
from nertool.corpus.columnar import Corpus
from nertool.files.output import scratch_folder
from nertool.model.load import load_model
from nertool.tagging.compiled import CompiledTagger
from nertool.training.preparation.encode import encode_parts
from nertool.training.preparation.store import input_hashes, save_prepared
from nertool.training.run import begin_run, run_training


def single_network(config: Config, seed: int | None = None) -> Config:
    """Return a config that trains one network on the whole of a text, for a fixed number of epochs."""
    return replace(
        config,
        seed=config.seed if seed is None else seed,
        corpus=replace(config.corpus, dev=None, held_out=0.0, labels=None, scheme="auto"),
        network=replace(config.network, members=1),
        first_stage=replace(config.first_stage, folds=0),
        training=replace(config.training, patience=0, refit=False, audit_every=0, start=None),
        vectors=replace(config.vectors, more=None, more_for="all"),
        distillation=DistillationConfig(),
    )


@contextmanager
def trained_on(config: Config, corpus: Corpus) -> Iterator[CompiledTagger]:
    """Yield a tagger trained on a labelled text. config: a result of single_network.

    Errors: CorpusError for a text without an entity; NonFiniteError as in training.
    """
    hashes = input_hashes(replace(config, corpus=replace(config.corpus, train=None)))
    prepared = encode_parts(config, replace(corpus, records=None), None, hashes, _silent)
    with scratch_folder() as run_dir:
        save_prepared(prepared, run_dir / "prepared")
        begin_run(config, run_dir)
        for _ in run_training(config, prepared, run_dir, workers=1):
            pass
        yield CompiledTagger(load_model(run_dir))


def _silent(line: str) -> None:
    """Ignore a finding: it is reported when the whole text is read."""
