"""Explanations: every number adds up, and is the network's own."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from nertool.corpus.schemes import split_tag
from nertool.explain.explanation import explain
from nertool.explain.numbers import short
from nertool.explain.pieces import in_letters_of
from nertool.explain.steps import probabilities
from nertool.explain.svg import as_svg
from nertool.explain.text import units_shown
from nertool.inputs.encoder import SPECIAL_ROWS
from nertool.model.load import load_model
from nertool.model.model import inputs_for, score_tokens
from nertool.model.save import save_model
from nertool.tagging.compiled import CompiledTagger
from tests.support.explain import SENTENCE, of_sentence


def test_an_explanation_equals_the_networks_own_scores(model):
    text = of_sentence(SENTENCE)
    parameters, inputs = inputs_for(model.members[0], text, model.config)
    s = score_tokens(parameters, model.config, inputs)
    for token in range(len(text.word_ids)):
        e = explain(model, text, token)
        np.testing.assert_allclose(e.steps.s, s[token], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(e.steps.p, probabilities(e.steps.s, "logistic"))
        assert e.tag == e.target == e.predicted == model.tags[int(s[token].argmax())]
        total = sum(piece.share for piece in e.pieces) + e.steps.weights.b
        np.testing.assert_allclose(total, e.steps.z, rtol=1e-12, atol=1e-13)
        assert sum(piece.width for piece in e.pieces) == len(e.steps.x)


def test_the_window_is_the_words_around(model):
    e = explain(model, of_sentence(SENTENCE), 1)
    assert [piece.text for piece in e.pieces] == ["⟨before⟩", "The", "museums", "in", "Paris"]
    assert [piece.offset for piece in e.pieces] == [-2, -1, 0, 1, 2]
    assert [piece.vector for piece in e.pieces] == [
        "padding before",
        "the",
        "museums",
        "in",
        "paris",
    ]
    assert e.pieces[0].neighbours == ()
    assert e.pieces[0].flip is None


def test_nearest_words_are_by_cosine(model):
    e = explain(model, of_sentence(SENTENCE), 3)
    member = model.members[0]
    L = member.parameters["L"].astype(np.float64)
    own = L[member.rows == member.encoder.rows["paris"]][0]
    cosine = {
        member.encoder.words[row - SPECIAL_ROWS]: float(
            v @ own / np.linalg.norm(v) / np.linalg.norm(own)
        )
        for row, v in zip(member.rows.tolist(), L, strict=True)
        if row >= SPECIAL_ROWS
    }
    del cosine["paris"]
    best = sorted(cosine, key=cosine.get, reverse=True)[:5]
    found = e.pieces[2].neighbours
    assert [neighbour.word for neighbour in found] == best
    assert found[0].cosine == pytest.approx(cosine[best[0]], rel=1e-6)


def test_a_flip_flips_when_the_sentence_is_written_so(model):
    words = SENTENCE.split()
    flips = 0
    for token in range(len(words)):
        e = explain(model, of_sentence(SENTENCE), token)
        for piece in e.pieces:
            if piece.flip is None:
                continue
            changed = words.copy()
            changed[token + piece.offset] = piece.flip.word
            then = explain(model, of_sentence(" ".join(changed)), token)
            assert then.predicted == piece.flip.tag
            assert split_tag(then.predicted)[1] != split_tag(e.predicted)[1]
            flips += 1
    assert flips > 3


def test_letters_are_kept_in_what_is_tried():
    assert in_letters_of("Paris", "london") == "London"
    assert in_letters_of("PARIS", "london") == "LONDON"
    assert in_letters_of("in", "London") == "London"


def test_a_class_is_asked_about(model):
    e = explain(model, of_sentence(SENTENCE), 3, tag="O", gold="S-LOC")
    assert (e.tag, e.target, e.gold) == ("O", "S-LOC", True)
    assert e.tags[e.steps.k] == "O"
    assert e.steps.y.tolist() == [float(tag == "S-LOC") for tag in e.tags]


def test_a_network_with_every_feature_adds_up(tiny, main, tmp_path):
    run = tmp_path / "run"
    settings = [
        "training.epochs=1", "features.shape=3", "features.affixes=2", "features.memory=true",
        "features.sentence=2", "features.document=2", "features.neighbours=true",
        "features.document_vector=true", "network.activation=relu", "network.output=softmax",
    ]  # fmt: skip
    sets = [part for setting in settings for part in ("--set", setting)]
    done = main("train", tiny / "config.yaml", "--run-dir", run, *sets)
    assert done.returncode == 0, done.stderr
    model = load_model(run)
    text = of_sentence(SENTENCE)
    e = explain(model, text, 3)
    parameters, inputs = inputs_for(model.members[0], text, model.config)
    own = score_tokens(parameters, model.config, inputs)[3]
    np.testing.assert_allclose(e.steps.s, own, rtol=1e-5, atol=1e-5)
    total = sum(piece.share for piece in e.pieces) + e.steps.weights.b
    np.testing.assert_allclose(total, e.steps.z, rtol=1e-12, atol=1e-13)
    assert e.pieces[-1].offset is None  # the given inputs: neighbours and the document's mean
    assert e.pieces[-1].width == 3 * 8
    attributed = sum(piece.attribution for piece in e.pieces) + e.steps.score_dz @ e.steps.weights.b
    assert attributed == pytest.approx(e.steps.s[e.steps.k], rel=1e-10)  # ReLU


def an_ensemble(model):
    """Two networks that are given a first stage's opinion, made of one trained network."""
    rng = np.random.default_rng(8)
    only, config = model.members[0], model.config
    beside = rng.normal(size=(len(only.parameters["b"]), len(model.tags) + 1)).astype(np.float32)
    W = np.concatenate([only.parameters["W"], beside], axis=1)
    members = tuple(
        only._replace(parameters={**only.parameters, "W": W, "b": only.parameters["b"] + shift})
        for shift in (np.float32(0.0), np.float32(0.3))
    )
    hidden = config.network.hidden
    changed = replace(
        config,
        network=replace(config.network, members=2),
        first_stage=replace(config.first_stage, folds=2, hidden=hidden),
    )
    return replace(model, config=changed, members=members, first_stage=(only,))


