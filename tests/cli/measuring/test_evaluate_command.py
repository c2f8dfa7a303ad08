"""`nertool evaluate`: of models, and of any tool's predictions."""

from __future__ import annotations

import json
import shutil

import pytest

GOLD = "Ada B-PER\nmet O\nNew B-ORG\nYork I-ORG\nTimes I-ORG\n\nin O\nParis B-LOC\n"
PREDICTED = "Ada B-PER\nmet O\nNew B-LOC\nYork I-LOC\nTimes O\n\nin O\nParis B-LOC\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "gold.conll").write_text(GOLD)
    (tmp_path / "predicted.conll").write_text(PREDICTED)
    both = (
        f"{line} {other.split()[1]}" if line else ""
        for line, other in zip(GOLD.split("\n"), PREDICTED.split("\n"), strict=True)
    )
    (tmp_path / "both.conll").write_text("\n".join(both))
    return tmp_path


def test_gold_and_predicted_files_or_columns_give_the_same_measures(folder, main):
    two = main("evaluate", "--gold", "gold.conll", "--predicted", "predicted.conll", cwd=folder)
    assert two.returncode == 0, two.stderr
    assert two.stdout.split("\n")[:6] == [
        "        precision    recall        F1  entities",
        "LOC         50.00    100.00     66.67         1",
        "ORG             –      0.00      0.00         1",
        "PER        100.00    100.00    100.00         1",
        "overall     66.67     66.67     66.67         3",
        "macro       75.00     66.67     55.56",
    ]
    one = main("evaluate", "--gold", "both.conll", cwd=folder)
    assert one.stdout == two.stdout
    named = main(
        "evaluate",
        "--gold",
        "both.conll",
        "--tag-column",
        "1",
        "--predicted-column",
        "2",
        cwd=folder,
    )
    assert named.stdout == two.stdout


def test_predictions_in_JSON_are_compared_with_gold_in_columns(folder, main):
    spans = [
        {"start": 0, "end": 3, "label": "PER"},
        {"start": 8, "end": 22, "label": "ORG"},
        {"start": 26, "end": 31, "label": "LOC"},
    ]
    record = {"text": "Ada met New York Times\nin Paris", "entities": spans}
    (folder / "other.jsonl").write_text(json.dumps(record))
    done = main(
        "evaluate", "--gold", "gold.conll", "--predicted", "other.jsonl", "--json", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["f1"] == 1.0


def test_all_modes_stand_side_by_side_with_the_phrases_that_differ(folder, main):
    arguments = (
        "evaluate",
        "--gold",
        "gold.conll",
        "--predicted",
        "predicted.conll",
        "--all-modes",
    )
    shown = main(*arguments, cwd=folder).stdout
    assert (
        'partial: 1 that conlleval counts as wrong\n  "New York Times" ORG → "New York" LOC'
        in shown
    )
    found = json.loads(main(*arguments, "--json", cwd=folder).stdout)
    assert {mode: round(m["f1"], 4) for mode, m in found["modes"].items()} == {
        "conlleval": 0.6667,
        "strict": 0.6667,
        "exact-boundary": 0.6667,
        "partial": 0.8333,
        "type": 0.6667,
    }
    one = main("evaluate", "--gold", "both.conll", "--mode", "partial", cwd=folder).stdout
    assert "overall     83.33     83.33     83.33         3" in one


def test_several_files_of_a_model_are_measured_together(tiny, run_dir, main):
    once = json.loads(main("evaluate", run_dir, tiny / "dev.conll", "--json").stdout)
    twice = main("evaluate", run_dir, tiny / "dev.conll", tiny / "dev.conll", "--json")
    both = json.loads(twice.stdout)
    assert both["support"] == 2 * once["support"]
    assert both["tokens"] == 2 * once["tokens"]
    assert both["f1"] == once["f1"]
    assert both["calibration"]["entities"] == 2 * once["calibration"]["entities"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "expected MODEL and FILE"),
        (["model"], "expected MODEL and FILE"),
        (["--predicted", "gold.conll"], "--gold"),
        (["model", "gold.conll", "--gold", "gold.conll"], "beside --gold"),
        (["--gold", "-"], "read twice"),
        (["--gold", "both.conll", "--mode", "exact"], "exact-boundary"),
    ],
)
def test_what_is_neither_of_the_two_ways_is_misuse(folder, main, arguments, says):
    done = main("evaluate", *arguments, cwd=folder)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""


