"""Models made smaller: the same words, nearly the same scores, and fewer bytes."""

from __future__ import annotations

import functools
import json
import pickle
import zipfile
from dataclasses import replace

import numpy as np
import pytest

import nertool
from nertool.inputs.text import text_of
from nertool.model.compress import compress_model
from nertool.model.load import load_model
from nertool.model.model import Model, inputs_for, score_tokens, word_vectors
from nertool.model.save import save_model
from nertool.tagging.compiled import CompiledTagger
from nertool.vectors.rows.coded_rows import CodedRows
from nertool.vectors.rows.compressed_rows import CompressedRows
from nertool.vectors.rows.rows import COMPRESSED, expanded
from tests.support.helpers import random_model
from tests.support.models import MODELS, arrays_of_file, assert_same, make_model, networks, tree

LETTERS = "abcdefghijklmnopqrstuvwxyz"
MANY = [first + second for first in LETTERS for second in LETTERS]  # 676 words
TEXT = text_of([["aa", "ab", "never", "Az"], ["za", "aa"]], np.array([0, 2]))


def large(seed: int = 0, **changes: object) -> Model:
    """Make a model whose tables are long enough to be compressed."""
    files = [MANY, [*MANY[::2], "Paris"]]
    return random_model(files=files, widths=[7, 5], seed=seed, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", ["float16", "int8", "codes", None])
@pytest.mark.parametrize("top", [None, 20])
def test_a_compressed_model_is_stored_and_read_as_it_is(tmp_path, dtype, top):
    smaller = compress_model(large(), dtype, top)
    save_model(smaller, tmp_path / "m")
    again = load_model(tmp_path / "m")
    assert_same(again, smaller)
    version = json.loads((tmp_path / "m" / "model.json").read_text())["version"]
    assert version == (3 if dtype is None else 4)
    assert any(isinstance(m.L, COMPRESSED) for m in networks(again)) == (dtype is not None)


@pytest.mark.parametrize("dtype", ["float16", "int8", "codes"])
def test_both_paths_of_the_tagger_read_compressed_rows_alike(dtype):
    model = compress_model(random_model(files=[MANY, MANY[::2]], widths=[7, 5], folds=0), dtype, 30)
    tagger = CompiledTagger(model)
    slow = []
    for member in model.members:
        parameters, inputs = inputs_for(member, TEXT, model.config)
        slow.append(score_tokens(parameters, model.config, inputs))
    np.testing.assert_allclose(tagger._scores(TEXT), np.mean(slow, axis=0), atol=2e-5)


def test_scores_change_little():
    model = large()
    exact = CompiledTagger(model).scores(TEXT)
    for dtype, tolerance in (("float16", 5e-3), ("int8", 5e-2)):
        found = CompiledTagger(compress_model(model, dtype, None)).scores(TEXT)
        np.testing.assert_allclose(found, exact, atol=tolerance)
        assert not np.array_equal(found, exact)


@pytest.mark.parametrize("name", MODELS)
def test_every_kind_of_model_can_be_compressed_twice(name, tmp_path):
    model = MODELS[name]()
    once = compress_model(model, "int8", 3)
    twice = compress_model(once, "float16", 3)
    for one, other in zip(networks(once), networks(twice), strict=True):
        assert one.encoder.words == other.encoder.words
        np.testing.assert_array_equal(expanded(one.L), expanded(other.L))
    save_model(twice, tmp_path / "m")
    assert CompiledTagger(load_model(tmp_path / "m")).scores(TEXT).shape == (6, len(model.tags))


def test_trained_words_and_the_most_frequent_ones_are_kept_with_their_vectors():
    model = large()
    smaller = compress_model(model, None, 10)
    for before, after in zip(networks(model), networks(smaller), strict=True):
        words = before.encoder.words
        trained = {words[row - 3] for row in before.rows.tolist() if row >= 3}
        kept = [word for i, word in enumerate(words) if i < 10 or word in trained]
        assert after.encoder.words == kept
        for word in (*kept, "never"):
            old, new = (m.encoder.vector_row(word) for m in (before, after))
            np.testing.assert_array_equal(
                word_vectors(after, np.array([new])), word_vectors(before, np.array([old]))
            )
    assert smaller.provenance["compressed"] == {"rows": None, "words": 343, "of": 676}


def test_rows_that_training_left_alone_are_not_kept_as_trained():
    # Rows of words of dev alone: without them, F1 on dev tells what unseen text loses.
    model = random_model(files=[MANY], widths=[4], members=1, folds=0)
    (member,) = model.members
    L = np.array(member.parameters["L"])
    L[5:9] = member.L[member.rows[5:9]]
    changed = replace(model, members=(member._replace(parameters={**member.parameters, "L": L}),))
    (smaller,) = compress_model(changed, None, 0).members
    assert len(smaller.rows) == len(member.rows) - 4
    assert len(smaller.L) == len(smaller.rows) + 1  # and the row of the right padding
    untrained = member._replace(parameters={**member.parameters, "L": member.L[member.rows]})
    (same,) = compress_model(replace(model, members=(untrained,)), None, 0).members
    assert len(same.rows) == len(member.rows)


@functools.cache
def kinds() -> dict[str, Model]:
    return {
        "plain": large(),
        # Two files side by side, the second with 400 rows for parts of words.
        "parts of words": large(subwords=400, vectors={"lookup": ("exact", "subwords")}),
        "trained and as they were": large(vectors={"fine_tune": "both"}),
    }


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (None, "folder"),
        (None, "one.nertool"),
        ("float16", "one.nertool"),
        ("int8", "folder"),
        ("codes", "folder"),
        ("codes", "one.nertool"),
    ],
)
def test_a_pickle_is_no_larger_than_the_model_on_disk(tmp_path, dtype, name):
    for kind, model in kinds().items():
        path = tmp_path / kind / name
        path.parent.mkdir()
        save_model(compress_model(model, dtype, None), path)
        size = sum(len(data or b"") for data in tree(path).values()) or path.stat().st_size
        tagger = nertool.load(path)
        tagger.tag(["aa", "zz", "Qxab"])
        packed = pickle.dumps(tagger)
        assert len(packed) <= size, kind
        assert_same(pickle.loads(packed).model, load_model(path))


