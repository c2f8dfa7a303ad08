"""`nertool gradcheck`: its tables and JSON, --mutate, --jacobians, --plot, and --batch."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from nertool.cli.measuring.gradcheck import _check_gradients, _seed_mistakes
from nertool.config.file import load_config
from nertool.gradcheck.audit import BROKEN
from nertool.gradcheck.case import check_case
from nertool.gradcheck.check import ALL, METHODS, Ladders
from nertool.gradcheck.mistakes import MISTAKES, Mistake
from nertool.model.load import load_model
from nertool.network import activations
from nertool.network.objective import PLAIN
from nertool.training import cases as verify
from nertool.training.cases import cases_of_config, cases_of_model

ROOT = Path(__file__).resolve().parents[3]


def as_json(done) -> dict:
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


def test_a_config_as_json_is_one_object(tiny, main):
    done = main("gradcheck", tiny / "config.yaml", "--json", "--samples", "4", "--windows", "6")
    assert done.returncode == 0
    result = as_json(done)
    assert set(result) == {"passed", "checks"}
    assert result["passed"] is True
    pairs = [(check["activation"], check["output"]) for check in result["checks"]]
    assert pairs[0] == ("tanh", "logistic")  # the config's own
    assert sorted(pairs) == sorted(
        (f, output)
        for f in ("tanh", "logistic", "relu", "hard_tanh")
        for output in ("logistic", "softmax")
    )
    assert [check["own"] for check in result["checks"]] == [True] + 7 * [False]
    for check in result["checks"]:
        assert {"L", "W", "b", "U", ALL} < set(check["blocks"])
        for name, block in check["blocks"].items():
            assert block["passed"]
            assert set(block["methods"]) == set(METHODS[2:] if name == ALL else METHODS)
            for method, comparison in block["methods"].items():
                assert comparison["error"] <= (1e-12 if "complex" in method else 1e-7)
                assert comparison["compared"] <= 8


@pytest.mark.parametrize("name", ["quickstart", "support", "binary"])
def test_the_shipped_configs_agree_to_the_last_digits(name):
    config = load_config(ROOT / "configs" / f"{name}.yaml", ["vectors.path=null"])
    (case,) = verify.cases_of_config(config, 6, lambda line: None, own_alone=True)
    for check in check_case(case, samples=8).checks:
        for method, comparison in check.methods.items():
            assert comparison.error <= (1e-12 if "complex" in method else 1e-7)


def test_a_model_prints_a_table(run_dir, main):
    done = main("gradcheck", run_dir, "--samples", "5")
    assert done.returncode == 0
    error = r" +\d\.\de-\d\d"
    for block in ("L", "W", "b", "U"):
        line = rf"^{block}{error} +\(1e-0\d\){error}{error}{error} +5 \+ 3$"
        assert re.search(line, done.stdout, re.MULTILINE)
    assert re.search(rf"^all at once{error}{error} *$", done.stdout, re.MULTILINE)
    assert "\npassed: " in done.stdout


def test_a_wrong_gradient_fails_and_says_where(tiny, run_dir, main, monkeypatch):
    wrong = activations.ACTIVATIONS["tanh"]._replace(f_prime_of_h=lambda h: 1.0 - h)
    monkeypatch.setitem(activations.ACTIVATIONS, "tanh", wrong)
    done = main("gradcheck", run_dir, "--json")
    assert done.returncode == 1
    blocks = as_json(done)["checks"][0]["blocks"]
    # U's gradient does not go through f′; all below it does.
    assert {name for name, block in blocks.items() if block["passed"]} == {"U"}
    done = main("gradcheck", tiny / "config.yaml", "--samples", "5")
    assert done.returncode == 1
    assert re.search(
        r"^  FAILED: W: \d\.\de-\d\d by complex; worst at W\[\d+, \d+\]$", done.stdout, re.M
    )
    assert "\nFAILED: " in done.stdout


def test_kinks_are_named_and_counted(tiny, capsys):
    # Steps so large that many units cross 0 on the way.
    config = load_config(tiny / "config.yaml", ["network.activation=relu"])
    cases = cases_of_config(config, 24, lambda line: None)
    _check_gradients(cases, 60, None, False, Ladders(central=(0.3,)))
    found = re.findall(
        r"(\d+) left out of (\w+)'s central: ±ε crosses a kink of relu: (.*)",
        capsys.readouterr().out,
    )
    assert found
    for count, block, places in found:
        assert int(count) >= len(re.findall(rf"{block}\[\d+(?:, \d+)*\]", places)) >= 1


def test_every_mistake_is_caught_in_a_model(run_dir, main):
    done = main("gradcheck", run_dir, "--mutate")
    assert done.returncode == 0
    made = [m for m in MISTAKES if m.name != "side inputs taken for words"]
    for mistake in made:
        assert re.search(rf"^{re.escape(mistake.name)} .*\d\.\de[+-]\d\d\*", done.stdout, re.M)
    assert re.search(
        r"^side inputs .* no mistake here: the network has no side inputs", done.stdout, re.M
    )
    n = len(made)
    assert f"\npassed: {n} of {n} mistakes caught\n" in done.stdout


def test_mistakes_as_json_say_by_which_method_and_by_how_much(tiny, main):
    done = main("gradcheck", tiny / "config.yaml", "--mutate", "--json", "--samples", "10")
    result = as_json(done)
    assert result["passed"] is True
    assert len(result["mistakes"]) == len(MISTAKES) >= 12
    for found in result["mistakes"]:
        assert found["caught"] != bool(found["harmless"])
        if found["harmless"]:
            assert found["mistake"] == "side inputs taken for words"
            continue
        assert set(found["errors"]) == set(METHODS)
        assert max(found["errors"].values()) >= 1e-6


def test_a_mistake_that_is_not_caught_fails(run_dir, capsys):
    nothing = Mistake("nothing", "no mistake at all", PLAIN, ())
    cases = cases_of_model(load_model(run_dir), 0, 24)
    passed, _ = _seed_mistakes(cases, 60, False, (*MISTAKES[:1], nothing))
    shown = capsys.readouterr().out
    assert not passed
    assert re.search(r"^nothing .* NOT CAUGHT$", shown, re.M)
    assert "\nFAILED: 1 of 2 mistakes caught\n" in shown


def test_jacobians_are_printed_by_hand_and_numerically(run_dir, main):
    done = main("gradcheck", run_dir, "--jacobians")
    assert done.returncode == 0
    assert done.stdout.count("\n  by hand ") == done.stdout.count("\n  numeric ") == 11
    assert "∂h/∂z = diag f′(z)   (3 × 3)" in done.stdout
    # One vector is called δ: ∂J/∂z.
    assert [line for line in done.stdout.splitlines() if "δ" in line and "×" in line] == [
        line for line in done.stdout.splitlines() if line.startswith("∂J/∂z")
    ]
    assert "cannot be subtracted from W, which is 3 × " in done.stdout
    assert "\npassed: 11 Jacobians compared\n" in done.stdout


def test_the_page_has_the_errors_the_drawings_and_the_mistakes(run_dir, main, tmp_path):
    path = tmp_path / "check.html"
    done = main("gradcheck", run_dir, "--samples", "4", "--windows", "6", "--html", path)
    assert done.returncode == 0, done.stderr
    html = path.read_text(encoding="utf-8")
    assert "Every gradient agrees" in html
    assert html.count("<polyline points=") == html.count('<svg viewBox="0 0 48 12"') * 3
    for mistake in MISTAKES:
        assert mistake.name in html
    floor = float(re.search(r"complex step is (\d\.\de-\d\d)", html).group(1))
    assert 0 < floor < 1e-13
    assert "http" not in html.replace("http-equiv", "")
    assert "<script" not in html
    assert main("gradcheck", run_dir, "--html", path, "--mutate").returncode == 2


def test_a_wrong_jacobian_is_exit_1(run_dir, main, monkeypatch):
    wrong = activations.ACTIVATIONS["tanh"]._replace(f_prime_of_h=lambda h: 1.0 - h)
    monkeypatch.setitem(activations.ACTIVATIONS, "tanh", wrong)
    done = main("gradcheck", run_dir, "--jacobians", "--json")
    assert done.returncode == 1
    wrong_ones = [table["name"] for table in as_json(done)["jacobians"] if not table["passed"]]
    assert wrong_ones[0] == "∂h/∂z = diag f′(z)"
    assert "∂z/∂x = W" not in wrong_ones


def test_the_plot_is_a_picture(run_dir, main, tmp_path):
    pytest.importorskip("matplotlib")
    done = main(
        "gradcheck", run_dir, "--plot", tmp_path / "p.png", "--samples", "1", "--windows", "2"
    )
    assert done.returncode == 0
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    done = main("gradcheck", run_dir, "--plot", tmp_path / "p.xyz")
    assert done.returncode == 1
    assert "p.xyz: found .xyz, expected a name that ends in .png" in done.stderr


def test_a_training_that_breaks_leaves_the_batch_and_the_batch_reproduces_it(tiny, main, tmp_path):
    run = tmp_path / "run"
    train = ("train", tiny / "config.yaml", "--run-dir", run, "--set", "training.optimizer=sgd")
    done = main(*train, "--set", "training.alpha=100", "--set", "training.l2=1000")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"nertool gradcheck --batch {run / BROKEN}" in done.stderr
    done = main("gradcheck", "--batch", run / BROKEN)
    assert done.returncode == 1
    assert re.search(
        r"^The first value that is not finite: \S+\[\d+(, \d+)*\] = ", done.stdout, re.M
    )
    done = main("gradcheck", "--batch", run / BROKEN, "--json")
    assert as_json(done)["batch"]["where"]["alpha"] == 100
    # The next training in this folder starts clean.
    done = main(*train, "--overwrite")
    assert done.returncode == 0, done.stderr
    assert not (run / BROKEN).exists()


def test_audits_are_logged_and_change_nothing(tiny, main, tmp_path):
    runs = {}
    for every in (0, 2):
        run = tmp_path / str(every)
        done = main(
            "train", tiny / "config.yaml", "--run-dir", run, "--set", "training.epochs=2",
            "--set", f"training.audit_every={every}",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        runs[every] = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [record["loss"] for record in runs[0]] == [record["loss"] for record in runs[2]]
    assert "audits" not in runs[0][0]
    audits = [audit for record in runs[2] for audit in record["audits"]]
    steps = [audit["step"] for audit in audits]
    assert steps == list(range(2, steps[-1] + 1, 2))
    for audit in audits:
        assert audit["passed"]
        assert max(audit["error"].values()) <= 1e-12
        assert {"L", "W", "b", "U"} < set(audit["update_to_weight"])
        assert all(
            np.isfinite(ratio) and ratio >= 0 for ratio in audit["update_to_weight"].values()
        )


def test_a_conll_model_of_real_size_is_checked(real_data, main, tmp_path):
    corpus, run = real_data / "conll2003", tmp_path / "run"
    lines = (corpus / "dev.txt").read_text(encoding="utf-8").split("\n\n")
    (tmp_path / "few.txt").write_text("\n\n".join(lines[:100]) + "\n", encoding="utf-8")
    done = main(
        "train", "configs/conll2003.yaml", "--run-dir", run, "--set", "training.epochs=1",
        "--set", f"corpus.train={tmp_path / 'few.txt'}", "--set", "corpus.dev=null",
        "--set", f"vectors.path={real_data / 'vectors' / 'glove.6B.50d.bin'}",
        "--set", "vectors.limit=5000", "--set", "network.hidden=64", "--set", "first_stage.folds=0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = main("gradcheck", run, "--json", "--samples", "10")
    assert done.returncode == 0
    for block in as_json(done)["checks"][0]["blocks"].values():
        for method, comparison in block["methods"].items():
            assert comparison["error"] <= (1e-12 if "complex" in method else 1e-7)
