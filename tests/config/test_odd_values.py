"""Values that YAML allows and a config can't mean: one short line each, and quickly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nertool.config.file import MOST_BYTES, load_config
from nertool.config.records import Config
from nertool.config.values import config_from_dict
from nertool.errors import ConfigError, OverrideError


@pytest.fixture
def refused(tmp_path):
    """Return the message, a single short line, with which a text is refused."""

    def message(text: str, *overrides: str) -> str:
        path = tmp_path / "a.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_config(path, overrides)
        line = str(caught.value).replace(f"{tmp_path}/", "")
        assert "\n" not in line
        assert len(line) < 600
        return line

    return message


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("first_stage.folds", "2147483647", "at most 100"),
        ("windows.size", "100001", "at most 101"),
        ("network.members", "100000", "at most 100"),
        ("training.epochs", "1000000000", "at most 10,000"),
        ("training.alpha", "1e20", "at most 100"),
        ("training.class_balance", "1e308", "at most 10"),
        ("decoding.outside_bias", ".nan", "a finite number, at least -100"),
        ("decoding.outside_bias", "-.inf", "a finite number, at least -100"),
        ("training.momentum", ".nan", "a finite number"),
        ("seed", "1" + "0" * 30, "at most 18,446,744,073,709,551,616"),
        ("seed", "0x" + "f" * 5000, "expected at most"),
        ("corpus.delimiter", "x" * 5000, "at most 16 characters"),
        ("corpus.text_field", "''", "at least one character"),
        ("corpus.labels", "[PRODUCT, NO]", "put such a name in quotes"),
        ("corpus.labels", "[PRODUCT, null]", "put such a name in quotes"),
        ("corpus.labels", "[PRODUCT, 2021-01-01]", "2021-01-01"),
        ("corpus.labels", "[PRODUCT, 7]", 'put "7" in quotes'),
        ("network.activation", "x" * 100_000, "one of tanh"),
        ("corpus.train", "[" * 15 + "]" * 15, "a path"),
        ("corpus.tag_column", "1.5", "a whole number or text"),
    ],
)
def test_a_value_beyond_any_sense_is_refused_in_a_short_line(refused, key, value, expected):
    section, _, name = key.rpartition(".")
    text = f"{section}:\n  {name}: {value}\n" if section else f"{name}: {value}\n"
    assert expected in refused(text)
    assert expected in refused("seed: 1\n", f"{key}={value}")


@pytest.mark.parametrize(
    "tagged",
    [
        "!!bool maybe",
        "!!int x",
        "!!float x",
        "!!timestamp x",
        "!!binary é",
        "!!omap x",
        "!!null [1]",
    ],
)
@pytest.mark.parametrize("key", ["seed", "corpus.comment", "corpus.labels"])
def test_a_text_that_is_not_of_the_type_of_its_tag_is_refused(refused, key, tagged):
    section, _, name = key.rpartition(".")
    text = f"{section}:\n  {name}: {tagged}\n" if section else f"{name}: {tagged}\n"
    assert f"{key}: " in refused(text)


@pytest.mark.parametrize("levels", [25, 400, 3000])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_deep_nesting_is_refused(refused, levels, brackets):
    opening = "[" if brackets == "[]" else "{a: "
    value = opening * levels + brackets[1] * levels
    assert "nested too deeply" in refused(f"corpus: {{labels: {value}}}\n")
    with pytest.raises(OverrideError):
        load_config(
            Path(__file__).parents[2] / "configs/reference.yaml", [f"corpus.labels={value}"]
        )


def test_aliases_that_stand_for_gigabytes_are_refused(refused):
    lines = ["seed: 1", "corpus:", "  comment: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb = "[" + ", ".join(f"&a{i + 1} [{', '.join([f'*a{i}'] * 10)}]" for i in range(12)) + "]"
    assert "corpus.comment: found [" in refused("\n".join([*lines, f"  labels: {bomb}"]))
    merges = "\n".join(f"    - &m{i + 1} {{<<: [{', '.join([f'*m{i}'] * 10)}]}}" for i in range(12))
    text = f"corpus:\n  labels:\n    - &m0 {{a: 1}}\n{merges}\n"
    assert "a.yaml:2: corpus.labels: found the merge key" in refused(text)


def test_a_key_of_any_length_is_cut(refused):
    assert 'unknown key "xxx' in refused(f"{'x' * 500}: 1\n")
    assert 'unknown key "training.xxx' in refused(f"training: {{{'x' * 500}: 1}}\n")


def test_a_corpus_in_place_of_a_config_is_refused_before_it_is_read_whole(refused):
    assert "expected a YAML config; is this a corpus?" in refused("word O\n" * (MOST_BYTES // 6))


def test_the_config_of_an_older_model_is_read():
    """Keys that the model's version did not have take their defaults."""
    tree = json.loads((Path(__file__).parent / "model_config_v0.json").read_text())
    config = config_from_dict(tree, "model.json")
    assert config.training.epochs == tree["training"]["epochs"] != Config().training.epochs
    assert config.corpus.on_error == "fail"
