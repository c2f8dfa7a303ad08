"""The page to play with: its arithmetic is the network's own, and it needs nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nertool.explain.explanation import explain
from nertool.explain.play import SCRIPTS, TEMPLATES, model_numbers, play_page
from nertool.explain.steps import work_through
from nertool.gradcheck.mistakes import MISTAKES
from nertool.inputs.text import text_of
from nertool.network.activations import ACTIVATIONS
from nertool.network.losses import LOSSES
from nertool.network.scorer import Weights
from tests.browser import SCHEMES, WIDTHS, axe_faults, opened, overflow
from tests.support.models import make_model

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "play.html"
LIMIT = 400_000
VIEWS = ["nudge", "forward", "backward", "matrices", "step", "check", "real", "questions"]
SENTENCE = ["Ada", "met", "Babbage", "in", "London", "."]

# What the page computes of the networks of `problems`, as JavaScript; `all` is their list.
ARITHMETIC = """all.map(({net, x, y}) => {
  const kept = forward(net, x), end = loss(net.output, kept.s, y), g = backward(net, kept, end.ds);
  const after = step(net, g, 0.1);
  return {z: kept.z, h: kept.h, s: kept.s, p: end.p, J: [end.J], ds: end.ds, dh: g.dh, delta: g.delta,
    f_prime: g.slope, dU: g.U, dW: g.W, db: g.b, dx: g.x, after: after.W};
})"""


def problems() -> list[dict[str, Any]]:
    """Return random networks of every activation and output, each with an example."""
    rng = np.random.default_rng(5)
    made = []
    for activation in ACTIVATIONS:
        for output in LOSSES:
            for D, H, K in ((3, 2, 1), (7, 5, 4)):
                if output == "softmax" and K == 1:
                    continue
                net = {
                    "W": rng.normal(size=(H, D)).tolist(),
                    "b": rng.normal(size=H).tolist(),
                    "U": (3 * rng.normal(size=(K, H))).tolist(),
                    "activation": activation,
                    "output": output,
                }
                y = np.eye(K + 1)[rng.integers(0, K), :K] if K > 1 else np.array([1.0])
                made.append({"net": net, "x": rng.normal(size=D).tolist(), "y": y.tolist()})
    return made


def assert_the_same(found: list[dict[str, Any]]) -> None:
    for problem, own in zip(problems(), found, strict=True):
        net = problem["net"]
        weights = Weights(*(np.array(net[name]) for name in ("W", "b", "U")))
        steps = work_through(
            weights,
            net["activation"],
            net["output"],
            np.array(problem["x"]),
            np.array(problem["y"]),
        )
        for name, value in own.items():
            expected = weights.W - 0.1 * steps.dW if name == "after" else getattr(steps, name)
            np.testing.assert_allclose(
                value, np.reshape(expected, np.shape(value)), rtol=1e-12, atol=1e-12, err_msg=name
            )


def test_the_page_is_small_and_asks_nothing_of_the_network():
    text = PAGE.read_text(encoding="utf-8")
    assert len(text.encode()) < LIMIT
    assert "default-src 'none'" in text
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"(?:src|href)=\"(?!lesson/\")", text)
    assert re.findall(r'id="view-(\w+)"', text) == VIEWS


def test_the_mistakes_are_those_of_gradcheck():
    source = (TEMPLATES / "play" / "mistakes.js").read_text(encoding="utf-8")
    own = dict(re.findall(r'name: "([^"]+)", what: "([^"]+)"', source))
    known = {mistake.name: mistake.what for mistake in MISTAKES}
    assert len(own) == 12
    assert own == {name: known[name] for name in own}


def test_the_arithmetic_in_node_equals_the_networks():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on PATH")
    source = (TEMPLATES / "play" / "arithmetic.js").read_text(encoding="utf-8")
    asked = f"const all = {json.dumps(problems())}; console.log(JSON.stringify({ARITHMETIC}));"
    done = subprocess.run([node, "-e", source + asked], capture_output=True, text=True, check=True)
    assert_the_same(json.loads(done.stdout))


def unpack(text: str, *shape: int) -> np.ndarray:
    import base64

    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(np.float64).reshape(shape)


def sample_numbers(**options: Any) -> dict[str, Any]:
    return model_numbers(make_model(), text_of([SENTENCE], np.array([0, 1])), **options)


def test_a_models_numbers_are_its_own():
    model = make_model()
    numbers = sample_numbers()
    laid_out = text_of([SENTENCE], np.array([0, 1]))
    assert numbers["left"] == 0  # a small network is there whole
    H, D = len(numbers["units"]), numbers["width"]
    for word in numbers["words"]:
        steps = explain(model, laid_out, word["token"]).steps
        assert unpack(word["x"], D).tolist() == steps.x.astype(np.float32).tolist()
        assert np.array_equal(unpack(numbers["W"], H, D), steps.weights.W)
        assert sum(piece["width"] for piece in word["pieces"]) == D


def test_a_large_network_is_cut_to_its_strongest_units_and_the_scores_stay():
    whole = sample_numbers()
    cut = sample_numbers(room=(3 * whole["width"], 10_000))
    H, D, K = len(cut["units"]), cut["width"], len(unpack(whole["U"], -1)) // len(whole["units"])
    assert (H, cut["left"]) == (3, len(whole["units"]) - 3)
    f = ACTIVATIONS[cut["activation"]].f
    for full, part in zip(whole["words"], cut["words"], strict=True):
        scores = []
        for numbers, word in ((whole, full), (cut, part)):
            n = len(numbers["units"])
            h = f(unpack(numbers["W"], n, D) @ unpack(word["x"], D) + unpack(numbers["b"], n))
            scores.append(unpack(numbers["U"], K, n) @ h + unpack(word["rest"], K))
        np.testing.assert_allclose(*scores, rtol=1e-5, atol=1e-5)


def test_of_a_long_sentence_the_words_nearest_the_first_shown_are_there():
    width = sample_numbers()["width"]
    numbers = sample_numbers(token=4, room=(10_000, 3 * width))
    assert numbers["token"] == 4
    assert [word["token"] for word in numbers["words"]] == [3, 4, 5]
    assert numbers["sentence"] == SENTENCE


def test_explain_writes_the_page_with_the_readers_own_model(saved, tmp_path, main):
    out = tmp_path / "play.html"
    (tmp_path / "t.conll").write_text("</script> O\nmet O\nAda B-PER\n")
    done = main("explain", saved, tmp_path / "t.conll", "--line", "1", "--play", out)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1] == f"to play with: {out}"
    text = out.read_text(encoding="utf-8")
    assert len(text.encode()) < LIMIT
    assert text.count("</script>") == len(SCRIPTS) + 2  # none comes from the sentence
    data = json.loads(re.search(r'id="data">(.*?)</script>', text)[1])
    assert data["real"]["sentence"] == ["</script>", "met", "Ada"]
    done = main("explain", saved, "met Ada", "--word", "Ada", "--play", out, "--json")
    assert done.returncode == 0
    assert '"token": 1' in done.stdout
    refused = main("explain", saved, "met Ada", "--play", out, "--class", "PER")
    assert (refused.returncode, "--class" in refused.stderr) == (2, True)
    assert main("explain", saved, "met Ada", "--html", out).returncode == 2  # which word?
    assert main("explain", saved, "", "--play", out).returncode == 2


def test_without_a_model_the_page_has_no_view_of_one():
    assert 'id="view-real"' not in play_page(None)
    assert 'id="view-questions"' in play_page(None)


# --- in a browser


@pytest.mark.integration
def test_the_arithmetic_in_chromium_equals_the_networks(chromium):
    with opened(chromium, PAGE) as (tab, errors):
        assert_the_same(tab.evaluate(f"(all) => {ARITHMETIC}", problems()))
        # A batch of two: the complex step of a second implementation, in JavaScript as well.
        worst = tab.evaluate("""() => Object.keys(ACTIVATIONS).map((activation) => {
          const own = {...DATA.network, activation}, batch = [DATA.example, DATA.other];
          const g = gradients(own, batch);
          return Math.max(...own.W.flatMap((row, i) => row.map((v, j) => {
            const W = own.W.map((r) => [...r]);
            W[i][j] = [v, 1e-20];
            return Math.abs(complexMeanLoss({...own, W}, batch)[1] / 1e-20 - g.W[i][j]);
          })));
        })""")
        assert max(worst) < 1e-14
    assert errors == []


@pytest.mark.integration
def test_every_view_is_without_faults_at_both_widths_in_light_and_dark(chromium):
    found = []
    for width in WIDTHS:
        for scheme in SCHEMES:
            with opened(chromium, PAGE, width, scheme) as (tab, errors):
                for view in VIEWS:
                    tab.click(f"#tab-{view}")
                    assert tab.inner_text(f"#view-{view} .stage").strip()
                    seen = overflow(tab) + axe_faults(tab)
                    found += [f"{view}, {width} px, {scheme}: {fault}" for fault in seen]
                found += errors
    assert found == []


@pytest.mark.integration
def test_each_mistake_spoils_the_blocks_that_gradcheck_says(chromium):
    letters = {"tables": "x", "W": "W", "b": "b", "U": "U"}
    known = {m.name: {letters[block] for block in m.spoils} for m in MISTAKES}
    with opened(chromium, PAGE) as (tab, errors):
        tab.click("#tab-check")
        found = tab.evaluate("MISTAKES.map((m) => [m.name, m.spoils, spoiled(m.name)])")
        for name, said, spoiled in found:
            assert set(said) == set(spoiled) == known[name], name
        tab.select_option("#view-check select", "transposed W")
        red = tab.eval_on_selector_all(".block.wrong b", "(all) => all.map((e) => e.textContent)")
        assert red == ["∂J/∂x"]
    assert errors == []


@pytest.mark.integration
def test_backward_can_be_worked_through_with_the_keyboard_alone(chromium):
    with opened(chromium, PAGE) as (tab, errors):
        tab.focus("#tab-nudge")
        tab.keyboard.press("ArrowRight")
        tab.keyboard.press("ArrowRight")
        assert tab.inner_text("[aria-selected=true]") == "Backward"
        tab.focus('#view-backward [data-node="x0"]')
        tab.keyboard.press("Enter")  # not ready: nothing happens
        assert "∂J/∂s" in tab.inner_text("form")
        tab.focus('#view-backward [data-node="s"]')
        tab.keyboard.press("Enter")

        def answer(*numbers: str) -> str:
            for at, number in enumerate(numbers):
                if at:
                    tab.keyboard.press("Tab")
                tab.keyboard.type(number)
            tab.keyboard.press("Enter")
            return tab.inner_text("#backward-told")

        assert "signs" in answer("0.5")
        # Signs and commas as people write them; the order is that in which the page asks.
        right = ["−0.5", "-.3", "-2", "0.4", "-3/2", "-1,28", "-0.54", "-1.28", "-.54"]
        right += ["-1.28", "2.56", "-3.84", "-0.54", "1.08", "-1.62"]
        for number in right:
            assert answer(number).startswith("Right"), number
        assert "add" in answer("-2.56", "-0.54", "-2.56").lower()
        assert answer("-3.1") == "Right: ∂J/∂x₁ = −3.1."
        answer("-1.28", "0.54", "-0.74")
        answer("0", "0.54", "0.54")
        assert "δ₁ = −1.28 and δ₂ = −0.54" in tab.inner_text(".ask")
        assert "18 of 18" in tab.inner_text("#view-backward")
    assert errors == []


@pytest.mark.integration
def test_forward_hides_the_results_until_the_reader_has_said_what_p_does(chromium):
    with opened(chromium, PAGE) as (tab, errors):
        tab.click("#tab-forward")
        tab.focus('[data-node="x0"]')
        tab.keyboard.press("ArrowUp")
        tab.keyboard.press("ArrowUp")
        assert "?" in tab.text_content('[data-node="s"]')
        tab.click("#view-forward >> text=rises")
        # x = (2, −2, 3): z = (2 + ln 2, 1 − ln 3); s = 4 tanh z₁ + 3 tanh z₂.
        s = 4 * np.tanh(2 + np.log(2)) + 3 * np.tanh(1 - np.log(3))
        p = 1 / (1 + np.exp(-s))
        assert f"Right: p rises, from 0.5 to {p:.4f}" in tab.inner_text(".guess")
        box = tab.locator('[data-node="u1"]').bounding_box()
        tab.mouse.move(box["x"] + 20, box["y"] + 20)
        tab.mouse.down()
        tab.mouse.move(box["x"] + 20 - 35, box["y"] + 20)
        tab.mouse.up()
        assert tab.evaluate("net.U[0][1]") == pytest.approx(2.5)  # five steps of 0.1 to the left
    assert errors == []


@pytest.mark.integration
def test_the_real_view_has_the_numbers_of_explain(chromium, saved, tmp_path, main):
    out = tmp_path / "play.html"
    assert main("explain", saved, " ".join(SENTENCE), "--play", out).returncode == 0
    model = make_model()
    laid_out = text_of([SENTENCE], np.array([0, 1]))
    with opened(chromium, out) as (tab, errors):
        for token in range(len(SENTENCE)):
            for t, tag in enumerate(model.tags):
                steps = explain(model, laid_out, token, gold=tag).steps
                page = tab.evaluate(f"realSteps({token}, {t})")
                for own, name in (
                    (page["s"], "s"),
                    (page["gradient"]["delta"], "delta"),
                    (page["gradient"]["x"], "dx"),
                ):
                    np.testing.assert_allclose(own, getattr(steps, name), rtol=1e-6, atol=1e-7)
        tab.click("#tab-real")
        tab.click("#view-real >> text=London")
        assert "London" in tab.inner_text("#view-real .word[aria-pressed=true]")
    assert errors == []


@pytest.mark.integration
def test_the_questions_say_why_and_lead_to_a_view_that_shows_it(chromium):
    with opened(chromium, PAGE) as (tab, errors):
        tab.click("#tab-questions")
        assert tab.locator(".question").count() == 10
        for n in range(10):
            tab.locator(".question").nth(n).locator("button").first.click()
            assert (
                tab.locator(".question")
                .nth(n)
                .locator(".why")
                .inner_text()
                .startswith(("Yes.", "No."))
            )
        tab.locator(".question").nth(2).get_by_text("See it in").click()
        assert tab.inner_text("[aria-selected=true]") == "Backward"
        assert tab.evaluate("net.b[0]") == 5
    assert errors == []
