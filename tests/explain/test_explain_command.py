"""`nertool explain`: what it prints, as text, as JSON and as a page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from nertool.explain.explanation import explain
from nertool.explain.numbers import short
from tests.support.explain import SENTENCE, of_sentence


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
