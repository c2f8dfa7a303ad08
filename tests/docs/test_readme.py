"""The README's own commands, in a folder that `nertool init` made, as a new user would run them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_first_command_is_the_one_that_the_others_need():
    parts = [shlex.split(part) for part in blocks("sh")[0].split("&&")]
    commands = [words[1:] for words in parts if words[0] == "nertool"]
    assert [words[0] for words in commands] == ["train", "evaluate"]
    assert commands[0] == ["train", "configs/quickstart.yaml"]  # tests/docs/test_pages.py runs it


def test_the_tagged_example_keeps_its_words(started, main):
    (example,) = blocks("console")
    command, shown = example.splitlines()
    text, arguments = re.fullmatch(r'\$ echo "(.*)" \| nertool (.*)', command).groups()
    done = main(*shlex.split(arguments), stdin=text + "\n", cwd=started)
    assert done.returncode == 0, done.stderr
    for line in (shown, done.stdout.rstrip("\n")):
        assert re.sub(r"\[([^\]]*)\]\([A-Z]+\)", r"\1", line) == text
    assert re.search(r"\]\((PER|LOC|ORG|MISC)\)", done.stdout)


def test_the_python_example_prints_entities(started, monkeypatch, capsys):
    monkeypatch.chdir(started)
    (example,) = blocks("python")
    exec(compile(example, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines
    for line in lines:
        assert re.fullmatch(r"\d+ \d+ (PER|LOC|ORG|MISC) .+ [01]\.\d+", line)


def test_every_command_in_the_table_exists(main):
    commands = re.findall(r"^\| `nertool ((?:corpus )?[a-z-]+)", README, re.MULTILINE)
    assert len(commands) > 12
    for command in commands:
        assert main(*command.split(), "--help").returncode == 0
