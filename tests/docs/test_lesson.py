"""docs/lesson.md: every function and test that it names is there, and its commands run."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSON = (ROOT / "docs" / "lesson.md").read_text(encoding="utf-8")
MAP = (ROOT / "docs" / "lesson-map.md").read_text(encoding="utf-8")
NAMED = re.findall(r"\[`(\w+)` in ([\w/.]+)\]\(\.\./([\w/.]+)\)", LESSON)
NAMED_IN_MAP = re.findall(r"\[`(\w+)` in ([\w/.]+)\]\(\.\./([\w/.]+)\)", MAP)
COMMANDS = [
    shlex.split(line)
    for block in re.findall(r"```sh\n(.*?)```", LESSON, re.DOTALL)
    for line in block.splitlines()
]


def test_every_function_that_is_named_is_where_the_lesson_says():
    assert len(NAMED) > 25
    assert len(NAMED) == LESSON.count("](../")  # no link goes by unchecked
    assert len(NAMED_IN_MAP) == MAP.count("](../")
    for name, shown, linked in NAMED + NAMED_IN_MAP:
        assert shown == linked
        tree = ast.parse((ROOT / linked).read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in functions, f"{linked} has no {name}"


# Each idea that the map must have, and a word that its section of the lesson uses for it.
IDEAS = {
    "window": "window", "u,": "random at first", "cost": "loss", "chain rule": "chain rule",
    "upstream": "upstream", "fan-out": "used in several places", "m × n": "m × n", "diagonal": "diag",
    "∂W": "∂J/∂W", "shape convention": "shape convention", "outer product": "outer product",
    "δ": "error signal", "input signal": "input signal", "the words": "cut into the words",
    "SGD": "stochastic",
}  # fmt: skip


def test_the_map_leads_from_each_idea_to_a_section_that_teaches_it_and_a_view_that_shows_it():
    sections = dict(re.findall(r"^## (\d+)\. (.*?)(?=^## |\Z)", LESSON, re.MULTILINE | re.DOTALL))
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \| (\w+) \|", MAP, re.MULTILINE)
    page = (ROOT / "docs" / "play.html").read_text(encoding="utf-8")
    for idea, word in IDEAS.items():
        own = [row for row in rows if idea in row[0]]
        assert own, idea
        assert word in " ".join(sections[own[0][1]].split()), (idea, own[0])
    for _, section, view in rows:
        assert section in sections
        assert f'id="view-{view.lower()}"' in page


def test_every_section_has_a_function_and_a_test():
    for section in re.split(r"^## ", LESSON, flags=re.MULTILINE)[1:]:
        files = [
            path
            for _, path, _ in re.findall(r"\[`(\w+)` in ([\w/.]+)\]\(\.\./([\w/.]+)\)", section)
        ]
        assert any(path.startswith("nertool/") for path in files), section[:40]
        assert any(path.startswith("tests/") for path in files), section[:40]


def test_the_commands_run(main, tmp_path):
    started = tmp_path / "new"
    assert main("init", started).returncode == 0
    assert len(COMMANDS) >= 9
    assert all(words[0] == "nertool" for words in COMMANDS)
    shown = {}
    for words in COMMANDS:
        arguments = words[1:]
        if "--plot" in arguments:
            pytest.importorskip("matplotlib")
        if arguments[0] == "train":
            arguments += ["--set", "training.epochs=1", "--set", "vectors.limit=2000"]
        if arguments[0] == "gradcheck":
            arguments += ["--samples", "3", "--windows", "6"]
        done = main(*arguments, cwd=started)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        shown[" ".join(words)] = done.stdout
    explained = [
        out for words, out in shown.items() if " explain " in words and "--html" not in words
    ]
    for out in explained:
        for part in ("FORWARD", "BACKWARD", "WHY", "THE COMPUTATION GRAPH"):
            assert part in out
    assert (started / "jordan.html").stat().st_size > 5000
    assert (started / "errors.png").is_file()
    assert '"audits": [' in (started / "runs" / "audited" / "log.jsonl").read_text()


def test_every_section_asks_for_a_prediction():
    for section in re.split(r"^## ", LESSON, flags=re.MULTILINE)[1:]:
        assert "**Predict" in section, section[:40]
