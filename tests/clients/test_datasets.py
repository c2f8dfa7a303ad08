"""Tables and folders, read by the library datasets and written by it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nertool.corpus.build import entities_of
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.formats.read import read_corpus
from tests.support.corpora import found, lines

pytestmark = pytest.mark.integration
datasets = pytest.importorskip("datasets")

NAMES = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]  # another order than nertool's
ROWS = {
    "id": ["0", "1", "2"],
    "tokens": [["Ada", "met", "Charles", "Babbage", "in", "London"], ["It", "rained", "."], []],
    "pos_tags": [[0, 1, 0, 0, 1, 0], [1, 1, 1], []],
    "ner_tags": [[3, 0, 3, 4, 0, 1], [0, 0, 0], []],
}


def a_dataset():
    label = datasets.ClassLabel(names=NAMES)
    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "tokens": datasets.List(datasets.Value("string")),
            "pos_tags": datasets.List(datasets.ClassLabel(names=["N", "X"])),
            "ner_tags": datasets.List(label),
        }
    )
    return datasets.Dataset.from_dict(ROWS, features=features)


def load(*paths: Path, kind: str = "parquet"):
    return datasets.load_dataset(
        kind, data_files=[str(path) for path in paths], split="train", cache_dir=paths[0].parent
    )


def names_of(dataset, column: str) -> list[str]:
    return dataset.features[column].feature.names


def tags_by_name(dataset, column: str = "ner_tags") -> list[list[str]]:
    names = names_of(dataset, column)
    return [[names[i] for i in row] for row in dataset[column]]


def test_names_of_ner_tags_are_taken_and_not_those_of_another_column(tmp_path):
    a_dataset().to_parquet(tmp_path / "a.parquet")
    corpus = read_corpus(tmp_path / "a.parquet", "auto", Reading(), Ledger())
    assert found(corpus)[0][1] == [(0, 1, "PER"), (2, 4, "PER"), (5, 6, "LOC")]


def test_a_prediction_keeps_tokens_numbers_and_their_names(main, run_dir, tmp_path):
    a_dataset().to_parquet(tmp_path / "a.parquet")
    done = main("predict", run_dir, tmp_path / "a.parquet", "-o", tmp_path / "out.parquet")
    assert done.returncode == 0, done.stderr
    out = load(tmp_path / "out.parquet")
    assert out["tokens"] == ROWS["tokens"]
    assert out["id"] == ROWS["id"]
    assert out["pos_tags"] == ROWS["pos_tags"]
    assert names_of(out, "pos_tags") == ["N", "X"]
    assert names_of(out, "ner_tags")[:5] == NAMES  # those that were there keep their numbers
    assert set(names_of(out, "ner_tags")[5:]) <= {"B-ORG", "I-ORG"}
    assert tags_by_name(out, "gold") == tags_by_name(a_dataset())
    by_words = main("predict", run_dir, "-", "--to", "conll", stdin=_columns(ROWS["tokens"]))
    told = [line.split()[-1] for line in by_words.stdout.splitlines() if line]
    flat = [tag for row in tags_by_name(out) for tag in row]
    assert flat == told
    assert [e["label"] for e in out["entities"][0]] == [
        tag[2:] for tag in tags_by_name(out)[0] if tag.startswith("B-")
    ]


def _columns(sentences: list[list[str]]) -> str:
    return "".join("".join(f"{word}\n" for word in words) + "\n" for words in sentences if words)


def test_a_text_without_entities_and_one_with_some_make_one_table(main, run_dir, tmp_path):
    for name, text in (("a", "It rained all day."), ("b", "Ada Lovelace met me.")):
        (tmp_path / f"{name}.txt").write_text(text + "\n")
        done = main(
            "predict", run_dir, tmp_path / f"{name}.txt", "-o", tmp_path / f"{name}.parquet"
        )
        assert done.returncode == 0, done.stderr
    both = load(tmp_path / "a.parquet", tmp_path / "b.parquet")
    assert [len(entities) for entities in both["entities"]] == [0, 1]
    parts = [load(tmp_path / "a.parquet"), load(tmp_path / "b.parquet")]
    assert parts[0].features == parts[1].features
    assert len(datasets.concatenate_datasets(parts)) == 2


def test_two_tables_of_tokens_of_which_one_has_no_entities_make_one(main, run_dir, tmp_path):
    for name, row in (("a", 1), ("b", 0)):  # the second has entities
        (tmp_path / f"{name}.conll").write_text(_columns([ROWS["tokens"][row]]))
        out = tmp_path / f"{name}.parquet"
        done = main("predict", run_dir, tmp_path / f"{name}.conll", "--to", "hf-parquet", "-o", out)
        assert done.returncode == 0, done.stderr
    parts = [load(tmp_path / "a.parquet"), load(tmp_path / "b.parquet")]
    assert names_of(parts[0], "ner_tags") == names_of(parts[1], "ner_tags")
    both = datasets.concatenate_datasets(parts)
    assert both.features == parts[0].features
    assert tags_by_name(both) == [tags for part in parts for tags in tags_by_name(part)]
    assert set(tags_by_name(both)[0]) == {"O"} != set(tags_by_name(both)[1])


def test_columns_become_a_table_of_tokens_with_named_numbers(main, tiny, tmp_path):
    done = main(
        "corpus", "convert", tiny / "dev.conll", "--to", "hf-parquet", "-o", tmp_path / "d.parquet"
    )
    assert done.returncode == 0, done.stderr
    out = load(tmp_path / "d.parquet")
    assert names_of(out, "ner_tags")[0] == "O"
    corpus = read_corpus(tiny / "dev.conll", "auto", Reading(), Ledger())
    assert out["tokens"] == list(corpus.sentence_words())
    assert [tag for row in tags_by_name(out) for tag in row] == [
        corpus.tags[i] for i in corpus.tag_ids.tolist()
    ]


@pytest.mark.parametrize("shards", [1, 3])
def test_a_saved_folder_is_read_with_all_its_shards_and_written_again(
    main, run_dir, tmp_path, shards
):
    a_dataset().save_to_disk(tmp_path / "saved", num_shards=shards)
    corpus = read_corpus(tmp_path / "saved", "auto", Reading(), Ledger())
    assert len(entities_of(corpus)) == 3
    done = main("predict", run_dir, tmp_path / "saved", "-o", tmp_path / "tagged")
    assert done.returncode == 0, done.stderr
    out = datasets.load_from_disk(tmp_path / "tagged")
    assert out["tokens"] == ROWS["tokens"]
    assert names_of(out, "ner_tags")[:5] == NAMES
    assert tags_by_name(out, "gold") == tags_by_name(a_dataset())
    other = main("predict", run_dir, tmp_path / "saved")  # standard output: JSON lines
    assert other.returncode == 0, other.stderr
    values = [json.loads(line) for line in other.stdout.splitlines()]
    assert values[0]["gold"] == tags_by_name(a_dataset())[0]


def test_texts_go_into_a_folder_and_out_again(main, run_dir, tmp_path):
    texts = ["Ada Lovelace met me.", "It rained."]
    given = lines(*({"text": text, "n": i} for i, text in enumerate(texts)))
    (tmp_path / "a.jsonl").write_text(given)
    done = main(
        "predict", run_dir, tmp_path / "a.jsonl", "--to", "hf-disk", "-o", tmp_path / "tagged"
    )
    assert done.returncode == 0, done.stderr
    out = datasets.load_from_disk(tmp_path / "tagged")
    assert out["text"] == texts
    assert out["n"] == [0, 1]
    assert [e["text"] for e in out["entities"][0]] in (["Ada"], ["Ada Lovelace"])
    out.save_to_disk(tmp_path / "again")
    again = main("corpus", "convert", tmp_path / "again", "--to", "jsonl")
    assert again.returncode == 0, again.stderr
    assert [json.loads(line)["text"] for line in again.stdout.splitlines()] == texts


def test_a_folder_of_parts_says_which_there_are(main, tmp_path):
    parts = datasets.DatasetDict({"train": a_dataset(), "test": a_dataset()})
    parts.save_to_disk(tmp_path / "all")
    done = main("corpus", "stats", tmp_path / "all")
    assert done.returncode == 1
    assert "train, test" in done.stderr
    assert str(tmp_path / "all" / "train") in done.stderr
    assert main("corpus", "stats", tmp_path / "all" / "train").returncode == 0


def test_json_that_the_library_writes_is_read(main, tmp_path):
    data = a_dataset()
    data.to_json(tmp_path / "a.jsonl")
    data.to_json(tmp_path / "a.json", lines=False)
    for name in ("a.jsonl", "a.json"):
        done = main(
            "corpus", "convert", tmp_path / name, "--tag-names", ",".join(NAMES), "--to", "hf"
        )
        assert done.returncode == 0, done.stderr
        (tmp_path / "b.jsonl").write_text(done.stdout)
        out = load(tmp_path / "b.jsonl", kind="json")
        assert out["ner_tags"] == tags_by_name(data)


def test_csv_that_the_library_writes_is_read(main, tmp_path):
    spans = [[{"start": 0, "end": 3, "label": "PER"}], []]
    data = datasets.Dataset.from_dict({"text": ["Ada left.", "It rained."], "entities": spans})
    data.to_csv(tmp_path / "a.csv", index=False)
    done = main("corpus", "convert", tmp_path / "a.csv", "--to", "jsonl")
    assert done.returncode == 0, done.stderr
    assert [len(json.loads(line)["entities"]) for line in done.stdout.splitlines()] == [1, 0]
