"""A config comes back whole from every form that it is written in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nertool.config.file import load_config
from nertool.config.inputs import CorpusConfig, FeaturesConfig, VectorsConfig, WindowsConfig
from nertool.config.learning import DecodingConfig, FirstStageConfig, NetworkConfig, TrainingConfig
from nertool.config.records import Config, config_to_dict
from nertool.config.values import config_from_dict
from nertool.errors import ConfigError, OverrideError

PATHS = st.none() | st.text("abcé -_.#:'", min_size=1, max_size=8).map(
    lambda s: Path("/d") / f"x{s}"
)
TEXTS = st.none() | st.lists(PATHS.filter(bool), min_size=1, max_size=3).map(tuple)
SHARES = st.floats(0, 1, exclude_max=True)
SMALL = st.floats(0, 10)
COUNTS = st.integers(1, 100)
NAMES = st.none() | st.lists(st.text(max_size=4), min_size=1, max_size=3).map(tuple)
COLUMNS = st.none() | st.integers(-3, 9) | st.text(max_size=4)
CONFIGS = st.builds(
    Config,
    corpus=st.builds(
        CorpusConfig,
        train=TEXTS,
        dev=TEXTS,
        held_out=SHARES,
        test=TEXTS,
        format=st.sampled_from(["auto", "jsonl", "brat"]),
        scheme=st.sampled_from(["auto", "io", "iob1", "iob2", "bioes"]),
        labels=NAMES,
        token_column=COLUMNS,
        tag_column=COLUMNS,
        delimiter=st.none() | st.text(max_size=4),
        comment=st.text(max_size=4),
        tag_names=NAMES,
        text_field=st.text(min_size=1, max_size=4),
        language=st.sampled_from(["en", "de"]),
        misaligned=st.sampled_from(["error", "snap", "drop"]),
        on_error=st.sampled_from(["fail", "skip"]),
    ),
    vectors=st.builds(
        VectorsConfig,
        path=PATHS,
        more=TEXTS,
        limit=st.none() | COUNTS,
        width=COUNTS,
        fine_tune=st.booleans(),
        own_rows=st.integers(0, 99),
    ),
    windows=st.builds(WindowsConfig, st.integers(0, 9).map(lambda m: 2 * m + 1)),
    features=st.builds(
        FeaturesConfig,
        **dict.fromkeys(
            ["caps", "shape", "affixes", "ngrams", "clusters", "sentence", "document"],
            st.integers(0, 99),
        ),
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
        alpha=SMALL,
        momentum=SHARES,
        decay=SMALL,
        l2=SMALL,
        dropout_input=SHARES,
        dropout_hidden=SHARES,
        average=COUNTS,
        patience=st.integers(0, 99),
        class_balance=SMALL,
        recase=SHARES,
        replace_entities=SHARES,
        word_dropout=SMALL,
        refit=st.booleans(),
    ),
    first_stage=st.builds(
        FirstStageConfig,
        st.integers(0, 9).filter(lambda n: n != 1),
        COUNTS,
        COUNTS,
        st.sampled_from([0, 1, 7]),
        st.booleans(),
        st.integers(1, 3),
        st.sampled_from(["whole", "folds"]),
    ),
    decoding=st.builds(
        DecodingConfig,
        scheme=st.sampled_from(["io", "iob2", "bioes"]),
        method=st.sampled_from(["viterbi", "argmax"]),
        outside_bias=st.floats(-9, 9),
        fit_bias=st.booleans(),
        consistency=SHARES,
    ),
    recipe=st.sampled_from(["plain", "auto"]),
    budget=st.sampled_from(["30s", "2m", "1h"]),
    seed=st.integers(0, 2**64),
)


@pytest.mark.parametrize(
    ("key", "most"),
    [("network.hidden", "16,384"), ("features.caps", "512"), ("training.batch_size", "1,000,000")],
)
def test_a_size_that_no_array_can_have_is_refused(tmp_path, key, most):
    path = tmp_path / "c.yaml"
    path.write_text("seed: 18446744073709551616\n")  # any whole number will do for a seed
    assert load_config(path).seed == 2**64
    with pytest.raises(OverrideError, match=rf"found 1\d{{23}}, expected at most {most}"):
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
