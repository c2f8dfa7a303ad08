"""Distillation: targets mixed by hand's arithmetic, gradients against autograd, and the whole command."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nertool.config.learning import DistillationConfig, FirstStageConfig
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.errors import ModelError
from nertool.formats.labelled import read_labelled, reading_of
from nertool.model.load import load_model
from nertool.network.losses import LOSSES
from nertool.tagging.analyse import analyse
from nertool.tagging.annotate import text_of_corpus
from nertool.tagging.compiled import CompiledTagger
from nertool.training.batches import distributions
from nertool.training.preparation.distil import distilled, mixed_targets, teach
from nertool.training.preparation.encode import prepare

RAW = "Ada Lovelace left Berlin .\nIt rained in York .\n"


@pytest.fixture
def raw_text(tmp_path) -> Path:
    path = tmp_path / "raw.txt"
    path.write_text(RAW)
    return path


@pytest.fixture
def train_corpus(config) -> Corpus:
    assert config.corpus.train
    return read_labelled(config.corpus.train, "auto", reading_of(config.corpus), Ledger(), print)


def taught(config, teacher: Path, **settings):
    return replace(config, distillation=DistillationConfig(teacher=teacher, **settings))


def test_the_teachers_distribution_is_the_softmax_of_its_calibrated_scores(run_dir, train_corpus):
    tagger = CompiledTagger(load_model(run_dir))
    tag_ids, q = teach(tagger, train_corpus)
    decoded = analyse(tagger, text_of_corpus(train_corpus))
    row = [float(s) / decoded.temperature for s in decoded.scores[3]]
    by_hand = [math.exp(s) / sum(map(math.exp, row)) for s in row]
    assert q[3] == pytest.approx(by_hand, rel=1e-5)
    assert np.array_equal(tag_ids, decoded.tag_ids)


def test_the_target_of_a_labelled_token_is_a_mixture(run_dir, train_corpus):
    tagger = CompiledTagger(load_model(run_dir))
    _, q = teach(tagger, train_corpus)
    tags = tagger.model.tags
    _, y = mixed_targets(tagger, train_corpus, 0.25, tags)
    # The text begins: Ada B-PER, Lovelace E-PER, met O
    for token, tag in enumerate(("B-PER", "E-PER", "O")):
        expected = 0.25 * q[token] + 0.75 * (np.arange(len(tags)) == tags.index(tag))
        assert y[token] == pytest.approx(expected, abs=1e-3)  # float16


@pytest.mark.parametrize("output", ["softmax", "logistic"])
def test_with_a_distribution_as_the_target_the_gradient_is_still_p_minus_y(output):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    s = rng.normal(size=(5, 4))
    y = rng.random((5, 4))
    y /= y.sum(axis=1, keepdims=True)
    J, ds = LOSSES[output](s, y)
    scores = torch.tensor(s, requires_grad=True)
    if output == "softmax":
        loss = torch.nn.functional.cross_entropy(scores, torch.tensor(y))
    else:
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            scores, torch.tensor(y), reduction="sum"
        ) / len(s)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(J, rel=1e-12)
    assert scores.grad.numpy() == pytest.approx(ds, rel=1e-10)


def test_rounded_distributions_add_up_to_1_again_and_one_output_has_the_last_column():
    q = np.array([[0.1, 0.2, 0.7], [1 / 3, 1 / 3, 1 / 3]], dtype=np.float16)
    y = distributions(q, 3)(np.array([1, 0]))
    assert y.dtype == np.float32
    assert y.sum(axis=1) == pytest.approx([1, 1], abs=1e-7)
    assert distributions(q[:, :2], 1)(np.array([0]))[0] == pytest.approx([2 / 3], abs=1e-3)


def test_labels_alone_with_share_0_train_the_same_network_as_without_a_teacher(
    tiny, run_dir, tmp_path, main
):
    options = ("--set", f"distillation.teacher={run_dir}", "--set", "distillation.share=0")
    done = main("train", tiny / "config.yaml", *options, "--run-dir", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    before, after = load_model(run_dir).members[0], load_model(tmp_path / "run").members[0]
    for name, array in before.parameters.items():
        assert np.array_equal(array, after.parameters[name]), name


def test_unlabelled_text_follows_the_labelled_and_has_the_teachers_tags(
    config, run_dir, raw_text, train_corpus
) -> None:
    told: list[str] = []
    settings = taught(config, run_dir, texts=(raw_text,), share=0.5)
    together, targets = distilled(settings, train_corpus, told.append, Ledger())
    N = train_corpus.tokens
    assert together.tokens == len(targets) == N + 10
    assert [together.words[i] for i in together.word_ids[N : N + 3]] == ["Ada", "Lovelace", "left"]
    assert targets[N:].argmax(axis=1).any()  # not all of it is O
    assert any(line.startswith("distillation: 10 tokens, ") for line in told)


def test_unlabelled_text_for_a_teacher_that_lacks_a_class_is_refused(
    config, run_dir, raw_text, tmp_path
):
    other = tmp_path / "other.conll"
    other.write_text("Aspirin B-DRUG\nhelps O\n\n")
    settings = replace(
        taught(config, run_dir, texts=(raw_text,)),
        corpus=replace(config.corpus, train=(other,), dev=None),
    )
    with pytest.raises(ModelError, match="does not know DRUG, a class of "):
        prepare(settings)


def test_another_tag_scheme_than_the_teachers_is_refused(config, run_dir):
    settings = replace(taught(config, run_dir), decoding=replace(config.decoding, scheme="iob2"))
    with pytest.raises(ModelError, match=r"decoding\.scheme: bioes, expected iob2"):
        prepare(settings)


# The command


def test_a_student_of_unlabelled_text_alone_finds_entities(run_dir, tiny, tmp_path, main):
    text = tmp_path / "raw.txt"
    text.write_text(
        "".join(
            " ".join(line.split(" ")[0] for line in block.splitlines()) + "\n"
            for block in (tiny / "train.conll").read_text().split("\n\n")
        )
    )
    student = tmp_path / "student"
    options = ("--dev", tiny / "dev.conll", "--run-dir", student, "--json")
    done = main("distil", run_dir, "--on", text, *options, "--set", "training.epochs=12")
    assert done.returncode == 0, done.stderr
    model = load_model(student)
    assert model.labels == load_model(run_dir).labels
    assert model.config.corpus.train is None
    assert model.provenance["dev"]["f1"] > 0.6
    again = main(
        "distil", run_dir, "--on", text, *options, "--set", "training.epochs=12", "--resume"
    )
    assert again.returncode == 0, again.stderr
    text.write_text(RAW)
    stale = main(
        "distil", run_dir, "--on", text, *options, "--set", "training.epochs=12", "--resume"
    )
    assert stale.returncode == 1
    assert "distillation changed since" in stale.stderr


def test_a_student_of_an_ensemble_is_one_network_without_a_first_stage(
    full, full_run_dir, tmp_path, main
):
    options = ("--train", full / "train.conll", "--dev", full / "dev.conll")
    done = main("distil", full_run_dir, *options, "--run-dir", tmp_path / "student")
    assert done.returncode == 0, done.stderr
    model = load_model(tmp_path / "student")
    assert (len(model.members), len(model.first_stage)) == (1, 0)
    assert model.config.first_stage == FirstStageConfig()  # no key of it without effect


def test_nothing_to_learn_from_is_misuse(run_dir, main):
    done = main("distil", run_dir)
    assert done.returncode == 2
    assert "expected text to learn from: --on TEXT, --train FILE, or both" in done.stderr


def test_a_text_that_is_not_there_is_named_with_its_key(run_dir, tmp_path, main):
    done = main("distil", run_dir, "--on", tmp_path / "none.txt", "--run-dir", tmp_path / "student")
    assert done.returncode == 1
    assert "none.txt: no such file" in done.stderr
    assert "(distillation.texts)" in done.stderr
    assert not (tmp_path / "student" / "best").exists()
