"""Give every command odd arguments and options: numbers beyond any sense, links that lead to themselves,
devices, folders, damaged and deeply nested files. It must end with 0, 1 or 2, and say why in plain
lines.

python -m tests.campaigns.options --count 1000
"""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.campaigns.common import (
    TEXT,
    Tally,
    exit_code,
    faults_told,
    forked,
    import_all,
    main_of,
    run_campaign,
    trained,
)

_SECONDS = 300
_NUMBERS = (
    "0",
    "-1",
    "1",
    "2",
    str(10**30),
    str(-(10**30)),
    "1e308",
    "1e-400",
    "nan",
    "inf",
    "",
    "x",
    "0x10",
    "1_0",
)
_TEXTS = (
    "",
    "x" * 3000,
    "a\nb",
    "\x1b[2J",
    "\u202eabc",
    "é",
    "=",
    "a=b=c",
    "PER=0.5",
    "-",
    "--",
    "[" * 2000,
    "{a: " * 500,
)


def campaign(tally: Tally, count: int, seed: int, folder: Path) -> None:
    """Run each command in turn."""
    import_all()
    from nertool.cli.app import app

    leaves = list(_leaves(app, ()))
    data = folder / "data"
    model = trained(data)
    places = _places(folder, data, model)
    rng = random.Random(seed)
    told = folder / "stderr"
    for i in range(count):
        name, command = leaves[i % len(leaves)]
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        arguments = [*name, *_arguments(command, rng, places, work)]

        def go(arguments: list[str] = arguments, work: Path = work) -> None:
            os.chdir(work)
            os.dup2(os.open(data / "text.txt", os.O_RDONLY), 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(_SECONDS)
            main_of(*arguments)()

        code = exit_code(forked(go, told))
        failure = faults_told(told.read_bytes())
        if code not in (0, 1, 2):
            failure = failure or f"exit code {code}"
        elif code and not told.read_bytes().strip():
            failure = f"exit code {code} without a word"
        tally.count(failure and f"{[a[:60] for a in arguments]}: {failure}")


def _leaves(command: Any, name: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "commands"):
        yield name, command
        return
    for key, inner in command.commands.items():
        yield from _leaves(inner, (*name, key))


def _places(folder: Path, data: Path, model: Path) -> list[str]:
    """Make odd places, and return their paths with those of sound files."""
    (data / "text.txt").write_text(TEXT)
    odd = folder / "odd"
    odd.mkdir()
    (odd / "loop").symlink_to(odd / "loop")
    (odd / "dangling").symlink_to(odd / "nothing")
    (odd / "nested.json").write_text("[" * 100_000)
    (odd / "nested.jsonl").write_text(
        '{"text": "a", "entities": ' + "[" * 5000 + "]" * 5000 + "}\n"
    )
    (odd / "nested.yaml").write_text("a: " + "[" * 5000)
    (odd / "aliases.yaml").write_text(
        "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    )
    (odd / "empty").touch()
    (odd / "binary").write_bytes(bytes(range(256)) * 40)
    (odd / "huge.vec").write_text("a 3e38 3e38\nb -3e38 3e38\nAda 1e39 0\n")
    (odd / "line\nend.conll").write_text("Ada B-PER\nmet O\n\n")
    (Path(os.fsdecode(os.fsencode(odd) + b"/\xff.conll"))).write_text("Ada B-PER\nmet O\n\n")
    good = [
        data / name
        for name in ("train.conll", "dev.conll", "vectors.txt", "config.yaml", "text.txt")
    ]
    made = list(odd.iterdir())
    rest = [
        folder,
        Path("/dev/null"),
        Path("new"),
        Path("no/such"),
        odd / "loop" / "x",
        model / "config.yaml",
    ]
    return [str(path) for path in [*good, *good, model, model, *made, *rest]] + ["-", "x" * 300]


def _arguments(command: Any, rng: random.Random, places: list[str], work: Path) -> Iterator[str]:
    """Yield odd values for a command's arguments, and for some of its options."""
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            for _ in range(rng.choice((1, 1, 1, 2)) if parameter.nargs != 1 else 1):
                yield rng.choice(places) if rng.random() < 0.9 else rng.choice(_TEXTS) or "x"
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    for parameter in rng.sample(options, min(len(options), rng.choice((0, 1, 2, 4)))):
        yield rng.choice(parameter.opts)
        if getattr(parameter, "is_flag", False):
            continue
        if "--set" in parameter.opts:
            yield _setting(rng)
        elif getattr(parameter, "min", None) is not None:
            yield rng.choice(_NUMBERS)
        else:
            yield rng.choice(rng.choice((places, places, _NUMBERS, _TEXTS)))


def _setting(rng: random.Random) -> str:
    from nertool.config.values import key_types

    value = rng.choice(
        (*_NUMBERS, *_TEXTS, "!!bool maybe", "!!int x", "&a [*a]", "[1, [2, [3]]]", "null")
    )
    return f"{rng.choice(list(key_types()))}={value}"


if __name__ == "__main__":
    run_campaign("options", __doc__, 1000, campaign)