def test_narrow_tables_are_not_made_larger_by_a_scale_for_each_row():
    model = large()
    smaller = compress_model(model, "int8", None).members[0].parameters["E.affixes"]
    assert model.members[0].parameters["E.affixes"].shape[1] == 1
    assert isinstance(smaller, CompressedRows)
    assert smaller.values.dtype == np.float16
    (member, *others) = model.members
    wide = {**member.parameters, "E.affixes": 1e5 * member.parameters["E.affixes"]}
    beyond = replace(model, members=(member._replace(parameters=wide), *others))
    kept = compress_model(beyond, "int8", None).members[0].parameters["E.affixes"]
    np.testing.assert_array_equal(kept, wide["E.affixes"])  # too large for float16


def test_rare_words_keep_their_place_when_their_rows_are_codes():
    model = large()
    smaller = compress_model(model, "codes", 5)
    for before, after in zip(networks(model), networks(smaller), strict=True):
        assert sorted(after.encoder.words) == sorted(before.encoder.words)
        trained = {before.encoder.words[row - 3] for row in before.rows.tolist() if row >= 3}
        for word in before.encoder.words:
            old, new = (
                word_vectors(m, np.array([m.encoder.vector_row(word)]))[0] for m in (before, after)
            )
            if word in trained:  # int8 is off by half a step at most
                np.testing.assert_allclose(new, old, atol=np.abs(old).max() / 250)
    assert isinstance(smaller.members[0].L, CodedRows)
    with pytest.raises(ValueError, match="compress the model before it"):
        compress_model(smaller, "codes", 5)
    again = compress_model(smaller, "int8", None)
    assert_same(replace(again, provenance={}), replace(smaller, provenance={}))


