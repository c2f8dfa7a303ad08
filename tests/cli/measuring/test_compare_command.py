"""`nertool compare`: models and files of predictions."""

from __future__ import annotations

import json


def test_a_model_against_a_file_of_perfect_predictions(tiny, run_dir, tmp_path, main):
    gold = tmp_path / "gold.conll"
    gold.write_text((tiny / "dev.conll").read_text().replace("Berlin B-LOC", "Berlin B-ORG"))
    path = tmp_path / "differences.jsonl"
    done = main("compare", run_dir, gold, gold, "--differences", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[0].split()[:4] == ["F1", "A", "F1", "B"]
    assert "1 sentences on which they differ" in done.stdout
    (row,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert (row["errors_a"], row["errors_b"]) == (2, 0)
    assert "[Berlin](ORG)" in row["b"]
    found = json.loads(main("compare", run_dir, gold, gold, "--json").stdout)
    assert found["b"] == 1.0
    assert found["difference"] == 1.0 - found["a"]
    assert found["differing_sentences"] == 1
    assert found["types"]["PER"]["difference"] == 0.0


def test_a_model_in_one_file_is_a_model_not_a_file_of_predictions(tiny, run_dir, tmp_path, main):
    packed = tmp_path / "m.nertool"
    assert main("pack", run_dir, "-o", packed).returncode == 0
    for a, b in ((packed, run_dir), (run_dir, packed)):
        done = main("compare", a, b, tiny / "dev.conll")
        assert (done.returncode, done.stderr.count("found a zip")) == (0, 0)
        assert "\n0 sentences on which they differ" in done.stdout


def test_standard_input_can_not_be_read_twice(run_dir, main):
    done = main("compare", run_dir, run_dir, "-")
    assert done.returncode == 2
    assert "read twice" in done.stderr