def test_one_network_of_an_ensemble_is_explained_and_that_is_said(model, main, tmp_path):
    ensemble = an_ensemble(model)
    text = of_sentence(SENTENCE)
    explained = [explain(ensemble, text, 3, member=member) for member in (1, 2)]
    assert not np.allclose(explained[0].steps.s, explained[1].steps.s)
    for e in explained:
        assert e.pieces[-1].width == len(model.tags) + 1  # the first stage's opinion
        total = sum(piece.share for piece in e.pieces) + e.steps.weights.b
        np.testing.assert_allclose(total, e.steps.z, rtol=1e-12, atol=1e-13)
    # The model's score is the mean of its networks'.
    mean = np.mean([e.steps.s for e in explained], axis=0)
    np.testing.assert_allclose(mean, CompiledTagger(ensemble).scores(text)[3], rtol=1e-4, atol=1e-4)
    save_model(ensemble, tmp_path / "model")
    done = main("explain", tmp_path / "model", SENTENCE, "--word", "Paris", "--member", "2")
    assert "network 2 of 2 alone predicts" in done.stdout
    done = main("explain", tmp_path / "model", SENTENCE, "--word", "Paris", "--member", "3")
    assert (done.returncode, "--member: found 3" in done.stderr) == (2, True)


def test_a_single_output_is_explained(tiny, main, tmp_path):
    run = tmp_path / "run"
    sets = [
        "corpus.labels=[LOC]",
        "decoding.scheme=io",
        "decoding.method=argmax",
        "training.epochs=2",
    ]
    done = main(
        "train", tiny / "config.yaml", "--run-dir", run, *[p for s in sets for p in ("--set", s)]
    )
    assert done.returncode == 0, done.stderr
    model = load_model(run)
    e = explain(model, of_sentence(SENTENCE), 3)
    assert e.tags == ("O", "LOC")
    assert e.steps.s.shape == (1,)
    not_loc = explain(model, of_sentence(SENTENCE), 3, tag="O")
    assert not_loc.steps.y.tolist() == [0.0]
    # The one output scores LOC; what speaks for O speaks against LOC, number by number.
    for piece, other in zip(e.pieces, not_loc.pieces, strict=True):
        assert piece.attribution == -other.attribution != 0.0
        np.testing.assert_array_equal(piece.share, other.share)
    found = json.loads(
        main("explain", run, SENTENCE, "--word", "Paris", "--class", "O", "--json").stdout
    )
    assert found["score"] == -found["s"][0]
    shown = main("explain", run, SENTENCE, "--word", "Paris", "--class", "O").stdout
    assert "the score of O, which is −s" in shown
    assert f"(the score is {short(-e.steps.s[0])}: " in shown
    assert main("explain", run, SENTENCE, "--word", "The").returncode == 0


def test_the_weight_that_steps_is_in_a_unit_that_is_listed(model):
    for token in range(8):
        e = explain(model, of_sentence(SENTENCE), token)
        assert e.update.i == units_shown(e, False)[0] == e.graph.units[0]
        assert e.graph.column == e.update.j


def test_the_graph_fits_a_telephone(model):
    svg = as_svg(explain(model, of_sentence(SENTENCE), 3).graph)
    width, height = map(float, re.match(r'<svg viewBox="0 0 (\d+) (\d+)"', svg).groups())
    assert width <= 500
    places = re.findall(r"translate\((\d+) (\d+)\)", svg)
    assert all(0 <= float(x) <= width - 86 and 0 <= float(y) <= height - 46 for x, y in places)
    # J is the last node, and stands at the top.
    assert min(float(y) for _, y in places) == float(places[-1][1])
