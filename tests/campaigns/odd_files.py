"""Give odd files, as label tools and spreadsheets write them, to convert, check, stats, train and predict.

Each must be read with the right entities, or refused in one line that says what was found; predict must tag
the same words, and never take labelled text for plain text.

python -m tests.campaigns.odd_files --count 1000
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path

from tests.campaigns.common import (
    Tally,
    exit_code,
    faults_told,
    forked,
    import_all,
    main_of,
    run_campaign,
    trained,
)
from tests.campaigns.odd.case import Odd, written
from tests.campaigns.odd.cases import CASES

_OF_LABELS = ("--tag-names", "--class-name")  # which predict has not
_PLAIN = re.compile(r"read as (?:running text|texts, one per line|text, one sentence per line)")


class Outcome:
    """What a command did: its exit code, what it said, and the file that it wrote."""

    def __init__(self, folder: Path, *arguments: str | Path) -> None:
        self.told = folder / "told"
        self.code = exit_code(forked(main_of(*arguments), self.told))
        self.raw = self.told.read_bytes()
        self.said = self.raw.decode("utf-8", "replace")

    def refused(self, what: str) -> bool:
        """Tell whether the command ended in one line of its own that names this."""
        last = self.said.rstrip("\n").rpartition("\n")[2]
        return self.code in (1, 2) and what in last and (self.code == 2 or "nertool: " in last)


def campaign(tally: Tally, count: int, seed: int, folder: Path) -> None:
    """Give each file to the five commands."""
    import_all()
    model = trained(folder / "model", epochs=1)
    for odd in CASES[:count]:
        own = folder / "case"
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir()
        for wrong in faults_of(odd, own, model):
            tally.count(wrong and f"{odd.name}: {wrong}")


def faults_of(odd: Odd, folder: Path, model: Path) -> list[str]:
    """Return for each command what is not as expected, "" if all is."""
    path, out = written(odd, folder), folder / "out.jsonl"
    done = Outcome(folder, "corpus", "convert", path, *odd.options, "-o", out)
    faults = [faults_told(done.raw) or _converted(odd, done, out)]
    for command in (("check",), ("stats",)):
        seen = Outcome(folder, "corpus", *command, path, *odd.options, "--misaligned", "error")
        faults.append(faults_told(seen.raw) or _as_expected(odd, seen, " ".join(command)))
    config = folder / "config.yaml"
    config.write_text(
        f"corpus: {{train: {json.dumps(str(path))}}}\n"
        f"vectors: {{path: {json.dumps(str(model.parent / 'vectors.txt'))}}}\n"
        "network: {hidden: 4}\ntraining: {epochs: 1}\n"
    )
    pairs = zip(odd.options[::2], odd.options[1::2], strict=True)
    sets = [part for o, v in pairs for part in ("--set", f"corpus.{_key(o)}={_value(o, v)}")]
    seen = Outcome(folder, "train", config, *sets, "--run-dir", folder / "run")
    faults.append(faults_told(seen.raw) or _as_expected(odd, seen, "train"))
    options = [
        part
        for name, value in zip(odd.options[::2], odd.options[1::2], strict=True)
        if name not in _OF_LABELS
        for part in (name, value)
    ]
    tagged = folder / "tagged.jsonl"
    seen = Outcome(
        folder, "predict", model, path, *options, "--to", "jsonl", "--tokens", "-o", tagged
    )
    faults.append(faults_told(seen.raw) or _tagged(odd, seen, out, tagged))
    return faults


def _key(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def _value(option: str, value: str) -> str:
    return f"[{value}]" if option == "--tag-names" else json.dumps(value)


def _as_expected(odd: Odd, done: Outcome, command: str) -> str:
    if isinstance(odd.expected, str):
        return (
            ""
            if done.refused(odd.expected)
            else f"{command}: expected a refusal ({odd.expected}): {done.code} {done.said}"
        )
    nothing = command == "train" and not odd.expected
    return "" if done.code == 0 or nothing else f"{command}: {done.code} {done.said}"


def _converted(odd: Odd, done: Outcome, out: Path) -> str:
    if isinstance(odd.expected, str):
        return _as_expected(odd, done, "convert") or (
            "" if not out.exists() else "convert: wrote a file"
        )
    if done.code or not out.exists():
        return f"convert: {done.code} {done.said}"
    found = Counter(entity["label"] for row in _rows(out) for entity in row["entities"])
    return (
        ""
        if found == odd.expected
        else f"convert: {dict(found)}, expected {odd.expected}: {done.said}"
    )


def _tagged(odd: Odd, done: Outcome, out: Path, tagged: Path) -> str:
    refusal = odd.predict
    if isinstance(odd.expected, str) and not odd.tagged and not refusal:
        refusal = odd.expected
    if refusal:
        right = done.refused(refusal) and not tagged.exists()
        return "" if right else f"predict: expected a refusal ({refusal}): {done.code} {done.said}"
    if done.code or not tagged.exists():
        return f"predict: {done.code} {done.said}"
    if odd.tagged == -2:
        return ""
    words = _words(tagged)
    if odd.tagged == -1:
        return "" if words else "predict: no word"
    if _PLAIN.search(done.said):
        return f"predict: taken for plain text: {done.said}"
    if odd.tagged or not out.exists():
        return "" if len(words) == odd.tagged else f"predict: {len(words)} words: {words}"
    return "" if words == _words(out) else f"predict: other words: {words}, {_words(out)}"


def _rows(path: Path) -> list[dict]:
    return [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()]


def _words(path: Path) -> list[str]:
    return [row["text"][a:b] for row in _rows(path) for a, b in row["tokens"]]


if __name__ == "__main__":
    run_campaign("odd files", __doc__, len(CASES), campaign)
