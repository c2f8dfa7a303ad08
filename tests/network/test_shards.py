"""A batch cut into shards gives the loss and the gradients of the whole batch."""

from __future__ import annotations

import numpy as np
import pytest

from nertool.inputs.windows import pad, sentence_windows
from nertool.network.lookup import RowGradient
from nertool.network.objective import Batch, Masks, Objective, dense, loss_and_gradients
from nertool.network.shards import cut_batch, sharded_loss_and_gradients
from tests.support.objectives import FULL_COLUMNS, OUTPUTS, B


def test_shards_are_the_batch_cut_into_equal_stretches(full):
    _, batch, masks = full
    first, second = cut_batch(batch, masks, shard_size=5)  # 12 windows
    for name in ("y", "side"):
        whole = getattr(batch, name)
        np.testing.assert_array_equal(getattr(first.batch, name), whole[:6])
        np.testing.assert_array_equal(getattr(second.batch, name), whole[6:])
    for shard, own in ((first, slice(0, 6)), (second, slice(6, 12))):
        assert shard.share == 0.5
        words = batch.ids[batch.windows[own]]
        np.testing.assert_array_equal(shard.batch.ids[shard.batch.windows], words)
        np.testing.assert_array_equal(shard.masks.hidden, masks.hidden[own])
        dropped = masks.input[batch.windows[own]]
        np.testing.assert_array_equal(shard.masks.input[shard.batch.windows], dropped)


def test_a_shard_of_sentences_has_only_its_own_words():
    text = pad(np.arange(600) % 7, np.arange(0, 601, 20), m=2)
    drawn = sentence_windows(text, np.arange(30)[::-1])
    y = np.eye(2)[np.zeros(600, dtype=int)]
    batch = Batch(text.types[drawn.positions][:, None], drawn.windows, y)
    sizes = [len(shard.batch.ids) for shard in cut_batch(batch, Masks())]
    # 30 sentences of 20 words and 4 paddings; where a sentence is cut, 4 words are in both.
    assert 720 <= sum(sizes) <= 720 + 4 * (len(sizes) - 1)


def everything(full) -> tuple[Objective, dict, Batch, Masks]:
    parameters, batch, masks = full
    batch = batch._replace(weights=np.random.default_rng(9).random(B) + 0.1)
    return Objective("tanh", "softmax", 0.02, ("M",), FULL_COLUMNS), parameters, batch, masks


def narrow(objective, parameters, batch, masks) -> tuple[Objective, dict, Batch, Masks]:
    """Return the same in 32-bit floats, as training has it: that is what the C loops take."""

    def small(array):
        return array.astype(np.float32) if array.dtype == np.float64 else array

    return (
        objective,
        {name: small(array) for name, array in parameters.items()},
        Batch(*(small(array) for array in batch)),
        Masks(*(small(array) for array in masks)),
    )


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("output", OUTPUTS)
def test_one_shard_equals_the_plain_computation_to_the_bit(full, dtype, output):
    problem = everything(full)
    problem = (problem[0]._replace(output=output), *problem[1:])
    if dtype == np.float32:
        problem = narrow(*problem)
    J, plain = loss_and_gradients(*problem)
    shard_J, sharded = sharded_loss_and_gradients(*problem)
    assert shard_J == J
    assert list(sharded) == list(plain)
    for name, gradient in plain.items():
        if isinstance(gradient, RowGradient):
            np.testing.assert_array_equal(gradient.rows, sharded[name].rows)
            gradient, other = gradient.values, sharded[name].values
        else:
            other = sharded[name]
        assert gradient.dtype == other.dtype == dtype
        np.testing.assert_array_equal(gradient, other)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_several_shards_add_up_to_the_whole(full, size):
    objective, parameters, batch, masks = everything(full)
    J, whole = loss_and_gradients(objective, parameters, batch, masks)
    assert len(cut_batch(batch, masks, size)) == round(B / size)
    sum_J, summed = sharded_loss_and_gradients(objective, parameters, batch, masks, shard_size=size)
    assert pytest.approx(J, rel=1e-13) == sum_J
    for name in whole:
        a, n_ = dense(summed[name], parameters[name]), dense(whole[name], parameters[name])
        assert np.linalg.norm(a - n_) <= 1e-12 * np.linalg.norm(n_), name


def test_the_order_in_which_shards_are_computed_changes_nothing(full):
    def last_first(work, items):
        return iter([work(item) for item in list(items)[::-1]][::-1])

    problem = everything(full)
    J, gradients = sharded_loss_and_gradients(*problem, shard_size=2)
    other_J, other = sharded_loss_and_gradients(*problem, last_first, shard_size=2)
    assert other_J == J
    for name in gradients:
        like = problem[1][name]
        np.testing.assert_array_equal(dense(gradients[name], like), dense(other[name], like))
