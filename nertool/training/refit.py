"""The final fit: dev has chosen the number of epochs; train once more on train and dev together.

The final model has seen dev. So its scores on dev, its temperature and, with decoding.fit_bias, its bias are
those of the first fit. model.json records this in provenance.refit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from nertool.config.records import Config
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.parts.hold_out import join
from nertool.model.load import load_model
from nertool.model.provenance import usual_epoch
from nertool.model.save import save_model
from nertool.training.preparation.encode import encode_parts, read_parts
from nertool.training.preparation.store import HEADER as PREPARED_HEADER
from nertool.training.preparation.store import input_hashes, save_prepared
from nertool.training.trainer import EpochRecord

REFIT = "refit"  # folder within the run folder
CHOSEN = "chosen"  # folder within it: the model that dev chose, which has not seen dev


def refit_config(config: Config, epochs: int) -> Config:
    """Return the config of the final fit: no dev part, and the number of epochs that dev chose."""
    return replace(
        config,
        corpus=replace(config.corpus, dev=None, held_out=0.0, scheme="iob2"),
        training=replace(config.training, epochs=epochs, patience=0, refit=False),
    )


def prepare_refit(config: Config, run_dir: Path) -> Config:
    """Encode train and dev as one part into the final fit's folder; return the final fit's config.

    Prepared inputs that are already there are kept, so that an interrupted fit can be resumed.
    """
    final = refit_config(config, usual_epoch(load_model(run_dir).provenance["epoch"]))
    folder = run_dir / REFIT / "prepared"
    if not (folder / "prepared.json").is_file():
        prepared = encode_parts(final, _together(config), None, input_hashes(config), _silent)
        save_prepared(prepared, folder)
    return final


def _together(config: Config) -> Corpus:
    """Read train and dev as one corpus.

    Reading them inside this function frees the two parts, which take as much memory as the result.
    """
    return join([part for part in read_parts(config, _silent, Ledger()) if part])


def keep_refit(run_dir: Path, tokens: int) -> None:
    """Replace the best model by the final fit's, with the scores and calibration of the first fit.

    tokens: the number of tokens of train and dev together.
    """
    first, final = load_model(run_dir), load_model(run_dir / REFIT)
    if "refit" in first.provenance:  # already replaced: the end of the run was reached twice
        return
    provenance: dict[str, Any] = {
        **first.provenance,
        "refit": {"epochs": final.provenance["epoch"], "tokens": tokens},
    }
    model = replace(
        final, config=first.config, corpus_scheme=first.corpus_scheme, provenance=provenance
    )
    save_model(first, run_dir / REFIT / CHOSEN, run_dir / "prepared", PREPARED_HEADER)
    save_model(model, run_dir / "best", run_dir / REFIT / "prepared", PREPARED_HEADER)


def unfitted_model(run_dir: Path) -> Path:
    """Return the folder of the model to measure on dev: the best one that has not seen dev."""
    chosen = run_dir / REFIT / CHOSEN
    return chosen if chosen.is_dir() else run_dir


def with_name(records: Iterator[tuple[str, EpochRecord]]) -> Iterator[tuple[str, EpochRecord]]:
    """Prefix the network's name in each record with "refit"."""
    for name, record in records:
        yield f"refit, {name}" if name else "refit", record


def _silent(line: str) -> None:
    """Ignore a finding: the first fit has reported it."""
