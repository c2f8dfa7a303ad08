"""What is generated from the records: current, complete, and true to the reader."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import inspect

from nertool.config.file import load_config
from nertool.config.records import Config
from nertool.config.reference import SCHEMA_LINE, generated_files, meaning_of, values_of, yaml_value
from nertool.config.values import key_types, without_none

ROOT = Path(__file__).parents[2]


def test_the_reference_config_sets_every_key_to_its_default():
    text = (ROOT / "configs" / "reference.yaml").read_text(encoding="utf-8")
    assert load_config(ROOT / "configs" / "reference.yaml") == Config()
    for key in key_types():
        assert f"{key.rpartition('.')[2]}:" in text


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.name)
def test_each_shipped_config_names_the_schema(path):
    assert path.read_text(encoding="utf-8").startswith(SCHEMA_LINE)
    assert load_config(path).corpus.train is not None or path.name == "reference.yaml"


@pytest.mark.parametrize("key", key_types())
def test_each_key_says_what_it_means_in_a_sentence(key):
    assert len(meaning_of(key)) > 10
    assert meaning_of(key).endswith((".", "?"))


@pytest.mark.parametrize("key", [key for key in key_types() if key != "seed"])
def test_each_number_has_a_least_and_a_most(key):
    for option in without_none(inspect.type_info(key_types()[key])):
        if isinstance(option, inspect.IntType | inspect.FloatType):
            assert option.ge is not None
            assert (option.le, option.lt) != (None, None)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("corpus.train", "path, or list of paths"),
        ("vectors.path", "path"),
        ("vectors.more", "path, or list of paths"),
        ("training.epochs", "whole number from 1 to 10,000"),
        ("training.momentum", "number, at least 0 and below 1"),
        ("decoding.outside_bias", "number from -100 to 100"),
        ("vectors.fine_tune", "both, true or false"),
        ("network.output", "logistic, softmax"),
        ("seed", "whole number, at least 0"),
    ],
)
def test_the_values_of_a_key_are_said_as_they_are_declared(key, values):
    assert values_of(key) == values


@pytest.mark.parametrize("text", ["no", "PER", "1e3", "~/a b", "../x.conll", "a: b", "", "#", "é"])
def test_a_value_that_is_written_is_read_back(tmp_path, text):
    path = tmp_path / "a.yaml"
    path.write_text(f"corpus: {{comment: {yaml_value(text)}}}\n", encoding="utf-8")
    assert load_config(path).corpus.comment == text


def test_the_schema_refuses_unknown_keys_and_knows_limits_and_choices():
    schema = json.loads(generated_files()["configs/schema.json"](""))["$defs"]
    assert all(record["additionalProperties"] is False for record in schema.values())
    assert schema["TrainingConfig"]["properties"]["epochs"]["maximum"] == 10_000
    assert set(schema["NetworkConfig"]["properties"]["output"]["enum"]) == {"logistic", "softmax"}
    assert "description" in schema["NetworkConfig"]["properties"]["hidden"]
