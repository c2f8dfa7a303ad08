"""A first stage and several members: what each network is trained on, and what the model is made of."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nertool
from nertool.config.records import Config
from nertool.decoding.adjust import softmax
from nertool.errors import NertoolError
from nertool.formats.paths import file_hash
from nertool.model.load import load_model
from nertool.model.model import inputs_for, score_tokens
from nertool.training import run, stages
from nertool.training.preparation.store import Part, Prepared
from nertool.training.preparation.working import training_text, working_inputs
from nertool.training.stages import (
    FoldOf,
    first_stage_config,
    fold_dir,
    fold_of_sentences,
    mean_opinion,
    member_start,
    read_first_stage,
    train_fold,
)
from nertool.training.trainer import train
from tests.support.helpers import change, measures_of, run_training
from tests.support.models import arrays_of_file

EPOCHS = 3  # of the full config: 3 for each member, 2 for each network of the first stage


def part_of(lengths: list[int]) -> Part:
    """Make a part of documents of so many sentences, of one token each."""
    S = sum(lengths)
    nothing = np.zeros(S, dtype=np.int32)
    return Part(
        words=["a"],
        type_ids=np.zeros((1, 3, 1), dtype=np.int32),
        word_ids=nothing,
        tag_ids=nothing,
        gold_ids=nothing,
        gold_tags=["O"],
        scheme="io",
        sentence_starts=np.arange(S + 1),
        document_starts=np.cumsum([0, *lengths]),
    )


def test_folds_are_blocks_of_documents():
    # Five documents in two folds: 0·2//5, 1·2//5, … = 0, 0, 0, 1, 1.
    assert fold_of_sentences(part_of([1, 3, 1, 2, 2]), 2).tolist() == [1] * 5 + [2] * 4
    # Three documents in three folds.
    assert fold_of_sentences(part_of([2, 1, 1]), 3).tolist() == [1, 1, 2, 3]


def test_with_fewer_documents_than_folds_they_are_blocks_of_sentences():
    # Five sentences in three folds: 0·3//5, … 4·3//5 = 0, 0, 1, 1, 2.
    assert fold_of_sentences(part_of([4, 1]), 3).tolist() == [1, 1, 2, 2, 3]


@settings(max_examples=80, deadline=None)
@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=8), folds=st.integers(2, 6))
def test_every_fold_has_sentences_and_no_document_lies_in_two_unless_it_must(lengths, folds):
    part = part_of(lengths)
    if folds > sum(lengths):
        with pytest.raises(NertoolError, match=rf"first_stage\.folds: found {folds}, expected at "):
            fold_of_sentences(part, folds)
        return
    of_sentences = fold_of_sentences(part, folds)
    assert of_sentences.tolist() == sorted(of_sentences.tolist())
    assert set(of_sentences.tolist()) == set(range(1, folds + 1))
    if folds <= len(lengths):
        for first, end in pairwise(part.document_starts.tolist()):
            assert len(set(of_sentences[first:end].tolist())) == 1


def fold_result(
    config: Config, prepared: Prepared, folder: Path, fold: int, member: int = 0
) -> dict:
    for _ in train_fold(config, prepared, folder, FoldOf(member, fold)):
        pass
    return arrays_of_file(fold_dir(folder, FoldOf(member, fold)) / "arrays.safetensors")


def with_absurd_labels(prepared: Prepared, tokens: np.ndarray) -> Prepared:
    """Give some tokens of the training part the tag S of their first class, each its own entity."""
    tag_ids, gold_ids = prepared.train.tag_ids.copy(), prepared.train.gold_ids.copy()
    tag_ids[tokens] = prepared.tags.index(f"S-{prepared.labels[0]}")
    gold_ids[tokens] = prepared.train.gold_tags.index(f"B-{prepared.labels[0]}")
    part = replace(prepared.train, tag_ids=tag_ids, gold_ids=gold_ids)
    return replace(prepared, train=part)


def test_a_folds_probabilities_come_from_a_network_that_never_saw_the_fold(
    full_config, full_prepared, tmp_path
):
    # The memory counts the text as a whole; what it leaves out is told in test_memory.
    config = change(full_config, features={"memory": False})
    before = {k: fold_result(config, full_prepared, tmp_path / "a", k) for k in (1, 2)}
    own = before[1]["tokens"]
    absurd = with_absurd_labels(full_prepared, own)
    after = {k: fold_result(config, absurd, tmp_path / "b", k) for k in (1, 2)}
    # Whatever the labels of fold 1 are, its own probabilities are the same, bit for bit; those of
    # fold 2, whose network was trained on fold 1, are not.
    np.testing.assert_array_equal(after[1]["tokens"], own)
    assert after[1]["p"].tobytes() == before[1]["p"].tobytes()
    assert np.abs(after[2]["p"] - before[2]["p"]).max() > 0.1


def test_the_first_stage_has_an_opinion_on_every_token(full_config, full_prepared, full_run_dir):
    first = read_first_stage(full_config, full_prepared, full_run_dir)
    of_folds = [
        arrays_of_file(fold_dir(full_run_dir, FoldOf(0, k)) / "arrays.safetensors") for k in (1, 2)
    ]
    tokens = np.concatenate([found["tokens"] for found in of_folds])
    N = len(full_prepared.train.word_ids)
    assert tokens.tolist() == list(range(N))  # each in one fold, in order
    np.testing.assert_array_equal(first.train, np.concatenate([found["p"] for found in of_folds]))
    assert first.train.shape == (N, len(full_prepared.tags))
    assert first.dev.shape == (len(full_prepared.dev.word_ids), len(full_prepared.tags))
    for p in first:
        np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-5)
    without = change(full_config, first_stage={"folds": 0})
    assert read_first_stage(without, full_prepared, full_run_dir) is None


def test_the_models_first_stage_says_of_dev_what_the_members_were_told(
    full_config, full_prepared, full_run_dir
):
    model = load_model(full_run_dir)
    (member,) = model.first_stage
    told = read_first_stage(full_config, full_prepared, full_run_dir).dev
    parameters, inputs = inputs_for(member, full_prepared.dev.text, model.config)
    p = softmax(score_tokens(parameters, model.config, inputs))
    np.testing.assert_allclose(p, told, rtol=1e-5, atol=1e-6)


def test_a_first_stage_network_is_the_last_epochs_mean_of_its_own_width(
    full_config, full_prepared, full_run_dir
):
    # Trained anew here, without what train_fold keeps: the same parameters must come out.
    first = first_stage_config(full_config)
    assert (first.network.hidden, first.network.members, first.training.epochs) == (6, 1, 2)
    assert first.first_stage.folds == 0
    working = working_inputs(first, full_prepared)
    state = stages.initial_state(first, full_prepared, working, (2, 0))
    ends = []
    for _ in train(first, full_prepared, working, state):
        ends.append({name: array.copy() for name, array in state.kept.items()})
    kept = arrays_of_file(fold_dir(full_run_dir, FoldOf(0, 0)) / "arrays.safetensors")
    for name in ("W", "b", "U", "E.caps", "L"):
        expected = np.mean([end[name] for end in ends], axis=0, dtype=np.float64)
        np.testing.assert_array_equal(kept[name], expected.astype(np.float32))


# Members


def test_members_take_turns_with_the_files_of_vectors(full_config, full_prepared, full_run_dir):
    model = load_model(full_run_dir)
    assert [member.L.shape[1] for member in model.members] == [8, 3, 8]
    assert [member.L.shape[1] for member in model.first_stage] == [8]
    for member, own in zip(model.members, (0, 1, 0), strict=True):
        np.testing.assert_array_equal(member.L, full_prepared.vectors[own].L)
        assert member.encoder.words == full_prepared.vectors[own].words
        assert member.encoder.remembered == full_prepared.train.words
    assert model.members[0].encoder is model.members[2].encoder
    header = json.loads((full_run_dir / "best" / "model.json").read_text())
    assert header["networks"] == {"first_stage": [0], "members": [0, 1, 0]}


def test_members_with_the_same_vectors_start_from_weights_of_their_own(
    full_config, full_prepared, full_run_dir
):
    starts = [member_start(full_config, full_prepared, full_run_dir, i)[1] for i in (0, 2, 0)]
    first, second, again = (state.parameters for state in starts)
    np.testing.assert_array_equal(first["W"], again["W"])
    assert (first["W"] != second["W"]).all()
    np.testing.assert_array_equal(first["L"], second["L"])


def test_the_model_takes_each_member_at_its_own_best_epoch(full_run_dir):
    model = load_model(full_run_dir)
    best = []
    for i in (1, 2, 3):
        lines = (full_run_dir / "members" / str(i) / "log.jsonl").read_text().splitlines()
        log = [json.loads(line) for line in lines]
        best.append(max(log, key=lambda entry: (entry["dev"]["f1"], -entry["epoch"]))["epoch"])
        state = arrays_of_file(full_run_dir / "members" / str(i) / "last" / "state.safetensors")
        for name, array in model.members[i - 1].parameters.items():
            if name != "M":  # it is counted anew, not kept
                np.testing.assert_array_equal(array, state[f"best/{name}"])
        assert "best/M" not in state
    assert model.provenance["epoch"] == best
    assert run.last_best(full_run_dir) == (best, model.provenance["dev"])


def test_what_an_ensemble_is_said_to_score_is_what_it_scores(full, full_run_dir):
    model = load_model(full_run_dir)
    assert measures_of(model, full / "dev.conll") == model.provenance["dev"]
    assert model.provenance["sha256"] == {
        "corpus.train": file_hash(full / "train.conll"),
        "corpus.dev": file_hash(full / "dev.conll"),
        "vectors": [file_hash(full / "vectors.txt"), file_hash(full / "more.txt")],
    }


def test_the_memory_that_a_model_keeps_is_of_the_whole_text(full_prepared, full_run_dir):
    # A row for each word form of the training text, and the one for words that were never met.
    model = load_model(full_run_dir)
    words = full_prepared.train.words
    M = model.members[0].parameters["M"]
    assert M.shape == (1 + len(words), len(model.labels) + 2)
    assert not M[0].any()
    # Babbage stands twice, both times within a PER: 2 / (2 + 1), and the bit.
    assert np.count_nonzero(full_prepared.train.word_ids == words.index("Babbage")) == 2
    assert model.labels == ["LOC", "ORG", "PER"]
    np.testing.assert_allclose(M[1 + words.index("Babbage")], [0, 0, 0, 2 / 3, 1], rtol=1e-6)


def test_a_model_shares_the_vectors_files_with_the_prepared_inputs(full_run_dir):
    for i in (0, 1):
        for name in (f"vectors.{i}.safetensors", f"vocabulary.{i}.txt"):
            assert (full_run_dir / "best" / name).samefile(full_run_dir / "prepared" / name)


def test_the_api_trains_an_ensemble_too(full, full_run_dir, tmp_path, in_this_process):
    in_this_process()
    tagger = nertool.train(full / "config.yaml", tmp_path / "run", workers=2).tagger
    document = [["Ada", "met", "Charles", "Babbage"], ["ADA", "LEFT", "LONDON"]]
    assert tagger.tag_document(document) == nertool.load(full_run_dir).tag_document(document)


def test_one_member_after_a_first_stage_is_trained_in_the_run_folder_itself(
    full_config, tmp_path, in_this_process
):
    in_this_process()
    config = change(full_config, network={"members": 1}, vectors={"more": None})
    folder = tmp_path / "run"
    prepared = run.prepared_for(config, folder, "", lambda line: None)
    run.begin_run(config, folder)
    names = [name for name, _ in run.run_training(config, prepared, folder, workers=1)]
    firsts = ["first stage", "first stage, fold 1", "first stage, fold 2"]
    assert names == [name for name in firsts for _ in (1, 2)] + [""] * EPOCHS
    assert not (folder / "members").exists()
    model = load_model(folder)
    assert (len(model.first_stage), len(model.members)) == (1, 1)
    assert isinstance(model.provenance["epoch"], int)
    # Both chose by the same scores, to the last bits of float32.
    assert measures_of(model, config.corpus.dev[0]) == model.provenance["dev"]


@pytest.mark.parametrize(
    ("keep", "folds", "vectors", "more_for", "members"),
    [
        ("whole", ["", ", fold 1", ", fold 2"], [8, 3], "all", [""]),
        ("folds", [", fold 1", ", fold 2"], [8, 8, 3, 3], "first_stage", ["member 1", "member 2"]),
    ],
)
def test_several_networks_of_a_first_stage_tell_the_members_their_mean(
    keep, folds, vectors, more_for, members, full_config, tmp_path, in_this_process
):
    in_this_process()
    config = change(
        full_config,
        vectors={"more_for": more_for},
        network={"members": len(members)},
        first_stage={"members": 2, "window": 3, "keep": keep},
        training={"epochs": 2},
    )
    folder = tmp_path / "run"
    prepared = run.prepared_for(config, folder, "", lambda line: None)
    run.begin_run(config, folder)
    names = [name for name, _ in run.run_training(config, prepared, folder, workers=1)]
    firsts = [f"{stage}{fold}" for stage in ("first stage", "first stage 2") for fold in folds]
    assert names == [name for name in [*firsts, *members] for _ in (1, 2)]
    model = load_model(folder)
    # They take turns with the files of vectors, and each is another network.
    assert [first.L.shape[1] for first in model.first_stage] == vectors
    # With more_for: first_stage all members read the first file.
    assert [member.L.shape[1] for member in model.members] == [8] * len(members)
    assert len({first.parameters["W"].tobytes() for first in model.first_stage}) == len(vectors)
    text = prepared.dev.text
    read = [inputs_for(first, text, config) for first in model.first_stage]
    scores = [score_tokens(own, config, inputs) for own, inputs in read]
    told = read_first_stage(config, prepared, folder)
    np.testing.assert_allclose(told.dev, softmax(np.mean(scores, axis=0)), rtol=1e-4, atol=1e-6)
    # Of the training part: the geometric mean of what the two networks say that have not seen the token.
    p = [arrays_of_file(fold_dir(folder, FoldOf(j, 1)) / "arrays.safetensors") for j in (0, 1)]
    mean = np.sqrt(p[0]["p"] * p[1]["p"])
    mean /= mean.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(told.train[p[0]["tokens"]], mean, rtol=1e-4, atol=1e-6)
    # Training and the saved model choose by the same scores.
    assert measures_of(model, config.corpus.dev[0]) == model.provenance["dev"]


def test_an_opinion_that_no_float_can_hold_is_none_the_less_averaged():
    # p = 0 stands for a score that is too small for a float: the other network's opinion still counts.
    p, q = np.array([[1.0, 0.0, 0.0]], np.float32), np.array([[0.5, 0.5, 0.0]], np.float32)
    found = mean_opinion([p, q])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, [[1.0, 0.0, 0.0]], atol=1e-12)
    assert mean_opinion([p]) is p


def test_an_ensemble_without_a_first_stage_and_without_dev(full_config, tmp_path, in_this_process):
    in_this_process()
    config = change(full_config, first_stage={"folds": 0}, corpus={"dev": None})
    records = run_training(config, tmp_path / "run")
    assert len(records) == 3 * EPOCHS
    model = load_model(tmp_path / "run")
    assert model.first_stage == ()
    assert (model.provenance["epoch"], model.provenance["dev"]) == ([3, 3, 3], None)
    assert not (tmp_path / "run" / "first_stage").exists()


# What a network is trained on


def test_each_training_token_is_shown_the_memory_without_its_document_and_dev_the_whole(
    full_config, full_prepared
):
    config = change(full_config, first_stage={"folds": 0})
    working = working_inputs(config, full_prepared)
    table, rows = working.memory
    columns = full_prepared.train.type_ids.shape[2]  # the memory's column follows the form's own
    text, ids, _ = training_text(config, full_prepared, working).inputs
    np.testing.assert_array_equal(ids[text.centres][:, columns], rows)
    dev, train_words = full_prepared.dev, full_prepared.train.words
    text, ids, _ = working.dev
    for token, centre in enumerate(text.centres):
        word = dev.words[dev.word_ids[token]]
        row = 1 + train_words.index(word) if word in train_words else 0
        assert ids[centre : centre + 1][0, columns] == row
    assert len(table) > rows.max() > len(train_words)


def test_dev_is_read_in_training_as_the_model_reads_any_text(
    full_config, full_prepared, full_run_dir
):
    # Two ways to the same numbers: working inputs with prepared rows, and a loaded model's encoder.
    first = read_first_stage(full_config, full_prepared, full_run_dir)
    model = load_model(full_run_dir)
    for i, member in enumerate(model.members):
        working = working_inputs(full_config, full_prepared, i % 2, first)
        expected = score_tokens(dict(member.parameters), model.config, working.dev)
        text = full_prepared.dev.text
        parameters, inputs = inputs_for(member, text, model.config, first.dev)
        found = score_tokens(parameters, model.config, inputs)
        np.testing.assert_array_equal(found, expected)
