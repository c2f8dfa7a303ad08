"""Audits while training, and the batch that broke it as a file."""

from __future__ import annotations

import numpy as np
import pytest

from nertool.errors import ModelError
from nertool.gradcheck.audit import (
    NonFiniteError,
    Snapshot,
    audit,
    copy_met,
    first_not_finite,
    is_finite,
    keeping_batch,
    load_snapshot,
    loss_of,
    save_snapshot,
)
from nertool.network.lookup import RowGradient
from nertool.network.objective import (
    PLAIN,
    Batch,
    Masks,
    Objective,
    Parameters,
    dense,
    loss_and_gradients,
)
from nertool.network.optimizers import Optimizer

OBJECTIVE = Objective("tanh", "softmax", l2=0.01, frozen=("M",), columns=(1, 2, 1))


def snapshot(dtype: type = np.float64) -> Snapshot:
    rng = np.random.default_rng(7)
    shapes = {
        "L": (9, 3),
        "E.affixes": (6, 2),
        "M": (5, 2),
        "W": (4, 2 * 9 + 3),
        "b": (4,),
        "U": (3, 4),
    }
    theta: Parameters = {
        name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()
    }
    ids = np.stack([rng.integers(0, n, size=7) for n in (9, 6, 6, 5)], axis=1).astype(np.int32)
    batch = Batch(
        ids,
        rng.integers(0, 7, size=(6, 2)),
        np.eye(3, dtype=dtype)[rng.integers(0, 3, size=6)],
        rng.normal(size=(6, 3)).astype(dtype),
        rng.uniform(0.5, 2.0, size=6).astype(dtype),
    )
    masks = Masks(None, (rng.random((6, 4)) < 0.7).astype(dtype) / dtype(0.7))
    return Snapshot({"epoch": 2, "step": 10, "alpha": 0.1}, OBJECTIVE, theta, batch, masks)


def test_a_saved_batch_gives_the_same_loss_and_gradients(tmp_path):
    given = snapshot(np.float32)
    save_snapshot(given, tmp_path / "b")
    read = load_snapshot(tmp_path / "b")
    assert read.where == given.where
    assert read.objective == given.objective
    J, gradients = loss_and_gradients(*given[1:])
    J_read, gradients_read = loss_and_gradients(*read[1:])
    assert J_read == J
    for name in ("W", "b", "U"):
        np.testing.assert_array_equal(gradients_read[name], gradients[name])
    # Of the tables the met rows alone are kept: their gradients are the same, in order.
    np.testing.assert_array_equal(gradients_read["L"].values, gradients["L"].values)
    assert len(read.parameters["L"]) == len(gradients["L"].rows) < 9


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(("name", "value"), [("W", np.nan), ("L", np.inf), ("U", -np.inf)])
def test_the_first_value_that_is_not_finite_is_named(name, value, tmp_path):
    given = snapshot()
    row = int(given.batch.ids[0, 0]) if name == "L" else 1
    given.parameters[name][row, 2] = value
    found = first_not_finite(given)
    assert found.startswith(f"{name}[{row}, 2] = ")
    save_snapshot(given, tmp_path / "b")
    assert first_not_finite(load_snapshot(tmp_path / "b")).startswith(f"{name}[")
    J, gradients = loss_and_gradients(*given[1:])
    assert not is_finite(J, gradients)


def test_an_overflow_of_32_bits_is_told_from_one_of_the_mathematics():
    given = snapshot(np.float32)
    assert first_not_finite(given) is None
    given.parameters["W"][:] = 3e38
    wide_J = loss_of(given)[1]
    assert first_not_finite(given).startswith("z[")
    assert np.isfinite(wide_J)


def test_an_audit_tells_what_a_step_did_and_that_the_gradient_was_right():
    given = snapshot()
    theta = given.parameters
    J, gradients = loss_and_gradients(*given[1:])
    start = {name: array.copy() for name, array in theta.items()}
    before = copy_met(theta, gradients)
    trained = {name: array for name, array in theta.items() if name != "M"}
    Optimizer("sgd", trained).update(theta, gradients, 0.1)
    after = {name: array.copy() for name, array in theta.items()}
    found = audit(given, J, gradients, before, theta)
    assert found.passed
    assert max(found.error.values()) <= 1e-12
    assert found.J == J
    # SGD: θ moves by 0.1 ∂J/∂θ, so the ratio is 0.1 ‖∂J/∂θ‖ / ‖θ‖.
    W = dense(gradients["W"], theta["W"])
    expected = 0.1 * np.linalg.norm(W) / np.linalg.norm(start["W"])
    assert found.update_to_weight["W"] == pytest.approx(expected, rel=1e-12)
    of_L = gradients["L"]
    expected = 0.1 * np.linalg.norm(of_L.values) / np.linalg.norm(start["L"][of_L.rows])
    assert found.update_to_weight["L"] == pytest.approx(expected, rel=1e-12)
    for name, array in after.items():
        np.testing.assert_array_equal(theta[name], array)


@pytest.mark.filterwarnings("error")
def test_large_numbers_are_finite_and_each_other_is_noticed():
    values = np.full((3, 2), 1e30, dtype=np.float32)  # whose squares are not
    assert is_finite(1.0, {"W": values})
    for odd in (np.inf, -np.inf, np.nan):
        values[1, 1] = odd
        assert not is_finite(1.0, {"W": np.ones(4), "E": RowGradient(np.arange(3), values)})
    assert not is_finite(np.inf, {"W": np.ones(4)})


def test_an_audit_catches_a_mistake():
    def nothing(windows, dx, n, mask):
        return np.zeros((n, dx.size // windows.size))

    wrong = PLAIN._replace(windows_backward=nothing)
    given = snapshot()
    J, gradients = loss_and_gradients(*given[1:], wrong)
    before = copy_met(given.parameters, gradients)
    found = audit(given, J, gradients, before, given.parameters, wrong)
    assert not found.passed
    assert found.error["L"] > 1e-3
    assert found.error["W"] <= 1e-12


def test_a_batch_is_kept_where_training_breaks(tmp_path):
    def records():
        yield 1
        raise NonFiniteError("the loss became nan", snapshot())

    passed_on = keeping_batch(records(), tmp_path / "deep" / "b")
    assert next(passed_on) == 1
    with pytest.raises(
        Exception, match=r"the loss became nan; .*gradcheck --batch .*deep/b"
    ) as error:
        next(passed_on)
    assert not isinstance(error.value, NonFiniteError)  # its arrays need not go to another process
    assert load_snapshot(tmp_path / "deep" / "b").where["step"] == 10


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("spoil", ["windows", "W", "objective"])
def test_a_batch_that_does_not_fit_together_is_refused(tmp_path, spoil, dtype):
    given = snapshot(dtype)
    if spoil == "windows":
        given = given._replace(batch=given.batch._replace(windows=given.batch.windows + 100))
    elif spoil == "W":
        given.parameters["W"] = np.zeros((4, 2))
    else:
        given = given._replace(objective=given.objective._replace(activation="sin"))
    save_snapshot(given, tmp_path / "b")
    with pytest.raises(ModelError, match="don't belong together"):
        load_snapshot(tmp_path / "b")
