"""The amount of training that a text gets within a budget: networks, epochs, hidden units, a first stage."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nertool.training.statistics import Statistics

TINY, SMALL = 20_000, 50_000  # tokens: smaller texts get more epochs, since each has few batches
MEDIUM = 75_000  # tokens: after a first stage, three networks of more would take about a minute
QUICK = 100_000  # tokens: five networks for a smaller text are trained within a minute
LARGE = 150_000  # tokens: after a first stage, one network for a larger text does as well as three
FIRST_STAGE_EPOCHS = 6
_SECONDS_FOR_MOST = 300  # with a shorter budget, an ensemble of five is not worth its time


@dataclass(frozen=True)
class Effort:
    """How much is spent on training.

    members: the number of networks. epochs, hidden: the epochs and hidden units of each. folds: the folds of
    the first stage; 0 for no first stage. first_stages: members of the first stage, whose scores are
    averaged. patience: if it is not 0, train up to twice as many epochs, and stop when dev F1 has not risen
    for `patience` epochs.
    """

    members: int
    epochs: int
    hidden: int = 256
    folds: int = 0
    first_stages: int = 1
    patience: int = 0

    def seconds(self, tokens: int) -> float:
        """Estimate the wall-clock seconds on two cores.

        The speed is a nominal one, so that the choice is the same on every machine.
        """
        per_second = 100_000 if self.members > 1 or self.folds else 70_000
        passes = self.members * self.epochs * (1.0 if self.hidden > 128 else 0.6)
        if self.folds:
            passes += self.first_stages * (self.folds + 1) * FIRST_STAGE_EPOCHS * 0.6
        return 6 + tokens * passes / per_second


# From the greatest effort to the least. Measured on dev and on held-out quarters of the training text; see
# docs/recipes.md.
MOST = Effort(members=5, epochs=10)
EFFORTS = (Effort(3, 8), Effort(2, 6), Effort(1, 6), Effort(1, 6, hidden=128))
PATIENCE = 4
FOR_FEW_TOKENS = Effort(5, 8, patience=PATIENCE)
# After a first stage, networks with 128 hidden units do as well as those with 256.
AFTER_FIRST_STAGE = Effort(3, 8, hidden=128, folds=5)
ONE_AFTER_FIRST_STAGE = Effort(1, 6, hidden=128, folds=5)
MOST_AFTER_FIRST_STAGE = Effort(5, 10, hidden=128, folds=5, first_stages=3)


def seconds_of(budget: str) -> int:
    """Return the seconds of a budget such as 30s, 2m or 1h."""
    return int(budget[:-1]) * {"s": 1, "m": 60, "h": 3600}[budget[-1]]


def effort_for(text: Statistics, budget: str) -> Effort:
    """Return the greatest effort that fits a budget, or the least one if none fits.

    Without a dev part the final fit takes as long again.
    """
    seconds = seconds_of(budget)
    efforts = _efforts(text)
    if seconds < _SECONDS_FOR_MOST:
        efforts = efforts[1:]
    fits = 1 if text.has_dev else 2
    affordable = [own for own in efforts if fits * _seconds(text, own) <= seconds]
    return affordable[0] if affordable else efforts[-1]


def _efforts(text: Statistics) -> tuple[Effort, ...]:
    """Return the efforts for a text, the greatest first: those for long budgets, then the usual ones."""
    most = MOST_AFTER_FIRST_STAGE if text.documents or text.runs_on else MOST
    if text.tokens < QUICK:
        most = replace(most, patience=PATIENCE)
    return most, *_usual(text), *EFFORTS


def _usual(text: Statistics) -> tuple[Effort, ...]:
    """Return the efforts that the usual budget buys for a text and that come before EFFORTS, greatest
    first."""
    if text.tokens >= LARGE:
        return (ONE_AFTER_FIRST_STAGE,) if text.documents or text.runs_on else ()
    if text.runs_on:
        # Two networks of more tokens do as well as three, and two cores train them side by side.
        members = 5 if text.tokens < SMALL else 3 if text.tokens < MEDIUM else 2
        patience = PATIENCE if text.tokens < QUICK else 0
        several = replace(AFTER_FIRST_STAGE, members=members, patience=patience)
        return several, ONE_AFTER_FIRST_STAGE
    return (FOR_FEW_TOKENS,) if text.tokens < QUICK else ()


def _seconds(text: Statistics, effort: Effort) -> float:
    """Estimate the seconds of an effort with the number of epochs that a text of this size gets."""
    epochs, _ = epochs_and_batch_size(text, effort)
    return replace(effort, epochs=epochs).seconds(text.tokens)


def epochs_and_batch_size(text: Statistics, effort: Effort) -> tuple[int, int]:
    """Return the number of epochs and the windows in a batch, so that a small text gets enough steps.

    Dev F1 on the support sample (5,000 tokens): 82.9 with 8 epochs and batches of 512 windows, 87.2 with 24
    epochs and batches of 64. Batches of 128 and 256 gain nothing on texts of 28,000 tokens and more. On AnEM
    (61,000 tokens, rare entities of 11 classes): 65.3 with 8 epochs and 512 windows, 68.7 with up to 16
    epochs and a patience of 4 (seeds 1 and 2). On wikigold, SEC contracts, Swahili and WNUT-17 the
    differences are no larger than those between seeds.
    """
    if text.tokens < TINY:
        return 3 * effort.epochs, 64
    if effort.patience:
        return 2 * effort.epochs, 512
    if text.tokens < SMALL:
        return effort.epochs + effort.epochs // 2, 512
    return effort.epochs, 512
