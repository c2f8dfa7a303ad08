"""The recipe: what is chosen for which text, and who wins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nertool.config.file import load_config, read_config_file
from nertool.config.records import Config
from nertool.config.values import RawValue, key_types
from nertool.training.recipe import recipe, resolve
from nertool.training.run import write_config
from nertool.training.statistics import Statistics

NEWS = Statistics(tokens=200_000, documents=900, classes=4, entities=23_000, coverage=0.98)
TWEETS = Statistics(tokens=60_000, documents=0, classes=3, entities=1_500, coverage=0.9)
ABSTRACTS = replace(TWEETS, recurrence=0.4)


def raw(**keys: object) -> dict[str, RawValue]:
    return {k.replace("__", "."): RawValue(v, "here", Path()) for k, v in keys.items()}


def test_document_features_are_for_texts_that_mark_documents():
    keys = {"features.document", "features.neighbours", "decoding.consistency"}
    assert keys <= recipe(NEWS, "2m").keys()
    assert not keys & recipe(TWEETS, "2m").keys()


def test_ngrams_are_for_texts_of_some_size_whose_words_have_no_vectors():
    plain = replace(NEWS, coverage=None)
    chosen = [
        recipe(text, "2m").get("features.ngrams")
        for text in (replace(plain, tokens=59_999), replace(plain, tokens=60_000), NEWS)
    ]
    assert chosen == [None, 32, None]
    assert recipe(replace(plain, tokens=59_999), "2m")["training.word_dropout"] == 0.25
    assert recipe(replace(NEWS, coverage=0.7), "2m")["features.ngrams"] == 32


def test_clusters_are_for_small_texts_whose_words_have_vectors():
    small, none = replace(NEWS, tokens=149_999), replace(TWEETS, coverage=None)
    chosen = [recipe(text, "2m").get("features.clusters") for text in (small, TWEETS, NEWS, none)]
    assert chosen == [4, 4, None, None]


def test_few_entities_are_tried_in_one_anothers_places():
    assert recipe(TWEETS, "2m")["training.replace_entities"] == 0.2
    assert "training.replace_entities" not in recipe(NEWS, "2m")


def test_a_text_without_dev_is_held_out_from_and_refitted():
    keys = recipe(replace(TWEETS, has_dev=False), "2m")
    assert keys["corpus.held_out"] == 0.1
    assert keys["training.refit"] is True
    assert "training.refit" not in recipe(TWEETS, "2m")


def test_running_text_without_marks_has_a_first_stage_and_no_document_features():
    keys = recipe(ABSTRACTS, "2m")
    chosen = {key: keys[key] for key in keys if key.startswith("first_stage.")}
    assert chosen == {
        "first_stage.folds": 5,
        "first_stage.epochs": 6,
        "first_stage.members": 1,
        "first_stage.window": 7,
        "first_stage.max_pooling": True,
    }
    assert keys["network.hidden"] == 128
    assert "features.document" not in keys
    assert not any(key.startswith("first_stage.") for key in recipe(TWEETS, "2m"))


def test_keys_that_are_set_win_and_all_is_told_in_three_lines(tiny) -> None:
    lines: list[str] = []
    config = resolve(
        raw(
            recipe="auto",
            corpus__train=str(tiny / "train.conll"),
            network__hidden=24,
            features__document=3,
        ),
        lines.append,
    )
    assert (config.network.hidden, config.features.document) == (24, 3)
    assert (config.features.shape, config.network.members) == (8, 5)
    assert (config.corpus.held_out, config.training.refit) == (0.1, True)
    assert len(lines) == 3
    assert "documents are not marked, but features.document reads them" in lines[0]
    assert "no vectors" in lines[1]
    assert "caps, shape, affixes, memory" in lines[1]
    assert "24 hidden units" in lines[2]


def test_plain_is_the_default_and_chooses_nothing(tiny):
    assert resolve(read_config_file(tiny / "config.yaml")) == load_config(tiny / "config.yaml")


def test_the_config_of_a_run_comes_back_without_a_look_at_the_text(tiny, tmp_path):
    config = resolve(raw(recipe="auto", corpus__train=str(tiny / "train.conll")))
    moved = replace(config, corpus=replace(config.corpus, train=(Path("/nowhere/train.conll"),)))
    write_config(moved, tmp_path / "config.yaml")
    written = read_config_file(tmp_path / "config.yaml")
    assert written.keys() == key_types().keys()
    assert resolve(written) == moved


def test_the_recipe_names_keys_that_there_are():
    for text in (NEWS, TWEETS, replace(TWEETS, coverage=None, has_dev=False)):
        assert recipe(text, "1h").keys() <= key_types().keys()
    assert Config().recipe == "plain"


def test_a_small_text_gets_more_epochs_and_a_tiny_one_smaller_batches():
    chosen = [
        (keys["training.epochs"], keys["training.batch_size"], keys.get("training.patience"))
        for keys in (
            recipe(replace(TWEETS, tokens=n), budget)
            for n, budget in (
                (100_000, "2m"),
                (60_000, "2m"),
                (49_999, "30s"),
                (19_999, "2m"),
            )
        )
    ]
    assert chosen == [(8, 512, None), (16, 512, 4), (12, 512, None), (24, 64, None)]


def test_the_first_line_says_that_rare_words_recur(tiny, tmp_path):
    path = tmp_path / "text.conll"
    path.write_text("".join(f"Ada B-PER\nmet O\nw{i // 4} O\n\n" for i in range(400)))
    lines: list[str] = []
    raws = raw(recipe="auto", corpus__train=str(path))
    config = resolve(raws, lines.append)
    assert config.first_stage.folds == 5
    assert lines[0] == (
        "recipe: documents are not marked, but rare words recur nearby (1.00): a first stage reads the "
        "other occurrences of a word"
    )
    resolve({**raws, **raw(first_stage__folds=0)}, lines.append)
    assert lines[3] == "recipe: documents are not marked: each sentence is treated separately"
    resolve({**raws, **raw(features__neighbours=True)}, lines.append)
    assert lines[6] == (
        "recipe: documents are not marked, but features.neighbours, first_stage.folds read them"
    )


def test_the_first_line_says_why_documents_are_not_used(tiny, tmp_path):
    sentence = "Ada B-PER\nsleeps O\n\n"
    mark = "-DOCSTART- O\n\n"
    path = tmp_path / "text.conll"
    for text, why in {
        sentence * 30: "documents are not marked: each sentence is treated separately",
        (mark + 3 * sentence) * 2: "only 2 documents, at least 10 are needed to use them",
        (mark + sentence) * 30: "30 documents of 1.00 sentences on average, at least 2 are needed",
        (mark + 2 * sentence) * 10: "10 documents: features of the whole document",
    }.items():
        path.write_text(text)
        lines: list[str] = []
        resolve(raw(recipe="auto", corpus__train=str(path)), lines.append)
        assert lines[0].startswith(f"recipe: {why}")


def test_the_budget_counts_the_epochs_that_a_small_text_really_gets():
    for tokens in (2_000, 19_000, 45_000, 80_000):
        for budget, seconds in (("30s", 30), ("2m", 120)):
            keys = recipe(replace(TWEETS, tokens=tokens), budget)
            windows = tokens * keys["network.members"] * keys["training.epochs"]
            assert 6 + windows / 100_000 <= seconds
    assert recipe(replace(TWEETS, tokens=19_000), "30s")["network.members"] == 5
    assert recipe(replace(TWEETS, tokens=45_000), "30s")["network.members"] == 3
