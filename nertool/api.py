"""The Python API: what `import nertool` offers."""

from __future__ import annotations

from pathlib import Path

from nertool.config.file import read_config_file
from nertool.config.records import Config
from nertool.errors import NertoolError
from nertool.tagging.tagger import Entity, Tagger, load
from nertool.training.recipe import resolve
from nertool.training.run import begin_run, check_free, prepared_for, run_training

__all__ = ["Entity", "NertoolError", "Tagger", "load", "train"]


def train(
    config: Config | str | Path, run_dir: str | Path, overwrite: bool = False, workers: int = 1
) -> Tagger:
    """Train as `nertool train` does, into a run folder, and return the best model's tagger.

    config: a Config, or the path of a YAML file; workers: how many networks to train side by side,
    if it asks for several. They have processes of their own: a script that trains them does so
    below `if __name__ == "__main__":`, as multiprocessing asks. Errors: NertoolError.
    """
    settings = config if isinstance(config, Config) else resolve(read_config_file(Path(config)))
    folder = Path(run_dir)
    check_free(folder, overwrite)
    prepared = prepared_for(settings, folder, "nertool prepare", lambda line: None, overwrite)
    begin_run(settings, folder)
    for _ in run_training(settings, prepared, folder, workers):
        pass
    return load(folder)
