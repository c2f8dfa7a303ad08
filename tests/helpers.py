"""What tests of training share: configs with some keys changed, whole runs, and what they came to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from nertool.config import Config
from nertool.training import run

VOLATILE = ("seconds", "tokens_per_second")


def change(config: Config, **sections: dict) -> Config:
    """Return the config with some keys changed: change(config, training={"epochs": 2})."""
    return replace(
        config, **{name: replace(getattr(config, name), **keys) for name, keys in sections.items()}
    )


def run_training(config: Config, run_dir: Path, resume: bool = False) -> list:
    """Train into a run folder as `nertool train` does; return the epochs' records."""
    if not resume:
        run.check_free(run_dir, overwrite=False)
    prepared = run.prepared_for(config, run_dir, "nertool prepare", lambda line: None)
    if not resume:
        run.begin_run(config, run_dir)
    return [record for _, record in run.run_training(config, prepared, run_dir, workers=1)]


def outcome(run_dir: Path) -> dict:
    """Return what two equal trainings must agree in: arrays byte for byte, and the log without times."""
    arrays = {
        f"{name}/{kind}": (run_dir / name / f"{kind}.safetensors").read_bytes()
        for name, kind in (("best", "model"), ("last", "state"))
    }
    log = [json.loads(line) for line in (run_dir / "log.jsonl").read_text().splitlines()]
    state = json.loads((run_dir / "last" / "state.json").read_text())
    return {
        **arrays,
        "state": state,
        "log": [{key: entry[key] for key in entry if key not in VOLATILE} for entry in log],
    }
