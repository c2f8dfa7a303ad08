"""The compiled kernels, against loops in Python; and that a user gets the same with them and without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.kernels import network, tagging
from nertool.kernels.library import compiled
from nertool.kernels.lines import put_cells
from nertool.network.dropout import splitmix64

SEEDS = st.integers(0, 100_000)

with_kernels = pytest.mark.skipif(
    not compiled(), reason="nertool was installed without its compiled kernels"
)


@with_kernels
@settings(max_examples=80, deadline=None)
@given(
    n=st.integers(0, 30),
    C=st.sampled_from([1, 3, 5, 7, 63]),
    H=st.integers(1, 40),
    positive=st.booleans(),
    sides=st.sets(st.sampled_from(["context", "group", "document", "opinion"])),
    seed=SEEDS,
)
def test_window_sums_add_the_rows_around_each_centre_and_the_side_inputs(
    n, C, H, positive, sides, seed
):
    rng = np.random.default_rng(seed)

    def drawn(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    T, sums, share, documents, contexts = (
        drawn(6, C + 2, H),
        drawn(2, H),
        drawn(2),
        drawn(4, H),
        drawn(3, C, H),
    )
    m = max(1, C // 2)
    rows = rng.integers(0, 6, n + 2 * m, dtype=np.int32)
    centres = np.arange(n) + m
    context = rng.integers(0, 3, len(rows), dtype=np.int32)
    group, document = (
        rng.integers(low, high, n, dtype=np.int32) for low, high in ((-1, 2), (0, 4))
    )
    # Opinions are counted over the text: here those of the tokens from the third on, of a block that
    # begins with the third.
    opined = rng.random(n) < 0.5
    opinion = np.where(opined, np.cumsum(opined) - 1, -1).astype(np.int32)
    start = min(n, 2)
    first = int(opined[:start].sum())
    opinions = drawn(max(1, int(opined.sum()) - first), H)
    side = tagging.SideTerms(
        *((group, sums, share) if "group" in sides else (None, None, None)),
        *((document, documents) if "document" in sides else (None, None)),
        *((opinion, opinions) if "opinion" in sides else (None, None)),
        *((context, contexts) if "context" in sides else (None, None)),
    )
    out = np.full((n, H), np.nan, dtype=np.float32)
    gather = tagging.window_sums(out, T, rows, centres, C, positive, side)
    assert gather
    gather(start, n - start, first)
    for t in range(start, n):
        around = centres[t] - C // 2 + np.arange(C)
        z = T[rows[around[0]], 0].copy()
        for c in range(1, C):
            z += T[rows[around[c]], c]
        for c in range(C if "context" in sides else 0):
            z += contexts[context[around[c]], c]
        if "group" in sides and group[t] >= 0:
            others = sums[group[t]] - T[rows[centres[t] - 1], C] - T[rows[centres[t] + 1], C + 1]
            z += share[group[t]] * others
        if "document" in sides:
            z += documents[document[t]]
        if "opinion" in sides and opinion[t] >= 0:
            z += opinions[opinion[t] - first]
        np.testing.assert_array_equal(out[t - start], np.maximum(z, 0) if positive else z)


@with_kernels
@settings(max_examples=50, deadline=None)
@given(m=st.integers(1, 30), d=st.integers(1, 20), wider=st.integers(0, 3), seed=SEEDS)
def test_add_rows_counts_every_repetition(m, d, wider, seed):
    rng = np.random.default_rng(seed)
    place = rng.integers(0, 4, m, dtype=np.int32)
    values = rng.normal(size=(m, d + wider)).astype(np.float32)[:, wider:]
    out, expected = np.zeros((2, 4, d), dtype=np.float32)
    assert network.add_rows(out, place, values)
    for i in range(m):
        expected[place[i]] += values[i]
    np.testing.assert_array_equal(out, expected)


@with_kernels
@settings(max_examples=50, deadline=None)
@given(m=st.integers(1, 30), d=st.integers(1, 20), seed=SEEDS)
def test_rows_that_are_added_may_be_picked(m, d, seed):
    rng = np.random.default_rng(seed)
    values, picked = rng.normal(size=(5, d)).astype(np.float32), rng.integers(0, 5, m)
    sums, expected = np.zeros((2, 3, d), dtype=np.float32)
    place = rng.integers(0, 3, m, dtype=np.int32)
    assert network.add_rows(sums, place, values, picked.astype(np.int32))
    for i in range(m):
        expected[place[i]] += values[picked[i]]
    np.testing.assert_array_equal(sums, expected)


@with_kernels
@settings(max_examples=50, deadline=None)
@given(m=st.integers(0, 8), d=st.integers(1, 20), seed=SEEDS)
def test_adagrad_takes_the_step_of_the_paper_in_the_rows_met(m, d, seed):
    rng = np.random.default_rng(seed)
    theta, G, whole, of_whole = rng.random((4, 9, d), dtype=np.float32)
    g, of_all = rng.normal(size=(2, 9, d)).astype(np.float32)
    rows = np.sort(rng.permutation(9)[:m])
    expected = []
    for before, memory, gradient, own in (
        (theta, G, g[:m], rows),
        (whole, of_whole, of_all, slice(9)),
    ):
        before, memory = before.copy(), memory.copy()
        memory[own] += gradient * gradient
        floor, alpha = np.float32([1e-8, 0.1])
        before[own] -= alpha * (gradient / (np.sqrt(memory[own]) + floor))
        expected += [before, memory]
    steps = network.Step(theta, G, g[:m], rows), network.Step(whole, of_whole, of_all, None)
    assert network.adagrad(steps, 0.1, 1e-8)
    for found, right in zip((theta, G, whole, of_whole), expected, strict=True):
        np.testing.assert_array_equal(found, right)


@with_kernels
def test_adagrad_takes_a_row_of_numbers_too():
    b, G = np.zeros((2, 3), dtype=np.float32)
    assert network.adagrad([network.Step(b, G, np.float32([3, 0, -4]), None)], 0.5, 1.0)
    assert G.tolist() == [9, 0, 16]
    assert b.tolist() == [
        np.float32(-0.375),
        0,
        np.float32(0.4),
    ]  # 0.5 · 3/(3 + 1), 0.5 · 4/(4 + 1)


TABLES = (
    (4, 1, 3),
    (40, 2, 1),
    (7, 4, 2),
)  # (rows, a row's width, columns): 3 + 2 + 8 numbers a word


def words_of_tables(seed: int, n: int) -> tuple[list, np.ndarray]:
    rng = np.random.default_rng(seed)
    tables = [rng.normal(size=(V, d)).astype(np.float32) for V, d, _ in TABLES]
    ids = [rng.integers(0, V, (n, c), dtype=np.int32) for V, _, c in TABLES]
    return tables, np.concatenate(ids, axis=1)


@with_kernels
@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 20), beside=st.integers(0, 3), seed=SEEDS)
def test_gather_rows_lays_rows_side_by_side(n, beside, seed):
    tables, ids = words_of_tables(seed, n)
    out = np.full((n, 13 + beside), np.nan, dtype=np.float32)
    wider = np.concatenate([np.full((n, 2), 99, dtype=np.int32), ids], axis=1)
    assert network.gather_rows(out[:, beside:], tables, wider[:, 2:], [3, 1, 2])
    for i in range(n):
        of_table = [0, 0, 0, 1, 2, 2]
        expected = [tables[k][row] for k, row in zip(of_table, ids[i], strict=True)]
        np.testing.assert_array_equal(out[i, beside:], np.concatenate(expected))
    assert np.isnan(out[:, :beside]).all()


@with_kernels
@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 20), frozen=st.sets(st.integers(0, 2), max_size=2), seed=SEEDS)
def test_sum_by_row_adds_up_what_each_row_is_met_with(n, frozen, seed):
    _, ids = words_of_tables(seed, n)
    values = np.random.default_rng(seed).normal(size=(n, 15)).astype(np.float32)[:, 1:14]
    passed = [k in frozen for k in range(3)]
    found = network.sum_by_row(ids, values, [4, 40, 7], passed, [1, 2, 4], [3, 1, 2])
    cuts = (slice(0, 3), slice(0, 3)), (slice(3, 4), slice(3, 5)), (slice(4, 6), slice(5, 13))
    for k, (own, stretches) in enumerate(cuts):
        rows, sums = found[k]
        sum_of = {}
        pieces = values[:, stretches].reshape(n, ids[:, own].shape[1], -1)
        for i in range(n):
            for row, piece in zip(ids[i, own].tolist(), pieces[i], strict=True):
                sum_of[row] = sum_of.get(row, np.float32(0)) + piece
        if k in frozen:
            sum_of = {}
        assert rows.tolist() == sorted(sum_of)
        for row, total in zip(rows.tolist(), sums, strict=True):
            np.testing.assert_array_equal(total, sum_of[row])


@with_kernels
@pytest.mark.parametrize("number", [-1, 4])
def test_a_number_that_names_no_row_is_refused(number):
    tables, ids = words_of_tables(0, 5)
    ids[3, 1] = number  # of the first table, of 4 rows
    rows = np.zeros((5, 13), dtype=np.float32)
    with pytest.raises(IndexError):
        network.gather_rows(rows, tables, ids, [3, 1, 2])
    with pytest.raises(IndexError):
        network.sum_by_row(ids, rows, [4, 40, 7], [False] * 3, [1, 2, 4], [3, 1, 2])
    step = network.Step(tables[0], tables[0].copy(), tables[0][:2].copy(), np.array([number, 4]))
    with pytest.raises(IndexError):
        network.adagrad([step], 0.1, 1e-8)


@with_kernels
def test_arrays_that_do_not_fit_together_are_refused():
    tables, ids = words_of_tables(0, 5)
    rows = np.zeros((5, 13), dtype=np.float32)
    with pytest.raises(ValueError, match="expected 14 columns"):
        network.gather_rows(rows, tables, ids, [4, 1, 2])
    with pytest.raises(ValueError, match="expected 11 columns"):
        network.sum_by_row(ids, rows, [4, 40, 7], [False] * 3, [1, 2, 3], [3, 1, 2])
    with pytest.raises(ValueError, match="found numbers"):
        network.gather_rows(rows[:4], tables, ids, [3, 1, 2])
    for G, g in ((rows[:4], rows), (rows, rows[:4]), (rows, rows[:, :2])):
        with pytest.raises(ValueError, match="found"):
            network.adagrad([network.Step(rows, G, np.ascontiguousarray(g), None)], 0.1, 1e-8)
    assert not network.gather_rows(rows, tables, ids.astype(np.int64), [3, 1, 2])
    assert not network.gather_rows(rows, [t[::-1] for t in tables], ids, [3, 1, 2])
    assert not rows.any()


@with_kernels
@given(n=st.integers(0, 600), below=st.integers(0, 65536), seed=st.integers(0, 2**64 - 1))
def test_dropout_mask_keeps_what_reaches_the_bar(n, below, seed):
    out = np.full(n, np.nan, dtype=np.float32)
    assert network.dropout_mask(seed, below, 1.25, out)
    drawn = [int(z) >> 16 * k & 0xFFFF for z in splitmix64(seed, -(-n // 4)) for k in range(4)]
    assert out.tolist() == [0.0 if bits < below else 1.25 for bits in drawn[:n]]


LINES = st.lists(st.binary(max_size=70).map(lambda line: line.replace(b"\n", b"")), max_size=20)


@with_kernels
@given(lines=st.lists(st.tuples(LINES.map(b"".join), st.booleans(), st.integers(0, 2)), max_size=9))
def test_cells_stand_before_what_ends_a_line(lines):
    cells = [b"", b" O", b" B-LOC"]
    ends = [b"\r\n" if cr else b"\n" for _, cr, _ in lines]
    rows = [(line.rstrip(b"\r"), end, k) for (line, _, k), end in zip(lines, ends, strict=True)]
    text = b"".join(line + end for line, end, _ in rows)
    expected = b"".join(line + cells[k] + end for line, end, k in rows)
    out = np.zeros(len(expected), dtype=np.uint8)
    assert put_cells(
        np.frombuffer(text, dtype=np.uint8),
        np.array([k for *_, k in rows], dtype=np.int32),
        np.frombuffer(b"".join(cells), dtype=np.uint8),
        np.cumsum([0, *map(len, cells)]),
        out,
    )
    assert out.tobytes() == expected


@with_kernels
def test_what_is_no_number_stays_so_in_sums_that_are_to_be_positive():
    T = np.array([[[np.nan, -1.0, 2.0, np.inf, -np.inf] * 4]], dtype=np.float32)
    z = np.zeros((1, 20), dtype=np.float32)
    zeros = np.zeros(1, dtype=np.int32)
    gather = tagging.window_sums(z, T, zeros, np.array([0]), 1, True)
    assert gather
    gather(0, 1, 0)
    np.testing.assert_array_equal(z[0], [np.nan, 0.0, 2.0, np.inf, 0.0] * 4)


@with_kernels
def test_what_a_kernel_cannot_read_is_left_to_numpy_or_refused():
    T, z = np.zeros((2, 3, 4), dtype=np.float32), np.zeros((1, 4), dtype=np.float32)
    rows, centres = np.zeros(3, dtype=np.int32), np.array([1])
    assert tagging.window_sums(z, T, rows, centres, 3)
    assert tagging.window_sums(z.astype(float), T.astype(float), rows, centres, 3) is None
    long = np.zeros((1, 65, 4), dtype=np.float32)
    assert tagging.window_sums(z, long, rows, centres, 65) is None
    with pytest.raises(TypeError, match="found int64 in steps of"):
        tagging.window_sums(z, T, rows.astype(np.int64), centres, 3)
    with pytest.raises(TypeError, match="row by row"):
        tagging.window_sums(np.zeros((4, 2), dtype=np.float32).T, T, rows, centres, 3)
    assert not network.add_rows(z.astype(float), rows[:1], z)
    assert not network.add_rows(z, rows[:1], z[:, ::2])


# With them and without


def tagged(model: Path, text: str, kernels: str, *options: str) -> bytes:
    """Run predict in a fresh process, with the kernels "on" or "off"."""
    done = subprocess.run(
        [sys.executable, "-m", "nertool", "predict", model, "-", *options],
        input=text.encode(),
        env={**os.environ, "NERTOOL_KERNELS": kernels},
        capture_output=True,
        check=True,
    )
    return done.stdout


@with_kernels
@pytest.mark.parametrize("to", ["conll", "json"])
def test_tags_are_the_same_with_the_kernels_and_without(run_dir, tiny, to):
    text = (tiny / "dev.conll").read_text(encoding="utf-8")
    on, off = (tagged(run_dir, text, kernels, "--to", to) for kernels in ("on", "off"))
    assert on == off
    assert on.count(b"LOC") > 3
