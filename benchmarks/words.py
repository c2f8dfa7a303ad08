"""Text in which new words keep coming. A benchmark that repeats one text hides their cost.

In a repeated text, every word is known after the first round. Real text keeps bringing new ones, V(n) = k n^β
of them in n tokens (Heaps' law). Here β = 0.7, and k is such that 188 million tokens have 3 million distinct
words, as in a large English corpus.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

BETA = 0.7
K = 3e6 / 188e6**BETA
_AGAIN = (
    0.05  # of the tokens are words made before: a few of them often, most of them seldom (Zipf)
)
_SYLLABLES = [
    a + b
    for a in [
        "b",
        "c",
        "d",
        "f",
        "g",
        "k",
        "l",
        "m",
        "n",
        "p",
        "r",
        "s",
        "t",
        "v",
        "z",
        "sh",
        "tr",
        "kl",
    ]
    for b in "aeiou"
]
_ENDS = ("", "", "n", "s", "r", "ng", "ton", "berg", "ski", "ing", "ed", "ly")
_BLOCK = 1 << 16


def made_word(number: int) -> str:
    """Return the word for a number. Distinct numbers give distinct words, and a third of them are
    capitalised."""
    rest, parts = number, []
    while True:
        rest, digit = divmod(rest, len(_SYLLABLES))
        parts.append(_SYLLABLES[digit])
        if not rest:
            break
        rest -= 1
    word = "".join(parts) + "x" + _ENDS[number % len(_ENDS)]
    return word.capitalize() if number % 3 == 0 else word


def ever_new(sentences: Iterable[list[str]], seed: int = 1) -> Iterator[list[str]]:
    """Yield sentences with words replaced, so that the number of distinct words grows as in real text.

    The result depends on the sentences and the seed alone.
    """
    rng = np.random.default_rng(seed)
    n = made = 0
    at, dice, ranks = _BLOCK, np.empty(0), np.empty(0)
    for words in sentences:
        if len(words) == 1:  # a mark between documents, or a heading
            yield words
            continue
        out = []
        for word in words:
            if at == _BLOCK:
                dice, ranks, at = rng.random(_BLOCK), rng.random(_BLOCK), 0
            n += 1
            new = BETA * K * n ** (BETA - 1)  # the derivative of V
            if dice[at] < min(new, 0.5):
                out.append(made_word(made))
                made += 1
            elif dice[at] < min(new, 0.5) + _AGAIN and made:
                out.append(made_word(int(made ** ranks[at]) - 1))  # log-uniform: Zipf's law
            else:
                out.append(word)
            at += 1
        yield out
