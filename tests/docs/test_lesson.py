"""docs/lesson.md: every function and test that it names is there, and its commands run."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSON = (ROOT / "docs" / "lesson.md").read_text(encoding="utf-8")
NAMED = re.findall(r"\[`(\w+)` in ([\w/.]+)\]\(\.\./([\w/.]+)\)", LESSON)
COMMANDS = [
    shlex.split(line)
    for block in re.findall(r"```sh\n(.*?)```", LESSON, re.DOTALL)
    for line in block.splitlines()
]


def test_every_function_that_is_named_is_where_the_lesson_says():
    assert len(NAMED) > 25
    assert len(NAMED) == LESSON.count("](../")  # no link goes by unchecked
    for name, shown, linked in NAMED:
        assert shown == linked
        tree = ast.parse((ROOT / linked).read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in functions, f"{linked} has no {name}"


def test_every_section_has_a_function_and_a_test():
    for section in re.split(r"^## ", LESSON, flags=re.MULTILINE)[1:]:
        files = [
            path
            for _, path, _ in re.findall(r"\[`(\w+)` in ([\w/.]+)\]\(\.\./([\w/.]+)\)", section)
        ]
        assert any(path.startswith("nertool/") for path in files), section[:40]
        assert any(path.startswith("tests/") for path in files), section[:40]


@pytest.fixture(scope="module")
def started(tmp_path_factory, cli) -> Path:
    folder = tmp_path_factory.mktemp("lesson") / "new"
    assert cli("init", folder).returncode == 0
    return folder


def test_the_commands_run(started, main):
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
