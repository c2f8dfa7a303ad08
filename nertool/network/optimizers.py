"""Optimisers: how a gradient becomes a step. SGD, momentum, AdaGrad, Adam.

In a table, a step changes only the rows that have a gradient: the rule is applied to these rows of θ and of
the optimiser's memory (its state). For SGD and AdaGrad this equals the dense step, because a zero gradient
changes nothing. For momentum and Adam it differs: the memory of the other rows does not decay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nertool.kernels.network import Step, adagrad
from nertool.kernels.rows import ParallelMap
from nertool.network.activations import Array
from nertool.network.lookup import RowGradient
from nertool.network.objective import ParameterGradients, Parameters

Memory = dict[str, list[Array]]

_FLOOR = 1e-8  # added to the divisor of a step, which may be 0


class Rule(NamedTuple):
    """An optimiser.

    step: (gradient, memory, alpha, momentum, step number t) → the change of θ. It updates the arrays of
    memory in place. memory: the number of state arrays for each parameter, which are zeros at first.
    at_once: takes the step for all parameters in one loop, if possible, and returns whether it did. Its
    result must be exactly that of `step`.
    """

    step: Callable[[Array, list[Array], float, float, int], Array]
    memory: int
    at_once: Callable[[Parameters, ParameterGradients, Memory, float], bool] | None = None


def sgd(g: Array, memory: list[Array], alpha: float, momentum: float, t: int) -> Array:
    """Stochastic gradient descent (Robbins and Monro 1951): θ ← θ − α g."""
    return -alpha * g


def heavy_ball(g: Array, memory: list[Array], alpha: float, momentum: float, t: int) -> Array:
    """Momentum (Polyak 1964): v ← momentum · v − α g; θ ← θ + v."""
    (v,) = memory
    v *= momentum
    v -= alpha * g
    return v


def adaptive(g: Array, memory: list[Array], alpha: float, momentum: float, t: int) -> Array:
    """AdaGrad (Duchi et al. 2011): G ← G + g²; θ ← θ − α g / (√G + 1e-8)."""
    (G,) = memory
    step = g * g
    G += step
    np.sqrt(G, out=step)  # in place from here on, since the arrays are large and needed in every batch
    step += _FLOOR
    np.divide(g, step, out=step)
    step *= -alpha
    return step


def adam(g: Array, memory: list[Array], alpha: float, momentum: float, t: int) -> Array:
    """Adam (Kingma and Ba 2015) with β₁ = 0.9, β₂ = 0.999 and bias correction of both means."""
    mean, square = memory
    mean *= 0.9
    mean += 0.1 * g
    square *= 0.999
    square += 0.001 * (g * g)
    rate = alpha * np.sqrt(1.0 - 0.999**t) / (1.0 - 0.9**t)
    return -float(rate) * mean / (np.sqrt(square) + 1e-8)


def adaptive_at_once(
    parameters: Parameters, gradients: ParameterGradients, memory: Memory, alpha: float
) -> bool:
    """Take AdaGrad's step for all parameters in one compiled loop.

    Return False if the kernels are not compiled or a parameter is not float32.
    """
    steps = []
    for name, gradient in gradients.items():
        rows = gradient.rows if isinstance(gradient, RowGradient) else None
        g = gradient.values if isinstance(gradient, RowGradient) else gradient
        steps.append(Step(parameters[name], memory[name][0], g, rows))
    return adagrad(steps, alpha, _FLOOR)


# To add an optimiser, write its step and give it an entry here.
RULES: dict[str, Rule] = {
    "sgd": Rule(sgd, memory=0),
    "momentum": Rule(heavy_ball, memory=1),
    "adagrad": Rule(adaptive, memory=1, at_once=adaptive_at_once),
    "adam": Rule(adam, memory=2),
}


class Optimizer:
    """An optimiser that changes parameters in place.

    memory: the state arrays of each parameter; t: the number of steps taken so far.
    """

    def __init__(self, name: str, parameters: Parameters, momentum: float = 0.9) -> None:
        """Start with a memory of zeros. name: a key of RULES; parameters: those that are trained."""
        self.rule = RULES[name]
        self.momentum = momentum
        self.memory: Memory = {
            key: [np.zeros_like(a) for _ in range(self.rule.memory)] for key, a in parameters.items()
        }
        self.t = 0

    def update(
        self,
        parameters: Parameters,
        gradients: ParameterGradients,
        alpha: float,
        parallel_map: ParallelMap = map,
    ) -> None:
        """Take one step with learning rate alpha, changing parameters and memory in place.

        Each number's step is independent of the others, so parallel_map works on blocks of rows.
        """
        self.t += 1
        at_once = self.rule.at_once
        if at_once is not None and at_once(parameters, gradients, self.memory, alpha):
            return

        def step(block: tuple[str, slice]) -> None:
            name, own = block
            theta, memory, gradient = parameters[name], self.memory[name], gradients[name]
            if isinstance(gradient, RowGradient):
                rows, g = gradient.rows[own], gradient.values[own]
            else:
                rows, g = np.arange(own.start, own.stop), gradient[own]
            met = [array.take(rows, axis=0) for array in memory]
            change = self.rule.step(g, met, alpha, self.momentum, self.t)
            theta[rows] = theta.take(rows, axis=0) + change
            for array, changed in zip(memory, met, strict=True):
                array[rows] = changed

        for _ in parallel_map(step, _blocks(gradients)):
            pass


_BLOCK = 1 << 15  # numbers; the arrays of a step of this size fit into a core's own cache


def _blocks(gradients: ParameterGradients) -> list[tuple[str, slice]]:
    """Cut every gradient into blocks of consecutive rows, about _BLOCK numbers each."""
    blocks = []
    for name, gradient in gradients.items():
        values = gradient.values if isinstance(gradient, RowGradient) else gradient
        rows, k = len(values), max(1, round(values.size / _BLOCK))
        blocks += [(name, slice(rows * i // k, rows * (i + 1) // k)) for i in range(k)]
    return blocks
