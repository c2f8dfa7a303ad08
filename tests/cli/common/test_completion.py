"""Completion: what may stand at the end of a line, and a real bash that asks for it."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nertool.cli.app import app
from nertool.cli.common.completion import SCRIPTS, candidates, divide


def after(line: str) -> list[str]:
    words, incomplete = divide(line)
    return candidates(app, words[1:], incomplete)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nertool tra", ["train"]),
        ("nertool corpus s", ["stats", "split", "suspects"]),
        ("nertool -q corpus ch", ["check"]),
        ("nertool corpus nonesuch ", []),
        ("nertool train x.yaml --overw", ["--overwrite"]),
        ("nertool predict m t --to json", ["json", "jsonl"]),
        ("nertool predict m t --to=json", ["--to=json", "--to=jsonl"]),
        ("nertool predict m t --min-probability ", ["tuned"]),
        ("nertool train x --set network.activ", ["network.activation="]),
        ("nertool train x --set network.activation=re", ["network.activation=relu"]),
        (
            "nertool train x --set features.memory=",
            ["features.memory=true", "features.memory=false"],
        ),
        ("nertool train x --set seed=", []),
        ("nertool train x --seed ", []),
        ("nertool predict m ", []),  # files, by the shell
        ("nertool predict m -- --o", []),
        ('nertool predict "my folder" --outp', ["--output"]),
        ("nertool predict 'my fol", []),
        ("nertool predict m --fo", ["--format"]),
    ],
)
def test_what_may_stand_there(line, expected):
    assert after(line) == expected


def test_every_command_and_option_is_offered():
    assert set(after("nertool ")) == set(app.commands)
    offered = set(after("nertool evaluate m t --"))
    assert {"--help", "--quiet", "--from", "--html", "--token-column"} <= offered


@pytest.fixture
def home(tmp_path) -> dict[str, str]:
    """The environment of a shell with a new home, in which nertool is this one."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "nertool"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nertool "$@"\n')
    program.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("BASH")}
    root = str(Path(__file__).resolve().parents[3])
    return {
        **kept,
        "HOME": str(tmp_path),
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "SHELL": "/bin/bash",
        "TERM": "dumb",
        "PS1": "READY> ",
        "PYTHONPATH": root,
    }


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_takes_the_candidates(home, tmp_path):
    (tmp_path / "completion.bash").write_text(SCRIPTS["bash"])
    program = """source ./completion.bash
    for COMP_LINE in "nertool ev" "nertool train --set network.activation=re"; do
        COMP_POINT=${#COMP_LINE}
        _nertool_completion nertool
        echo "${COMPREPLY[@]}"
    done"""
    done = subprocess.run(
        ["bash", "--norc", "-c", program],
        env=home, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["evaluate", "relu"]


@pytest.mark.integration
def test_bash_completes_what_is_typed_after_the_installation(home, tmp_path):
    """Type lines with tabs at a terminal, and see what bash makes of them."""
    (tmp_path / "a-text.txt").write_text("")
    for _ in range(2):  # the second one changes nothing
        done = subprocess.run(
            ["bash", "--norc", "-c", "nertool --install-completion; true"],
            env=home, cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "completion for bash is installed" in done.stderr
    assert (tmp_path / ".bashrc").read_text().count("nertool.sh") == 1

    typed = {
        "nertool eval\t": "nertool evaluate ",
        "nertool corpus spl\t": "nertool corpus split ",
        "nertool predict m a-t\t": "nertool predict m a-text.txt ",
        "nertool predict m a-text.txt --out-\t": "nertool predict m a-text.txt --out-dir ",
        "nertool train --set network.activ\tre\t": "nertool train --set network.activation=relu ",
    }
    master, slave = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--noprofile", "-i"],
        stdin=slave, stdout=slave, stderr=slave, env=home, cwd=tmp_path, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    try:
        for keys, expected in typed.items():
            for part in keys.partition("\t")[0::1]:
                os.write(master, part.encode())
            seen = _read_until(master, expected)
            assert expected in seen, seen
            os.write(master, b"\x15")  # forget the line
    finally:
        os.write(master, b"\x15exit\n")
        shell.wait(timeout=10)
        os.close(master)


def _read_until(terminal: int, expected: str, seconds: float = 10) -> str:
    """Return what a terminal shows until it shows the expected text."""
    os.set_blocking(terminal, False)
    shown, end = "", time.monotonic() + seconds
    while time.monotonic() < end and expected not in shown:
        try:
            shown += os.read(terminal, 4096).decode(errors="replace")
        except BlockingIOError:
            time.sleep(0.02)
    return shown


def test_the_script_is_shown_for_the_shell_that_asks(main, monkeypatch):
    monkeypatch.setitem(sys.modules, "shellingham", None)  # so that $SHELL decides
    for shell in SCRIPTS:
        monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
        assert main("--show-completion").stdout == SCRIPTS[shell]
    monkeypatch.setenv("SHELL", "/bin/csh")
    done = main("--show-completion")
    assert done.returncode == 1
    assert "found the shell csh, expected one of bash, zsh, fish" in done.stderr
