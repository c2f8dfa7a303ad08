"""`nertool suggest`: what it writes, and what it says of odd input."""

from __future__ import annotations

import json

import pytest

POOL = [
    "It rained all day .",
    "Nobody met Grace Hopper in Vienna .",
    "It rained all day .",
    "The museums in Paris are amazing to see .",
    "Hopper left for Lisbon",
]


@pytest.fixture
def pool(tmp_path):
    path = tmp_path / "pool.jsonl"
    path.write_text(
        "".join(json.dumps({"text": text, "id": i}) + "\n" for i, text in enumerate(POOL))
    )
    return path


def test_the_least_certain_texts_come_first_with_what_the_model_finds(run_dir, pool, main):
    done = main("suggest", run_dir, pool, "-n", "3")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 3
    assert {row["id"] for row in rows} > {1, 4}  # unknown names
    assert rows[0]["suggest_score"] == max(row["suggest_score"] for row in rows)
    assert all(POOL[row["id"]] == row["text"] for row in rows)
    tagged = main("predict", run_dir, pool, "--to", "jsonl", "--probabilities").stdout.splitlines()
    found = {row["id"]: row["entities"] for row in map(json.loads, tagged)}
    assert all(row["entities"] == found[row["id"]] for row in rows)
    assert "chosen: 3 texts of 5" in done.stderr
    assert main("suggest", run_dir, pool, "-n", "3", "--workers", "1").stdout == done.stdout


def test_more_than_there_are_gives_each_text_once(run_dir, pool, main):
    done = main("suggest", run_dir, pool, "-n", "99999999", "--to", "label-studio")
    tasks = json.loads(done.stdout)
    assert sorted(task["data"]["text"] for task in tasks) == sorted(set(POOL))
    assert all(len(task["predictions"]) == 1 and task["annotations"] == [] for task in tasks)


def test_labelled_texts_are_passed_over(run_dir, pool, tmp_path, main):
    (tmp_path / "done.txt").write_text("Hopper left for Lisbon\n")
    done = main("suggest", run_dir, pool, "--exclude", tmp_path / "done.txt", "--to", "inline")
    assert "Lisbon" not in done.stdout
    assert "Vienna" in done.stdout
    assert "--exclude names them: 1 text" in done.stderr


def test_sentences_of_a_record_can_be_chosen_one_by_one(run_dir, tmp_path, main):
    text = "It rained all day. Hopper left for Lisbon. It rained all day."
    (tmp_path / "x.jsonl").write_text(json.dumps({"text": text}) + "\n")
    done = main("suggest", run_dir, tmp_path / "x.jsonl", "-n", "1", "--by", "sentence")
    assert json.loads(done.stdout)["text"] == "Hopper left for Lisbon."


def test_a_folder_stands_for_its_files_which_texts_name(run_dir, tmp_path, main):
    folder = tmp_path / "texts"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text(f"{POOL[1]}\n")
    (folder / "deep" / "b.txt").write_text(f"{POOL[3]}\n")
    done = main("suggest", run_dir, folder, "-n", "9", "--to", "jsonl")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["text"] for row in rows} == {POOL[1], POOL[3]}
    assert {row["source"] for row in rows} == {
        str(folder / "a.txt"),
        str(folder / "deep" / "b.txt"),
    }
    (tmp_path / "empty").mkdir()
    done = main("suggest", run_dir, tmp_path / "empty")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{tmp_path / 'empty'}: found no text" in done.stderr


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_input_without_text_is_refused(run_dir, tmp_path, main, content):
    (tmp_path / "x.txt").write_text(content)
    done = main("suggest", run_dir, tmp_path / "x.txt", "-o", tmp_path / "out.jsonl")
    assert done.returncode == 1
    assert "found no text" in done.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_misuse_is_refused(run_dir, pool, main):
    assert main("suggest", run_dir, pool, "-n", "0").returncode == 2
    assert main("suggest", run_dir, pool, "--by", "page").returncode == 2
