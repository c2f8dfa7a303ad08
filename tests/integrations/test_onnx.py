"""The ONNX graph says what the tagger says, for every kind of model."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nertool.config.inputs import FeaturesConfig
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.decoding.adjust import softmax
from nertool.decoding.viterbi import decode
from nertool.errors import ModelError
from nertool.formats.read import read_corpus
from nertool.inputs.gazetteers import Gazetteers
from nertool.inputs.text import Text, text_of
from nertool.model.compress import compress_model
from nertool.model.load import load_model
from nertool.model.model import Model
from nertool.network.activations import ACTIVATIONS
from nertool.tagging.annotate import text_of_corpus
from nertool.tagging.compiled import CompiledTagger
from tests.support.helpers import random_model
from tests.support.models import MODELS

pytestmark = pytest.mark.integration

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from nertool.integrations.onnx import export, feeds  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TEXT = text_of(
    [
        ["the", "Paris", "london", "Ada", "met", "the", "end"],
        ["Paris"],
        ["Ada", "met", "ADA", "in", "LONDON", ",", "unheard-of", "Paris"],
        ["met", "the"],
    ],
    np.array([0, 3, 4]),
)


def scores_of(model: Model, text: Text) -> tuple[Any, Any]:
    """Return the graph's scores and the tagger's own."""
    session = onnxruntime.InferenceSession(export(model).SerializeToString())
    return session.run(["scores"], feeds(model, text))[0], CompiledTagger(model).scores(text)


def check(model: Model, text: Text) -> None:
    got, expected = scores_of(model, text)
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    assert np.abs(softmax(got) - softmax(expected)).max() < 1e-5
    assert np.abs(got - expected).max() < 1e-6 * max(10, np.abs(expected).max())
    starts, method = text.sentence_starts, model.config.decoding.method
    tags = [decode(scores, starts, method, model.lattice()) for scores in (got, expected)]
    assert (tags[0] == tags[1]).all()


@pytest.mark.parametrize("kind", MODELS)
def test_random_models_of_every_kind(kind):
    check(MODELS[kind](), TEXT)


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("pooling", [True, False])
def test_a_window_of_the_first_stage_ends_with_the_text_and_with_each_sentence(size, pooling):
    first_stage = {"window": 7, "max_pooling": pooling}
    model = random_model(windows={"size": size}, first_stage=first_stage)
    for sentences in (["met"], ["the", "Paris"]), (["met"] * 3, ["Ada"]), (["the"],) * 5:
        check(model, text_of(list(sentences), np.arange(len(sentences) + 1)))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("output", ["softmax", "logistic"])
def test_every_activation_and_output(activation, output):
    check(random_model(network={"activation": activation, "output": output}, folds=0), TEXT)


@pytest.mark.parametrize(
    "features",
    [
        FeaturesConfig(caps=0),
        FeaturesConfig(ngrams=3),
        FeaturesConfig(clusters=2),
        FeaturesConfig(neighbours=True),
        FeaturesConfig(document_vector=True, document=2),
        FeaturesConfig(shape=2, affixes=3, memory=True, sentence=2),
    ],
)
@pytest.mark.parametrize("folds", [0, 2])
def test_features_alone_and_with_two_stages(features, folds):
    check(random_model(features, folds=folds, decoding={"outside_bias": 0.7}), TEXT)


def test_windows_of_one_word_are_exported_or_refused():
    plain = FeaturesConfig(document_vector=True)
    check(random_model(plain, windows={"size": 1}), TEXT)
    with pytest.raises(ModelError, match="expected windows"):
        export(random_model(windows={"size": 1}))


@pytest.mark.parametrize("folds", [0, 2])
def test_gazetteers_alone_mark_their_phrases_in_the_graph_too(folds):
    lists = {"CITY": (Path("/v/c.txt"),), "B": (Path("/v/b.txt"),)}
    model = random_model(FeaturesConfig(caps=0, gazetteers=lists), folds=folds)
    check(model, TEXT)
    marked = scores_of(model, TEXT)[0]
    for member in model.members:
        member.encoder.gazetteers = Gazetteers({name: ["nowhere"] for name in lists})
    unmarked = scores_of(model, TEXT)[0]
    assert np.abs(marked - unmarked).max() > 1e-3  # the phrases of TEXT take part in the scores


@pytest.mark.parametrize("folder", ["run_dir", "full_run_dir"])
def test_trained_models_on_their_dev_text(folder, request):
    run = request.getfixturevalue(folder)
    model = load_model(run)
    assert model.config.corpus.dev is not None
    corpus = read_corpus(model.config.corpus.dev[0], "conll", Reading(), Ledger())
    check(model, text_of_corpus(corpus))


@pytest.mark.parametrize("rows", ["int8", "float16"])
def test_compressed_models(rows):
    check(compress_model(MODELS["everything"](), rows, None), TEXT)


def test_a_long_text_whose_words_come_again_and_again_has_the_same_scores_each_time():
    model = random_model()
    rng = np.random.default_rng(0)
    vocabulary = ["the", "london", "ada", "met", "Paris", "Ada", "of", "1815"]
    sentences = [[vocabulary[i] for i in row] for row in rng.integers(0, 8, (600, 12)).tolist()]
    text = text_of(sentences, np.arange(0, 601, 100))
    session = onnxruntime.InferenceSession(export(model).SerializeToString())
    given = feeds(model, text)
    first = session.run(None, given)[0]
    for _ in range(3):
        assert np.array_equal(session.run(None, given)[0], first)
    check(model, text)


def test_the_command_writes_a_file_with_metadata_that_the_example_of_the_docs_uses(
    run_dir, tmp_path, main, monkeypatch
):
    done = main("export", run_dir, tmp_path / "model.onnx")
    assert (done.returncode, done.stdout) == (0, "")
    assert " MB; given ids, windows, it returns scores" in done.stderr
    model = load_model(run_dir)
    found = {p.key: json.loads(p.value) for p in onnx.load(tmp_path / "model.onnx").metadata_props}
    assert found["nertool.tags"] == model.tags
    assert found["nertool.labels"] == ["LOC", "ORG", "PER"]
    assert found["nertool.may_follow"] == model.lattice().step.astype(int).tolist()
    assert (found["nertool.scheme"], found["nertool.window"]) == (model.config.decoding.scheme, 5)

    page = (ROOT / "docs" / "onnx.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "quickstart").symlink_to(run_dir)
    monkeypatch.chdir(tmp_path)
    with redirect_stdout(io.StringIO()) as out:
        exec(compile(code, "docs/onnx.md", "exec"), {})
    lines = out.getvalue().splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["Ada", "Lovelace", "met"]
    assert lines[0].split()[1].endswith("-PER")


def test_misuse_is_told_in_a_line(run_dir, tmp_path, main, monkeypatch):
    done = main("export", run_dir, tmp_path / "model.bin")
    assert (done.returncode, "expected a name that ends in .onnx" in done.stderr) == (2, True)
    done = main("export", tmp_path, tmp_path / "model.onnx")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert not (tmp_path / "model.onnx").exists()
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    done = main("export", run_dir, tmp_path / "model.onnx")
    assert done.returncode == 1
    assert "pip install 'nertool[onnx]'" in done.stderr
