"""The Python API: what `import nertool` offers."""

from __future__ import annotations

from pathlib import Path

from nertool.config import Config, load_config
from nertool.errors import NertoolError
from nertool.tagging.tagger import Entity, Tagger, load
from nertool.training.run import begin_run, check_free, prepared_for, run_epochs

__all__ = ["Entity", "NertoolError", "Tagger", "load", "train"]


def train(config: Config | str | Path, run_dir: str | Path, overwrite: bool = False) -> Tagger:
    """Train as `nertool train` does, into a run folder, and return the best model's tagger.

    config: a Config, or the path of a YAML file. Errors: NertoolError.
    """
    settings = config if isinstance(config, Config) else load_config(Path(config))
    folder = Path(run_dir)
    check_free(folder, overwrite)
    prepared = prepared_for(settings, folder, "nertool prepare", lambda line: None, overwrite)
    begin_run(settings, folder)
    for _ in run_epochs(settings, prepared, folder, resume=False):
        pass
    return load(folder)
