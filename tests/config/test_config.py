"""YAML → records: types, limits, unknown and repeated keys, overrides, paths."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from nertool.config.file import load_config
from nertool.config.learning import TrainingConfig
from nertool.config.records import Config
from nertool.errors import ConfigError, OverrideError


@pytest.fixture
def load(tmp_path):
    def load_text(text: str | bytes, *overrides: str) -> Config:
        path = tmp_path / "a.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_config(path, overrides)

    return load_text


@pytest.fixture
def refused(load, tmp_path):
    """Return the message, a single line less the folder, with which a text is refused."""

    def message(text: str | bytes, *overrides: str) -> str:
        with pytest.raises(ConfigError) as caught:
            load(text, *overrides)
        assert isinstance(caught.value, OverrideError) == bool(overrides)
        line = str(caught.value)
        assert "\n" not in line
        return line.replace(f"{tmp_path}/", "")

    return message


def get(config: Config, key: str) -> Any:
    value: Any = config
    for part in key.split("."):
        value = getattr(value, part)
    return value


# Reading


def test_keys_left_out_keep_their_defaults(load):
    assert load("training: {epochs: 3}\n") == Config(training=TrainingConfig(epochs=3))
    assert load("training:\nseed: 7\n") == Config(seed=7)


def test_every_kind_of_value_is_read_as_its_type(load):
    config = load(
        "corpus: {train: t.conll, token_column: 1, comment: '#', labels: [PER, LOC]}\n"
        "vectors: {limit: null, fine_tune: no}\n"
        "training: {alpha: 2, shuffle: windows}\n"
    )
    assert config.corpus.train is not None
    assert all(isinstance(path, Path) for path in config.corpus.train)
    assert (config.corpus.token_column, config.corpus.comment) == (1, "#")
    assert config.corpus.labels == ("PER", "LOC")
    assert (config.vectors.limit, config.vectors.fine_tune) == (None, False)
    assert isinstance(config.training.alpha, float)
    assert (config.training.alpha, config.training.shuffle) == (2.0, "windows")


@pytest.mark.parametrize("written", ["1e-3", "1.0e-3", "0.001", ".001", "'1e-3'"])
def test_a_small_number_may_be_written_in_any_way(load, written):
    # YAML 1.1 reads 1e-3, without a dot, as a string.
    assert load(f"training: {{alpha: {written}}}\n").training.alpha == 0.001
    assert load("seed: 1\n", f"training.alpha={written}").training.alpha == 0.001


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(load):
    assert load(b"\xef\xbb\xbfseed: 5\r\ntraining:\r\n  epochs: 2\r\n") == Config(
        seed=5, training=TrainingConfig(epochs=2)
    )


def test_records_are_frozen(load):
    with pytest.raises(dataclasses.FrozenInstanceError):
        load("seed: 5\n").seed = 6  # type: ignore[misc]


# Wrong values, each as (key, value, what the message must hold)

WRONG = [
    ("training.epochs", "many", "a whole number"),
    ("training.epochs", "2.5", "a whole number"),
    ("training.epochs", "true", "a whole number"),
    ("training.epochs", "[1, 2]", "a whole number"),
    ("training.alpha", "fast", "a number"),
    ("training.alpha", "true", "a number"),
    ("training.alpha", "{a: 1}", "a number"),
    ("training.alpha", ".nan", "at least 0"),
    ("training.alpha", ".inf", "a finite number"),
    ("training.alpha", "1" + "0" * 400, "a number"),
    ("corpus.labels", "PER", "a list of names"),
    ("corpus.labels", "[]", "a list of names"),
    ("corpus.labels", "[PER, 7]", "a list of names"),
    ("vectors.fine_tune", "1", "true or false"),
    ("vectors.fine_tune", "maybe", "true or false"),
    ("corpus.train", "7", "a path"),
    ("corpus.train", "''", "a path"),
    ("corpus.train", "[]", "a path, or a list of paths"),
    ("corpus.train", "[a, 7]", "a path, or a list of paths"),
    ("corpus.train", r'"a\0b"', "a path"),
    ("corpus.comment", "7", "text (put it in quotes)"),
    ("corpus.scheme", "iob3", 'one of auto, io, iob1, iob2, bioes; did you mean "iob2"?'),
    ("training.optimizer", "adagard", 'did you mean "adagrad"?'),
    ("network.activation", "sigmoid", "one of tanh, logistic, relu, hard_tanh"),
    ("seed", "null", "a whole number"),
    ("windows.size", "4", "an odd number"),
    ("vectors.more", "[]", "a list of paths"),
    ("vectors.more", "[a.bin, 7]", "a list of paths"),
    ("vectors.more", "[a.bin, '']", "a list of paths"),
    ("vectors.more", r'["a\0b"]', "a list of paths"),
    ("features.memory", "1", "true or false"),
    ("features.neighbours", "often", "true or false"),
    ("first_stage.folds", "1", "0 for no first stage, or at least 2"),
    ("first_stage.window", "4", "0 for none, or an odd number"),
    ("first_stage.max_pooling", "2", "true or false"),
    ("vectors.more_for", "second", "one of all, first_stage"),
    ("decoding.outside_bias", ".inf", "a finite number"),
    # Values that YAML itself stumbles over: dates that are none, numbers without digits.
    ("seed", "2001-99-99", "seed"),
    ("seed", "0x_", "seed"),
]


@pytest.mark.parametrize(("key", "value", "expected"), WRONG)
def test_a_wrong_value_is_refused_with_key_and_line(refused, key, value, expected):
    section, _, name = key.partition(".")
    body = f"{section}:\n  {name}: {value}\n" if name else f"{section}: {value}\n"
    text = f"# a comment\n\n{body}"
    message = refused(text)
    assert message.startswith(f"a.yaml:{4 if name else 3}: {key}: ")
    assert expected in message


@pytest.mark.parametrize(("key", "value", "expected"), WRONG)
def test_a_wrong_value_in_an_override_is_refused_with_the_override(refused, key, value, expected):
    message = refused("decoding: {scheme: io}\n", f"{key}={value}")
    assert message.startswith(f"--set {f'{key}={value}'[:180]}")
    assert f": {key}: " in message
    assert len(message) < 500
    assert expected in message


@pytest.mark.parametrize(
    ("vectors", "first_stage", "expected"),
    [
        (
            "{more_for: first_stage}",
            "{folds: 2, members: 2}",
            "found first_stage together with no vec",
        ),
        ("{more: [b.bin], more_for: first_stage}", "{members: 2}", "expected a first stage"),
        ("{more: [b.bin], more_for: first_stage}", "{folds: 2}", "first_stage.members: 1, which"),
        (
            "{more: [b.bin], more_for: first_stage, side_by_side: true}",
            "{folds: 2, members: 2}",
            "vectors.side_by_side: true",
        ),
    ],
)
def test_further_vectors_for_a_first_stage_that_does_not_read_them_are_refused(
    vectors, first_stage, expected, refused, load
):
    message = refused(f"vectors: {vectors}\nfirst_stage: {first_stage}\n")
    assert message.startswith("a.yaml:1: vectors.more_for: ")
    assert expected in message
    right = "vectors: {more: [b.bin], more_for: first_stage}\nfirst_stage: {folds: 2, members: 2}\n"
    assert load(right).vectors.more_for == "first_stage"


@pytest.mark.parametrize(
    ("key", "allowed", "beyond"),
    [
        ("vectors.limit", "1", "0"),
        ("vectors.width", "1", "0"),
        ("vectors.own_rows", "0", "-1"),
        ("windows.size", "1", "-1"),
        ("windows.size", "7", "0"),
        ("features.caps", "0", "-1"),
        ("network.hidden", "1", "0"),
        ("training.epochs", "1", "0"),
        ("training.batch_size", "1", "0"),
        ("training.alpha", "0", "-0.001"),
        ("training.momentum", "0.999", "1"),
        ("training.momentum", "0", "-0.1"),
        ("training.decay", "0", "-1"),
        ("training.l2", "0", "-1e-9"),
        ("training.dropout_input", "0.99", "1.0"),
        ("training.dropout_hidden", "0", "-0.5"),
        ("training.average", "1", "0"),
        ("training.patience", "0", "-1"),
        ("training.class_balance", "0", "-0.5"),
        ("training.recase", "0.9", "1"),
        ("training.replace_entities", "0", "-0.1"),
        ("features.sentence", "0", "-1"),
        ("features.document", "0", "-1"),
        ("network.members", "1", "0"),
        ("first_stage.folds", "2", "-1"),
        ("first_stage.hidden", "1", "0"),
        ("first_stage.epochs", "1", "0"),
        ("decoding.consistency", "0", "1"),
        ("seed", "0", "-1"),
    ],
)
def test_limits_hold_and_the_limit_itself_is_allowed(load, refused, key, allowed, beyond):
    assert get(load("corpus:\n", f"{key}={allowed}"), key) == float(allowed)
    message = refused("corpus:\n", f"{key}={beyond}")
    assert re.search(
        rf": {key}: found '?-?[0-9.e-]+'?, expected (at least|less than) [01]$", message
    )


# Keys


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\nwindw: {size: 5}\n", 'a.yaml:2: unknown key "windw"; did you mean "windows"?'),
        (
            "training:\n  epochs: 2\n  batchsize: 9\n",
            'a.yaml:3: unknown key "training.batchsize"; did you mean "training.batch_size"?',
        ),
        ("xyzzy: 1\n", 'a.yaml:1: unknown key "xyzzy"; configs/reference.yaml has them all'),
        ("1: 2\n", 'a.yaml:1: unknown key "1"; configs/reference.yaml has them all'),
    ],
)
def test_an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one(refused, text, message):
    assert refused(text) == message


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("seed: 1\ntraining: {epochs: 2}\nseed: 1\n", 3, "seed"),
        ("training:\n  epochs: 2\n  alpha: 1\n  epochs: 2\n", 4, "training.epochs"),
        ("training:\n  epochs: 2\nseed: 1\ntraining:\n  alpha: 1\n", 4, "training"),
        ("training:\n  epochs: 2\ntraining:\n", 3, "training"),
    ],
)
def test_a_key_that_stands_twice_is_refused(refused, text, line, key):
    assert refused(text) == f'a.yaml:{line}: found "{key}" a second time; keep one of the two'


def test_an_anchor_and_its_alias_may_repeat_a_value(load):
    config = load("training: {dropout_input: &d 0.25, dropout_hidden: *d}\n")
    assert (config.training.dropout_input, config.training.dropout_hidden) == (0.25, 0.25)


# Files that are no config


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("", "a.yaml: ", "empty"),
        ("# only a comment\n\n", "a.yaml: ", "empty"),
        ("- a\n- b\n", "a.yaml:1: ", "keys and values"),
        ("just text\n", "a.yaml:1: ", "keys and values"),
        ("seed: 1\ntraining: fast\n", "a.yaml:2: ", "below training"),
        ("seed: 1\ntraining: {epochs: 2\nnetwork: 3\n", "a.yaml:3: ", "not YAML"),
        ("seed: 1\n\tepochs: 2\n", "a.yaml:2: ", "not YAML"),
        ("seed: 1\n--- \nseed: 2\n", "a.yaml:2: ", "not YAML"),
        (b"seed: 1\x00\n", "a.yaml: ", "not YAML"),
        (b"corpus: {train: caf\xe9}\n", "a.yaml: ", "UTF-8"),
        ("seed: !!python/object/apply:os.getcwd []\n", "a.yaml:1: seed: ", "constructor"),
        ("seed: &a [*a]\n", "a.yaml:1: seed: ", "recursive"),
        ("? [a, b]\n: 1\n", "a.yaml:1: ", "unknown key"),
        ("seed: " + "[" * 1000, "a.yaml: ", "too deeply"),
    ],
)
def test_what_is_no_config_is_refused_with_its_place(refused, text, place, expected):
    message = refused(text)
    assert message.startswith(place)
    assert expected in message


def test_a_missing_file_is_refused_with_its_nearest_neighbour(tmp_path):
    (tmp_path / "quickstart.yaml").touch()
    with pytest.raises(
        ConfigError, match=r'quikstart\.yaml: no such file.*mean "quickstart\.yaml"'
    ):
        load_config(tmp_path / "quikstart.yaml")


# Overrides


def test_an_override_beats_the_file_and_the_last_override_beats_the_others(load):
    config = load("training: {epochs: 3}\n", "training.epochs=4", "seed=8", "training.epochs=5")
    assert (config.training.epochs, config.seed) == (5, 8)


def test_an_override_without_a_value_takes_an_optional_value_away(load):
    config = load("corpus: {dev: d.conll}\nvectors: {limit: 5}\n", "corpus.dev=", "vectors.limit=")
    assert (config.corpus.dev, config.vectors.limit) == (None, None)


def test_the_value_of_an_override_may_hold_an_equals_sign(load):
    assert load("seed: 1\n", "corpus.comment==").corpus.comment == "="


@pytest.mark.parametrize("override", ["training.epochs", "=3", ""])
def test_an_override_that_is_no_key_and_value_is_refused(refused, override):
    assert "expected KEY=VALUE" in refused("seed: 1\n", override)


def test_an_unknown_key_in_an_override_gets_a_suggestion(refused):
    message = refused("seed: 1\n", "training.alhpa=1")
    assert message.startswith("--set training.alhpa=1: ")
    assert 'did you mean "training.alpha"?' in message


# Paths


def test_a_relative_path_starts_at_the_config_in_a_file_and_at_the_working_folder_in_an_override(
    tmp_path, monkeypatch
):
    (tmp_path / "configs").mkdir()
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "configs" / "a.yaml"
    path.write_text("corpus: {train: t.conll, dev: ../data/d.conll}\nvectors: {path: /v/w.bin}\n")
    monkeypatch.chdir(tmp_path / "elsewhere")
    for given_path in (path, Path("../configs/a.yaml")):
        config = load_config(given_path, ["corpus.test=x/./t.conll"])
        train, dev, test = (
            part[0] for part in (config.corpus.train, config.corpus.dev, config.corpus.test)
        )
        assert train.resolve() == tmp_path / "configs" / "t.conll"
        assert dev.resolve() == tmp_path / "data" / "d.conll"
        assert ".." not in test.parts
        assert test.resolve() == tmp_path / "elsewhere" / "x" / "t.conll"
        assert config.vectors.path == Path("/v/w.bin")
        config = load_config(given_path, ["vectors.more=[a.bin, /v/b.bin]"])
        first, second = config.vectors.more
        assert first.resolve() == tmp_path / "elsewhere" / "a.bin"
        assert second == Path("/v/b.bin")


def test_a_tilde_is_the_home_folder(load, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert load("corpus: {train: ~/t.conll}\n").corpus.train == (Path("/home/ada/t.conll"),)


def test_the_tilde_of_nobody_is_a_name_like_any_other(load, tmp_path):
    train = load("corpus: {train: ~no-such-user-here/t.conll}\n").corpus.train
    assert train == (tmp_path / "~no-such-user-here" / "t.conll",)
