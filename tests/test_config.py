"""YAML → records: types, limits, unknown and repeated keys, overrides, paths, round trips."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nertool.config import (
    Config,
    CorpusConfig,
    DecodingConfig,
    FeaturesConfig,
    FirstStageConfig,
    NetworkConfig,
    TrainingConfig,
    VectorsConfig,
    WindowsConfig,
    config_from_dict,
    config_to_dict,
)
from nertool.configfile import load_config
from nertool.errors import ConfigError, OverrideError

CONFIGS_DIR = Path(__file__).resolve().parents[1] / "configs"
REFERENCE_PATH = CONFIGS_DIR / "reference.yaml"


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
    assert isinstance(config.corpus.train, Path)
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
    ("corpus.train", "[a, b]", "a path"),
    ("corpus.train", r'"a\0b"', "a path"),
    ("corpus.comment", "7", "text (put it in quotes)"),
    ("corpus.scheme", "iob3", 'one of auto, io, iob1, iob2, bioes; did you mean "iob2"?'),
    ("training.optimizer", "adagard", 'did you mean "adagrad"?'),
    ("network.activation", "sigmoid", "one of tanh, logistic, relu, hard_tanh"),
    ("seed", "null", "a whole number"),
    ("windows.size", "4", "an odd number"),
    ("vectors.more", "more.bin", "a list of paths"),
    ("vectors.more", "[]", "a list of paths"),
    ("vectors.more", "[a.bin, 7]", "a list of paths"),
    ("vectors.more", "[a.bin, '']", "a list of paths"),
    ("vectors.more", r'["a\0b"]', "a list of paths"),
    ("features.memory", "1", "true or false"),
    ("features.neighbours", "often", "true or false"),
    ("first_stage.folds", "1", "0 for no first stage, or at least 2"),
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
    assert message.startswith(f"--set {key}={value}: ")
    assert expected in message


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
    assert re.search(rf": {key}: found -?[0-9.e-]+, expected (at least|less than) [01]$", message)


# Keys


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\nwindw: {size: 5}\n", 'a.yaml:2: unknown key "windw"; did you mean "windows"?'),
        (
            "training:\n  epochs: 2\n  batchsize: 9\n",
            'a.yaml:3: unknown key "training.batchsize"; did you mean "training.batch_size"?',
        ),
        ("xyzzy: 1\n", 'a.yaml:1: unknown key "xyzzy"; see configs/ for all keys'),
        ("1: 2\n", 'a.yaml:1: unknown key "1"; see configs/ for all keys'),
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
        assert config.corpus.train.resolve() == tmp_path / "configs" / "t.conll"
        assert config.corpus.dev.resolve() == tmp_path / "data" / "d.conll"
        assert ".." not in config.corpus.test.parts
        assert config.corpus.test.resolve() == tmp_path / "elsewhere" / "x" / "t.conll"
        assert config.vectors.path == Path("/v/w.bin")
        config = load_config(given_path, ["vectors.more=[a.bin, /v/b.bin]"])
        first, second = config.vectors.more
        assert first.resolve() == tmp_path / "elsewhere" / "a.bin"
        assert second == Path("/v/b.bin")


def test_a_tilde_is_the_home_folder(load, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert load("corpus: {train: ~/t.conll}\n").corpus.train == Path("/home/ada/t.conll")


def test_the_tilde_of_nobody_is_a_name_like_any_other(load, tmp_path):
    train = load("corpus: {train: ~no-such-user-here/t.conll}\n").corpus.train
    assert train == tmp_path / "~no-such-user-here" / "t.conll"


# Round trips

PATHS = st.none() | st.text("abcé -_.#:'", min_size=1, max_size=8).map(
    lambda s: Path("/d") / f"x{s}"
)
SHARES = st.floats(0, 1, exclude_max=True)
POSITIVE = st.floats(0, 1e30)
COUNTS = st.integers(1, 10**9)
CONFIGS = st.builds(
    Config,
    corpus=st.builds(
        CorpusConfig,
        *[PATHS] * 3,
        st.integers(-3, 9),
        st.integers(-3, 9),
        st.sampled_from(["auto", "io", "iob1", "iob2", "bioes"]),
        st.text(max_size=4),
        st.none() | st.lists(st.text(max_size=4), min_size=1, max_size=3).map(tuple),
        st.sampled_from(["auto", "jsonl", "brat"]),
        st.sampled_from(["error", "snap", "drop"]),
    ),
    vectors=st.builds(
        VectorsConfig,
        path=PATHS,
        more=st.none() | st.lists(PATHS.filter(bool), min_size=1, max_size=3).map(tuple),
        limit=st.none() | COUNTS,
        width=COUNTS,
        fine_tune=st.booleans(),
        own_rows=st.integers(0, 99),
    ),
    windows=st.builds(WindowsConfig, st.integers(0, 9).map(lambda m: 2 * m + 1)),
    features=st.builds(
        FeaturesConfig,
        **dict.fromkeys(["caps", "shape", "affixes", "sentence", "document"], st.integers(0, 99)),
        **dict.fromkeys(["memory", "neighbours", "document_vector"], st.booleans()),
    ),
    network=st.builds(
        NetworkConfig,
        COUNTS,
        st.sampled_from(["tanh", "logistic", "relu", "hard_tanh"]),
        st.sampled_from(["logistic", "softmax"]),
        COUNTS,
    ),
    training=st.builds(
        TrainingConfig,
        epochs=COUNTS,
        batch_size=COUNTS,
        shuffle=st.sampled_from(["sentences", "windows"]),
        optimizer=st.sampled_from(["sgd", "momentum", "adagrad", "adam"]),
        alpha=POSITIVE,
        momentum=SHARES,
        decay=POSITIVE,
        l2=POSITIVE,
        dropout_input=SHARES,
        dropout_hidden=SHARES,
        average=COUNTS,
        patience=st.integers(0, 99),
        class_balance=POSITIVE,
        recase=SHARES,
        replace_entities=SHARES,
    ),
    first_stage=st.builds(
        FirstStageConfig, st.integers(0, 9).filter(lambda n: n != 1), COUNTS, COUNTS
    ),
    decoding=st.builds(
        DecodingConfig,
        st.sampled_from(["io", "iob2", "bioes"]),
        st.sampled_from(["viterbi", "argmax"]),
        st.floats(-9, 9),
        SHARES,
    ),
    seed=st.integers(0, 2**64),
)


@pytest.mark.parametrize("key", ["network.hidden", "features.caps", "training.batch_size"])
def test_a_size_that_no_array_can_have_is_refused(tmp_path, key):
    path = tmp_path / "c.yaml"
    path.write_text("seed: 18446744073709551616\n")  # any whole number will do for a seed
    assert load_config(path).seed == 2**64
    with pytest.raises(OverrideError, match=r"found 1\d{23}, expected at most 2,147,483,647"):
        load_config(path, [f"{key}={10**23}"])


@settings(max_examples=60, deadline=None)
@example(config=Config(corpus=CorpusConfig(labels=("\0",))))
@given(config=CONFIGS)
def test_a_config_comes_back_whole_from_dictionaries_json_and_yaml(config):
    tree = config_to_dict(config)
    assert config_from_dict(tree, "here") == config
    assert config_from_dict(json.loads(json.dumps(tree)), "here") == config
    assert config_from_dict(yaml.safe_load(yaml.safe_dump(tree)), "here") == config


def test_a_fault_in_a_dictionary_is_named_with_its_source():
    with pytest.raises(ConfigError, match=r"^m/model\.json: network\.hidden: found 'x'"):
        config_from_dict({"network": {"hidden": "x"}}, "m/model.json")
    with pytest.raises(ConfigError, match=r'^m: unknown key "network\.hiden"'):
        config_from_dict({"network": {"hiden": 3}}, "m")


# The shipped configs


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