@pytest.mark.parametrize("words", [[], [""], ["", ""], ["a b", "\r", "é"]])
def test_lists_of_words_come_back_from_a_pickle(words):
    from nertool.files.wordlist import Words

    kept = Words(words)
    one, other = pickle.loads(pickle.dumps((kept, kept)))
    assert one == words
    assert one is other


def test_damaged_compressed_models_are_refused(tmp_path):
    from nertool.errors import ModelError
    from nertool.files.arrays import write_arrays

    save_model(compress_model(large(), "int8", None), tmp_path / "m")
    file = tmp_path / "m" / "vectors.0.safetensors"
    arrays = {name: np.array(array) for name, array in arrays_of_file(file).items()}
    for faulty in (
        {"L": arrays["L"]},
        {**arrays, "L.scale": arrays["L.scale"][1:]},
        {**arrays, "L.scale": np.full_like(arrays["L.scale"], np.nan)},
        {**arrays, "L": arrays["L"][1:], "L.scale": arrays["L.scale"][1:]},
    ):
        file.unlink()
        write_arrays(file, faulty)
        for verify in (True, False):
            with pytest.raises(ModelError, match=r"damaged|found|don.t agree"):
                load_model(tmp_path / "m", verify)


# The commands


def out_size(path):
    with zipfile.ZipFile(path) as archive:
        return sum(info.file_size for info in archive.infolist())


def test_compress_says_what_it_costs(main, run_dir, tmp_path):
    out = tmp_path / "small.nertool"
    done = main("compress", run_dir, "-o", out, "--top", 50, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["after"]["bytes"] == out_size(out)
    assert found["after"]["words"] <= found["before"]["words"]
    assert found["after"]["dev_f1"] is not None
    told = main("compress", out, "-o", tmp_path / "folder", "--rows", "as-is")
    assert "dev F1" in told.stdout, told.stderr
    assert (tmp_path / "folder" / "model.json").is_file()


def test_every_command_takes_a_model_in_one_file(main, run_dir, tmp_path):
    out = tmp_path / "m.nertool"
    assert main("pack", run_dir, "-o", out).returncode == 0
    text = "Ada Lovelace met Charles in London ."
    for command in (
        ("predict", out, "-"),
        ("info", out),
        ("explain", out, text, "--word", "1"),
        ("gradcheck", out),
    ):
        done = main(*command, stdin=text)
        other = main(*(run_dir if part is out else part for part in command), stdin=text)
        assert (done.returncode, done.stderr) == (0, other.stderr), command
        if command[0] != "info":
            assert done.stdout == other.stdout
    assert nertool.load(out).labels == nertool.load(run_dir).labels


def test_thresholds_are_kept_in_one_file(main, run_dir, tmp_path):
    from nertool.model.files import set_provenance

    out = tmp_path / "m.nertool"
    main("pack", run_dir, "-o", out)
    set_provenance(out, "thresholds", {"labels": {"PER": 0.5}})
    assert load_model(out).provenance["thresholds"] == {"labels": {"PER": 0.5}}
    assert_same(
        replace(load_model(out), provenance={}), replace(load_model(run_dir), provenance={})
    )


def test_outputs_that_would_replace_something_are_refused(main, run_dir, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    done = main("compress", run_dir, "-o", tmp_path / "full")
    assert (done.returncode, (tmp_path / "full" / "mine.txt").read_text()) == (1, "mine")
    assert main("compress", run_dir, "-o", run_dir).returncode == 2
    assert main("compress", run_dir, "-o", run_dir / "new").returncode == 2
    assert main("pack", run_dir, "-o", tmp_path / "model.zip").returncode == 2


def test_a_model_saved_as_one_file_is_the_same_bytes_each_time(tmp_path):
    for name in ("a.nertool", "b.nertool"):
        save_model(make_model(), tmp_path / name)
    assert (tmp_path / "a.nertool").read_bytes() == (tmp_path / "b.nertool").read_bytes()
    assert_same(load_model(tmp_path / "a.nertool"), make_model())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.nertool", "b.nertool"]
