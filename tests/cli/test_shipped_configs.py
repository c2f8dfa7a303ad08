"""The shipped configs: all are read, and the reference has every key with its default."""

from __future__ import annotations

import dataclasses
import re
import typing
from pathlib import Path

import pytest

from nertool.config.file import load_config
from nertool.config.records import Config

CONFIGS_DIR = Path(__file__).resolve().parents[2] / "configs"
REFERENCE_PATH = CONFIGS_DIR / "reference.yaml"


def all_keys() -> list[tuple[str, str]]:
    keys = []
    for section, record in typing.get_type_hints(Config).items():
        if dataclasses.is_dataclass(record):
            keys += [(section, entry.name) for entry in dataclasses.fields(record)]
        else:
            keys.append(("", section))
    return keys


def documented(text: str) -> set[tuple[str, str]]:
    """List the keys, commented out or not, that have a comment beside them or just above."""
    found = set()
    section = ""
    explained = False  # the line above is a comment in words
    for line in text.splitlines():
        match = re.match(r"(\s*)(?:# ?)?(\s*)([a-z0-9_]+):(?:\s|$)(.*)", line)
        if match is None:
            explained = line.lstrip().startswith("#")
            continue
        indented = bool(match[1] or match[2])
        if not indented and match[3] in typing.get_type_hints(Config):
            section = match[3]
        if explained or "#" in match[4]:
            found.add((section if indented else "", match[3]))
        explained = False
    return found


def test_the_search_for_documented_keys_finds_these_and_no_others():
    text = (
        "# Runs.\nseed: 1\n\ntraining:\n  epochs: 3  # how many\n  alpha: 1\n  # Steps.\n  l2: 0\n"
    )
    assert documented(text) == {("", "seed"), ("training", "epochs"), ("training", "l2")}


needs_reference = pytest.mark.skipif(
    not REFERENCE_PATH.exists(), reason="configs/reference.yaml is not there yet"
)


@needs_reference
@pytest.mark.parametrize(("section", "key"), all_keys())
def test_every_key_is_documented_in_the_reference(section, key):
    text = REFERENCE_PATH.read_text(encoding="utf-8")
    if key == "epochs":  # whose name says it all
        assert "  epochs: " in text
    else:
        assert (section, key) in documented(text)


@needs_reference
def test_the_reference_shows_every_default():
    assert load_config(REFERENCE_PATH) == Config()


@pytest.mark.parametrize("path", sorted(CONFIGS_DIR.glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_config_is_read(path):
    config = load_config(path)
    assert config.corpus.train is not None or path == REFERENCE_PATH
