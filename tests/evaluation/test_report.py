"""The report of an evaluation as a page: its numbers, and what a browser makes of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from nertool.evaluation.comparison import Comparison, compare_files
from nertool.evaluation.errors.details import details_of
from nertool.evaluation.intervals import intervals_as_dict
from nertool.evaluation.report.charts import calibration_bins, precision_recall, run_curves
from nertool.evaluation.report.page import report_page
from nertool.evaluation.tables import as_dict
from tests.support.spans import corpus_of

EVIL = "<script>document.title='evil'</script>"
GOLD = corpus_of([f"{EVIL.replace(' ', '')}/B-PER met/O Ada/B-<i>X"], ["Rome/B-LOC is/O old/O"])
FOUND = corpus_of(
    [f"{EVIL.replace(' ', '')}/B-LOC met/O Ada/B-<i>X"], ["Rome/B-LOC is/O old/B-LOC"]
)


def comparison() -> Comparison:
    found = compare_files(GOLD, FOUND)
    p = np.array([0.4, 0.9, 0.8, 0.3])
    return Comparison(found.corpus, found.gold, found.predicted, found.scores, p, np.full(3, 0.5))


def page() -> str:
    found = comparison()
    measures = as_dict(found.scores) | {"intervals": intervals_as_dict(found, "conlleval")}
    log = [{"epoch": i, "loss": 1 / i, "dev": {"f1": i / 4}} for i in (1, 2, 3)]
    return report_page(measures, details_of(found, None, None), f"{EVIL} & more", log)


# Charts


def test_precision_and_recall_fall_out_of_the_probabilities_worked_by_hand():
    # In order of p: right (.9), wrong (.8), right and wrong (.5, together), right (.1); 4 to find.
    p = np.array([0.5, 0.9, 0.1, 0.8, 0.5])
    recall, precision = precision_recall(p, np.array([True, True, True, False, False]), 4)
    assert recall.tolist() == [1 / 4, 1 / 4, 2 / 4, 3 / 4]
    assert precision.tolist() == [1, 1 / 2, 2 / 4, 3 / 5]


def test_each_calibration_bin_has_the_mean_probability_and_the_share_that_is_right():
    p = np.array([0.05, 0.15, 0.11, 1.0, 0.93])
    bins = calibration_bins(p, np.array([False, True, False, True, True]))
    np.testing.assert_allclose(bins, [[0.05, 0, 1], [0.13, 0.5, 2], [0.965, 1, 2]])


def test_the_run_s_curves_go_from_the_first_epoch_to_the_last():
    loss, f1 = run_curves(
        [{"epoch": 1, "loss": 2.0, "dev": None}, {"epoch": 2, "loss": 1.0, "dev": {"f1": 0.5}}]
    )
    assert loss.points.tolist() == [[0, 1], [1, 0.5]]
    assert f1.points.tolist() == [[1, 0.5]]
    assert loss.path == "0.0,0.0 300.0,100.0"
    assert run_curves([]) == []


# The page


class Text(HTMLParser):
    """Collect elements, their text, and what would be loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.loads: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.loads += [f"{k}={v}" for k, v in attrs if k in ("src", "href")]

    def handle_data(self, data):
        self.text += data


def test_the_page_loads_nothing_and_runs_no_script_but_its_own():
    shown = Text()
    shown.feed(page())
    assert shown.loads == []
    assert shown.elements.count("script") == 2  # the data and the list
    assert "i" not in shown.elements
    assert f"{EVIL} & more" in shown.text
    assert not re.search(r"https?://|url\(|@import", page())


def test_the_page_holds_the_measures_and_every_sentence():
    whole = page()
    data = json.loads(re.search(r'id="data">(.*?)</script>', whole).group(1))
    assert [s[0] for s in data["sentences"]] == ["x:1", "x:5"]
    assert data["sentences"][0][1][0] == EVIL.replace(" ", "")
    # gold: PER, found as LOC (wrong type: kind 3); spurious LOC in the second sentence (kind 2).
    labels = [label for label, _ in data["labels"]]
    assert labels == ["<i>X", "LOC", "PER"]
    assert data["sentences"][0][2] == [[0, 1, 2, 0.5, 3], [2, 3, 0, 0.5, 0]]
    assert data["sentences"][1][3] == [[0, 1, 1, 0.8, 0], [2, 3, 1, 0.3, 2]]
    # 2 of 4 found are right, 2 of 3 gold found: F1 4/7
    assert "57.14" in whole
    assert 'role="img"' in whole


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def rendered(path: Path, width: int) -> tuple[str, str]:
    """Return the page's elements after its scripts ran, and what the browser complained of."""
    assert CHROMIUM is not None
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--enable-logging=stderr", "--v=0", f"--user-data-dir={path.parent / 'profile'}",
         f"--window-size={width},900", "--virtual-time-budget=3000", "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (apt install chromium)")
def test_a_browser_lists_the_errors_without_complaint_or_anything_run_from_the_text(tmp_path):
    path = tmp_path / "report.html"
    # Measured in the page itself, and written into its title.
    probe = (
        "<script>addEventListener('load', () => { document.title = 'overflow ' + "
        "(document.documentElement.scrollWidth - document.documentElement.clientWidth); });</script>"
    )
    path.write_text(page().replace("</body>", f"{probe}</body>"))
    dom, complaints = rendered(path, 500)
    assert complaints == ""
    assert "<title>overflow 0</title>" in dom
    assert dom.count('class="sides"') == 2
    assert "2 of 2 sentences, page 1 of 1" in dom
    assert "PER 50 %" in dom
    assert "&lt;script&gt;document.title='evil'&lt;/script&gt;" in dom
