"""train, evaluate, read and convert, as a program calls them."""

from __future__ import annotations

import json
import os

import pytest
import yaml

import nertool
from nertool.errors import ConfigError, CorpusError, ModelError
from nertool.training.trainer import EpochRecord


def test_training_calls_back_after_each_epoch_and_gives_a_run(tiny, tmp_path) -> None:
    heard: list[EpochRecord] = []
    run = nertool.train(tiny / "config.yaml", tmp_path / "run", on_epoch=heard.append)
    assert [record.epoch for record in heard] == [1, 2, 3, 4, 5, 6]
    assert run.history == heard
    assert run.scores is not None
    assert run.scores["f1"] == max(record.dev.f1 for record in heard if record.dev)
    assert run.tagger is run.tagger
    assert repr(run).startswith("<Run: 6 epochs, F1 ")


def test_a_config_may_be_a_dict_and_a_run_without_a_folder_leaves_none(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tiny)
    config = yaml.safe_load((tiny / "config.yaml").read_text())
    config["training"]["epochs"] = 1
    run = nertool.train(config)
    folder = run.path
    saved = run.save(tmp_path / "kept")
    with pytest.raises(ModelError, match="already there"):
        run.save(saved)
    run.save(saved, overwrite=True)
    document = run.tagger("Ada left London.")
    del run
    assert not folder.exists()
    assert nertool.load(saved)("Ada left London.") == document
    with pytest.raises(ConfigError, match="windw"):
        nertool.train({**config, "windw": {"size": 3}})


def test_what_a_callback_raises_ends_the_training(tiny, tmp_path):
    class Enough(Exception):
        pass

    def stop(record: EpochRecord) -> None:
        raise Enough

    with pytest.raises(Enough):
        nertool.train(tiny / "config.yaml", tmp_path / "run", on_epoch=stop)


def test_evaluate_gives_the_command_line_s_measures(tiny, run_dir, main):
    expected = json.loads(main("evaluate", run_dir, tiny / "dev.conll", "--json").stdout)
    tagger = nertool.load(run_dir)
    for model in (tagger, run_dir, str(run_dir)):
        evaluation = nertool.evaluate(model, tiny / "dev.conll")
        assert (evaluation.f1, evaluation.precision) == (expected["f1"], expected["precision"])
        assert evaluation.recall == expected["recall"]
    assert evaluation.to_dict()["types"].keys() == expected["types"].keys()
    with pytest.raises(CorpusError, match="no such file"):
        nertool.evaluate(tagger, tiny / "nothing.conll")


def test_files_are_read_as_documents_and_converted(tiny, tmp_path, main):
    out = tmp_path / "out.jsonl"
    nertool.convert(tiny / "dev.conll", out, "jsonl")
    assert out.read_text() == main("corpus", "convert", tiny / "dev.conll", "--to", "jsonl").stdout
    documents = nertool.read(out)
    values = [json.loads(line) for line in out.read_text().splitlines()]
    assert [[(e.start, e.end, e.label) for e in doc] for doc in documents] == [
        [(e["start"], e["end"], e["label"]) for e in value["entities"]] for value in values
    ]
    assert sum(len(doc) for doc in documents) == sum(
        len(doc) for doc in nertool.read(tiny / "dev.conll")
    )
    nertool.convert([out, out], tmp_path / "two.conll", "conll", scheme="bioes")
    assert "S-LOC" in (tmp_path / "two.conll").read_text()
    with pytest.raises(CorpusError):
        nertool.read(os.fspath(tmp_path / "nothing"))
    with pytest.raises(TypeError):
        nertool.read(out, colour="red")
