"""Explanations: every number adds up, and is the network's own."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from nertool.corpus.schemes import split_tag
from nertool.explain.explanation import explain
from nertool.explain.graph import as_text, draw_graph
from nertool.explain.numbers import short
from nertool.explain.pieces import in_letters_of
from nertool.explain.steps import (
    gradient_times_input,
    multiplications,
    parts_of_z,
    probabilities,
    sgd_update,
    work_through,
)
from nertool.explain.svg import as_svg
from nertool.explain.text import units_shown
from nertool.inputs.encoder import SPECIAL_ROWS
from nertool.inputs.text import text_of
from nertool.model.load import load_model
from nertool.model.model import inputs_for, score_tokens
from nertool.model.save import save_model
from nertool.network.activations import ACTIVATIONS
from nertool.network.losses import LOSSES
from nertool.network.objective import Batch, Objective, forward_loss, loss_and_gradients
from nertool.network.scorer import Weights
from nertool.tagging.compiled import CompiledTagger

SENTENCE = "The museums in Paris are amazing to see ."


# --- the mathematics of one example


def two_units():
    """x = (1, 2), W = I/2, b = 0, ReLU, u = (2, −1), y = 1."""
    weights = Weights(np.eye(2) / 2, np.zeros(2), np.array([[2.0, -1.0]]))
    return work_through(weights, "relu", "logistic", np.array([1.0, 2.0]), np.array([1.0]))


def test_two_units_by_hand_to_the_last_digit():
    steps = two_units()
    assert steps.z.tolist() == [0.5, 1.0]  # W x
    assert steps.h.tolist() == [0.5, 1.0]  # both positive
    assert steps.s.tolist() == [0.0]  # 2 · ½ − 1 · 1
    assert steps.p.tolist() == [0.5]  # σ(0)
    assert np.log(2.0) == steps.J  # −log ½
    assert steps.ds.tolist() == [-0.5]  # p − y
    assert steps.dh.tolist() == [-1.0, 0.5]  # −½ · (2, −1)
    assert steps.f_prime.tolist() == [1.0, 1.0]
    assert steps.delta.tolist() == [-1.0, 0.5]  # ∘ f′
    assert steps.dU.tolist() == [[-0.25, -0.5]]  # −½ · (½, 1)
    assert steps.dW.tolist() == [[-1.0, -2.0], [0.5, 1.0]]  # δ xᵀ
    assert steps.db.tolist() == [-1.0, 0.5]  # δ
    assert steps.dx.tolist() == [-0.5, 0.25]  # Wᵀ δ
    assert steps.score_dz.tolist() == [2.0, -1.0]  # u ∘ f′
    # Each number of x by itself: W_c x_c is (½, 0) and (0, 1); ∂s/∂x · x = (1, −½) ∘ (1, 2).
    assert parts_of_z(*steps.weights[:2], steps.x, [1, 1]).tolist() == [
        [0.5, 0.0],
        [0.0, 1.0],
        [0.0, 0.0],
    ]
    assert gradient_times_input(steps, [1, 1]).tolist() == [1.0, -1.0]


def test_the_lessons_network_to_the_last_digit():
    # docs/lesson.md: tanh(ln a) = (a² − 1) / (a² + 1), so h = (3/5, −4/5), and 1 − h² = (16/25, 9/25).
    weights = Weights(
        np.array([[2.0, 1.0, 0.0], [1.0, -1.0, -1.0]]),
        np.array([np.log(2), -np.log(3)]),
        np.array([[4.0, 3.0]]),
    )
    x, y = np.array([1.0, -2.0, 3.0]), np.array([1.0])
    steps = work_through(weights, "tanh", "logistic", x, y)
    expected = {
        "h": [0.6, -0.8],
        "s": [0.0],
        "p": [0.5],
        "ds": [-0.5],
        "dU": [[-0.3, 0.4]],
        "dh": [-2.0, -1.5],
        "f_prime": [0.64, 0.36],
        "delta": [-1.28, -0.54],
        "dW": [[-1.28, 2.56, -3.84], [-0.54, 1.08, -1.62]],
        "dx": [-3.1, -0.74, 0.54],
        "score_dz": [2.56, 1.08],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(steps, name), values, rtol=1e-14, atol=1e-15)
    assert pytest.approx(np.log(2.0), rel=1e-15) == steps.J

    def J(x: np.ndarray, alpha: float = 0.0) -> float:
        moved = (
            array - alpha * gradient
            for array, gradient in zip(weights, (steps.dW, steps.db, steps.dU), strict=True)
        )
        return work_through(Weights(*moved), "tanh", "logistic", x, y).J

    # The nudge of section 4, and the table of section 8.
    assert round(J(x + np.array([0.001, 0, 0])), 6) == 0.690055
    squared = sum(float((g * g).sum()) for g in (steps.dW, steps.db, steps.dU))
    table = {0.001: (0.6639, 0.6646), 0.01: (0.4011, 0.4612), 0.1: (-2.2269, 0.0417)}
    assert squared == pytest.approx(29.2)
    for alpha, pair in table.items():
        first_order, real = np.log(2.0) - alpha * squared, J(x, alpha)
        assert (round(first_order, 4), round(real, 4)) == pair


def test_one_step_of_sgd_by_hand():
    # The largest entry of ∂J/∂W is W₀₁'s −2: 0 − 0.25 · (−2) = ½. Then z₀ = ½ · 1 + ½ · 2 = 1.5, s = 2 ·
    # 1.5 − 1 = 2, and J = log(1 + e^−2).
    update = sgd_update(two_units(), 0.25)
    assert (update.i, update.j, update.before, update.gradient, update.after) == (
        0,
        1,
        0.0,
        -2.0,
        0.5,
    )
    assert update.J_before == np.log(2.0)
    assert update.J_after == pytest.approx(np.log1p(np.exp(-2.0)), rel=1e-15)


def test_multiplications_are_counted():
    # D = 2, H = 2, K = 1. δ: Uᵀds 2, ∘ f′ 2. ∂J/∂U 2, δ xᵀ 4, Wᵀδ 4: 14 in all; δ twice more: 22.
    # Whole matrices: ds U 2, diag 4, I 4, W 4, the Jacobian of z in W 2 × 4: 8, ∂J/∂U 2: 24.
    # Forward: W x 4, U h 2.
    assert multiplications(2, 2, 1) == (6, 14, 22, 24)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("output", sorted(LOSSES))
def test_steps_are_those_of_the_network(activation, output):
    rng = np.random.default_rng(2)
    K, H, D = 3, 5, 6
    weights = Weights(rng.normal(size=(H, D)), rng.normal(size=H), rng.normal(size=(K, H)))
    x, y = rng.normal(size=D), np.eye(K)[1]
    steps = work_through(weights, activation, output, x, y, k=1)
    objective = Objective(activation, output)
    batch = Batch(np.array([[0]], dtype=np.int32), np.array([[0]]), y[None])
    parameters = {"L": x[None], **weights._asdict()}
    J, gradients = loss_and_gradients(objective, parameters, batch)
    assert steps.J == J
    for name, found in (("W", steps.dW), ("b", steps.db), ("U", steps.dU)):
        np.testing.assert_array_equal(found, gradients[name])
    np.testing.assert_array_equal(steps.dx, gradients["L"].values[0])
    np.testing.assert_array_equal(steps.ds, forward_loss(objective, parameters, batch).ds[0])
    np.testing.assert_allclose(steps.ds, steps.p - y, atol=1e-15)
    np.testing.assert_array_equal(steps.delta, steps.dh * steps.f_prime)
    parts = parts_of_z(weights.W, weights.b, x, [2, 1, 3])
    np.testing.assert_allclose(parts.sum(axis=0), steps.z, rtol=1e-13, atol=1e-15)
    if activation == "relu":
        total = gradient_times_input(steps, [2, 1, 3]).sum() + steps.score_dz @ weights.b
        assert total == pytest.approx(steps.s[1], rel=1e-13)


@pytest.mark.parametrize("K", [1, 4])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_graphs_values_are_the_networks_and_its_gradients_add_up(activation, K):
    rng = np.random.default_rng(6)
    weights = Weights(rng.normal(size=(5, 6)), rng.normal(size=5), rng.normal(size=(K, 5)))
    output = "logistic" if K == 1 else "softmax"
    steps = work_through(weights, activation, output, rng.normal(size=6), np.eye(K)[0])
    graph = draw_graph(steps, "LOC")
    nodes = {node.name: node for node in graph.nodes}
    (i, second), j = graph.units, graph.column
    assert sorted(np.abs(steps.delta))[-2:] == [abs(steps.delta[second]), abs(steps.delta[i])]
    order = [node.name for node in graph.nodes]
    for edge in graph.edges:
        assert order.index(edge.source) < order.index(edge.target)
    for node in graph.nodes[:-1]:
        back = [nodes[e.target].gradient * e.local for e in graph.edges if e.source == node.name]
        assert node.gradient == pytest.approx(sum(back), rel=1e-12, abs=1e-15), node
    expected = {
        "J": (steps.J, 1.0),
        "s": (steps.s[0], steps.ds[0]),
        "x": (steps.x[j], steps.dx[j]),
    }
    for unit in graph.units:
        expected |= {
            f"W{unit}": (weights.W[unit, j], steps.dW[unit, j]),
            f"z{unit}": (steps.z[unit], steps.delta[unit]),
            f"h{unit}": (steps.h[unit], steps.dh[unit]),
            f"u{unit}": (weights.U[0, unit], steps.dU[0, unit]),
            f"uh{unit}": (weights.U[0, unit] * steps.h[unit], steps.ds[0]),
        }
        parts = nodes[f"Wx{unit}"].value + nodes[f"rest{unit}"].value
        assert parts == pytest.approx(steps.z[unit], rel=1e-12)
    for name, pair in expected.items():
        assert (nodes[name].value, nodes[name].gradient) == pytest.approx(
            pair, rel=1e-12, abs=1e-15
        )
    # x is used in both units drawn, and in the others.
    assert len([edge for edge in graph.edges if edge.source == "x"]) == (3 if K == 1 else 4)
    terms = [nodes[f"uh{unit}"].value for unit in graph.units] + [nodes["units"].value]
    assert sum(terms) == pytest.approx(steps.s[0], rel=1e-12)
    assert ("outputs" in nodes) == (K > 1)
    text = "\n".join(as_text(graph))
    for node in graph.nodes:
        assert node.value is None or short(node.value) in text


def test_a_graph_of_one_unit_is_drawn():
    weights = Weights(np.array([[2.0, -1.0]]), np.zeros(1), np.array([[3.0]]))
    steps = work_through(weights, "tanh", "logistic", np.array([0.5, 0.5]), np.array([1.0]))
    graph = draw_graph(steps, "LOC")
    assert graph.units == (0,)
    assert "other units" not in "\n".join(as_text(graph))


def test_numbers_are_short_and_none_is_minus_zero():
    numbers = [0.0, -0.0, 1.5, -1e-7, 0.001, 1e5]
    shown = ["0.0000", "0.0000", "1.5000", "-1.000e-07", "0.0010", "1.000e+05"]
    assert [short(number) for number in numbers] == shown


# --- a trained model


@pytest.fixture(scope="module")
def model(run_dir):
    return load_model(run_dir)


def of_sentence(words: str):
    return text_of([words.split()], np.array([0, 1]))


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
    assert "network 2 of 2 alone says" in done.stdout
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


# --- the command


def test_the_command_shows_every_step(run_dir, main, model):
    done = main("explain", run_dir, SENTENCE, "--word", "Paris")
    assert (done.returncode, done.stderr) == (0, "")
    for shown in ("FORWARD", "BACKWARD", "WHY", "THE COMPUTATION GRAPH", "[Paris]", "δ (16) is made once",
                  "(16, 65)", "multiplications: ", "one step of SGD", "sum = z", "└─ s S-LOC"):  # fmt: skip
        assert shown in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 130
    full = main("explain", run_dir, SENTENCE, "--word", "4", "--full")
    assert "…" not in full.stdout
    e = explain(model, of_sentence(SENTENCE), 3)
    for matrix in (e.steps.weights.W, e.steps.dW):
        for row in matrix:
            assert " ".join(short(v) for v in row) in full.stdout
    assert len(full.stdout) > len(done.stdout)


def test_json_holds_every_number(run_dir, main, model):
    done = main("explain", run_dir, SENTENCE, "--word", "Paris", "--class", "PER", "--json")
    assert done.stdout.count("\n") == 1
    found = json.loads(done.stdout)
    e = explain(model, of_sentence(SENTENCE), 3, tag=found["tag"])
    assert found["tag"].endswith("-PER")
    for name in ("x", "z", "h", "s", "p", "ds", "delta", "dx", "dW", "dU", "db"):
        assert found[name] == getattr(e.steps, name).tolist()
    assert found["W"] == e.steps.weights.W.tolist()
    assert found["U"] == e.steps.weights.U.tolist()
    np.testing.assert_array_equal(found["dW"], np.outer(found["delta"], found["x"]))
    total = np.sum([piece["share_of_z"] for piece in found["window"]], axis=0) + found["b"]
    np.testing.assert_allclose(total, found["z"], atol=1e-12)


def test_a_line_of_a_file_brings_its_tag_along(tiny, run_dir, main):
    path = tiny / "dev.conll"
    lines = path.read_text().splitlines()
    number = 1 + next(i for i, line in enumerate(lines) if line.startswith("Lovelace "))
    done = main("explain", run_dir, path, "--line", str(number), "--json")
    found = json.loads(done.stdout)
    assert (found["word"], found["target"], found["gold"]) == ("Lovelace", "E-PER", True)
    assert f"{path}:{number}: tag I-PER" in done.stderr
    blank = 1 + lines.index("")
    done = main("explain", run_dir, path, "--line", str(blank))
    assert done.returncode == 1
    assert f"{path}:{blank}: found no token on this line" in done.stderr


def test_a_word_that_repeats_is_taken_by_its_number(run_dir, main):
    text = "London is London ."
    done = main("explain", run_dir, text, "--word", "London", "--json")
    assert "London stands at 1, 3: the first is explained" in done.stderr
    assert json.loads(done.stdout)["token"] == 0
    assert json.loads(main("explain", run_dir, text, "--word", "3", "--json").stdout)["token"] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "holds"),
    [
        (("The museums", "--word", "musums"), 2, 'did you mean "museums"?'),
        (("The museums", "--word", "3"), 2, "a number from 1 to 2"),
        ((" ", "--word", "3"), 2, "found no word"),
        (("The museums",), 2, "give --word"),
        (("The museums", "--word", "1", "--line", "1"), 2, "give --word"),
        (("The museums", "--word", "1", "--class", "LOK"), 1, 'did you mean "LOC"?'),
        (("nowhere.conll", "--line", "1"), 1, "nowhere.conll: no such file"),
    ],
)
def test_misuse_is_told_in_a_line(run_dir, main, arguments, code, holds):
    done = main("explain", run_dir, *arguments)
    assert done.returncode == code
    assert holds in " ".join(done.stderr.replace("│", " ").split())
    assert done.stdout == ""


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


class Page(HTMLParser):
    """Check that tags are closed in order, and collect what is asked for from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        assert not {"src", "href", "onclick", "onload"} & {name for name, _ in attributes}
        if tag not in ("meta", "br", "rect", "path"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        if tag not in ("rect", "path"):
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_stands_alone_and_escapes_all_text(run_dir, main, tmp_path, model):
    evil = "in <script>alert(1)</script> &amp; \"'><b> Paris"
    text = tmp_path / "t.conll"
    text.write_text("".join(f"{word} O\n" for word in evil.split()))
    done = main(
        "explain", run_dir, text, "--line", len(evil.split()), "--html", tmp_path / "e.html"
    )
    assert (done.returncode, done.stdout) == (0, "")
    html = (tmp_path / "e.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(html)
    assert page.open == []
    assert {"svg", "table", "style"} <= page.tags
    assert not {"script", "link", "img", "iframe"} & page.tags
    assert "<script" not in html
    assert "<b> Paris" not in html
    assert re.findall(r"https?://[^\"]+", html) == ["http://www.w3.org/2000/svg"]
    assert "<script>alert(1)</script>" in page.text  # as text
    e = explain(model, of_sentence(evil), len(evil.split()) - 1)
    for node in e.graph.nodes:
        assert node.value is None or short(node.value) in page.text
