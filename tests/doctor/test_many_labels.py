"""Texts with very many labels: the work grows with them, not with their square."""

from __future__ import annotations

import difflib

from nertool.corpus.schemes import TagSpans, rows_by_label
from nertool.doctor import check_labels
from tests.conftest import as_conll


def write(path, labels: int, more: str = ""):
    path.write_text(
        "".join(f"w{i % 50} B-L{i}\n" + "\n" * (i % 10 == 9) for i in range(labels)) + more
    )
    return path


def test_spellings_are_not_compared_each_with_each(main, tmp_path, monkeypatch):
    compared = 0
    matcher = difflib.SequenceMatcher

    def counting(*arguments):
        nonlocal compared
        compared += 1
        return matcher(*arguments)

    monkeypatch.setattr(check_labels.difflib, "SequenceMatcher", counting)
    more = "\n" + "Ada B-PERSON\n\n" * 40 + "Ada B-person\n\nAda B-PRESON\n\nAda B-PERSONX\n\n"
    done = main("corpus", "check", write(tmp_path / "many.conll", 600, more), "--json")
    assert compared == 0
    assert "found 604 labels" in done.stdout
    for label in ("person", "PRESON"):
        assert f'the label \\"{label}\\" occurs once: did you mean \\"PERSON\\"' in done.stdout
    assert "and 583 more" in done.stdout
    few = main("corpus", "check", write(tmp_path / "few.conll", 3, more), "--json")
    assert compared > 0
    assert 'the label \\"PERSONX\\" occurs once' in few.stdout
    assert "many-labels" not in few.stdout


def test_spans_are_sorted_by_label_once():
    import numpy as np

    labels = np.array([2, 0, 2, 0, 2], dtype=np.int32)
    spans = TagSpans(np.arange(5), np.arange(1, 6), labels, ["a", "b", "c", "d"])
    assert [rows.tolist() for rows in rows_by_label(spans)] == [[1, 3], [], [0, 2, 4], []]
    assert rows_by_label(TagSpans(np.arange(0), np.arange(0), labels[:0], [])) == []


def test_training_refuses_more_classes_than_the_limit_which_can_be_raised(
    main, tmp_path, monkeypatch
):
    train = write(tmp_path / "many.conll", 1200, "\n" + as_conll(["a/O b/O c/O"]) * 10)
    whole = ("--run-dir", tmp_path / "run", "--set", "corpus.held_out=0")
    refused = main("train", train, *whole)
    assert refused.returncode == 1
    assert "found 1,200 classes of entities, expected at most 1,000" in refused.stderr
    assert "NERTOOL_MAX_CLASSES=1200" in refused.stderr
    monkeypatch.setenv("NERTOOL_MAX_CLASSES", "many")
    done = main("train", train, *whole)
    assert "expected a whole number, such as 1000" in done.stderr
