"""Tiles of windows give what the plain products give."""

from __future__ import annotations

import numpy as np
import pytest

from nertool.inputs.windows import pad, sentence_windows, single_windows
from nertool.kernels import library
from nertool.kernels.tiles import Places, mix
from nertool.network.dropout import dropout_mask
from nertool.network.objective import Batch, Masks, Objective, dense, loss_and_gradients
from nertool.network.shards import cut_batch, sharded_loss_and_gradients
from nertool.network.tiles import mixed_rows, mixed_weights, scheme_of, tile_scores, tiles_of
from tests.support.objectives import FULL_COLUMNS, FULL_D, FULL_TABLES, H, K, by_autograd

LENGTHS = (9, 1, 6, 2, 13)


def problem(C: int, side: bool = True, lengths: tuple[int, ...] = LENGTHS):
    """Return an objective, parameters, a batch of whole sentences, and masks, in float64."""
    rng = np.random.default_rng(C)
    starts = np.cumsum([0, *lengths])
    text = pad(np.zeros(starts[-1], dtype=np.int32), starts, m=C // 2)
    drawn = sentence_windows(text, rng.permutation(len(lengths)))
    B, n, e = len(drawn.windows), len(drawn.positions), 3 if side else 0
    tables = {name: rng.normal(size=size) for name, size in FULL_TABLES.items()}
    weights = {"W": rng.normal(size=(H, C * FULL_D + e)) / 3, "b": rng.normal(size=H)}
    parameters = {**tables, **weights, "U": rng.normal(size=(K, H))}
    numbers = zip(FULL_TABLES.values(), FULL_COLUMNS, strict=True)
    ids = np.concatenate([rng.integers(0, V, size=(n, c)) for (V, _), c in numbers], axis=1)
    batch = Batch(
        ids.astype(np.int32),
        drawn.windows,
        np.eye(K)[rng.integers(0, K, size=B)],
        rng.normal(size=(B, e)) if side else None,
        rng.random(B) + 0.1,
    )
    masks = Masks(
        dropout_mask(rng, (n, FULL_D), 0.25, np.float64), dropout_mask(rng, (B, H), 0.5, np.float64)
    )
    return Objective("relu", "softmax", 0.02, ("M",), FULL_COLUMNS), parameters, batch, masks


def in_float32(objective, parameters, batch, masks):
    def small(array):
        return array.astype(np.float32) if getattr(array, "dtype", None) == np.float64 else array

    return (
        objective,
        {name: small(array) for name, array in parameters.items()},
        Batch(*map(small, batch)),
        Masks(*map(small, masks)),
    )


@pytest.mark.parametrize("C", [1, 2, 3, 5, 6, 7, 11, 15])
def test_a_scheme_is_a_correlation(C):
    # z_j = Σ_c w_c r_{c+j}: for each j, c and row the factor is 1 where the row is c + j, else 0.
    P, Q, A = scheme_of(C)
    factors = np.einsum("kj,kc,kr->jcr", A, P, Q)
    expected = np.zeros((4, C, C + 3))
    for j in range(4):
        expected[j, np.arange(C), j + np.arange(C)] = 1
    np.testing.assert_allclose(factors, expected, atol=1e-12)
    assert len(P) == C + 3 * -(-C // 5)


@pytest.mark.usefixtures("either_way")
def test_a_sentence_is_cut_into_tiles_of_four_windows_and_the_last_one_may_lack_some():
    text = pad(np.arange(15), np.array([0, 10, 15]), m=1)
    tiles = tiles_of(sentence_windows(text, np.array([0, 1])).windows)
    assert tiles.windows.at.tolist() == [0, 4, 8, 10, 14]
    assert tiles.words.at.tolist() == [0, 4, 8, 12, 16]
    for places in tiles:
        assert places.missing.tolist() == [0, 0, 2, 0, 3]
        assert places.at.dtype == np.int32
    assert (tiles.windows.reach, tiles.words.reach) == (11, 13)


@pytest.mark.parametrize(
    "windows",
    [
        np.empty((0, 3), dtype=np.int32),
        np.arange(12).reshape(4, 3),  # none follows another
        np.array([[1, 2, 3], [0, 1, 2]]),  # backwards
        np.array([[0, 1, 3], [1, 2, 4]]),  # with gaps
        np.array([[0, 1, 2], [0, 1, 2]]),  # the same twice
        np.array([[0], [1]]),  # of one word: there is nothing to save
        np.arange(80)[:, None] + np.arange(63),  # more parts than the kernel has room for
    ],
)
def test_other_windows_have_no_tiles(windows):
    assert tiles_of(windows) is None


def test_single_windows_are_computed_without_tiles():
    text = pad(np.arange(9), np.array([0, 5, 9]), m=1)
    drawn = single_windows(text, np.array([3, 4, 1]))
    batch = Batch(np.zeros((9, 1), dtype=np.int32), drawn.windows, np.eye(3))
    assert [shard.tiles for shard in cut_batch(batch, Masks())] == [None]


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("shard_size", [256, 7])
@pytest.mark.parametrize(
    ("C", "side", "lengths"),
    [
        (3, True, LENGTHS),
        (3, True, (3,)),  # one tile, which lacks a window
        (5, False, LENGTHS),
        (5, True, LENGTHS),
        (7, True, LENGTHS),
        (9, False, LENGTHS),
    ],
)
def test_tiles_give_the_loss_and_the_gradients_of_the_plain_products(C, side, lengths, shard_size):
    given = problem(C, side, lengths)
    assert any(shard.tiles for shard in cut_batch(*given[2:], shard_size))
    J, plain = loss_and_gradients(*given)
    tiled_J, tiled = sharded_loss_and_gradients(*given, shard_size=shard_size)
    assert tiled_J == pytest.approx(J, rel=1e-13)
    assert list(tiled) == list(plain)
    for name, gradient in plain.items():
        a, b = (dense(g, given[1][name]) for g in (tiled[name], gradient))
        assert np.linalg.norm(a - b) <= 1e-12 * np.linalg.norm(b), name
    # In 32-bit floats, too, and there by the kernel: to the seventh digit.
    small_J, small = sharded_loss_and_gradients(*in_float32(*given), shard_size=shard_size)
    assert small_J == pytest.approx(J, rel=1e-5)
    for name, gradient in plain.items():
        a, b = (dense(g, given[1][name]) for g in (small[name], gradient))
        assert np.linalg.norm(a - b) <= 1e-5 * np.linalg.norm(b), name


def test_tiles_give_what_automatic_differentiation_gives(torch):
    objective, parameters, batch, masks = problem(5)
    J, gradients = sharded_loss_and_gradients(objective, parameters, batch, masks)
    expected_J, expected = by_autograd(torch, objective, parameters, batch, masks)
    assert pytest.approx(expected_J, rel=1e-12) == J
    for name, gradient in gradients.items():
        np.testing.assert_allclose(
            dense(gradient, parameters[name]), expected[name], rtol=1e-9, atol=1e-13
        )


def test_a_shard_with_tiles_and_one_without_add_up():
    # Single words save nothing by tiles; here they are a shard of their own.
    given = problem(3, lengths=(1, 1, 1, 1, 1, 1, 1, 1))
    first, second = problem(3, lengths=(8,)), given
    n = len(first[2].ids)
    both = Batch(
        np.concatenate([first[2].ids, second[2].ids]),
        np.concatenate([first[2].windows, second[2].windows + n]),
        *(np.concatenate([a, b]) for a, b in zip(first[2][2:], second[2][2:], strict=True)),
    )
    tiles = [shard.tiles for shard in cut_batch(both, Masks(), 8)]
    assert tiles[0] is not None
    assert tiles[1] is None
    J, plain = loss_and_gradients(given[0], given[1], both)
    tiled_J, tiled = sharded_loss_and_gradients(given[0], given[1], both, shard_size=8)
    assert tiled_J == pytest.approx(J, rel=1e-13)
    for name, gradient in plain.items():
        a, b = (dense(g, given[1][name]) for g in (tiled[name], gradient))
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.usefixtures("either_way")
def test_a_tile_that_lacks_windows_leaves_out_the_words_behind_it():
    # Nine windows of the first sentence; the row behind its last word is the second one's, and infinite.
    text = pad(np.arange(17), np.array([0, 9, 17]), m=1)
    tiles = tiles_of(sentence_windows(text, np.array([0, 1])).windows)
    rng = np.random.default_rng(1)
    R = rng.normal(size=(len(text.types), 4)).astype(np.float32)
    G = mixed_weights(rng.normal(size=(2, 12)).astype(np.float32), 3, 4)
    before = tile_scores(tiles, mixed_rows(tiles, R, 3), G, 17, 3).copy()
    R[11] = np.inf
    with np.errstate(invalid="ignore"):
        after = tile_scores(tiles, mixed_rows(tiles, R, 3), G, 17, 3)
    np.testing.assert_array_equal(after[:9], before[:9])
    assert not np.isfinite(after[9]).any()


@pytest.mark.skipif(not library.compiled(), reason="nertool was installed without kernels")
def test_with_the_kernel_and_without_every_number_is_the_same(monkeypatch):
    given = in_float32(*problem(7))
    with_kernel = sharded_loss_and_gradients(*given, shard_size=9)
    monkeypatch.setattr(library, "loaded", None)
    without = sharded_loss_and_gradients(*given, shard_size=9)
    assert with_kernel[0] == without[0]
    for name, gradient in with_kernel[1].items():
        like = given[1][name]
        np.testing.assert_array_equal(dense(gradient, like), dense(without[1][name], like))


@pytest.mark.usefixtures("either_way")
def test_parts_that_do_not_fit_are_refused():
    out, parts = np.zeros((2, 4, 3), dtype=np.float32), np.zeros((5, 4, 3), dtype=np.float32)
    factors = np.ones((2, 5), dtype=np.float32)
    at, missing = np.array([0, 1, 2, 3], dtype=np.int32), np.array([0, 0, 0, 1], dtype=np.uint8)
    mix(out, parts, factors)
    rows = np.zeros((8, 3), dtype=np.float32)
    mix(out, rows, factors, Places(at + 1, missing, 3))
    for wrong in (
        lambda: mix(out[:1], parts, factors),
        lambda: mix(out, parts[:, :3], factors),
        lambda: mix(out, parts[:, :, :2], factors),
        lambda: mix(out, rows, factors, Places(at + 2, missing, 4)),
        lambda: mix(out, rows, factors, Places(at - 1, missing, 2)),
        lambda: mix(out, rows, factors, Places(at[1:], missing, 2)),
        lambda: mix(out, rows[:, :2], factors, Places(at, missing, 2)),
    ):
        with pytest.raises(ValueError, match="parts, expected those of"):
            wrong()
