"""Start two trainings in one folder, moments apart: one must be refused, and the folder must hold the run of
the other alone: its config, its log and its model.

python -m tests.campaigns.mixed --count 200
"""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

from tests.campaigns.common import (
    Tally,
    content_of,
    exit_code,
    forked,
    import_all,
    main_of,
    run_campaign,
    write_corpus,
)


def campaign(tally: Tally, count: int, seed: int, folder: Path) -> None:
    """Train with seed 1 and with seed 2, in random order and up to 0.6 s apart."""
    import_all()
    from nertool.model.load import load_model

    config = write_corpus(folder)
    run_dir = folder / "run"
    rng = random.Random(seed)

    def train(own: int, *options: str) -> int:
        command: list[str | Path] = [
            "train",
            config,
            "--run-dir",
            run_dir,
            "--seed",
            str(own),
            *options,
        ]
        return forked(main_of(*command), folder / f"stderr-{own}")

    expected = {}
    for own in (1, 2):
        assert exit_code(train(own, "--overwrite")) == 0
        expected[own] = content_of(run_dir / "best")
    for i in range(count):
        options = ["--overwrite"] if i % 2 else []
        if not options:
            shutil.rmtree(run_dir)
        order = rng.sample((1, 2), 2)
        first = train(order[0], *options)
        time.sleep(rng.choice((0.0, rng.uniform(0, 0.6))))
        second = train(order[1], *options)
        codes = dict(zip(order, (exit_code(first), exit_code(second)), strict=True))
        told = {own: (folder / f"stderr-{own}").read_text() for own in order}
        winners = [own for own in order if codes[own] == 0]
        refused = [own for own in order if codes[own] == 1]
        if (
            not winners
            or len(winners) + len(refused) < 2
            or any("Traceback" in t for t in told.values())
        ):
            tally.count(f"exit codes {codes}: {told}"[:600])
            continue
        model = load_model(run_dir)
        # With --overwrite the second may begin when the first has ended: the last one stays.
        found = content_of(run_dir / "best")
        own = model.config.seed
        whole = own in winners and found == expected[own]
        in_config = f"seed: {own}\n" in (run_dir / "config.yaml").read_text()
        tally.count(
            "" if whole and in_config else f"winners {winners}, the model is of seed {own}: mixed"
        )


if __name__ == "__main__":
    run_campaign("mixed", __doc__, 200, campaign)
