"""How a gradient becomes a step: SGD, momentum, AdaGrad, Adam.

A table's step touches only the rows that were met: the rule is applied to those rows of θ and
of the optimiser's memory. For SGD and AdaGrad that is exactly the dense step (a zero gradient
changes nothing); for momentum and Adam the memory of the other rows waits, instead of decaying.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nertool.kernels.network import Step, adagrad
from nertool.network.activations import Array
from nertool.network.lookup import Each, RowGradient
from nertool.network.objective import ParameterGradients, Parameters

# (gradient, the memory's arrays, which it changes in place, alpha, momentum, step t) → θ's change
Rule = Callable[[Array, list[Array], float, float, int], Array]


_FLOOR = 1e-8  # of what a step is divided by


def _sgd(g: Array, memory: list[Array], alpha: float, momentum: float, t: int) -> Array:
    return -alpha * g


def _momentum(g: Array, memory: list[Array], alpha: float, momentum: float, t: int) -> Array:
    (v,) = memory
    v *= momentum
    v -= alpha * g
    return v


def _adagrad(g: Array, memory: list[Array], alpha: float, momentum: float, t: int) -> Array:
    (G,) = memory
    step = g * g
    G += step
    np.sqrt(G, out=step)  # in place from here on: the arrays are large, and made anew in every batch
    step += _FLOOR
    np.divide(g, step, out=step)
    step *= -alpha
    return step


def _adam(g: Array, memory: list[Array], alpha: float, momentum: float, t: int) -> Array:
    mean, square = memory
    mean *= 0.9
    mean += 0.1 * g
    square *= 0.999
    square += 0.001 * (g * g)
    rate = alpha * np.sqrt(1.0 - 0.999**t) / (1.0 - 0.9**t)  # both memories' bias, undone
    return -float(rate) * mean / (np.sqrt(square) + 1e-8)


# name → (rule, how many arrays it remembers for each parameter)
# SGD: Robbins and Monro 1951; momentum: Polyak 1964; AdaGrad: Duchi et al. 2011; Adam: Kingma and Ba 2015.
RULES: dict[str, tuple[Rule, int]] = {
    "sgd": (_sgd, 0),
    "momentum": (_momentum, 1),
    "adagrad": (_adagrad, 1),
    "adam": (_adam, 2),
}


class Optimizer:
    """Changes parameters in place, and keeps what its rule remembers: memory[name] and the step t."""

    def __init__(self, name: str, parameters: Parameters, momentum: float = 0.9) -> None:
        self.rule, slots = RULES[name]
        self.momentum = momentum
        self.memory = {key: [np.zeros_like(a) for _ in range(slots)] for key, a in parameters.items()}
        self.t = 0

    def update(
        self,
        parameters: Parameters,
        gradients: ParameterGradients,
        alpha: float,
        each: Each = map,
    ) -> None:
        """Take one step: θ ← θ + rule(∂J/∂θ), with learning rate alpha.

        Every number steps by itself, so the arrays are gone through in blocks; each: how.
        """
        self.t += 1
        if self.rule is _adagrad and self._adagrad_at_once(parameters, gradients, alpha):
            return

        def step(block: tuple[str, slice]) -> None:
            name, own = block
            theta, memory, gradient = parameters[name], self.memory[name], gradients[name]
            if isinstance(gradient, RowGradient):
                rows, g = gradient.rows[own], gradient.values[own]
            else:
                rows, g = np.arange(own.start, own.stop), gradient[own]
            met = [array.take(rows, axis=0) for array in memory]
            theta[rows] = theta.take(rows, axis=0) + self.rule(g, met, alpha, self.momentum, self.t)
            for array, changed in zip(memory, met, strict=True):
                array[rows] = changed

        for _ in each(step, _blocks(gradients)):
            pass

    def _adagrad_at_once(
        self, parameters: Parameters, gradients: ParameterGradients, alpha: float
    ) -> bool:
        """Do what _adagrad and the adding to θ do, for all parameters, where there is a kernel for it."""
        steps = []
        for name, gradient in gradients.items():
            rows = gradient.rows if isinstance(gradient, RowGradient) else None
            g = gradient.values if isinstance(gradient, RowGradient) else gradient
            (G,) = self.memory[name]
            steps.append(Step(parameters[name], G, g, rows))
        return adagrad(steps, alpha, _FLOOR)


_BLOCK = 1 << 15  # numbers: what a rule makes of so many stays in a core's own cache


def _blocks(gradients: ParameterGradients) -> list[tuple[str, slice]]:
    """Cut every gradient into stretches of rows of about _BLOCK numbers."""
    blocks = []
    for name, gradient in gradients.items():
        values = gradient.values if isinstance(gradient, RowGradient) else gradient
        rows, k = len(values), max(1, round(values.size / _BLOCK))
        blocks += [(name, slice(rows * i // k, rows * (i + 1) // k)) for i in range(k)]
    return blocks