def test_files_of_other_text_fail_in_one_line(folder, main):
    (folder / "other.conll").write_text(PREDICTED.replace("Paris", "Rome"))
    done = main("evaluate", "--gold", "gold.conll", "--predicted", "other.conll", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        'nertool: other.conll:8: found "Rome", expected "Paris" as in gold.conll:8'
    )


def test_errors_go_to_a_file_and_the_commonest_to_the_terminal(tiny, run_dir, tmp_path, main):
    # A text on which the tiny model errs: gold that it can't know.
    text = (tiny / "dev.conll").read_text().replace("Berlin B-LOC", "Berlin B-ORG")
    (tmp_path / "dev.conll").write_text(text)
    path = tmp_path / "errors.jsonl"
    done = main("evaluate", run_dir, tmp_path / "dev.conll", "--errors", path, "--intervals")
    assert done.returncode == 0, done.stderr
    (row,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert (row["kind"], row["gold"], row["predicted_label"]) == ("wrong type", "Berlin", "LOC")
    assert 0 < row["gold_probability"] < row["probability"] < 1
    assert row["in_training"] == "seen in another class"
    assert "1 × ORG → LOC (wrong type)" in done.stdout
    assert "95 % intervals: bootstrap over 4 sentences, 2,000 samples" in done.stdout
    again = main("evaluate", run_dir, tmp_path / "dev.conll", "--errors", path, "--intervals")
    assert again.stdout == done.stdout


def test_a_training_text_that_is_gone_is_said_and_named_by_train(folder, main):
    arguments = ("evaluate", "--gold", "both.conll", "--errors", "e.tsv")
    done = main(*arguments, cwd=folder)
    assert "--train FILE names the training text" in done.stderr
    named = main(*arguments, "--train", "gold.conll", cwd=folder)
    assert "in the training text\n  seen" in named.stdout
    assert (folder / "e.tsv").read_text().startswith("place\tkind\t")
    assert (
        main("evaluate", "--gold", "both.conll", "--errors", "both.conll", cwd=folder).returncode
        == 2
    )


def test_the_report_is_a_page_of_the_run_with_its_curves(tiny, run_dir, tmp_path, main):
    path = tmp_path / "report.html"
    done = main("evaluate", run_dir, tiny / "dev.conll", "--html", path)
    assert done.returncode == 0, done.stderr
    page = path.read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "The training" in page
    assert "Are the probabilities right?" in page
    same = main("evaluate", run_dir, tiny / "dev.conll", "--html", path, "--errors", path)
    assert same.returncode == 2


def test_tuned_thresholds_are_kept_in_the_model_and_used_by_predict(tiny, run_dir, tmp_path, main):
    shutil.copytree(run_dir, tmp_path / "run")
    before = main("predict", tmp_path / "run", tiny / "dev.conll", "--min-probability", "tuned")
    assert before.returncode == 1
    assert "--tune-thresholds" in before.stderr
    done = main("evaluate", tmp_path / "run", tiny / "dev.conll", "--tune-thresholds", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["thresholds"]
    assert set(found) == {"LOC", "ORG", "PER"}
    assert all(row["after"]["f1"] >= row["before"]["f1"] for row in found.values())
    given = ",".join(f"{label}={row['threshold']}" for label, row in found.items())
    arguments = (
        "predict",
        tmp_path / "run",
        tiny / "dev.conll",
        "--to",
        "jsonl",
        "--min-probability",
    )
    assert main(*arguments, "tuned").stdout == main(*arguments, given).stdout
    assert main("evaluate", "--gold", tiny / "dev.conll", "--tune-thresholds").returncode == 2
